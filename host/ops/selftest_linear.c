/* Checks of convolutions, dense layers and GEMM. */
#include "ops/selftest_checks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "ops/conv.h"
#include "ops/dense.h"
#include "ops/gemm.h"
#include "ops/ref/activation_ref.h"
#include "ops/ref/conv_ref.h"
#include "ops/ref/dense_ref.h"

#define EPS 0x1p-24

/* Operands are uniform in −1 … 1: products have an rms of 1/3 and partial sums of K of them grow to √K/3, each rounded
 * within EPS of itself. The largest error of many elements is then K/4 to K/2 EPS in units of an operand's rms (.58): K
 * + 16 is the bound. A lost term would be thousands of times that. */
static double sum_bound(double k)
{
    return (k + 16) * EPS;
}

/* By Winograd's filtering the errors of the transforms, which round numbers as large as the sums, come on top: the
 * largest of many is about 40 √K EPS. */
static double filtered_bound(const conv_shape *s, double k)
{
    return sum_bound(k) + (conv_algorithm_of(s) == CONV_WINOGRAD ? 64 * sqrt(k) * EPS : 0);
}

double selftest_conv_bound(const conv_shape *s, int direction, int n)
{
    const double taps = (double)s->kernel * s->kernel;
    return filtered_bound(s, direction == CONV_FORWARD         ? taps * s->ci
                             : direction == CONV_BACKWARD_DATA ? taps * s->co
                                                               : (double)n * s->oh * s->ow);
}

/* A row of a convolution, whose name tells CLBlast's from ours. */
static void conv_compare(selftest *t, const conv_shape *s, const char *name, int direction, int n, buffer *got,
                         const double *want, size_t count)
{
    char full[sizeof t->rows->operator_name];
    snprintf(full, sizeof full, "%s%s", name, conv_algorithm_of(s) == CONV_CLBLAST ? " (CLBlast)" : "");
    selftest_compare(t, full, got, want, count, .58, selftest_conv_bound(s, direction, n));
}

conv_arrays selftest_conv_arrays(selftest *t, const conv_shape *s, int n)
{
    const size_t ci = (size_t)layout_channels(s->ci), co = (size_t)layout_channels(s->co),
                 taps = (size_t)(s->kernel * s->kernel);
    const size_t rows_x = (size_t)n * (size_t)s->h * (size_t)s->w, rows_y = (size_t)n * (size_t)s->oh * (size_t)s->ow;
    conv_arrays a = {.nx = rows_x * ci, .ny = rows_y * co, .nw = conv_weight_count(s)};
    float *x = selftest_padded(t, rows_x, s->ci, -1, 1), *y = selftest_padded(t, rows_y, s->co, -1, 1);
    float *w = selftest_memory(t, a.nw, sizeof *w), *bias_y = selftest_padded(t, 1, s->co, -1, 1);
    float *bias_x = selftest_padded(t, 1, s->ci, -1, 1);
    const float *values = selftest_values(t, taps * (size_t)s->ci * (size_t)s->co, -1, 1);
    size_t used = 0;
    for (int ky = 0; ky < s->kernel && !t->s; ky++)
        for (int kx = 0; kx < s->kernel; kx++)
            for (int i = 0; i < s->ci; i++)
                for (int o = 0; o < s->co; o++) w[conv_weight_index(s, ky, kx, i, o)] = values[used++];
    a.x = selftest_widen(t, x, a.nx), a.y = selftest_widen(t, y, a.ny), a.w = selftest_widen(t, w, a.nw);
    a.bias_y = selftest_widen(t, bias_y, co), a.bias_x = selftest_widen(t, bias_x, ci);
    a.bx = selftest_upload(t, "x", x, a.nx), a.by = selftest_upload(t, "y", y, a.ny);
    a.bw = selftest_upload(t, "weights", w, a.nw);
    a.bbias_y = selftest_upload(t, "bias", bias_y, co), a.bbias_x = selftest_upload(t, "bias", bias_x, ci);
    return a;
}

/* Ends as networks without normalisation have them; x and y serve as outputs of the activation. */
static const conv_ends leaky = {.forward = {ACTIVATION_LEAKY, .2f, false}, .backward = {ACTIVATION_LEAKY, .2f, true}};

