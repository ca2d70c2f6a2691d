/* The queue of maps. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "maps/dtfe.h"
#include "maps/queue.h"

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

enum { BOXES = 9, N = 300, P = 8 };
static const dtfe_ensemble plain = {.members = 1};

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
        assert_ok(dtfe_queue_new(c, threads, P, &plain, together, &q));
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
    assert_ok(dtfe_queue_new(c, 2, P, &plain, together, &q));
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
    assert_ok(dtfe_queue_new(c, 2, P, &plain, together, &q));
    dtfe_queue_delete(&q);
    assert_ok(dtfe_queue_new(c, 1, P, &plain, together, &q));
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
    Suite *suite = suite_create("maps_queue");
    TCase *t = tcase_create("queue");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
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
