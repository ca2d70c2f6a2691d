/* Messages that grow, sinks, stop requests; memory; progress and clock texts. */
#include <check.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/progress.h"

static char lines[4096], states[4096];
static int line_count, state_count;
static bool was_last;

static void take_line(void *user, log_level level, const char *text)
{
    ck_assert_ptr_eq(user, lines);
    snprintf(lines, sizeof lines, "%d %s", level, text);
    line_count++;
}

static void take_state(void *user, const char *text, bool last)
{
    (void)user;
    snprintf(states, sizeof states, "%s", text);
    state_count++;
    was_last = last;
}

static const context_sinks sinks = {take_line, take_state, lines, LOG_INFO};

START_TEST(message_grows)
{
    context *c = context_new(NULL);
    ck_assert_str_eq(context_message(c), "");
    ck_assert_int_eq(context_fail(c, STATUS_MEMORY, "needs %d MiB", 812), STATUS_MEMORY);
    ck_assert_int_eq(context_prefix(c, STATUS_MEMORY, "layer %s", "conv4"), STATUS_MEMORY);
    ck_assert_int_eq(context_prefix(c, STATUS_MEMORY, "train gan"), STATUS_MEMORY);
    ck_assert_str_eq(context_message(c), "train gan: layer conv4: needs 812 MiB");
    ck_assert_int_eq(context_prefix(c, STATUS_OK, "nothing"), STATUS_OK);
    ck_assert_str_eq(context_message(c), "train gan: layer conv4: needs 812 MiB");
    /* A message may quote the one before. */
    context_fail(c, STATUS_DATA, "%s; and more", context_message(c));
    ck_assert_str_eq(context_message(c), "train gan: layer conv4: needs 812 MiB; and more");
    context_fail(c, STATUS_DATA, "again");
    ck_assert_str_eq(context_message(c), "again");
    char *longer = malloc(100001);
    memset(longer, 'x', 100000);
    longer[100000] = 0;
    context_fail(c, STATUS_DATA, "%s", longer);
    context_prefix(c, STATUS_DATA, "p");
    ck_assert_uint_eq(strlen(context_message(c)), 100003);
    free(longer);
    context_delete(&c);
    ck_assert_ptr_null(c);
    context_delete(&c);
    context_delete(NULL);
    /* Without a context nothing is told, and nothing crashes. */
    ck_assert_int_eq(context_fail(NULL, STATUS_DATA, "x"), STATUS_DATA);
    ck_assert_str_eq(context_message(NULL), "");
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
START_TEST(message_without_memory)
{
    context *c = context_new(NULL);
    size_t size = 256u << 20;
    char *huge = malloc(size + 1);
    memset(huge, 'y', size);
    huge[size] = 0;
    struct rlimit old, tight;
    getrlimit(RLIMIT_AS, &old);
    tight = old;
    tight.rlim_cur = size + (64u << 20) + (32u << 20); /* what there is, and less than the message more */
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &tight), 0);
    context_fail(c, STATUS_MEMORY, "first: %s", huge);
    setrlimit(RLIMIT_AS, &old);
    ck_assert_uint_lt(strlen(context_message(c)), 1000);
    ck_assert_int_eq(strncmp(context_message(c), "first: yyyy", 11), 0);
    context_prefix(c, STATUS_MEMORY, "then");
    ck_assert_int_eq(strncmp(context_message(c), "then: first: yyyy", 17), 0);
    free(huge);
    context_delete(&c);
}
END_TEST
#endif

START_TEST(children_and_stop)
{
    context *c = context_new(&sinks), *child = context_child(c), *grandchild = context_child(child);
    context_fail(grandchild, STATUS_DEVICE, "went away");
    ck_assert_str_eq(context_message(c), "");
    ck_assert_int_eq(context_take(c, NULL, STATUS_DEVICE), STATUS_DEVICE);
    ck_assert_int_eq(context_take(c, grandchild, STATUS_DEVICE), STATUS_DEVICE);
    ck_assert_str_eq(context_message(c), "went away");
    ck_assert(!context_stop_requested(c));
    context_request_stop(grandchild);
    ck_assert(context_stop_requested(c) && context_stop_requested(child) && context_stop_requested(grandchild));
    context *other = context_new(NULL);
    ck_assert(!context_stop_requested(other));
    context_delete(&other);
    context_delete(&grandchild);
    context_delete(&child);
    context_delete(&c);
}
END_TEST

START_TEST(logs)
{
    context *c = context_new(&sinks);
    line_count = 0;
    log_debug(c, "not told");
    ck_assert_int_eq(line_count, 0);
    log_warning(c, "%d maps", 3);
    ck_assert_str_eq(lines, "1 3 maps");
    char text[3000];
    memset(text, 'z', sizeof text - 1);
    text[sizeof text - 1] = 0;
    log_info(c, "%s", text);
    ck_assert_uint_eq(strlen(lines), sizeof text - 1 + 2);
    ck_assert_int_eq(line_count, 2);
    context *silent = context_new(NULL);
    log_warning(silent, "nobody hears it");
    context_delete(&silent);
    context_delete(&c);
}
END_TEST

