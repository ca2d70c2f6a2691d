#include "ops/conv_tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/memory.h"
#include "device/workspace.h"
#include "ops/conv_internal.h"
#include "ops/ref/conv_ref.h"
#include "ops/selftest_checks.h"

enum { PAIRS = 7, PASSES = 2, TRIED = 256, FEW = 2 };
static const double SHORTEST_S = 4e-3; /* of a timing, which a clock and a scheduler can do */
static const double FASTER = .97, SLOWER = 1.08;

/* ---- what can be tried ---- */

/* The kernels that make a direction, as bits. */
enum {
    GATHER = 1,
    FILTERED = 2,
    NARROW = 4,
    WEIGHTS = 8,
    WEIGHTS_FILTERED = 16,
    WEIGHTS_NARROW = 32,
    CPU = 64,
    GPU = 128,
    DATA = GATHER | FILTERED
};

static int path_of(const conv_tune_layer *l)
{
    const conv_shape *s = &l->shape;
    const bool filtered = conv_algorithm_of(s) == CONV_WINOGRAD;
    if (l->direction == CONV_BACKWARD_WEIGHTS)
        return s->ci == 1 || s->co == 1 ? WEIGHTS_NARROW : filtered ? WEIGHTS_FILTERED : WEIGHTS;
    const bool forward = l->direction == CONV_FORWARD;
    if ((forward ? s->co : s->ci) == 1 || (forward && s->ci == 1)) return NARROW;
    return filtered ? FILTERED : GATHER;
}

static const struct {
    int paths;
    const char *name;
} names[] = {{~0, "vector"},
             {~0, "work_group"},
             {DATA | NARROW | WEIGHTS_NARROW, "registers"},
             {DATA | NARROW, "vectors"},
             {DATA, "unroll"},
             {GATHER, "tiles"},
             {GATHER, "group"},
             {FILTERED, "winograd_kib"},
             {NARROW, "narrow_rows"},
             {WEIGHTS | WEIGHTS_FILTERED, "weight_registers"},
             {WEIGHTS, "weight_vectors"},
             {WEIGHTS, "weight_ci"},
             {WEIGHTS, "weight_co"},
             {WEIGHTS, "weight_taps"},
             {WEIGHTS, "weight_pixels"},
             {WEIGHTS, "panels"},
             {WEIGHTS_FILTERED, "filtered_vectors"},
             {WEIGHTS_FILTERED, "filtered_ci"},
             {WEIGHTS_FILTERED, "filtered_co"},
             {WEIGHTS_FILTERED, "filtered_tiles"}};

const char *conv_tune_name(const conv_tune_layer *l, int n)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].paths & path_of(l) && n-- == 0) return names[i].name;
    return NULL;
}

/* Whole tiles first, since they decide most, then single values. Registers are vectors of sums: a tile of 4 × 5 wants
 * 20 of them and 5 more for operands. */
