/* Forward and backward data: kernels/conv_gather.cl, conv_narrow_in.cl, conv_narrow_out.cl and conv_pack.cl. */
#include "ops/conv_internal.h"

#include <stdio.h>

enum { PACK_ROWS = 64, ROWS_MOST = 10 };

/* kernels/conv_sizes.h of a direction. */
#define ENDS(g)                                                                                                        \
    ARG_INT((g)->h), ARG_INT((g)->w), ARG_INT((g)->in), ARG_INT((g)->out_h), ARG_INT((g)->out_w), ARG_INT((g)->out)

const char *conv_end_options(const conv_end *end, char text[48])
{
    text[0] = 0;
    if (end->f != ACTIVATION_NONE) snprintf(text, 48, " -DEND=%d -DACTIVATION=%d", end->slope ? 2 : 1, (int)end->f);
    return text;
}

static void options_write(const conv_plan *p, const conv_gather *g, const char *more, char text[CONV_OPTIONS])
{
    snprintf(text, CONV_OPTIONS, "-DBACKWARD=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d -DVW=%d -DWG=%d %s", g->backward,
             p->s.kernel, p->s.stride, p->s.pad, p->tiles.vector, p->tiles.work_group, more);
}

/* Pixels of the largest phase, of n samples. */
static int pixels_of(const conv_plan *p, const conv_gather *g, int n)
{
    const int ps = g->backward ? p->s.stride : 1;
    return n * divide_up(g->out_h, ps) * divide_up(g->out_w, ps);
}

/* Blocks go through the input by whole panels of channels: a single one has none. */
static bool block_choose(const conv_plan *p, conv_gather *g)
{
    return g->in > 1 &&
           conv_block_choose(device_info(p->d), &p->tiles, pixels_of(p, g, p->max_samples), g->out, true, &g->block);
}

static status kernels_get(context *c, conv_plan *p, conv_gather *g)
{
    const conv_tiles *t = &p->tiles;
    char more[256], text[CONV_OPTIONS], end[48], block[160];
    conv_end_options(&g->end, end);
    if (g->path == CONV_NARROW_OUT) {
        snprintf(more, sizeof more, "-DMR=%d -DSINGLE=%d%s", t->narrow_rows, g->in == 1, end);
        options_write(p, g, more, text);
        return kernel_get(c, p->d, "conv_narrow_out", "conv_narrow_out", text, &g->run);
    }
    g->vectors = conv_tuning_vectors(g->out, t->vector, t->vectors);
    g->rows = conv_tuning_rows(t, g->vectors, ROWS_MOST);
    g->row = g->vectors * t->vector;
    status e;
    if (g->path == CONV_NARROW_IN) {
        snprintf(more, sizeof more, "-DMR=%d -DNV=%d%s", t->narrow_rows, g->vectors, end);
        options_write(p, g, more, text);
        e = kernel_get(c, p->d, "conv_narrow_in", "conv_narrow_in", text, &g->run);
    } else if (block_choose(p, g)) {
        g->row = conv_block_columns(&g->block, t);
        snprintf(more, sizeof more, "%s%s", conv_block_options(&g->block, t, block), end);
        options_write(p, g, more, text);
        e = kernel_get(c, p->d, "conv_gather", "conv_gather", text, &g->run);
    } else {
        snprintf(more, sizeof more, "-DMR=%d -DNV=%d -DKU=%d%s", g->rows, g->vectors, g->in == 1 ? 1 : t->unroll, end);
        options_write(p, g, more, text);
        e = kernel_get(c, p->d, "conv_gather", "conv_gather", text, &g->run);
    }
    if (e) return e;
    /* Backward packing transposes blocks of lanes × lanes; with one channel in y there is nothing to transpose. */
    snprintf(text, sizeof text, "-DBACKWARD=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d -DNR=%d -DVW=%d -DROWS=%d -DWG=%d",
             g->backward, p->s.kernel, p->s.stride, p->s.pad, g->row, g->backward && p->co == 1 ? 1 : t->vector,
             PACK_ROWS, t->work_group);
    return kernel_get(c, p->d, "conv_pack", g->backward ? "conv_pack_backward" : "conv_pack_forward", text, &g->pack);
}

status conv_gather_new(context *c, conv_plan *p, conv_gather *g)
{
    g->path = g->out == 1 ? CONV_NARROW_OUT : g->in == 1 && !g->backward ? CONV_NARROW_IN : CONV_GATHER;
    const status e = kernels_get(c, p, g);
    if (e || g->path == CONV_NARROW_OUT) return e;
    return conv_packed_new(c, p, g, "packed weights of a convolution", conv_weight_count(&p->s));
}

