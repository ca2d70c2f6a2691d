/* Forward and backward data of 5 × 5 kernels with stride 2 by Winograd's filtering: kernels/winograd.h and
 * winograd_*.cl. */
#include "ops/conv_internal.h"

#include <stdio.h>

enum { TAPS_PADDING = 80, ROWS_MOST = 10, PACK_ROWS = 16 }; /* as in kernels/winograd.h */

bool conv_winograd_suits(const conv_shape *s)
{
    const int tiles = divide_up(s->oh, TILE) * divide_up(s->ow, TILE);
    const bool covered = s->kernel == 5 && s->stride == 2 && s->pad == 2 && s->ci > 1 && s->co > 1;
    /* A third of the products is made, of the whole tiles. */
    const bool faster = 2 * s->oh * s->ow >= tiles * TILE * TILE;
    return covered && (s->algorithm == CONV_WINOGRAD || (s->algorithm == CONV_AUTO && faster));
}

bool conv_winograd_whole(const conv_shape *s)
{
    return s->h % (2 * TILE) == 0 && s->w % (2 * TILE) == 0;
}

/* Floats of all slots where one of four phases takes `four`, and so on. */
static size_t slots(size_t four, size_t two, size_t one)
{
    return 25 * four + 10 * two + one;
}

static size_t rounded(int channels, int unit)
{
    return (size_t)divide_up(channels, unit) * (size_t)unit;
}

/* Floats that a tile of the image takes as windows and as products, and those of the packed weights. */
static void sizes(const conv_plan *p, const conv_gather *g, size_t *v, size_t *m, size_t *u)
{
    const int nr = g->winograd.row;
    const size_t ci = (size_t)p->ci, co = (size_t)p->co;
    if (g->backward) {
        *v = PRODUCTS * (co + PADDING);
        const size_t four = rounded(4 * p->ci, nr), two = rounded(2 * p->ci, nr), one = rounded(p->ci, nr);
        *m = slots(four + PADDING, two + PADDING, one + PADDING);
        *u = slots(four, two, one) * co;
    } else {
        *v = slots(4 * ci + PADDING, 2 * ci + PADDING, ci + PADDING);
        *m = PRODUCTS * (co + PADDING);
        *u = slots(4 * ci, 2 * ci, ci) * co;
    }
    *u += PRODUCTS * TAPS_PADDING;
}

/* Channels that a work-item packs: of the input, forward alone, and of the output. */
static int pack_rows(const conv_plan *p)
{
    return p->tiles.work_group > 1 ? 1 : PACK_ROWS;
}

static int pack_columns(const conv_plan *p, const conv_gather *g)
{
    const int lanes = g->winograd.lanes;
    return p->tiles.work_group > 1 ? lanes : lanes * conv_tuning_vectors(g->out, lanes, g->winograd.row / lanes);
}

/* Vectors that a work-group of the transforms has of the input, of the output and of what is packed. */
static int vectors_in(const conv_plan *p, const conv_gather *g)
{
    return p->tiles.work_group > 1 ? g->in / g->winograd.lanes : 1;
}

static int vectors_out(const conv_plan *p, const conv_gather *g)
{
    return p->tiles.work_group > 1 ? g->out / g->winograd.lanes : 1;
}

static int vectors_packed(const conv_plan *p, const conv_gather *g)
{
    return g->out / pack_columns(p, g);
}

/* The tile of a work-item or the block of a work-group. */
static void shape_choose(const conv_plan *p, const conv_gather *g, conv_winograd *w)
{
    const conv_tiles *t = &p->tiles;
    const int all = p->max_samples * w->tiles_y * w->tiles_x;
    if (conv_block_choose(device_info(p->d), t, all, g->backward ? 2 * p->ci : p->co, true, &w->block)) {
        w->rows = conv_block_rows(&w->block), w->row = conv_block_columns(&w->block, t);
    } else {
        w->vectors = g->backward ? t->vectors : conv_tuning_vectors(p->co, t->vector, t->vectors);
        while (w->vectors > 1 && w->vectors * t->vector > 4 * p->ci) w->vectors--;
        w->rows = conv_tuning_rows(t, w->vectors, ROWS_MOST);
        w->row = w->vectors * t->vector;
    }
    w->columns = divide_up(g->backward ? 4 * p->ci : p->co, w->row);
    w->lanes = t->transform_vector && w->row % t->transform_vector == 0 ? t->transform_vector : t->vector;
}

