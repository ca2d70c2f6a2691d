/* Convolutions as GEMMs of CLBlast over columns (im2col), kernels/conv_columns.cl: any geometry, outside the guarantee
 * of one result.
 *
 *   forward            y = columns of x · W, then bias and end
 *   backward data      columns = y · Wᵀ, then x = sums of the columns that meet a pixel, bias and end
 *   backward weights   dW = Σ over chunks of (columns of x)ᵀ · y, in order
 *
 * in chunks of whole samples, as many as the workspace allows and at least one. All three GEMMs are of the same three
 * sizes, pixels of y, products of a pixel (kernel² · ci) and co, and so take the same workspace: the columns its first
 * part, CLBlast's copies its second. */
#include "ops/conv_internal.h"

#include <stdio.h>
#include "ops/gemm.h"

enum { EACH_CPU = 16 };

bool conv_columns_suits(const conv_shape *s)
{
    return s->algorithm == CONV_CLBLAST;
}

static int y_pixels(const conv_plan *p)
{
    return p->s.oh * p->s.ow;
}

static int x_pixels(const conv_plan *p)
{
    return p->s.h * p->s.w;
}

/* Floats of a pixel's columns. */
static int row_floats(const conv_plan *p)
{
    return p->s.kernel * p->s.kernel * p->ci;
}

/* Samples of a chunk, in chunks of equal size, and the workspace that they take. */
static status sizes_choose(context *c, conv_plan *p)
{
    /* CLBlast's kernels count floats in 32 bits; it is not faster on more than this. */
    const size_t most = (size_t)1 << 30, limit = workspace_limit(p->d) < most ? workspace_limit(p->d) : most;
    conv_columns *k = &p->columns;
    for (int chunks = 1;; chunks++) {
        k->samples = divide_up(p->max_samples, chunks);
        const double pixels = (double)k->samples * y_pixels(p), floats = pixels * row_floats(p);
        if (floats < 2147483648.) {
            k->bytes = sizeof(float) * (size_t)floats;
            k->scratch_bytes = gemm_clblast_scratch((int)pixels, p->co, row_floats(p));
            if (k->samples == 1 || (k->bytes <= limit && k->scratch_bytes <= limit)) return STATUS_OK;
        } else if (k->samples == 1)
            return context_fail(c, STATUS_USAGE,
                                "convolution: the columns of one sample of %dx%dx%d, kernel %d, are more than 2^31 "
                                "numbers; take network.algorithm=auto",
                                p->s.oh, p->s.ow, p->ci, p->s.kernel);
    }
}

static status workspace(context *c, const conv_plan *p, buffer **columns)
{
    buffer *scratch;
    const status e = workspace_get(c, p->d, WORKSPACE_SECOND, p->columns.scratch_bytes, &scratch);
    return e ? e : workspace_get(c, p->d, WORKSPACE_FIRST, p->columns.bytes, columns);
}

static int lanes_of(const conv_plan *p, int channels)
{
    return channels == 1 ? 1 : p->tiles.vector;
}

static status get(context *c, const conv_plan *p, const char *entry, int channels, const conv_end *end, kernel **out)
{
    char text[96], more[48] = "";
    if (end) conv_end_options(end, more);
    snprintf(text, sizeof text, "-DVW=%d -DWG=%d%s", lanes_of(p, channels), p->tiles.work_group, more);
    return kernel_get(c, p->d, "conv_columns", entry, text, out);
}

/* What every direction needs. */
static status columns_new(context *c, conv_plan *p)
{
    buffer *columns;
    status e = gemm_clblast_check(c, p->d);
    if (!e) e = sizes_choose(c, p);
    if (!e) e = workspace(c, p, &columns);
    return e ? e : get(c, p, "columns_of_images", p->ci, NULL, &p->columns.of_images);
}

status conv_columns_new(context *c, conv_plan *p, conv_gather *g)
{
    status e = columns_new(c, p);
    if (!e)
        e = g->backward ? get(c, p, "images_of_columns", p->ci, &g->end, &g->run)
                        : get(c, p, "columns_end", p->co, &g->end, &g->run);
    return e;
}

/* ---- launches: of `pixels` pixels with these channels ------------------------------------------------------------ */

/* Pixels and channels of a work-item: many on a CPU, one vector elsewhere. */
typedef struct {
    int each, channels, taps;
    size_t global[3];
} share;

static share share_of(const conv_plan *p, int pixels, int channels, int taps)
{
    const bool few = p->tiles.work_group > 1;
    share h = {.each = few ? 1 : EACH_CPU,
               .channels = few ? lanes_of(p, channels) : channels,
               .taps = few ? 1 : taps,
               .global = {1, 1, 1}};
    h.global[0] = (size_t)divide_up(pixels, h.each) * (size_t)divide_up(taps, h.taps) * (size_t)(channels / h.channels);
    return h;
}

#define GEOMETRY(p)                                                                                                    \
    ARG_INT((p)->s.h), ARG_INT((p)->s.w), ARG_INT((p)->ci), ARG_INT((p)->s.oh), ARG_INT((p)->s.ow),                    \
        ARG_INT((p)->s.kernel), ARG_INT((p)->s.stride), ARG_INT((p)->s.pad)

