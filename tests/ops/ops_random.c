/* Random numbers: words of base/rng.h, normals against double, moments and distribution, parts of a sequence, widths.
 */
#include <math.h>
#include "pointwise_test.h"
#include "base/rng.h"
#include "ops/random.h"

START_TEST(matches_the_oracle)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    family_random(&t);
    for (int columns = 1; columns < 12; columns += 5) check_random(&t, 9, columns, columns, 1);
    check_random(&t, 1, 1, 1, 0xffffffffull * 4 + 3); /* the index passes 2^32 in the next block */
    check_random(&t, 2, 37, 48, 0xffffffffull * 4 - 5);
    must_pass(&t, 9);
    finish(&t);
}
END_TEST

START_TEST(does_not_depend_on_width_or_group)
{
    must_not_depend_on_shape(family_random);
}
END_TEST

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Moments within 5 standard errors, neighbours uncorrelated, and Kolmogorov–Smirnov (1.95/√n is passed by all but 1 in
 * 1000). */
START_TEST(is_normal)
{
    enum { N = 400000 };
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *out = selftest_output(&t, "normals", N);
    MUST(t.s);
    MUST(random_normals(test_context, test_device, 1234, RNG_TEST, 0, 0, 1, N, N, 2.0f, out));
    float *z = selftest_download(&t, out, N);
    double sum[5] = {0}, lag[4] = {0}, distance = 0;
    MUST(t.s);
    for (int i = 0; i < N; i++) {
        z[i] /= 2;
        for (int k = 1; k <= 4; k++) sum[k] += pow(z[i], k) / N;
        for (int k = 1; k < 4 && i >= k; k++) lag[k] += (double)z[i] * z[i - k] / N;
    }
    const double error = 1 / sqrt(N);
    ck_assert_msg(fabs(sum[1]) < 5 * error && fabs(sum[2] - 1) < 5 * sqrt(2) * error &&
                      fabs(sum[3]) < 5 * sqrt(15) * error && fabs(sum[4] - 3) < 5 * sqrt(96) * error,
                  "moments %g %g %g %g", sum[1], sum[2], sum[3], sum[4]);
    for (int k = 1; k < 4; k++) ck_assert_msg(fabs(lag[k]) < 5 * error, "lag %d: %g", k, lag[k]);
    qsort(z, N, sizeof *z, ascending);
    for (int i = 0; i < N; i++) distance = fmax(distance, fabs((i + .5) / N - .5 * erfc(-z[i] / sqrt(2))));
    ck_assert_msg(distance < 1.95 * error, "Kolmogorov-Smirnov %g", distance * sqrt(N));
    ck_assert(z[0] < -4 && z[N - 1] > 4);
    finish(&t);
}
END_TEST

START_TEST(parts_make_the_whole)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *whole = selftest_output(&t, "whole", 200), *part = selftest_output(&t, "part", 90);
    MUST(t.s);
    MUST(random_normals(test_context, test_device, 9, 1, 2, 0, 10, 20, 20, 1, whole));
    MUST(random_normals(test_context, test_device, 9, 1, 2, 103, 3, 30, 30, 1, part));
    const float *a = selftest_download(&t, whole, 200), *b = selftest_download(&t, part, 90);
    ck_assert_mem_eq(a + 103, b, 90 * sizeof *b);
    MUST(random_normals(test_context, test_device, 9, 1, 3, 103, 3, 30, 30, 1, part));
    ck_assert_mem_ne(a + 103, selftest_download(&t, part, 90), 90 * sizeof *b);
    finish(&t);
}
END_TEST

START_TEST(wrong_calls_are_refused)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *b = selftest_output(&t, "b", 8);
    ck_assert_int_eq(random_normals(test_context, test_device, 1, 1, 1, 0, 1, 4, 3, 1, b), STATUS_USAGE);
    ck_assert_int_eq(random_normals(test_context, test_device, 1, 1, 1, 0, 3, 3, 3, 1, b), STATUS_USAGE);
    MUST(random_normals(test_context, test_device, 1, 1, 1, 0, 0, 3, 3, 1, b));
    finish(&t);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, matches_the_oracle);
    tcase_add_test(all, does_not_depend_on_width_or_group);
    tcase_add_test(all, is_normal);
    tcase_add_test(all, parts_make_the_whole);
    tcase_add_test(all, wrong_calls_are_refused);
}

int main(void)
{
    return test_main("ops/random", add);
}
