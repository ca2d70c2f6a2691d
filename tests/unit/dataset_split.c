/* The split by box and the crops of the statistics: properties over sizes and seeds, exact crops, bad input. No device.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "dataset/split.h"

static context *c;

static void setup(void)
{
    c = context_new(NULL);
}

static void teardown(void)
{
    context_delete(&c);
}

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static dataset_split split_of(const maps *m, double validation, double test, uint64_t seed)
{
    dataset_split s;
    OK(dataset_split_new(c, m, &(dataset_options){.validation = validation, .test = test, .seed = seed}, &s));
    return s;
}

static void assert_partition(const maps *m, const dataset_split *s)
{
    unsigned char *seen = calloc((size_t)m->count, 1);
    int64_t all = 0;
    for (int p = 0; p < DATASET_PARTS; p++) {
        for (int64_t i = 0; i < s->count[p]; i++) {
            ck_assert_int_lt(s->parents[p][i], m->count);
            ck_assert_int_eq(seen[s->parents[p][i]], 0);
            if (i > 0) ck_assert_int_gt(s->parents[p][i], s->parents[p][i - 1]);
            seen[s->parents[p][i]] = (unsigned char)(p + 1);
        }
        all += s->count[p];
    }
    ck_assert_int_eq(all, m->count);
    for (int64_t i = 0; m->origin && i < m->count; i++) {
        for (int64_t j = 0; j < i; j++) {
            if (m->origin[3 * i] == m->origin[3 * j]) ck_assert_int_eq(seen[i], seen[j]);
        }
    }
    free(seen);
}

START_TEST(parts_are_disjoint_and_complete)
{
    for (int64_t n = 3; n < 40; n += 3) {
        maps m = {.count = n, .ny = 8, .nx = 8, .dims = 2};
        for (uint64_t seed = 0; seed < 5; seed++) {
            dataset_split s = split_of(&m, .2, .3, seed);
            assert_partition(&m, &s);
            const int64_t validation = (int64_t)floor(.2 * (double)n + .5), test = (int64_t)floor(.3 * (double)n + .5);
            ck_assert_int_eq(s.count[DATASET_VALIDATION], validation < 1 ? 1 : validation);
            ck_assert_int_eq(s.count[DATASET_TEST], test < 1 ? 1 : test);
            ck_assert_int_eq(s.crop, 4);
            dataset_split_delete(&s);
            ck_assert_ptr_null(s.parents[0]);
        }
    }
}
END_TEST

START_TEST(counts_are_taken_as_they_are)
{
    maps m = {.count = 1200, .ny = 256, .nx = 256, .dims = 2};
    dataset_split s = split_of(&m, 100, 100, 1), same = split_of(&m, 100, 100, 1), other = split_of(&m, 100, 100, 2);
    assert_partition(&m, &s);
    ck_assert_int_eq(s.count[DATASET_TRAIN], 1000);
    ck_assert_int_eq(s.boxes[DATASET_VALIDATION], 100);
    ck_assert_int_eq(s.crop, 128);
    ck_assert_mem_eq(s.parents[DATASET_TEST], same.parents[DATASET_TEST], 100 * sizeof(uint32_t));
    ck_assert_mem_ne(s.parents[DATASET_TEST], other.parents[DATASET_TEST], 100 * sizeof(uint32_t));
    /* Drawn from everywhere, not from one end. */
    int high = 0;
    for (int i = 0; i < 100; i++) high += s.parents[DATASET_TEST][i] >= 600;
    ck_assert_int_gt(high, 25);
    ck_assert_int_lt(high, 75);
    dataset_split_delete(&s);
    dataset_split_delete(&same);
    dataset_split_delete(&other);
}
END_TEST

/* Three redshifts of seven boxes, in two orders of the file: boxes stay whole and the choice does not follow the order.
 */
