/* What the tests of convolutions, dense layers and GEMM share: a device, random operands in float and double, bounds.
 */
#ifndef TESTS_OPS_CONV_TEST_H
#define TESTS_OPS_CONV_TEST_H

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "device/kernel.h"
#include "ops/layout.h"

static context *c;
static device *d;

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static inline void device_setup(void)
{
    c = context_new(NULL);
    const device_options o = {0};
    ck_assert_msg(device_open(c, &o, &d) == STATUS_OK, "%s", context_message(c));
}

static inline void device_teardown(void)
{
    device_delete(&d);
    context_delete(&c);
}

/* A tensor of rows × padded channels: as doubles (exactly the floats) and on the device. */
typedef struct {
    size_t count;
    double *v;
    buffer *b;
    bool guarded; /* GUARD floats of NaN behind it */
} tensor;
enum { GUARD = 80 };

/* Uniform in −1 … 1 rounded to float, zeros in padded channels; on the device too. */
static inline tensor tensor_random(size_t rows, int channels, uint32_t sub)
{
    const size_t padded = (size_t)layout_channels(channels);
    tensor t = {.count = rows * padded, .v = calloc(rows * padded, sizeof(double))};
    float *f = calloc(t.count, sizeof *f);
    ck_assert(t.v && f);
    for (size_t i = 0; i < t.count; i++)
        if (i % padded < (size_t)channels) t.v[i] = f[i] = (float)(2 * rng_uniform(7, RNG_TEST, i, sub) - 1);
    OK(buffer_new(c, d, "operand", t.count * sizeof(float), &t.b));
    OK(buffer_write(c, t.b, 0, f, t.count * sizeof(float)));
    free(f);
    return t;
}

/* Room for a result, full of NaN to behind its end, so that what is not written, or written too far, is seen. */
static inline tensor tensor_empty(size_t count)
{
    tensor t = {.count = count, .v = calloc(count, sizeof(double)), .guarded = true};
    ck_assert_ptr_nonnull(t.v);
    OK(buffer_new(c, d, "result", (count + GUARD) * sizeof(float), &t.b));
    OK(buffer_fill_float(c, t.b, 0, (count + GUARD) * sizeof(float), NAN));
    return t;
}

static inline void tensor_delete(tensor *t)
{
    free(t->v);
    buffer_delete(&t->b);
}

/* The device's values; the caller frees them. */
static inline float *tensor_values(const tensor *t)
{
    const size_t count = t->count + (t->guarded ? GUARD : 0);
    float *f = calloc(count, sizeof *f);
    ck_assert_ptr_nonnull(f);
    OK(buffer_read(c, t->b, 0, f, count * sizeof(float)));
    for (size_t i = t->count; i < count; i++)
        ck_assert_msg(isnan(f[i]), "%zu floats behind the end: %g", i - t->count, f[i]);
    return f;
}

static inline double *absolutes(const double *v, size_t count)
{
    double *a = calloc(count, sizeof *a);
    ck_assert_ptr_nonnull(a);
    for (size_t i = 0; i < count; i++) a[i] = fabs(v[i]);
    return a;
}

/* |got − want| ≤ (2 √K + 4) 2⁻²⁴ · magnitude for each element, magnitude = Σ |a| |b| (+ |bias|): rounding errors of K
 * fma in any one order add up like a random walk, each at most half an ulp of a partial sum. */
static inline void tensor_check(const tensor *got, const double *want, const double *magnitude, double k,
                                const char *what)
{
    float *f = tensor_values(got);
    for (size_t i = 0; i < got->count; i++) {
        const double bound = (2 * sqrt(k) + 4) * ldexp(1, -24) * magnitude[i];
        ck_assert_msg(fabs(f[i] - want[i]) <= bound, "%s: element %zu is %.9g, should be %.9g within %.2g", what, i,
                      f[i], want[i], bound);
    }
    free(f);
}

#endif
