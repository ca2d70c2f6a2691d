#include "report/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/files.h"
#include "base/memory.h"

void page_begin(page *p, context *c)
{
    memset(p, 0, sizeof *p);
    p->c = c;
}

void page_delete(page *p)
{
    if (p) memory_delete(&p->text);
}

/* Room for `more` bytes and a NUL behind the text; NULL after a failure. */
static char *reserve(page *p, size_t more)
{
    if (p->failed) return NULL;
    if (p->size + more + 1 > p->room) {
        size_t room = 2 * (p->size + more + 1) + 4096;
        p->failed = memory_grow(p->c, "text of the report", p->room, room, 1, &p->text);
        if (p->failed) return NULL;
        p->room = room;
    }
    return p->text + p->size;
}

static void append(page *p, const char *text, size_t size)
{
    char *to = reserve(p, size);
    if (!to) return;
    memcpy(to, text, size);
    to[size] = 0;
    p->size += size;
}

void page_raw(page *p, const char *text)
{
    append(p, text, strlen(text));
}

void page_format(page *p, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *to = n < 0 ? NULL : reserve(p, (size_t)n);
    if (to) {
        vsnprintf(to, (size_t)n + 1, format, arguments);
        p->size += (size_t)n;
    }
    va_end(arguments);
}

/* Length of the well-formed UTF-8 sequence at s (RFC 3629: no overlong forms, surrogates or values over 10FFFF), 0 if
 * there is none. */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
               : (s[0] & 0xF0) == 0xE0       ? 3
               : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (n == 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))) return 0;
    if (n == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))) return 0;
    return n;
}

void page_escape(page *p, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)(text ? text : ""); *s;) {
        size_t n = utf8_length(s);
        bool control = (*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7F;
        if (!n || control)
            page_raw(p, "\xEF\xBF\xBD");
        else if (*s == '&')
            page_raw(p, "&amp;");
        else if (*s == '<')
            page_raw(p, "&lt;");
        else if (*s == '>')
            page_raw(p, "&gt;");
        else if (*s == '"')
            page_raw(p, "&quot;");
        else if (*s == '\'')
            page_raw(p, "&#39;");
        else
            append(p, (const char *)s, n);
        s += n ? n : 1;
    }
}

void page_base64(page *p, const void *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = data;
    size_t length = (size + 2) / 3 * 4;
    char *to = reserve(p, length);
    if (!to) return;
    for (size_t i = 0; i < size; i += 3) {
        unsigned v =
            (unsigned)b[i] << 16 | (i + 1 < size ? (unsigned)b[i + 1] << 8 : 0) | (i + 2 < size ? b[i + 2] : 0);
        *to++ = digits[v >> 18];
        *to++ = digits[v >> 12 & 63];
        *to++ = i + 1 < size ? digits[v >> 6 & 63] : '=';
        *to++ = i + 2 < size ? digits[v & 63] : '=';
    }
    *to = 0;
    p->size += length;
}

status page_finish(const page *p)
{
    return p->failed;
}

status page_save(page *p, const char *path)
{
    status s = p->failed;
    if (!s) s = files_replace(p->c, path, p->text ? p->text : "", p->size);
    page_delete(p);
    page_begin(p, p->c);
    return s;
}
