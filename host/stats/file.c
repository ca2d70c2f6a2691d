#include "stats/file.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"

enum { OBJECT = 64 };

typedef struct {
    context *c;
    h5_file *f;
    const char *group;
} place;

/* A dataset of the group with its unit and meaning as attributes. */
static status put(const place *p, const char *name, const char *units, const char *meaning, h5_type type, int rank,
                  const uint64_t *shape, const void *data)
{
    char object[OBJECT];
    snprintf(object, sizeof object, "%s/%s", p->group, name);
    status s = h5_write(p->c, p->f, object, type, rank, shape, data);
    if (!s) s = h5_attribute_text(p->c, p->f, object, "units", units);
    if (!s) s = h5_attribute_text(p->c, p->f, object, "meaning", meaning);
    return s;
}

static status put_pixels(const place *p, const stats_set *t)
{
    double *pdf = NULL;
    const uint64_t bins = (uint64_t)t->bins;
    status s = memory_new(p->c, "pixel density", (size_t)bins, sizeof *pdf, &pdf);
    if (s) return s;
    stats_set_pdf(t, pdf);
    s = put(p, "pixel_pdf", "1/dex", "share of all pixels per decade of density", H5_FLOAT64, 1, &bins, pdf);
    memory_delete(&pdf);
    if (!s) s = put(p, "pixel_count", "pixels", "pixels per density bin", H5_UINT64, 1, &bins, t->pixel_counts + 1);
    if (!s) s = put(p, "underflow", "pixels", "pixels below the first edge", H5_UINT64, 0, NULL, t->pixel_counts);
    if (!s)
        s = put(p, "overflow", "pixels", "pixels above the last edge", H5_UINT64, 0, NULL, t->pixel_counts + bins + 1);
    return s;
}

static status put_power(const place *p, const stats_set *t)
{
    const char *units = "(particles per pixel)^2";
    const uint64_t shape[2] = {(uint64_t)t->images, (uint64_t)t->rings};
    status s = put(p, "power_median", units, "median over images of the power of a ring", H5_FLOAT64, 1, shape + 1,
                   t->power_median);
    if (!s)
        s = put(p, "power_mad", units, "median over images of |P - median|", H5_FLOAT64, 1, shape + 1, t->power_mad);
    if (s) return s;
    return put(p, "power_all", units, "mean of |DFT|^2 over the modes of each ring, DFT unnormalised", H5_FLOAT64, 2,
               shape, t->power);
}

static status put_peaks(const place *p, const stats_set *t)
{
    uint32_t *counts = NULL;
    const size_t images = (size_t)t->images, bins = (size_t)t->bins;
    const uint64_t shape[2] = {images, bins};
    uint64_t underflow = 0, overflow = 0;
    status s = memory_new(p->c, "peak counts", images, bins * sizeof *counts, &counts);
    if (s) return s;
    for (size_t i = 0; i < images; i++) {
        const uint32_t *from = t->peak_counts + i * (bins + 2);
        underflow += from[0];
        overflow += from[bins + 1];
        for (size_t b = 0; b < bins; b++) counts[i * bins + b] = from[b + 1];
    }
    s = put(p, "peak_counts", "peaks", "peaks of each image by their density", H5_UINT32, 2, shape, counts);
    memory_delete(&counts);
    if (!s) s = put(p, "peak_underflow", "peaks", "peaks below the first edge", H5_UINT64, 0, NULL, &underflow);
    if (!s) s = put(p, "peak_overflow", "peaks", "peaks above the last edge", H5_UINT64, 0, NULL, &overflow);
    if (!s) s = put(p, "peaks_total", "peaks", "peaks of all images", H5_UINT64, 0, NULL, &t->peaks_total);
    return s;
}

