/* The statistics of two sets of 1000 matched images, each by itself and all together; bench/peers/map_statistics.py
 * does the same in NumPy and SciPy. */
#include <math.h>
#include <stdio.h>
#include "base/memory.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "ops/ref/distance_ref.h"
#include "ops/ref/overlap_ref.h"
#include "ops/ref/reduce_ref.h"
#include "stats/figures.h"
#include "stats/neighbours.h"
#include "stats/overlap.h"
#include "stats/pairs.h"
#include "stats/summary.h"

enum { IMAGES = 1000, SETS = 2 };

typedef struct {
    device *d;
    int side;
    float *images[SETS]; /* truth, model */
    stats_options options;
    stats_plan *plan;
    stats_set sets[SETS];
    /* What the last run of each gave; owned. */
    stats_overlap overlap;
    stats_pairs pairs;
    diversity diversity;
    double *mean, *power, *column, *cross;
    uint64_t *pixels;
    uint32_t *peaks;
    int32_t *minkowski;
} work;

/* exp of noise smoothed along both axes; the model's has half of the truth's in it. */
static status make_images(bench *b, work *w)
{
    const size_t side = (size_t)w->side, pixels = side * side;
    double *noise = NULL;
    status s = memory_new(b->c, "noise", pixels, sizeof *noise, &noise);
    for (uint32_t k = 0; !s && k < SETS * IMAGES; k++) {
        const size_t at = (k / SETS) * pixels;
        float *image = w->images[k % SETS] + at;
        rng_normals(1, RNG_TEST, k, 0, pixels, noise);
        for (size_t p = 0; p < pixels; p++) {
            double sum = 0;
            for (size_t y = 0; y < 5; y++) {
                for (size_t x = 0; x < 5; x++) sum += noise[(p / side + y) % side * side + (p + x) % side];
            }
            image[p] = (float)(k % SETS ? sqrt(w->images[0][at + p]) * exp(.15 * sum) : exp(.3 * sum));
        }
    }
    memory_delete(&noise);
    return s;
}

static status reduce_both(context *c, work *w, const reduce_result *to)
{
    status s = STATUS_OK;
    for (int k = 0; k < SETS && !s; k++)
        s = reduce_host_images(c, stats_plan_reducer(w->plan), w->images[k], IMAGES, to);
    return s;
}

static status densities_once(context *c, void *user)
{
    work *w = user;
    return reduce_both(c, w, &(reduce_result){.mean = w->mean, .pixel_counts = w->pixels});
}

static status spectra_once(context *c, void *user)
{
    work *w = user;
    status s = STATUS_OK;
    const int rings = w->side / 2;
    for (int k = 0; k < SETS && !s; k++) {
        s = reduce_host_images(c, stats_plan_reducer(w->plan), w->images[k], IMAGES,
                               &(reduce_result){.power = w->power});
        for (int r = 0; r < rings && !s; r++) {
            for (int i = 0; i < IMAGES; i++) w->column[i] = w->power[i * rings + r];
            const double median = stats_median(w->column, IMAGES);
            for (int i = 0; i < IMAGES; i++) w->column[i] = fabs(w->column[i] - median);
            stats_median(w->column, IMAGES);
        }
    }
    return s;
}

static status peaks_once(context *c, void *user)
{
    work *w = user;
    return reduce_both(c, w, &(reduce_result){.peak_counts = w->peaks});
}

static status minkowski_once(context *c, void *user)
{
    work *w = user;
    return reduce_both(c, w, &(reduce_result){.minkowski = w->minkowski});
}

static status overlap_once(context *c, void *user)
{
    work *w = user;
    return stats_overlap_compute(c, w->d, &(stats_overlap_options){.seed = 1}, w->images[0], w->images[1], IMAGES,
                                 w->side, &w->overlap);
}

