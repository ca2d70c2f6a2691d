/* Checks of the pointwise operators, random numbers, crops and transforms. Bounds: EPS is half an ulp of 1; a function
 * of kernels/explicit.h is within its ulp count of the header. */
#include "ops/selftest_checks.h"

#include <math.h>
#include <string.h>
#include "base/rng.h"
#include "ops/launch.h"
#include "ops/random.h"
#include "ops/ref/activation_ref.h"
#include "ops/ref/crop_ref.h"
#include "ops/ref/loss_ref.h"
#include "ops/ref/random_ref.h"
#include "ops/ref/transform_ref.h"

#define EPS 0x1p-24
#define TINY 0x1p-100
#define LOG2E 1.4426950408889634

/* ---- explicit.h ---------------------------------------------------------------------------------------------------
 */

enum { RCP, DIV, SQRT, RSQRT, EXP, LOG, LOG1P01, SOFTPLUS, SIGMOID, TANH, SINE, COSINE, EXPLICIT_COUNT };

/* Values from exponents low … high of 2, of both signs if `sign`. */
static float *values_over(selftest *t, size_t n, double low, double high, bool sign)
{
    float *x = selftest_octaves(t, n, low, high);
    for (size_t i = 1; sign && x && i < n; i += 2) x[i] = -x[i];
    return x;
}

static float *explicit_arguments(selftest *t, int which, size_t n)
{
    float *x = NULL;
    switch (which) {
    case RCP:
        return values_over(t, n, -124, 124, true);
    case DIV:
        return values_over(t, n, -60, 60, true);
    case SQRT:
    case RSQRT:
        return values_over(t, n, -99, 125, false);
    case EXP:
        return selftest_values(t, n, -87, 88);
    case LOG:
        return values_over(t, n, -125, 127, false);
    case LOG1P01:
        return selftest_values(t, n, 0, 1);
    case TANH:
        return selftest_values(t, n, -10, 10);
    case SINE:
    case COSINE:
        x = selftest_values(t, n, 0, 1);
        for (size_t i = 0; x && i < n; i++) x[i] = floorf(x[i] * 0x1p24f) * 0x1p-24f;
        return x;
    default:
        return selftest_values(t, n, -60, 60);
    }
}

static double explicit_ref(int which, double x, double x2)
{
    const double two_pi = 6.283185307179586476925;
    switch (which) {
    case RCP:
        return 1 / x;
    case DIV:
        return x / x2;
    case SQRT:
        return sqrt(x);
    case RSQRT:
        return 1 / sqrt(x);
    case EXP:
        return exp(x);
    case LOG:
        return log(x);
    case LOG1P01:
        return log1p(x);
    case SOFTPLUS:
        return loss_ref_softplus(x);
    case SIGMOID:
        return 1 / (1 + exp(-x));
    case TANH:
        return tanh(x);
    case SINE:
        return sin(two_pi * x);
    default:
        return cos(two_pi * x);
    }
}

void check_explicit(selftest *t, size_t n)
{
    static const struct {
        const char *name;
        double ulp; /* bound; 1 ulp is at most 2 EPS of the value */
    } function[EXPLICIT_COUNT] = {{"explicit rcp", .51},   {"explicit div", .51},      {"explicit sqrt", .51},
                                  {"explicit rsqrt", .51}, {"explicit exp", 1.05},     {"explicit log", 1},
                                  {"explicit log1p01", 2}, {"explicit softplus", 2.8}, {"explicit sigmoid", 2.8},
                                  {"explicit tanh", 1.5},  {"explicit sine", 1},       {"explicit cosine", 1}};
    selftest_size(t, "%zu values", n);
    for (int which = 0; which < EXPLICIT_COUNT && !t->s; which++) {
        float *x = explicit_arguments(t, which, n), *x2 = values_over(t, n, -60, 60, true);
        buffer *bx = selftest_upload(t, "x", x, n), *bx2 = selftest_upload(t, "x2", x2, n);
        buffer *y = selftest_output(t, "y", n);
        double *want = selftest_doubles(t, n);
        selftest_start(t);
        if (!t->s)
            t->s = launch_run(t->c, t->d, "explicit", "explicit_evaluate", "", 0, launch_items(t->d, n, 1),
                              KERNEL_ARGUMENTS(ARG_INT(which), ARG_INT(0), ARG_BUFFER(bx), ARG_BUFFER(bx2),
                                               ARG_BUFFER(y), ARG_UINT(n)));
        selftest_stop(t);
        if (t->s) return;
        for (size_t i = 0; i < n; i++) want[i] = explicit_ref(which, x[i], x2[i]);
        selftest_compare(t, function[which].name, y, want, n, which >= SINE ? 1 : TINY, 2 * EPS * function[which].ulp);
        selftest_release(t);
    }
}

