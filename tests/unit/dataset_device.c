/* The training set on a device: what is uploaded, the transform, the pixels out of range, the order of epochs. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "dataset/dataset.h"

enum { MAPS = 9, SIDE = 10, PIXELS = SIDE * SIDE };

static context *c;
static device *d;
static config *cfg;
static char warning[1024];

static void keep_warning(void *user, log_level level, const char *text)
{
    (void)user;
    if (level == LOG_WARNING) snprintf(warning, sizeof warning, "%s", text);
}

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static void setup(void)
{
    c = context_new(&(context_sinks){.line = keep_warning, .level = LOG_INFO});
    OK(device_open(c, &(device_options){0}, &d));
    OK(config_new(c, &cfg));
    OK(config_set(c, cfg, "dataset.validation", "2", "test"));
    OK(config_set(c, cfg, "dataset.test", "3", "test"));
}

static void teardown(void)
{
    config_delete(&cfg);
    device_delete(&d);
    context_delete(&c);
}

/* Densities around `mean`, inside the bounds .01 … 600 of the overdensity. */
static maps random_maps(double mean)
{
    maps m = {.count = MAPS, .ny = SIDE, .nx = SIDE, .dims = 2, .box_mpc_h = 100, .mean = mean};
    double z[MAPS * PIXELS];
    OK(memory_new(c, "test maps", MAPS * PIXELS, sizeof(float), &m.values));
    rng_normals(5, RNG_TEST, 0, 0, MAPS * PIXELS, z);
    for (int i = 0; i < MAPS * PIXELS; i++) m.values[i] = (float)(mean * exp(z[i]));
    return m;
}

static void name_transform(maps *m, const char *name, double a, double b, double offset, const char *unit)
{
    snprintf(m->transform, sizeof m->transform, "%s", name);
    snprintf(m->unit, sizeof m->unit, "%s", unit);
    m->a = a;
    m->b = b;
    m->c = offset;
}

static void assert_uploaded(const dataset *set, const maps *m, double a, double b, double offset, double scale)
{
    const crop_shape *shape = dataset_crop_shape(set);
    const dataset_split *split = dataset_split_used(set);
    float *found = calloc(MAPS * PIXELS, sizeof *found);
    OK(buffer_read(c, dataset_parents(set), 0, found, (size_t)shape->parents * PIXELS * sizeof *found));
    for (int i = 0; i < shape->parents; i++) {
        for (int p = 0; p < PIXELS; p++) {
            const double v = m->values[split->parents[DATASET_TRAIN][i] * PIXELS + (uint32_t)p] * scale + offset;
            const double expected = (2 * log(v) - (b + a)) / (b - a);
            /* Of the terms that cancel: a few roundings. */
            const double bound = 16 * ldexp(1, -24) * (fabs(2 * log(v)) + fabs(b + a) + 1) / (b - a);
            ck_assert_double_eq_tol(found[i * PIXELS + p], expected, bound);
        }
    }
    free(found);
}

START_TEST(training_parents_are_uploaded_and_transformed)
{
    maps m = random_maps(4);
    dataset *set = NULL;
    OK(dataset_open(c, d, &m, cfg, &set));
    const crop_shape *shape = dataset_crop_shape(set);
    ck_assert(shape->parents == 4 && shape->ny == SIDE && shape->nx == SIDE && shape->crop == SIDE / 2);
    ck_assert_uint_eq(dataset_sub_images(set), 4 * 72);
    ck_assert_ptr_eq(buffer_device(dataset_parents(set)), d);
    assert_uploaded(set, &m, log(.01), log(600), 0, .25);
    ck_assert_int_eq(dataset_range_found(set)->pixels, 4 * PIXELS);
    dataset_delete(&set);
    ck_assert_ptr_null(set);

    /* What the file does not name is the configuration's. */
    OK(config_set(c, cfg, "maps.minimum", "0.005", "test"));
    OK(config_set(c, cfg, "maps.maximum", "900", "test"));
    OK(dataset_open(c, d, &m, cfg, &set));
    assert_uploaded(set, &m, log(.005), log(900), 0, .25);
    dataset_delete(&set);
    OK(config_set(c, cfg, "maps.unit", "particles", "test"));
    OK(dataset_open(c, d, &m, cfg, &set));
    assert_uploaded(set, &m, log(.005), log(900), 0, 1);
    dataset_delete(&set);
    OK(config_set(c, cfg, "maps.maximum", "0.001", "test"));
    ck_assert_int_eq(dataset_open(c, d, &m, cfg, &set), STATUS_USAGE);
    OK(config_set(c, cfg, "maps.minimum", "0.01", "test"));
    OK(config_set(c, cfg, "maps.maximum", "600", "test"));
    OK(config_set(c, cfg, "maps.unit", "overdensity", "test"));

    name_transform(&m, "log", log(.02), log(300), 0, "particles");
    OK(dataset_open(c, d, &m, cfg, &set));
    assert_uploaded(set, &m, log(.02), log(300), 0, 1);
    dataset_delete(&set);

    name_transform(&m, "log-offset", log(.001), log(2632), .001, "particles");
    OK(dataset_open(c, d, &m, cfg, &set));
    assert_uploaded(set, &m, log(.001), log(2632), .001, 1);
    ck_assert_double_eq(dataset_transform_shape(set)->offset, .001);
    dataset_delete(&set);
    maps_delete(&m);
}
END_TEST

