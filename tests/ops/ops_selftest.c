/* The self-test: hashes are the known ones under every vector width, a falsified operator fails by name, verdicts. */
#include "pointwise_test.h"

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

START_TEST(a_falsified_operator_fails)
{
    static const char *const names[] = {"transform_forward", "reduce_peaks"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        selftest_result r;
        char verdict[SELFTEST_VERDICT], want[SELFTEST_VERDICT];
        setenv("COSMOCL_BREAK_KERNEL", names[i], 1);
        run(&r);
        for (int k = 0; k < r.count; k++)
            ck_assert_msg(r.rows[k].passed == (strcmp(r.rows[k].operator_name, names[i]) != 0), "%s: %s", names[i],
                          r.rows[k].operator_name);
        selftest_verdict(&r, verdict);
        snprintf(want, sizeof want, "FAILED %s", names[i]);
        ck_assert_str_eq(verdict, want);
        ck_assert_int_eq(selftest_require(test_context, test_device, false, verdict), STATUS_SELFTEST);
        ck_assert_ptr_nonnull(strstr(context_message(test_context), names[i]));
        selftest_result_delete(&r);
        unsetenv("COSMOCL_BREAK_KERNEL");
    }
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, hashes_are_the_known_ones_at_every_width);
    tcase_add_test(all, a_falsified_operator_fails);
}

int main(void)
{
    return test_main("ops/selftest", add);
}
