/* Forward and backward data: kernels/conv_gather.cl, conv_narrow_in.cl, conv_narrow_out.cl and conv_pack.cl. */
#include "ops/conv_internal.h"

#include <stdio.h>

enum { PACK_ROWS = 64, ROWS_MOST = 10 };

const char *conv_end_options(const conv_end *end, char text[48])
{
    text[0] = 0;
    if (end->f != ACTIVATION_NONE) snprintf(text, 48, " -DEND=%d -DACTIVATION=%d", end->slope ? 2 : 1, (int)end->f);
    return text;
}

static void options_write(const conv_plan *p, const conv_gather *g, const char *more, char text[CONV_OPTIONS])
{
    snprintf(
        text, CONV_OPTIONS,
        "-DBACKWARD=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d -DIH=%d -DIW=%d -DCIN=%d -DOH=%d -DOW=%d -DCOUT=%d -DVW=%d "
        "-DWG=%d %s",
        g->backward, p->s.kernel, p->s.stride, p->s.pad, g->h, g->w, g->in, g->out_h, g->out_w, g->out, p->tiles.vector,
        p->tiles.work_group, more);
}

static status kernels_get(context *c, conv_plan *p, conv_gather *g)
{
    const conv_tiles *t = &p->tiles;
    const int row = divide_up(g->out_w, g->backward ? p->s.stride : 1); /* pixels of a phase's row */
    char more[128], text[CONV_OPTIONS], end[48];
    conv_end_options(&g->end, end);
    g->columns = t->work_group > 1 ? t->narrow_rows : divide_up(row, t->narrow_rows) * t->narrow_rows;
    if (g->path == CONV_NARROW_OUT) {
        snprintf(more, sizeof more, "-DMR=%d -DCOLS=%d%s", t->narrow_rows, g->columns, end);
        options_write(p, g, more, text);
        return kernel_get(c, p->d, "conv_narrow_out", "conv_narrow_out", text, &g->run);
    }
    g->vectors = conv_tuning_vectors(g->out, t->vector, t->vectors);
    g->rows = t->rows ? t->rows : t->registers / g->vectors;
    if (!t->rows && g->rows > ROWS_MOST) g->rows = ROWS_MOST;
    if (g->rows < 1) g->rows = 1;
    status e;
    if (g->path == CONV_NARROW_IN) {
        snprintf(more, sizeof more, "-DMR=%d -DNV=%d -DCOLS=%d%s", t->narrow_rows, g->vectors, g->columns, end);
        options_write(p, g, more, text);
        e = kernel_get(c, p->d, "conv_narrow_in", "conv_narrow_in", text, &g->run);
    } else {
        snprintf(more, sizeof more, "-DMR=%d -DNV=%d -DKU=%d%s", g->rows, g->vectors, g->in == 1 ? 1 : t->unroll, end);
        options_write(p, g, more, text);
        e = kernel_get(c, p->d, "conv_gather", "conv_gather", text, &g->run);
    }
    if (e) return e;
    /* Backward packing transposes blocks of lanes × lanes; with one channel in y there is nothing to transpose. */
    snprintf(text, sizeof text,
             "-DBACKWARD=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d -DCI=%d -DCO=%d -DNR=%d -DVW=%d -DROWS=%d -DWG=%d",
             g->backward, p->s.kernel, p->s.stride, p->s.pad, p->ci, p->co, g->vectors * t->vector,
             g->backward && p->co == 1 ? 1 : t->vector, PACK_ROWS, t->work_group);
    return kernel_get(c, p->d, "conv_pack", g->backward ? "conv_pack_backward" : "conv_pack_forward", text, &g->pack);
}

