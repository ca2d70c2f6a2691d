/* Every call into OpenCL and every host allocation of a whole piece of work fails once: each time with a status and a
 * message, never a crash, and the next attempt works. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "device/internal.h"

static context *c;

enum { N = 5000 };

/* Lists, opens, writes, views, builds, runs, profiles, reads. Releases all it made whatever happens. */
static status work(device **left)
{
    device_record *list = NULL;
    device_profile_row *rows = NULL;
    device *d = NULL;
    buffer *a = NULL, *b = NULL, *view = NULL;
    kernel *k = NULL;
    uint32_t data[N];
    int count = 0;
    const size_t global = N / 2;
    for (uint32_t i = 0; i < N; i++) data[i] = i;
    status s = device_list(c, &list, &count);
    if (!s) s = device_open(c, &(device_options){.profile = true}, &d);
    if (!s) s = buffer_new(c, d, "a", sizeof data, &a);
    if (!s) s = buffer_new(c, d, "b", sizeof data, &b);
    if (!s) s = buffer_view(c, b, buffer_alignment(d), 2 * buffer_alignment(d), &view);
    if (!s) s = buffer_write(c, a, 0, data, sizeof data);
    if (!s) s = buffer_zero(c, b);
    if (!s) s = buffer_fill_float(c, view, 0, 64, 1);
    if (!s) s = kernel_get(c, d, "selfcheck", "lcg", "-DVW=2", &k);
    if (!s) s = kernel_run(c, k, 1, &global, NULL, KERNEL_ARGUMENTS(ARG_BUFFER(a), ARG_UINT(1), ARG_UINT(N)));
    if (!s) s = buffer_copy(c, a, 0, b, 0, sizeof data);
    if (!s) s = device_flush(c, d);
    if (!s) s = buffer_read(c, b, 0, data, sizeof data);
    if (!s) s = device_finish(c, d);
    if (!s) s = device_profile(c, d, &rows, &count);
    if (!s)
        for (uint32_t i = 0; i < N; i++) ck_assert_uint_eq(data[i], i * 1664525u + 1013904223u);
    buffer_delete(&view);
    buffer_delete(&a);
    buffer_delete(&b);
    if (d) ck_assert_uint_eq(device_bytes_used(d), 0);
    if (left)
        *left = d;
    else
        device_delete(&d);
    memory_delete(&rows);
    memory_delete(&list);
    return s;
}

START_TEST(every_opencl_call_fails_once)
{
    ck_assert_msg(!work(NULL), "%s", context_message(c));
    long failures = 0, n = 1;
    for (;; n++) {
        opencl_inject(n);
        status s = work(NULL);
        const bool reached = !opencl_injection_left();
        opencl_inject(0);
        if (!reached) {
            ck_assert_int_eq(s, STATUS_OK);
            break;
        }
        if (s) {
            failures++;
            ck_assert_msg(s == STATUS_DEVICE || s == STATUS_MEMORY, "call %ld: status %d", n, s);
            ck_assert_msg(context_message(c)[0], "call %ld: no message", n);
        }
        ck_assert_int_lt(n, 1000);
    }
    /* Those that do no harm are optional questions about the device (doubles, unified memory) and the log of a build.
     */
    ck_assert_int_gt(n, 60);
    ck_assert_msg(failures > n / 2, "only %ld of %ld failures were seen", failures, n);
    ck_assert_msg(!work(NULL), "%s", context_message(c));
}
END_TEST

START_TEST(every_allocation_fails_once)
{
    long n = 1, failures = 0;
    /* What only serves the disk cache may fail in silence: the end is reached when several in a row change nothing. */
    for (int in_a_row = 0; in_a_row < 8; n++) {
        memory_fail_at(n);
        status s = work(NULL);
        in_a_row = s ? 0 : in_a_row + 1;
        if (s) {
            failures++;
            ck_assert_int_eq(s, STATUS_MEMORY);
            ck_assert_ptr_nonnull(strstr(context_message(c), "no memory"));
        }
        ck_assert_int_lt(n, 1000);
    }
    memory_fail_at(0);
    ck_assert_int_gt(failures, 15);
    ck_assert_msg(!work(NULL), "%s", context_message(c));
}
END_TEST

