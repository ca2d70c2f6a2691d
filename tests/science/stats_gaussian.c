/* The Gaussian baseline: densities and power of the images it is fitted to, nothing else of them. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "ops/fft_host.h"
#include "ops/ref/reduce_ref.h"
#include "stats/gaussian.h"

static context *c;

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static void setup(void)
{
    c = context_new(NULL);
}

static void teardown(void)
{
    context_delete(&c);
}

/* exp of smoothed noise (`steep`: the standard deviation of ln density), or noise about 5 where steep is 0; periodic,
 * power falling with the scale. */
static float *images_of(int n, int side, double steep)
{
    const int pixels = side * side, sides[2] = {side, side};
    float *out = calloc((size_t)n * pixels, sizeof *out);
    double *z = calloc(2 * (size_t)pixels, sizeof *z);
    for (int i = 0; i < n; i++) {
        double sum = 0;
        rng_normals(5, RNG_TEST, (uint32_t)side, (uint64_t)i * 2 * pixels, 2 * (uint64_t)pixels, z);
        for (int p = 0; p < pixels; p++) {
            const int y = p / side, x = p % side;
            const double ky = y <= side / 2 ? y : y - side, kx = x <= side / 2 ? x : x - side;
            const double a = exp(-hypot(ky, kx) / 4) + .02;
            z[2 * p] *= a;
            z[2 * p + 1] *= a;
            sum += a * a;
        }
        OK(fft_host_transform(c, 2, sides, 1, z));
        for (int p = 0; p < pixels; p++) {
            const double g = z[2 * p] / sqrt(sum);
            out[i * pixels + p] = (float)(steep > 0 ? 4 * exp(steep * g) : 5 + g);
        }
    }
    free(z);
    return out;
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Mean spectra of the first rings and quantiles of both. */
static void compare(const float *a, const float *b, int n, int side, double power_bound, double quantile_bound)
{
    enum { RINGS = 64 };
    const size_t pixels = (size_t)side * side, all = pixels * (size_t)n;
    double pa[RINGS] = {0}, pb[RINGS] = {0}, power[RINGS];
    for (int i = 0; i < n; i++) {
        OK(reduce_ref_power(c, a + (size_t)i * pixels, side, power));
        for (int r = 0; r < side / 2; r++) pa[r] += power[r];
        OK(reduce_ref_power(c, b + (size_t)i * pixels, side, power));
        for (int r = 0; r < side / 2; r++) pb[r] += power[r];
    }
    for (int r = 0; r < side / 2; r++)
        ck_assert_msg(fabs(log(pb[r] / pa[r])) < power_bound, "ring %d: power %g for %g", r + 1, pb[r], pa[r]);
    float *x = malloc(all * sizeof *x), *y = malloc(all * sizeof *y);
    memcpy(x, a, all * sizeof *x);
    memcpy(y, b, all * sizeof *y);
    qsort(x, all, sizeof *x, ascending);
    qsort(y, all, sizeof *y, ascending);
    const double spread = x[all * 84 / 100] - x[all * 16 / 100];
    for (int q = 1; q < 100; q++) {
        const size_t at = all * (size_t)q / 100;
        ck_assert_msg(fabs((double)y[at] - x[at]) < quantile_bound * fmax(spread, fabs((double)x[at])),
                      "%d %%: %g for %g", q, (double)y[at], (double)x[at]);
    }
    free(x);
    free(y);
}

START_TEST(densities_and_power_are_those_of_the_images)
{
    /* Lognormal fields are translations of Gaussian ones, Gaussian fields trivially so: both are met but for chance, of
     * 300 images with few modes in the first ring and heavy tails. */
    static const struct {
        int side;
        double steep, power, quantile;
    } cases[] = {{32, 0, .15, .05}, {32, 1, .25, .08}, {27, .6, .2, .08}};
    enum { N = 300 };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const int side = cases[k].side;
        float *images = images_of(N, side, cases[k].steep), *maps = calloc((size_t)N * side * side, sizeof *maps);
        gaussian *g = NULL;
        OK(gaussian_new(c, images, N, side, &g));
        ck_assert_double_lt(gaussian_misfit(g), 1e-3);
        OK(gaussian_maps(c, g, 3, N, maps));
        compare(images, maps, N, side, cases[k].power, cases[k].quantile);
        gaussian_delete(&g);
        free(images);
        free(maps);
    }
}
END_TEST

