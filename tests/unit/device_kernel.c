/* Kernels on the default device: builds, launches, arguments, messages, profile. Oracle: the same formulas in C. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/memory.h"
#include "device/internal.h"

static context *c;
static device *d;

static void open_device(void)
{
    c = context_new(NULL);
    ck_assert_ptr_nonnull(c);
    status s = device_open(c, NULL, &d);
    ck_assert_msg(!s, "%s", context_message(c));
}

static void close_device(void)
{
    device_delete(&d);
    context_delete(&c);
}

static buffer *make(const char *label, size_t bytes)
{
    buffer *b = NULL;
    status s = buffer_new(c, d, label, bytes, &b);
    ck_assert_msg(!s, "%s", context_message(c));
    return b;
}

static kernel *get(const char *entry, const char *options)
{
    kernel *k = NULL;
    status s = kernel_get(c, d, "selfcheck", entry, options, &k);
    ck_assert_msg(!s, "%s", context_message(c));
    return k;
}

#define OK(call) ck_assert_msg(!(call), "%s", context_message(c))

/* x + y for sizes that are multiples of nothing, in every vector width: exact, and nothing behind the end is touched.
 */
START_TEST(adds_in_every_width)
{
    static const int widths[] = {1, 2, 4, 8, 16};
    static const uint32_t sizes[] = {1, 5, 17, 1023, 4099};
    enum { MOST = 4099 + 16 };
    static float x[MOST], y[MOST], z[MOST];
    for (int i = 0; i < MOST; i++) {
        x[i] = (float)i * 0.37f - 100;
        y[i] = 1.0f / (float)(i + 1);
    }
    buffer *bx = make("x", sizeof x), *by = make("y", sizeof y), *bz = make("z", sizeof z);
    OK(buffer_write(c, bx, 0, x, sizeof x));
    OK(buffer_write(c, by, 0, y, sizeof y));
    for (int w = 0; w < 5; w++)
        for (int n = 0; n < 5; n++) {
            char options[32];
            snprintf(options, sizeof options, "-DVW=%d", widths[w]);
            const size_t global = (sizes[n] + (size_t)widths[w] - 1) / (size_t)widths[w];
            OK(buffer_fill_float(c, bz, 0, sizeof z, -7));
            OK(kernel_run(c, get("add", options), 1, &global, NULL,
                          KERNEL_ARGUMENTS(ARG_BUFFER(bx), ARG_BUFFER(by), ARG_BUFFER(bz), ARG_UINT(sizes[n]))));
            OK(buffer_read(c, bz, 0, z, sizeof z));
            for (uint32_t i = 0; i < MOST; i++)
                ck_assert_msg(z[i] == (i < sizes[n] ? x[i] + y[i] : -7), "width %d, n %u: z[%u] = %g", widths[w],
                              sizes[n], i, z[i]);
        }
    buffer_delete(&bx);
    buffer_delete(&by);
    buffer_delete(&bz);
}
END_TEST

/* The same kernel with other arguments, one changed at a time, through the argument cache; a new buffer that takes the
 * place of a deleted one must not be taken for it. */
START_TEST(changed_arguments_arrive)
{
    enum { N = 100 };
    uint32_t out[N];
    kernel *k = get("pattern", "-DVW=4");
    const size_t global = N / 4;
    for (uint32_t round = 0; round < 20; round++) {
        buffer *b = make("pattern", sizeof out);
        const uint32_t base = round / 2, step = 3 + round / 3;
        OK(kernel_run(c, k, 1, &global, NULL,
                      KERNEL_ARGUMENTS(ARG_BUFFER(b), ARG_UINT(base), ARG_UINT(step), ARG_UINT(N))));
        OK(buffer_read(c, b, 0, out, sizeof out));
        for (uint32_t i = 0; i < N; i++) ck_assert_uint_eq(out[i], i * step + base);
        buffer_delete(&b);
    }
}
END_TEST