/* Spectra, their products, and what comes of them. */
static status pairs_once(context *c, void *user)
{
    work *w = user;
    const reduce_result of_truth = {.power = w->sets[0].power}, of_model = {.power = w->sets[1].power};
    stats_pairs_delete(&w->pairs);
    const status s = reduce_host_pairs(c, stats_plan_reducer(w->plan), w->images[0], w->images[1], IMAGES, &of_truth,
                                       &of_model, w->cross);
    return s ? s : stats_pairs_compute(c, &w->sets[0], &w->sets[1], w->cross, &w->pairs);
}

static status neighbours_once(context *c, void *user)
{
    work *w = user;
    diversity_delete(&w->diversity);
    return diversity_compute(c, w->d, w->options.density_min, (int64_t)w->side * w->side, w->images[1], IMAGES,
                             w->images[0], IMAGES, &w->diversity);
}

/* As `stats --pairs` does. */
static status sets_and_pairs(context *c, work *w)
{
    stats_figures figures;
    for (int k = 0; k < SETS; k++) stats_set_delete(&w->sets[k]);
    memory_delete(&w->cross);
    stats_pairs_delete(&w->pairs);
    status s = stats_sets_from_pairs(c, w->plan, "bench", w->images[0], w->images[1], IMAGES, &w->sets[0], &w->sets[1],
                                     &w->cross);
    if (!s) s = stats_figures_compute(c, &w->sets[1], &w->sets[0], &figures);
    return s ? s : stats_pairs_compute(c, &w->sets[0], &w->sets[1], w->cross, &w->pairs);
}

static status whole_once(context *c, void *user)
{
    status s = sets_and_pairs(c, user);
    if (!s) s = overlap_once(c, user);
    return s ? s : neighbours_once(c, user);
}

static status prepare(bench *b, work *w)
{
    const int64_t crop = config_integer(b->cfg, "dataset.crop");
    w->d = b->d;
    w->side = crop > 0 ? (int)crop : 128;
    status s = stats_options_read(b->c, b->cfg, &w->options);
    const size_t pixels = (size_t)w->side * (size_t)w->side, bins = (size_t)w->options.density_bins + 2;
    for (int k = 0; k < SETS && !s; k++) s = memory_new(b->c, "images", IMAGES, pixels * sizeof(float), &w->images[k]);
    if (!s) s = memory_new(b->c, "means", IMAGES, sizeof(double), &w->mean);
    if (!s) s = memory_new(b->c, "a ring", IMAGES, sizeof(double), &w->column);
    if (!s) s = memory_new(b->c, "spectra", IMAGES, (size_t)w->side / 2 * sizeof(double), &w->power);
    if (!s) s = memory_new(b->c, "pixels", bins, sizeof(uint64_t), &w->pixels);
    if (!s) s = memory_new(b->c, "peaks", IMAGES, bins * sizeof(uint32_t), &w->peaks);
    if (!s) s = memory_new(b->c, "functionals", IMAGES, MINKOWSKI * bins * sizeof(int32_t), &w->minkowski);
    if (!s) s = make_images(b, w);
    if (!s) s = stats_plan_new(b->c, w->d, &w->options, w->side, &w->plan);
    return s;
}

/* The larger of two errors; one that is no number is infinite. */
static double worse(double a, double b)
{
    return isnan(a) || isnan(b) ? INFINITY : fmax(a, b);
}

/* The checks compare what the sets hold, or what the last run gave, with the oracle of the item: *error is relative, or
 * infinite where a count differs. Of what is per image the first image is checked. */
static status check_densities(bench *b, const work *w, double *error)
{
    const stats_set *t = &w->sets[0];
    unsigned *counts = NULL;
    const status s = memory_new(b->c, "pixels", (size_t)t->bins + 2, sizeof *counts, &counts);
    if (s) return s;
    const double mean = reduce_ref_mean(w->images[0], w->side);
    *error = worse(0, fabs(t->mean_density[0] / mean - 1));
    for (int k = 0; k < IMAGES; k++)
        reduce_ref_histogram(w->images[0] + (size_t)k * (size_t)(w->side * w->side), w->side, t->edges, t->bins,
                             counts);
    for (int i = 0; i < t->bins + 2; i++) *error = counts[i] == t->pixel_counts[i] ? *error : INFINITY;
    memory_delete(&counts);
    return STATUS_OK;
}

