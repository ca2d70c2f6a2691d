/* kernels/explicit.h: dense sweeps against double, widths, scalars against vectors, special arguments. */
#include <math.h>
#include "pointwise_test.h"

START_TEST(is_as_accurate_as_its_header_says)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    check_explicit(&t, 1 << 20);
    must_pass(&t, 12);
    finish(&t);
}
END_TEST

START_TEST(does_not_depend_on_width_or_group)
{
    must_not_depend_on_shape(family_explicit);
}
END_TEST

/* f(x[i]) by the scalar functions or the vector ones. */
static float *evaluate(selftest *t, int which, bool scalar, const float *x, size_t n)
{
    buffer *bx = selftest_upload(t, "x", x, n), *y = selftest_output(t, "y", n);
    float *ones = selftest_values(t, n, 1, 1);
    buffer *b1 = selftest_upload(t, "ones", ones, n);
    ck_assert_int_eq(t->s, STATUS_OK);
    MUST(launch_run(
        test_context, test_device, "explicit", "explicit_evaluate", "", 0, launch_items(test_device, n, 1),
        KERNEL_ARGUMENTS(ARG_INT(which), ARG_INT(scalar), ARG_BUFFER(bx), ARG_BUFFER(b1), ARG_BUFFER(y), ARG_UINT(n))));
    return selftest_download(t, y, n);
}

/* Neighbouring floats of a whole binade, where a polynomial could have a bad spot between the points of a sweep; the
 * logarithm near 1, tanh around its seam. */
START_TEST(every_float_of_some_intervals)
{
    static const struct {
        int which;
        float from;
        double (*f)(double);
        double ulp;
    } part[] = {
        {5, .999f, log, 1}, {5, .70710f, log, 1}, {9, .5620f, tanh, 1.5}, {9, .0001f, tanh, 1.5}, {4, .34f, exp, 1.05}};
    enum { N = 1 << 17 };
    for (size_t k = 0; k < sizeof part / sizeof part[0]; k++) {
        selftest t;
        selftest_begin(&t, test_context, test_device);
        float *x = selftest_memory(&t, N, sizeof *x), worst_at = 0;
        double worst = 0;
        x[0] = part[k].from;
        for (int i = 1; i < N; i++) x[i] = nextafterf(x[i - 1], INFINITY);
        const float *y = evaluate(&t, part[k].which, false, x, N);
        for (int i = 0; i < N; i++) {
            int e;
            const double want = part[k].f(x[i]);
            frexp(want, &e);
            const double error = want == 0 ? (y[i] != 0) * 1e9 : fabs(y[i] - want) / ldexp(1, e - 24);
            if (error > worst) worst = error, worst_at = x[i];
        }
        ck_assert_msg(worst <= part[k].ulp, "function %d: %g ulp at %a", part[k].which, worst, (double)worst_at);
        finish(&t);
    }
}
END_TEST

START_TEST(scalars_and_vectors_agree)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const size_t n = 4096;
    const float *x = selftest_values(&t, n, 0, 1);
    for (int which = 0; which < 12; which++)
        ck_assert_msg(!memcmp(evaluate(&t, which, true, x, n), evaluate(&t, which, false, x, n), n * sizeof *x),
                      "function %d", which);
    finish(&t);
}
END_TEST

START_TEST(special_arguments)
{
    enum { SQRT = 2, EXP = 4, LOG = 5, SOFTPLUS = 7, SIGMOID = 8, TANH = 9 };
    static const struct {
        int which;
        float x, y;
    } exact[] = {{SQRT, 0, 0},
                 {SQRT, 4, 2},
                 {SQRT, -1, 0},
                 {SQRT, 1e-40f, 0},
                 {EXP, 0, 1},
                 {LOG, 1, 0},
                 {TANH, 0, 0},
                 {TANH, 20, 1},
                 {TANH, -INFINITY, -1},
                 {SIGMOID, 0, .5f},
                 {SIGMOID, INFINITY, 1},
                 {SIGMOID, -INFINITY, 0},
                 {SIGMOID, -80, 0},
                 {SOFTPLUS, -INFINITY, 0},
                 {SOFTPLUS, INFINITY, INFINITY},
                 {SOFTPLUS, 100, 100}};
    selftest t;
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        selftest_begin(&t, test_context, test_device);
        const float y = *evaluate(&t, exact[i].which, true, &exact[i].x, 1);
        ck_assert_msg(y == exact[i].y, "function %d of %g is %a", exact[i].which, (double)exact[i].x, (double)y);
        finish(&t);
    }
    selftest_begin(&t, test_context, test_device);
    const float clamped[] = {-1000, -INFINITY, 1000, INFINITY}, bad[] = {NAN, NAN, NAN, NAN};
    const float *y = evaluate(&t, EXP, false, clamped, 4);
    for (int i = 0; i < 4; i++) ck_assert(isnormal(y[i]));
    for (int which = 0; which < 12; which++)
        ck_assert_msg(isnan(evaluate(&t, which, false, bad, 4)[0]), "function %d hides a NaN", which);
    finish(&t);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, is_as_accurate_as_its_header_says);
    tcase_add_test(all, does_not_depend_on_width_or_group);
    tcase_add_test(all, every_float_of_some_intervals);
    tcase_add_test(all, scalars_and_vectors_agree);
    tcase_add_test(all, special_arguments);
}

int main(void)
{
    return test_main("ops/explicit", add);
}