static status kernels_get(context *c, conv_plan *p, conv_gather *g)
{
    const conv_tiles *t = &p->tiles;
    conv_winograd *w = &g->winograd;
    char shape[80], block[160], text[320], end[48], group[32];
    size_t local[3];
    snprintf(shape, sizeof shape, "-DODD_RESULTS=%d -DWHOLE=%d -DNR=%d", g->backward, conv_winograd_whole(&p->s),
             w->row);
    snprintf(text, sizeof text, "%s -DVW=%d%s", shape, w->lanes, conv_group_options(p, vectors_in(p, g), local, group));
    status e = kernel_get(c, p->d, "winograd_windows", g->backward ? "windows_of_whole" : "windows_of_phases", text,
                          &w->windows);
    if (w->block.local_columns)
        snprintf(text, sizeof text, "%s -DVW=%d%s", shape, t->vector, conv_block_options(&w->block, t, block));
    else
        snprintf(text, sizeof text, "%s -DVW=%d -DWG=%d -DMR=%d -DNV=%d -DKU=%d", shape, t->vector, t->work_group,
                 w->rows, w->vectors, t->unroll);
    if (!e) e = kernel_get(c, p->d, "winograd_products", "winograd_products", text, &w->products);
    snprintf(text, sizeof text, "%s -DVW=%d%s%s", shape, w->lanes,
             conv_group_options(p, vectors_out(p, g), local, group), conv_end_options(&g->end, end));
    if (!e)
        e = kernel_get(c, p->d, "winograd_results", g->backward ? "results_of_phases" : "results_of_whole", text,
                       &w->results);
    snprintf(text, sizeof text, "%s -DVW=%d%s -DROWS=%d -DCOLUMNS=%d", shape, w->lanes,
             conv_group_options(p, vectors_packed(p, g), local, group), pack_rows(p), pack_columns(p, g));
    if (!e)
        e = kernel_get(c, p->d, "winograd_taps", g->backward ? "taps_of_results" : "taps_of_inputs", text, &g->pack);
    return e;
}

/* Chunks that stay in a cache with the weights read as seldom as possible: at least half of the weights' size, as far
 * as the device's memory allows. */
static int chunk_tiles(const conv_plan *p, conv_winograd *w, size_t each, size_t weights)
{
    const int all = p->max_samples * w->tiles_y * w->tiles_x;
    size_t floats = p->tiles.winograd_kib ? (size_t)p->tiles.winograd_kib * 1024 / sizeof(float) : SIZE_MAX;
    if (floats < weights / 2) floats = weights / 2;
    if (floats > workspace_limit(p->d) / sizeof(float)) floats = workspace_limit(p->d) / sizeof(float);
    const size_t most = floats / each;
    int tiles = most < (size_t)all ? (int)most : all;
    tiles = divide_up(all, divide_up(all, tiles > 1 ? tiles : 1)); /* chunks of equal size */
    if (w->block.local_columns) {
        while (w->block.local_rows > 1 && conv_block_rows(&w->block) >= 2 * tiles) w->block.local_rows /= 2;
        w->rows = conv_block_rows(&w->block);
    }
    return divide_up(tiles, w->rows) * w->rows;
}

status conv_winograd_new(context *c, conv_plan *p, conv_gather *g)
{
    conv_winograd *w = &g->winograd;
    size_t v, m, u;
    w->tiles_y = divide_up(p->s.oh, TILE), w->tiles_x = divide_up(p->s.ow, TILE);
    shape_choose(p, g, w);
    sizes(p, g, &v, &m, &u);
    w->chunk = chunk_tiles(p, w, v + m, u);
    status e = kernels_get(c, p, g);
    if (e) return e;
    w->v_bytes = sizeof(float) * v * (size_t)w->chunk, w->m_bytes = sizeof(float) * m * (size_t)w->chunk;
    buffer *windows, *products;
    e = workspace_get(c, p->d, WORKSPACE_FIRST, w->v_bytes, &windows);
    if (!e) e = workspace_get(c, p->d, WORKSPACE_SECOND, w->m_bytes, &products);
    return e ? e : conv_packed_new(c, p, g, "transformed weights of a convolution", u);
}

