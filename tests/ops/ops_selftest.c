/* The self-test: hashes are the known ones under every vector width, a falsified operator fails by name, verdicts. */
#include "pointwise_test.h"

#include <glob.h>
#include <unistd.h>
#include "device/internal.h"

static void run(selftest_result *r)
{
    MUST(selftest_run_all(test_context, test_device, SELFTEST_QUICK, r));
    ck_assert_int_ge(r->count, 60);
    ck_assert_int_ge(r->hash_count, 11);
}

START_TEST(hashes_are_the_known_ones_at_every_width)
{
    static const struct {
        int vector;
        size_t group;
        const char *tile;
    } shapes[] = {{0, 0, ""}, {4, 3, "vector=4,group=2"}, {1, 0, "vector=1,rows=2"}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        selftest_result r;
        char verdict[SELFTEST_VERDICT];
        if (shapes[i].tile[0]) setenv("COSMOCL_CONV_TILE", shapes[i].tile, 1);
        launch_shape_set(shapes[i].vector, shapes[i].group);
        run(&r);
        unsetenv("COSMOCL_CONV_TILE");
        launch_shape_set(0, 0);
        for (int k = 0; k < r.hash_count; k++)
            ck_assert_msg(r.hashes[k].known, "shape %zu: %s gives %s", i, r.hashes[k].family, r.hashes[k].hash);
        selftest_verdict(&r, verdict);
        ck_assert_str_eq(verdict, "passed, one result: yes");
        selftest_result_delete(&r);
    }
}
END_TEST

static bool is_first(const selftest_result *r, int row)
{
    for (int k = 0; k < row; k++)
        if (!strcmp(r->rows[k].operator_name, r->rows[row].operator_name)) return false;
    return true;
}

/* Each operator of the table in turn: its rows fail, all others pass. */
START_TEST(a_falsified_operator_fails)
{
    selftest_result good, r;
    char verdict[SELFTEST_VERDICT], want[SELFTEST_VERDICT];
    int operators = 0;
    run(&good);
    for (int i = 0; i < good.count; i++) {
        const char *name = good.rows[i].operator_name;
        if (!is_first(&good, i)) continue;
        operators++;
        setenv("COSMOCL_BREAK_KERNEL", name, 1);
        run(&r);
        for (int k = 0; k < r.count; k++)
            ck_assert_msg(r.rows[k].passed == (strcmp(r.rows[k].operator_name, name) != 0), "%s: %s", name,
                          r.rows[k].operator_name);
        selftest_verdict(&r, verdict);
        snprintf(want, sizeof want, "FAILED %s", name);
        ck_assert_str_eq(verdict, want);
        selftest_result_delete(&r);
    }
    ck_assert_int_ge(operators, 50);
    selftest_result_delete(&good);
    ck_assert_int_eq(selftest_require(test_context, test_device, false, false, verdict), STATUS_SELFTEST);
    ck_assert_ptr_nonnull(strstr(context_message(test_context), getenv("COSMOCL_BREAK_KERNEL")));
    unsetenv("COSMOCL_BREAK_KERNEL");
}
END_TEST

/* Whatever call fails, that building a kernel among them, the family ends with an error and reads nothing it lacks. */
START_TEST(a_family_stops_where_a_call_fails)
{
    int failed = 0;
    for (long n = 1;; n += 1 + n / 4) {
        selftest t;
        selftest_begin(&t, test_context, test_device);
        t.library = true;
        opencl_inject(n);
        family_reduce(&t);
        const bool done = opencl_injection_left();
        opencl_inject(0);
        /* What fails in keeping built kernels is no error. */
        ck_assert_msg(!done || t.s == STATUS_OK, "call %ld: %d", n, (int)t.s);
        failed += t.s != STATUS_OK;
        selftest_release(&t);
        finish(&t);
        if (done) break;
    }
    ck_assert_int_ge(failed, 10);
}
END_TEST

static void count_warning(void *user, log_level level, const char *text)
{
    if (level == LOG_WARNING && strstr(text, "not bit for bit")) ++*(int *)user;
}

/* A pass with results of its own is told each time, also when it is remembered. */
START_TEST(other_results_are_no_secret)
{
    int warnings = 0;
    char cache[] = "/tmp/cosmocl_selftest_XXXXXX", pattern[64], verdict[SELFTEST_VERDICT], was[512] = "";
    const context_sinks sinks = {.line = count_warning, .user = &warnings, .level = LOG_WARNING};
    context *c = context_new(&sinks);
    glob_t found;
    if (getenv("COSMOCL_CACHE")) snprintf(was, sizeof was, "%s", getenv("COSMOCL_CACHE"));
    ck_assert_ptr_nonnull(mkdtemp(cache));
    setenv("COSMOCL_CACHE", cache, 1);
    MUST(selftest_require(test_context, test_device, false, false, verdict));
    snprintf(pattern, sizeof pattern, "%s/selftest/*", cache);
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    ck_assert_int_eq(selftest_require(c, test_device, false, false, verdict), STATUS_OK);
    ck_assert_int_eq(warnings, 0);
    FILE *f = fopen(found.gl_pathv[0], "w");
    ck_assert_ptr_nonnull(f);
    fputs("passed, one result: no\n", f);
    fclose(f);
    ck_assert_int_eq(selftest_require(c, test_device, false, false, verdict), STATUS_OK);
    ck_assert_str_eq(verdict, "passed, one result: no");
    ck_assert_int_eq(warnings, 1);
    globfree(&found);
    context_delete(&c);
    if (was[0])
        setenv("COSMOCL_CACHE", was, 1);
    else
        unsetenv("COSMOCL_CACHE");
    char remove[96];
    snprintf(remove, sizeof remove, "rm -rf '%s'", cache);
    ck_assert_int_eq(system(remove), 0);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, hashes_are_the_known_ones_at_every_width);
    tcase_add_test(all, a_falsified_operator_fails);
    tcase_add_test(all, a_family_stops_where_a_call_fails);
    tcase_add_test(all, other_results_are_no_secret);
}

int main(void)
{
    return test_main("ops/selftest", add);
}
