#include "device/tuning.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/embedded.h"
#include "base/hash.h"
#include "base/ini_text.h"
#include "base/memory.h"
#include "device/internal.h"

/* From the least to the most that is meant. */
static const char *const kinds[] = {"default", "vendor", "architecture", "device"};
enum { KINDS = sizeof kinds / sizeof *kinds, DEFAULT = 0 };

/* A record as it is read, and the best so far of those that fit. */
typedef struct {
    int kind, first, count; /* of the values that it holds; kind −1: none */
    char name[INI_SECTION];
    bool fits;
} record;

typedef struct {
    context *c;
    const tuning_rules *rules;
    const device_record *r;
    const char *origin;
    bool user;        /* its own record, which is of this very device */
    tuning *t;        /* all values that were read */
    record now, best; /* best of those above the defaults */
    record base;      /* the default */
    int schema;
    char layer[INI_SECTION];
} reading;

static status value_add(context *c, tuning *t, const tuning_value *v)
{
    if (t->count == t->capacity) {
        const int capacity = 2 * t->capacity + 64;
        const status s = memory_grow(c, "tuning records", (size_t)t->capacity, (size_t)capacity, sizeof *v, &t->values);
        if (s) return s;
        t->capacity = capacity;
    }
    t->values[t->count++] = *v;
    return STATUS_OK;
}

/* A record is complete. Values of those that are not wanted stay in the list of all that was read; `chosen` takes the
 * others out of it. */
static void close_record(reading *g)
{
    record *n = &g->now;
    n->count = g->t->count - n->first;
    if (n->kind < 0 || !n->fits) return;
    record *rival = n->kind == DEFAULT ? &g->base : &g->best;
    if (rival->kind < n->kind) *rival = *n;
}

/* "kind name" of a record, or a layer of the record that began before. */
static status begin_section(void *user, const char *name, int line)
{
    reading *g = user;
    int kind = 0;
    const size_t word = strcspn(name, " ");
    while (kind < KINDS && (strlen(kinds[kind]) != word || strncmp(kinds[kind], name, word))) kind++;
    if (kind < KINDS) {
        close_record(g);
        g->now = (record){.kind = kind, .first = g->t->count, .fits = true};
        snprintf(g->now.name, sizeof g->now.name, "%s", name);
        g->layer[0] = 0;
        return STATUS_OK;
    }
    if (g->now.kind < 0)
        return context_fail(g->c, STATUS_DATA, "%s:%d: [%s] stands before a record, [device NAME]", g->origin, line,
                            name);
    snprintf(g->layer, sizeof g->layer, "%s", name);
    return STATUS_OK;
}

static status not_a_number(reading *g, const char *name, const char *text, int line)
{
    return context_fail(g->c, STATUS_DATA, "%s:%d: %s = %s: is not a whole number", g->origin, line, name, text);
}

static status take_value(void *user, const char *section, const char *name, const char *text, int line)
{
    reading *g = user;
    tuning_value v = {.line = line, .origin = g->origin};
    char *end = NULL;
    bool fits = true;
    if (g->now.kind < 0)
        return context_fail(g->c, STATUS_DATA, "%s:%d: %s stands before the first [section]", g->origin, line, name);
    (void)section;
    if (!g->layer[0] && quirks_pattern(name, text, g->r, &fits)) {
        g->now.fits = g->now.fits && fits;
        return STATUS_OK;
    }
    const long number = strtol(text, &end, 10);
    if (end == text || *end || number < -(1L << 30) || number > 1L << 30) return not_a_number(g, name, text, line);
    v.value = (int)number;
    if (!g->layer[0] && !strcmp(name, "lanes")) {
        g->now.fits = g->now.fits && g->r->native_vector >= v.value;
        return STATUS_OK;
    }
    if (!g->layer[0] && !strcmp(name, "schema")) {
        g->schema = v.value;
        return STATUS_OK;
    }
    snprintf(v.layer, sizeof v.layer, "%s", g->layer);
    snprintf(v.name, sizeof v.name, "%s", name);
    /* What another schema's names mean is not known. */
    const status s = g->schema == g->rules->schema ? g->rules->check(g->c, &v) : STATUS_OK;
    return s ? s : value_add(g->c, g->t, &v);
}

static status read_text(reading *g, const char *text, const char *origin)
{
    const ini_handlers reader = {.section = begin_section, .value = take_value, .user = g, .wrong = STATUS_DATA};
    g->origin = origin;
    g->now = (record){.kind = -1};
    g->schema = g->user ? 0 : g->rules->schema;
    g->layer[0] = 0;
    const status s = ini_text_read(g->c, text, origin, &reader);
    if (!s) close_record(g);
    return s;
}

