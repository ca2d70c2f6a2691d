/* Normalisation: oracle, widths, independence of the split of a batch, frozen statistics, wrong calls. */
#include <math.h>
#include "pointwise_test.h"

START_TEST(matches_the_oracle)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    family_norm(&t);
    const batching b = {.n = 6, .segment = 6, .micro = 4};
    for (int f = ACTIVATION_NONE; f <= ACTIVATION_SIGMOID; f++)
        for (int kind = NORM_BATCH; kind <= NORM_GROUP; kind++) {
            const norm_shape s = {.kind = (norm_kind)kind,
                                  .pixels = 9,
                                  .channels = 12,
                                  .groups = 4,
                                  .epsilon = 1e-5f,
                                  .f = (activation)f,
                                  .leak = .1f};
            check_norm(&t, &s, &b);
            if (kind == NORM_BATCH) check_norm_frozen(&t, &s, 3);
        }
    must_pass(&t, 110);
    finish(&t);
}
END_TEST

START_TEST(odd_sizes)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const batching batches[] = {{1, 1, 10}, {3, 3, 2}, {23, 23, 10}, {26, 13, 5}};
    const int pixels[] = {1, 2, 131}, channels[] = {3, 16, 100};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++) {
            /* One sample of one pixel has no variance: xhat is 0 and its gradient too. */
            norm_shape s = {.kind = NORM_GROUP,
                            .pixels = pixels[(i + k) % 3],
                            .channels = channels[k],
                            .groups = 1,
                            .epsilon = 1e-3f,
                            .f = ACTIVATION_TANH};
            check_norm(&t, &s, &batches[i]);
            if (batches[i].n * s.pixels < 20) continue;
            s.kind = NORM_BATCH;
            s.f = ACTIVATION_RELU;
            if (batches[i].micro > 1) check_norm(&t, &s, &batches[i]);
        }
    must_pass(&t, 80);
    finish(&t);
}
END_TEST

START_TEST(does_not_depend_on_width_or_group)
{
    must_not_depend_on_shape(family_norm);
}
END_TEST

/* Two segments of 10 in micro-batches of 5 give each half the very bits it gets alone. */
START_TEST(a_split_batch_gives_the_same_bits)
{
    const norm_shape s = {
        .kind = NORM_BATCH, .pixels = 20, .channels = 16, .epsilon = 1e-5f, .f = ACTIVATION_LEAKY, .leak = .2f};
    const batching whole = {20, 10, 5}, half = {10, 10, 5};
    const size_t n = 20 * 20 * 16;
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float *x = selftest_values(&t, n, -1, 2), *dy = selftest_values(&t, n, -1, 1),
                *w = selftest_values(&t, 16, .5, 1);
    buffer *gamma = selftest_upload(&t, "gamma", w, 16), *beta = selftest_upload(&t, "beta", w, 16);
    buffer *mean = selftest_output(&t, "mean", 64), *rstd = selftest_output(&t, "rstd", 64);
    buffer *scratch = selftest_output(&t, "scratch", norm_scratch_bytes(&s, &whole) / 4);
    buffer *dgamma = selftest_output(&t, "dgamma", 16), *dbeta = selftest_output(&t, "dbeta", 16);
    const float *y[3], *dx[3];
    for (int part = 0; part < 3; part++) { /* the whole, then its halves */
        const batching *b = part ? &half : &whole;
        const size_t count = part ? n / 2 : n, from = part == 2 ? n / 2 : 0;
        buffer *bx = selftest_upload(&t, "x", x + from, count), *bdy = selftest_upload(&t, "dy", dy + from, count);
        buffer *by = selftest_output(&t, "y", count);
        MUST(t.s);
        MUST(norm_forward(test_context, test_device, &s, b, bx, gamma, beta, mean, rstd, scratch, by));
        MUST(norm_backward(test_context, test_device, &s, b, bx, by, bdy, gamma, beta, mean, rstd, scratch, bdy, dgamma,
                           dbeta));
        y[part] = selftest_download(&t, by, count);
        dx[part] = selftest_download(&t, bdy, count);
        MUST(t.s);
    }
    for (int h = 0; h < 2; h++) {
        ck_assert_mem_eq(y[0] + (size_t)h * n / 2, y[1 + h], n / 2 * sizeof(float));
        ck_assert_mem_eq(dx[0] + (size_t)h * n / 2, dx[1 + h], n / 2 * sizeof(float));
    }
    finish(&t);
}
END_TEST

/* Normalised values have mean beta and deviation gamma in each micro-batch, and a constant added to x changes nothing
 * but the mean; dx is orthogonal to 1 and to xhat. */
