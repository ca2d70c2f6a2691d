/* Adam: oracle of a step and of a long run, widths, gradients that are not finite, tiny and huge ones, wrong calls. */
#include <math.h>
#include "pointwise_test.h"
#include "ops/adam.h"
#include "ops/ref/adam_ref.h"

static const adam_state fresh = {
    .lr = 2e-4, .beta1 = .5, .beta2 = .999, .epsilon = 1e-8, .beta1_power = 1, .beta2_power = 1};

START_TEST(matches_the_oracle)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    family_adam(&t);
    for (size_t n = 4; n < 40; n += 7) check_adam(&t, n);
    must_pass(&t, 30);
    finish(&t);
}
END_TEST

START_TEST(does_not_depend_on_width_or_group)
{
    must_not_depend_on_shape(family_adam);
}
END_TEST

typedef struct {
    buffer *p, *g, *m, *v, *flag;
} arena;

static arena arena_new(selftest *t, const float *p, const float *g, size_t n)
{
    const float *zeros = selftest_memory(t, n, sizeof(float));
    const int32_t none = 0;
    return (arena){selftest_upload(t, "p", p, n), selftest_upload(t, "g", g, n), selftest_upload(t, "m", zeros, n),
                   selftest_upload(t, "v", zeros, n), selftest_upload(t, "flag", &none, 1)};
}

START_TEST(three_hundred_steps)
{
    enum { N = 100, STEPS = 300 };
    selftest t;
    selftest_begin(&t, test_context, test_device);
    float *p0 = selftest_values(&t, N, -1, 1), g[N];
    adam_state state = fresh, ref = fresh;
    double p[N], m[N] = {0}, v[N] = {0};
    arena a = arena_new(&t, p0, p0, N);
    MUST(t.s);
    for (int i = 0; i < N; i++) p[i] = p0[i];
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < N; i++) {
            g[i] = sinf((float)(i * 31 + step * (i % 7 + 1)));
            adam_ref_update(&ref, g[i], &p[i], &m[i], &v[i]);
        }
        ref.step++;
        MUST(buffer_write(test_context, a.g, 0, g, sizeof g));
        MUST(adam_step(test_context, test_device, &state, N, a.p, a.g, a.m, a.v, a.flag));
    }
    ck_assert_int_eq(state.step, STEPS);
    ck_assert(fabs(state.beta2_power - pow(.999, STEPS)) < 1e-14);
    const float *got = selftest_download(&t, a.p, N);
    MUST(t.s);
    for (int i = 0; i < N; i++)
        ck_assert_msg(fabs(got[i] - p[i]) < 2 * sqrt(STEPS) * 0x1p-24, "parameter %d: %.9g, not %.9g", i,
                      (double)got[i], p[i]);
    finish(&t);
}
END_TEST

START_TEST(gradients_that_are_not_finite)
{
    enum { N = 70 };
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int at = 0; at < N; at += 23) { /* in vectors and in the tail */
        selftest t;
        selftest_begin(&t, test_context, test_device);
        float *p = selftest_values(&t, N, -1, 1), *g = selftest_values(&t, N, .5, 1);
        adam_state state = fresh;
        g[at] = bad[at / 23 % 3];
        arena a = arena_new(&t, p, g, N);
        MUST(t.s);
        MUST(adam_step(test_context, test_device, &state, N, a.p, a.g, a.m, a.v, a.flag));
        const float *now = selftest_download(&t, a.p, N), *m = selftest_download(&t, a.m, N),
                    *v = selftest_download(&t, a.v, N);
        int32_t flag = 0;
        MUST(t.s);
        MUST(buffer_read(test_context, a.flag, 0, &flag, 4));
        ck_assert_int_eq(flag, 1);
        for (int i = 0; i < N; i++) {
            if (i == at)
                ck_assert(now[i] == p[i] && m[i] == 0 && v[i] == 0);
            else
                ck_assert(now[i] < p[i] && m[i] > 0 && v[i] > 0);
        }
        finish(&t);
    }
}
END_TEST

/* Nothing is subnormal or infinite, whatever finite gradients come; a first step is lr long or none. */
START_TEST(tiny_and_huge_gradients)
{
    const float g[] = {0, 1e-45f, 1e-38f, 1e-30f, 1e-20f, -1e-12f, 1e12f, 1e20f, -3e38f};
    enum { N = sizeof g / sizeof g[0] };
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float *p = selftest_memory(&t, N, sizeof *p);
    adam_state state = fresh;
    arena a = arena_new(&t, p, g, N);
    for (int step = 0; step < 3; step++)
        MUST(adam_step(test_context, test_device, &state, N, a.p, a.g, a.m, a.v, a.flag));
    const float *now = selftest_download(&t, a.p, N), *m = selftest_download(&t, a.m, N),
                *v = selftest_download(&t, a.v, N);
    int32_t flag = 1;
    MUST(t.s);
    MUST(buffer_read(test_context, a.flag, 0, &flag, 4));
    ck_assert_int_eq(flag, 0);
    for (int i = 0; i < N; i++) {
        ck_assert(isfinite(now[i]) && isfinite(m[i]) && isfinite(v[i]));
        ck_assert(fpclassify(m[i]) != FP_SUBNORMAL && fpclassify(v[i]) != FP_SUBNORMAL);
        if (i < 3) ck_assert(now[i] == 0 && m[i] == 0 && v[i] == 0);
        if (i == 6) ck_assert(fabsf(now[i] + 6e-4f) < 1e-9f);
    }
    finish(&t);
}
END_TEST

START_TEST(wrong_calls_are_refused)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    adam_state state = fresh;
    buffer *b = selftest_output(&t, "b", 8);
    ck_assert_int_eq(adam_step(test_context, test_device, &state, 9, b, b, b, b, b), STATUS_USAGE);
    state.beta1 = 1;
    ck_assert_int_eq(adam_step(test_context, test_device, &state, 8, b, b, b, b, b), STATUS_USAGE);
    state = fresh;
    state.epsilon = 0;
    ck_assert_int_eq(adam_step(test_context, test_device, &state, 8, b, b, b, b, b), STATUS_USAGE);
    ck_assert_int_eq(state.step, 0);
    ck_assert_int_eq(adam_average(test_context, test_device, 9, .5f, b, b), STATUS_USAGE);
    finish(&t);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, matches_the_oracle);
    tcase_add_test(all, does_not_depend_on_width_or_group);
    tcase_add_test(all, three_hundred_steps);
    tcase_add_test(all, gradients_that_are_not_finite);
    tcase_add_test(all, tiny_and_huge_gradients);
    tcase_add_test(all, wrong_calls_are_refused);
}

int main(void)
{
    return test_main("ops/adam", add);
}
