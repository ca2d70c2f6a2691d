/* INI text into a configuration. */
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/embedded.h"
#include "base/files.h"
#include "base/ini_text.h"
#include "base/memory.h"
#include "base/options.h"

typedef struct {
    context *c;
    config *cfg;
    const char *origin;
    int *seen; /* per option: the line that set it, 0: none */
} reading;

/* STATUS_USAGE, with the nearest name, for a section that no option is in; empty ones are refused too. */
static status take_section(void *user, const char *name, int line)
{
    const reading *r = user;
    const char *near = NULL;
    int nearest = 3;
    for (const option_section *o = option_sections; o->name; o++) {
        const int d = options_distance(name, o->name);
        if (d == 0) return STATUS_OK;
        if (d < nearest) nearest = d, near = o->name;
    }
    return context_fail(r->c, STATUS_USAGE, "%s:%d: unknown section [%s]%s%s%s", r->origin, line, name,
                        near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "");
}

static status take_value(void *user, const char *section, const char *name, const char *text, int line)
{
    reading *r = user;
    char key[160], origin[FILES_PATH + 16];
    snprintf(origin, sizeof origin, "%s:%d", r->origin, line);
    if (!section[0]) return context_fail(r->c, STATUS_USAGE, "%s: %s stands before the first [section]", origin, name);
    snprintf(key, sizeof key, "%s.%s", section, name);
    const option *o = options_find(key);
    if (o && r->seen[o - options])
        return context_fail(r->c, STATUS_USAGE, "%s: %s was already given in line %d", origin, key,
                            r->seen[o - options]);
    const status s = config_set(r->c, r->cfg, key, text, origin);
    if (s == STATUS_OK) r->seen[o - options] = line;
    return s;
}

status config_read(context *c, config *cfg, const char *text, const char *origin)
{
    reading r = {.c = c, .cfg = cfg, .origin = origin};
    status s = memory_new(c, "configuration", (size_t)options_count, sizeof r.seen[0], &r.seen);
    if (s != STATUS_OK) return s;
    const ini_handlers reader = {.section = take_section, .value = take_value, .user = &r, .wrong = STATUS_USAGE};
    s = ini_text_read(c, text, origin, &reader);
    memory_delete(&r.seen);
    return s;
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