void family_explicit(selftest *t)
{
    check_explicit(t, 1037);
    if (selftest_large(t)) check_explicit(t, 100003);
}

/* ---- activations and bias ------------------------------------------------------------------------------------------
 */

void check_activation(selftest *t, activation f, size_t n)
{
    static const char *const names[] = {"none", "relu", "leaky", "tanh", "sigmoid"};
    const float leak = .2f;
    float *x = selftest_values(t, n, -6, 6), *dy = selftest_values(t, n, -1, 1);
    buffer *bx = selftest_upload(t, "x", x, n), *by = selftest_output(t, "y", n);
    buffer *bdy = selftest_upload(t, "dy", dy, n), *bdx = selftest_output(t, "dx", n);
    double *want = selftest_doubles(t, n);
    selftest_size(t, "%s, %zu", names[f], n);
    selftest_start(t);
    if (!t->s) t->s = activation_forward(t->c, t->d, f, leak, n, bx, by);
    selftest_stop(t);
    if (t->s) return;
    for (size_t i = 0; i < n; i++) want[i] = activation_ref_value(f, leak, x[i]);
    selftest_compare(t, "activation_forward", by, want, n, TINY, 2.8 * 2 * EPS);
    float *y = selftest_download(t, by, n);
    selftest_start(t);
    if (!t->s) t->s = activation_backward(t->c, t->d, f, leak, n, by, bdy, bdx);
    selftest_stop(t);
    if (t->s) return;
    for (size_t i = 0; i < n; i++) want[i] = dy[i] * activation_ref_slope(f, leak, y[i]);
    selftest_compare(t, "activation_backward", bdx, want, n, TINY, 2.1 * EPS);
    selftest_release(t);
}

/* The error of a sum of K terms of either sign is below K/8 · EPS times their rms; one lost term would be a whole rms.
 */
void check_bias(selftest *t, const batching *b, int pixels, int channels)
{
    const size_t rows = (size_t)b->n * (size_t)pixels, padded = (size_t)layout_channels(channels), n = rows * padded;
    float *dy = selftest_padded(t, rows, channels, -1, 1);
    double *wide = selftest_widen(t, dy, n), *want = selftest_doubles(t, padded);
    buffer *bdy = selftest_upload(t, "dy", dy, n), *db = selftest_output(t, "db", padded);
    buffer *scratch = selftest_output(t, "scratch", bias_scratch_bytes(b, channels) / 4);
    selftest_size(t, "n %d (%d, %d), %d px, %d ch", b->n, b->segment, b->micro, pixels, channels);
    selftest_start(t);
    if (!t->s) t->s = bias_backward(t->c, t->d, b, pixels, channels, bdy, scratch, db);
    selftest_stop(t);
    if (t->s) return;
    bias_ref_backward(b, pixels, (int)padded, wide, want);
    selftest_compare(t, "bias_backward", db, want, padded, .58, ((double)rows / 8 + 4) * EPS);
    selftest_release(t);
}

void family_activation(selftest *t)
{
    const batching small = {.n = 14, .segment = 7, .micro = 3}, preset = {.n = 20, .segment = 10, .micro = 10};
    for (int f = ACTIVATION_RELU; f <= ACTIVATION_SIGMOID; f++) check_activation(t, f, 1037);
    check_bias(t, &small, 35, 5);
    check_bias(t, &small, 9, 48);
    check_bias(t, &small, 63, 1);
    if (!selftest_large(t)) return;
    for (int f = ACTIVATION_RELU; f <= ACTIVATION_SIGMOID; f++) check_activation(t, f, 50 * 64 * 64);
    check_bias(t, &preset, 64 * 64, 32);
    check_bias(t, &preset, 4 * 4, 512);
    check_bias(t, &preset, 128 * 128, 1);
}