START_TEST(maps_of_a_box_stay_together)
{
    int32_t by_box[21][3] = {{0}}, by_redshift[21][3] = {{0}};
    for (int i = 0; i < 21; i++) {
        by_box[i][0] = 10 * (i / 3) - 20;
        by_redshift[i][0] = 10 * (i % 7) - 20;
    }
    maps a = {.count = 21, .ny = 9, .nx = 8, .dims = 2, .origin = by_box[0]};
    maps b = {.count = 21, .ny = 9, .nx = 8, .dims = 2, .origin = by_redshift[0]};
    for (uint64_t seed = 0; seed < 20; seed++) {
        dataset_split s = split_of(&a, 1, 2, seed), t = split_of(&b, 1, 2, seed);
        assert_partition(&a, &s);
        assert_partition(&b, &t);
        for (int p = 0; p < DATASET_PARTS; p++) {
            ck_assert_int_eq(s.count[p], 3 * s.boxes[p]);
            ck_assert_int_eq(s.count[p], t.count[p]);
            for (int64_t i = 0; i < s.count[p]; i++) {
                int same = 0;
                for (int64_t j = 0; j < t.count[p]; j++) {
                    same += by_redshift[t.parents[p][j]][0] == by_box[s.parents[p][i]][0];
                }
                ck_assert_int_eq(same, 3);
            }
        }
        ck_assert_int_eq(s.boxes[DATASET_TEST], 2);
        dataset_split_delete(&s);
        dataset_split_delete(&t);
    }
}
END_TEST

START_TEST(splits_that_cannot_be_are_refused)
{
    static const struct {
        int64_t count;
        int dims, crop;
        double validation, test;
        const char *words;
    } cases[] = {{10, 2, 0, 5, 5, "leave none"},           {10, 2, 0, .5, .5, "leave none"},
                 {1, 2, 0, .1, 0, "leave none"},           {10, 3, 0, 1, 1, "sub-volume"},
                 {10, 2, 9, 1, 1, "dataset.crop"},         {10, 2, -1, 1, 1, "dataset.crop"},
                 {10, 2, 0, 1.5, 1, "whole number"},       {10, 2, 0, 1, -1, "dataset.test"},
                 {10, 2, 0, NAN, 1, "dataset.validation"}, {10, 2, 0, 4e9, 4e9, "leave none"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        maps m = {.count = cases[i].count, .ny = 8, .nx = 8, .dims = cases[i].dims};
        const dataset_options o = {.crop = cases[i].crop, .validation = cases[i].validation, .test = cases[i].test};
        dataset_split s;
        ck_assert_int_eq(dataset_split_new(c, &m, &o, &s), STATUS_USAGE);
        ck_assert_msg(strstr(context_message(c), cases[i].words) != NULL, "%s", context_message(c));
        ck_assert_ptr_null(s.parents[0]);
    }
    maps none = {.count = 0, .ny = 8, .nx = 8, .dims = 2};
    dataset_split s;
    ck_assert_int_eq(dataset_split_new(c, &none, &(dataset_options){0}, &s), STATUS_DATA);
    /* Slices may train where nothing is held out of the same file. */
    maps slices = {.count = 10, .ny = 8, .nx = 8, .dims = 3};
    OK(dataset_split_new(c, &slices, &(dataset_options){0}, &s));
    ck_assert_int_eq(s.count[DATASET_TRAIN], 10);
    dataset_split_delete(&s);
    dataset_split_delete(NULL);
}
END_TEST

START_TEST(allocations_that_fail_leave_nothing)
{
    maps m = {.count = 10, .ny = 8, .nx = 8, .dims = 2};
    dataset_split s;
    long n = 1;
    for (; n < 20; n++) {
        memory_fail_at(n);
        const status e = dataset_split_new(c, &m, &(dataset_options){.validation = 1, .test = 1}, &s);
        memory_fail_at(0);
        if (e == STATUS_OK) break;
        ck_assert_int_eq(e, STATUS_MEMORY);
        for (int p = 0; p < DATASET_PARTS; p++) ck_assert_ptr_null(s.parents[p]);
    }
    ck_assert_int_gt(n, 3);
    ck_assert_int_lt(n, 20);
    dataset_split_delete(&s);
}
END_TEST

/* A map whose pixels say where they are: map · 10000 + y · 100 + x. */
static maps labelled(int64_t count, int ny, int nx)
{
    maps m = {.count = count, .ny = ny, .nx = nx, .dims = 2};
    OK(memory_new(c, "test maps", (size_t)(count * ny * nx), sizeof(float), &m.values));
    for (int64_t i = 0; i < count * ny * nx; i++) {
        m.values[i] = (float)(i / (ny * nx) * 10000 + i / nx % ny * 100 + i % nx);
    }
    return m;
}

static void assert_crop(const float *image, int side, int map, int y0, int x0)
{
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
            ck_assert_float_eq(image[y * side + x], (float)(map * 10000 + (y0 + y) * 100 + x0 + x));
        }
    }
}

