/* The host's transform against plain sums at every small size and a few shapes, and there and back. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ops/fft_host.h"
#include "ops/ref/fft_ref.h"

enum { MOST = 2 * 4096 };

static double largest(const double *x, const double *y, size_t n)
{
    double d = 0;
    for (size_t i = 0; i < n; i++) d = fmax(d, isnan(x[i]) ? INFINITY : fabs(x[i] - y[i]));
    return d;
}

static void check_shape(int dims, const int *n)
{
    static double given[MOST], fast[MOST], plain[MOST];
    size_t count = 1;
    for (int d = 0; d < dims; d++) count *= (size_t)n[d];
    ck_assert_uint_le(2 * count, MOST);
    for (size_t i = 0; i < 2 * count; i++) given[i] = (double)rand() / RAND_MAX - .5;
    for (int sign = -1; sign <= 1; sign += 2) {
        memcpy(fast, given, 2 * count * sizeof *fast);
        memcpy(plain, given, 2 * count * sizeof *plain);
        ck_assert_int_eq(fft_host_transform(NULL, dims, n, sign, fast), STATUS_OK);
        ck_assert_int_eq(fft_ref_transform(NULL, dims, n, sign, plain), STATUS_OK);
        /* Plain sums of up to 4096 values below 1/2 err by less than this; a wrong term by 1e-3. */
        ck_assert_double_lt(largest(fast, plain, 2 * count), 1e-11);
        ck_assert_int_eq(fft_host_transform(NULL, dims, n, -sign, fast), STATUS_OK);
        for (size_t i = 0; i < 2 * count; i++) fast[i] /= (double)count;
        ck_assert_double_lt(largest(fast, given, 2 * count), 1e-14);
    }
}

START_TEST(agrees_with_plain_sums)
{
    for (int n = 1; n <= 66; n++) check_shape(1, &n);
    static const int shapes[][3] = {{4096, 0, 0}, {31, 44, 0}, {64, 64, 0}, {1, 17, 0}, {6, 10, 15}, {16, 16, 16}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        check_shape(shapes[i][2] ? 3 : shapes[i][1] ? 2 : 1, shapes[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ops/fft_host");
    TCase *all = tcase_create("all");
    tcase_add_test(all, agrees_with_plain_sums);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
