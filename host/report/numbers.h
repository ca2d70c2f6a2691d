/* The statistics of simulated (truth) and generated (model) maps, from stats.h5, and the five figures that sum them up.
 */
#ifndef REPORT_NUMBERS_H
#define REPORT_NUMBERS_H

#include <stdint.h>
#include "base/context.h"
#include "report/sample.h"

typedef struct {
    double *pixel_pdf;    /* [bins], pixels per dex */
    double *mean_density; /* [maps], particles per pixel */
    int64_t maps;
    double *power_median, *power_mad; /* [rings] */
    double *power_all;                /* [power_maps][rings], NULL when the file has only the median */
    int64_t power_maps;
    double *peaks;     /* [bins], mean count per map */
    double *peaks_all; /* [peaks_maps][bins], NULL when the file has only the mean */
    int64_t peaks_maps;
} numbers_set; /* all owned, NULL where the file has none */

typedef struct {
    int bins, rings;
    double *edges; /* owned, [bins + 1], particles per pixel */
    double *nu;    /* owned, [rings] */
    numbers_set truth, model;
    double given[5]; /* the figures below as the file states them (attributes of /score), NaN where it does not */
} numbers;

void numbers_delete(numbers *n);
/* Missing datasets leave their member NULL; STATUS_DATA when /density_edges is missing or shapes disagree. */
status numbers_read(context *c, const char *path, numbers *n);

/* The five figures: pdf = Σ|Δ| of the shares of pixels per bin (0 … 2); mean, std, peaks = ratios model / truth of the
 * mean density, of its scatter from map to map and of the number of peaks; psd = mean |ln ratio| of the median P(k). */
enum { FIGURE_PDF, FIGURE_MEAN, FIGURE_STD, FIGURE_PSD, FIGURE_PEAKS, FIGURES };
extern const char *const figure_names[FIGURES];

/* As the file states them, else from its histograms and spectra; NaN where something is missing. */
void numbers_figures(const numbers *n, double figures[FIGURES]);
/* Mean ln(model / truth) of the median P(k): which way the spectrum is off. NaN where something is missing. */
double numbers_power_bias(const numbers *n);
/* The first half of the simulated test maps against the second: what chance alone does. `truth` (may be NULL) gives the
 * pixels for pdf. */
status numbers_halves(context *c, const numbers *n, const sample *truth, double figures[FIGURES]);

/* Mean and standard deviation (ddof 0). */
void numbers_moments(const double *v, int64_t count, double *mean, double *deviation);

#endif