/* The amplitudes' error in units of their rms. */
static status check_spectra(bench *b, const work *w, double *error)
{
    const stats_set *t = &w->sets[0];
    double *power = NULL, squares = 0;
    status s = memory_new(b->c, "spectrum", (size_t)t->rings, sizeof *power, &power);
    if (!s) s = reduce_ref_power(b->c, w->images[0], w->side, power);
    *error = 0;
    for (int r = 0; r < t->rings && !s; r++) squares += power[r] / t->rings;
    for (int r = 0; r < t->rings && !s; r++)
        *error = worse(*error, fabs(sqrt(t->power[r]) - sqrt(power[r])) / sqrt(squares));
    memory_delete(&power);
    return s;
}

static status check_peaks(bench *b, const work *w, double *error)
{
    const stats_set *t = &w->sets[0];
    unsigned *peaks = NULL;
    const status s = memory_new(b->c, "peaks", (size_t)t->bins + 2, sizeof *peaks, &peaks);
    if (s) return s;
    reduce_ref_peaks(w->images[0], w->side, t->edges, t->bins, peaks);
    *error = 0;
    for (int i = 0; i < t->bins + 2; i++) *error = peaks[i] == t->peak_counts[i] ? *error : INFINITY;
    memory_delete(&peaks);
    return STATUS_OK;
}

static status check_minkowski(bench *b, const work *w, double *error)
{
    const stats_set *t = &w->sets[0];
    (void)b;
    *error = 0;
    for (int i = 0; i <= t->bins; i++) {
        int expected[MINKOWSKI];
        reduce_ref_minkowski(w->images[0], w->side, t->edges[i], expected);
        for (int k = 0; k < MINKOWSKI; k++)
            *error = expected[k] == t->minkowski[k * (t->bins + 1) + i] ? *error : INFINITY;
    }
    return STATUS_OK;
}

/* The mean overlap of the densest tenth. */
static status check_overlap(bench *b, const work *w, double *error)
{
    enum { ROW = 2 };
    const int pixels = w->side * w->side, percent = w->overlap.row[ROW].percent;
    float level[SETS];
    status s = STATUS_OK;
    double mean = 0;
    int counted = 0;
    for (int k = 0; k < SETS && !s; k++)
        s = overlap_ref_threshold(b->c, w->images[k], (int64_t)IMAGES * pixels, percent, &level[k]);
    for (int64_t i = 0; i < IMAGES && !s; i++) {
        const float *p = w->images[0] + i * pixels, *q = w->images[1] + i * pixels;
        const double all = overlap_ref_common(p, level[0], p, level[0], pixels) +
                           (double)overlap_ref_common(q, level[1], q, level[1], pixels);
        if (!(all > 0)) continue; /* two empty masks say nothing */
        mean += 2 * overlap_ref_common(p, level[0], q, level[1], pixels) / all;
        counted++;
    }
    if (!s) *error = worse(0, fabs(w->overlap.row[ROW].dice.mean / (mean / counted) - 1));
    return s;
}

/* Transfer function and correlation of the first pairs, from oracle spectra; those of all pairs are too slow. */
static status check_pairs(bench *b, const work *w, double *error)
{
    enum { FEW = 3, SPECTRA = 3 };
    const size_t pixels = (size_t)w->side * (size_t)w->side, rings = (size_t)w->side / 2;
    stats_set few[SETS] = {w->sets[0], w->sets[1]};
    stats_pairs found = {0};
    double *p = NULL;
    few[0].images = few[1].images = FEW;
    status s = stats_pairs_compute(b->c, &few[0], &few[1], w->cross, &found);
    if (!s) s = memory_new(b->c, "oracle spectra", FEW * SPECTRA, rings * sizeof *p, &p);
    for (size_t i = 0; i < FEW * SPECTRA && !s; i++) {
        const float *truth = w->images[0] + i / SPECTRA * pixels, *model = w->images[1] + i / SPECTRA * pixels;
        s = reduce_ref_cross(b->c, i % SPECTRA == 1 ? model : truth, i % SPECTRA ? model : truth, w->side,
                             p + i * rings);
    }
    *error = 0;
    for (size_t r = 0; r < rings && !s; r++) {
        double transfer = 0, correlation = 0;
        for (size_t i = 0; i < FEW; i++) {
            const double *of = p + i * SPECTRA * rings + r, truth = of[0], model = of[rings], cross = of[2 * rings];
            transfer += sqrt(model / truth) / FEW;
            correlation += cross / sqrt(truth * model) / FEW;
        }
        *error = worse(
            *error, worse(fabs(found.transfer.mean[r] / transfer - 1), fabs(found.correlation.mean[r] - correlation)));
    }
    memory_delete(&p);
    stats_pairs_delete(&found);
    return s;
}