/* Queued work still runs right when its buffer is deleted at once (PoCL would abort). */
START_TEST(delete_right_after_launch)
{
    enum { N = 1 << 14 };
    kernel *k = get("lcg", "-DVW=8");
    const size_t global = N / 8;
    for (int i = 0; i < 20; i++) {
        buffer *b = make("states", N * 4), *view = NULL;
        OK(buffer_zero(c, b));
        OK(buffer_view(c, b, buffer_alignment(d), N * 4 - buffer_alignment(d), &view));
        OK(kernel_run(c, k, 1, &global, NULL,
                      KERNEL_ARGUMENTS(ARG_BUFFER(view), ARG_UINT(200), ARG_UINT((N * 4 - buffer_alignment(d)) / 4))));
        ck_assert_uint_lt(d->done, d->queued);
        buffer_delete(&view);
        ck_assert_uint_eq(d->done, d->queued); /* waited for: what a runtime does otherwise is its own affair */
        buffer_delete(&b);
    }
    ck_assert_uint_eq(device_bytes_used(d), 0);
    OK(device_finish(c, d));
}
END_TEST

START_TEST(lcg_and_fma_match_the_oracle)
{
    enum { N = 333 };
    uint32_t states[N], expected[N];
    float x[N], y[N], z[N], out[N];
    for (uint32_t i = 0; i < N; i++) {
        states[i] = expected[i] = i * 2654435761u;
        for (int r = 0; r < 9; r++) expected[i] = expected[i] * 1664525u + 1013904223u;
        /* Products that need more than 24 bits, against the sum that cancels them: only a fused one keeps the rest. */
        x[i] = 1.0f + (float)(i + 1) / 8388608.0f;
        y[i] = 1.0f - (float)(i + 1) / 16777216.0f;
        z[i] = -1.0f;
    }
    buffer *b = make("states", sizeof states), *bx = make("x", sizeof x), *by = make("y", sizeof y),
           *bz = make("z", sizeof z);
    OK(buffer_write(c, b, 0, states, sizeof states));
    OK(buffer_write(c, bx, 0, x, sizeof x));
    OK(buffer_write(c, by, 0, y, sizeof y));
    OK(buffer_write(c, bz, 0, z, sizeof z));
    const size_t global = (N + 15) / 16;
    OK(kernel_run(c, get("lcg", "-DVW=16"), 1, &global, NULL,
                  KERNEL_ARGUMENTS(ARG_BUFFER(b), ARG_UINT(9), ARG_UINT(N))));
    OK(kernel_run(c, get("fused", "-DVW=16"), 1, &global, NULL,
                  KERNEL_ARGUMENTS(ARG_BUFFER(bx), ARG_BUFFER(by), ARG_BUFFER(bz), ARG_UINT(N))));
    OK(buffer_read(c, b, 0, states, sizeof states));
    OK(buffer_read(c, bz, 0, out, sizeof out));
    ck_assert_mem_eq(states, expected, sizeof states);
    for (int i = 0; i < N; i++)
        ck_assert_msg(out[i] == fmaf(x[i], y[i], z[i]), "%d: %a, not %a", i, out[i], fmaf(x[i], y[i], z[i]));
    buffer_delete(&b);
    buffer_delete(&bx);
    buffer_delete(&by);
    buffer_delete(&bz);
}
END_TEST

START_TEST(local_memory_and_work_groups)
{
    enum { GROUP = 8, N = 10 * GROUP };
    float x[N], out[N];
    for (int i = 0; i < N; i++) x[i] = (float)i;
    buffer *b = make("x", sizeof x);
    OK(buffer_write(c, b, 0, x, sizeof x));
    const size_t global = N, local = GROUP;
    kernel *k = get("reverse", "");
    ck_assert_uint_ge(kernel_max_work_group(k), GROUP);
    OK(kernel_run(c, k, 1, &global, &local, KERNEL_ARGUMENTS(ARG_BUFFER(b), ARG_LOCAL(GROUP * sizeof(float)))));
    OK(buffer_read(c, b, 0, out, sizeof out));
    for (int i = 0; i < N; i++) ck_assert_float_eq(out[i], x[i / GROUP * GROUP + GROUP - 1 - i % GROUP]);
    buffer_delete(&b);
}
END_TEST

