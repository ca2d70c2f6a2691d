/* cosmocl tune: the fastest kernel shapes of this device for the layers of the configuration's networks, into a record
 * of the user's that every later command finds (device/tuning.h). Results keep their bits. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/progress.h"
#include "bench/bench.h"
#include "commands/ready.h"
#include "nets/gan.h"
#include "ops/conv_tune.h"

typedef struct {
    conv_tune_layer l;
    char name[TUNING_LAYER];
    conv_tiles base;
    conv_tune_result r;
    int moves;
    bool known; /* finished in an earlier run */
} item;

typedef struct {
    context *c;
    const command_line *line;
    device *d;
    tuning *own;
    item *items;
    int count, capacity;
    item *now;
    progress progress;
    json_t *rejected;
} tuner;

/* ---- the layers ---- */

static double work(const conv_shape *s)
{
    return (double)s->oh * s->ow * s->kernel * s->kernel * s->ci * s->co;
}

static int by_work(const void *a, const void *b)
{
    const item *x = a, *y = b;
    const double p = work(&x->l.shape), q = work(&y->l.shape);
    return p != q ? (p < q) - (p > q) : strcmp(x->name, y->name);
}

static status add_item(tuner *t, const conv_shape *s, int direction, const batching *b)
{
    item new = {.l = {*s, direction, *b}};
    conv_tuning_name(s, direction, new.name);
    const char *wanted = command_flag(t->line, "layers");
    if (wanted && !strstr(new.name, wanted)) return STATUS_OK;
    for (int i = 0; i < t->count; i++)
        if (!strcmp(t->items[i].name, new.name)) return STATUS_OK; /* the networks mirror each other */
    if (t->count == t->capacity) {
        const int capacity = 2 * t->capacity + 16;
        const status e =
            memory_grow(t->c, "layers", (size_t)t->capacity, (size_t)capacity, sizeof *t->items, &t->items);
        if (e) return e;
        t->capacity = capacity;
    }
    t->items[t->count++] = new;
    return STATUS_OK;
}

/* What one network runs on a batch. */
static status add_network(tuner *t, device *sizes, network_kind kind, const network_shape *s, const batching *b)
{
    network *n = NULL;
    status e = network_new(t->c, sizes, kind, s, b, true, &n);
    for (int i = 0; n && i < n->count && !e; i++) {
        const layer *l = &n->layers[i];
        if (!l->conv_plan) continue;
        e = add_item(t, &l->conv, CONV_FORWARD, b);
        if (!e) e = add_item(t, &l->conv, CONV_BACKWARD_DATA, b);
        if (!e) e = add_item(t, &l->conv, CONV_BACKWARD_WEIGHTS, b);
    }
    network_delete(&n);
    return e;
}

static status list_layers(tuner *t, device *sizes)
{
    gan_options o;
    network_shape s;
    status e = gan_options_read(t->c, t->line->cfg, &o);
    if (!e) e = network_shape_read(t->c, t->line->cfg, bench_image_side(t->line->cfg), &s);
    if (!e && s.algorithm == CONV_CLBLAST)
        e = context_fail(
            t->c, STATUS_USAGE,
            "network.algorithm=clblast: the kernels are CLBlast's, which has tuners of its own; take auto, "
            "direct or winograd");
    const batching b = {.n = e ? 1 : o.batch, .segment = e ? 1 : o.batch, .micro = e ? 1 : o.micro_batch};
    for (int kind = NETWORK_GENERATOR; kind <= NETWORK_ENCODER && !e; kind++)
        e = add_network(t, sizes, (network_kind)kind, &s, &b);
    if (!e && !t->count)
        return context_fail(t->c, STATUS_USAGE,
                            "--layers %s: is in no layer's name; cosmocl tune --minutes 0 lists them",
                            command_flag(t->line, "layers"));
    if (!e) qsort(t->items, (size_t)t->count, sizeof *t->items, by_work);
    return e;
}

/* ---- the record ---- */

/* A damaged record is made anew, as its error says. It is written at once, so that a folder where nothing can be
 * written is known before the work. */
static status record_open(tuner *t, const device *sizes)
{
    const device_record *r = device_info(sizes);
    status s = tuning_own_new(t->c, r, &conv_tuning_rules, t->line->out, &t->own);
    if (s == STATUS_DATA) {
        log_warning(t->c, "%s; it is made anew now", context_message(t->c));
        s = tuning_own_empty(t->c, r, t->line->out, &t->own);
    }
    if (!s && t->line->force)
        while (t->own->count > t->own->own && t->own->values[t->own->count - 1].layer[0])
            tuning_drop(t->own, t->own->values[t->own->count - 1].layer);
    return s ? s : tuning_save(t->c, t->own, r, &conv_tuning_rules);
}

