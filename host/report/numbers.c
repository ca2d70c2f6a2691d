#include "report/numbers.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "io/hdf5.h"

static void delete_set(numbers_set *s)
{
    memory_delete(&s->pixel_pdf);
    memory_delete(&s->mean_density);
    memory_delete(&s->power_median);
    memory_delete(&s->power_mad);
    memory_delete(&s->peaks);
    for (int i = 0; i < MINKOWSKI; i++) {
        memory_delete(&s->minkowski[i]);
        memory_delete(&s->minkowski_std[i]);
    }
}

void numbers_delete(numbers *n)
{
    if (!n) return;
    memory_delete(&n->edges);
    memory_delete(&n->nu);
    delete_set(&n->truth);
    delete_set(&n->model);
    for (int i = 0; i < DICE_COLUMNS; i++) memory_delete(&n->dice.column[i]);
    for (int i = 0; i < PAIRS_COLUMNS; i++) memory_delete(&n->pairs[i]);
    memset(n, 0, sizeof *n);
}

/* A dataset [columns] (rows gets 0) or [rows][columns]; NULL when missing. columns 0: any. */
static status read_table(context *c, h5_file *f, const char *object, int64_t *rows, int64_t *columns, double **out)
{
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    *rows = 0;
    if (!h5_exists(f, object)) return STATUS_OK;
    status s = h5_shape(c, f, object, &rank, shape, &stored);
    if (s) return s;
    if (rank != 1 && rank != 2)
        return context_fail(c, STATUS_DATA, "%s: %s: has %d axes; one or two are wanted", h5_path(f), object, rank);
    uint64_t n = shape[rank - 1], m = rank == 2 ? shape[0] : 1;
    if (!n || !m || n > INT_MAX || m > INT_MAX || (*columns && n != (uint64_t)*columns))
        return context_fail(c, STATUS_DATA, "%s: %s: has %llu values a row where %lld are wanted", h5_path(f), object,
                            (unsigned long long)n, (long long)*columns);
    *columns = (int64_t)n;
    *rows = rank == 2 ? (int64_t)m : 0;
    s = memory_new(c, object, (size_t)(n * m), sizeof(double), out);
    if (!s) s = h5_read(c, f, object, H5_FLOAT64, n * m, *out);
    return s;
}

static status read_vector(context *c, h5_file *f, const char *group, const char *name, int64_t *count, double **out)
{
    char object[64];
    int64_t rows;
    snprintf(object, sizeof object, "%s/%s", group, name);
    status s = read_table(c, f, object, &rows, count, out);
    if (!s && rows > 1) s = context_fail(c, STATUS_DATA, "%s: %s: has two axes; one is wanted", h5_path(f), object);
    return s;
}

/* Peaks come per map and bin, or as their mean alone; with or without a column of underflow and one of overflow, which
 * are left out here. */
static status read_peaks(context *c, h5_file *f, const char *group, int64_t bins, numbers_set *set)
{
    char object[64];
    double *table = NULL;
    int64_t rows, columns = 0;
    snprintf(object, sizeof object, "%s/peak_counts", group);
    status s = read_table(c, f, object, &rows, &columns, &table);
    if (s || !table) goto out;
    if (columns != bins && columns != bins + 2) {
        s = context_fail(c, STATUS_DATA, "%s: %s: has %lld bins where /density_edges has %lld", h5_path(f), object,
                         (long long)columns, (long long)bins);
        goto out;
    }
    int64_t maps = rows ? rows : 1, first = columns == bins ? 0 : 1;
    s = memory_new(c, "peak counts", (size_t)bins, sizeof(double), &set->peaks);
    if (s) goto out;
    for (int64_t r = 0; r < maps; r++)
        for (int64_t b = 0; b < bins; b++) set->peaks[b] += table[r * columns + first + b] / (double)maps;
out:
    memory_delete(&table);
    return s;
}

/* Mean and deviation over the maps of [maps][edges], or a mean alone as [edges]. */
static status read_minkowski(context *c, h5_file *f, const char *group, int which, int64_t edges, numbers_set *set)
{
    char object[64];
    double *table = NULL;
    int64_t rows, columns = edges;
    snprintf(object, sizeof object, "%s/minkowski_%s", group, minkowski_names[which]);
    status s = read_table(c, f, object, &rows, &columns, &table);
    if (s || !table) goto out;
    double **mean = &set->minkowski[which], **std = &set->minkowski_std[which];
    s = memory_new(c, object, (size_t)edges, sizeof(double), mean);
    if (!s) s = memory_new(c, object, (size_t)edges, sizeof(double), std);
    for (int64_t e = 0; e < edges && !s; e++) numbers_moments(table + e, rows ? rows : 1, edges, *mean + e, *std + e);
out:
    memory_delete(&table);
    return s;
}