/* ---- random numbers ------------------------------------------------------------------------------------------------
 */

static void check_words(selftest *t, uint64_t first, size_t blocks)
{
    const uint64_t seed = 0x123456789abcdef;
    const size_t n = 4 * blocks;
    buffer *out = selftest_output(t, "words", n);
    selftest_size(t, "%zu blocks", blocks);
    selftest_start(t);
    if (!t->s)
        t->s = launch_run(t->c, t->d, "random", "random_words", "", 0, launch_items(t->d, blocks, 1),
                          KERNEL_ARGUMENTS(ARG_BUFFER(out), ARG_ULONG(seed), ARG_UINT(RNG_TEST), ARG_UINT(7),
                                           ARG_ULONG(first), ARG_UINT(blocks)));
    selftest_stop(t);
    const float *got = selftest_download(t, out, n);
    if (t->s) return;
    size_t wrong = 0;
    for (size_t b = 0; b < blocks; b++) {
        uint32_t w[4];
        rng_block(seed, RNG_TEST, first + b, 7, w);
        wrong += memcmp(w, got + 4 * b, sizeof w) != 0;
    }
    if (t->hash) sha256_add(t->hash, got, n * 4);
    selftest_add(t, "random_words", (double)wrong, 0);
    selftest_release(t);
}

void check_random(selftest *t, int rows, int columns, int stride, uint64_t first)
{
    const uint64_t seed = 42;
    const size_t n = (size_t)rows * (size_t)stride;
    const double sigma = 1;
    double *want = selftest_doubles(t, n);
    buffer *out = selftest_output(t, "normals", n);
    selftest_size(t, "%d × %d (%d), from %llu", rows, columns, stride, (unsigned long long)first);
    selftest_start(t);
    if (!t->s) t->s = random_normals(t->c, t->d, seed, RNG_TEST, 3, first, rows, columns, stride, (float)sigma, out);
    selftest_stop(t);
    if (t->s) return;
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < columns; k++)
            want[(size_t)r * (size_t)stride + (size_t)k] =
                sigma * random_ref_normal(seed, RNG_TEST, 3, first + (uint64_t)r * (uint64_t)columns + (uint64_t)k);
    /* Radius up to 6.7 with 3 roundings, angle within 1 ulp. */
    selftest_compare(t, "random_normals", out, want, n, 1, 20 * EPS);
    selftest_release(t);
}

void family_random(selftest *t)
{
    check_words(t, 0xfffffff0u, 37);
    check_random(t, 5, 7, 16, 3);
    check_random(t, 3, 16, 16, 0);
    if (selftest_large(t)) check_random(t, 50, 100, 112, 5000);
}

/* ---- crops and transforms ------------------------------------------------------------------------------------------
 */

void check_crop(selftest *t, const crop_shape *s)
{
    const size_t side = (size_t)s->crop, size = (size_t)s->parents * (size_t)s->ny * (size_t)s->nx;
    const int first = 2, all = s->parents * CROP_PER_PARENT, count = all + 1;
    const size_t n = (size_t)count * side * side;
    float *parents = selftest_values(t, size, 0, 1), *image = selftest_memory(t, side * side, sizeof *image);
    uint32_t *indices = selftest_memory(t, (size_t)(first + count), sizeof *indices);
    double *want = selftest_doubles(t, n);
    for (int i = 0; indices && i < all; i++) indices[first + i] = (uint32_t)(all - 1 - i);
    if (indices) indices[first + all] = (uint32_t)all + 5; /* beyond the last */
    buffer *bp = selftest_upload(t, "parents", parents, size), *out = selftest_output(t, "out", n);
    buffer *bi = selftest_upload(t, "indices", indices, (size_t)(first + count));
    selftest_size(t, "%d of %d × %d, crop %d", s->parents, s->ny, s->nx, s->crop);
    selftest_start(t);
    if (!t->s) t->s = crop_gather(t->c, t->d, s, bp, bi, first, count, out);
    selftest_stop(t);
    for (int i = 0; i < count && !t->s; i++) {
        t->s = crop_ref_image(t->c, s, parents, indices[first + i], image);
        for (size_t k = 0; k < side * side && !t->s; k++) want[(size_t)i * side * side + k] = image[k];
    }
    if (t->s) return;
    selftest_compare(t, "crop_gather", out, want, n, TINY, 0);
    selftest_release(t);
}

