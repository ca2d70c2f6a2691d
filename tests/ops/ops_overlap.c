/* Thresholds, masks and shared pixels against sorting and counting, exactly. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "ops/launch.h"
#include "ops/overlap.h"
#include "ops/ref/overlap_ref.h"

static context *c;
static device *d;

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static void setup(void)
{
    c = context_new(NULL);
    const device_options o = {0};
    OK(device_open(c, &o, &d));
}

static void teardown(void)
{
    device_delete(&d);
    context_delete(&c);
}

enum { COUNT = 6 };
static const int percent[COUNT] = {1, 5, 35, 50, 95, 100};

/* kind 0: log-normal; 1: few different values, many ties; 2: of both signs with zeros of both. */
static float value(int kind, uint64_t i, uint32_t sub)
{
    const double u = rng_uniform(3, RNG_TEST, i, sub);
    if (kind == 0) return (float)exp(20 * u - 10);
    if (kind == 1) return (float)floor(5 * u);
    return u < .2 ? 0.0f : u < .4 ? -0.0f : (float)((u - .7) * exp(30 * u));
}

static float *images_of(int kind, int64_t n, int pixels, uint32_t sub)
{
    const size_t count = (size_t)n * (size_t)pixels;
    float *x = malloc(count * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < count; i++) x[i] = value(kind, i, sub);
    return x;
}

static void assert_like_oracle(device *on, int kind, int64_t n, int pixels, bool per_image)
{
    const overlap_shape shape = {
        .pixels = pixels, .images = n, .count = COUNT, .percent = percent, .per_image = per_image};
    const int64_t segments = per_image ? n : 1, values = per_image ? pixels : n * pixels;
    float *x = images_of(kind, n, pixels, 0), *y = images_of(kind, n, pixels, 1);
    float *const sets[] = {x, y};
    overlap_masks *m[2] = {0};
    for (int k = 0; k < 2; k++) {
        OK(overlap_masks_new(c, on, &shape, sets[k], &m[k]));
        const float *found = overlap_thresholds(m[k]);
        for (int64_t s = 0; s < segments; s++) {
            for (int t = 0; t < COUNT; t++) {
                float want;
                OK(overlap_ref_threshold(c, sets[k] + s * values, values, percent[t], &want));
                ck_assert_msg(found[s * COUNT + t] == want, "kind %d, %d of %d px, top %d %%: %g instead of %g", kind,
                              (int)n, pixels, percent[t], (double)found[s * COUNT + t], (double)want);
            }
        }
    }
    const int64_t count = n * n;
    uint32_t(*pairs)[2] = malloc((size_t)count * sizeof *pairs), *got = malloc((size_t)count * COUNT * sizeof *got);
    ck_assert(pairs && got);
    for (int64_t i = 0; i < count; i++) pairs[i][0] = (uint32_t)(i / n), pairs[i][1] = (uint32_t)(i % n);
    for (int k = 0; k < 2; k++) { /* two sets, and one with itself */
        memset(got, 0xff, (size_t)count * COUNT * sizeof *got);
        OK(overlap_common(c, m[0], m[1 - k], (const uint32_t(*)[2])pairs, count, got));
        for (int64_t i = 0; i < count * COUNT; i++) {
            const int64_t a = pairs[i / COUNT][0], b = pairs[i / COUNT][1], t = i % COUNT;
            const float *ta = overlap_thresholds(m[0]), *tb = overlap_thresholds(m[1 - k]);
            const uint32_t want =
                overlap_ref_common(x + a * pixels, ta[(per_image ? a : 0) * COUNT + t], sets[1 - k] + b * pixels,
                                   tb[(per_image ? b : 0) * COUNT + t], pixels);
            ck_assert_uint_eq(got[i], want);
        }
    }
    for (int k = 0; k < 2; k++) overlap_masks_delete(&m[k]);
    ck_assert_ptr_null(m[0]);
    free(pairs);
    free(got);
    free(x);
    free(y);
}

static void all_shapes(device *on)
{
    static const struct {
        int64_t n;
        int pixels;
    } shapes[] = {{1, 1}, {3, 7}, {1, 511}, {4, 512}, {5, 513}, {7, 1089}, {2, 8191}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int kind = 0; kind < 3; kind++) {
            assert_like_oracle(on, kind, shapes[i].n, shapes[i].pixels, false);
            assert_like_oracle(on, kind, shapes[i].n, shapes[i].pixels, true);
        }
    }
}

