/* Statistics of sets, the comparison figures and the score: known answers, and that the score ranks what it must. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "stats/bootstrap.h"
#include "stats/figures.h"
#include "stats/score.h"
#include "stats/summary.h"

enum { SIDE = 16, PIXELS = SIDE * SIDE };

static context *c;
static device *d;
static stats_plan *plan;

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static const stats_options options = {.density_min = 1e-3, .density_max = 1e4, .density_bins = 60, .neighbours = 100};

static void setup(void)
{
    c = context_new(NULL);
    OK(device_open(c, &(device_options){0}, &d));
    OK(stats_plan_new(c, d, &options, SIDE, &plan));
}

static void teardown(void)
{
    stats_plan_delete(&plan);
    device_delete(&d);
    context_delete(&c);
}

/* Images that differ in their mean (scatter `spread`, in ln) and in their waves: exp of three plane waves of random
 * phase. Image i is image i % modes. */
static float *images_of_modes(int n, int modes, uint32_t sub, double level, double spread)
{
    float *images = calloc((size_t)n * PIXELS, sizeof *images);
    for (int i = 0; i < n; i++) {
        double z[8];
        rng_normals(3, RNG_TEST, sub, 8 * (uint64_t)(i % modes), 8, z);
        for (int p = 0; p < PIXELS; p++) {
            const double x = 2 * M_PI * (p % SIDE) / SIDE, y = 2 * M_PI * (p / SIDE) / SIDE;
            const double wave =
                .7 * cos(x + 9 * z[1]) + .6 * cos(2 * y + x + 9 * z[2]) + .5 * cos(4 * x - 3 * y + 9 * z[3]);
            const double small = .05 * cos(7 * x + 5 * y + 9 * z[4]) + .2 * z[5] * cos(5 * x + 9 * z[6]);
            images[i * PIXELS + p] = (float)(level * exp(wave + small + spread * z[0]));
        }
    }
    return images;
}

/* Frees the images. */
static stats_set set_from(float *images, int n)
{
    stats_set out;
    OK(stats_set_from_host(c, plan, "test", images, n, &out));
    free(images);
    return out;
}

static stats_set set_of_modes(int n, int modes, uint32_t sub, double level, double spread)
{
    return set_from(images_of_modes(n, modes, sub, level, spread), n);
}

/* `alike`: all are the first one. */
static stats_set set_of(int n, uint32_t sub, double level, double spread, bool alike)
{
    return set_of_modes(n, alike ? 1 : n, sub, level, spread);
}

START_TEST(medians_of_even_and_odd)
{
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, one[] = {7}, huge[] = {1e308, 1.5e308};
    ck_assert_double_eq(stats_median(odd, 3), 3);
    ck_assert_double_eq(stats_median(even, 4), 2.5);
    ck_assert_double_eq(stats_median(one, 1), 7);
    ck_assert_double_eq(stats_median(huge, 2), 1.25e308);
    ck_assert(isnan(stats_median(NULL, 0)));
}
END_TEST

START_TEST(edges_end_exactly)
{
    static const double ends[][2] = {{1e-3, 1e4}, {.1, .3}, {7e-7, 3e33}};
    for (int i = 0; i < 3; i++) {
        for (int bins = 1; bins < 100; bins += 7) {
            double edges[101];
            stats_edges(ends[i][0], ends[i][1], bins, edges);
            ck_assert_double_eq(edges[0], ends[i][0]);
            ck_assert_double_eq(edges[bins], ends[i][1]);
            for (int b = 1; b <= bins; b++) {
                const double step = log(edges[b] / edges[b - 1]), expected = log(ends[i][1] / ends[i][0]) / bins;
                ck_assert_double_le(fabs(step - expected), 1e-11 * fmax(1, expected));
            }
        }
    }
}
END_TEST