static status read_set(context *c, h5_file *f, const char *group, numbers *n, numbers_set *set)
{
    int64_t bins = n->bins, rings = n->rings;
    if (!h5_exists(f, group)) return STATUS_OK;
    status s = read_vector(c, f, group, "pixel_pdf", &bins, &set->pixel_pdf);
    if (!s) s = read_vector(c, f, group, "mean_density", &set->maps, &set->mean_density);
    if (!s) s = read_vector(c, f, group, "power_median", &rings, &set->power_median);
    if (!s) s = read_vector(c, f, group, "power_mad", &rings, &set->power_mad);
    if (!s) s = read_peaks(c, f, group, bins, set);
    for (int i = 0; i < MINKOWSKI && !s; i++) s = read_minkowski(c, f, group, i, bins + 1, set);
    if (!s && !n->rings) n->rings = (int)rings;
    return s;
}

static status read_dice(context *c, h5_file *f, numbers_dice *d)
{
    static const char *const names[DICE_COLUMNS] = {"top_percent",
                                                    "mean",
                                                    "std",
                                                    "sem",
                                                    "random_mean",
                                                    "random_std",
                                                    "normalized_mean",
                                                    "normalized_std",
                                                    "significance_mean",
                                                    "significance_std"};
    int64_t count = 0;
    char *scope = NULL;
    d->images = d->random_pairs = NAN;
    if (!h5_exists(f, "/dice")) return STATUS_OK;
    status s = STATUS_OK;
    for (int i = 0; i < DICE_COLUMNS && !s; i++) s = read_vector(c, f, "/dice", names[i], &count, &d->column[i]);
    if (!s && (!d->column[DICE_PERCENT] || !d->column[DICE_MEAN]))
        s = context_fail(c, STATUS_DATA, "%s: /dice: lacks top_percent or mean", h5_path(f));
    if (!s && h5_has_attribute(f, "/dice", "images")) s = h5_read_real(c, f, "/dice", "images", &d->images);
    if (!s && h5_has_attribute(f, "/dice", "random_pairs"))
        s = h5_read_real(c, f, "/dice", "random_pairs", &d->random_pairs);
    if (!s && h5_has_attribute(f, "/dice", "threshold_scope"))
        s = h5_read_text(c, f, "/dice", "threshold_scope", &scope);
    if (s) return s;
    d->per_image = scope && strcmp(scope, "image") == 0;
    d->count = (int)count;
    memory_delete(&scope);
    return STATUS_OK;
}

static status read_pairs(context *c, h5_file *f, numbers *n)
{
    static const char *const names[PAIRS_COLUMNS] = {"transfer_median", "transfer_mad", "correlation_mean",
                                                     "correlation_std"};
    int64_t rings = n->rings;
    status s = STATUS_OK;
    if (!h5_exists(f, "/pairs")) return s;
    for (int i = 0; i < PAIRS_COLUMNS && !s; i++) s = read_vector(c, f, "/pairs", names[i], &rings, &n->pairs[i]);
    n->rings = (int)rings;
    return s;
}

static status read_figures(context *c, h5_file *f, const char *prefix, const char *suffix, double figures[FIGURES])
{
    status s = STATUS_OK;
    for (int i = 0; i < FIGURES; i++) figures[i] = NAN;
    if (!h5_exists(f, "/score")) return s;
    for (int i = 0; !s && i < FIGURES; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s%s", prefix, figure_names[i], suffix);
        if (h5_has_attribute(f, "/score", name)) s = h5_read_real(c, f, "/score", name, &figures[i]);
    }
    return s;
}

status numbers_read(context *c, const char *path, numbers *n)
{
    h5_file *f = NULL;
    int64_t edges = 0, rings = 0;
    memset(n, 0, sizeof *n);
    status s = h5_open(c, path, &f);
    if (!s) s = read_vector(c, f, "", "density_edges", &edges, &n->edges);
    if (!s && edges < 2) s = context_fail(c, STATUS_DATA, "%s: /density_edges: missing or shorter than two", path);
    if (!s) s = read_vector(c, f, "", "nu", &rings, &n->nu);
    if (s) goto out;
    n->bins = (int)edges - 1;
    n->rings = (int)rings;
    s = read_set(c, f, "/truth", n, &n->truth);
    if (!s) s = read_set(c, f, "/model", n, &n->model);
    if (!s) s = read_figures(c, f, "", "", n->figures);
    if (!s) s = read_figures(c, f, "half_", "", n->halves);
    if (!s) s = read_figures(c, f, "", "_error", n->errors);
    if (!s) s = read_figures(c, f, "half_", "_error", n->halves_errors);
    n->variety = n->copies = NAN;
    if (!s && h5_has_attribute(f, "/diversity", "variety"))
        s = h5_read_real(c, f, "/diversity", "variety", &n->variety);
    if (!s && h5_has_attribute(f, "/diversity", "copies")) s = h5_read_real(c, f, "/diversity", "copies", &n->copies);
    if (!s) s = read_dice(c, f, &n->dice);
    if (!s) s = read_pairs(c, f, n);
    for (int i = 0; !s && i < n->bins; i++)
        if (!(n->edges[i] > 0 && n->edges[i + 1] > n->edges[i]))
            s = context_fail(c, STATUS_DATA, "%s: /density_edges: must be positive and ascending", path);
out:
    h5_delete(&f);
    if (s) numbers_delete(n);
    return s;
}
