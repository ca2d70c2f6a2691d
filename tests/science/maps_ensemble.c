/* The smooth stochastic estimator: mass, the plain estimator as its first member, smoothness, and what it depends on.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "maps/dtfe.h"

enum { N = 1024, P = 16 };

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

/* kind 0: uniform; 1: half of them within a thousandth of the box; 2: a lattice; 3: pairs in one place. */
static void particles(int kind, double *xy)
{
    for (int i = 0; i < N; i++)
        for (int a = 0; a < 2; a++) {
            double u = rng_uniform(3, RNG_TEST, (uint64_t)(kind == 3 ? i / 2 : i), (uint32_t)a);
            if (kind == 1 && i % 2) u = .5 + .001 * u;
            if (kind == 2) u = ((a ? i / 32 : i % 32) + .5) / 32;
            xy[2 * i + a] = u;
        }
}

static void stochastic(const double *xy, const double *mass, int members, uint64_t seed, float *map)
{
    const dtfe_ensemble e = {members, seed};
    assert_ok(dtfe_map_ensemble(c, xy, mass, N, 1, P, &e, map));
}

static double mean(const float *map)
{
    double sum = 0;
    for (int i = 0; i < P * P; i++) sum += (double)map[i];
    return sum / (P * P);
}

/* Sum of squared differences between neighbours, periodic. */
static double roughness(const float *map)
{
    double sum = 0;
    for (int y = 0; y < P; y++)
        for (int x = 0; x < P; x++) {
            const double v = (double)map[y * P + x];
            sum += pow(v - (double)map[y * P + (x + 1) % P], 2) + pow(v - (double)map[(y + 1) % P * P + x], 2);
        }
    return sum;
}

START_TEST(one_member_is_the_plain_estimator)
{
    static double xy[2 * N];
    float plain[P * P], one[P * P];
    for (int kind = 0; kind < 4; kind++) {
        particles(kind, xy);
        assert_ok(dtfe_map(c, xy, NULL, N, 1, P, plain));
        stochastic(xy, NULL, 1, 5, one);
        ck_assert_mem_eq(one, plain, sizeof plain);
    }
}
END_TEST

START_TEST(mass_is_conserved)
{
    static double xy[2 * N], mass[N];
    float map[P * P];
    for (int i = 0; i < N; i++) mass[i] = 1 + i % 7;
    for (int kind = 0; kind < 4; kind++) {
        particles(kind, xy);
        for (int weighted = 0; weighted < 2; weighted++) {
            stochastic(xy, weighted ? mass : NULL, 5, 11, map);
            ck_assert_double_eq_tol(mean(map) / ((double)N / (P * P)), 1, 1e-6);
            for (int i = 0; i < P * P; i++) ck_assert(map[i] >= 0 && isfinite(map[i]));
        }
    }
}
END_TEST

/* Noise of a uniform set falls with the members; structure stays: half the mass in one spot stays there. */
START_TEST(it_is_smoother_and_keeps_the_structure)
{
    static double xy[2 * N];
    float plain[P * P], few[P * P], many[P * P];
    particles(0, xy);
    stochastic(xy, NULL, 1, 1, plain);
    stochastic(xy, NULL, 4, 1, few);
    stochastic(xy, NULL, 24, 1, many);
    ck_assert_double_lt(roughness(few), .8 * roughness(plain));
    ck_assert_double_lt(roughness(many), .95 * roughness(few));
    particles(1, xy);
    stochastic(xy, NULL, 8, 1, many);
    double spot = 0;
    for (int y = P / 2 - 1; y <= P / 2; y++)
        for (int x = P / 2 - 1; x <= P / 2; x++) spot += (double)many[y * P + x];
    ck_assert_double_gt(spot, .48 * N);
    /* A lattice is uniform, and its perturbation stays within the cells around each point. */
    particles(2, xy);
    stochastic(xy, NULL, 8, 1, many);
    for (int i = 0; i < P * P; i++) ck_assert_float_eq_tol(many[i], 4, 1.5f);
}
END_TEST

START_TEST(it_depends_on_the_seed_and_not_on_the_order)
{
    static double xy[2 * N], other[2 * N];
    float map[P * P], again[P * P];
    particles(0, xy);
    stochastic(xy, NULL, 3, 1, map);
    stochastic(xy, NULL, 3, 1, again);
    ck_assert_mem_eq(map, again, sizeof map);
    stochastic(xy, NULL, 3, 2, again);
    ck_assert_mem_ne(map, again, sizeof map);
    for (int i = 0; i < N; i++) memcpy(other + 2 * i, xy + 2 * (N - 1 - i), 2 * sizeof *xy);
    stochastic(other, NULL, 3, 1, again);
    ck_assert_mem_eq(map, again, sizeof map);
}
END_TEST

START_TEST(few_points_and_wrong_calls)
{
    const double xy[] = {.1, .2, .7, .3, .6, .9};
    float map[4];
    dtfe_ensemble e = {6, 1};
    for (int n = 1; n <= 3; n++) {
        assert_ok(dtfe_map_ensemble(c, xy, NULL, n, 1, 2, &e, map));
        ck_assert_double_eq_tol((double)(map[0] + map[1] + map[2] + map[3]), n, 1e-5);
    }
    context_request_stop(c);
    ck_assert_int_eq(dtfe_map_ensemble(c, xy, NULL, 3, 1, 2, &e, map), STATUS_INTERRUPTED);
    e.members = 0;
    ck_assert_int_eq(dtfe_map_ensemble(c, xy, NULL, 3, 1, 2, &e, map), STATUS_USAGE);
}
END_TEST

START_TEST(memory_that_runs_out_is_said)
{
    static double xy[2 * N];
    float map[P * P];
    const dtfe_ensemble e = {2, 1};
    long n = 1;
    particles(0, xy);
    for (; n < 60; n++) {
        memory_fail_at(n);
        const status s = dtfe_map_ensemble(c, xy, NULL, N, 1, P, &e, map);
        memory_fail_at(0);
        if (!s) break;
        ck_assert_int_eq(s, STATUS_MEMORY);
    }
    ck_assert(n > 20 && n < 60);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("maps_ensemble");
    TCase *t = tcase_create("ensemble");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, one_member_is_the_plain_estimator);
    tcase_add_test(t, mass_is_conserved);
    tcase_add_test(t, it_is_smoother_and_keeps_the_structure);
    tcase_add_test(t, it_depends_on_the_seed_and_not_on_the_order);
    tcase_add_test(t, few_points_and_wrong_calls);
    tcase_add_test(t, memory_that_runs_out_is_said);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