/* Constant images of 1, 2 and 6: everything is known. */
START_TEST(constant_images_are_known)
{
    static float images[3 * PIXELS];
    for (int i = 0; i < 3 * PIXELS; i++) images[i] = (float[]){1, 2, 6}[i / PIXELS];
    stats_set s;
    OK(stats_set_from_host(c, plan, "test", images, 3, &s));
    ck_assert_double_eq(s.mean, 3);
    ck_assert_double_eq_tol(s.scatter, sqrt(14. / 3), 1e-12);
    ck_assert_uint_eq(s.peaks_total, 0);
    for (int r = 0; r < s.rings; r++) {
        ck_assert_double_le(s.power_median[r], 1e-10);
        ck_assert_double_le(s.power_mad[r], 1e-10);
    }
    double pdf[60], integral = 0;
    stats_set_pdf(&s, pdf);
    for (int b = 0; b < 60; b++) integral += pdf[b] * 7 / 60;
    ck_assert_double_eq_tol(integral, 1, 1e-12);
    stats_set_delete(&s);
    ck_assert_ptr_null(s.power);
}
END_TEST

/* A single image is a set: no scatter, its power the median, its MAD nothing. */
START_TEST(one_image_is_a_set)
{
    stats_set s = set_of(1, 1, 1, .1, false);
    ck_assert_double_eq(s.scatter, 0);
    ck_assert_double_eq(s.mean, s.mean_density[0]);
    for (int r = 0; r < s.rings; r++) {
        ck_assert_double_eq(s.power_median[r], s.power[r]);
        ck_assert_double_eq(s.power_mad[r], 0);
    }
    stats_figures f;
    OK(stats_figures_compute(c, &s, &s, &f));
    ck_assert_double_eq(f.pdf, 0);
    ck_assert_double_eq(f.mean, 1);
    ck_assert(isnan(f.std));
    ck_assert_double_eq(f.psd, 0);
    stats_set_delete(&s);
}
END_TEST

START_TEST(figures_of_scaled_images)
{
    stats_set a = set_of(20, 1, 1, .1, false), same = set_of(20, 1, 1, .1, false), four = set_of(20, 1, 4, .1, false),
              far = set_of(20, 1, 1e7, .1, false);
    stats_figures f;
    OK(stats_figures_compute(c, &same, &a, &f));
    ck_assert(f.pdf == 0 && f.mean == 1 && f.std == 1 && f.psd == 0 && f.peaks == 1);
    OK(stats_figures_compute(c, &four, &a, &f));
    ck_assert_double_eq(f.mean, 4);
    ck_assert_double_eq_tol(f.std, 4, 1e-12);
    ck_assert_double_eq_tol(f.psd, log(16), 1e-12);
    ck_assert_double_eq(f.peaks, 1);
    ck_assert(f.pdf > .5 && f.pdf < 2);
    OK(stats_figures_compute(c, &far, &a, &f));
    ck_assert_double_eq_tol(f.pdf, 2, 1e-12);
    stats_set_delete(&a);
    stats_set_delete(&same);
    stats_set_delete(&four);
    stats_set_delete(&far);
}
END_TEST

static double score_value(const stats_set *model, const stats_set *validation, const stats_set *train, score *s)
{
    OK(score_compute(c, model, validation, train, s));
    double product = 1;
    for (int i = 0; i < s->count; i++) {
        ck_assert(isfinite(s->part[i].ratio) && s->part[i].reference > 0);
        ck_assert_double_eq(s->part[i].ratio, s->part[i].distance / s->part[i].reference);
        product *= pow(1 + s->part[i].ratio, 1. / s->count);
    }
    ck_assert_double_eq_tol(s->value, product - 1, 1e-12 * product);
    return s->value;
}

static double part(const score *s, const char *name)
{
    for (int i = 0; i < s->count; i++) {
        if (strcmp(s->part[i].name, name) == 0) return s->part[i].ratio;
    }
    ck_abort_msg("no part %s", name);
    return NAN;
}