static const struct {
    int paths;
    const char *text;
} moves[] = {
    {CPU | DATA, "vector=16,vectors=4,registers=20"},
    {CPU | DATA, "vector=16,vectors=2,registers=20"},
    {CPU | DATA, "vector=16,vectors=2,registers=12"},
    {CPU | DATA, "vector=8,vectors=4,registers=20"},
    {CPU | DATA, "vector=8,vectors=2,registers=20"},
    {CPU | DATA, "vector=8,vectors=2,registers=12"},
    {CPU | DATA, "vector=8,vectors=3,registers=12"},
    {CPU | DATA, "vector=4,vectors=2,registers=12"},
    {GPU | DATA, "vectors=4,registers=16"},
    {GPU | DATA, "vectors=2,registers=16"},
    {GPU | DATA, "vectors=2,registers=4"},
    {GPU | DATA, "vectors=4,registers=32"},
    {GPU | DATA, "vector=1,vectors=1,registers=8"},
    {GPU | DATA, "vector=1,vectors=4,registers=16"},
    {GPU | DATA, "vector=2,vectors=2,registers=8"},
    {GPU | DATA, "vector=8,vectors=1,registers=4"},
    {CPU | DATA, "vectors=4,registers=12"},
    {CPU | DATA, "vectors=4,registers=16"},
    {CPU | DATA, "vectors=4,registers=24"},
    {CPU | DATA, "vectors=2,registers=16"},
    {CPU | DATA, "vectors=1,registers=8"},
    {CPU | FILTERED, "vectors=3,registers=24"},
    {DATA, "unroll=1"},
    {DATA, "unroll=2"},
    {DATA, "unroll=8"},
    {DATA, "unroll=16"},
    {FILTERED, "winograd_kib=1024"},
    {FILTERED, "winograd_kib=2048"},
    {FILTERED, "winograd_kib=4096"},
    {FILTERED, "winograd_kib=8192"},
    {FILTERED, "winograd_kib=32768"},
    {FILTERED, "winograd_kib=65536"},
    {CPU | GATHER, "tiles=4"},
    {CPU | GATHER, "tiles=64"},
    {GPU | GATHER, "tiles=2"},
    {GPU | GATHER, "tiles=4"},
    {GATHER, "group=1"},
    {GATHER, "group=25"},
    {NARROW, "vector=4"},
    {NARROW, "vector=8"},
    {CPU | NARROW, "vector=16"},
    {GPU | NARROW, "vector=1"},
    {NARROW, "narrow_rows=2"},
    {NARROW, "narrow_rows=4"},
    {NARROW, "narrow_rows=8"},
    {NARROW, "narrow_rows=16"},
    {NARROW, "vectors=1"},
    {NARROW, "vectors=2"},
    {NARROW, "vectors=4"},
    {CPU | WEIGHTS, "vector=8,weight_vectors=2,weight_registers=8"},
    {CPU | WEIGHTS, "vector=8,weight_vectors=2,weight_registers=16"},
    {CPU | WEIGHTS, "vector=16,weight_vectors=2,weight_registers=16"},
    {CPU | WEIGHTS, "vector=16,weight_vectors=4,weight_registers=16"},
    {WEIGHTS, "weight_vectors=1,weight_registers=4"},
    {WEIGHTS, "weight_vectors=1,weight_registers=8"},
    {WEIGHTS, "weight_vectors=2,weight_registers=8"},
    {WEIGHTS, "weight_vectors=2,weight_registers=16"},
    {CPU | WEIGHTS, "weight_ci=32"},
    {CPU | WEIGHTS, "weight_ci=64"},
    {CPU | WEIGHTS, "weight_co=32"},
    {CPU | WEIGHTS, "weight_co=128"},
    {CPU | WEIGHTS, "weight_pixels=32"},
    {CPU | WEIGHTS, "weight_pixels=128"},
    {CPU | WEIGHTS, "weight_pixels=512"},
    {GPU | WEIGHTS, "vector=1,weight_co=4,weight_ci=4,weight_registers=16,weight_vectors=4"},
    {GPU | WEIGHTS, "vector=2,weight_co=4,weight_ci=4,weight_registers=8,weight_vectors=2"},
    {GPU | WEIGHTS, "weight_ci=8,weight_registers=16"},
    {GPU | WEIGHTS, "weight_taps=5"},
    {CPU | WEIGHTS_FILTERED, "vector=8,filtered_vectors=2,weight_registers=8,filtered_ci=16,filtered_co=32"},
    {CPU | WEIGHTS_FILTERED, "vector=8,filtered_vectors=2,weight_registers=12,filtered_ci=16,filtered_co=64"},
    {CPU | WEIGHTS_FILTERED, "vector=8,filtered_vectors=4,weight_registers=16,filtered_ci=16,filtered_co=64"},
    {CPU | WEIGHTS_FILTERED, "vector=16,filtered_vectors=4,weight_registers=16,filtered_ci=16,filtered_co=128"},
    {CPU | WEIGHTS_FILTERED, "vector=16,filtered_vectors=2,weight_registers=16,filtered_ci=16,filtered_co=64"},
    {WEIGHTS_FILTERED, "weight_registers=4"},
    {WEIGHTS_FILTERED, "weight_registers=8"},
    {WEIGHTS_FILTERED, "weight_registers=16"},
    {WEIGHTS_FILTERED, "weight_registers=32"},
    {WEIGHTS_FILTERED, "filtered_vectors=1"},
    {CPU | WEIGHTS_FILTERED, "filtered_co=32"},
    {CPU | WEIGHTS_FILTERED, "filtered_co=64"},
    {CPU | WEIGHTS_FILTERED, "filtered_co=128"},
    {CPU | WEIGHTS_FILTERED, "filtered_co=256"},
    {CPU | WEIGHTS_FILTERED, "filtered_ci=8"},
    {CPU | WEIGHTS_FILTERED, "filtered_ci=32"},
    {CPU | WEIGHTS_FILTERED, "filtered_tiles=8"},
    {CPU | WEIGHTS_FILTERED, "filtered_tiles=12"},
    {CPU | WEIGHTS_FILTERED, "filtered_tiles=20"},
    {CPU | WEIGHTS_FILTERED, "filtered_tiles=32"},
    {GPU | WEIGHTS_FILTERED, "vector=1,filtered_co=4,weight_registers=16,filtered_vectors=4"},
    {GPU | WEIGHTS_FILTERED, "filtered_ci=8,weight_registers=16"},
    {GPU | WEIGHTS_FILTERED, "filtered_tiles=2"},
    {GPU | WEIGHTS_FILTERED, "filtered_tiles=8"},
    {WEIGHTS_NARROW, "vector=4"},
    {WEIGHTS_NARROW, "vector=8"},
    {CPU | WEIGHTS_NARROW, "vector=16"},
    {GPU | WEIGHTS_NARROW, "vector=1"},
    {WEIGHTS_NARROW, "registers=12"},
    {WEIGHTS_NARROW, "registers=20"},
    {GPU | DATA | NARROW | WEIGHTS | WEIGHTS_FILTERED | WEIGHTS_NARROW, "work_group=32"},
    {GPU | DATA | NARROW | WEIGHTS | WEIGHTS_FILTERED | WEIGHTS_NARROW, "work_group=128"},
    {GPU | DATA | NARROW | WEIGHTS | WEIGHTS_FILTERED | WEIGHTS_NARROW, "work_group=256"},
};
enum { MOVES = sizeof moves / sizeof *moves };

