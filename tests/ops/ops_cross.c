/* Cross spectra of pairs of images against sums in float64, and what must hold of them exactly. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "ops/reduce.h"
#include "ops/ref/reduce_ref.h"

static context *c;
static device *d;
static const double edges[] = {1, 2};

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static void setup(void)
{
    c = context_new(NULL);
    const device_options o = {0};
    OK(device_open(c, &o, &d));
}

static void teardown(void)
{
    device_delete(&d);
    context_delete(&c);
}

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    ck_assert_ptr_nonnull(p);
    return p;
}

static float *random_images(size_t count, uint32_t sub)
{
    float *images = zeroed(count, sizeof *images);
    double *normals = zeroed(count, sizeof *normals);
    rng_normals(7, RNG_TEST, sub, 0, count, normals);
    for (size_t i = 0; i < count; i++) images[i] = (float)exp(1.2 * normals[i]);
    free(normals);
    return images;
}

static double rms(const float *image, size_t pixels)
{
    double mean = 0, squares = 0;
    for (size_t p = 0; p < pixels; p++) mean += image[p] / (double)pixels;
    for (size_t p = 0; p < pixels; p++) squares += (image[p] - mean) * (image[p] - mean);
    return sqrt(squares);
}

static status cross_of(reducer *r, const float *a, const float *b, int64_t n, double *cross)
{
    const reduce_result none = {0};
    return reduce_host_pairs(c, r, a, b, n, &none, &none, cross);
}

static void assert_like_oracle(int side, int64_t n)
{
    const size_t pixels = (size_t)side * (size_t)side, rings = (size_t)side / 2;
    float *a = random_images((size_t)n * pixels, 1), *b = random_images((size_t)n * pixels, 2);
    double *got = zeroed((size_t)n * rings, sizeof *got), *want = zeroed(rings, sizeof *want);
    double *power = zeroed((size_t)n * rings, sizeof *power);
    for (size_t i = 0; i < (size_t)n * pixels; i++) b[i] = .5f * b[i] + 40 * a[i]; /* other scales, and alike */
    reducer *r = NULL;
    OK(reducer_new(c, d, &(reduce_shape){.side = side, .edges = edges, .bins = 1}, &r));
    OK(cross_of(r, a, b, n, got));
    for (int64_t i = 0; i < n; i++) {
        const float *x = a + (size_t)i * pixels, *y = b + (size_t)i * pixels;
        OK(reduce_ref_cross(c, x, y, side, want));
        /* Rounding of both transforms, of the largest that a product can be. */
        const double bound = 2 * (4 * sqrt(side) + 8 * log2((double)pixels) + 8) * ldexp(1, -24);
        for (size_t k = 0; k < rings; k++) {
            const double off = fabs(got[(size_t)i * rings + k] - want[k]);
            ck_assert_msg(off <= bound * rms(x, pixels) * rms(y, pixels), "side %d image %d ring %d: %.9g, not %.9g",
                          side, (int)i, (int)k + 1, got[(size_t)i * rings + k], want[k]);
        }
    }
    /* What the sets give beside it is what each gives alone. */
    double *powers[2] = {zeroed((size_t)n * rings, sizeof *power), zeroed((size_t)n * rings, sizeof *power)};
    double *beside = zeroed((size_t)n * rings, sizeof *beside);
    OK(reduce_host_pairs(c, r, a, b, n, &(reduce_result){.power = powers[0]}, &(reduce_result){.power = powers[1]},
                         beside));
    ck_assert_mem_eq(beside, got, (size_t)n * rings * sizeof *got);
    for (int k = 0; k < 2; k++) {
        OK(reduce_host_images(c, r, k ? b : a, n, &(reduce_result){.power = power}));
        ck_assert_mem_eq(powers[k], power, (size_t)n * rings * sizeof *power);
        free(powers[k]);
    }
    free(beside);
    /* With itself it is the power, in every bit, and the other way round the same. */
    OK(reduce_host_images(c, r, a, n, &(reduce_result){.power = power}));
    double *again = zeroed((size_t)n * rings, sizeof *again);
    OK(cross_of(r, a, a, n, again));
    ck_assert_mem_eq(again, power, (size_t)n * rings * sizeof *power);
    OK(cross_of(r, b, a, n, again));
    ck_assert_mem_eq(again, got, (size_t)n * rings * sizeof *got);
    reducer_delete(&r);
    free(a);
    free(b);
    free(got);
    free(want);
    free(power);
    free(again);
}

START_TEST(cross_spectra_agree_with_the_oracle)
{
    assert_like_oracle(16, 67); /* more than a batch */
    assert_like_oracle(30, 2);
    assert_like_oracle(33, 2); /* the plain transform */
    assert_like_oracle(2, 3);
}
END_TEST

/* A wave against itself, shifted by a quarter, and against its negative. */
START_TEST(phases_count)
{
    enum { SIDE = 32, PIXELS = SIDE * SIDE };
    static float wave[PIXELS], shifted[PIXELS], negative[PIXELS];
    for (int p = 0; p < PIXELS; p++) {
        const double phase = 2 * M_PI * (3 * (p % SIDE) - 4 * (p / SIDE)) / SIDE;
        wave[p] = (float)(2 + cos(phase));
        shifted[p] = (float)(2 + sin(phase));
        negative[p] = (float)(2 - cos(phase));
    }
    reducer *r = NULL;
    double same[16], apart[16], against[16];
    OK(reducer_new(c, d, &(reduce_shape){.side = SIDE, .edges = edges, .bins = 1}, &r));
    OK(cross_of(r, wave, wave, 1, same));
    OK(cross_of(r, wave, shifted, 1, apart));
    OK(cross_of(r, wave, negative, 1, against));
    ck_assert_double_gt(same[4], 1);
    ck_assert_double_le(fabs(apart[4]), 1e-5 * same[4]);
    ck_assert_double_eq_tol(against[4] / same[4], -1, 1e-5);
    for (int k = 0; k < 16; k++) {
        if (k != 4) ck_assert_double_le(fabs(same[k]), 1e-10 * same[4]);
    }
    static float bad[PIXELS];
    bad[70] = NAN;
    ck_assert_int_eq(cross_of(r, wave, bad, 1, same), STATUS_DATA);
    ck_assert_int_eq(cross_of(r, wave, wave, 0, same), STATUS_USAGE);
    reducer_delete(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cross");
    TCase *t = tcase_create("cross");
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, cross_spectra_agree_with_the_oracle);
    tcase_add_test(t, phases_count);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
