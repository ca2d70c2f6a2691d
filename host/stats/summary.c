#include "stats/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"

static size_t functionals(const stats_set *s)
{
    return MINKOWSKI * ((size_t)s->bins + 1);
}

status stats_summary_new(context *c, stats_set *s)
{
    s->sorted_means = s->power_median = s->peak_means = s->minkowski_means = NULL;
    status e = memory_new(c, "sorted mean densities", (size_t)s->images, sizeof(double), &s->sorted_means);
    if (!e) e = memory_new(c, "median spectrum", (size_t)s->rings, sizeof(double), &s->power_median);
    if (!e) e = memory_new(c, "mean peak counts", (size_t)s->bins + 2, sizeof(double), &s->peak_means);
    if (!e) e = memory_new(c, "mean functionals", functionals(s), sizeof(double), &s->minkowski_means);
    return e;
}

void stats_summary_delete(stats_set *s)
{
    memory_delete(&s->sorted_means);
    memory_delete(&s->power_median);
    memory_delete(&s->peak_means);
    memory_delete(&s->minkowski_means);
}

/* Brings the k-th smallest to v[k], none larger before it and none smaller behind it (Hoare's selection). */
static void select_nth(double *v, int64_t n, int64_t k)
{
    for (int64_t low = 0, high = n - 1; low < high;) {
        const double pivot = v[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i > j) break;
            const double swapped = v[i];
            v[i++] = v[j];
            v[j--] = swapped;
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            return;
    }
}

double stats_median(double *v, int64_t n)
{
    if (n < 1) return NAN;
    select_nth(v, n, n / 2);
    if (n % 2) return v[n / 2];
    double below = v[0];
    for (int64_t i = 1; i < n / 2; i++) below = fmax(below, v[i]);
    return below + (v[n / 2] - below) / 2;
}

/* A column of a table [images][stride] and the image that a row of `order` names. */
typedef struct {
    const double *values;
    int64_t stride;
} column;

static int by_value(const void *a, const void *b, void *of)
{
    const column *k = of;
    const uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    const double x = k->values[i * k->stride], y = k->values[j * k->stride];
    return x != y ? (x > y) - (x < y) : (i > j) - (i < j);
}

void stats_summary_sort(stats_set *s)
{
    for (int r = 0; r <= s->rings; r++) {
        column k = {s->power + r, s->rings};
        if (r == s->rings) k = (column){s->mean_density, 1};
        uint32_t *row = s->order + (int64_t)r * s->images;
        for (int64_t i = 0; i < s->images; i++) row[i] = (uint32_t)i;
        qsort_r(row, (size_t)s->images, sizeof *row, by_value, &k);
    }
}

/* Moments in units of the largest value, so that squares of huge densities do not overflow. */
static void summarise_means(stats_set *s, const uint32_t *weights)
{
    const uint32_t *order = s->order + (int64_t)s->rings * s->images;
    double *v = s->sorted_means, sum = 0, squares = 0;
    for (int64_t i = 0, n = 0; i < s->images; i++) {
        for (uint32_t w = weights ? weights[order[i]] : 1; w > 0; w--) v[n++] = s->mean_density[order[i]];
    }
    const double largest = fmax(fabs(v[0]), fabs(v[s->images - 1])), unit = largest > 0 ? largest : 1;
    for (int64_t i = 0; i < s->images; i++) sum += v[i] / unit;
    const double mean = sum / (double)s->images;
    for (int64_t i = 0; i < s->images; i++) {
        const double d = v[i] / unit - mean;
        squares += d * d;
    }
    s->mean = mean * unit;
    s->scatter = sqrt(squares / (double)s->images) * unit;
}

static double weighted_median(const stats_set *s, int ring, const uint32_t *weights)
{
    const uint32_t *order = s->order + (int64_t)ring * s->images;
    const int64_t lower = (s->images - 1) / 2, upper = s->images / 2;
    double low = 0;
    for (int64_t i = 0, end = 0, begin = 0; i < s->images; i++, begin = end) {
        const double v = s->power[(int64_t)order[i] * s->rings + ring];
        end += weights ? weights[order[i]] : 1;
        if (begin <= lower && lower < end) low = v;
        if (upper < end) return low + (v - low) / 2 * (lower < upper);
    }
    return low;
}

static void summarise_counts(stats_set *s, const uint32_t *weights)
{
    const int columns = s->bins + 2;
    const size_t values = functionals(s);
    memset(s->coarse_counts, 0, sizeof s->coarse_counts);
    memset(s->peak_means, 0, (size_t)columns * sizeof *s->peak_means);
    memset(s->minkowski_means, 0, values * sizeof *s->minkowski_means);
    s->peaks_total = 0;
    for (int64_t i = 0; i < s->images; i++) {
        const uint32_t w = weights ? weights[i] : 1, *peaks = s->peak_counts + i * columns;
        const uint32_t *pixels = s->coarse_all + i * STATS_COARSE_COLUMNS;
        const int32_t *minkowski = s->minkowski + (size_t)i * values;
        if (!w) continue;
        for (int b = 0; b < STATS_COARSE_COLUMNS; b++) s->coarse_counts[b] += (uint64_t)w * pixels[b];
        for (int b = 0; b < columns; b++) s->peak_means[b] += (double)w * peaks[b];
        for (int b = 0; b < columns; b++) s->peaks_total += (uint64_t)w * peaks[b];
        for (size_t b = 0; b < values; b++) s->minkowski_means[b] += (double)w * minkowski[b];
    }
    for (int b = 0; b < columns; b++) s->peak_means[b] /= (double)s->images;
    for (size_t b = 0; b < values; b++) s->minkowski_means[b] /= (double)s->images;
}

static void summarise_nearest(stats_set *s, const uint32_t *weights)
{
    double sum = 0, all = 0;
    for (int i = 0; i < s->neighbours; i++) {
        const double w = weights ? weights[i * s->images / s->neighbours] : 1;
        sum += w * s->nearest[i];
        all += w;
    }
    s->nearest_mean = all > 0 && s->contrast > 0 ? sum / all / (M_SQRT2 * s->contrast) : 0;
}

void stats_summarise(stats_set *s, const uint32_t *weights)
{
    summarise_means(s, weights);
    for (int r = 0; r < s->rings; r++) s->power_median[r] = weighted_median(s, r, weights);
    summarise_counts(s, weights);
    summarise_nearest(s, weights);
}

status stats_summary_spreads(context *c, stats_set *s)
{
    const size_t values = functionals(s);
    double *v = NULL;
    const status e = memory_new(c, "values of the images", (size_t)s->images, sizeof *v, &v);
    if (e) return e;
    for (int r = 0; r < s->rings; r++) {
        for (int64_t i = 0; i < s->images; i++) v[i] = fabs(s->power[i * s->rings + r] - s->power_median[r]);
        s->power_mad[r] = stats_median(v, s->images);
    }
    for (size_t b = 0; b < values; b++) {
        for (int64_t i = 0; i < s->images; i++) v[i] = s->minkowski[(size_t)i * values + b];
        const double median = stats_median(v, s->images);
        for (int64_t i = 0; i < s->images; i++) v[i] = fabs(v[i] - median);
        s->minkowski_mad[b] = stats_median(v, s->images);
    }
    memory_delete(&v);
    return STATUS_OK;
}