static bool move_suits(int i, const conv_tune_layer *l, const device_record *r)
{
    const int kinds = moves[i].paths & (CPU | GPU);
    return moves[i].paths & path_of(l) && (!kinds || kinds & (r->is_cpu ? CPU : GPU));
}

int conv_tune_moves(const conv_tune_layer *l, const device_record *r)
{
    int count = 0;
    for (int i = 0; i < MOVES; i++) count += move_suits(i, l, r);
    return count;
}

/* ---- the place where candidates run ---- */

typedef struct {
    context *c;
    device *d;
    const conv_tune_layer *l;
    selftest t; /* operands, and `want` for the first samples */
    conv_arrays a;
    buffer *out;
    size_t count, few_count;
    int n, few;
    double *want;
    float *got;
    char bits[HASH_TEXT]; /* of the device's own tiles */
} stand;

/* What COSMOCL_BREAK_TILE says of a candidate: 0 nothing, 1 falsify it, 2 one bit of it. */
static int breaks(const conv_tiles *t)
{
    char name[TUNING_NAME], how[8] = "";
    int value;
    const char *text = getenv("COSMOCL_BREAK_TILE");
    if (!text || sscanf(text, "%31[a-z_]=%d:%7s", name, &value, how) < 2) return 0;
    return conv_tuning_value(t, name) == value ? (how[0] ? 2 : 1) : 0;
}

static status run_once(const stand *g, conv_plan *p, int n)
{
    const batching b = n == g->l->b.n ? g->l->b : (batching){.n = n, .segment = n, .micro = 1};
    switch (g->l->direction) {
    case CONV_FORWARD:
        return conv_forward(g->c, p, n, g->a.bx, NULL, NULL, g->out);
    case CONV_BACKWARD_DATA:
        return conv_backward_data(g->c, p, n, g->a.by, NULL, NULL, g->out);
    default:
        return conv_backward_weights(g->c, p, &b, g->a.bx, g->a.by, g->out);
    }
}