/* The columns of `count` samples of x. */
static status columns_make(context *c, conv_plan *p, int first, int count, buffer *x, buffer *columns)
{
    const int pixels = count * y_pixels(p);
    const share h = share_of(p, pixels, p->ci, p->s.kernel * p->s.kernel);
    kernel_work(p->d, 0, 4. * (pixels * (double)row_floats(p) + (double)count * x_pixels(p) * p->ci));
    return conv_launch(c, p, p->columns.of_images, h.global,
                       KERNEL_ARGUMENTS(ARG_INT(pixels), ARG_INT(h.each), ARG_INT(h.taps), ARG_INT(h.channels),
                                        ARG_ULONG((uint64_t)first * (uint64_t)x_pixels(p)), GEOMETRY(p), ARG_BUFFER(x),
                                        ARG_BUFFER(columns)));
}

static status images_make(context *c, conv_plan *p, const conv_gather *g, int first, int count, buffer *columns,
                          buffer *bias, buffer *of, buffer *x)
{
    const int pixels = count * x_pixels(p);
    const share h = share_of(p, pixels, p->ci, 1);
    kernel_work(p->d, 0, 4. * (count * (double)y_pixels(p) * row_floats(p) + (double)pixels * p->ci));
    return conv_launch(c, p, g->run, h.global,
                       KERNEL_ARGUMENTS(ARG_INT(pixels), ARG_INT(h.each), ARG_INT(h.channels),
                                        ARG_ULONG((uint64_t)first * (uint64_t)x_pixels(p)), GEOMETRY(p),
                                        ARG_BUFFER(columns), ARG_BUFFER(bias), ARG_BUFFER(x), ARG_FLOAT(g->end.leak),
                                        ARG_BUFFER(of)));
}

static status end_make(context *c, conv_plan *p, const conv_gather *g, int first, int count, buffer *bias, buffer *of,
                       buffer *y)
{
    if (!bias && g->end.f == ACTIVATION_NONE) return STATUS_OK;
    const int pixels = count * y_pixels(p);
    const share h = share_of(p, pixels, p->co, 1);
    kernel_work(p->d, 0, 8. * pixels * p->co);
    return conv_launch(c, p, g->run, h.global,
                       KERNEL_ARGUMENTS(ARG_INT(pixels), ARG_INT(h.each), ARG_INT(h.channels),
                                        ARG_ULONG((uint64_t)first * (uint64_t)y_pixels(p)), ARG_INT(p->co),
                                        ARG_BUFFER(bias), ARG_BUFFER(y), ARG_FLOAT(g->end.leak), ARG_BUFFER(of)));
}

/* ---- the three directions ---------------------------------------------------------------------------------------- */

static status forward(context *c, conv_plan *p, conv_gather *g, int first, int count, buffer *columns, buffer *x,
                      buffer *weights, buffer *bias, buffer *of, buffer *y)
{
    const int m = count * y_pixels(p), k = row_floats(p);
    const gemm_problem product = {.m = m,
                                  .n = p->co,
                                  .k = k,
                                  .a = columns,
                                  .lda = k,
                                  .b = weights,
                                  .ldb = p->co,
                                  .out = y,
                                  .ldc = p->co,
                                  .out_at = (size_t)first * (size_t)y_pixels(p) * (size_t)p->co};
    status e = columns_make(c, p, first, count, x, columns);
    if (!e) e = gemm_clblast(c, p->d, &product);
    return e ? e : end_make(c, p, g, first, count, bias, of, y);
}

static status backward(context *c, conv_plan *p, conv_gather *g, int first, int count, buffer *columns, buffer *y,
                       buffer *weights, buffer *bias, buffer *of, buffer *x)
{
    const int m = count * y_pixels(p), n = row_floats(p);
    const gemm_problem product = {.m = m,
                                  .n = n,
                                  .k = p->co,
                                  .a = y,
                                  .lda = p->co,
                                  .a_at = (size_t)first * (size_t)y_pixels(p) * (size_t)p->co,
                                  .b = weights,
                                  .tb = true,
                                  .ldb = p->co,
                                  .out = columns,
                                  .ldc = n};
    const status e = gemm_clblast(c, p->d, &product);
    return e ? e : images_make(c, p, g, first, count, columns, bias, of, x);
}

status conv_columns_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *packed, buffer *bias,
                        buffer *of, buffer *out)
{
    buffer *columns;
    status e = workspace(c, p, &columns);
    for (int first = 0; first < n && !e; first += p->columns.samples) {
        const int count = n - first < p->columns.samples ? n - first : p->columns.samples;
        e = (g->backward ? backward : forward)(c, p, g, first, count, columns, in, packed, bias, of, out);
    }
    return e;
}

status conv_columns_weights_new(context *c, conv_plan *p)
{
    return columns_new(c, p);
}

status conv_columns_weights_run(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw)
{
    buffer *columns;
    status e = workspace(c, p, &columns);
    for (int first = 0; first < b->n && !e; first += p->columns.samples) {
        const int count = b->n - first < p->columns.samples ? b->n - first : p->columns.samples;
        const gemm_problem product = {.ta = true,
                                      .add = first > 0,
                                      .m = row_floats(p),
                                      .n = p->co,
                                      .k = count * y_pixels(p),
                                      .a = columns,
                                      .lda = row_floats(p),
                                      .b = y,
                                      .b_at = (size_t)first * (size_t)y_pixels(p) * (size_t)p->co,
                                      .ldb = p->co,
                                      .out = dw,
                                      .ldc = p->co};
        e = columns_make(c, p, first, count, x, columns);
        if (!e) e = gemm_clblast(c, p->d, &product);
    }
    return e;
}