START_TEST(wrong_use_is_named)
{
    kernel *k = NULL;
    ck_assert_int_eq(kernel_get(c, d, "nosuchfile", "add", "", &k), STATUS_FAILURE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "kernels/nosuchfile.cl"));
    ck_assert_int_eq(kernel_get(c, d, "selfcheck", "nosuchentry", "", &k), STATUS_DEVICE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "selfcheck/nosuchentry"));
    ck_assert_ptr_nonnull(strstr(context_message(c), "CL_INVALID_KERNEL_NAME"));
    /* A build error has the file, the options, the device and the compiler's words. */
    ck_assert_int_eq(kernel_get(c, d, "selfcheck", "add", "-DVW=3", &k), STATUS_DEVICE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "kernels/selfcheck.cl"));
    ck_assert_ptr_nonnull(strstr(context_message(c), "-DVW=3"));
    ck_assert_ptr_nonnull(strstr(context_message(c), device_info(d)->name));
    ck_assert_ptr_nonnull(strstr(context_message(c), "VW must be 1, 2, 4, 8 or 16"));
    ck_assert_ptr_null(k);
    k = get("add", "");
    const size_t one = 1, zero = 0, seven[] = {7}, five[] = {5};
    ck_assert_int_eq(kernel_run(c, k, 1, &one, NULL, KERNEL_ARGUMENTS(ARG_UINT(1))), STATUS_FAILURE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "has 4"));
    ck_assert_int_eq(kernel_run(c, k, 4, &one, NULL, 0, NULL), STATUS_FAILURE);
    buffer *b = make("b", 64);
    const kernel_argument same[] = {ARG_BUFFER(b), ARG_BUFFER(b), ARG_BUFFER(b), ARG_UINT(4)};
    OK(kernel_run(c, k, 1, &zero, NULL, 4, same)); /* no launch */
    ck_assert_int_eq(kernel_run(c, k, 1, seven, five, 4, same), STATUS_DEVICE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "global 7, local 5"));
    buffer_delete(&b);
}
END_TEST

START_TEST(asking_again_gives_the_same)
{
    kernel *a = get("add", "-DVW=4"), *b = get("add", "-DVW=4"), *other = get("add", "-DVW=8");
    ck_assert_ptr_eq(a, b);
    ck_assert_ptr_ne(a, other);
    /* Entries of one file and options share a program. */
    int programs = 0;
    get("lcg", "-DVW=4");
    for (program *p = d->programs; p; p = p->next)
        programs += !strcmp(p->file, "selfcheck") && !strcmp(p->options, "-DVW=4");
    ck_assert_int_eq(programs, 1);
}
END_TEST

START_TEST(profile_counts_launches)
{
    device *p = NULL;
    OK(device_open(c, &(device_options){.profile = true}, &p));
    buffer *b = NULL;
    kernel *k = NULL;
    OK(buffer_new(c, p, "states", 4096, &b));
    OK(buffer_zero(c, b));
    OK(kernel_get(c, p, "selfcheck", "lcg", "-DVW=4", &k));
    const size_t global = 1;
    for (int i = 0; i < PROFILE_DRAIN + 3; i++)
        OK(kernel_run(c, k, 1, &global, NULL, KERNEL_ARGUMENTS(ARG_BUFFER(b), ARG_UINT(1), ARG_UINT(1))));
    device_profile_row *rows = NULL;
    int count = 0;
    OK(device_profile(c, p, &rows, &count));
    int64_t launches = 0, fills = 0;
    for (int i = 0; i < count; i++) {
        launches += strcmp(rows[i].kernel, "selfcheck/lcg") ? 0 : rows[i].launches;
        fills += strcmp(rows[i].kernel, "(fill)") ? 0 : rows[i].launches;
        ck_assert(rows[i].seconds >= 0 && rows[i].seconds < 10);
    }
    ck_assert_int_eq(launches, PROFILE_DRAIN + 3);
    ck_assert_int_eq(fills, 1);
    memory_delete(&rows);
    OK(device_profile(c, p, &rows, &count));
    ck_assert_int_eq(count, 0);
    memory_delete(&rows);
    buffer_delete(&b);
    device_delete(&p);
    OK(device_profile(c, d, &rows, &count)); /* a device that does not profile */
    ck_assert_int_eq(count, 0);
    memory_delete(&rows);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("device kernels");
    TCase *t = tcase_create("kernels");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, open_device, close_device);
    tcase_add_test(t, adds_in_every_width);
    tcase_add_test(t, changed_arguments_arrive);
    tcase_add_test(t, delete_right_after_launch);
    tcase_add_test(t, lcg_and_fma_match_the_oracle);
    tcase_add_test(t, local_memory_and_work_groups);
    tcase_add_test(t, wrong_use_is_named);
    tcase_add_test(t, asking_again_gives_the_same);
    tcase_add_test(t, profile_counts_launches);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