static status run_and_read(stand *g, conv_plan *p, int n, size_t count)
{
    status s = buffer_fill_float(g->c, g->out, 0, sizeof(float) * g->count, NAN);
    if (!s) s = run_once(g, p, n);
    return s ? s : buffer_read(g->c, g->out, 0, g->got, sizeof(float) * count);
}

/* What is wrong with the plan's results; `why` stays empty when they are right. The first plan's set the bits. */
static status check(stand *g, conv_plan *p, const conv_tiles *tiles, char *why, size_t size)
{
    const double bound = selftest_conv_bound(&g->l->shape, g->l->direction, g->few);
    const int broken = breaks(tiles);
    char bits[HASH_TEXT];
    why[0] = 0;
    status s = run_and_read(g, p, g->few, g->few_count);
    if (s) return s;
    if (broken == 1) g->got[g->few_count / 2] += 1;
    const double error = selftest_error(g->got, g->want, g->few_count, .58);
    if (!(error <= bound)) {
        snprintf(why, size, "computes wrongly: error %.2g over the bound %.2g", error, bound);
        return STATUS_OK;
    }
    if ((s = run_and_read(g, p, g->n, g->count))) return s;
    if (broken == 2) ((unsigned char *)g->got)[0] ^= 1;
    hash_bytes(g->got, sizeof(float) * g->count, bits);
    if (!g->bits[0]) memcpy(g->bits, bits, sizeof bits);
    if (strcmp(g->bits, bits)) snprintf(why, size, "gives other bits than the device's own shape");
    return STATUS_OK;
}

static status stand_new(stand *g)
{
    const conv_shape *s = &g->l->shape;
    selftest *t = &g->t;
    selftest_begin(t, g->c, g->d);
    g->n = g->l->b.n, g->few = g->n < FEW ? g->n : FEW;
    g->a = selftest_conv_arrays(t, s, g->n);
    g->count = g->l->direction == CONV_FORWARD ? g->a.ny : g->l->direction == CONV_BACKWARD_DATA ? g->a.nx : g->a.nw;
    g->few_count = g->l->direction == CONV_BACKWARD_WEIGHTS ? g->count : g->count / (size_t)g->n * (size_t)g->few;
    g->out = selftest_output(t, "results", g->count);
    g->want = selftest_doubles(t, g->few_count);
    g->got = selftest_memory(t, g->count, sizeof *g->got);
    if (t->s) return t->s;
    if (g->l->direction == CONV_FORWARD)
        conv_ref_forward(s, g->few, g->a.x, g->a.w, NULL, g->want);
    else if (g->l->direction == CONV_BACKWARD_DATA)
        conv_ref_backward_data(s, g->few, g->a.y, g->a.w, NULL, g->want);
    else
        conv_ref_backward_weights(s, g->few, g->a.x, g->a.y, g->want);
    return STATUS_OK;
}

/* A plan with its weights packed. */
static status plan_new(stand *g, const conv_tiles *tiles, conv_plan **p)
{
    const int micros = batching_count(&g->l->b);
    status s = conv_plan_make(g->c, g->d, &g->l->shape, g->l->direction, g->n, micros < g->few ? g->few : micros, NULL,
                              tiles, p);
    if (!s) s = conv_pack(g->c, *p, g->a.bw);
    return s;
}

