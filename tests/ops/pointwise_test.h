/* What the tests of the pointwise operators share: one open device, checks that must pass, and runs of a piece of work
 * under several vector widths and work-groups whose outputs must be the same bits. */
#ifndef TESTS_POINTWISE_TEST_H
#define TESTS_POINTWISE_TEST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/memory.h"
#include "ops/launch.h"
#include "ops/selftest_checks.h"

static context *test_context;
static device *test_device;

#define MUST(call) ck_assert_msg((call) == STATUS_OK, "%s: %s", #call, context_message(test_context))

static void test_setup(void)
{
    const device_options options = {0};
    test_context = context_new(NULL);
    ck_assert_ptr_nonnull(test_context);
    MUST(device_open(test_context, &options, &test_device));
}

static void test_teardown(void)
{
    launch_shape_set(0, 0);
    device_delete(&test_device);
    context_delete(&test_context);
}

/* Every row within its bound; at least `rows` of them. */
static inline void must_pass(selftest *t, int rows)
{
    ck_assert_msg(t->s == STATUS_OK, "%s", context_message(test_context));
    ck_assert_int_ge(t->count, rows);
    for (int i = 0; i < t->count; i++) {
        const selftest_row *r = &t->rows[i];
        if (getenv("SHOW_ERRORS"))
            printf("%-24s %-40s %9.2e of %9.2e\n", r->operator_name, r->size, r->error, r->bound);
        ck_assert_msg(r->passed, "%s (%s): error %g over %g", r->operator_name, r->size, r->error, r->bound);
    }
}

static inline void finish(selftest *t)
{
    selftest_end(t);
    memory_delete(&t->rows);
}

/* The work's outputs (all that it compares) as a hash, under a vector width and a work-group. */
static inline void hash_of(void (*work)(selftest *), int vector, size_t group, char text[SHA256_TEXT])
{
    selftest t;
    sha256 h;
    unsigned char digest[SHA256_BYTES];
    sha256_begin(&h);
    selftest_begin(&t, test_context, test_device);
    t.hash = &h;
    t.quick = true;
    launch_shape_set(vector, group);
    work(&t);
    launch_shape_set(0, 0);
    must_pass(&t, 1);
    finish(&t);
    sha256_end(&h, digest);
    sha256_text(digest, text);
}

/* The same bits for widths 16, 8, 4 and 1 and for work-groups of 1, 3 and 64. */
static inline void must_not_depend_on_shape(void (*work)(selftest *))
{
    static const struct {
        int vector;
        size_t group;
    } shapes[] = {{8, 0}, {4, 3}, {1, 0}, {1, 64}, {16, 5}};
    char first[SHA256_TEXT], other[SHA256_TEXT];
    hash_of(work, 16, 1, first);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        hash_of(work, shapes[i].vector, shapes[i].group, other);
        ck_assert_msg(!strcmp(first, other), "vectors of %d in groups of %zu give other bits than 16 in 1",
                      shapes[i].vector, shapes[i].group);
    }
}

static int test_main(const char *name, void (*add)(TCase *))
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 300);
    tcase_add_checked_fixture(all, test_setup, test_teardown);
    add(all);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
