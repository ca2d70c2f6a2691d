/* Convolution plans: the registry of algorithms, geometry, checks, and the calls of conv.h. */
#include "ops/conv_internal.h"

#include <stdio.h>
#include "base/memory.h"
#include "ops/launch.h"

/* The algorithms; a shape gets the first that suits it. The last covers every shape. */
static const struct algorithm {
    conv_algorithm number;
    bool (*suits)(const conv_shape *s);
    status (*make)(context *c, conv_plan *p, conv_gather *g);
    status (*pack)(context *c, conv_plan *p, conv_gather *g, buffer *weights, buffer *packed);
    status (*run)(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *packed, buffer *bias, buffer *of,
                  buffer *out);
    status (*weights_new)(context *c, conv_plan *p);
    status (*weights_run)(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw);
} algorithms[] = {
    {CONV_CLBLAST, conv_columns_suits, conv_columns_new, NULL, conv_columns_run, conv_columns_weights_new,
     conv_columns_weights_run},
    {CONV_WINOGRAD, conv_winograd_suits, conv_winograd_new, conv_winograd_pack, conv_winograd_run, conv_weights_new,
     conv_weights_run},
    {CONV_DIRECT, NULL, conv_gather_new, conv_gather_pack, conv_gather_run, conv_weights_new, conv_weights_run},
};

static const struct algorithm *algorithm_of(const conv_shape *s)
{
    const struct algorithm *a = algorithms;
    while (a->suits && !a->suits(s)) a++;
    return a;
}

conv_algorithm conv_algorithm_of(const conv_shape *s)
{
    return algorithm_of(s)->number;
}

size_t conv_weight_count(const conv_shape *s)
{
    return (size_t)s->kernel * (size_t)s->kernel * (size_t)layout_channels(s->ci) * (size_t)layout_channels(s->co);
}

size_t conv_weight_index(const conv_shape *s, int ky, int kx, int ci, int co)
{
    const size_t tap = (size_t)ky * (size_t)s->kernel + (size_t)kx;
    return (tap * (size_t)layout_channels(s->ci) + (size_t)ci) * (size_t)layout_channels(s->co) + (size_t)co;
}

/* Whether one side's size fits the other's along an axis: input = (output − 1) stride − 2 pad + kernel + rest, rest in
 * 0 … stride − 1. */
static bool axis_fits(const conv_shape *s, int in, int out)
{
    const long long rest = in - ((out - 1LL) * s->stride - 2LL * s->pad + s->kernel);
    return rest >= 0 && rest < s->stride;
}

static status shape_check(context *c, const conv_shape *s, int directions, int max_samples, int max_micro)
{
    const int all = CONV_FORWARD | CONV_BACKWARD_DATA | CONV_BACKWARD_WEIGHTS | CONV_PACK_EACH;
    if (s->h < 1 || s->w < 1 || s->oh < 1 || s->ow < 1 || s->ci < 1 || s->co < 1 || s->kernel < 1 || s->stride < 1 ||
        s->pad < 0 || max_samples < 1 || max_micro < 1 || !directions || directions & ~all)
        return context_fail(c, STATUS_USAGE,
                            "convolution: sizes must be at least 1, got %dx%dx%d, %dx%dx%d, kernel %d, "
                            "stride %d, padding %d, %d samples in %d micro-batches",
                            s->h, s->w, s->ci, s->oh, s->ow, s->co, s->kernel, s->stride, s->pad, max_samples,
                            max_micro);
    if (!axis_fits(s, s->h, s->oh) || !axis_fits(s, s->w, s->ow))
        return context_fail(c, STATUS_USAGE, "convolution: %dx%d and %dx%d do not fit kernel %d, stride %d, padding %d",
                            s->h, s->w, s->oh, s->ow, s->kernel, s->stride, s->pad);
    /* The kernels count floats in 32 bits. */
    const double n = max_samples, x = n * s->h * s->w * layout_channels(s->ci),
                 y = n * s->oh * s->ow * layout_channels(s->co);
    const double w = (double)conv_weight_count(s);
    if (x >= 2147483648. || y >= 2147483648. || w >= 2147483648.)
        return context_fail(c, STATUS_USAGE,
                            "convolution: %d samples of %dx%dx%d and %dx%dx%d are more than 2^31 numbers; "
                            "take a smaller batch",
                            max_samples, s->h, s->w, s->ci, s->oh, s->ow, s->co);
    return STATUS_OK;
}

static int largest(int a, int b, int c)
{
    const int m = a > b ? a : b;
    return m > c ? m : c;
}

status conv_packed_new(context *c, conv_plan *p, conv_gather *g, const char *label, size_t floats)
{
    buffer *shared;
    g->packed_bytes = sizeof(float) * floats;
    const bool kept = !(p->directions & CONV_PACK_EACH) && g->packed_bytes <= workspace_limit(p->d) / 2;
    if (kept) return buffer_new(c, p->d, label, g->packed_bytes, &g->packed);
    return workspace_get(c, p->d, WORKSPACE_WEIGHTS, g->packed_bytes, &shared);
}