START_TEST(crops_are_the_four_corners)
{
    static const struct {
        int ny, nx, crop, side;
    } cases[] = {{8, 8, 0, 4}, {9, 12, 0, 4}, {9, 12, 3, 3}, {7, 7, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int ny = cases[i].ny, nx = cases[i].nx;
        maps m = labelled(5, ny, nx);
        const uint32_t chosen[] = {4, 0, 3};
        float *images = NULL;
        int64_t count = 0;
        int side = 0;
        OK(dataset_crops(c, &m, chosen, 3, cases[i].crop, &images, &count, &side));
        ck_assert_int_eq(side, cases[i].side);
        ck_assert_int_eq(count, 12);
        for (int k = 0; k < 12; k++) {
            assert_crop(images + k * side * side, side, (int)chosen[k / 4], k & 2 ? ny - side : 0,
                        k & 1 ? nx - side : 0);
        }
        memory_delete(&images);
        OK(dataset_crops(c, &m, NULL, 0, cases[i].crop, &images, &count, &side));
        ck_assert_int_eq(count, 20);
        assert_crop(images + 19 * side * side, side, 4, ny - side, nx - side);
        memory_delete(&images);
        maps_delete(&m);
    }
}
END_TEST

START_TEST(whole_maps_are_one_image_and_overlaps_an_error)
{
    maps m = labelled(3, 6, 6), wide = labelled(1, 6, 12);
    float *images = NULL;
    int64_t count = 0;
    int side = 0;
    OK(dataset_crops(c, &m, NULL, 0, 6, &images, &count, &side));
    ck_assert_int_eq(count, 3);
    ck_assert_mem_eq(images, m.values, 3 * 36 * sizeof(float));
    memory_delete(&images);
    const int bad[] = {4, 5, 7, -2};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(dataset_crops(c, &m, NULL, 0, bad[i], &images, &count, &side), STATUS_USAGE);
        ck_assert_ptr_null(images);
    }
    ck_assert_int_eq(dataset_crops(c, &wide, NULL, 0, 6, &images, &count, &side), STATUS_USAGE);
    maps_delete(&m);
    maps_delete(&wide);
}
END_TEST

START_TEST(images_of_a_part_are_those_of_its_parents)
{
    maps m = labelled(10, 6, 6);
    dataset_split s = split_of(&m, 2, 3, 9);
    for (int p = 0; p < DATASET_PARTS; p++) {
        float *images = NULL;
        int64_t count = 0;
        int side = 0;
        OK(dataset_test_images(c, &m, &s, (dataset_part)p, &images, &count, &side));
        ck_assert_int_eq(side, 3);
        ck_assert_int_eq(count, 4 * s.count[p]);
        for (int64_t i = 0; i < count; i++) {
            assert_crop(images + i * 9, 3, (int)s.parents[p][i / 4], i & 2 ? 3 : 0, i & 1 ? 3 : 0);
        }
        memory_delete(&images);
    }
    dataset_split_delete(&s);
    maps_delete(&m);
}
END_TEST

START_TEST(options_come_from_the_configuration)
{
    config *cfg = NULL;
    OK(config_new(c, &cfg));
    OK(config_set(c, cfg, "dataset.crop", "64", "test"));
    OK(config_set(c, cfg, "dataset.validation", "0.25", "test"));
    OK(config_set(c, cfg, "dataset.test", "12", "test"));
    OK(config_set(c, cfg, "run.seed", "77", "test"));
    dataset_options o;
    dataset_options_read(cfg, &o);
    ck_assert_int_eq(o.crop, 64);
    ck_assert_double_eq(o.validation, .25);
    ck_assert_double_eq(o.test, 12);
    ck_assert_uint_eq(o.seed, 77);
    config_delete(&cfg);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("split");
    TCase *t = tcase_create("split");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, parts_are_disjoint_and_complete);
    tcase_add_test(t, counts_are_taken_as_they_are);
    tcase_add_test(t, maps_of_a_box_stay_together);
    tcase_add_test(t, splits_that_cannot_be_are_refused);
    tcase_add_test(t, allocations_that_fail_leave_nothing);
    tcase_add_test(t, crops_are_the_four_corners);
    tcase_add_test(t, whole_maps_are_one_image_and_overlaps_an_error);
    tcase_add_test(t, images_of_a_part_are_those_of_its_parents);
    tcase_add_test(t, options_come_from_the_configuration);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