/* One functional: of each image, mean and MAD over the images; all per pixel of an image. */
static status put_functional(const place *p, const stats_set *t, int which, double *v)
{
    static const char *const names[MINKOWSKI] = {"minkowski_area", "minkowski_perimeter", "minkowski_euler"};
    static const char *const units[MINKOWSKI] = {"1", "pixel sides per pixel", "1 per pixel"};
    static const char *const meanings[MINKOWSKI] = {
        "share of pixels at or above each density edge",
        "sides between pixels at or above each density edge and pixels below, the image's border not counted",
        "components less holes of the pixels at or above each density edge, those that touch at a corner connected"};
    char name[OBJECT];
    const size_t edges = (size_t)t->bins + 1, at = (size_t)which * edges;
    const double pixels = (double)t->side * t->side;
    const uint64_t shape[2] = {(uint64_t)t->images, edges};
    for (size_t i = 0; i < (size_t)t->images * edges; i++)
        v[i] = t->minkowski[i / edges * MINKOWSKI * edges + at + i % edges] / pixels;
    status s = put(p, names[which], units[which], meanings[which], H5_FLOAT64, 2, shape, v);
    for (size_t i = 0; i < edges; i++) v[i] = t->minkowski_means[at + i] / pixels;
    snprintf(name, sizeof name, "%s_mean", names[which]);
    if (!s) s = put(p, name, units[which], "mean over images", H5_FLOAT64, 1, shape + 1, v);
    for (size_t i = 0; i < edges; i++) v[i] = t->minkowski_mad[at + i] / pixels;
    snprintf(name, sizeof name, "%s_mad", names[which]);
    return s ? s : put(p, name, units[which], "median over images of |v - median|", H5_FLOAT64, 1, shape + 1, v);
}

static status put_minkowski(const place *p, const stats_set *t)
{
    double *v = NULL;
    status s = memory_new(p->c, "Minkowski functionals", (size_t)t->images, ((size_t)t->bins + 1) * sizeof *v, &v);
    for (int k = 0; k < MINKOWSKI && !s; k++) s = put_functional(p, t, k, v);
    memory_delete(&v);
    return s;
}

static status put_set(context *c, h5_file *f, const char *group, const stats_set *t)
{
    const place p = {c, f, group};
    const uint64_t images = (uint64_t)t->images;
    status s = h5_group(c, f, group);
    if (!s) s = h5_attribute_integer(c, f, group, "images", t->images);
    if (!s) s = h5_attribute_integer(c, f, group, "side", t->side);
    if (!s) s = put_pixels(&p, t);
    if (!s)
        s = put(&p, "mean_density", "particles per pixel", "mean of each image", H5_FLOAT64, 1, &images,
                t->mean_density);
    if (!s) s = put_power(&p, t);
    if (!s) s = put_peaks(&p, t);
    if (!s) s = put_minkowski(&p, t);
    return s;
}

static status put_sets(context *c, h5_file *f, const stats_results *r)
{
    const status s = put_set(c, f, "/truth", r->truth);
    return s ? s : put_set(c, f, "/model", r->model);
}

static status put_axes(context *c, h5_file *f, const stats_results *of)
{
    const stats_set *t = of->truth;
    double *nu = NULL;
    const place p = {c, f, ""};
    const uint64_t edges = (uint64_t)t->bins + 1, rings = (uint64_t)t->rings;
    status s = memory_new(c, "rings", (size_t)rings, sizeof *nu, &nu);
    if (s) return s;
    for (int r = 0; r < t->rings; r++) nu[r] = r + 1;
    s = put(&p, "density_edges", "particles per pixel", "edges of the density bins, the last one closed", H5_FLOAT64, 1,
            &edges, t->edges);
    if (!s) s = put(&p, "nu", "waves per image", "rings nu = round(sqrt(k^2 + l^2))", H5_FLOAT64, 1, &rings, nu);
    memory_delete(&nu);
    return s;
}

static status put_five(context *c, h5_file *f, const char *prefix, const char *suffix, const stats_figures *figures)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"pdf", figures->pdf},
                {"mean", figures->mean},
                {"std", figures->std},
                {"psd", figures->psd},
                {"peaks", figures->peaks}};
    status s = STATUS_OK;
    for (size_t i = 0; !s && i < sizeof rows / sizeof rows[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s%s", prefix, rows[i].name, suffix);
        s = h5_attribute_real(c, f, "/score", name, rows[i].value);
    }
    return s;
}

