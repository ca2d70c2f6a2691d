/* The statistics of simulated (truth) and generated (model) maps, from stats.h5, and the five figures that sum them up.
 */
#ifndef REPORT_NUMBERS_H
#define REPORT_NUMBERS_H

#include <stdint.h>
#include "base/context.h"

typedef struct {
    double *pixel_pdf;    /* [bins], pixels per dex */
    double *mean_density; /* [maps], particles per pixel */
    int64_t maps;
    double *power_median, *power_mad; /* [rings] */
    double *peaks;                    /* [bins], mean count per map */
} numbers_set;                        /* all owned, NULL where the file has none */

/* The five figures (stats/figures.h): pdf = Σ|Δ| of the shares of pixels in 50 bins (0 … 2); mean, std, peaks = ratios
 * model / truth of the mean density, of its scatter from map to map and of the number of peaks; psd = mean |ln ratio|
 * of the median P(k). */
enum { FIGURE_PDF, FIGURE_MEAN, FIGURE_STD, FIGURE_PSD, FIGURE_PEAKS, FIGURES };
extern const char *const figure_names[FIGURES];

typedef struct {
    int bins, rings;
    double *edges; /* owned, [bins + 1], particles per pixel */
    double *nu;    /* owned, [rings] */
    numbers_set truth, model;
    double figures[FIGURES]; /* as the file states them (attributes of /score), NaN where it does not */
    double halves[FIGURES];  /* the same of one half of the truth against the other: what chance alone does */
} numbers;

void numbers_delete(numbers *n);
/* Missing datasets leave their member NULL; STATUS_DATA when /density_edges is missing or shapes disagree. */
status numbers_read(context *c, const char *path, numbers *n);

/* Mean ln(model / truth) of the median P(k): which way the spectrum is off. NaN where something is missing. */
double numbers_power_bias(const numbers *n);
/* Mean and standard deviation (ddof 0). */
void numbers_moments(const double *v, int64_t count, double *mean, double *deviation);

#endif
