/* Losses: oracle, widths, extreme logits and differences, label noise, wrong calls. */
#include <math.h>
#include "pointwise_test.h"
#include "base/rng.h"
#include "ops/loss.h"

START_TEST(matches_the_oracle)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    family_loss(&t);
    check_loss(&t, 1, .5f);
    check_loss(&t, 128, 0); /* 2 · 128 fill a chunk of the kernel */
    check_loss(&t, 129, 1);
    must_pass(&t, 40);
    /* One feature; below, at and above a block of the kernel; more samples than a chunk. */
    const int sizes[][2] = {{1, 1}, {2, 255}, {5, 256}, {3, 257}, {1, 1025}, {257, 17}, {10, 64 * 64}};
    const int before = t.count;
    for (int i = 0; i < 7; i++) check_loss_squared(&t, sizes[i][0], sizes[i][1]);
    must_pass(&t, before + 14);
    finish(&t);
}
END_TEST

START_TEST(does_not_depend_on_width_or_group)
{
    must_not_depend_on_shape(family_loss);
}
END_TEST

/* Logits of ±100 and far beyond: finite losses and slopes of 0 or ½/batch. */
START_TEST(extreme_logits)
{
    const float logits[4] = {100, -1e30f, 1e30f, -100};
    float zeros[LOSS_COLUMNS] = {0};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *l = selftest_upload(&t, "logits", logits, 4), *dl = selftest_output(&t, "dlogits", 4);
    buffer *m = selftest_upload(&t, "metrics", zeros, LOSS_COLUMNS);
    MUST(t.s);
    MUST(loss_discriminator(test_context, test_device, 2, 0, 1, 1, l, dl, m, 0));
    const float *d = selftest_download(&t, dl, 4), *row = selftest_download(&t, m, LOSS_COLUMNS);
    MUST(t.s);
    ck_assert(d[0] == 0 && d[1] == -.25f && d[2] == .25f && d[3] == 0);
    ck_assert(fabsf(row[LOSS_D] / 5e29f - 1) < 1e-6f && row[LOSS_ACCURACY_REAL] == .5f &&
              row[LOSS_ACCURACY_GENERATED] == .5f);
    ck_assert(row[LOSS_G] == 0);
    finish(&t);
}
END_TEST

/* Flips are rng_uniform < noise, at a rate near the noise, and others at another step. */
START_TEST(label_noise)
{
    enum { BATCH = 2000 };
    const float noise = .05f;
    selftest t;
    selftest_begin(&t, test_context, test_device);
    float *logits = selftest_values(&t, 2 * BATCH, 0, 0), zeros[LOSS_COLUMNS] = {0};
    buffer *l = selftest_upload(&t, "logits", logits, 2 * BATCH), *dl = selftest_output(&t, "dlogits", 2 * BATCH);
    buffer *m = selftest_upload(&t, "metrics", zeros, LOSS_COLUMNS);
    int flips = 0, moved = 0;
    float *before = NULL;
    MUST(t.s);
    for (uint64_t step = 7; step < 9; step++) {
        MUST(loss_discriminator(test_context, test_device, BATCH, noise, 5, step, l, dl, m, 0));
        float *d = selftest_download(&t, dl, 2 * BATCH);
        MUST(t.s);
        for (int i = 0; i < 2 * BATCH; i++) {
            const bool flip = (d[i] < 0) != (i < BATCH);
            ck_assert_int_eq(flip, rng_uniform(5, RNG_LABEL, step * 2 * BATCH + (uint64_t)i, 0) < (double)noise);
            flips += flip;
            if (before) moved += (d[i] < 0) != (before[i] < 0);
        }
        before = d;
    }
    ck_assert_msg(abs(flips - 400) < 5 * 20, "%d flips of 8000", flips);
    ck_assert_msg(moved > 250, "only %d labels changed from step to step", moved);
    finish(&t);
}
END_TEST

/* The gradient may overwrite either input, or be left out, and the loss stays the same bits; nothing is written beyond
 * its metric. */
