#include "stats/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "stats/figures.h"

/* Mean |x| of a standard normal: expected distances from standard errors. */
static const double mean_absolute = 0.79788456080286541;

typedef status score_distance(context *c, const stats_set *a, const stats_set *b, double *out);
/* The distance to expect between two samples of one truth, of these sizes. */
typedef double score_noise(const stats_set *a, const stats_set *b);

/* 1/n_a + 1/n_b with n in images. */
static double inverse_images(const stats_set *a, const stats_set *b)
{
    return 1 / (double)a->images + 1 / (double)b->images;
}

static status distance_pdf(context *c, const stats_set *a, const stats_set *b, double *out)
{
    (void)c;
    *out = stats_pdf_distance(a, b);
    return STATUS_OK;
}

/* Independent pixels: a lower bound, since neighbours agree. */
static double noise_pdf(const stats_set *a, const stats_set *b)
{
    double sum = 0;
    const double pixels = stats_set_pixels(b), inverse = 1 / stats_set_pixels(a) + 1 / pixels;
    for (int i = 0; i < STATS_COARSE_BINS + 2; i++) {
        sum += mean_absolute * sqrt((double)b->coarse_counts[i] / pixels * inverse);
    }
    return sum;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* First Wasserstein distance of the two distributions of mean density: ∫ |F_a⁻¹(q) − F_b⁻¹(q)| dq, over steps of q. */
static status distance_mean(context *c, const stats_set *a, const stats_set *b, double *out)
{
    double *x = NULL, *y = NULL;
    status s = memory_new(c, "mean densities", (size_t)a->images, sizeof *x, &x);
    if (!s) s = memory_new(c, "mean densities", (size_t)b->images, sizeof *y, &y);
    if (s) goto out;
    memcpy(x, a->mean_density, (size_t)a->images * sizeof *x);
    memcpy(y, b->mean_density, (size_t)b->images * sizeof *y);
    qsort(x, (size_t)a->images, sizeof *x, ascending);
    qsort(y, (size_t)b->images, sizeof *y, ascending);
    double sum = 0, q = 0;
    for (int64_t i = 0, j = 0; i < a->images && j < b->images;) {
        const double end_a = (double)(i + 1) / (double)a->images, end_b = (double)(j + 1) / (double)b->images;
        const double end = fmin(end_a, end_b);
        sum += (end - q) * fabs(x[i] - y[j]);
        q = end;
        /* Both end together where i + 1 and j + 1 are the same share, compared in integers. */
        const int64_t left = (i + 1) * b->images, right = (j + 1) * a->images;
        i += left <= right;
        j += right <= left;
    }
    *out = sum;
out:
    memory_delete(&x);
    memory_delete(&y);
    return s;
}

static double noise_mean(const stats_set *a, const stats_set *b)
{
    return fmax(mean_absolute * b->scatter * sqrt(inverse_images(a, b)), 1e-6 * fabs(b->mean));
}

static status distance_scatter(context *c, const stats_set *a, const stats_set *b, double *out)
{
    (void)c;
    *out = stats_log_ratio(a->scatter, b->scatter);
    return STATUS_OK;
}

/* The standard error of ln σ is 1/√(2n) for a Gaussian. */
static double noise_scatter(const stats_set *a, const stats_set *b)
{
    return mean_absolute * sqrt(inverse_images(a, b) / 2);
}

static status distance_power(context *c, const stats_set *a, const stats_set *b, double *out)
{
    (void)c;
    *out = stats_power_distance(a, b);
    return STATUS_OK;
}

/* Standard error of a median: √(π/2) σ/√n, with σ = 1.4826 MAD. */
static double noise_power(const stats_set *a, const stats_set *b)
{
    double sum = 0;
    for (int r = 0; r < b->rings; r++) {
        if (b->power_median[r] > 0) sum += b->power_mad[r] / b->power_median[r];
    }
    return mean_absolute * sqrt(M_PI / 2) * 1.4826 * sum / b->rings * sqrt(inverse_images(a, b));
}

/* Σ |difference| of the mean counts per image and bin, in units of all peaks of b. */
static status distance_peaks(context *c, const stats_set *a, const stats_set *b, double *out)
{
    (void)c;
    double sum = 0, all = 0;
    for (int i = 0; i < b->bins + 2; i++) {
        sum += fabs(a->peak_means[i] - b->peak_means[i]);
        all += b->peak_means[i];
    }
    *out = all > 0 ? sum / all : sum;
    return STATUS_OK;
}

/* Poisson counts. */
static double noise_peaks(const stats_set *a, const stats_set *b)
{
    double sum = 0, all = 0;
    for (int i = 0; i < b->bins + 2; i++) {
        sum += mean_absolute * sqrt(b->peak_means[i] * inverse_images(a, b));
        all += b->peak_means[i];
    }
    return all > 0 ? sum / all : mean_absolute * sqrt(inverse_images(a, b));
}

static const struct {
    const char *name;
    score_distance *distance;
    score_noise *noise;
} parts[] = {
    {"pdf", distance_pdf, noise_pdf},
    {"mean", distance_mean, noise_mean},
    {"scatter", distance_scatter, noise_scatter},
    {"power", distance_power, noise_power},
    {"peaks", distance_peaks, noise_peaks},
};

status score_compute(context *c, const stats_set *model, const stats_set *validation, const stats_set *train,
                     score *out)
{
    *out = (score){.count = (int)(sizeof parts / sizeof parts[0])};
    status s = stats_same_shape(c, model, validation);
    if (!s) s = stats_same_shape(c, train, validation);
    for (int i = 0; !s && i < out->count; i++) {
        score_part *p = &out->part[i];
        double between = 0;
        p->name = parts[i].name;
        if ((s = parts[i].distance(c, model, validation, &p->distance))) break;
        if ((s = parts[i].distance(c, train, validation, &between))) break;
        /* Images without any contrast have neither: then every difference counts, but nothing divides by zero. */
        p->reference = fmax(fmax(between, parts[i].noise(train, validation)), 1e-12);
        p->ratio = p->distance / p->reference;
        out->value += p->ratio / out->count;
    }
    return s;
}