START_TEST(the_score_ranks_models)
{
    stats_set train = set_of(200, 1, 1, .1, false), validation = set_of(200, 2, 1, .1, false);
    stats_set good = set_of(200, 3, 1, .1, false), tenth = set_of(200, 4, 1.1, .1, false),
              half = set_of(200, 5, 1.5, .1, false);
    stats_set alike = set_of(200, 6, 1, .1, true), narrow = set_of(200, 7, 1, .01, false);
    score s;
    /* Another sample of the truth is as near as the training set: 1, give or take the luck of seven parts. */
    const double fair = score_value(&good, &validation, &train, &s);
    ck_assert_double_gt(fair, .4);
    ck_assert_double_lt(fair, 2);
    ck_assert_double_eq_tol(score_value(&train, &validation, &train, &s), 1, .5);
    ck_assert_double_eq(score_value(&validation, &validation, &train, &s), 0);
    const double near = score_value(&tenth, &validation, &train, &s), far = score_value(&half, &validation, &train, &s);
    ck_assert_double_gt(near, fair);
    ck_assert_double_gt(far, near);
    /* One image again and again: the scatter tells, and the whole score with it. */
    ck_assert_double_gt(score_value(&alike, &validation, &train, &s), 10);
    ck_assert_double_gt(part(&s, "scatter"), 20);
    ck_assert_double_gt(score_value(&narrow, &validation, &train, &s), fair);
    ck_assert_double_gt(part(&s, "scatter"), 5);
    stats_set_delete(&train);
    stats_set_delete(&validation);
    stats_set_delete(&good);
    stats_set_delete(&tenth);
    stats_set_delete(&half);
    stats_set_delete(&alike);
    stats_set_delete(&narrow);
}
END_TEST

/* A generator of 60 images, each made some three times, has all else of the truth; only the diversity tells. */
START_TEST(few_images_lack_diversity)
{
    stats_set train = set_of(200, 1, 1, .1, false), validation = set_of(200, 2, 1, .1, false);
    stats_set good = set_of(200, 3, 1, .1, false), few = set_of_modes(200, 60, 4, 1, .1);
    score s;
    score_value(&good, &validation, &train, &s);
    ck_assert_int_eq(s.count, 7);
    ck_assert_double_lt(part(&s, "diversity"), 3);
    ck_assert_double_eq_tol(good.nearest_mean, validation.nearest_mean, .1 * validation.nearest_mean);
    score_value(&few, &validation, &train, &s);
    ck_assert_double_gt(part(&s, "diversity"), 5);
    ck_assert_double_lt(part(&s, "pdf"), 5);
    ck_assert_double_lt(part(&s, "scatter"), 5);
    /* Images less like each other than the truth's cost nothing here. */
    score_value(&validation, &few, &few, &s);
    ck_assert_double_eq(part(&s, "diversity"), 0);
    /* Another number of neighbours cannot be compared: the part is left out. */
    few.neighbours = 99;
    score_value(&few, &validation, &train, &s);
    ck_assert_int_eq(s.count, 6);
    few.neighbours = 100;
    stats_set_delete(&train);
    stats_set_delete(&validation);
    stats_set_delete(&good);
    stats_set_delete(&few);
}
END_TEST

/* Near-copies, a hundredth different, are a collapse, and so is one image; a healthy set is none, though it has half of
 * the truth's variety. */
START_TEST(near_copies_are_a_collapse)
{
    enum { N = 200 };
    stats_set validation = set_of(N, 2, 1, .1, false), alike = set_of(N, 6, 1, .1, true), fewer;
    float *copies = images_of_modes(N, 1, 3, 1, .1), *half = images_of_modes(N, N, 4, 1, .1);
    for (uint32_t i = 0; i < N; i++) {
        double z[PIXELS];
        rng_normals(4, RNG_TEST, i, 0, PIXELS, z);
        for (int p = 0; p < PIXELS; p++) copies[i * PIXELS + (uint32_t)p] *= (float)(1 + .01 * z[p]);
    }
    /* Halfway in the logarithm between each image and the first. */
    for (int i = N * PIXELS; i-- > 0;) half[i] = sqrtf(half[i] * half[i % PIXELS]);
    stats_set near = set_from(copies, N), healthy = set_from(half, N);
    ck_assert(score_collapsed(&near, &validation) && score_collapsed(&alike, &validation));
    ck_assert(!score_collapsed(&healthy, &validation) && !score_collapsed(&validation, &validation));
    ck_assert_double_gt(near.nearest_mean, 0);
    ck_assert_double_lt(healthy.nearest_mean, .8 * validation.nearest_mean);
    /* Nothing to compare: nothing is said. */
    fewer = near;
    fewer.neighbours = 99;
    ck_assert(!score_collapsed(&fewer, &validation));
    stats_set_delete(&near);
    stats_set_delete(&healthy);
    stats_set_delete(&alike);
    stats_set_delete(&validation);
}
END_TEST

/* A perfect generator of a tenth of the training images scores 1, against as many of them and against all: what chance
 * gives it is that of its own number. */
