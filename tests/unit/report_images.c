/* Colours, scales, tiles and grids; the five figures. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "report/colours.h"
#include "report/gallery.h"
#include "report/numbers.h"

static context *c;
static void begin(void)
{
    c = context_new(NULL);
}
static void end(void)
{
    context_delete(&c);
}

static double linear(uint8_t v)
{
    return v <= 10 ? v / 255. / 12.92 : pow((v / 255. + .055) / 1.055, 2.4);
}

/* OKLab's lightness, from the definition (inverse of what colours.c uses). */
static double lightness(const uint8_t rgb[3])
{
    double r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]);
    double l = cbrt(.4122214708 * r + .5363325363 * g + .0514459929 * b);
    double m = cbrt(.2119034982 * r + .6806995451 * g + .1073969566 * b);
    double s = cbrt(.0883024619 * r + .2817188376 * g + .6299787005 * b);
    return .2104542553 * l + .7936177850 * m - .0040720468 * s;
}

START_TEST(colours_are_uniform)
{
    uint8_t palette[256][3];
    colours_fill(palette);
    double first = lightness(palette[0]), last = lightness(palette[COLOURS - 1]);
    ck_assert_double_lt(first, .2);
    ck_assert_double_gt(last, .9);
    for (int i = 0; i < COLOURS; i++) {
        double expected = first + (last - first) * i / (COLOURS - 1);
        ck_assert_double_eq_tol(lightness(palette[i]), expected,
                                .015); /* a step of 1/255 in one component, in the dark */
        int jump = 0;
        for (int k = 0; i && k < 3; k++) jump += abs(palette[i][k] - palette[i - 1][k]);
        ck_assert_int_le(jump, 16); /* smooth */
    }
    ck_assert_int_eq(palette[COLOUR_GAP][0] + palette[COLOUR_GAP][1] + palette[COLOUR_GAP][2], 3 * 255);
}
END_TEST

START_TEST(tiles)
{
    ck_assert_int_eq(gallery_tile(64, 150), 128);
    ck_assert_int_eq(gallery_tile(128, 150), 128);
    ck_assert_int_eq(gallery_tile(50, 150), 150);
    ck_assert_int_eq(gallery_tile(1, 150), 150);
    ck_assert_int_eq(gallery_tile(100, 150), 150); /* 1.5: bilinear */
    ck_assert_int_eq(gallery_tile(4096, 150), 150);
}
END_TEST

START_TEST(grids)
{
    enum { N = 5, SIDE = 3 };
    float values[N * SIDE * SIDE];
    sample m = {.count = N, .total = N, .ny = SIDE, .nx = SIDE, .values = values, .mean = 2};
    gallery_scale g = {.low = -1, .high = 1, .unit = 2};
    for (int i = 0; i < N; i++)
        for (int k = 0; k < SIDE * SIDE; k++) values[i * SIDE * SIDE + k] = 2 * powf(10, -1 + i * .5f);
    values[0] = 0; /* below the scale */
    picture p;
    ck_assert_int_eq(gallery_grid(c, &m, &g, 3, 2, 7, 2, &p), STATUS_OK);
    ck_assert_int_eq(p.width, 3 * 7 + 2 * 2);
    ck_assert_int_eq(p.height, 2 * 7 + 2);
    ck_assert_int_eq(p.transparent, COLOUR_GAP);
    for (int y = 0; y < p.height; y++)
        for (int x = 0; x < p.width; x++) {
            int tile = y / 9 * 3 + x / 9, v = p.pixels[y * p.width + x];
            bool gap = y % 9 >= 7 || x % 9 >= 7 || tile >= N;
            int expected = gap ? COLOUR_GAP : (int)lrint((COLOURS - 1) * .25 * tile);
            ck_assert_int_le(abs(v - expected), 1);
        }
    picture_delete(&p);
    ck_assert_int_eq(gallery_bar(c, 11, 2, &p), STATUS_OK);
    ck_assert_int_eq(p.pixels[0], 0);
    ck_assert_int_eq(p.pixels[21], COLOURS - 1);
    picture_delete(&p);
}
END_TEST

/* Values of a linear transform, also negative ones, are shown as they are, whatever their mean. */
START_TEST(linear_values_have_a_linear_scale)
{
    enum { N = 1001 };
    float values[N];
    sample m = {
        .count = 1, .total = 1, .ny = 1, .nx = N, .values = values, .mean = 2, .transform = {.kind = TRANSFORM_LINEAR}};
    gallery_scale g;
    picture p;
    for (int i = 0; i < N; i++) values[i] = -3 + 4 * (float)i / (N - 1);
    ck_assert_int_eq(gallery_scale_of(c, &m, &g), STATUS_OK);
    ck_assert_double_eq_tol(g.low, -3 + 4 * .005, 1e-6);
    ck_assert_double_eq_tol(g.high, -3 + 4 * .998, 1e-6);
    ck_assert_int_eq(gallery_grid(c, &m, &g, 1, 1, N, 0, &p), STATUS_OK);
    for (int i = 0; i < N; i++) {
        const double expected = (COLOURS - 1) * (values[i] - g.low) / (g.high - g.low);
        ck_assert_double_le(fabs(p.pixels[i] - fmin(fmax(expected, 0), COLOURS - 1)), .51);
    }
    picture_delete(&p);
    for (int i = 0; i < N; i++) values[i] = -7;
    ck_assert_int_eq(gallery_scale_of(c, &m, &g), STATUS_OK);
    ck_assert_double_eq(g.high - g.low, 1);
}
END_TEST

