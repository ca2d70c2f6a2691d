/* Gradients with respect to the weights by work-groups with local memory: kernels/conv_weights_blocks.cl, and for
 * Winograd's products windows_of_phases and kernels/winograd_weights_blocks.cl, in chunks of tiles, micro-batches and
 * channels that the workspace holds. */
#include "ops/conv_internal.h"

#include <stdio.h>

/* With fewer at a time most of the work is reading and writing sums. */
enum { LEAST_TILES = 8 };

static size_t least_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int tiles_of(const conv_plan *p, int samples)
{
    return samples * divide_up(p->s.oh, TILE) * divide_up(p->s.ow, TILE);
}

/* Floats of a tile's windows and gradients. */
static size_t tile_floats(const conv_plan *p)
{
    const size_t ci = (size_t)p->ci, co = (size_t)p->co;
    return UNITS * ci + PRODUCTS * PADDING + PRODUCTS * (co + PADDING);
}

/* Chunks that fit the workspace; false: none worth while does. */
static bool chunks_choose(const conv_plan *p, conv_weights *w)
{
    const size_t limit = workspace_limit(p->d) / sizeof(float), ci = (size_t)p->ci;
    const size_t tiles = least_size(limit / tile_floats(p), (size_t)tiles_of(p, p->max_samples));
    const int block = conv_block_columns(&w->block, &p->tiles);
    const size_t columns = least_size(limit / (UNITS * ci), (size_t)p->co);
    if ((tiles < LEAST_TILES && tiles < (size_t)tiles_of(p, p->max_samples)) || columns < (size_t)block) return false;
    w->chunk = (int)tiles;
    w->columns = conv_tuning_block(p->co, block, (int)columns);
    w->micros = (int)least_size(limit / (UNITS * ci * (size_t)w->columns), (size_t)p->max_micro);
    w->scratch_bytes = sizeof(float) * tiles * tile_floats(p);
    w->sums_bytes = sizeof(float) * UNITS * ci * (size_t)w->columns * (size_t)w->micros;
    return true;
}

/* Vectors of the transforms: along the channels of x and of y. */
static int vectors_in(const conv_plan *p)
{
    return p->ci / p->weights.lanes;
}

static int vectors_out(const conv_plan *p)
{
    return p->weights.columns / p->weights.lanes;
}

static status filtered_get(context *c, conv_plan *p)
{
    const conv_tiles *t = &p->tiles;
    conv_weights *w = &p->weights;
    char shape[64], text[320], group[32], block[160];
    size_t local[3];
    w->lanes = t->transform_vector ? t->transform_vector : t->vector;
    snprintf(shape, sizeof shape, "-DODD_RESULTS=0 -DNR=1 -DWHOLE=%d", conv_winograd_whole(&p->s));
    snprintf(text, sizeof text, "%s -DVW=%d%s", shape, w->lanes, conv_group_options(p, vectors_in(p), local, group));
    status e = kernel_get(c, p->d, "winograd_windows", "windows_of_phases", text, &w->windows);
    snprintf(text, sizeof text, "%s -DVW=%d%s", shape, w->lanes, conv_group_options(p, vectors_out(p), local, group));
    if (!e) e = kernel_get(c, p->d, "winograd_weights_blocks", "weights_gradients", text, &w->gradients);
    if (!e) e = kernel_get(c, p->d, "winograd_weights_blocks", "weights_taps", text, &w->taps_of);
    snprintf(text, sizeof text, "%s -DVW=%d%s", shape, t->vector, conv_block_options(&w->block, t, block));
    return e ? e : kernel_get(c, p->d, "winograd_weights_blocks", "weights_sums", text, &w->run);
}

static status direct_get(context *c, conv_plan *p)
{
    char text[320], block[160];
    snprintf(text, sizeof text, "-DKERNEL=%d -DSTRIDE=%d -DPAD=%d -DVW=%d%s", p->s.kernel, p->s.stride, p->s.pad,
             p->tiles.vector, conv_block_options(&p->weights.block, &p->tiles, block));
    return kernel_get(c, p->d, "conv_weights_blocks", "conv_weights_blocks", text, &p->weights.run);
}

status conv_weights_blocks_new(context *c, conv_plan *p)
{
    conv_weights *w = &p->weights;
    const bool filtered = conv_algorithm_of(&p->s) == CONV_WINOGRAD;
    const size_t partial = sizeof(float) * (size_t)p->max_micro * conv_weight_count(&p->s);
    const int rows = filtered ? 2 * p->ci : p->ci; /* of most products, or half of them */
    /* Every micro-batch has a partial gradient. */
    if (partial > workspace_limit(p->d) ||
        !conv_block_choose(device_info(p->d), &p->tiles, rows, p->co, false, &w->block))
        return STATUS_OK;
    if (filtered && !chunks_choose(p, w)) {
        w->block.local_columns = 0;
        return STATUS_OK;
    }
    w->partial_bytes = partial;
    return filtered ? filtered_get(c, p) : direct_get(c, p);
}

/* The buffers of a run. */
typedef struct {
    buffer *x, *y, *scratch, *sums, *partial;
} arrays;