static void conv_run(selftest *t, const conv_shape *s, const batching *b, const conv_arrays *a, const conv_ends *ends,
                     conv_plan *p)
{
    buffer *y = selftest_output(t, "y", a->ny), *x = selftest_output(t, "x", a->nx),
           *dw = selftest_output(t, "dw", a->nw);
    double *want_y = selftest_doubles(t, a->ny), *want_x = selftest_doubles(t, a->nx),
           *want_w = selftest_doubles(t, a->nw);
    selftest_start(t);
    if (!t->s) t->s = conv_pack(t->c, p, a->bw);
    if (!t->s) t->s = conv_forward(t->c, p, b->n, a->bx, a->bbias_y, a->by, y);
    selftest_stop(t);
    if (t->s) return;
    conv_ref_forward(s, b->n, a->x, a->w, a->bias_y, want_y);
    for (size_t i = 0; ends && i < a->ny; i++) want_y[i] = activation_ref_value(ACTIVATION_LEAKY, .2, want_y[i]);
    conv_compare(t, s, "conv_forward", CONV_FORWARD, b->n, y, want_y, a->ny);
    selftest_start(t);
    if (!t->s) t->s = conv_backward_data(t->c, p, b->n, a->by, a->bbias_x, a->bx, x);
    selftest_stop(t);
    if (t->s) return;
    conv_ref_backward_data(s, b->n, a->y, a->w, a->bias_x, want_x);
    for (size_t i = 0; ends && i < a->nx; i++) want_x[i] *= activation_ref_slope(ACTIVATION_LEAKY, .2, a->x[i]);
    conv_compare(t, s, "conv_backward_data", CONV_BACKWARD_DATA, b->n, x, want_x, a->nx);
    selftest_start(t);
    if (!t->s) t->s = conv_backward_weights(t->c, p, b, a->bx, a->by, dw);
    selftest_stop(t);
    if (t->s) return;
    conv_ref_backward_weights(s, b->n, a->x, a->y, want_w);
    conv_compare(t, s, "conv_backward_weights", CONV_BACKWARD_WEIGHTS, b->n, dw, want_w, a->nw);
}

void check_conv(selftest *t, const conv_shape *s, const batching *b, const conv_ends *ends)
{
    conv_plan *p = NULL;
    selftest_size(t, "n %d, %d × %d × %d, %d × %d × %d, k %d", b->n, s->h, s->w, s->ci, s->oh, s->ow, s->co, s->kernel);
    const conv_arrays a = selftest_conv_arrays(t, s, b->n);
    if (!t->s)
        t->s = conv_plan_new(t->c, t->d, s, CONV_FORWARD | CONV_BACKWARD_DATA | CONV_BACKWARD_WEIGHTS, b->n,
                             batching_count(b), ends, &p);
    if (!t->s) conv_run(t, s, b, &a, ends, p);
    conv_plan_delete(&p);
    if (!t->s) selftest_release(t);
}

static void check_small_convs(selftest *t, conv_algorithm a)
{
    const batching three = {.n = 3, .segment = 3, .micro = 2};
    /* Of shapes whose programs the layers of a training use as well: each takes its time to build. */
    const conv_shape small[] = {{8, 8, 17, 4, 4, 50, 5, 2, 2, a},
                                {7, 7, 1, 4, 4, 20, 5, 2, 2, a},
                                {8, 6, 17, 4, 3, 50, 5, 2, 2, a == CONV_AUTO ? CONV_DIRECT : a}};
    for (size_t i = 0; i < sizeof small / sizeof small[0] && !t->s; i++) check_conv(t, &small[i], &three, &leaky);
}

static void check_preset_convs(selftest *t, conv_algorithm a)
{
    const batching two = {.n = 2, .segment = 2, .micro = 1};
    const conv_shape preset[] = {{128, 128, 1, 64, 64, 32, 5, 2, 2, a},
                                 {64, 64, 32, 32, 32, 64, 5, 2, 2, a},
                                 {8, 8, 256, 4, 4, 512, 5, 2, 2, a}};
    for (size_t i = 0; i < sizeof preset / sizeof preset[0] && !t->s; i++) check_conv(t, &preset[i], &two, &leaky);
}

void family_conv(selftest *t)
{
    check_small_convs(t, CONV_AUTO);
    if (selftest_large(t)) check_preset_convs(t, CONV_AUTO);
}

/* ---- dense layers
 * ---------------------------------------------------------------------------------------------------- */

static void dense_run(selftest *t, const dense_shape *s, const batching *b, dense_plan *p)
{
    const size_t in = (size_t)layout_channels(s->in), out = (size_t)layout_channels(s->out), n = (size_t)b->n;
    float *x = selftest_padded(t, n, s->in, -1, 1), *dy = selftest_padded(t, n, s->out, -1, 1);
    float *w = selftest_padded(t, in, s->out, -1, 1), *bias = selftest_padded(t, 1, s->out, -1, 1);
    for (size_t i = (size_t)s->in * out; w && i < in * out; i++) w[i] = 0;
    double *wx = selftest_widen(t, x, n * in), *wdy = selftest_widen(t, dy, n * out),
           *ww = selftest_widen(t, w, in * out);
    double *wb = selftest_widen(t, bias, out), *y = selftest_doubles(t, n * out), *dx = selftest_doubles(t, n * in);
    double *dw = selftest_doubles(t, in * out);
    buffer *bx = selftest_upload(t, "x", x, n * in), *bdy = selftest_upload(t, "dy", dy, n * out);
    buffer *bw = selftest_upload(t, "w", w, in * out), *bb = selftest_upload(t, "bias", bias, out);
    buffer *by = selftest_output(t, "y", n * out), *bdx = selftest_output(t, "dx", n * in);
    buffer *bdw = selftest_output(t, "dw", in * out);
    selftest_start(t);
    if (!t->s) t->s = dense_forward(t->c, p, b->n, bx, bw, bb, by);
    selftest_stop(t);
    if (t->s) return;
    dense_ref_forward(s, b->n, wx, ww, wb, y);
    selftest_compare(t, "dense_forward", by, y, n * out, .58, sum_bound(s->in));
    selftest_start(t);
    if (!t->s) t->s = dense_backward_data(t->c, p, b->n, bdy, bw, bdx);
    selftest_stop(t);
    if (t->s) return;
    dense_ref_backward_data(s, b->n, wdy, ww, dx);
    selftest_compare(t, "dense_backward_data", bdx, dx, n * in, .58, sum_bound(s->out));
    selftest_start(t);
    if (!t->s) t->s = dense_backward_weights(t->c, p, b, bx, bdy, bdw);
    selftest_stop(t);
    if (t->s) return;
    dense_ref_backward_weights(s, b->n, wx, wdy, dw);
    selftest_compare(t, "dense_backward_weights", bdw, dw, in * out, .58, sum_bound(b->n));
}