status conv_gather_pack(context *c, conv_plan *p, conv_gather *g, buffer *weights, buffer *packed)
{
    const size_t taps = (size_t)p->s.kernel * (size_t)p->s.kernel;
    const size_t ci = (size_t)p->ci, co = (size_t)p->co, nr = (size_t)g->row;
    const size_t lanes = p->co == 1 ? 1 : (size_t)p->tiles.vector;
    const size_t forward[3] = {(taps * ci + PACK_ROWS - 1) / PACK_ROWS, co / nr, 1};
    const size_t per_phase = (size_t)((p->s.kernel + p->s.stride - 1) / p->s.stride);
    const size_t backward[3] = {ci / lanes, per_phase * per_phase, (size_t)g->phases};
    return conv_launch(c, p, g->pack, g->backward ? backward : forward,
                       KERNEL_ARGUMENTS(ARG_INT(p->ci), ARG_INT(p->co), ARG_BUFFER(weights), ARG_BUFFER(packed)));
}

/* Tiles per work-item: many, so that the packed weights stay in the second-level cache, but enough work-items for all
 * compute units. */
static int tiles_per_item(const conv_plan *p, int tiles, int columns)
{
    const int units = device_info(p->d)->compute_units > 0 ? device_info(p->d)->compute_units : 1;
    const long long wanted = 16LL * units, all = (long long)tiles * columns;
    const long long t = all / wanted;
    return t < 1 ? 1 : t > p->tiles.tiles ? p->tiles.tiles : (int)t;
}

status conv_gather_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *packed, buffer *bias,
                       buffer *of, buffer *out)
{
    const int ps = g->backward ? p->s.stride : 1;
    const int qh = divide_up(g->out_h, ps), qw = divide_up(g->out_w, ps);
    const bool each = p->tiles.work_group > 1; /* a work-item for each run of pixels, not for all of a row */
    conv_work(p, n);
    if (g->path == CONV_NARROW_OUT) {
        const size_t global[3] = {(size_t)n * (size_t)qh, each ? (size_t)divide_up(qw, p->tiles.narrow_rows) : 1, 1};
        return conv_launch(c, p, g->run, global,
                           KERNEL_ARGUMENTS(ENDS(g), ARG_INT(n), ARG_BUFFER(in), ARG_BUFFER(packed), ARG_BUFFER(bias),
                                            ARG_BUFFER(p->zeros), ARG_BUFFER(out), ARG_FLOAT(g->end.leak),
                                            ARG_BUFFER(of)));
    }
    const size_t columns = (size_t)(g->out / g->row);
    if (g->path == CONV_NARROW_IN) {
        const size_t global[3] = {(size_t)n * (size_t)g->out_h, columns,
                                  each ? (size_t)divide_up(qw, p->tiles.narrow_rows) : 1};
        return conv_launch(c, p, g->run, global,
                           KERNEL_ARGUMENTS(ENDS(g), ARG_INT(n), ARG_BUFFER(in), ARG_BUFFER(packed), ARG_BUFFER(bias),
                                            ARG_BUFFER(out), ARG_FLOAT(g->end.leak), ARG_BUFFER(of)));
    }
    if (g->block.local_columns) {
        const int blocks = divide_up(pixels_of(p, g, n), conv_block_rows(&g->block));
        return conv_block_launch(c, g->run, &g->block, (const size_t[3]){columns, (size_t)blocks, (size_t)g->phases},
                                 KERNEL_ARGUMENTS(ENDS(g), ARG_INT(n), ARG_INT(p->tiles.group), ARG_BUFFER(in),
                                                  ARG_BUFFER(packed), ARG_BUFFER(bias), ARG_BUFFER(out),
                                                  ARG_FLOAT(g->end.leak), ARG_BUFFER(of)));
    }
    const int tiles = divide_up(pixels_of(p, g, n), g->rows),
              per_item = tiles_per_item(p, tiles, (int)columns * g->phases);
    const size_t global[3] = {(size_t)divide_up(tiles, per_item), columns, (size_t)g->phases};
    return conv_launch(c, p, g->run, global,
                       KERNEL_ARGUMENTS(ENDS(g), ARG_INT(n), ARG_INT(p->tiles.group), ARG_INT(per_item), ARG_BUFFER(in),
                                        ARG_BUFFER(packed), ARG_BUFFER(bias), ARG_BUFFER(p->zeros), ARG_BUFFER(out),
                                        ARG_FLOAT(g->end.leak), ARG_BUFFER(of)));
}