/* Building from source and keeping the binary, call by call: what serves the cache alone may fail in silence. */
START_TEST(every_call_of_a_build_fails_once)
{
    device *d = NULL;
    kernel *k = NULL;
    int failures = 0;
    ck_assert_int_eq(device_open(c, NULL, &d), STATUS_OK);
    d->record.avoid_binaries = false;
    for (int n = 1, pending = 0; !pending; n++) {
        char options[32];
        snprintf(options, sizeof options, "-DVW=1 -DROUND=%d", n);
        opencl_inject(n);
        status s = kernel_get(c, d, "selfcheck", "pattern", options, &k);
        pending = opencl_injection_left();
        opencl_inject(0);
        ck_assert((s == STATUS_OK) == (k != NULL));
        if (s) {
            failures++;
            ck_assert_int_eq(s, STATUS_DEVICE);
            ck_assert_ptr_nonnull(strstr(context_message(c), "CL_OUT_OF_RESOURCES"));
            ck_assert_int_eq(kernel_get(c, d, "selfcheck", "pattern", options, &k), STATUS_OK);
        }
        ck_assert_int_lt(n, 20);
    }
    ck_assert_int_ge(failures, 4);
    device_delete(&d);
}
END_TEST

/* A device on which a launch failed goes on with the next one. */
START_TEST(a_device_survives_a_failed_call)
{
    device *d = NULL;
    ck_assert_int_eq(work(&d), STATUS_OK);
    buffer *b = NULL;
    kernel *k = NULL;
    uint32_t out[4];
    const size_t global = 4;
    ck_assert_int_eq(buffer_new(c, d, "b", sizeof out, &b), STATUS_OK);
    ck_assert_int_eq(kernel_get(c, d, "selfcheck", "pattern", "-DVW=1", &k), STATUS_OK);
    /* Four arguments and the launch: each fails once, with all arguments new each time. */
    for (long n = 1; n <= 5; n++) {
        const kernel_argument arguments[] = {ARG_BUFFER(b), ARG_UINT(100 * n), ARG_UINT(n), ARG_UINT(4)};
        opencl_inject(n);
        const status s = kernel_run(c, k, 1, &global, NULL, 4, arguments);
        /* The buffer and n stay the same from the second time on and are not set again. */
        if (n <= 3) ck_assert_int_eq(s, STATUS_DEVICE);
        opencl_inject(0);
        ck_assert_int_eq(kernel_run(c, k, 1, &global, NULL, 4, arguments), STATUS_OK);
        ck_assert_int_eq(buffer_read(c, b, 0, out, sizeof out), STATUS_OK);
        for (uint32_t i = 0; i < 4; i++) ck_assert_uint_eq(out[i], (uint32_t)(100 * n) + i * (uint32_t)n);
    }
    /* An error that shows only while a buffer is deleted is told by the next wait. */
    ck_assert_int_eq(buffer_zero(c, b), STATUS_OK);
    opencl_inject(1);
    buffer_delete(&b);
    ck_assert_int_eq(device_finish(c, d), STATUS_DEVICE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "before a buffer was deleted"));
    ck_assert_int_eq(device_finish(c, d), STATUS_OK);
    device_delete(&d);
}
END_TEST

int main(void)
{
    char folder[] = "/tmp/cosmocl-test-XXXXXX", remove[64];
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    setenv("COSMOCL_CACHE", folder, 1);
    c = context_new(NULL);
    Suite *s = suite_create("device failures");
    TCase *t = tcase_create("failures");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, every_opencl_call_fails_once);
    tcase_add_test(t, every_allocation_fails_once);
    tcase_add_test(t, every_call_of_a_build_fails_once);
    tcase_add_test(t, a_device_survives_a_failed_call);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    context_delete(&c);
    snprintf(remove, sizeof remove, "rm -rf %s", folder);
    if (system(remove)) return EXIT_FAILURE;
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