status conv_gather_new(context *c, conv_plan *p, bool backward, const conv_end *end)
{
    const conv_shape *s = &p->s;
    conv_gather *g = backward ? &p->backward : &p->forward;
    p->tiles = g->tiles;
    g->backward = backward;
    g->end = *end;
    g->phases = backward ? s->stride * s->stride : 1;
    g->h = backward ? s->oh : s->h, g->w = backward ? s->ow : s->w, g->in = backward ? p->co : p->ci;
    g->out_h = backward ? s->h : s->oh, g->out_w = backward ? s->w : s->ow, g->out = backward ? p->ci : p->co;
    g->path = g->out == 1 ? CONV_NARROW_OUT : g->in == 1 && !backward ? CONV_NARROW_IN : CONV_GATHER;
    if (conv_algorithm_of(s) == CONV_WINOGRAD) g->path = CONV_FILTERED;
    if (g->path == CONV_FILTERED) return conv_winograd_new(c, p, g);
    const status e = kernels_get(c, p, g);
    if (e) return e;
    return buffer_new(c, p->d,
                      backward ? "packed weights of a convolution, backward" : "packed weights of a convolution",
                      sizeof(float) * conv_weight_count(s), &g->packed);
}

void conv_gather_delete(conv_gather *g)
{
    buffer_delete(&g->packed);
}

status conv_gather_pack(context *c, conv_plan *p, conv_gather *g, buffer *weights)
{
    p->tiles = g->tiles;
    if (g->path == CONV_FILTERED) return conv_winograd_pack(c, p, g, weights);
    const size_t taps = (size_t)p->s.kernel * (size_t)p->s.kernel;
    if (!g->pack) return buffer_copy(c, weights, 0, g->packed, 0, sizeof(float) * conv_weight_count(&p->s));
    const size_t ci = (size_t)p->ci, co = (size_t)p->co, nr = (size_t)(g->vectors * p->tiles.vector);
    const size_t lanes = p->co == 1 ? 1 : (size_t)p->tiles.vector;
    const size_t forward[3] = {(taps * ci + PACK_ROWS - 1) / PACK_ROWS, co / nr, 1};
    const size_t per_phase = (size_t)((p->s.kernel + p->s.stride - 1) / p->s.stride);
    const size_t backward[3] = {ci / lanes, per_phase * per_phase, (size_t)g->phases};
    return conv_launch(c, p, g->pack, g->backward ? backward : forward,
                       KERNEL_ARGUMENTS(ARG_BUFFER(weights), ARG_BUFFER(g->packed)));
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

status conv_gather_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *bias, buffer *of,
                       buffer *out)
{
    p->tiles = g->tiles;
    if (g->path == CONV_FILTERED) return conv_winograd_run(c, p, g, n, in, bias, of, out);
    const int ps = g->backward ? p->s.stride : 1;
    const int qh = divide_up(g->out_h, ps), qw = divide_up(g->out_w, ps);
    conv_work(p, n);
    if (g->path == CONV_NARROW_OUT) {
        const size_t global[3] = {(size_t)n * (size_t)qh, (size_t)divide_up(qw, g->columns), 1};
        return conv_launch(c, p, g->run, global,
                           KERNEL_ARGUMENTS(ARG_INT(n), ARG_BUFFER(in), ARG_BUFFER(g->packed), ARG_BUFFER(bias),
                                            ARG_BUFFER(p->zeros), ARG_BUFFER(out), ARG_FLOAT(g->end.leak),
                                            ARG_BUFFER(of)));
    }
    const size_t columns = (size_t)(g->out / (g->vectors * p->tiles.vector));
    if (g->path == CONV_NARROW_IN) {
        const size_t global[3] = {(size_t)n * (size_t)g->out_h, columns, (size_t)divide_up(qw, g->columns)};
        return conv_launch(c, p, g->run, global,
                           KERNEL_ARGUMENTS(ARG_INT(n), ARG_BUFFER(in), ARG_BUFFER(g->packed), ARG_BUFFER(bias),
                                            ARG_BUFFER(out), ARG_FLOAT(g->end.leak), ARG_BUFFER(of)));
    }
    const int tiles = divide_up(n * qh * qw, g->rows), per_item = tiles_per_item(p, tiles, (int)columns * g->phases);
    const size_t global[3] = {(size_t)divide_up(tiles, per_item), columns, (size_t)g->phases};
    return conv_launch(c, p, g->run, global,
                       KERNEL_ARGUMENTS(ARG_INT(n), ARG_INT(p->tiles.group), ARG_INT(per_item), ARG_BUFFER(in),
                                        ARG_BUFFER(g->packed), ARG_BUFFER(bias), ARG_BUFFER(p->zeros), ARG_BUFFER(out),
                                        ARG_FLOAT(g->end.leak), ARG_BUFFER(of)));
}