START_TEST(memory_is_zeroed_aligned_and_checked)
{
    context *c = context_new(NULL);
    double *x = NULL;
    ck_assert_int_eq(memory_new(c, "x", 1001, sizeof *x, &x), STATUS_OK);
    ck_assert_uint_eq((uintptr_t)x % 64, 0);
    for (int i = 0; i < 1001; i++) ck_assert(x[i] == 0);
    x[1000] = 5;
    ck_assert_int_eq(memory_grow(c, "x", 1001, 5000, sizeof *x, &x), STATUS_OK);
    ck_assert(x[1000] == 5 && x[1001] == 0 && x[4999] == 0);
    ck_assert_int_eq(memory_grow(c, "x", 5000, 10, sizeof *x, &x), STATUS_OK);
    ck_assert(x[1000] == 5);
    memory_delete(&x);
    ck_assert_ptr_null(x);
    memory_delete(&x);
    memory_delete(NULL);
    ck_assert_int_eq(memory_new(c, "none", 0, 8, &x), STATUS_OK);
    ck_assert_ptr_nonnull(x);
    memory_delete(&x);
    x = (double *)c;
    ck_assert_int_eq(memory_new(c, "particles", SIZE_MAX / 4, 8, &x), STATUS_MEMORY);
    ck_assert_ptr_null(x);
    ck_assert_int_eq(strncmp(context_message(c), "particles: no memory for ", 25), 0);
    ck_assert_int_eq(memory_new(c, "particles", SIZE_MAX, 1, &x), STATUS_MEMORY);
    char *copy = NULL;
    ck_assert_int_eq(memory_copy_string(c, "Größe", &copy), STATUS_OK);
    ck_assert_str_eq(copy, "Größe");
    memory_delete(&copy);
    context_delete(&c);
}
END_TEST

START_TEST(memory_failure_is_injected_once)
{
    context *c = context_new(NULL);
    int *p = NULL;
    for (int n = 1; n < 5; n++) {
        memory_fail_at(n);
        for (int i = 1; i < 8; i++) {
            ck_assert_int_eq(memory_new(c, "p", 4, sizeof *p, &p), i == n ? STATUS_MEMORY : STATUS_OK);
            if (i == n) ck_assert_str_eq(context_message(c), "p: no memory for 0.00 MiB");
            memory_delete(&p);
        }
    }
    ck_assert_int_eq(memory_new(c, "p", 4, sizeof *p, &p), STATUS_OK);
    p[0] = 9;
    memory_fail_at(1);
    ck_assert_int_eq(memory_grow(c, "p", 4, 100, sizeof *p, &p), STATUS_MEMORY);
    ck_assert_int_eq(p[0], 9); /* a failed growth keeps what there was */
    memory_delete(&p);
    context_delete(&c);
}
END_TEST

START_TEST(progress_texts)
{
    context *c = context_new(&sinks);
    progress p;
    state_count = 0;
    progress_begin(&p, c, "simulate", "boxes", 10, 110);
    usleep(20000);
    progress_update(&p, 60, "loss %.2f", 1.5);
    ck_assert_int_eq(state_count, 1);
    ck_assert_int_eq(strncmp(states, "simulate: 60/110 boxes (55 %), ", 31), 0);
    ck_assert_ptr_nonnull(strstr(states, " boxes/s, "));
    ck_assert_ptr_nonnull(strstr(states, " left, loss 1.50"));
    for (int i = 61; i < 100; i++) progress_update(&p, i, "x");
    ck_assert_int_le(state_count, 2); /* at most ten a second */
    progress_update(&p, 110, NULL);
    progress_end(&p);
    ck_assert(was_last);
    ck_assert_int_eq(strncmp(states, "simulate: 100 boxes in ", 23), 0); /* those of this run */
    progress_begin(&p, c, "read", "files", 0, 0);
    progress_update(&p, 3, "%s", "");
    ck_assert_int_eq(strncmp(states, "read: 3 files", 13), 0);
    ck_assert_ptr_null(strchr(states, '%'));
    progress_begin(&p, NULL, "silent", "x", 0, 5);
    progress_update(&p, 1, "y");
    progress_end(&p);
    context_delete(&c);
}
END_TEST

START_TEST(clock_texts)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0.0 s"},           {4.2, "4.2 s"},
                 {59.94, "59.9 s"},      {59.96, "1 min 00 s"},
                 {200, "3 min 20 s"},    {3599.4, "59 min 59 s"},
                 {3600, "1 h 00 min"},   {3720, "1 h 02 min"},
                 {90000, "25 h 00 min"}, {-1, "?"},
                 {0. / 0., "?"},         {1. / 0., "?"}};
    char text[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        clock_format(cases[i].seconds, text, sizeof text);
        ck_assert_str_eq(text, cases[i].text);
    }
    clock_utc(text, sizeof text);
    ck_assert_uint_eq(strlen(text), 20);
    ck_assert(text[10] == 'T' && text[19] == 'Z');
    double a = clock_seconds();
    usleep(2000);
    double took = clock_seconds() - a;
    ck_assert(took >= .002 && took < 5);
}
END_TEST

START_TEST(status_texts)
{
    ck_assert_str_eq(cosmocl_status_text(STATUS_OK), "ok");
    ck_assert_str_eq(cosmocl_status_text((cosmocl_status)77), "unknown status");
    ck_assert_int_eq(STATUS_STOPPED, 75);
    ck_assert_int_eq(STATUS_INTERRUPTED, 130);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("context");
    TCase *t = tcase_create("context");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, message_grows);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(t, message_without_memory);
#endif
    tcase_add_test(t, children_and_stop);
    tcase_add_test(t, logs);
    tcase_add_test(t, memory_is_zeroed_aligned_and_checked);
    tcase_add_test(t, memory_failure_is_injected_once);
    tcase_add_test(t, progress_texts);
    tcase_add_test(t, clock_texts);
    tcase_add_test(t, status_texts);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