static status tiles_choose(context *c, conv_plan *p, int direction, const conv_tiles *given, conv_tiles *t)
{
    if (!given) return p->directions & direction ? conv_tuning_layer(c, p->d, &p->s, direction, true, t) : STATUS_OK;
    *t = *given;
    return STATUS_OK;
}

static status direction_new(context *c, conv_plan *p, bool backward, const conv_end *end)
{
    const conv_shape *s = &p->s;
    conv_gather *g = backward ? &p->backward : &p->forward;
    p->tiles = g->tiles;
    g->backward = backward;
    g->end = *end;
    g->phases = backward ? s->stride * s->stride : 1;
    g->h = backward ? s->oh : s->h, g->w = backward ? s->ow : s->w, g->in = backward ? p->co : p->ci;
    g->out_h = backward ? s->h : s->oh, g->out_w = backward ? s->w : s->ow, g->out = backward ? p->ci : p->co;
    return p->algorithm->make(c, p, g);
}

/* The weights' kernels may get fewer work-items than their tiles say. */
static status weights_new(context *c, conv_plan *p)
{
    p->tiles = p->weights_tiles;
    const status e = p->algorithm->weights_new(c, p);
    p->weights_tiles = p->tiles;
    return e;
}

status conv_plan_make(context *c, device *d, const conv_shape *s, int directions, int max_samples,
                      int max_micro_batches, const conv_ends *ends, const conv_tiles *tiles, conv_plan **out)
{
    static const conv_ends none;
    conv_plan *p = NULL;
    *out = NULL;
    if (!ends) ends = &none;
    status e = shape_check(c, s, directions, max_samples, max_micro_batches);
    if (e) return e;
    if ((e = memory_new(c, "convolution plan", 1, sizeof *p, &p))) return e;
    p->d = d;
    p->s = *s;
    p->algorithm = algorithm_of(s);
    p->ci = layout_channels(s->ci), p->co = layout_channels(s->co);
    p->directions = directions, p->max_samples = max_samples, p->max_micro = max_micro_batches;
    if ((e = tiles_choose(c, p, CONV_FORWARD, tiles, &p->forward.tiles))) goto out;
    if ((e = tiles_choose(c, p, CONV_BACKWARD_DATA, tiles, &p->backward.tiles))) goto out;
    if ((e = tiles_choose(c, p, CONV_BACKWARD_WEIGHTS, tiles, &p->weights_tiles))) goto out;
    const size_t zeros = sizeof(float) * (size_t)largest(p->ci, p->co, s->w);
    if ((e = buffer_new(c, d, "zeros of a convolution", zeros, &p->zeros))) goto out;
    if ((e = buffer_zero(c, p->zeros))) goto out;
    if (directions & CONV_FORWARD && (e = direction_new(c, p, false, &ends->forward))) goto out;
    if (directions & CONV_BACKWARD_DATA && (e = direction_new(c, p, true, &ends->backward))) goto out;
    if (directions & CONV_BACKWARD_WEIGHTS && (e = weights_new(c, p))) goto out;
    *out = p, p = NULL;
out:
    conv_plan_delete(&p);
    return e;
}

status conv_plan_new(context *c, device *d, const conv_shape *s, int directions, int max_samples, int max_micro_batches,
                     const conv_ends *ends, conv_plan **out)
{
    return conv_plan_make(c, d, s, directions, max_samples, max_micro_batches, ends, NULL, out);
}

void conv_plan_delete(conv_plan **pointer)
{
    conv_plan *p = *pointer;
    if (!p) return;
    buffer_delete(&p->forward.packed);
    buffer_delete(&p->backward.packed);
    buffer_delete(&p->zeros);
    memory_delete(pointer);
}

void conv_work(const conv_plan *p, int n)
{
    const conv_shape *s = &p->s;
    const double weights = (double)conv_weight_count(s), y_pixels = (double)n * s->oh * s->ow;
    const double tiles = (double)n * divide_up(s->oh, TILE) * divide_up(s->ow, TILE);
    const bool filtered = conv_algorithm_of(s) == CONV_WINOGRAD;
    kernel_work(p->d, filtered ? 2. * UNITS * p->ci * p->co * tiles : 2 * y_pixels * weights,
                4 * (weights + y_pixels * p->co + (double)n * s->h * s->w * p->ci));
}

const char *conv_group_options(const conv_plan *p, int lanes, size_t local[3], char text[32])
{
    const int group = p->tiles.work_group;
    int wide = 1;
    while (wide < lanes && 2 * wide <= group) wide *= 2;
    local[0] = (size_t)wide, local[1] = (size_t)(group / wide), local[2] = 1;
    snprintf(text, 32, " -DWG=%d -DWG_ROWS=%d", wide, group / wide);
    return text;
}