void check_dense(selftest *t, const dense_shape *s, const batching *b)
{
    dense_plan *p = NULL;
    selftest_size(t, "n %d, %d → %d", b->n, s->in, s->out);
    t->s = t->s ? t->s : dense_plan_new(t->c, t->d, s, b->n, batching_count(b), &p);
    if (!t->s) dense_run(t, s, b, p);
    dense_plan_delete(&p);
    if (!t->s) selftest_release(t);
}

void family_dense(selftest *t)
{
    const batching few = {.n = 7, .segment = 7, .micro = 3}, preset = {.n = 20, .segment = 10, .micro = 10};
    const dense_shape small[] = {{100, 50}, {50, 1}}, large[] = {{100, 8192}, {8192, 1}};
    for (int i = 0; i < 2 && !t->s; i++) check_dense(t, &small[i], &few);
    if (!selftest_large(t)) return;
    for (int i = 0; i < 2 && !t->s; i++) check_dense(t, &large[i], &preset);
}

/* ---- GEMM
 * ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    gemm_backend backend;
    bool ta, tb;
    int m, n, k;
} gemm_case;

static void gemm_ref(const gemm_case *g, const float *a, int lda, const float *b, int ldb, double *out, int ldc)
{
    for (int i = 0; i < g->m; i++)
        for (int k = 0; k < g->k; k++) {
            const double v = g->ta ? a[(size_t)k * lda + i] : a[(size_t)i * lda + k];
            for (int j = 0; j < g->n; j++)
                out[(size_t)i * ldc + j] += v * (g->tb ? b[(size_t)j * ldb + k] : b[(size_t)k * ldb + j]);
        }
}

void check_gemm(selftest *t, bool clblast, bool ta, bool tb, int m, int n, int k)
{
    const gemm_case g = {clblast ? GEMM_CLBLAST : GEMM_OURS, ta, tb, m, n, k};
    const int lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2;
    const size_t na = (size_t)lda * (ta ? k : m), nb = (size_t)ldb * (tb ? n : k), nc = (size_t)ldc * m;
    float *a = selftest_values(t, na, -1, 1), *b = selftest_values(t, nb, -1, 1), *c = selftest_values(t, nc, 0, 0);
    double *want = selftest_doubles(t, nc);
    buffer *ba = selftest_upload(t, "a", a, na), *bb = selftest_upload(t, "b", b, nb),
           *bc = selftest_upload(t, "c", c, nc);
    selftest_size(t, "%d × %d × %d%s%s", m, n, k, ta ? ", a transposed" : "", tb ? ", b transposed" : "");
    selftest_start(t);
    if (!t->s) t->s = gemm_run(t->c, t->d, g.backend, ta, tb, m, n, k, ba, lda, bb, ldb, bc, ldc);
    selftest_stop(t);
    if (t->s) return;
    gemm_ref(&g, a, lda, b, ldb, want, ldc);
    sha256 *hash = t->hash;
    if (clblast) t->hash = NULL;
    selftest_compare(t, clblast ? "gemm (CLBlast)" : "gemm", bc, want, nc, .58, sum_bound(k));
    t->hash = hash;
    selftest_release(t);
}

void family_gemm(selftest *t)
{
    for (int form = 0; form < 4; form++) check_gemm(t, false, form & 1, form & 2, 37, 53, 41);
    if (selftest_large(t)) check_gemm(t, false, false, false, 256, 256, 800);
}

/* An option only, and outside the guarantee of one result. */
void family_clblast(selftest *t)
{
    if (device_info(t->d)->avoid_clblast || !t->clblast) return;
    check_gemm(t, true, false, false, 37, 53, 41);
    check_gemm(t, true, true, true, 37, 53, 41);
    check_small_convs(t, CONV_CLBLAST);
    if (!selftest_large(t)) return;
    check_gemm(t, true, false, false, 256, 256, 800);
    check_preset_convs(t, CONV_CLBLAST);
}