START_TEST(properties)
{
    const norm_shape s = {.kind = NORM_BATCH, .pixels = 50, .channels = 16, .epsilon = 1e-12f};
    const batching b = {6, 6, 3};
    const size_t n = 6 * 50 * 16;
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float *x = selftest_values(&t, n, 100, 102), *dy = selftest_values(&t, n, -1, 1);
    float ones[16], zeros[16] = {0};
    for (int i = 0; i < 16; i++) ones[i] = 1;
    buffer *gamma = selftest_upload(&t, "gamma", ones, 16), *beta = selftest_upload(&t, "beta", zeros, 16);
    buffer *mean = selftest_output(&t, "mean", 32), *rstd = selftest_output(&t, "rstd", 32);
    buffer *scratch = selftest_output(&t, "scratch", norm_scratch_bytes(&s, &b) / 4);
    buffer *bx = selftest_upload(&t, "x", x, n), *bdy = selftest_upload(&t, "dy", dy, n),
           *by = selftest_output(&t, "y", n);
    buffer *dgamma = selftest_output(&t, "dgamma", 16), *dbeta = selftest_output(&t, "dbeta", 16);
    MUST(t.s);
    MUST(norm_forward(test_context, test_device, &s, &b, bx, gamma, beta, mean, rstd, scratch, by));
    MUST(norm_backward(test_context, test_device, &s, &b, bx, by, bdy, gamma, beta, mean, rstd, scratch, bdy, dgamma,
                       dbeta));
    const float *y = selftest_download(&t, by, n), *dx = selftest_download(&t, bdy, n);
    MUST(t.s);
    for (int row = 0; row < 2; row++)
        for (int c = 0; c < 16; c++) {
            double sum = 0, square = 0, along_1 = 0, along_y = 0, size = 0;
            for (int i = row * 150; i < (row + 1) * 150; i++) {
                const double v = y[i * 16 + c], g = dx[i * 16 + c];
                sum += v, square += v * v, along_1 += g, along_y += g * v, size += fabs(g);
            }
            ck_assert_msg(fabs(sum) / 150 < 1e-4 && fabs(square / 150 - 1) < 1e-4, "mean %g, variance %g", sum / 150,
                          square / 150);
            ck_assert_msg(fabs(along_1) < 1e-4 * size && fabs(along_y) < 1e-4 * size, "%g %g of %g", along_1, along_y,
                          size);
        }
    finish(&t);
}
END_TEST

/* Without the gradients of gamma and beta dx is the same; batch normalisation needs them for dx. */
START_TEST(group_norm_goes_back_for_data_alone)
{
    norm_shape s = {
        .kind = NORM_GROUP, .pixels = 20, .channels = 12, .groups = 3, .epsilon = 1e-5f, .f = ACTIVATION_RELU};
    const batching b = {5, 5, 3};
    const size_t n = 5 * 20 * 16;
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *x = selftest_upload(&t, "x", selftest_padded(&t, 100, 12, -1, 2), n), *y = selftest_output(&t, "y", n);
    buffer *dy = selftest_upload(&t, "dy", selftest_padded(&t, 100, 12, -1, 1), n);
    buffer *w = selftest_upload(&t, "gamma and beta", selftest_padded(&t, 1, 12, .5, 1), 16);
    buffer *mean = selftest_output(&t, "mean", 32), *rstd = selftest_output(&t, "rstd", 32);
    buffer *scratch = selftest_output(&t, "scratch", norm_scratch_bytes(&s, &b) / 4);
    buffer *dgamma = selftest_output(&t, "dgamma", 16), *dbeta = selftest_output(&t, "dbeta", 16);
    buffer *dx[2] = {selftest_output(&t, "dx", n), selftest_output(&t, "dx", n)};
    MUST(t.s);
    MUST(norm_forward(test_context, test_device, &s, &b, x, w, w, mean, rstd, scratch, y));
    MUST(norm_backward(test_context, test_device, &s, &b, x, y, dy, w, w, mean, rstd, scratch, dx[0], dgamma, dbeta));
    MUST(norm_backward(test_context, test_device, &s, &b, x, y, dy, w, w, mean, rstd, scratch, dx[1], NULL, NULL));
    const float *with = selftest_download(&t, dx[0], n), *without = selftest_download(&t, dx[1], n);
    MUST(t.s);
    ck_assert_mem_eq(with, without, n * sizeof(float));
    ck_assert_int_eq(
        norm_backward(test_context, test_device, &s, &b, x, y, dy, w, w, mean, rstd, scratch, dx[1], NULL, dbeta),
        STATUS_USAGE);
    s.kind = NORM_BATCH;
    ck_assert_int_eq(
        norm_backward(test_context, test_device, &s, &b, x, y, dy, w, w, mean, rstd, scratch, dx[1], NULL, NULL),
        STATUS_USAGE);
    finish(&t);
}
END_TEST

START_TEST(wrong_calls_are_refused)
{
    norm_shape s = {.kind = NORM_GROUP, .pixels = 4, .channels = 16, .groups = 3, .epsilon = 1e-5f};
    const batching b = {2, 2, 2};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *o = selftest_output(&t, "small", 4);
#define FORWARD norm_forward(test_context, test_device, &s, &b, o, o, o, o, o, o, o)
    ck_assert_int_eq(FORWARD, STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(context_message(test_context), "3 groups"));
    s.groups = 4;
    ck_assert_int_eq(FORWARD, STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(context_message(test_context), "holds 4 floats, needs 128"));
    s.kind = NORM_NONE;
    ck_assert_int_eq(FORWARD, STATUS_USAGE);
    s.kind = NORM_BATCH;
    s.epsilon = 0;
    ck_assert_int_eq(FORWARD, STATUS_USAGE);
    s.kind = NORM_GROUP;
    s.epsilon = 1e-5f;
    ck_assert_int_eq(norm_forward_frozen(test_context, test_device, &s, 1, o, o, o, o, o, o), STATUS_USAGE);
    finish(&t);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, matches_the_oracle);
    tcase_add_test(all, odd_sizes);
    tcase_add_test(all, does_not_depend_on_width_or_group);
    tcase_add_test(all, a_split_batch_gives_the_same_bits);
    tcase_add_test(all, properties);
    tcase_add_test(all, group_norm_goes_back_for_data_alone);
    tcase_add_test(all, wrong_calls_are_refused);
}

int main(void)
{
    return test_main("ops/norm", add);
}
