/* The statistics of one set of images (spec section 5): pixel PDF, mean densities, power spectra and peaks. Images are
 * float32 [n][side][side], linear densities in particles per pixel; any finite value is taken. */
#ifndef STATS_SET_H
#define STATS_SET_H

#include "base/config.h"
#include "ops/reduce.h"

typedef struct {
    double density_min, density_max; /* particles per pixel: ends of the density bins, exactly */
    int density_bins;                /* equal in the logarithm */
} stats_options;

/* From stats.density_min, stats.density_max and stats.density_bins. STATUS_USAGE unless min < max. */
status stats_options_read(context *c, const config *cfg, stats_options *out);

/* edges[bins + 1]: minimum · (maximum/minimum)^(i/bins) in float64, the ends exactly as given. */
void stats_edges(double minimum, double maximum, int bins, double *edges);

/* Bins between the same ends for the figure "pdf" (figures.h). */
enum { STATS_COARSE_BINS = 50 };

typedef struct {
    int64_t images;
    int side, bins, rings;  /* rings = side / 2 */
    double *edges;          /* owned, [bins + 1] */
    uint64_t *pixel_counts; /* owned, [bins + 2]: underflow, bins, overflow, over all images */
    uint64_t coarse_counts[STATS_COARSE_BINS + 2];
    double *mean_density; /* owned, [images], particles per pixel */
    double mean, scatter; /* of the mean densities over the images; scatter: standard deviation, ddof 0 */
    double *power;        /* owned, [images][rings]: mean of |DFT|² over the ring ν = 1 … side/2, unnormalised */
    double *power_median, *power_mad; /* owned, [rings]: median over images, median of |P − median| */
    uint32_t *peak_counts;            /* owned, [images][bins + 2] */
    double *peak_means;               /* owned, [bins + 2]: mean count per image */
    uint64_t peaks_total;
} stats_set;

/* Buffers and plans for sets of images of one size; reusable. The device is borrowed and must outlive it. */
typedef struct stats_plan stats_plan;
status stats_plan_new(context *c, device *d, const stats_options *o, int side, stats_plan **out);
void stats_plan_delete(stats_plan **p);
reducer *stats_plan_reducer(stats_plan *p); /* borrowed */

/* From images in host memory. `what` ("model", "epoch 12") goes before the message when a pixel
 * is not finite (STATUS_DATA names map and pixel). */
status stats_set_from_host(context *c, stats_plan *p, const char *what, const float *images, int64_t n, stats_set *out);
void stats_set_delete(stats_set *s); /* NULL-safe; zeroes it */

/* Pixels of the set. */
double stats_set_pixels(const stats_set *s);
/* Density of pixels per dex, over all pixels (those out of range too). pdf[bins]. */
void stats_set_pdf(const stats_set *s, double *pdf);

/* Sorts v; of an even number the mean of the middle two. */
double stats_median(double *v, int64_t n);

#endif