static status put_figures(context *c, h5_file *f, const stats_results *r)
{
    if (!r->figures) return STATUS_OK;
    status s = h5_group(c, f, "/score");
    if (!s) s = put_five(c, f, "", "", r->figures);
    if (!s && r->halves) s = put_five(c, f, "half_", "", r->halves);
    if (!s && r->errors) s = put_five(c, f, "", "_error", r->errors);
    if (!s && r->halves_errors) s = put_five(c, f, "half_", "_error", r->halves_errors);
    return s;
}

static status put_diversity(context *c, h5_file *f, const stats_results *r)
{
    const diversity *v = r->diversity;
    if (!v) return STATUS_OK;
    const place p = {c, f, "/diversity"};
    const char *units = "ln density";
    const uint64_t models = (uint64_t)v->models, truths = (uint64_t)v->truths;
    status s = h5_group(c, f, p.group);
    if (!s) s = h5_attribute_real(c, f, p.group, "floor", v->floor);
    if (!s) s = h5_attribute_real(c, f, p.group, "variety", v->variety);
    if (!s) s = h5_attribute_real(c, f, p.group, "copies", v->copies);
    if (!s) s = h5_attribute_integer(c, f, p.group, "models", v->models);
    if (!s) s = h5_attribute_integer(c, f, p.group, "truths", v->truths);
    if (!s)
        s = put(&p, "model_model", units, "rms distance of each model image to the nearest other one", H5_FLOAT64, 1,
                &models, v->model_model);
    if (!s)
        s = put(&p, "model_truth", units, "rms distance of each model image to the nearest of the truth", H5_FLOAT64, 1,
                &models, v->model_truth);
    if (!s)
        s = put(&p, "model_truth_index", "1", "number of that image in the truth's sample", H5_UINT32, 1, &models,
                v->model_which);
    if (!s)
        s = put(&p, "truth_truth", units, "rms distance of each image of the truth to the nearest other one",
                H5_FLOAT64, 1, &truths, v->truth_truth);
    return s;
}

/* One number of each row of the overlap as a dataset. */
static status put_column(const place *p, const stats_overlap *o, const char *name, const char *units,
                         const char *meaning, size_t offset)
{
    const uint64_t rows = OVERLAP_PERCENTS;
    double column[OVERLAP_PERCENTS];
    for (int i = 0; i < OVERLAP_PERCENTS; i++) memcpy(column + i, (const char *)(o->row + i) + offset, sizeof *column);
    return put(p, name, units, meaning, H5_FLOAT64, 1, &rows, column);
}

static status put_counts(const place *p, const stats_overlap *o)
{
    const uint64_t rows = OVERLAP_PERCENTS;
    int64_t percent[OVERLAP_PERCENTS], pairs[OVERLAP_PERCENTS], random[OVERLAP_PERCENTS];
    for (int i = 0; i < OVERLAP_PERCENTS; i++) {
        percent[i] = o->row[i].percent;
        pairs[i] = o->row[i].pairs;
        random[i] = o->row[i].random_pairs;
    }
    status s = put(p, "top_percent", "%", "the densest n % of the pixels", H5_INT64, 1, &rows, percent);
    if (!s) s = put(p, "pairs_counted", "pairs", "pairs whose masks are not both empty", H5_INT64, 1, &rows, pairs);
    if (!s) s = put(p, "random_counted", "pairs", "random pairs that are not both empty", H5_INT64, 1, &rows, random);
    return s;
}