START_TEST(pixels_out_of_range_are_counted_and_kept)
{
    maps m = random_maps(4);
    dataset_split split;
    dataset_options o;
    dataset_options_read(cfg, &o);
    OK(dataset_split_new(c, &m, &o, &split));
    float *map = m.values + split.parents[DATASET_TRAIN][1] * PIXELS;
    map[0] = map[1] = 4 * .005f;
    map[2] = 4 * 1000;
    map[3] = 4 * .01f;                                        /* on the bound */
    m.values[split.parents[DATASET_TEST][0] * PIXELS] = 1e6f; /* not of the training set */
    dataset *set = NULL;
    warning[0] = 0;
    OK(dataset_open(c, d, &m, cfg, &set));
    ck_assert_int_eq(dataset_range_found(set)->below, 2);
    ck_assert_int_eq(dataset_range_found(set)->above, 1);
    ck_assert_double_eq(dataset_range_found(set)->highest, 4000);
    ck_assert_double_eq(dataset_range_found(set)->lowest, .02f);
    ck_assert_ptr_nonnull(strstr(warning, "2 pixels"));
    float found[3];
    OK(buffer_read(c, dataset_parents(set), PIXELS * sizeof(float), found, sizeof found));
    ck_assert_float_lt(found[0], -1.1f);
    ck_assert_float_gt(found[2], 1.05f);
    dataset_delete(&set);
    dataset_split_delete(&split);
    maps_delete(&m);
}
END_TEST

/* Zero is −1 exactly where the transform has an offset, and not out of range. */
START_TEST(empty_pixels_of_slices_are_within)
{
    maps m = random_maps(1);
    memset(m.values, 0, MAPS * PIXELS * sizeof(float));
    name_transform(&m, "log-offset", log(.001), log(2632), .001, "particles");
    dataset *set = NULL;
    OK(dataset_open(c, d, &m, cfg, &set));
    ck_assert_int_eq(dataset_range_found(set)->below, 0);
    float found;
    OK(buffer_read(c, dataset_parents(set), 0, &found, sizeof found));
    ck_assert_float_eq_tol(found, -1, 1e-6f);
    dataset_delete(&set);
    maps_delete(&m);
}
END_TEST

START_TEST(epochs_are_permutations)
{
    maps m = random_maps(4);
    dataset *set = NULL;
    OK(dataset_open(c, d, &m, cfg, &set));
    enum { N = 4 * 72 };
    uint32_t one[N], again[N], next[N], seed[N];
    OK(dataset_epoch_order(c, set, 11, 0, one));
    OK(dataset_epoch_order(c, set, 11, 0, again));
    OK(dataset_epoch_order(c, set, 11, 1, next));
    OK(dataset_epoch_order(c, set, 12, 0, seed));
    ck_assert_mem_eq(one, again, sizeof one);
    ck_assert_mem_ne(one, next, sizeof one);
    ck_assert_mem_ne(one, seed, sizeof one);
    const uint32_t *orders[] = {one, next, seed};
    for (int k = 0; k < 3; k++) {
        int seen[N] = {0};
        for (int i = 0; i < N; i++) {
            ck_assert_uint_lt(orders[k][i], N);
            ck_assert_int_eq(seen[orders[k][i]]++, 0);
        }
    }
    dataset_delete(&set);
    dataset_delete(NULL);
    maps_delete(&m);
}
END_TEST

START_TEST(transforms_that_cannot_be_are_refused)
{
    maps m = random_maps(4);
    dataset *set = NULL;
    static const struct {
        const char *name;
        double a, b;
        const char *unit, *words;
    } bad[] = {{"asinh", -1, 1, "particles", "asinh"},
               {"log", 1, 1, "particles", "below b"},
               {"log", NAN, 1, "particles", "below b"},
               {"log", -1, 1, "kelvin", "kelvin"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        name_transform(&m, bad[i].name, bad[i].a, bad[i].b, 0, bad[i].unit);
        ck_assert_int_eq(dataset_open(c, d, &m, cfg, &set), STATUS_DATA);
        ck_assert_msg(strstr(context_message(c), bad[i].words) != NULL, "%s", context_message(c));
        ck_assert_ptr_null(set);
    }
    name_transform(&m, "log", -1, 1, 0, "overdensity");
    m.mean = 0;
    ck_assert_int_eq(dataset_open(c, d, &m, cfg, &set), STATUS_DATA);
    m.mean = 4;
    OK(config_set(c, cfg, "dataset.crop", "11", "test"));
    ck_assert_int_eq(dataset_open(c, d, &m, cfg, &set), STATUS_USAGE);
    OK(config_set(c, cfg, "dataset.crop", "0", "test"));
    maps_delete(&m);
}
END_TEST

START_TEST(nothing_leaks_when_memory_runs_out)
{
    maps m = random_maps(4);
    const size_t before = device_bytes_used(d);
    long n = 1;
    for (; n < 40; n++) {
        dataset *set = NULL;
        memory_fail_at(n);
        const status s = dataset_open(c, d, &m, cfg, &set);
        memory_fail_at(0);
        if (s == STATUS_OK) {
            dataset_delete(&set);
            break;
        }
        ck_assert_int_eq(s, STATUS_MEMORY);
        ck_assert_ptr_null(set);
        ck_assert_uint_eq(device_bytes_used(d), before);
    }
    ck_assert_int_gt(n, 4);
    ck_assert_int_lt(n, 40);
    ck_assert_uint_eq(device_bytes_used(d), before);
    maps_delete(&m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dataset");
    TCase *t = tcase_create("dataset");
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, training_parents_are_uploaded_and_transformed);
    tcase_add_test(t, pixels_out_of_range_are_counted_and_kept);
    tcase_add_test(t, empty_pixels_of_slices_are_within);
    tcase_add_test(t, epochs_are_permutations);
    tcase_add_test(t, transforms_that_cannot_be_are_refused);
    tcase_add_test(t, nothing_leaks_when_memory_runs_out);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
