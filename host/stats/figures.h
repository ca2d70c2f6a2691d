/* Five plain figures that compare a set of images with another (the model with the truth). */
#ifndef STATS_FIGURES_H
#define STATS_FIGURES_H

#include "stats/set.h"

typedef struct {
    double pdf; /* Σ |difference| of the shares of pixels in 50 log bins, under- and overflow: 0 perfect, 2 disjoint */
    double mean;  /* ratio of the mean densities */
    double std;   /* ratio of their scatter from image to image: near 0 where all images are alike */
    double psd;   /* mean over rings of |ln ratio| of the median spectra; 0 perfect */
    double peaks; /* ratio of the mean numbers of peaks per image */
} stats_figures;

/* A ratio to nothing is NaN. STATUS_USAGE where sides or bins differ. */
status stats_figures_compute(context *c, const stats_set *model, const stats_set *truth, stats_figures *out);

/* STATUS_USAGE unless both sets can be compared. */
status stats_same_shape(context *c, const stats_set *a, const stats_set *b);
/* The parts of the figures, which the score uses too. */
double stats_pdf_distance(const stats_set *a, const stats_set *b);
/* |ln (a/b)|, at most ln 10¹²; 0 where both are zero. */
double stats_log_ratio(double a, double b);
double stats_power_distance(const stats_set *a, const stats_set *b);

#endif
