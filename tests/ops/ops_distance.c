/* Distances between images against the float64 oracle, their exact properties, and bad input. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/memory.h"
#include "base/rng.h"
#include "ops/distance.h"
#include "ops/selftest_checks.h"
#include "ops/ref/distance_ref.h"

static context *c;
static device *d;

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static void setup(void)
{
    c = context_new(NULL);
    OK(device_open(c, &(device_options){0}, &d));
}

static void teardown(void)
{
    device_delete(&d);
    context_delete(&c);
}

static float *images_of(int64_t n, int64_t pixels, uint32_t sub)
{
    float *x = calloc((size_t)(n * pixels), sizeof *x);
    double *z = calloc((size_t)(n * pixels), sizeof *z);
    rng_normals(11, RNG_TEST, sub, 0, (uint64_t)(n * pixels), z);
    for (int64_t i = 0; i < n * pixels; i++) x[i] = (float)exp(1.5 * z[i]);
    free(z);
    return x;
}

START_TEST(agrees_with_the_oracle_at_odd_sizes)
{
    selftest t;
    selftest_begin(&t, c, d);
    static const int sizes[][3] = {{1, 1, 1}, {2, 3, 7}, {4, 2, 8}, {5, 7, 9}, {13, 1, 100}, {1, 13, 15 * 15}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_distance(&t, sizes[i][0], sizes[i][1], sizes[i][2]);
    ck_assert_msg(t.s == STATUS_OK, "%s", context_message(c));
    ck_assert_int_eq(t.count, 2 * 6);
    for (int i = 0; i < t.count; i++) ck_assert_msg(t.rows[i].passed, "row %d: error %g", i, t.rows[i].error);
    memory_delete(&t.rows);
    selftest_end(&t);
}
END_TEST

/* More rows than a block: zero on the diagonal, symmetric to the bit, and the triangle's inequality. */
START_TEST(a_set_with_itself_is_a_metric)
{
    enum { N = 261, PIXELS = 50 };
    static float out[N][N];
    float *x = images_of(N, PIXELS, 1);
    distance_plan *p = NULL;
    x[3 * PIXELS + 1] = 0; /* below the floor: as if at it */
    x[3 * PIXELS + 2] = -5;
    memcpy(x + 200 * PIXELS, x + 7 * PIXELS, PIXELS * sizeof *x);
    OK(distance_plan_new(c, d, N, PIXELS, .5f, &p));
    OK(distance_set(c, p, 0, x, N));
    OK(distance_matrix(c, p, 0, 0, out[0]));
    for (int i = 0; i < N; i++) {
        ck_assert(out[i][i] == 0);
        for (int j = 0; j < N; j++) {
            ck_assert(out[i][j] == out[j][i]);
            ck_assert((double)out[i][j] <= ((double)out[i][9] + (double)out[9][j]) * (1 + 1e-6));
        }
        ck_assert_double_eq_tol(out[i][5], distance_ref(x + i * PIXELS, x + 5 * PIXELS, PIXELS, .5), 1e-5);
    }
    ck_assert(out[7][200] == 0 && out[7][201] > 0);
    double mean = 0, squares = 0;
    for (int i = 0; i < N * PIXELS; i++) mean += log(fmax(x[i], .5)) / (N * PIXELS);
    for (int i = 0; i < N * PIXELS; i++) squares += pow(log(fmax(x[i], .5)) - mean, 2) / (N * PIXELS);
    ck_assert_double_eq_tol(distance_deviation(p, 0), sqrt(squares), 1e-6);
    distance_plan_delete(&p);
    free(x);
}
END_TEST

/* The nearest of each row of the oracle's distances; a == b: but itself. */
static void assert_nearest(distance_plan *p, int a, const float *x, int m, int b, const float *y, int n, int pixels)
{
    double *nearest = calloc((size_t)m, sizeof *nearest);
    uint32_t *which = calloc((size_t)m, sizeof *which);
    OK(distance_nearest(c, p, a, b, nearest, which));
    for (int i = 0; i < m; i++) {
        double least = INFINITY;
        for (int j = 0; j < n; j++)
            if (a != b || i != j) least = fmin(least, distance_ref(x + i * pixels, y + j * pixels, pixels, 1e-3));
        const double found = distance_ref(x + i * pixels, y + which[i] * (uint32_t)pixels, pixels, 1e-3);
        ck_assert_msg(fabs(nearest[i] - least) <= 1e-5 * least + 1e-6, "image %d: %.9g, not %.9g", i, nearest[i],
                      least);
        ck_assert_msg(fabs(found - least) <= 1e-5 * least + 1e-6, "image %d: %.9g, not the nearest %.9g", i, found,
                      least);
        ck_assert(a != b || which[i] != (uint32_t)i);
    }
    free(nearest);
    free(which);
}

/* kind 0: nothing in common; 1: pairs of near copies, nearer than products of float32 can tell; 2: a set that has
 * collapsed to one image and a little noise; 3: densities far from 1, so that the products are large; 4: all equal. */