static status transform(context *c, const conv_plan *p, const arrays *a, int first, int count)
{
    const conv_weights *w = &p->weights;
    const size_t in[3] = {(size_t)vectors_in(p), (size_t)count, 1}, out[3] = {(size_t)(p->co / w->lanes), in[1], 1};
    size_t local[3];
    char text[32];
    conv_group_options(p, vectors_in(p), local, text);
    status e = conv_launch_groups(c, w->windows, local, in,
                                  KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_BUFFER(a->x), ARG_BUFFER(a->scratch),
                                                   ARG_INT(first), ARG_INT(count), ARG_INT(w->chunk)));
    if (e) return e;
    conv_group_options(p, vectors_out(p), local, text);
    return conv_launch_groups(c, w->gradients, local, out,
                              KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_BUFFER(a->y), ARG_BUFFER(a->scratch), ARG_INT(first),
                                               ARG_INT(count), ARG_INT(w->chunk)));
}

/* Sums of `micros` micro-batches from number `micro` on over tiles first … first + count − 1, transformed before. */
static status sums_run(context *c, const conv_plan *p, const batching *b, const arrays *a, int micro, int micros,
                       int first, int count, bool fresh, int column)
{
    const conv_weights *w = &p->weights;
    const int blocks = w->columns / conv_block_columns(&w->block, &p->tiles);
    const size_t groups[3] = {(size_t)blocks, (size_t)divide_up(4 * p->ci, conv_block_rows(&w->block)),
                              (size_t)micros * PRODUCTS};
    kernel_work(p->d, 2. * UNITS * p->ci * w->columns * count,
                4. * ((double)count * (double)tile_floats(p) + (double)micros * UNITS * p->ci * w->columns));
    return conv_block_launch(c, w->run, &w->block, groups,
                             KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_INT(b->segment), ARG_INT(b->micro), ARG_INT(micro),
                                              ARG_BUFFER(a->scratch), ARG_INT(first), ARG_INT(count), ARG_INT(w->chunk),
                                              ARG_INT(fresh), ARG_BUFFER(a->sums), ARG_INT(column),
                                              ARG_INT(w->columns)));
}

static status taps_run(context *c, const conv_plan *p, const arrays *a, int micro, int micros, int column)
{
    const conv_weights *w = &p->weights;
    const size_t global[3] = {(size_t)vectors_out(p), (size_t)p->ci, (size_t)micros};
    size_t local[3];
    char text[32];
    conv_group_options(p, vectors_out(p), local, text);
    return conv_launch_groups(c, w->taps_of, local, global,
                              KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_BUFFER(a->sums), ARG_INT(column), ARG_INT(w->columns),
                                               ARG_BUFFER(a->partial), ARG_INT(micro)));
}

static int start_of(const batching *b, int micro)
{
    const int per = batching_per_segment(b);
    return micro / per * b->segment + micro % per * b->micro;
}

/* Partial gradients of micro-batches that are whole in one chunk, or of one that takes some. */
static status group_run(context *c, const conv_plan *p, const batching *b, const arrays *a, int micro, int micros)
{
    const conv_weights *w = &p->weights;
    const int next = micro + micros, begin = tiles_of(p, start_of(b, micro));
    const int end = tiles_of(p, next < batching_count(b) ? start_of(b, next) : b->n);
    status e = STATUS_OK;
    for (int column = 0; column < p->co && !e; column += w->columns) {
        for (int first = begin; first < end && !e; first += w->chunk) {
            const int count = end - first < w->chunk ? end - first : w->chunk;
            if (column == 0 || end - begin > w->chunk) e = transform(c, p, a, first, count);
            if (!e) e = sums_run(c, p, b, a, micro, micros, first, count, first == begin, column);
        }
        if (!e) e = taps_run(c, p, a, micro, micros, column);
    }
    return e;
}

static status filtered_run(context *c, const conv_plan *p, const batching *b, const arrays *a)
{
    const conv_weights *w = &p->weights;
    const int each = tiles_of(p, b->micro), whole = w->chunk / each > 1 ? w->chunk / each : 1;
    const int micros = whole < w->micros ? whole : w->micros, all = batching_count(b);
    status e = STATUS_OK;
    for (int k = 0; k < all && !e; k += micros) e = group_run(c, p, b, a, k, all - k < micros ? all - k : micros);
    return e;
}

static status direct_run(context *c, const conv_plan *p, const batching *b, const arrays *a)
{
    const conv_weights *w = &p->weights;
    const size_t groups[3] = {(size_t)(p->co / conv_block_columns(&w->block, &p->tiles)),
                              (size_t)divide_up(p->ci, conv_block_rows(&w->block)),
                              (size_t)(p->s.kernel * p->s.kernel * batching_count(b))};
    conv_work(p, b->n);
    return conv_block_launch(c, w->run, &w->block, groups,
                             KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_INT(b->segment), ARG_INT(b->micro), ARG_BUFFER(a->x),
                                              ARG_BUFFER(a->y), ARG_BUFFER(a->partial)));
}

status conv_weights_blocks_run(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw)
{
    const conv_weights *w = &p->weights;
    arrays a = {.x = x, .y = y};
    status e = workspace_get(c, p->d, WORKSPACE_SECOND, w->partial_bytes, &a.partial);
    if (!e && w->scratch_bytes) e = workspace_get(c, p->d, WORKSPACE_FIRST, w->scratch_bytes, &a.scratch);
    if (!e && w->sums_bytes) e = workspace_get(c, p->d, WORKSPACE_WEIGHTS, w->sums_bytes, &a.sums);
    if (!e) e = w->sums_bytes ? filtered_run(c, p, b, &a) : direct_run(c, p, b, &a);
    return e ? e : conv_weights_tree(c, p, batching_count(b), p->tiles.vector, a.partial, dw);
}