/* What the record has of a layer: its shape, and whether nothing is left to try. */
static status recall(tuner *t, item *i)
{
    status s = conv_tuning_layer(t->c, t->d, &i->l.shape, i->l.direction, false, &i->base);
    i->r.tiles = i->base;
    i->moves = conv_tune_moves(&i->l, device_info(t->d));
    if (s) return s;
    for (int n = 0; conv_tune_name(&i->l, n) && !s; n++) {
        char text[64];
        const char *name = conv_tune_name(&i->l, n);
        const int value = tuning_own_value(t->own, i->name, name, -1);
        if (value < 0) continue;
        snprintf(text, sizeof text, "%s=%d", name, value);
        s = conv_tuning_set(t->c, &i->r.tiles, t->own->path, text);
    }
    i->known = tuning_own_value(t->own, i->name, "finished", 0) == 1;
    i->r.before_s = 1e-6 * tuning_own_value(t->own, i->name, "before_us", 0);
    i->r.after_s = 1e-6 * tuning_own_value(t->own, i->name, "after_us", 0);
    i->r.tried = tuning_own_value(t->own, i->name, "tried", 0);
    i->r.next = tuning_own_value(t->own, i->name, "next", 0);
    return s;
}

static status keep(void *user, const conv_tune_result *r)
{
    tuner *t = user;
    const item *i = t->now;
    status s = STATUS_OK;
    for (int n = 0; conv_tune_name(&i->l, n) && !s; n++) {
        const char *name = conv_tune_name(&i->l, n);
        s = tuning_put(t->c, t->own, i->name, name, conv_tuning_value(&r->tiles, name));
    }
    if (!s) s = tuning_put(t->c, t->own, i->name, "before_us", (int)lrint(1e6 * r->before_s));
    if (!s) s = tuning_put(t->c, t->own, i->name, "after_us", (int)lrint(1e6 * r->after_s));
    if (!s) s = tuning_put(t->c, t->own, i->name, "tried", r->tried);
    if (!s) s = tuning_put(t->c, t->own, i->name, "next", r->next);
    if (!s) s = tuning_put(t->c, t->own, i->name, "finished", r->finished);
    return s ? s : tuning_save(t->c, t->own, device_info(t->d), &conv_tuning_rules);
}

/* ---- the work ---- */

static status note_tried(void *user, const conv_tune_result *r)
{
    tuner *t = user;
    int64_t done = 0;
    for (int i = 0; i < t->count; i++) {
        const item *n = &t->items[i];
        if (!n->known) done += n->r.finished || n->r.tried > n->moves ? n->moves : n->r.tried;
    }
    progress_update(&t->progress, done, "%s: %.2f ms, was %.2f", t->now->name, 1e3 * r->after_s, 1e3 * r->before_s);
    return STATUS_OK;
}

static status note_rejected(void *user, const char *tiles, const char *why)
{
    tuner *t = user;
    log_info(t->c, "%s: %s is rejected: %s", t->now->name, tiles, why);
    json_array_append_new(t->rejected, json_pack("{s:s, s:s, s:s}", "layer", t->now->name, "tiles", tiles, "why", why));
    return STATUS_OK;
}

static int unfinished(const tuner *t)
{
    int n = 0;
    for (int i = 0; i < t->count; i++) n += !t->items[i].known && !t->items[i].r.finished;
    return n;
}

/* One after the other, each with twice its share of the time that is left: some need less. */
static status tune_round(tuner *t, double end_s)
{
    const conv_tune_listener who = {note_tried, keep, note_rejected, t};
    status s = STATUS_OK;
    int left = unfinished(t);
    for (int i = 0; i < t->count && !s && !context_stop_requested(t->c); i++) {
        item *n = t->now = &t->items[i];
        const double now = clock_seconds(), share = 2 * (end_s - now) / (left > 0 ? left : 1);
        if (n->known || n->r.finished) continue;
        if (now > end_s) break;
        const double until_s = now + share < end_s ? now + share : end_s;
        s = conv_tune(t->c, t->d, &n->l, &n->base, until_s, &who, &n->r);
        s = context_prefix(t->c, s, "%s", n->name);
        left--;
    }
    return s;
}