START_TEST(squared_in_place_and_without_gradient)
{
    enum { N = 3, FEATURES = 333, COUNT = N * FEATURES };
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float zeros[3] = {0}, *x = selftest_values(&t, COUNT, -1, 1), *y = selftest_values(&t, COUNT, -1, 1);
    buffer *scratch = selftest_output(&t, "scratch", loss_squared_scratch_bytes(N, FEATURES) / sizeof(float));
    const float *gradient[4], *rows[4];
    for (int way = 0; way < 4; way++) {
        buffer *a = selftest_upload(&t, "a", x, COUNT), *b = selftest_upload(&t, "b", y, COUNT);
        buffer *apart = selftest_output(&t, "da", COUNT), *m = selftest_upload(&t, "metrics", zeros, 3);
        buffer *da = (buffer *[]){apart, a, b, NULL}[way];
        MUST(t.s);
        MUST(loss_squared(test_context, test_device, N, FEATURES, a, b, scratch, da, m, 1));
        gradient[way] = da ? selftest_download(&t, da, COUNT) : NULL;
        rows[way] = selftest_download(&t, m, 3);
        MUST(t.s);
        ck_assert(rows[way][0] == 0 && rows[way][1] > 0 && rows[way][2] == 0);
        ck_assert(rows[way][1] == rows[0][1]);
        if (da) ck_assert(!memcmp(gradient[way], gradient[0], COUNT * sizeof(float)));
    }
    finish(&t);
}
END_TEST

/* A difference below 2^-50 counts as none; one of 2^-50 does; what is not finite shows in loss and gradient. */
START_TEST(extreme_differences)
{
    const float a[4] = {1, 0x1p-51f, 0x1p-50f, INFINITY}, b[4] = {1, 0, 0, 1}, zeros[2] = {0};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *ba = selftest_upload(&t, "a", a, 4), *bb = selftest_upload(&t, "b", b, 4);
    buffer *da = selftest_output(&t, "da", 4), *m = selftest_upload(&t, "metrics", zeros, 2);
    buffer *scratch = selftest_output(&t, "scratch", 1);
    MUST(t.s);
    MUST(loss_squared(test_context, test_device, 1, 3, ba, bb, scratch, da, m, 0));
    MUST(loss_squared(test_context, test_device, 1, 4, ba, bb, scratch, da, m, 1));
    const float *d = selftest_download(&t, da, 4), *row = selftest_download(&t, m, 2);
    MUST(t.s);
    ck_assert(d[0] == 0 && d[1] == 0 && d[2] == 0x1p-49f && !isfinite(d[3]));
    ck_assert(row[0] == 0x1p-100f && !isfinite(row[1]));
    finish(&t);
}
END_TEST

START_TEST(wrong_calls_are_refused)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *b = selftest_output(&t, "b", 8);
    ck_assert_int_eq(loss_discriminator(test_context, test_device, 5, 0, 1, 1, b, b, b, 0), STATUS_USAGE);
    ck_assert_int_eq(loss_discriminator(test_context, test_device, 2, 1.5f, 1, 1, b, b, b, 0), STATUS_USAGE);
    ck_assert_int_eq(loss_discriminator(test_context, test_device, 2, 0, 1, 1, b, b, b, 2), STATUS_USAGE);
    ck_assert_int_eq(loss_generator(test_context, test_device, 0, true, b, b, b, 0), STATUS_USAGE);
    ck_assert_int_eq(loss_squared(test_context, test_device, 0, 1, b, b, b, b, b, 0), STATUS_USAGE);
    ck_assert_int_eq(loss_squared(test_context, test_device, 1, 9, b, b, b, b, b, 0), STATUS_USAGE);
    ck_assert_int_eq(loss_squared(test_context, test_device, 9, 1, b, b, b, NULL, b, 0), STATUS_USAGE);
    ck_assert_int_eq(loss_squared(test_context, test_device, 1, 1, b, NULL, b, b, b, 0), STATUS_USAGE);
    ck_assert_int_eq(loss_squared(test_context, test_device, 1, 1, b, b, b, b, b, 8), STATUS_USAGE);
    finish(&t);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, matches_the_oracle);
    tcase_add_test(all, does_not_depend_on_width_or_group);
    tcase_add_test(all, extreme_logits);
    tcase_add_test(all, squared_in_place_and_without_gradient);
    tcase_add_test(all, extreme_differences);
    tcase_add_test(all, label_noise);
    tcase_add_test(all, wrong_calls_are_refused);
}

int main(void)
{
    return test_main("ops/loss", add);
}