START_TEST(the_nearest_are_those_of_all_distances)
{
    enum { M = 50, N = 67, PIXELS = 130 };
    float *x = images_of(M, PIXELS, 3), *y = images_of(N, PIXELS, 4), *noise = images_of(M + N, PIXELS, 5);
    distance_plan *p = NULL;
    for (int i = 0; i < M * PIXELS; i++) {
        if (_i == 1 && i >= M / 2 * PIXELS) x[i] = x[i - M / 2 * PIXELS] * (1 + 1e-5f * noise[i]);
        if (_i == 2) x[i] = x[i % PIXELS] * (1 + 1e-3f * noise[i]);
        if (_i == 3) x[i] *= 1e20f;
        if (_i == 4) x[i] = 2;
    }
    for (int i = 0; i < N * PIXELS; i++) {
        if (_i == 1) y[i] = x[i % (M * PIXELS)] * (1 + 3e-6f * noise[M * PIXELS + i]);
        if (_i == 2) y[i] = x[i % PIXELS] * (1 + 1e-3f * noise[M * PIXELS + i]);
        if (_i == 3) y[i] *= 1e20f;
        if (_i == 4) y[i] = 2;
    }
    OK(distance_plan_new(c, d, N, PIXELS, 1e-3f, &p));
    OK(distance_set(c, p, 0, x, M));
    OK(distance_set(c, p, 1, y, N));
    assert_nearest(p, 0, x, M, 0, x, M, PIXELS);
    assert_nearest(p, 1, y, N, 1, y, N, PIXELS);
    assert_nearest(p, 0, x, M, 1, y, N, PIXELS);
    assert_nearest(p, 1, y, N, 0, x, M, PIXELS);
    if (_i == 4) ck_assert(distance_deviation(p, 0) == 0);
    double lonely = 0;
    OK(distance_set(c, p, 0, x, 1));
    OK(distance_nearest(c, p, 0, 0, &lonely, NULL));
    ck_assert(isnan(lonely));
    distance_plan_delete(&p);
    free(x);
    free(y);
    free(noise);
}
END_TEST

/* 1000 × 1000 images of 128² pixels; the time is for the reader of the log. */
START_TEST(a_thousand_images)
{
    enum { N = 1000, PIXELS = 128 * 128 };
    float *x = images_of(N, PIXELS, 2), *out = calloc((size_t)N * N, sizeof *out);
    distance_plan *p = NULL;
    OK(distance_plan_new(c, d, N, PIXELS, 1e-3f, &p));
    const double start = clock_seconds();
    OK(distance_set(c, p, 0, x, N));
    OK(distance_matrix(c, p, 0, 0, out));
    printf("distances of %d × %d images of %d pixels: %.2f s\n", N, N, PIXELS, clock_seconds() - start);
    for (int k = 0; k < 20; k++) {
        const int i = 97 * k % N, j = (389 * k + 1) % N;
        const double want = distance_ref(x + (size_t)i * PIXELS, x + (size_t)j * PIXELS, PIXELS, 1e-3);
        ck_assert_double_eq_tol(out[i * N + j], want, 1e-5 * want);
    }
    distance_plan_delete(&p);
    free(x);
    free(out);
}
END_TEST

START_TEST(bad_input_is_refused)
{
    distance_plan *p = NULL;
    const float bad[] = {0, -1, NAN, INFINITY};
    float x[8] = {1, 1, 1, 1, 1, 1, 1, 1}, out[4];
    double nearest[2];
    for (int i = 0; i < 4; i++) ck_assert_int_eq(distance_plan_new(c, d, 2, 4, bad[i], &p), STATUS_USAGE);
    ck_assert_int_eq(distance_plan_new(c, d, 0, 4, 1, &p), STATUS_USAGE);
    ck_assert_int_eq(distance_plan_new(c, d, 2, 0, 1, &p), STATUS_USAGE);
    ck_assert_ptr_null(p);
    OK(distance_plan_new(c, d, 2, 4, 1, &p));
    ck_assert_int_eq(distance_set(c, p, 0, x, 0), STATUS_USAGE);
    ck_assert_int_eq(distance_set(c, p, 0, x, 3), STATUS_USAGE);
    ck_assert_int_eq(distance_matrix(c, p, 0, 1, out), STATUS_USAGE);
    ck_assert_int_eq(distance_nearest(c, p, 0, 1, nearest, NULL), STATUS_USAGE);
    distance_plan_delete(&p);
    distance_plan_delete(&p);
    distance_plan_delete(NULL);
}
END_TEST

START_TEST(nothing_leaks_when_memory_runs_out)
{
    distance_plan *p = NULL;
    const size_t before = device_bytes_used(d);
    long n = 1;
    for (; n < 40; n++) {
        memory_fail_at(n);
        const status s = distance_plan_new(c, d, 3, 9, 1, &p);
        memory_fail_at(0);
        if (s == STATUS_OK) break;
        ck_assert_int_eq(s, STATUS_MEMORY);
        ck_assert_ptr_null(p);
        ck_assert_uint_eq(device_bytes_used(d), before);
    }
    ck_assert_int_gt(n, 3);
    ck_assert_int_lt(n, 40);
    distance_plan_delete(&p);
    ck_assert_uint_eq(device_bytes_used(d), before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("distance");
    TCase *t = tcase_create("distance");
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, agrees_with_the_oracle_at_odd_sizes);
    tcase_add_test(t, a_set_with_itself_is_a_metric);
    tcase_add_loop_test(t, the_nearest_are_those_of_all_distances, 0, 5);
    tcase_add_test(t, a_thousand_images);
    tcase_add_test(t, bad_input_is_refused);
    tcase_add_test(t, nothing_leaks_when_memory_runs_out);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