START_TEST(a_perfect_model_smaller_than_the_training_set_scores_1)
{
    enum { N = 40, MANY = 10 * N, MODELS = 12 };
    float *images = images_of_modes(MANY, MANY, 1, 1, .1), *last = malloc(PIXELS * sizeof *last);
    stats_set validation = set_of(MANY, 2, 1, .1, false), all;
    double thinned = 0, whole = 0;
    score s;
    OK(stats_set_from_host(c, plan, "test", images, MANY, &all));
    memcpy(last, images + (size_t)(N - 1) * 10 * PIXELS, PIXELS * sizeof *last);
    ck_assert_int_eq(stats_thin(images, N, PIXELS, N), N);
    ck_assert_int_eq(stats_thin(images, MANY, PIXELS, N), N);
    ck_assert_mem_eq(images + (size_t)(N - 1) * PIXELS, last, PIXELS * sizeof *last);
    free(last);
    stats_set train = set_from(images, N);
    for (uint32_t i = 0; i < MODELS; i++) {
        stats_set model = set_of(N, 20 + i, 1, .1, false);
        model.neighbours = all.neighbours = validation.neighbours = train.neighbours = 0;
        thinned += score_value(&model, &validation, &train, &s) / MODELS;
        whole += score_value(&model, &validation, &all, &s) / MODELS;
        stats_set_delete(&model);
    }
    ck_assert_double_eq_tol(thinned, 1, .25);
    ck_assert_double_eq_tol(whole, 1, .25);
    stats_set_delete(&train);
    stats_set_delete(&all);
    stats_set_delete(&validation);
}
END_TEST

/* Parents of four images whose means are scattered but sum to the same: their mean is exact, and so is the model's of
 * it. Drawn one by one the images would give it an error. */
START_TEST(parents_that_conserve_mass_have_exact_means)
{
    enum { PARENTS = 30, N = 4 * PARENTS };
    float *images = images_of_modes(N, N, 1, 1, 0);
    for (int i = 0; i < N; i++) {
        double z[2], sum = 0;
        rng_normals(5, RNG_TEST, (uint32_t)i / 4, 0, 2, z);
        const double mean = 4 + (i % 2 ? 1 : -1) * .5 * z[i % 4 / 2];
        for (int p = 0; p < PIXELS; p++) sum += images[i * PIXELS + p];
        for (int p = 0; p < PIXELS; p++) images[i * PIXELS + p] *= (float)(mean * PIXELS / sum);
    }
    stats_set one = set_from(images, N), parents = one;
    bootstrap_errors e;
    parents.block = 4;
    ck_assert_int_eq(one.block, 1);
    OK(bootstrap_compute(c, &parents, &parents, NULL, 1, &e));
    ck_assert_double_le(e.figures.mean, 1e-6);
    ck_assert(e.figures.pdf > 0 && e.figures.std > 0 && e.figures.psd > 0);
    OK(bootstrap_compute(c, &one, &one, NULL, 1, &e));
    ck_assert_double_eq_tol(e.figures.mean / (sqrt(2. / N) * one.scatter / one.mean), 1, .2);
    stats_set_delete(&one);
}
END_TEST

/* The error of a ratio of means against its known value, and of the score against the scatter of the scores of other
 * samples of the truth. */
START_TEST(bootstrap_errors_are_the_scatter_of_samples)
{
    enum { N = 100, SAMPLES = 24 };
    stats_set train = set_of(N, 1, 1, .1, false), validation = set_of(N, 2, 1, .1, false);
    double values[SAMPLES], mean = 0, squares = 0, error = 0;
    bootstrap_errors e;
    for (int i = 0; i < SAMPLES; i++) {
        stats_set model = set_of(N, 10 + (uint32_t)i, 1, .1, false);
        score s;
        values[i] = score_value(&model, &validation, &train, &s);
        mean += values[i] / SAMPLES;
        OK(bootstrap_compute(c, &model, &validation, &s, 5, &e));
        error += e.score / SAMPLES;
        const double a = model.scatter / model.mean, b = validation.scatter / validation.mean;
        const double expected = model.mean / validation.mean * sqrt((a * a + b * b) / N);
        ck_assert_double_eq_tol(e.figures.mean / expected, 1, .2);
        ck_assert(e.figures.pdf > 0 && e.figures.std > 0 && e.figures.psd > 0 && e.figures.peaks > 0);
        stats_set_delete(&model);
    }
    for (int i = 0; i < SAMPLES; i++) squares += pow(values[i] - mean, 2) / (SAMPLES - 1);
    /* Another sample of the truth scores 1 within the errors. */
    ck_assert_double_le(fabs(mean - 1), 2 * error);
    /* The validation set is drawn anew too, so the error is somewhat larger than the scatter of models against one. */
    ck_assert_double_gt(error, .5 * sqrt(squares));
    ck_assert_double_lt(error, 3 * sqrt(squares));
    stats_set_delete(&train);
    stats_set_delete(&validation);
}
END_TEST

