/* The statistics of simulated (truth) and of generated or inferred (model) maps, from a file of `stats`, the five
 * figures that sum them up, and, where the maps are pairs, how far each structure of one lies on the other. */
#ifndef REPORT_NUMBERS_H
#define REPORT_NUMBERS_H

#include <stdint.h>
#include "base/context.h"

/* Functionals of the part of a map above a density, per pixel of the map. */
enum { MINKOWSKI_AREA, MINKOWSKI_PERIMETER, MINKOWSKI_EULER, MINKOWSKI };
extern const char *const minkowski_names[MINKOWSKI]; /* "area", … */

typedef struct {
    double *pixel_pdf;    /* [bins], pixels per dex */
    double *mean_density; /* [maps], particles per pixel */
    int64_t maps;
    double *power_median, *power_mad;                        /* [rings] */
    double *peaks;                                           /* [bins], mean count per map */
    double *minkowski[MINKOWSKI], *minkowski_std[MINKOWSKI]; /* [bins + 1], over the maps; above each edge */
} numbers_set;                                               /* all owned, NULL where the file has none */

/* The five figures (stats/figures.h): pdf = Σ|Δ| of the shares of pixels in 50 bins (0 … 2); mean, std, peaks = ratios
 * model / truth of the mean density, of its scatter from map to map and of the number of peaks; psd = mean |ln ratio|
 * of the median P(k). */
enum { FIGURE_PDF, FIGURE_MEAN, FIGURE_STD, FIGURE_PSD, FIGURE_PEAKS, FIGURES };
extern const char *const figure_names[FIGURES];   /* "pdf", … */
extern const char *const figure_subject[FIGURES]; /* "the densities of pixels", in a sentence */
extern const char *const figure_meaning[FIGURES]; /* "ratio of the mean densities", as `stats` prints it */
int figure_perfect(int figure);                   /* 0 or 1 */

/* Of the densest n % of pixels: the overlap of pairs, 2 N(both)/(N + N), and what it is to be measured by. */
enum {
    DICE_PERCENT,
    DICE_MEAN,
    DICE_STD, /* over the pairs */
    DICE_SEM, /* DICE_STD/√pairs */
    DICE_RANDOM,
    DICE_RANDOM_STD,
    DICE_NORMALIZED, /* (D − r)/(1 − r) */
    DICE_NORMALIZED_STD,
    DICE_SIGNIFICANCE, /* (D − r)/σ(r) */
    DICE_SIGNIFICANCE_STD,
    DICE_COLUMNS
};

typedef struct {
    int count;                    /* of percentages; 0: the file has none */
    double *column[DICE_COLUMNS]; /* owned, [count]; NULL where the file has none, but never PERCENT and MEAN */
    double images, random_pairs;  /* pairs, and random pairs of simulations; NaN when unknown */
    bool per_image;               /* thresholds: each image's own, else one for a whole set */
} numbers_dice;

/* What pairs have in common at each frequency: transfer = √(P model/P truth), correlation = Re⟨m t*⟩/√(P P). */
enum { PAIRS_TRANSFER, PAIRS_TRANSFER_MAD, PAIRS_CORRELATION, PAIRS_CORRELATION_STD, PAIRS_COLUMNS };

typedef struct {
    int bins, rings;
    double *edges; /* owned, [bins + 1], particles per pixel */
    double *nu;    /* owned, [rings] */
    numbers_set truth, model;
    double figures[FIGURES]; /* as the file states them (attributes of /score), NaN where it does not */
    double halves[FIGURES];  /* the same of one half of the truth against the other: what chance alone does */
    double errors[FIGURES], halves_errors[FIGURES]; /* of both, bootstrap, 1 σ */
    /* Of nearest neighbours: mean distance to the nearest other image, model over truth; share of model images nearer
     * to one of the truth than any two of the truth are. NaN where the file has none. */
    double variety, copies;
    numbers_dice dice;
    double *pairs[PAIRS_COLUMNS]; /* owned, [rings], NULL where the file has none */
} numbers;

void numbers_delete(numbers *n);
/* Missing datasets leave their member NULL; STATUS_DATA when /density_edges is missing or shapes disagree. */
status numbers_read(context *c, const char *path, numbers *n);

/* How far a figure is from perfect: |ln ratio| of a ratio, else the value itself; and the error of that. */
double numbers_distance(int figure, double v);
double numbers_distance_error(int figure, double v, double error);
/* Greatest difference between the model's mean curve of a Minkowski functional and the truth's, in units of the
 * latter's greatest height. NaN where something is missing. */
double numbers_shape(const numbers *n, int which);
/* The column of the overlap at `percent`, NaN where the file has none. */
double numbers_dice_at(const numbers_dice *d, int column, double percent);
/* The greatest percentage up to which, from the first on, the mean less one deviation over the pairs stays above the
 * random overlap plus one deviation of its own; 0 when it does nowhere. */
double numbers_dice_reach(const numbers_dice *d);
/* Mean ln(model / truth) of the median P(k): which way the spectrum is off. NaN where something is missing. */
double numbers_power_bias(const numbers *n);
/* Mean and standard deviation (ddof 0) of every stride-th value. */
void numbers_moments(const double *v, int64_t count, int64_t stride, double *mean, double *deviation);

#endif