static status put_overlap(context *c, h5_file *f, const stats_results *r)
{
    static const struct {
        const char *name, *meaning;
        size_t offset;
    } columns[] = {{"mean", "Dice overlap of truth and model, 2 N_ab / (N_a + N_b)", offsetof(overlap_row, dice.mean)},
                   {"std", "its standard deviation over pairs", offsetof(overlap_row, dice.std)},
                   {"sem", "std / sqrt(pairs)", offsetof(overlap_row, sem)},
                   {"random_mean", "overlap r of random pairs of the truth", offsetof(overlap_row, random.mean)},
                   {"random_std", "its standard deviation", offsetof(overlap_row, random.std)},
                   {"normalized_mean", "(D - r) / (1 - r)", offsetof(overlap_row, normalized.mean)},
                   {"normalized_std", "its standard deviation over pairs", offsetof(overlap_row, normalized.std)},
                   {"significance_mean", "(D - r) / random_std", offsetof(overlap_row, significance.mean)},
                   {"significance_std", "its standard deviation over pairs", offsetof(overlap_row, significance.std)},
                   {"jaccard_mean", "N_ab / (N_a + N_b - N_ab)", offsetof(overlap_row, jaccard.mean)}};
    const place p = {c, f, "/dice"};
    if (!r->overlap) return STATUS_OK;
    status s = h5_group(c, f, p.group);
    if (!s) s = h5_attribute_text(c, f, p.group, "threshold_scope", r->overlap->per_image ? "image" : "set");
    if (!s) s = h5_attribute_integer(c, f, p.group, "random_pairs", r->overlap->random_pairs);
    if (!s) s = h5_attribute_integer(c, f, p.group, "images", r->overlap->images);
    if (!s) s = put_counts(&p, r->overlap);
    for (size_t i = 0; !s && i < sizeof columns / sizeof columns[0]; i++)
        s = put_column(&p, r->overlap, columns[i].name, "1", columns[i].meaning, columns[i].offset);
    return s;
}

static status put_curve(const place *p, const char *name, const char *of, const stats_curve *curve, int rings)
{
    const struct {
        const char *name, *meaning;
        const double *values;
    } parts[] = {{"median", "median over images of", curve->median},
                 {"mad", "median over images of |x - median|, x:", curve->mad},
                 {"mean", "mean over images of", curve->mean},
                 {"std", "standard deviation over images of", curve->std}};
    const uint64_t shape = (uint64_t)rings;
    status s = STATUS_OK;
    for (size_t i = 0; !s && i < sizeof parts / sizeof parts[0]; i++) {
        char dataset[OBJECT], meaning[2 * OBJECT];
        snprintf(dataset, sizeof dataset, "%s_%s", name, parts[i].name);
        snprintf(meaning, sizeof meaning, "%s %s", parts[i].meaning, of);
        s = put(p, dataset, "1", meaning, H5_FLOAT64, 1, &shape, parts[i].values);
    }
    return s;
}

static status put_pairs(context *c, h5_file *f, const stats_results *r)
{
    const place p = {c, f, "/pairs"};
    if (!r->pairs) return STATUS_OK;
    const int rings = r->pairs->rings;
    status s = put_curve(&p, "transfer", "sqrt(P_model / P_truth)", &r->pairs->transfer, rings);
    if (!s) s = put_curve(&p, "correlation", "the cross-correlation of a ring", &r->pairs->correlation, rings);
    return s;
}

/* The parts of the file, each of which writes nothing where its result was not computed. */
static status (*const parts[])(context *c, h5_file *f, const stats_results *r) = {
    put_axes, put_sets, put_figures, put_diversity, put_overlap, put_pairs};

status stats_file_write(context *c, const char *path, const stats_results *r, const provenance *p)
{
    h5_file *f = NULL;
    const uint64_t images = (uint64_t)(r->truth->images + r->model->images);
    const uint64_t numbers = images * (uint64_t)(r->truth->rings + 4 * r->truth->bins + 16);
    status s = stats_same_shape(c, r->model, r->truth);
    if (!s) s = h5_create(c, path, numbers * sizeof(double), &f);
    for (size_t i = 0; !s && i < sizeof parts / sizeof parts[0]; i++) s = parts[i](c, f, r);
    if (!s && p) s = provenance_write(c, p, f);
    if (!s) s = h5_finish(c, &f);
    h5_delete(&f);
    return s;
}