static bool is_record(const embedded_file *f)
{
    return !strncmp(f->name, "data/tuning/", 12);
}

static status chosen(context *c, tuning *t, const tuning *all, const record *r)
{
    status s = STATUS_OK;
    for (int i = 0; r->kind >= 0 && i < r->count && !s; i++) s = value_add(c, t, &all->values[r->first + i]);
    if (r->kind >= 0) snprintf(t->matched, sizeof t->matched, "%s", r->name);
    return s;
}

status tuning_match(context *c, const device_record *r, const tuning_rules *rules, const embedded_file *files,
                    tuning *t)
{
    tuning all = {0};
    reading g = {.c = c, .rules = rules, .r = r, .t = &all, .base.kind = -1, .best.kind = -1};
    status s = STATUS_OK;
    for (const embedded_file *f = files; f->name && !s; f++)
        if (is_record(f)) s = read_text(&g, f->data, f->name);
    if (!s) s = chosen(c, t, &all, &g.base);
    if (!s) s = chosen(c, t, &all, &g.best);
    t->own = t->count;
    memory_delete(&all.values);
    return s;
}

/* ---- the user's record ---- */

/* tuning/NAME-HASH.ini: letters and digits of the device's name to read, a hash of all that a shape's speed hangs on.
 */
static status own_path(context *c, const device_record *r, char *path)
{
    char folder[FILES_PATH], key[HASH_TEXT], text[1024], name[49];
    size_t n = 0;
    for (const char *p = r->name; *p && n < sizeof name - 1; p++) {
        const bool plain =
            (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '.';
        if (plain || (n && name[n - 1] != '-')) name[n++] = plain ? *p : '-';
    }
    name[n] = 0;
    snprintf(text, sizeof text, "%s|%s|%s|%d%d|%d|%d|%zu", r->platform_name, r->name, r->driver, r->is_cpu, r->is_gpu,
             r->native_vector, r->compute_units, r->max_work_group);
    hash_bytes(text, strlen(text), key);
    const status s = files_own_folder(c, folder);
    return s ? s : files_path(c, path, "%s/tuning/%s-%.12s.ini", folder, name, key);
}

static status read_own(context *c, const device_record *r, const tuning_rules *rules, tuning *t)
{
    char *text = NULL;
    size_t size = 0;
    tuning all = {0};
    reading g = {
        .c = c, .rules = rules, .r = r, .user = true, .t = &all, .base.kind = -1, .best.kind = -1, .now.kind = -1};
    if (!t->path[0] || !files_exists(t->path)) return STATUS_OK;
    status s = files_read(c, t->path, &text, &size);
    if (!s && strlen(text) != size) s = context_fail(c, STATUS_DATA, "%s: holds zero bytes", t->path);
    if (!s) s = read_text(&g, text, t->path);
    if (!s && g.schema && g.schema != rules->schema) {
        log_warning(c, "%s: made by another version of the program, and not used; tune again: cosmocl tune", t->path);
        goto out;
    }
    if (!s && (!g.schema || g.best.kind < 0))
        s = context_fail(c, STATUS_DATA, "%s: no record of this device is in it", t->path);
    if (!s) s = chosen(c, t, &all, &g.best);
    if (!s) snprintf(t->matched, sizeof t->matched, "user %s", t->path);
    if (s == STATUS_DATA) context_fail(c, s, "%s; remove the file, or make it anew: cosmocl tune", context_message(c));
out:
    memory_delete(&text);
    memory_delete(&all.values);
    return s;
}

status tuning_own_empty(context *c, const device_record *r, const char *path, tuning **out)
{
    tuning *t = NULL;
    *out = NULL;
    status s = memory_new(c, "tuning records", 1, sizeof *t, &t);
    if (!s) s = path ? files_path(c, t->path, "%s", path) : own_path(c, r, t->path);
    if (!s) *out = t, t = NULL;
    tuning_delete(&t);
    return s;
}

status tuning_own_new(context *c, const device_record *r, const tuning_rules *rules, const char *path, tuning **out)
{
    status s = tuning_own_empty(c, r, path, out);
    if (!s) s = read_own(c, r, rules, *out);
    if (s) tuning_delete(out);
    return s;
}

status tuning_new(context *c, const device_record *r, const tuning_rules *rules, tuning **out)
{
    tuning *t = NULL;
    *out = NULL;
    status s = memory_new(c, "tuning records", 1, sizeof *t, &t);
    if (!s) s = tuning_match(c, r, rules, embedded_files, t);
    if (!s && own_path(c, r, t->path)) {
        t->path[0] = 0;
        log_debug(c, "no tuning record of one's own: %s", context_message(c));
    }
    if (!s) s = read_own(c, r, rules, t);
    if (!s) *out = t, t = NULL;
    tuning_delete(&t);
    return s;
}

void tuning_delete(tuning **t)
{
    if (!*t) return;
    memory_delete(&(*t)->values);
    memory_delete(t);
}

status device_tuning(context *c, device *d, const tuning_rules *rules, const tuning **out)
{
    const status s = d->tuning ? STATUS_OK : tuning_new(c, &d->record, rules, &d->tuning);
    if (!s) *out = d->tuning;
    return s;
}

static tuning_value *own_find(const tuning *t, const char *layer, const char *name)
{
    for (int i = t->own; i < t->count; i++)
        if (!strcmp(t->values[i].layer, layer) && !strcmp(t->values[i].name, name)) return &t->values[i];
    return NULL;
}

int tuning_own_value(const tuning *t, const char *layer, const char *name, int otherwise)
{
    const tuning_value *v = own_find(t, layer, name);
    return v ? v->value : otherwise;
}

status tuning_put(context *c, tuning *t, const char *layer, const char *name, int value)
{
    tuning_value *old = own_find(t, layer, name), v = {.value = value, .origin = t->path};
    if (old) {
        old->value = value;
        return STATUS_OK;
    }
    snprintf(v.layer, sizeof v.layer, "%s", layer);
    snprintf(v.name, sizeof v.name, "%s", name);
    return value_add(c, t, &v);
}

void tuning_drop(tuning *t, const char *layer)
{
    int kept = t->own;
    for (int i = t->own; i < t->count; i++)
        if (strcmp(t->values[i].layer, layer)) t->values[kept++] = t->values[i];
    t->count = kept;
}

typedef struct {
    char *text;
    size_t used, room;
} writing;

static status append(context *c, writing *w, const char *format, ...) __attribute__((format(printf, 3, 4)));
static status append(context *c, writing *w, const char *format, ...)
{
    va_list arguments;
    if (w->room - w->used < 1024) {
        const size_t room = 2 * w->room + 4096;
        const status s = memory_grow(c, "tuning record", w->room, room, 1, &w->text);
        if (s) return s;
        w->room = room;
    }
    va_start(arguments, format);
    const int n = vsnprintf(w->text + w->used, w->room - w->used, format, arguments);
    va_end(arguments);
    w->used += n > 0 && (size_t)n < w->room - w->used ? (size_t)n : 0;
    return STATUS_OK;
}

/* A name as a pattern of itself. */
static void escape(const char *name, char *text, size_t size)
{
    size_t n = 0;
    for (; *name && n + 2 < size; name++) {
        if (strchr("*?[]\\", *name)) text[n++] = '\\';
        text[n++] = *name;
    }
    text[n] = 0;
}

static status append_pattern(context *c, writing *w, const char *key, const char *name)
{
    char text[300];
    escape(name, text, sizeof text);
    return name[0] ? append(c, w, "%s = %s\n", key, text) : STATUS_OK;
}

/* Values of a layer (of the device for "") that are not yet written, in the order in which they were put. */
static status append_layer(context *c, writing *w, const tuning *t, const char *layer)
{
    status s = layer[0] ? append(c, w, "\n[%s]\n", layer) : STATUS_OK;
    for (int i = t->own; i < t->count && !s; i++)
        if (!strcmp(t->values[i].layer, layer)) s = append(c, w, "%s = %d\n", t->values[i].name, t->values[i].value);
    return s;
}

status tuning_save(context *c, const tuning *t, const device_record *r, const tuning_rules *rules)
{
    writing w = {0};
    char name[INI_SECTION - 16], folder[FILES_PATH];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(r->name, "[]"), r->name);
    status s = append(c, &w,
                      "; Kernel shapes that `cosmocl tune` found for this device. Remove the file to forget them.\n"
                      "[device %s]\nschema = %d\n",
                      name, rules->schema);
    if (!s) s = append_pattern(c, &w, "platform", r->platform_name);
    if (!s) s = append_pattern(c, &w, "device", r->name);
    if (!s) s = append_pattern(c, &w, "driver", r->driver);
    if (!s) s = append_layer(c, &w, t, "");
    for (int i = t->own; i < t->count && !s; i++) {
        int first = t->own;
        while (strcmp(t->values[first].layer, t->values[i].layer)) first++;
        if (first == i && t->values[i].layer[0]) s = append_layer(c, &w, t, t->values[i].layer);
    }
    if (!s) s = files_path(c, folder, "%s", t->path);
    char *slash = s ? NULL : strrchr(folder, '/');
    if (slash && slash > folder) {
        *slash = 0;
        s = files_make_folder(c, folder);
    }
    if (!s) s = files_replace(c, t->path, w.text, w.used);
    memory_delete(&w.text);
    return s;
}