status conv_winograd_pack(context *c, conv_plan *p, conv_gather *g, buffer *weights, buffer *packed)
{
    const int others = g->backward ? p->co / g->winograd.lanes : divide_up(p->ci, pack_rows(p));
    const size_t global[3] = {(size_t)vectors_packed(p, g), (size_t)others, 1};
    size_t local[3];
    char group[32];
    conv_group_options(p, vectors_packed(p, g), local, group);
    kernel_work(p->d, 0, (double)g->packed_bytes + 4. * (double)conv_weight_count(&p->s));
    return conv_launch_groups(c, g->pack, local, global,
                              KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_BUFFER(weights), ARG_BUFFER(packed)));
}

static status products_run(context *c, const conv_plan *p, const conv_winograd *w, int rows, buffer *v, buffer *packed,
                           buffer *m)
{
    const size_t columns = (size_t)w->columns, blocks = (size_t)(rows / w->rows);
    if (w->block.local_columns)
        return conv_block_launch(
            c, w->products, &w->block, (const size_t[3]){columns, blocks, PRODUCTS},
            KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_INT(rows), ARG_BUFFER(v), ARG_BUFFER(packed), ARG_BUFFER(m)));
    const size_t per_item = p->tiles.work_group > 1 ? 1 : blocks;
    return conv_launch(c, p, w->products, (const size_t[3]){blocks / per_item, columns, PRODUCTS},
                       KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_INT(rows), ARG_INT(per_item), ARG_BUFFER(v),
                                        ARG_BUFFER(packed), ARG_BUFFER(m)));
}

status conv_winograd_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *packed, buffer *bias,
                         buffer *of, buffer *out)
{
    const conv_winograd *w = &g->winograd;
    const int all = n * w->tiles_y * w->tiles_x;
    size_t in_group[3], out_group[3];
    char text[32];
    buffer *v, *m;
    conv_group_options(p, vectors_in(p, g), in_group, text);
    conv_group_options(p, vectors_out(p, g), out_group, text);
    status e = workspace_get(c, p->d, WORKSPACE_FIRST, w->v_bytes, &v);
    if (!e) e = workspace_get(c, p->d, WORKSPACE_SECOND, w->m_bytes, &m);
    /* Floats of a tile, for the profile. */
    const double in_floats = (double)n * g->h * g->w * g->in / all,
                 out_floats = (double)n * g->out_h * g->out_w * g->out / all;
    const double v_floats = (double)w->v_bytes / w->chunk / 4, m_floats = (double)w->m_bytes / w->chunk / 4;
    for (int first = 0; first < all && !e; first += w->chunk) {
        const int count = all - first < w->chunk ? all - first : w->chunk, rows = (int)rounded(count, w->rows);
        const size_t windows[3] = {(size_t)vectors_in(p, g), (size_t)count, 1};
        const size_t results[3] = {(size_t)vectors_out(p, g), (size_t)count, 1};
        kernel_work(p->d, 0, 4. * count * (in_floats + v_floats));
        e = conv_launch_groups(c, w->windows, in_group, windows,
                               KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_BUFFER(in), ARG_BUFFER(v), ARG_INT(first),
                                                ARG_INT(count), ARG_INT(rows)));
        if (e) break;
        kernel_work(p->d, 2. * UNITS * p->ci * p->co * count,
                    4. * count * (v_floats + m_floats) + (double)g->packed_bytes);
        e = products_run(c, p, w, rows, v, packed, m);
        if (e) break;
        kernel_work(p->d, 0, 4. * count * (m_floats + out_floats));
        e = conv_launch_groups(c, w->results, out_group, results,
                               KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_BUFFER(m), ARG_BUFFER(bias), ARG_BUFFER(out),
                                                ARG_INT(first), ARG_INT(count), ARG_INT(rows), ARG_FLOAT(g->end.leak),
                                                ARG_BUFFER(of)));
    }
    return e;
}
