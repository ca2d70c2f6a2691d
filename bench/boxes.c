/* Simulation, density maps and the Fourier transforms below them. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "maps/dtfe.h"
#include "maps/from_snapshots.h"
#include "maps/queue.h"
#include "ops/fft.h"
#include "ops/random.h"
#include "sim/simulation.h"

enum { STEPS = 20 };

static status mark(context *c, void *user, int index, snapshot *s)
{
    double *at = user;
    (void)c, (void)s;
    at[index] = clock_seconds();
    return STATUS_OK;
}

/* A step is a share of the time between the snapshots at the start and at the end of a box (one reading of the
 * particles included), so that initial conditions and building do not count. */
status bench_simulate(bench *b)
{
    simulation_options o;
    simulation *box = NULL;
    double *seconds = NULL, at[2] = {0};
    char name[96];
    status s = simulation_options_read(b->c, b->cfg, &o);
    if (!s) {
        o.redshift[1] = o.redshift[o.redshifts - 1];
        o.redshift[0] = 1 / o.a_start - 1;
        o.redshifts = 2;
        o.steps = STEPS;
        s = simulation_new(b->c, b->d, &o, 0, &box);
    }
    if (!s) s = memory_new(b->c, "times", (size_t)b->repeat, sizeof *seconds, &seconds);
    if (!s) s = simulation_run_box(b->c, box, 0, NULL, mark, at); /* builds, plans */
    for (int i = 0; i < b->repeat && !s; i++) {
        s = simulation_run_box(b->c, box, 0, NULL, mark, at);
        seconds[i] = (at[1] - at[0]) / STEPS;
    }
    simulation_delete(&box);
    snprintf(name, sizeof name, "simulate step %d^%d particles, mesh %d", s ? 0 : o.particles, s ? 0 : o.spectrum.dims,
             s ? 0 : o.mesh);
    bench_item item = {
        .name = name, .validated = true, .max_error = NAN, .samples = s ? 0 : pow(o.particles, o.spectrum.dims)};
    if (!s) s = bench_record(b, &item, b->repeat, seconds);
    memory_delete(&seconds);
    return s;
}

/* ---- maps */

typedef struct {
    simulation *simulation;
    double *positions;
    int64_t count;
    double box;
    int pixels;
    float *values;
    dtfe_queue *queue;
    int64_t slot;
} boxes;

enum { BOXES = 4 };

static status keep(context *c, void *user, int index, snapshot *s)
{
    boxes *t = user;
    (void)c, (void)index;
    memory_delete(&t->positions);
    t->positions = s->positions;
    s->positions = NULL;
    t->count = s->count;
    return STATUS_OK;
}

static status push(context *c, void *user, int index, snapshot *s)
{
    boxes *t = user;
    (void)index;
    return dtfe_queue_push(c, t->queue, &s->positions, s->count, s->box_mpc_h, t->slot++);
}

static status map_once(context *c, void *user)
{
    boxes *t = user;
    return dtfe_map(c, t->positions, NULL, t->count, t->box, t->pixels, t->values);
}

static status boxes_once(context *c, void *user)
{
    boxes *t = user;
    const dtfe_ensemble plain = {.members = 1};
    t->slot = 0;
    status s = dtfe_queue_new(c, 0, t->pixels, &plain, t->values, &t->queue);
    for (uint32_t i = 0; i < BOXES && !s; i++) s = simulation_run_box(c, t->simulation, i, NULL, push, t);
    if (!s) s = dtfe_queue_finish(c, t->queue);
    dtfe_queue_delete(&t->queue);
    return s;
}

status bench_maps(bench *b)
{
    simulation_options o;
    boxes t = {0};
    char name[96];
    status s = simulation_options_read(b->c, b->cfg, &o);
    if (!s && o.spectrum.dims != 2) s = context_fail(b->c, STATUS_USAGE, "bench maps: DTFE maps are made of 2D boxes");
    if (!s) s = simulation_new(b->c, b->d, &o, 0, &t.simulation);
    if (!s) s = simulation_run_box(b->c, t.simulation, 0, NULL, keep, &t);
    if (!s) s = maps_pixels(b->c, (int)config_integer(b->cfg, "maps.pixels"), t.count, &t.pixels);
    if (!s) s = memory_new(b->c, "maps", (size_t)BOXES * t.pixels * t.pixels, sizeof(float), &t.values);
    t.box = s ? 0 : o.box_mpc_h;
    snprintf(name, sizeof name, "DTFE %lld particles to %d^2 pixels, one core", (long long)t.count, t.pixels);
    bench_item one = {.name = name, .once = map_once, .user = &t, .samples = 1, .validated = true, .max_error = NAN};
    if (!s) s = bench_measure(b, &one);
    snprintf(name, sizeof name, "%d boxes of %d^2, %d steps, from start to map", BOXES, s ? 0 : o.particles,
             s ? 0 : o.steps);
    bench_item all = {
        .name = name, .once = boxes_once, .user = &t, .samples = BOXES, .validated = true, .max_error = NAN};
    if (!s) s = bench_measure(b, &all);
    memory_delete(&t.positions);
    memory_delete(&t.values);
    simulation_delete(&t.simulation);
    return s;
}

/* ---- transforms */

typedef struct {
    device *d;
    fft_plan *plan;
    buffer *real, *complex;
} transforms;

static status pair_once(context *c, void *user)
{
    transforms *t = user;
    status s = fft_forward(c, t->plan, t->real, t->complex);
    if (!s) s = fft_inverse(c, t->plan, t->complex, t->real);
    return s ? s : device_finish(c, t->d);
}

static status measure_pair(bench *b, int dims, int n, int batch)
{
    const int size[3] = {n, n, n};
    size_t real = (size_t)batch * (size_t)pow(n, dims),
           complex = (size_t)batch * (size_t)pow(n, dims - 1) * (n / 2 + 1);
    transforms t = {.d = b->d};
    char name[64];
    status s = fft_plan_new(b->c, b->d, dims, size, batch, &t.plan);
    if (!s) s = buffer_new(b->c, b->d, "real", real * sizeof(float), &t.real);
    if (!s) s = buffer_new(b->c, b->d, "complex", 2 * complex * sizeof(float), &t.complex);
    if (!s) s = buffer_zero(b->c, t.real);
    snprintf(name, sizeof name, "fft pair %d x %d^%d", batch, n, dims);
    bench_item item = {.name = name,
                       .once = pair_once,
                       .user = &t,
                       .samples = batch,
                       .validated = true,
                       .max_error = NAN,
                       .flops = 5.0 * (double)real * log2(pow(n, dims))};
    if (!s) s = bench_measure(b, &item);
    fft_plan_delete(&t.plan);
    buffer_delete(&t.real);
    buffer_delete(&t.complex);
    return s;
}

status bench_fft(bench *b)
{
    status s = measure_pair(b, 2, 512, 1);
    if (!s) s = measure_pair(b, 2, 1024, 1);
    if (!s) s = measure_pair(b, 2, 128, 50);
    return s;
}