void family_crop(selftest *t)
{
    const crop_shape small = {.parents = 2, .ny = 17, .nx = 14, .crop = 7};
    const crop_shape preset = {.parents = 1, .ny = 256, .nx = 256, .crop = 128};
    check_crop(t, &small);
    if (selftest_large(t)) check_crop(t, &preset);
}

/* The logarithm, up to L = max(|a|, |b|), carries 2 EPS L; the difference and the quotient scale that by 2 / (b − a).
 */
void check_transform(selftest *t, const transform_shape *f, size_t n)
{
    const double reach = fmax(fabs((double)f->a), fabs((double)f->b));
    float *v = selftest_octaves(t, n, f->a * LOG2E, f->b * LOG2E);
    double *want = selftest_doubles(t, n);
    for (size_t i = 0; v && i < n; i++) v[i] = i % 7 == 3 ? 0 : (v[i] - (float)f->offset) / (float)f->scale;
    buffer *bv = selftest_upload(t, "v", v, n), *out = selftest_output(t, "out", n);
    selftest_size(t, "%zu, a %.3g b %.3g offset %g", n, f->a, f->b, f->offset);
    selftest_start(t);
    if (!t->s) t->s = transform_forward(t->c, t->d, f, n, bv, out);
    selftest_stop(t);
    if (t->s) return;
    for (size_t i = 0; i < n; i++) want[i] = transform_ref_forward(f, v[i]);
    selftest_compare(t, "transform_forward", out, want, n, 1, (4 + 8 * reach / ((double)f->b - f->a)) * EPS);
    float *u = selftest_download(t, out, n);
    selftest_start(t);
    if (!t->s) t->s = transform_inverse(t->c, t->d, f, n, out, bv);
    selftest_stop(t);
    if (t->s) return;
    for (size_t i = 0; i < n; i++) want[i] = transform_ref_inverse(f, u[i]);
    /* The argument of exp, up to L, is rounded twice; what the offset takes away is the floor. */
    selftest_compare(t, "transform_inverse", bv, want, n, (double)f->offset / f->scale + TINY, (8 + 2 * reach) * EPS);
    selftest_release(t);
}

/* Two roundings of what cancels (up to the larger bound), one of the quotient. */
void check_linear(selftest *t, const transform_shape *f, size_t n)
{
    const double width = f->b - f->a, reach = fmax(fabs(f->a), fabs(f->b));
    float *v = selftest_values(t, n, (float)(f->a / f->scale), (float)(f->b / f->scale));
    double *want = selftest_doubles(t, n);
    buffer *bv = selftest_upload(t, "v", v, n), *out = selftest_output(t, "out", n);
    selftest_size(t, "%zu, linear %.3g to %.3g", n, f->a, f->b);
    selftest_start(t);
    if (!t->s) t->s = transform_forward(t->c, t->d, f, n, bv, out);
    selftest_stop(t);
    if (t->s) return;
    for (size_t i = 0; i < n; i++) want[i] = transform_ref_forward(f, v[i]);
    selftest_compare(t, "transform_forward", out, want, n, 1, (4 + 8 * reach / width) * EPS);
    float *u = selftest_download(t, out, n);
    selftest_start(t);
    if (!t->s) t->s = transform_inverse(t->c, t->d, f, n, out, bv);
    selftest_stop(t);
    if (t->s) return;
    for (size_t i = 0; i < n; i++) want[i] = transform_ref_inverse(f, u[i]);
    selftest_compare(t, "transform_inverse", bv, want, n, reach / f->scale, 6 * EPS);
    selftest_release(t);
}

void family_transform(selftest *t)
{
    const transform_shape flat = {.a = -4.6051702f, .b = 6.3969297f, .offset = 0, .scale = .25f};
    const transform_shape cube = {.a = -6.9077554f, .b = 7.8754992f, .offset = .001f, .scale = 1};
    check_transform(t, &flat, 1037);
    const transform_shape line = {.kind = TRANSFORM_LINEAR, .a = -2.75f, .b = 255, .scale = 1};
    check_transform(t, &cube, 1037);
    check_linear(t, &line, 1037);
    if (selftest_large(t)) check_transform(t, &cube, 256 * 256);
}
