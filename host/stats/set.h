/* The statistics of one set of images (spec section 5): pixel PDF, mean densities, power spectra, peaks, Minkowski
 * functionals and nearest neighbours. Images are float32 [n][side][side], linear densities in particles per pixel; any
 * finite value is taken. What each image gives is kept, so that a set can be resampled (bootstrap.h). */
#ifndef STATS_SET_H
#define STATS_SET_H

#include "base/config.h"
#include "ops/reduce.h"

typedef struct {
    double density_min, density_max; /* particles per pixel: ends of the density bins, exactly */
    int density_bins;                /* equal in the logarithm */
    /* Images among which nearest neighbours are looked for, evenly chosen from the set; below 2: none. Distances to the
     * nearest of many are smaller, so sets that are compared must have the same number: stats_neighbours. */
    int neighbours;
} stats_options;

/* From stats.density_min, stats.density_max and stats.density_bins; no neighbours. STATUS_USAGE unless min < max. */
status stats_options_read(context *c, const config *cfg, stats_options *out);

/* The number of neighbours for sets of which the smallest has n images: it is what bounds the cost, which is quadratic.
 */
int stats_neighbours(int64_t n);

/* edges[bins + 1]: minimum · (maximum/minimum)^(i/bins) in float64, the ends exactly as given. */
void stats_edges(double minimum, double maximum, int bins, double *edges);

/* Bins between the same ends for the figure "pdf" (figures.h). */
enum { STATS_COARSE_BINS = 50, STATS_COARSE_COLUMNS = STATS_COARSE_BINS + 2 };

typedef struct {
    int64_t images;
    /* Consecutive images cut of one box, which share its mass: the bootstrap draws them together. 1 from
     * stats_set_from_host, for the caller to set; divides `images`. */
    int64_t block;
    int side, bins, rings; /* rings = side / 2 */
    double *edges;         /* owned, [bins + 1] */

    /* Of each image; owned. */
    double *mean_density;   /* [images], particles per pixel */
    double *power;          /* [images][rings]: mean of |DFT|² over the ring ν = 1 … side/2, unnormalised */
    uint32_t *coarse_all;   /* [images][STATS_COARSE_COLUMNS]: underflow, pixels per coarse bin, overflow */
    uint32_t *peak_counts;  /* [images][bins + 2] */
    int32_t *minkowski;     /* [images][MINKOWSKI][bins + 1], ops/reduce.h: pixels, edges, Euler characteristic */
    int neighbours;         /* images with a nearest neighbour, image i · images / neighbours being number i; or 0 */
    double *nearest;        /* [neighbours]: distance to the nearest other of them (ops/distance.h) */
    double contrast;        /* standard deviation of ln density over the pixels of all of them */
    uint32_t *order;        /* [rings + 1][images]: the images by their power in each ring, then by mean density */
    uint64_t *pixel_counts; /* [bins + 2]: underflow, bins, overflow, over all images */
    double *power_mad;      /* [rings]: median over images of |P − median| */
    double *minkowski_mad;  /* [MINKOWSKI][bins + 1]: the same of the functionals */

    /* Summaries over the images, or those drawn from them (summary.h); owned. */
    uint64_t coarse_counts[STATS_COARSE_COLUMNS];
    double mean, scatter;    /* of the mean densities; scatter: standard deviation, ddof 0 */
    double *sorted_means;    /* [images]: the mean densities, ascending */
    double *power_median;    /* [rings] */
    double *peak_means;      /* [bins + 2]: mean count per image */
    double *minkowski_means; /* [MINKOWSKI][bins + 1] */
    uint64_t peaks_total;
    double nearest_mean; /* of nearest / (√2 contrast): 1 for images with nothing in common, 0 for all alike */
} stats_set;

/* Buffers and plans for sets of images of one size; reusable. The device is borrowed and must outlive it. */
typedef struct stats_plan stats_plan;
status stats_plan_new(context *c, device *d, const stats_options *o, int side, stats_plan **out);
void stats_plan_delete(stats_plan **p);
reducer *stats_plan_reducer(stats_plan *p); /* borrowed */

/* From images in host memory. `what` ("model", "epoch 12") goes before the message when a pixel
 * is not finite (STATUS_DATA names map and pixel). */
status stats_set_from_host(context *c, stats_plan *p, const char *what, const float *images, int64_t n, stats_set *out);
/* The same of both sides of n matched images, and *cross [n][rings], the caller's to delete: the means over the rings
 * of Re(DFT(truth)* DFT(model)). */
status stats_sets_from_pairs(context *c, stats_plan *p, const char *what, const float *truths, const float *models,
                             int64_t n, stats_set *truth, stats_set *model, double **cross);
void stats_set_delete(stats_set *s); /* NULL-safe; zeroes it */

/* Keeps, in place, `most` of n images of `pixels` pixels, number i · n / most; all where there are no more. Returns how
 * many are left. */
int64_t stats_thin(float *images, int64_t n, int64_t pixels, int64_t most);

/* Pixels of the set. */
double stats_set_pixels(const stats_set *s);
/* Density of pixels per dex, over all pixels (those out of range too). pdf[bins]. */
void stats_set_pdf(const stats_set *s, double *pdf);

#endif