START_TEST(bootstrap_of_sets_without_a_figure)
{
    static float images[4 * PIXELS];
    for (int i = 0; i < 4 * PIXELS; i++) images[i] = 2;
    stats_set flat, a = set_of(5, 1, 1, .1, false);
    bootstrap_errors e;
    OK(stats_set_from_host(c, plan, "test", images, 4, &flat));
    OK(bootstrap_compute(c, &flat, &flat, NULL, 1, &e));
    ck_assert(e.figures.pdf == 0 && e.figures.mean == 0 && isnan(e.figures.std) && isnan(e.figures.peaks));
    ck_assert(isnan(e.score));
    flat.side = 8;
    ck_assert_int_eq(bootstrap_compute(c, &flat, &a, NULL, 1, &e), STATUS_USAGE);
    flat.side = SIDE;
    for (long n = 1; n < 20; n++) {
        memory_fail_at(n);
        const status s = bootstrap_compute(c, &a, &a, NULL, 1, &e);
        memory_fail_at(0);
        ck_assert_int_eq(s, n <= 11 ? STATUS_MEMORY : STATUS_OK);
    }
    stats_set_delete(&flat);
    stats_set_delete(&a);
}
END_TEST

/* The distance of the means is the area between the two cumulative distributions: {0, 4} against {1, 2, 3}. */
START_TEST(the_distance_of_means_is_known)
{
    float few[2 * PIXELS], many[3 * PIXELS];
    for (int i = 0; i < 2 * PIXELS; i++) few[i] = (float[]){4, 0}[i / PIXELS];
    for (int i = 0; i < 3 * PIXELS; i++) many[i] = (float[]){2, 3, 1}[i / PIXELS];
    stats_set a, b;
    OK(stats_set_from_host(c, plan, "test", few, 2, &a));
    OK(stats_set_from_host(c, plan, "test", many, 3, &b));
    score s;
    OK(score_compute(c, &a, &b, &b, &s));
    /* |0 − 1|/3 + |0 − 2|/6 + |4 − 2|/6 + |4 − 3|/3 */
    ck_assert_double_eq_tol(s.part[1].distance, 4. / 3, 1e-12);
    OK(score_compute(c, &b, &a, &a, &s));
    ck_assert_double_eq_tol(s.part[1].distance, 4. / 3, 1e-12);
    stats_set_delete(&a);
    stats_set_delete(&b);
}
END_TEST

/* Black, constant and absurd models get large finite scores, whatever they are compared with. */
START_TEST(hopeless_models_have_finite_scores)
{
    static float images[3][4 * PIXELS];
    for (int i = 0; i < 4 * PIXELS; i++) {
        images[1][i] = 3;
        images[2][i] = i % 3 ? 3e38f : 1e-38f;
    }
    stats_set train = set_of(20, 1, 1, .1, false), validation = set_of(20, 2, 1, .1, false);
    for (int k = 0; k < 3; k++) {
        stats_set model;
        score s;
        OK(stats_set_from_host(c, plan, "test", images[k], 4, &model));
        ck_assert_double_gt(score_value(&model, &validation, &train, &s), 5);
        ck_assert(isfinite(score_value(&model, &model, &model, &s)));
        ck_assert(isfinite(score_value(&train, &model, &model, &s)));
        ck_assert_double_gt(s.value, 5);
        stats_set_delete(&model);
    }
    stats_set_delete(&train);
    stats_set_delete(&validation);
}
END_TEST