/* An odd side enlarged by four, one bright pixel: symmetric about it, brightest there. */
START_TEST(enlarging_is_centred)
{
    float values[25];
    sample m = {.count = 1, .total = 1, .ny = 5, .nx = 5, .values = values, .mean = 1};
    gallery_scale g = {.low = 0, .high = 1, .unit = 1};
    for (int i = 0; i < 25; i++) values[i] = i == 12 ? 10 : 1;
    picture p;
    ck_assert_int_eq(gallery_grid(c, &m, &g, 1, 1, 20, 0, &p), STATUS_OK);
    for (int y = 0; y < 20; y++)
        for (int x = 0; x < 20; x++) {
            ck_assert_int_eq(p.pixels[y * 20 + x], p.pixels[(19 - y) * 20 + x]);
            ck_assert_int_eq(p.pixels[y * 20 + x], p.pixels[x * 20 + y]);
        }
    ck_assert_int_gt(p.pixels[9 * 20 + 9], 180);
    ck_assert_int_eq(p.pixels[0], 0);
    picture_delete(&p);
}
END_TEST

START_TEST(scales)
{
    float values[10000];
    sample m = {.count = 1, .total = 1, .ny = 100, .nx = 100, .values = values, .mean = 2};
    gallery_scale g;
    for (int i = 0; i < 10000; i++) values[i] = 2 * powf(10, -2 + 3e-4f * (float)i); /* log10 from −2 to 1 */
    ck_assert_int_eq(gallery_scale_of(c, &m, &g), STATUS_OK);
    ck_assert_double_eq_tol(g.low, -1.985, .01);
    ck_assert_double_eq_tol(g.high, .994, .01);
    memset(values, 0, sizeof values);
    ck_assert_int_eq(gallery_scale_of(c, &m, &g), STATUS_OK); /* an empty map has a scale, too */
    ck_assert(isfinite(g.low) && g.high > g.low);
}
END_TEST

START_TEST(thresholds)
{
    enum { SIDE = 10 };
    float values[2 * SIDE * SIDE], t[3];
    const double percent[3] = {1, 20, 95};
    sample m = {.count = 2, .total = 2, .ny = SIDE, .nx = SIDE, .values = values};
    for (int i = 0; i < 2 * SIDE * SIDE; i++) values[i] = (float)(i * 77 % 200); /* 0 … 199, each once */
    ck_assert_int_eq(sample_thresholds(c, &m, -1, 3, percent, t), STATUS_OK);
    ck_assert_float_eq(t[0], 198); /* 2 of 200 are not below */
    ck_assert_float_eq(t[1], 160);
    ck_assert_float_eq(t[2], 10);
    ck_assert_int_eq(sample_thresholds(c, &m, 1, 3, percent, t), STATUS_OK);
    for (int k = 0; k < 3; k++) {
        int above = 0;
        for (int i = 0; i < SIDE * SIDE; i++) above += values[SIDE * SIDE + i] >= t[k];
        ck_assert_int_eq(above, (int)percent[k]);
    }
}
END_TEST

START_TEST(overlaps)
{
    double percent[] = {1, 5, 10}, mean[] = {.5, .5, .9}, std[] = {.1, .1, .1}, r[] = {.01, .35, .1},
           rs[] = {.1, .1, .1};
    numbers_dice d = {.count = 3, .column = {[DICE_PERCENT] = percent, [DICE_MEAN] = mean}};
    ck_assert_double_eq(numbers_dice_reach(&d), 0); /* nothing to tell it by */
    d.column[DICE_STD] = std, d.column[DICE_RANDOM] = r, d.column[DICE_RANDOM_STD] = rs;
    ck_assert_double_eq(numbers_dice_reach(&d), 1); /* .5 − .1 < .35 + .1 ends it, whatever comes behind */
    ck_assert_double_eq(numbers_dice_at(&d, DICE_MEAN, 10), .9);
    ck_assert_double_nan(numbers_dice_at(&d, DICE_MEAN, 20));
    ck_assert_double_nan(numbers_dice_at(&d, DICE_SEM, 10));
    ck_assert_double_eq_tol(numbers_distance(FIGURE_MEAN, 2), numbers_distance(FIGURE_MEAN, .5), 1e-15);
    ck_assert_double_eq(numbers_distance(FIGURE_PDF, .3), .3);
}
END_TEST

START_TEST(moments_and_bias)
{
    double v[] = {1, 3, 1, 3}, table[] = {1, 7, 3, 7, 1, 7, 3, 7}, truth[] = {100, 10, 0}, model[] = {200, 10, 5}, mean,
           deviation;
    numbers n = {.rings = 3};
    numbers_moments(v, 4, 1, &mean, &deviation);
    ck_assert_double_eq_tol(mean, 2, 1e-12);
    ck_assert_double_eq_tol(deviation, 1, 1e-12);
    numbers_moments(table, 4, 2, &mean, &deviation); /* the first column of two */
    ck_assert_double_eq_tol(mean, 2, 1e-12);
    ck_assert_double_eq_tol(deviation, 1, 1e-12);
    ck_assert_double_nan(numbers_power_bias(&n));
    n.truth.power_median = truth, n.model.power_median = model;
    ck_assert_double_eq_tol(numbers_power_bias(&n), log(2) / 2, 1e-12); /* the ring without power says nothing */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report images");
    TCase *t = tcase_create("images");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, colours_are_uniform);
    tcase_add_test(t, tiles);
    tcase_add_test(t, grids);
    tcase_add_test(t, linear_values_have_a_linear_scale);
    tcase_add_test(t, enlarging_is_centred);
    tcase_add_test(t, scales);
    tcase_add_test(t, thresholds);
    tcase_add_test(t, overlaps);
    tcase_add_test(t, moments_and_bias);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
