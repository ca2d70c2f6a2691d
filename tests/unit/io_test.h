/* What the tests of host/io share: a context, and a private folder that goes with the test. */
#ifndef TESTS_UNIT_IO_TEST_H
#define TESTS_UNIT_IO_TEST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/context.h"
#include "base/files.h"

static context *c;
static char folder[64];

static inline void io_setup(void)
{
    c = context_new(NULL);
    snprintf(folder, sizeof folder, "/tmp/cosmocl-io-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline void io_teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    context_delete(&c);
}

/* FOLDER/NAME; valid until the fourth next call. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ & 3];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* The status, and that the message names every text given (ended by NULL). */
#define assert_fails(call, want, ...)                                                                                  \
    do {                                                                                                               \
        const char *parts_[] = {__VA_ARGS__, NULL};                                                                    \
        ck_assert_int_eq(call, want);                                                                                  \
        for (int i_ = 0; parts_[i_]; i_++)                                                                             \
            ck_assert_msg(strstr(context_message(c), parts_[i_]) != NULL, "\"%s\" does not name \"%s\"",               \
                          context_message(c), parts_[i_]);                                                             \
    } while (0)
#define assert_ok(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static inline int io_run(TCase *(*make)(void), const char *name)
{
    Suite *suite = suite_create(name);
    TCase *t = make();
    tcase_set_timeout(t, 60);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