START_TEST(sets_that_differ_in_shape_are_refused)
{
    stats_plan *other = NULL;
    stats_options coarser = options;
    coarser.density_bins = 30;
    OK(stats_plan_new(c, d, &coarser, SIDE, &other));
    static float images[PIXELS];
    stats_set a = set_of(2, 1, 1, .1, false), b;
    OK(stats_set_from_host(c, other, "test", images, 1, &b));
    stats_figures f;
    score s;
    ck_assert_int_eq(stats_figures_compute(c, &a, &b, &f), STATUS_USAGE);
    ck_assert_int_eq(score_compute(c, &b, &a, &a, &s), STATUS_USAGE);
    ck_assert_int_eq(score_compute(c, &a, &a, &b, &s), STATUS_USAGE);
    stats_set_delete(&b);
    b = a;
    b.side = SIDE / 2;
    ck_assert_int_eq(stats_figures_compute(c, &a, &b, &f), STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "16 × 16"));
    stats_set_delete(&a);
    stats_plan_delete(&other);
}
END_TEST

START_TEST(bad_options_and_images_are_refused)
{
    stats_plan *p = NULL;
    const stats_options bad[] = {{1, 1, 5, 0},   {2, 1, 5, 0},        {0, 1, 5, 0}, {-1, 1, 5, 0},
                                 {NAN, 1, 5, 0}, {1, INFINITY, 5, 0}, {1, 2, 0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(stats_plan_new(c, d, &bad[i], SIDE, &p), STATUS_USAGE);
        ck_assert_ptr_null(p);
    }
    ck_assert_int_eq(stats_plan_new(c, d, &options, 1, &p), STATUS_USAGE);
    static float images[2 * PIXELS];
    images[PIXELS + 3 * SIDE + 7] = NAN;
    stats_set s;
    ck_assert_int_eq(stats_set_from_host(c, plan, "epoch 12", images, 2, &s), STATUS_DATA);
    ck_assert_msg(strstr(context_message(c), "epoch 12: map 1, pixel (y 3, x 7) is nan") != NULL, "%s",
                  context_message(c));
    ck_assert_ptr_null(s.power);
    ck_assert_int_eq(stats_set_from_host(c, plan, "epoch 12", images, 0, &s), STATUS_USAGE);
    config *cfg = NULL;
    stats_options o;
    OK(config_new(c, &cfg));
    OK(stats_options_read(c, cfg, &o));
    ck_assert(o.density_min == 1e-3 && o.density_max == 1e4 && o.density_bins == 60);
    OK(config_set(c, cfg, "stats.density_max", "1e-4", "test"));
    ck_assert_int_eq(stats_options_read(c, cfg, &o), STATUS_USAGE);
    config_delete(&cfg);
}
END_TEST

START_TEST(allocations_that_fail_leave_nothing)
{
    static float images[2 * PIXELS];
    stats_set s;
    long n = 1;
    for (; n < 30; n++) {
        memory_fail_at(n);
        const status e = stats_set_from_host(c, plan, "test", images, 2, &s);
        memory_fail_at(0);
        if (e == STATUS_OK) break;
        ck_assert_int_eq(e, STATUS_MEMORY);
        ck_assert_ptr_null(s.edges);
    }
    ck_assert_int_gt(n, 8);
    ck_assert_int_lt(n, 30);
    stats_set_delete(&s);
    stats_set_delete(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("score");
    TCase *t = tcase_create("score");
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, medians_of_even_and_odd);
    tcase_add_test(t, edges_end_exactly);
    tcase_add_test(t, constant_images_are_known);
    tcase_add_test(t, one_image_is_a_set);
    tcase_add_test(t, figures_of_scaled_images);
    tcase_add_test(t, the_score_ranks_models);
    tcase_add_test(t, few_images_lack_diversity);
    tcase_add_test(t, near_copies_are_a_collapse);
    tcase_add_test(t, a_perfect_model_smaller_than_the_training_set_scores_1);
    tcase_add_test(t, parents_that_conserve_mass_have_exact_means);
    tcase_add_test(t, bootstrap_errors_are_the_scatter_of_samples);
    tcase_add_test(t, bootstrap_of_sets_without_a_figure);
    tcase_add_test(t, the_distance_of_means_is_known);
    tcase_add_test(t, hopeless_models_have_finite_scores);
    tcase_add_test(t, sets_that_differ_in_shape_are_refused);
    tcase_add_test(t, bad_options_and_images_are_refused);
    tcase_add_test(t, allocations_that_fail_leave_nothing);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
