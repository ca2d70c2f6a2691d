#include "base/ini_text.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    context *c;
    const ini_handlers *r;
    const char *origin, *rest; /* text not yet read */
    int line;                  /* of the text that inih works on */
    char section[INI_SECTION];
    status s;
} reading;

/* "[name]" begins at `from`. */
static void begin_section(reading *g, const char *from, const char *to)
{
    const char *end = memchr(from, ']', (size_t)(to - from));
    if (!end) return; /* inih refuses it */
    const size_t length = (size_t)(end - from - 1);
    if (length >= sizeof g->section) {
        g->s = context_fail(g->c, g->r->wrong, "%s:%d: the section's name is longer than %zu characters", g->origin,
                            g->line, sizeof g->section - 1);
        return;
    }
    memcpy(g->section, from + 1, length);
    g->section[length] = 0;
    if (g->r->section) g->s = g->r->section(g->r->user, g->section, g->line);
}

/* The next line for inih, without the white space around it (which would mean a continuation to inih). NULL at the end
 * and after an error. */
static char *next_line(char *line, int size, void *user)
{
    reading *g = user;
    if (g->s != STATUS_OK || !g->rest[0]) return NULL;
    g->line++;
    size_t length = strcspn(g->rest, "\n");
    const char *from = g->rest, *to = from + length;
    g->rest = *to ? to + 1 : to;
    while (from < to && strchr(" \t\r", *from)) from++;
    while (from < to && strchr(" \t\r", to[-1])) to--;
    if (from < to && (*from == ';' || *from == '#')) to = from; /* comments may be of any length */
    if (to - from > size - 2) {
        g->s = context_fail(g->c, g->r->wrong, "%s:%d: the line is longer than %d characters", g->origin, g->line,
                            size - 2);
        return NULL;
    }
    if (from < to && *from == '[') begin_section(g, from, to);
    if (g->s != STATUS_OK) return NULL;
    memcpy(line, from, (size_t)(to - from));
    strcpy(line + (to - from), "\n");
    return line;
}

static int take_value(void *user, const char *section, const char *name, const char *text)
{
    reading *g = user;
    (void)section; /* inih cuts long ones */
    if (g->s == STATUS_OK) g->s = g->r->value(g->r->user, g->section, name, text, g->line);
    return g->s == STATUS_OK;
}

status ini_text_read(context *c, const char *text, const char *origin, const ini_handlers *r)
{
    reading g = {.c = c, .r = r, .origin = origin, .rest = text, .s = STATUS_OK};
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) g.rest += 3; /* byte order mark of UTF-8 */
    const int bad = ini_parse_stream(next_line, &g, take_value, &g);
    if (bad < 0 && g.s == STATUS_OK) g.s = context_fail(c, STATUS_MEMORY, "%s: no memory to read it", origin);
    /* inih counts the same lines; one that it refuses and that is not the line of our own error came before it. */
    if (bad > 0 && (g.s == STATUS_OK || bad < g.line))
        g.s = context_fail(c, r->wrong, "%s:%d: is neither 'key = value' nor '[section]' nor a comment", origin, bad);
    return g.s;
}