/* Whether two plans launch the same: then there is nothing to measure. */
static bool same_work(const conv_plan *a, const conv_plan *b, int direction)
{
    const conv_gather *f = direction == CONV_FORWARD ? &a->forward : &a->backward,
                      *g = direction == CONV_FORWARD ? &b->forward : &b->backward;
    const conv_weights *v = &a->weights, *w = &b->weights;
    if (direction == CONV_BACKWARD_WEIGHTS)
        return v->run == w->run && v->tree == w->tree && v->ci == w->ci && v->co == w->co && v->chunk == w->chunk &&
               v->chunk_rows == w->chunk_rows && a->weights_tiles.items == b->weights_tiles.items;
    return f->run == g->run && f->pack == g->pack && f->tiles.tiles == g->tiles.tiles &&
           f->tiles.group == g->tiles.group && f->winograd.products == g->winograd.products &&
           f->winograd.windows == g->winograd.windows && f->winograd.results == g->winograd.results &&
           f->winograd.chunk == g->winograd.chunk;
}

/* ---- time ---- */

static status time_runs(stand *g, conv_plan *p, int repeats, double *seconds)
{
    const double begun = clock_seconds();
    status s = STATUS_OK;
    for (int i = 0; i < repeats && !s; i++) s = run_once(g, p, g->n);
    if (!s) s = device_finish(g->c, g->d);
    *seconds = (clock_seconds() - begun) / repeats;
    return s;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* *ratio: the median time of b over that of a, of runs in turns, so that what else the machine does meets both.
 * *seconds (may be NULL): of a and b. Ends early where b is clearly slower. */
static status compare(stand *g, conv_plan *a, conv_plan *b, bool whole, double *ratio, double seconds[2])
{
    double first = 0, ratios[PAIRS], times[2][PAIRS];
    int n = 0;
    status s = time_runs(g, a, 1, &first);
    const int repeats = first < SHORTEST_S ? (int)(SHORTEST_S / (first + 1e-7)) + 1 : 1;
    for (; n < PAIRS && !s; n++) {
        s = time_runs(g, n % 2 ? b : a, repeats, &times[n % 2][n]);
        if (!s) s = time_runs(g, n % 2 ? a : b, repeats, &times[1 - n % 2][n]);
        if (s) return s;
        ratios[n] = times[1][n] / times[0][n];
        if (!whole && n >= 1 && ratios[n] > SLOWER && ratios[n - 1] > SLOWER) {
            n++;
            break;
        }
    }
    if (s) return s;
    for (int i = 0; i < 2; i++) seconds[i] = median(times[i], n); /* sorts them */
    *ratio = fmax(median(ratios, n), times[1][0] / times[0][0]);
    return STATUS_OK;
}

/* ---- the search ---- */

typedef struct {
    stand g;
    const conv_tune_listener *who;
    conv_tune_result *r;
    conv_plan *base, *best;
    conv_tiles tried[TRIED];
    int tried_count;
} search;

static bool tried_before(search *t, const conv_tiles *tiles)
{
    for (int i = 0; i < t->tried_count; i++)
        if (!memcmp(&t->tried[i], tiles, sizeof *tiles)) return true;
    if (t->tried_count < TRIED) t->tried[t->tried_count++] = *tiles;
    return false;
}

/* A plan that fails is a candidate less; a device that is lost is the end. */
static status failure(search *t, status s, char *why, size_t size)
{
    if (s != STATUS_DEVICE && s != STATUS_MEMORY && s != STATUS_USAGE) return s;
    snprintf(why, size, "does not run: %s", context_message(t->g.c));
    if (s == STATUS_DEVICE && device_finish(t->g.c, t->g.d)) return context_fail(t->g.c, s, "%s", why);
    return STATUS_OK;
}

static status try_move(search *t, const char *text, const conv_tiles *tiles)
{
    conv_plan *p = NULL;
    double ratio = 1, seconds[2];
    char why[512] = "";
    stand *g = &t->g;
    t->r->tried++;
    status s = plan_new(g, tiles, &p);
    if (!s && same_work(p, t->best, g->l->direction)) goto out;
    if (!s) s = check(g, p, tiles, why, sizeof why);
    if (!s && !why[0]) s = compare(g, t->best, p, false, &ratio, seconds);
    if (s) s = failure(t, s, why, sizeof why);
    if (s) goto out;
    if (why[0]) {
        t->r->rejected++;
        s = t->who->rejected(t->who->user, text, why);
    } else if (ratio < FASTER) {
        conv_plan *old = t->best;
        t->best = p;
        p = old == t->base ? NULL : old;
        t->r->tiles = *tiles;
        t->r->after_s *= ratio; /* both times drift with what else the machine does */
        s = t->who->better(t->who->user, t->r);
    }
    if (!s) s = t->who->tried(t->who->user, t->r);
out:
    conv_plan_delete(&p);
    return s;
}

/* A second pass, with the tile that the first one found, where it found any. */
static status walk(search *t, double until_s)
{
    context *c = t->g.c;
    conv_tune_result *r = t->r;
    status s = STATUS_OK;
    for (; r->next < PASSES * MOVES && !s; r->next++) {
        const int i = r->next % MOVES;
        conv_tiles tiles = r->tiles;
        if (i == 0 && r->next && t->best == t->base) break;
        if (!move_suits(i, t->g.l, device_info(t->g.d))) continue;
        if (context_stop_requested(c) || clock_seconds() > until_s) return STATUS_OK;
        s = conv_tuning_set(c, &tiles, "tune", moves[i].text);
        if (!s && !tried_before(t, &tiles)) s = try_move(t, moves[i].text, &tiles);
    }
    r->finished = !s;
    return s;
}

/* What the device's own tiles and those to begin with take; both must be right. */
static status begin(search *t, const conv_tiles *base)
{
    char why[512] = "";
    stand *g = &t->g;
    double ratio, seconds[2];
    status s = stand_new(g);
    if (!s) s = plan_new(g, base, &t->base);
    if (!s) s = check(g, t->base, base, why, sizeof why);
    if (!s && why[0])
        return context_fail(g->c, STATUS_SELFTEST, "the device's own shape %s; cosmocl selftest says more", why);
    t->best = t->base;
    tried_before(t, base);
    if (!s && memcmp(base, &t->r->tiles, sizeof *base)) {
        t->best = NULL;
        s = plan_new(g, &t->r->tiles, &t->best);
        if (!s) s = check(g, t->best, &t->r->tiles, why, sizeof why);
        if (s) s = failure(t, s, why, sizeof why);
        if (!s && why[0]) { /* what the record says is not to be used: begin again */
            s = t->who->rejected(t->who->user, "as recorded", why);
            conv_plan_delete(&t->best);
            t->best = t->base;
            t->r->tiles = *base;
        }
        tried_before(t, &t->r->tiles);
    }
    if (!s) s = compare(g, t->base, t->best, true, &ratio, seconds);
    if (!s) t->r->before_s = seconds[0], t->r->after_s = seconds[1];
    return s;
}

/* The final word, of runs in turns: what is not faster after all is given up. */
static status conclude(search *t, const conv_tiles *base)
{
    double ratio = 1, seconds[2];
    const status s = compare(&t->g, t->base, t->best, true, &ratio, seconds);
    if (s) return s;
    t->r->before_s = seconds[0], t->r->after_s = seconds[0] * fmin(ratio, 1);
    if (t->best == t->base || ratio > FASTER) {
        t->r->tiles = *base;
        t->r->after_s = t->r->before_s;
    }
    return STATUS_OK;
}

status conv_tune(context *c, device *d, const conv_tune_layer *l, const conv_tiles *base, double until_s,
                 const conv_tune_listener *who, conv_tune_result *r)
{
    search *t = NULL;
    status s = memory_new(c, "search for kernel shapes", 1, sizeof *t, &t);
    if (s) return s;
    t->g = (stand){.c = c, .d = d, .l = l};
    t->who = who;
    t->r = r;
    r->finished = false;
    s = begin(t, base);
    if (!s) s = walk(t, until_s);
    if (!s) s = conclude(t, base);
    if (!s) s = who->better(who->user, r);
    /* Asked to stop while a kernel was built: what was better is kept already. */
    if (s == STATUS_INTERRUPTED && context_stop_requested(c)) s = STATUS_OK;
    if (t->best != t->base) conv_plan_delete(&t->best);
    conv_plan_delete(&t->base);
    selftest_end(&t->g.t);
    workspace_delete(d);
    memory_delete(&t);
    return s;
}
