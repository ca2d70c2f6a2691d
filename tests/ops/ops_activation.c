/* Activations and the gradient of the bias: oracle, widths, special values, wrong calls. */
#include <math.h>
#include "pointwise_test.h"
#include "ops/ref/activation_ref.h"

START_TEST(matches_the_oracle)
{
    const batching b = {.n = 23, .segment = 23, .micro = 10}, many = {.n = 33, .segment = 11, .micro = 1};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    family_activation(&t);
    check_activation(&t, ACTIVATION_NONE, 1037);
    for (size_t n = 1; n < 40; n += 6) check_activation(&t, ACTIVATION_TANH, n);
    check_bias(&t, &b, 3, 17);
    check_bias(&t, &b, 1, 1);
    check_bias(&t, &many, 2, 80);
    must_pass(&t, 35);
    finish(&t);
}
END_TEST

START_TEST(does_not_depend_on_width_or_group)
{
    must_not_depend_on_shape(family_activation);
}
END_TEST

/* In place, and exact values where the function has them; NaN stays NaN. */
START_TEST(special_values)
{
    const float x[] = {0, -0.0f, 1, -1, NAN, INFINITY, -INFINITY, 3e38f, -3e38f};
    enum { N = sizeof x / sizeof x[0] };
    for (int f = ACTIVATION_NONE; f <= ACTIVATION_SIGMOID; f++) {
        selftest t;
        selftest_begin(&t, test_context, test_device);
        buffer *b = selftest_upload(&t, "x", x, N);
        MUST(activation_forward(test_context, test_device, (activation)f, .2f, N, b, b));
        const float *y = selftest_download(&t, b, N);
        ck_assert_int_eq(t.s, STATUS_OK);
        for (int i = 0; i < N; i++) {
            const double want = activation_ref_value((activation)f, .2f, x[i]);
            if (isnan(x[i]))
                ck_assert_msg(isnan(y[i]), "activation %d hides a NaN: %g", f, (double)y[i]);
            else
                ck_assert_msg(isinf(want) ? y[i] == (float)want : fabs(y[i] - want) <= 3e-7 * fabs(want),
                              "activation %d of %g is %g", f, (double)x[i], (double)y[i]);
        }
        finish(&t);
    }
}
END_TEST

START_TEST(bias_sums_in_the_stated_order)
{
    /* In float32 the tree gives 1.5, the sum from left to right .5. */
    const batching b = {.n = 5, .segment = 5, .micro = 1};
    const float dy[5][2] = {{1, 0}, {0x1p24f, 1}, {1, 0}, {-0x1p24f, 0}, {0x1p-1f, 0}};
    float sum[5], want;
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *x = selftest_upload(&t, "dy", dy, 10), *scratch = selftest_output(&t, "scratch", 5);
    buffer *db = selftest_output(&t, "db", 1);
    MUST(bias_backward(test_context, test_device, &b, 2, 1, x, scratch, db));
    const float *got = selftest_download(&t, db, 1);
    for (int i = 0; i < 5; i++) sum[i] = dy[i][0] + dy[i][1];
    want = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + sum[4];
    ck_assert_int_eq(t.s, STATUS_OK);
    ck_assert_msg(*got == want, "%a, not %a", (double)*got, (double)want);
    ck_assert(want != (((sum[0] + sum[1]) + sum[2]) + sum[3]) + sum[4]);
    finish(&t);
}
END_TEST

START_TEST(wrong_calls_are_refused)
{
    const batching bad = {.n = 10, .segment = 4, .micro = 2};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *b = selftest_output(&t, "short one", 4);
    ck_assert_int_eq(activation_forward(test_context, test_device, ACTIVATION_RELU, 0, 5, b, b), STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(context_message(test_context), "short one"));
    ck_assert_int_eq(activation_forward(test_context, test_device, (activation)9, 0, 4, b, b), STATUS_USAGE);
    ck_assert_int_eq(activation_backward(test_context, test_device, ACTIVATION_RELU, 0, 4, b, NULL, b), STATUS_USAGE);
    ck_assert_int_eq(bias_backward(test_context, test_device, &bad, 1, 1, b, b, b), STATUS_USAGE);
    finish(&t);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, matches_the_oracle);
    tcase_add_test(all, does_not_depend_on_width_or_group);
    tcase_add_test(all, special_values);
    tcase_add_test(all, bias_sums_in_the_stated_order);
    tcase_add_test(all, wrong_calls_are_refused);
}

int main(void)
{
    return test_main("ops/activation", add);
}