/* White noise of two values of which one is rare: far from a Gaussian, still met as it has no correlations. */
START_TEST(two_values_keep_their_shares)
{
    enum { N = 20, SIDE = 16, ALL = N * SIDE * SIDE };
    static float images[ALL], maps[ALL];
    int high = 0, between = 0;
    for (int i = 0; i < ALL; i++) images[i] = rng_uniform(1, RNG_TEST, (uint64_t)i, 0) < .1 ? 7 : 2;
    gaussian *g = NULL;
    OK(gaussian_new(c, images, N, SIDE, &g));
    OK(gaussian_maps(c, g, 1, N, maps));
    for (int i = 0; i < ALL; i++) {
        high += maps[i] == 7;
        between += maps[i] > 2 && maps[i] < 7;
        ck_assert(maps[i] >= 2 && maps[i] <= 7);
    }
    ck_assert_double_eq_tol((double)high / ALL, .1, .02);
    ck_assert_int_lt(between, ALL / 500);
    gaussian_delete(&g);
}
END_TEST

START_TEST(maps_follow_the_seed_and_nothing_else)
{
    enum { N = 7, SIDE = 8, PIXELS = SIDE * SIDE };
    static float a[N * PIXELS], b[N * PIXELS];
    float *images = images_of(3, SIDE, 1);
    gaussian *g = NULL;
    OK(gaussian_new(c, images, 3, SIDE, &g));
    OK(gaussian_maps(c, g, 9, N, a));
    for (int n = 1; n < N; n++) {
        memset(b, 0, sizeof b);
        OK(gaussian_maps(c, g, 9, n, b));
        ck_assert_mem_eq(a, b, (size_t)n * PIXELS * sizeof *a);
        ck_assert(b[n * PIXELS] == 0);
    }
    OK(gaussian_maps(c, g, 10, N, b));
    for (int i = 0; i < N; i++) {
        ck_assert(memcmp(a + i * PIXELS, b + i * PIXELS, PIXELS * sizeof *a) != 0);
        for (int j = 0; j < i; j++) ck_assert(memcmp(a + i * PIXELS, a + j * PIXELS, PIXELS * sizeof *a) != 0);
    }
    gaussian_delete(&g);
    free(images);
}
END_TEST

START_TEST(what_has_no_spectrum_is_taken)
{
    float flat[16], maps[48];
    for (int i = 0; i < 16; i++) flat[i] = 3;
    gaussian *g = NULL;
    OK(gaussian_new(c, flat, 1, 4, &g));
    OK(gaussian_maps(c, g, 1, 3, maps));
    for (int i = 0; i < 48; i++) ck_assert(maps[i] == 3);
    gaussian_delete(&g);
    for (int i = 0; i < 16; i++) flat[i] = i == 5 ? 3e38f : 1e-38f;
    OK(gaussian_new(c, flat, 1, 4, &g));
    OK(gaussian_maps(c, g, 1, 3, maps));
    for (int i = 0; i < 48; i++) ck_assert(isfinite(maps[i]));
    gaussian_delete(&g);
    ck_assert_int_eq(gaussian_new(c, flat, 0, 4, &g), STATUS_USAGE);
    ck_assert_int_eq(gaussian_new(c, flat, 1, 1, &g), STATUS_USAGE);
    ck_assert_ptr_null(g);
    gaussian_delete(&g);
    gaussian_delete(NULL);
}
END_TEST

START_TEST(allocations_that_fail_leave_nothing)
{
    float *images = images_of(2, 6, 1);
    gaussian *g = NULL;
    long n = 1;
    for (; n < 20000; n += n < 40 ? 1 : 37) { /* every transform takes some */
        memory_fail_at(n);
        const status s = gaussian_new(c, images, 2, 6, &g);
        memory_fail_at(0);
        if (s == STATUS_OK) break;
        ck_assert_int_eq(s, STATUS_MEMORY);
        ck_assert_ptr_null(g);
    }
    ck_assert_int_gt(n, 8);
    ck_assert_int_lt(n, 20000);
    gaussian_delete(&g);
    free(images);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gaussian");
    TCase *t = tcase_create("gaussian");
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, densities_and_power_are_those_of_the_images);
    tcase_add_test(t, two_values_keep_their_shares);
    tcase_add_test(t, maps_follow_the_seed_and_nothing_else);
    tcase_add_test(t, what_has_no_spectrum_is_taken);
    tcase_add_test(t, allocations_that_fail_leave_nothing);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
