/* INI text into a configuration. inih does the syntax; it hands over no line numbers, so the reader that feeds it
 * counts them, and refuses what inih would pass over: lines longer than its buffer and unknown or empty sections. */
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/embedded.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/options.h"

typedef struct {
    context *c;
    config *cfg;
    const char *origin;
    const char *rest; /* text not yet read */
    int line;         /* of the text that inih works on */
    int *seen;        /* per option: the line that set it, 0: none */
    status s;
} reading;

static bool known_section(const char *name, size_t length)
{
    for (const option_section *o = option_sections; o->name; o++)
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0) return true;
    return false;
}

static void unknown_section(reading *r, const char *name, size_t length)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const char *near = NULL;
    int nearest = 3;
    for (const option_section *o = option_sections; o->name; o++) {
        int d = options_distance(word, o->name);
        if (d < nearest) nearest = d, near = o->name;
    }
    r->s = context_fail(r->c, STATUS_USAGE, "%s:%d: unknown section [%s]%s%s%s", r->origin, r->line, word,
                        near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "");
}

/* The next line for inih, without the white space around it (which would mean a continuation to inih). NULL at the end
 * and after an error. */
static char *next_line(char *line, int size, void *user)
{
    reading *r = user;
    if (r->s != STATUS_OK || !r->rest[0]) return NULL;
    r->line++;
    size_t length = strcspn(r->rest, "\n");
    const char *from = r->rest, *to = from + length;
    r->rest = *to ? to + 1 : to;
    while (from < to && strchr(" \t\r", *from)) from++;
    while (from < to && strchr(" \t\r", to[-1])) to--;
    if (from < to && (*from == ';' || *from == '#')) to = from; /* comments may be of any length */
    if (to - from > size - 2) {
        r->s = context_fail(r->c, STATUS_USAGE, "%s:%d: the line is longer than %d characters", r->origin, r->line,
                            size - 2);
        return NULL;
    }
    if (from < to && *from == '[') {
        const char *end = memchr(from, ']', (size_t)(to - from));
        if (end && !known_section(from + 1, (size_t)(end - from - 1)))
            unknown_section(r, from + 1, (size_t)(end - from - 1));
        if (r->s != STATUS_OK) return NULL;
    }
    memcpy(line, from, (size_t)(to - from));
    strcpy(line + (to - from), "\n");
    return line;
}

static int take_value(void *user, const char *section, const char *name, const char *text)
{
    reading *r = user;
    if (r->s != STATUS_OK) return 0;
    char key[160], origin[FILES_PATH + 16];
    snprintf(origin, sizeof origin, "%s:%d", r->origin, r->line);
    if (!section[0]) {
        r->s = context_fail(r->c, STATUS_USAGE, "%s: %s stands before the first [section]", origin, name);
        return 0;
    }
    snprintf(key, sizeof key, "%s.%s", section, name);
    const option *o = options_find(key);
    if (o && r->seen[o - options]) {
        r->s =
            context_fail(r->c, STATUS_USAGE, "%s: %s was already given in line %d", origin, key, r->seen[o - options]);
        return 0;
    }
    r->s = config_set(r->c, r->cfg, key, text, origin);
    if (r->s != STATUS_OK) return 0;
    r->seen[o - options] = r->line;
    return 1;
}

status config_read(context *c, config *cfg, const char *text, const char *origin)
{
    reading r = {.c = c, .cfg = cfg, .origin = origin, .rest = text, .s = STATUS_OK};
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) r.rest += 3; /* byte order mark of UTF-8 */
    status s = memory_new(c, "configuration", (size_t)options_count, sizeof r.seen[0], &r.seen);
    if (s != STATUS_OK) return s;
    int bad = ini_parse_stream(next_line, &r, take_value, &r);
    if (bad < 0 && r.s == STATUS_OK) r.s = context_fail(c, STATUS_MEMORY, "%s: no memory to read it", origin);
    /* inih counts the same lines; one that it refuses and that is not the line of our own error came before it. */
    if (bad > 0 && (r.s == STATUS_OK || bad < r.line))
        r.s =
            context_fail(c, STATUS_USAGE, "%s:%d: is neither 'key = value' nor '[section]' nor a comment", origin, bad);
    memory_delete(&r.seen);
    return r.s;
}

status config_read_file(context *c, config *cfg, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    status s = files_read(c, path, &text, &size);
    if (s == STATUS_OK && strlen(text) != size)
        s = context_fail(c, STATUS_DATA, "%s: is not a text file (it holds zero bytes)", path);
    if (s == STATUS_OK) s = config_read(c, cfg, text, path);
    memory_delete(&text);
    return s;
}

status config_read_preset(context *c, config *cfg, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "data/presets/%s.ini", name);
    const embedded_file *file = embedded_find(path);
    if (file) return config_read(c, cfg, file->data, path);
    char names[512] = "";
    for (const embedded_file *f = embedded_files; f->name; f++) {
        const char *prefix = "data/presets/";
        if (strncmp(f->name, prefix, strlen(prefix)) != 0) continue;
        size_t n = strlen(names), length = strlen(f->name) - strlen(prefix) - strlen(".ini");
        snprintf(names + n, sizeof names - n, "%s%.*s", n ? ", " : "", (int)length, f->name + strlen(prefix));
    }
    return context_fail(c, STATUS_USAGE, "there is no preset %s; there are: %s", name, names[0] ? names : "none");
}
