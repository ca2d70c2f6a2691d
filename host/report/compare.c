/* The five figures of numbers.h. */
#include "report/numbers.h"

#include <math.h>
#include <stdlib.h>
#include "base/memory.h"

const char *const figure_names[FIGURES] = {"pdf", "mean", "std", "psd", "peaks"};

void numbers_moments(const double *v, int64_t count, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += v[i];
    *mean = count ? sum / (double)count : NAN;
    for (int64_t i = 0; i < count; i++) squares += (v[i] - *mean) * (v[i] - *mean);
    *deviation = count ? sqrt(squares / (double)count) : NAN;
}

static double mean_log_ratio(const double *model, const double *truth, int count)
{
    double sum = 0;
    int n = 0;
    for (int i = 0; i < count; i++)
        if (model[i] > 0 && truth[i] > 0) {
            sum += fabs(log(model[i] / truth[i]));
            n++;
        }
    return n ? sum / n : NAN;
}

double numbers_power_bias(const numbers *n)
{
    const double *model = n->model.power_median, *truth = n->truth.power_median;
    double sum = 0;
    int count = 0;
    for (int i = 0; model && truth && i < n->rings; i++)
        if (model[i] > 0 && truth[i] > 0) {
            sum += log(model[i] / truth[i]);
            count++;
        }
    return count ? sum / count : NAN;
}

static double sum_of(const double *v, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += v[i];
    return sum;
}

static void ratios_of_moments(const double *model, int64_t models, const double *truth, int64_t truths,
                              double figures[FIGURES])
{
    double mean_a, mean_b, deviation_a, deviation_b;
    numbers_moments(model, models, &mean_a, &deviation_a);
    numbers_moments(truth, truths, &mean_b, &deviation_b);
    figures[FIGURE_MEAN] = mean_a / mean_b;
    figures[FIGURE_STD] = deviation_a / deviation_b;
}

void numbers_figures(const numbers *n, double figures[FIGURES])
{
    const numbers_set *t = &n->truth, *m = &n->model;
    for (int i = 0; i < FIGURES; i++) figures[i] = NAN;
    if (t->pixel_pdf && m->pixel_pdf) {
        figures[FIGURE_PDF] = 0;
        for (int b = 0; b < n->bins; b++)
            figures[FIGURE_PDF] += fabs(m->pixel_pdf[b] - t->pixel_pdf[b]) * log10(n->edges[b + 1] / n->edges[b]);
    }
    if (t->mean_density && m->mean_density)
        ratios_of_moments(m->mean_density, m->maps, t->mean_density, t->maps, figures);
    if (t->power_median && m->power_median)
        figures[FIGURE_PSD] = mean_log_ratio(m->power_median, t->power_median, n->rings);
    if (t->peaks && m->peaks) figures[FIGURE_PEAKS] = sum_of(m->peaks, n->bins) / sum_of(t->peaks, n->bins);
    for (int i = 0; i < FIGURES; i++)
        if (isfinite(n->given[i])) figures[i] = n->given[i];
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Median over the maps first … last − 1 of every ring. `column` has room for them. */
static void ring_medians(const double *all, int rings, int64_t first, int64_t last, double *column, double *out)
{
    int64_t n = last - first;
    for (int r = 0; r < rings; r++) {
        for (int64_t i = 0; i < n; i++) column[i] = all[(first + i) * rings + r];
        qsort(column, (size_t)n, sizeof *column, ascending);
        out[r] = n % 2 ? column[n / 2] : .5 * (column[n / 2 - 1] + column[n / 2]);
    }
}

static status halves_psd(context *c, const numbers *n, double *psd)
{
    const numbers_set *t = &n->truth;
    double *work = NULL;
    int64_t half = t->power_maps / 2;
    if (!t->power_all || half < 2) return STATUS_OK;
    status s = memory_new(c, "medians of P(k)", (size_t)(2 * n->rings + t->power_maps), sizeof(double), &work);
    if (s) return s;
    double *column = work + 2 * n->rings;
    ring_medians(t->power_all, n->rings, 0, half, column, work);
    ring_medians(t->power_all, n->rings, half, t->power_maps, column, work + n->rings);
    *psd = mean_log_ratio(work, work + n->rings, n->rings);
    memory_delete(&work);
    return STATUS_OK;
}

/* Bin of v among ascending edges; −1 outside. The last bin is closed. */
static int bin_of(const double *edges, int bins, double v)
{
    if (!(v >= edges[0] && v <= edges[bins])) return -1;
    int low = 0, high = bins;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (v >= edges[middle])
            low = middle;
        else
            high = middle;
    }
    return low;
}

static status halves_pdf(context *c, const numbers *n, const sample *truth, double *pdf)
{
    double *shares = NULL; /* [2][bins] */
    if (!truth || truth->count < 2) return STATUS_OK;
    status s = memory_new(c, "pixel histograms", (size_t)n->bins * 2, sizeof(double), &shares);
    if (s) return s;
    size_t pixels = (size_t)truth->ny * (size_t)truth->nx;
    int half = truth->count / 2;
    for (int i = 0; i < truth->count; i++) {
        int which = i >= half;
        double weight = 1. / ((double)pixels * (which ? truth->count - half : half));
        for (size_t p = 0; p < pixels; p++) {
            int b = bin_of(n->edges, n->bins, truth->values[(size_t)i * pixels + p]);
            if (b >= 0) shares[which * n->bins + b] += weight;
        }
    }
    *pdf = 0;
    for (int b = 0; b < n->bins; b++) *pdf += fabs(shares[b] - shares[n->bins + b]);
    memory_delete(&shares);
    return STATUS_OK;
}

status numbers_halves(context *c, const numbers *n, const sample *truth, double figures[FIGURES])
{
    const numbers_set *t = &n->truth;
    for (int i = 0; i < FIGURES; i++) figures[i] = NAN;
    if (t->mean_density && t->maps >= 4)
        ratios_of_moments(t->mean_density, t->maps / 2, t->mean_density + t->maps / 2, t->maps - t->maps / 2, figures);
    if (t->peaks_all && t->peaks_maps >= 2) {
        int64_t half = t->peaks_maps / 2, rest = t->peaks_maps - half;
        double first = sum_of(t->peaks_all, half * n->bins) / (double)half;
        figures[FIGURE_PEAKS] = first / (sum_of(t->peaks_all + half * n->bins, rest * n->bins) / (double)rest);
    }
    status s = halves_psd(c, n, &figures[FIGURE_PSD]);
    if (!s) s = halves_pdf(c, n, truth, &figures[FIGURE_PDF]);
    return s;
}
