/* Transforms between densities and the networks' numbers, and the queue of maps. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "maps/dtfe.h"
#include "maps/queue.h"
#include "maps/transforms.h"

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

static map_transform chosen(int dims, const char *unit, double mean)
{
    config *cfg = NULL;
    map_transform t;
    maps m = {.dims = dims, .mean = mean};
    assert_ok(config_new(c, &cfg));
    assert_ok(config_set(c, cfg, "maps.unit", unit, "test"));
    assert_ok(map_transform_choose(c, cfg, &m));
    assert_ok(map_transform_of(c, &m, &t));
    config_delete(&cfg);
    return t;
}

START_TEST(both_ways_give_the_same)
{
    const map_transform all[] = {chosen(2, "overdensity", 4), chosen(2, "particles", 4), chosen(3, "particles", 2)};
    for (int k = 0; k < 3; k++)
        for (int i = -40; i <= 40; i++) {
            double v = pow(10, i / 8.);
            double there = map_transform_forward(&all[k], v);
            ck_assert_double_eq_tol(map_transform_inverse(&all[k], there), v, 1e-12 * (v + all[k].c));
        }
}
END_TEST

START_TEST(bounds_are_those_of_the_paper)
{
    map_transform t = chosen(2, "overdensity", 4);
    ck_assert_double_eq_tol(map_transform_forward(&t, .01 * 4), -1, 1e-14);
    ck_assert_double_eq_tol(map_transform_forward(&t, 600 * 4), 1, 1e-14);
    t = chosen(2, "particles", 4);
    ck_assert_double_eq_tol(map_transform_forward(&t, 600), 1, 1e-14);
    t = chosen(3, "particles", 2);
    ck_assert_double_eq_tol(map_transform_forward(&t, 2632 - .001), 1, 1e-14);
    ck_assert_double_eq(map_transform_forward(&t, 0), -1); /* exactly */
    ck_assert_double_eq_tol(map_transform_inverse(&t, -1), 0, 1e-18);
}
END_TEST

START_TEST(pixels_outside_are_counted)
{
    const float values[] = {0, .039f, .041f, 4, 2399, 2401, 1e9f};
    map_transform t = chosen(2, "overdensity", 4);
    map_range r;
    map_transform_range(&t, values, 7, &r);
    ck_assert(r.pixels == 7 && r.below == 2 && r.above == 2 && r.minimum == 0);
    ck_assert_double_eq_tol(r.maximum, 1e9, 1);
    ck_assert_double_eq_tol(r.mean, (.039 + .041 + 4 + 2399 + 2401 + 1e9) / 7, 1);
    t = chosen(3, "particles", 4);
    map_transform_range(&t, values, 7, &r);
    ck_assert(r.below == 0 && r.above == 1); /* an empty pixel is on the bound */
}
END_TEST

START_TEST(wrong_bounds_are_refused)
{
    config *cfg = NULL;
    map_transform t;
    maps m = {.dims = 2, .mean = 4};
    assert_ok(config_new(c, &cfg));
    assert_ok(config_set(c, cfg, "maps.minimum", "700", "test"));
    ck_assert_int_eq(map_transform_choose(c, cfg, &m), STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "maps.minimum"));
    m.dims = 3;
    assert_ok(config_set(c, cfg, "maps.offset", "0", "test"));
    ck_assert_int_eq(map_transform_choose(c, cfg, &m), STATUS_USAGE);
    memset(&m, 0, sizeof m);
    ck_assert_int_eq(map_transform_of(c, &m, &t), STATUS_DATA);
    config_delete(&cfg);
}
END_TEST

/* ---- the queue ---- */

enum { BOXES = 9, N = 300, P = 8 };

static double *box_of(int i, bool spoilt)
{
    double *xy = NULL;
    assert_ok(memory_new(c, "positions", 2 * N, sizeof *xy, &xy));
    for (int k = 0; k < 2 * N; k++) xy[k] = 50 * rng_uniform((uint64_t)i, RNG_TEST, (uint64_t)k, 0);
    if (spoilt) xy[17] = 51;
    return xy;
}

START_TEST(the_queue_gives_the_maps_of_single_calls)
{
    static float together[BOXES * P * P], alone[P * P];
    for (int threads = 0; threads <= 4; threads++) {
        dtfe_queue *q = NULL;
        memset(together, 0, sizeof together);
        assert_ok(dtfe_queue_new(c, threads, P, together, &q));
        for (int i = BOXES - 1; i >= 0; i--) {
            double *xy = box_of(i, false);
            assert_ok(dtfe_queue_push(c, q, &xy, N, 50, i));
            ck_assert_ptr_null(xy);
        }
        assert_ok(dtfe_queue_finish(c, q));
        ck_assert_int_eq(dtfe_queue_done(q), BOXES);
        dtfe_queue_delete(&q);
        dtfe_queue_delete(&q);
        for (int i = 0; i < BOXES; i++) {
            double *xy = box_of(i, false);
            assert_ok(dtfe_map(c, xy, NULL, N, 50, P, alone));
            ck_assert_mem_eq(alone, together + i * P * P, sizeof alone);
            memory_delete(&xy);
        }
    }
}
END_TEST

START_TEST(the_queue_names_the_box_that_failed)
{
    static float together[BOXES * P * P];
    dtfe_queue *q = NULL;
    status s = STATUS_OK;
    assert_ok(dtfe_queue_new(c, 2, P, together, &q));
    for (int i = 0; !s && i < BOXES; i++) {
        double *xy = box_of(i, i == 3);
        s = dtfe_queue_push(c, q, &xy, N, 50, i);
        ck_assert_ptr_null(xy);
    }
    if (!s) s = dtfe_queue_finish(c, q);
    ck_assert_int_eq(s, STATUS_DATA);
    ck_assert_ptr_nonnull(strstr(context_message(c), "box 3: particle 8"));
    dtfe_queue_delete(&q);
}
END_TEST

START_TEST(a_queue_may_be_dropped_and_stopped)
{
    static float together[BOXES * P * P];
    dtfe_queue *q = NULL;
    assert_ok(dtfe_queue_new(c, 2, P, together, &q));
    dtfe_queue_delete(&q);
    assert_ok(dtfe_queue_new(c, 1, P, together, &q));
    double *xy = box_of(0, false);
    assert_ok(dtfe_queue_push(c, q, &xy, N, 50, 0));
    context_request_stop(c);
    xy = box_of(1, false);
    ck_assert_int_eq(dtfe_queue_push(c, q, &xy, N, 50, 1), STATUS_INTERRUPTED);
    ck_assert_ptr_null(xy);
    dtfe_queue_delete(&q);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("maps_transforms");
    TCase *t = tcase_create("transforms");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, both_ways_give_the_same);
    tcase_add_test(t, bounds_are_those_of_the_paper);
    tcase_add_test(t, pixels_outside_are_counted);
    tcase_add_test(t, wrong_bounds_are_refused);
    tcase_add_test(t, the_queue_gives_the_maps_of_single_calls);
    tcase_add_test(t, the_queue_names_the_box_that_failed);
    tcase_add_test(t, a_queue_may_be_dropped_and_stopped);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
