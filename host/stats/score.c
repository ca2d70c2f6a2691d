#include "stats/score.h"

#include <math.h>
#include "stats/figures.h"

/* Mean |x| of a standard normal: expected distances from standard errors. */
static const double mean_absolute = 0.79788456080286541;

typedef double score_distance(const stats_set *a, const stats_set *b);
/* The distance to expect between two samples of one truth, of these sizes. */
typedef double score_noise(const stats_set *a, const stats_set *b);

/* 1/n_a + 1/n_b with n in images. */
static double inverse_images(const stats_set *a, const stats_set *b)
{
    return 1 / (double)a->images + 1 / (double)b->images;
}

/* Independent pixels: a lower bound, since neighbours agree. */
static double noise_pdf(const stats_set *a, const stats_set *b)
{
    double sum = 0;
    const double pixels = stats_set_pixels(b), inverse = 1 / stats_set_pixels(a) + 1 / pixels;
    for (int i = 0; i < STATS_COARSE_COLUMNS; i++) {
        sum += mean_absolute * sqrt((double)b->coarse_counts[i] / pixels * inverse);
    }
    return sum;
}

/* First Wasserstein distance of the two distributions of mean density: ∫ |F_a⁻¹(q) − F_b⁻¹(q)| dq, over steps of q. */
static double distance_mean(const stats_set *a, const stats_set *b)
{
    double sum = 0, q = 0;
    for (int64_t i = 0, j = 0; i < a->images && j < b->images;) {
        const double end_a = (double)(i + 1) / (double)a->images, end_b = (double)(j + 1) / (double)b->images;
        const double end = fmin(end_a, end_b);
        sum += (end - q) * fabs(a->sorted_means[i] - b->sorted_means[j]);
        q = end;
        /* Both end together where i + 1 and j + 1 are the same share, compared in integers. */
        const int64_t left = (i + 1) * b->images, right = (j + 1) * a->images;
        i += left <= right;
        j += right <= left;
    }
    return sum;
}

static double noise_mean(const stats_set *a, const stats_set *b)
{
    return fmax(mean_absolute * b->scatter * sqrt(inverse_images(a, b)), 1e-6 * fabs(b->mean));
}

static double distance_scatter(const stats_set *a, const stats_set *b)
{
    return stats_log_ratio(a->scatter, b->scatter);
}

/* The standard error of ln σ is 1/√(2n) for a Gaussian. */
static double noise_scatter(const stats_set *a, const stats_set *b)
{
    return mean_absolute * sqrt(inverse_images(a, b) / 2);
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
static double distance_peaks(const stats_set *a, const stats_set *b)
{
    double sum = 0, all = 0;
    for (int i = 0; i < b->bins + 2; i++) {
        sum += fabs(a->peak_means[i] - b->peak_means[i]);
        all += b->peak_means[i];
    }
    return all > 0 ? sum / all : sum;
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

/* Of each functional Σ |difference| of the means over the density edges, in units of Σ |mean| of b; the mean of the
 * three. */
static double distance_minkowski(const stats_set *a, const stats_set *b)
{
    const int edges = b->bins + 1;
    double distance = 0;
    for (int k = 0; k < MINKOWSKI; k++) {
        double sum = 0, all = 0;
        for (int i = k * edges; i < (k + 1) * edges; i++) {
            sum += fabs(a->minkowski_means[i] - b->minkowski_means[i]);
            all += fabs(b->minkowski_means[i]);
        }
        distance += (all > 0 ? sum / all : sum) / MINKOWSKI;
    }
    return distance;
}

/* From the scatter from image to image at each edge. */
static double noise_minkowski(const stats_set *a, const stats_set *b)
{
    const int edges = b->bins + 1, values = MINKOWSKI * edges;
    double noise = 0;
    for (int k = 0; k < MINKOWSKI; k++) {
        double sum = 0, all = 0;
        for (int v = k * edges; v < (k + 1) * edges; v++) {
            double squares = 0;
            for (int64_t i = 0; i < b->images; i++) {
                const double d = b->minkowski[i * values + v] - b->minkowski_means[v];
                squares += d * d;
            }
            sum += sqrt(squares / (double)b->images);
            all += fabs(b->minkowski_means[v]);
        }
        noise += (all > 0 ? sum / all : sum) / MINKOWSKI;
    }
    return mean_absolute * noise * sqrt(inverse_images(a, b));
}

/* |ln ratio| of the mean distances to the nearest other image where those of a are the smaller: images that repeat
 * themselves. Images more unlike each other than the truth's show in the other parts. */
static double distance_diversity(const stats_set *a, const stats_set *b)
{
    return a->nearest_mean < b->nearest_mean ? stats_log_ratio(a->nearest_mean, b->nearest_mean) : 0;
}

/* One side of a normal: half of mean |x|. Nearest neighbours come in pairs, which makes half as many of them. */
static double noise_diversity(const stats_set *a, const stats_set *b)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < b->neighbours; i++) sum += b->nearest[i] / b->neighbours;
    for (int i = 0; i < b->neighbours; i++) squares += pow(b->nearest[i] - sum, 2) / b->neighbours;
    const double relative = sum > 0 ? sqrt(squares) / sum : 1;
    return mean_absolute / 2 * fmax(relative, 1e-3) * sqrt(2 * (1. / a->neighbours + 1. / b->neighbours));
}

static const struct {
    const char *name;
    score_distance *distance;
    score_noise *noise;
} parts[] = {
    {"pdf", stats_pdf_distance, noise_pdf},
    {"mean", distance_mean, noise_mean},
    {"scatter", distance_scatter, noise_scatter},
    {"power", stats_power_distance, noise_power},
    {"peaks", distance_peaks, noise_peaks},
    {"minkowski", distance_minkowski, noise_minkowski},
    {"diversity", distance_diversity, noise_diversity}, /* last: it is left out where there are no neighbours */
};
enum { PARTS = sizeof parts / sizeof parts[0] };

status score_compute(context *c, const stats_set *model, const stats_set *validation, const stats_set *train,
                     score *out)
{
    const bool neighbours = validation->neighbours > 0 && model->neighbours == validation->neighbours &&
                            train->neighbours == validation->neighbours;
    *out = (score){.count = neighbours ? PARTS : PARTS - 1};
    status s = stats_same_shape(c, model, validation);
    if (!s) s = stats_same_shape(c, train, validation);
    for (int i = 0; !s && i < out->count; i++) {
        score_part *p = &out->part[i];
        p->name = parts[i].name;
        p->distance = parts[i].distance(model, validation);
        /* Images without any contrast have neither: then every difference counts, but nothing divides by zero. */
        p->reference = fmax(fmax(parts[i].distance(train, validation), parts[i].noise(model, validation)), 1e-12);
        p->ratio = p->distance / p->reference;
        out->value += log1p(p->ratio) / out->count;
    }
    out->value = expm1(out->value);
    return s;
}

bool score_collapsed(const stats_set *model, const stats_set *validation)
{
    return model->neighbours > 0 && model->neighbours == validation->neighbours &&
           model->nearest_mean < SCORE_COLLAPSED * validation->nearest_mean;
}

double score_again(const score *of, const stats_set *model, const stats_set *validation)
{
    double value = 0;
    for (int i = 0; i < of->count; i++)
        value += log1p(parts[i].distance(model, validation) / of->part[i].reference) / of->count;
    return expm1(value);
}