static status check_neighbours(bench *b, const work *w, double *error)
{
    const int64_t pixels = (int64_t)w->side * w->side;
    const double floor = w->options.density_min;
    double truth = INFINITY, model = INFINITY, other = INFINITY;
    (void)b;
    for (int64_t i = 0; i < IMAGES; i++) {
        const float *a = w->images[0] + i * pixels, *m = w->images[1] + i * pixels;
        other = fmin(other, distance_ref(w->images[1], a, pixels, floor));
        if (i) truth = fmin(truth, distance_ref(w->images[0], a, pixels, floor));
        if (i) model = fmin(model, distance_ref(w->images[1], m, pixels, floor));
    }
    const diversity *v = &w->diversity;
    *error = worse(fabs(v->model_truth[0] / other - 1),
                   worse(fabs(v->truth_truth[0] / truth - 1), fabs(v->model_model[0] / model - 1)));
    return STATUS_OK;
}

static void work_delete(work *w)
{
    for (int k = 0; k < SETS; k++) {
        memory_delete(&w->images[k]);
        stats_set_delete(&w->sets[k]);
    }
    memory_delete(&w->mean);
    memory_delete(&w->column);
    memory_delete(&w->power);
    memory_delete(&w->pixels);
    memory_delete(&w->peaks);
    memory_delete(&w->minkowski);
    memory_delete(&w->cross);
    stats_pairs_delete(&w->pairs);
    diversity_delete(&w->diversity);
    stats_plan_delete(&w->plan);
}

status bench_stats(bench *b)
{
    static const struct {
        const char *name;
        status (*once)(context *c, void *user);
        status (*check)(bench *b, const work *w, double *error); /* after a run of all; NULL: all of the others */
    } items[] = {{"whole", whole_once, NULL},
                 {"PDF and mean density", densities_once, check_densities},
                 {"P(k), median and MAD", spectra_once, check_spectra},
                 {"peaks", peaks_once, check_peaks},
                 {"Minkowski functionals", minkowski_once, check_minkowski},
                 {"Dice overlap, random overlap", overlap_once, check_overlap},
                 {"transfer function and r(k)", pairs_once, check_pairs},
                 {"nearest neighbours", neighbours_once, check_neighbours}};
    enum { ITEMS = sizeof items / sizeof items[0] };
    work w = {0};
    double error[ITEMS] = {0};
    status s = prepare(b, &w);
    if (!s) s = whole_once(b->c, &w);
    for (size_t i = 1; i < ITEMS && !s; i++) {
        s = items[i].check(b, &w, &error[i]);
        error[0] = worse(error[0], error[i]);
    }
    for (size_t i = 0; i < ITEMS && !s; i++) {
        char name[96];
        snprintf(name, sizeof name, "stats %d + %d of %d^2: %s", IMAGES, IMAGES, w.side, items[i].name);
        s = bench_measure(b, &(bench_item){.name = name,
                                           .once = items[i].once,
                                           .user = &w,
                                           .samples = SETS * IMAGES,
                                           .validated = error[i] < 1e-4,
                                           .max_error = error[i]});
    }
    work_delete(&w);
    return s;
}