START_TEST(masks_agree_with_the_oracle)
{
    all_shapes(d);
}
END_TEST

/* More images than are searched at once, and more pairs than go into a launch. */
START_TEST(many_images_agree_with_the_oracle)
{
    assert_like_oracle(d, 0, 261, 20, false);
    assert_like_oracle(d, 2, 261, 20, true);
}
END_TEST

START_TEST(any_vector_and_any_work_items_count_alike)
{
    static const struct {
        int vector, items;
    } shapes[] = {{1, 1}, {4, 32}, {8, 2}, {16, 3}};
    for (int i = 0; i < 4; i++) {
        launch_shape_set(shapes[i].vector, 0);
        overlap_items_set(shapes[i].items);
        assert_like_oracle(d, 0, 3, 1089, false);
        assert_like_oracle(d, 2, 3, 8191, true);
        launch_shape_set(0, 0);
        overlap_items_set(0);
    }
}
END_TEST

/* A device that holds a few images at a time. */
START_TEST(batches_count_alike)
{
    device *small = NULL;
    const device_options o = {.budget_bytes = 16 << 20};
    OK(device_open(c, &o, &small));
    ck_assert_int_eq(overlap_fitting(small, 128 * 128, 300), (4 << 20) / (300 * 2048));
    ck_assert_int_eq(overlap_fitting(small, 128 * 128, 1000000), 1);
    ck_assert_int_eq(overlap_fitting(d, 16, 1), OVERLAP_MOST);
    assert_like_oracle(small, 0, 13, 99999, false); /* 10 at once */
    assert_like_oracle(small, 1, 13, 99999, true);
    device_delete(&small);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    const float x[4] = {1, 2, 3, 4};
    const int zero = 0, more = 101, good = 50;
    overlap_masks *m = NULL, *other = NULL;
    const overlap_shape bad[] = {{.pixels = 0, .images = 1, .count = 1, .percent = &good},
                                 {.pixels = 4, .images = 0, .count = 1, .percent = &good},
                                 {.pixels = 4, .images = 1, .count = 0, .percent = &good},
                                 {.pixels = 4, .images = 1, .count = OVERLAP_MOST + 1, .percent = &good},
                                 {.pixels = 4, .images = 1, .count = 1, .percent = &zero},
                                 {.pixels = 4, .images = 1, .count = 1, .percent = &more}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(overlap_masks_new(c, d, &bad[i], x, &m), STATUS_USAGE);
        ck_assert_ptr_null(m);
    }
    const overlap_shape four = {.pixels = 4, .images = 1, .count = 1, .percent = &good};
    const overlap_shape two = {.pixels = 2, .images = 2, .count = 1, .percent = &good};
    OK(overlap_masks_new(c, d, &four, x, &m));
    OK(overlap_masks_new(c, d, &two, x, &other));
    uint32_t got = 9;
    ck_assert_int_eq(overlap_common(c, m, other, (const uint32_t[][2]){{0, 0}}, 1, &got), STATUS_USAGE);
    ck_assert_int_eq(overlap_common(c, m, m, (const uint32_t[][2]){{0, 1}}, 1, &got), STATUS_USAGE);
    OK(overlap_common(c, m, m, NULL, 0, &got));
    ck_assert_uint_eq(got, 9);
    overlap_masks_delete(&m);
    overlap_masks_delete(&m);
    overlap_masks_delete(NULL);
    overlap_masks_delete(&other);
    /* Whatever allocation fails, nothing stays behind. */
    long n = 1;
    for (; n < 40; n++) {
        memory_fail_at(n);
        const status s = overlap_masks_new(c, d, &four, x, &m);
        memory_fail_at(0);
        if (!s) break;
        ck_assert_int_eq(s, STATUS_MEMORY);
        ck_assert_ptr_null(m);
    }
    ck_assert(n > 6 && n < 40);
    overlap_masks_delete(&m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("overlap");
    TCase *t = tcase_create("overlap");
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, masks_agree_with_the_oracle);
    tcase_add_test(t, many_images_agree_with_the_oracle);
    tcase_add_test(t, any_vector_and_any_work_items_count_alike);
    tcase_add_test(t, batches_count_alike);
    tcase_add_test(t, what_cannot_be_is_refused);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