status conv_launch_groups(context *c, kernel *k, const size_t local[3], const size_t global[3], int count,
                          const kernel_argument *arguments)
{
    size_t rounded[3];
    for (int i = 0; i < 3; i++) rounded[i] = (global[i] + local[i] - 1) / local[i] * local[i];
    return kernel_run(c, k, 3, rounded, local, count, arguments);
}

status conv_launch(context *c, const conv_plan *p, kernel *k, const size_t global[3], int count,
                   const kernel_argument *arguments)
{
    const size_t local[3] = {(size_t)p->tiles.work_group, 1, 1};
    return conv_launch_groups(c, k, local, global, count, arguments);
}

/* Checks one call: the direction was planned, n fits, and x, y (and the bias or the weights) have room. */
static status call_check(context *c, const conv_plan *p, const char *what, int direction, int n, const buffer *x,
                         const buffer *y)
{
    const conv_shape *s = &p->s;
    if (!(p->directions & direction))
        return context_fail(c, STATUS_USAGE, "%s: the plan was made without this direction", what);
    if (n < 1 || n > p->max_samples)
        return context_fail(c, STATUS_USAGE, "%s: %d samples, the plan is for 1 to %d", what, n, p->max_samples);
    status e = launch_check(c, what, "x", x, (size_t)n * (size_t)s->h * (size_t)s->w * (size_t)p->ci);
    if (!e) e = launch_check(c, what, "y", y, (size_t)n * (size_t)s->oh * (size_t)s->ow * (size_t)p->co);
    return e;
}

status conv_pack_direction(context *c, conv_plan *p, conv_gather *g, buffer *weights)
{
    g->weights = weights;
    p->tiles = g->tiles;
    return g->packed ? p->algorithm->pack(c, p, g, weights, g->packed) : STATUS_OK;
}

static status run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *bias, buffer *of, buffer *out)
{
    buffer *packed = g->packed_bytes ? g->packed : g->weights;
    status e = STATUS_OK;
    if (!g->weights) return context_fail(c, STATUS_USAGE, "convolution: no weights were packed");
    p->tiles = g->tiles;
    if (!packed) {
        e = workspace_get(c, p->d, WORKSPACE_WEIGHTS, g->packed_bytes, &packed);
        if (!e) e = p->algorithm->pack(c, p, g, g->weights, packed);
    }
    return e ? e : p->algorithm->run(c, p, g, n, in, packed, bias, of, out);
}

status conv_pack(context *c, conv_plan *p, buffer *weights)
{
    status e = launch_check(c, "conv_pack", "weights", weights, conv_weight_count(&p->s));
    if (!e && p->directions & CONV_FORWARD) e = conv_pack_direction(c, p, &p->forward, weights);
    if (!e && p->directions & CONV_BACKWARD_DATA) e = conv_pack_direction(c, p, &p->backward, weights);
    return e;
}

status conv_forward(context *c, conv_plan *p, int n, buffer *x, buffer *bias, buffer *of, buffer *y)
{
    status e = call_check(c, p, "conv_forward", CONV_FORWARD, n, x, y);
    if (!e && bias) e = launch_check(c, "conv_forward", "bias", bias, (size_t)p->co);
    if (!e && p->forward.end.slope)
        e = launch_check(c, "conv_forward", "of", of, (size_t)n * (size_t)p->s.oh * (size_t)p->s.ow * (size_t)p->co);
    return e ? e : run(c, p, &p->forward, n, x, bias, of, y);
}

status conv_backward_data(context *c, conv_plan *p, int n, buffer *y, buffer *bias, buffer *of, buffer *x)
{
    status e = call_check(c, p, "conv_backward_data", CONV_BACKWARD_DATA, n, x, y);
    if (!e && bias) e = launch_check(c, "conv_backward_data", "bias", bias, (size_t)p->ci);
    if (!e && p->backward.end.slope)
        e = launch_check(c, "conv_backward_data", "of", of,
                         (size_t)n * (size_t)p->s.h * (size_t)p->s.w * (size_t)p->ci);
    return e ? e : run(c, p, &p->backward, n, y, bias, of, x);
}

status conv_backward_weights(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw)
{
    status e = launch_check_batching(c, "conv_backward_weights", b);
    if (!e) e = call_check(c, p, "conv_backward_weights", CONV_BACKWARD_WEIGHTS, b->n, x, y);
    if (!e) e = launch_check(c, "conv_backward_weights", "dw", dw, conv_weight_count(&p->s));
    if (!e && batching_count(b) > p->max_micro)
        e = context_fail(c, STATUS_USAGE, "conv_backward_weights: %d micro-batches, the plan is for at most %d",
                         batching_count(b), p->max_micro);
    p->tiles = p->weights_tiles;
    return e ? e : p->algorithm->weights_run(c, p, b, x, y, dw);
}
