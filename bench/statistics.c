/* The statistics of two sets of 1000 matched images, each by itself and all together; bench/peers/map_statistics.py
 * does the same in NumPy and SciPy. */
#include <math.h>
#include <stdio.h>
#include "base/memory.h"
#include "base/rng.h"
#include "bench/bench.h"
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
    double *mean, *power, *column;
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
    stats_overlap o;
    return stats_overlap_compute(c, w->d, &(stats_overlap_options){.seed = 1}, w->images[0], w->images[1], IMAGES,
                                 w->side, &o);
}

static status pairs_once(context *c, void *user)
{
    work *w = user;
    stats_pairs p;
    const status s = stats_pairs_compute(c, w->plan, &w->sets[0], w->images[0], &w->sets[1], w->images[1], &p);
    stats_pairs_delete(&p);
    return s;
}

static status neighbours_once(context *c, void *user)
{
    work *w = user;
    diversity v = {0};
    const status s = diversity_compute(c, w->d, w->options.density_min, (int64_t)w->side * w->side, w->images[1],
                                       IMAGES, w->images[0], IMAGES, &v);
    diversity_delete(&v);
    return s;
}

static status sets_once(context *c, void *user)
{
    work *w = user;
    stats_figures figures;
    status s = STATUS_OK;
    for (int k = 0; k < SETS && !s; k++) {
        stats_set_delete(&w->sets[k]);
        s = stats_set_from_host(c, w->plan, k ? "model" : "truth", w->images[k], IMAGES, &w->sets[k]);
    }
    return s ? s : stats_figures_compute(c, &w->sets[1], &w->sets[0], &figures);
}

static status whole_once(context *c, void *user)
{
    status s = sets_once(c, user);
    if (!s) s = overlap_once(c, user);
    if (!s) s = pairs_once(c, user);
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
    return s ? s : sets_once(b->c, w);
}

/* Spectrum, peaks and mean of the first image against the oracle: the amplitudes' error in units of their rms, infinite
 * where a count differs. */
static status check(bench *b, const work *w, double *error)
{
    const stats_set *t = &w->sets[0];
    double *power = NULL, squares = 0;
    unsigned *peaks = NULL;
    status s = memory_new(b->c, "spectrum", (size_t)t->rings, sizeof *power, &power);
    if (!s) s = memory_new(b->c, "peaks", (size_t)t->bins + 2, sizeof *peaks, &peaks);
    if (!s) s = reduce_ref_power(b->c, w->images[0], w->side, power);
    if (!s) reduce_ref_peaks(w->images[0], w->side, t->edges, t->bins, peaks);
    *error = 0;
    for (int r = 0; r < t->rings && !s; r++) squares += power[r] / t->rings;
    for (int r = 0; r < t->rings && !s; r++)
        *error = fmax(*error, fabs(sqrt(t->power[r]) - sqrt(power[r])) / sqrt(squares));
    for (int i = 0; i < t->bins + 2 && !s; i++) *error = peaks[i] == t->peak_counts[i] ? *error : INFINITY;
    memory_delete(&power);
    memory_delete(&peaks);
    return s;
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
    stats_plan_delete(&w->plan);
}

status bench_stats(bench *b)
{
    static const struct {
        const char *name;
        status (*once)(context *c, void *user);
    } items[] = {{"whole", whole_once},
                 {"PDF and mean density", densities_once},
                 {"P(k), median and MAD", spectra_once},
                 {"peaks", peaks_once},
                 {"Minkowski functionals", minkowski_once},
                 {"Dice overlap, random overlap", overlap_once},
                 {"transfer function and r(k)", pairs_once},
                 {"nearest neighbours", neighbours_once}};
    work w = {0};
    double error = NAN;
    status s = prepare(b, &w);
    if (!s) s = check(b, &w, &error);
    for (size_t i = 0; i < sizeof items / sizeof items[0] && !s; i++) {
        char name[96];
        snprintf(name, sizeof name, "stats %d + %d of %d^2: %s", IMAGES, IMAGES, w.side, items[i].name);
        s = bench_measure(b, &(bench_item){.name = name,
                                           .once = items[i].once,
                                           .user = &w,
                                           .samples = SETS * IMAGES,
                                           .validated = error < 1e-4,
                                           .max_error = error});
    }
    work_delete(&w);
    return s;
}