static status tune_all(tuner *t, double minutes)
{
    const double end_s = clock_seconds() + 60 * minutes;
    int64_t total = 0;
    status s = STATUS_OK;
    for (int i = 0; i < t->count && !s; i++) {
        s = recall(t, &t->items[i]);
        total += t->items[i].known ? 0 : t->items[i].moves;
    }
    if (s || !total || minutes <= 0) return s;
    progress_begin(&t->progress, t->c, "tune", "shapes", 0, total);
    while (!s && unfinished(t) && clock_seconds() < end_s && !context_stop_requested(t->c)) s = tune_round(t, end_s);
    progress_end(&t->progress);
    return s;
}

/* ---- what came of it ---- */

static double gain(const conv_tune_result *r)
{
    return r->after_s > 0 ? r->before_s / r->after_s : 1;
}

static void tiles_text(const item *i, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int n = 0; conv_tune_name(&i->l, n) && used < size; n++) {
        const char *name = conv_tune_name(&i->l, n);
        const int value = conv_tuning_value(&i->r.tiles, name);
        if (value != conv_tuning_value(&i->base, name))
            used += (size_t)snprintf(text + used, size - used, "%s%s=%d", used ? "," : "", name, value);
    }
}

static void print_table(const tuner *t)
{
    char text[512];
    double before = 0, after = 0;
    printf("%-64s %10s %10s %6s  %s\n", "layer", "before ms", "after ms", "gain", "tiles");
    for (int i = 0; i < t->count; i++) {
        const item *n = &t->items[i];
        before += n->r.before_s, after += n->r.after_s;
        tiles_text(n, text, sizeof text);
        if (n->r.before_s > 0)
            printf("%-64s %10.2f %10.2f %6.2f  %s\n", n->name, 1e3 * n->r.before_s, 1e3 * n->r.after_s, gain(&n->r),
                   text[0] ? text : "-");
        else
            printf("%-64s %10s %10s %6s  not tried\n", n->name, "", "", "");
    }
    printf("%-64s %10.2f %10.2f %6.2f\n", "all", 1e3 * before, 1e3 * after, after > 0 ? before / after : 1);
    printf("record: %s\n", t->own->path);
    if (unfinished(t))
        printf("%d of %d layers have shapes left to try; the same command goes on\n", unfinished(t), t->count);
}

static status print_json(tuner *t)
{
    json_t *rows = json_array();
    for (int i = 0; i < t->count; i++) {
        const item *n = &t->items[i];
        json_t *tiles = json_object();
        for (int k = 0; conv_tune_name(&n->l, k); k++) {
            const char *name = conv_tune_name(&n->l, k);
            json_object_set_new(tiles, name, json_integer(conv_tuning_value(&n->r.tiles, name)));
        }
        json_array_append_new(rows, json_pack("{s:s, s:f, s:f, s:f, s:i, s:b, s:o}", "layer", n->name, "before_s",
                                              n->r.before_s, "after_s", n->r.after_s, "gain", gain(&n->r), "tried",
                                              n->r.tried, "finished", n->known || n->r.finished, "tiles", tiles));
    }
    const device_record *r = device_info(t->d);
    return common_print_json(t->c,
                             json_pack("{s:i, s:s, s:s, s:s, s:o, s:O}", "schema", 1, "device", r->name, "driver",
                                       r->driver, "record", t->own->path, "layers", rows, "rejected", t->rejected),
                             JSON_INDENT(1));
}

static status prepare(tuner *t, provenance *origin)
{
    device *sizes = NULL;
    const device_options o = {.spec = t->line->device, .sizes_only = true};
    const char *override = getenv("COSMOCL_CONV_TILE");
    if (override && *override)
        return context_fail(t->c, STATUS_USAGE, "COSMOCL_CONV_TILE overrides what would be tuned; unset it first");
    status s = device_open(t->c, &o, &sizes);
    if (!s) s = record_open(t, sizes);
    if (!s) s = list_layers(t, sizes);
    device_delete(&sizes);
    return s ? s : ready_device(t->c, t->line, origin, &t->d);
}

status command_tune(context *c, const command_line *line)
{
    tuner t = {.c = c, .line = line, .rejected = json_array()};
    provenance origin = {0};
    double minutes = 0;
    status s = command_flag_real(c, line, "minutes", 0, 1e6, &minutes);
    if (!s) s = prepare(&t, &origin);
    if (!s) s = tune_all(&t, minutes);
    if (!s && context_stop_requested(c))
        s = context_fail(c, STATUS_STOPPED, "stopped; what was found is kept, and the same command goes on");
    if (!s && line->json) s = print_json(&t);
    if (!s && !line->json) print_table(&t);
    json_decref(t.rejected);
    memory_delete(&t.items);
    tuning_delete(&t.own);
    device_delete(&t.d);
    provenance_delete(&origin);
    return s;
}
