/* Transforms between densities and the networks' numbers, and which one a maps file names. */
#include <check.h>
#include <math.h>
#include <string.h>
#include "io/maps_transform.h"

static context *c;
static void setup(void)
{
    c = context_new(NULL);
}
static void teardown(void)
{
    context_delete(&c);
}
#define assert_ok(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static transform_shape chosen(int dims, const char *unit, double mean)
{
    config *cfg = NULL;
    transform_shape t;
    maps m = {.dims = dims, .mean = mean};
    assert_ok(config_new(c, &cfg));
    assert_ok(config_set(c, cfg, "maps.unit", unit, "test"));
    assert_ok(maps_transform_complete(c, cfg, &m));
    assert_ok(maps_transform_of(c, &m, &t));
    config_delete(&cfg);
    return t;
}

static transform_shape linear(double a, double b)
{
    transform_shape t;
    const maps m = {.transform = "linear", .unit = "particles", .a = a, .b = b, .mean = -1};
    assert_ok(maps_transform_of(c, &m, &t));
    return t;
}

START_TEST(both_ways_give_the_same)
{
    const transform_shape all[] = {chosen(2, "overdensity", 4), chosen(2, "particles", 4), chosen(3, "particles", 2),
                                   linear(-3, 40)};
    for (int k = 0; k < 4; k++)
        for (int i = -40; i <= 40; i++) {
            double v = pow(10, i / 8.) * (k == 3 && i % 2 ? -1 : 1);
            double there = transform_to(&all[k], v);
            ck_assert_double_eq_tol(transform_from(&all[k], there), v, 1e-12 * (fabs(v) + all[k].offset + 40));
        }
}
END_TEST

START_TEST(bounds_are_those_of_the_paper)
{
    transform_shape t = chosen(2, "overdensity", 4);
    ck_assert_double_eq_tol(transform_to(&t, .01 * 4), -1, 1e-14);
    ck_assert_double_eq_tol(transform_to(&t, 600 * 4), 1, 1e-14);
    ck_assert_double_eq_tol(transform_to(&t, 4), -(log(600) + log(.01)) / (log(600) - log(.01)), 1e-12);
    ck_assert_double_eq(transform_to(&t, 0), -1);
    t = chosen(2, "particles", 4);
    ck_assert_double_eq_tol(transform_to(&t, 600), 1, 1e-14);
    t = chosen(3, "particles", 2);
    ck_assert_double_eq_tol(transform_to(&t, 2632 - .001), 1, 1e-14);
    ck_assert_double_eq(transform_to(&t, 0), -1); /* exactly */
    ck_assert_double_eq(transform_from(&t, -1), 0);
    t = linear(-3, 7);
    ck_assert(transform_to(&t, -3) == -1 && transform_to(&t, 7) == 1 && transform_to(&t, 2) == 0);
    ck_assert(transform_from(&t, -1) == -3 && transform_from(&t, .5) == 4.5);
}
END_TEST

START_TEST(pixels_outside_are_counted)
{
    const float values[] = {0, .039f, .041f, 4, 2399, 2401, 1e9f}, bounds[] = {.04f, 2400};
    const float signed_values[] = {-3.1f, -3, 7, 7.1f, 8};
    transform_shape t = chosen(2, "overdensity", 4);
    transform_range r = {0};
    transform_range_add(&r, &t, values, 3);
    transform_range_add(&r, &t, values + 3, 4);
    ck_assert(r.pixels == 7 && r.below == 2 && r.above == 2 && r.lowest == 0);
    ck_assert_double_eq_tol(r.highest, 1e9, 1);
    ck_assert_double_eq_tol(r.sum, .039 + .041 + 4 + 2399 + 2401 + 1e9, 1);
    r = (transform_range){0};
    transform_range_add(&r, &t, bounds, 2); /* which float32 rounds to either side */
    ck_assert(r.below == 0 && r.above == 0);
    t = chosen(3, "particles", 4);
    r = (transform_range){0};
    transform_range_add(&r, &t, values, 7);
    ck_assert(r.below == 0 && r.above == 1); /* an empty pixel is on the bound */
    t = linear(-3, 7);
    r = (transform_range){0};
    transform_range_add(&r, &t, signed_values, 5);
    ck_assert(r.below == 1 && r.above == 2 && r.lowest == -3.1f && r.highest == 8);
}
END_TEST

START_TEST(wrong_bounds_are_refused)
{
    config *cfg = NULL;
    transform_shape t;
    maps m = {.dims = 2, .mean = 4};
    assert_ok(config_new(c, &cfg));
    assert_ok(config_set(c, cfg, "maps.minimum", "700", "test"));
    ck_assert_int_eq(maps_transform_choose(c, cfg, &m), STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "maps.minimum"));
    m.dims = 3;
    assert_ok(config_set(c, cfg, "maps.offset", "0", "test"));
    ck_assert_int_eq(maps_transform_choose(c, cfg, &m), STATUS_USAGE);
    memset(&m, 0, sizeof m);
    ck_assert_int_eq(maps_transform_of(c, &m, &t), STATUS_DATA);
    config_delete(&cfg);
}
END_TEST

START_TEST(a_named_transform_is_kept)
{
    config *cfg = NULL;
    char text[160];
    maps m = {.dims = 2, .transform = "linear", .unit = "particles", .units = "K", .a = -1, .b = 300};
    assert_ok(config_new(c, &cfg));
    assert_ok(maps_transform_complete(c, cfg, &m));
    ck_assert(maps_transform_is_linear(&m) && m.a == -1 && m.b == 300);
    maps_transform_text(&m, text, sizeof text);
    ck_assert_str_eq(text, "linear in K, -1 … 300 to [-1, 1]");
    config_delete(&cfg);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("maps_transform");
    TCase *t = tcase_create("transforms");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, both_ways_give_the_same);
    tcase_add_test(t, bounds_are_those_of_the_paper);
    tcase_add_test(t, pixels_outside_are_counted);
    tcase_add_test(t, wrong_bounds_are_refused);
    tcase_add_test(t, a_named_transform_is_kept);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
