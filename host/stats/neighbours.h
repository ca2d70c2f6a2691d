/* Nearest neighbours among images, by the distance of ops/distance.h (root of the mean squared difference of ln
 * density, the density clamped at a floor): whether a model makes ever the same images, and whether it repeats the
 * truth's. */
#ifndef STATS_NEIGHBOURS_H
#define STATS_NEIGHBOURS_H

#include "ops/distance.h"

/* nearest[m]: of image i · n / m of images [n][pixels], 0 <= i < m, the distance to the nearest other of these m.
 * *contrast: standard deviation of ln density over their pixels. m >= 2, at most the plan's. */
status neighbours_within(context *c, distance_plan *p, const float *images, int64_t n, int64_t pixels, int m,
                         double *nearest, double *contrast);

/* Sets larger than this are thinned evenly: the cost grows with the square. */
enum { DIVERSITY_MOST = 2048 };

typedef struct {
    double floor;           /* particles per pixel */
    int64_t models, truths; /* images compared; number i is image i · n / models of the model's n */
    double *model_model;    /* owned, [models]: of each model image to the nearest other one; NaN when there is none */
    double *model_truth;    /* owned, [models]: to the nearest of the truth */
    uint32_t *model_which;  /* owned, [models]: number of that one among the truths */
    double *truth_truth;    /* owned, [truths]: of each image of the truth to the nearest other one */
    /* Mean distance to the nearest other image, model over truth, of equally many images of both, and each in units of
     * the contrast of its set: 1 as varied as the truth, 0 all alike. */
    double variety;
    /* Share of model images as near to one of the truth as the nearest hundredth of the truth are to each other (of
     * fewer than 100 the nearest): some 1 % by chance, and not undone by a duplicate in the truth. NaN for one truth.
     */
    double copies;
} diversity;

/* models [n_model][pixels], truths [n_truth][pixels]. */
status diversity_compute(context *c, device *d, double floor, int64_t pixels, const float *models, int64_t n_model,
                         const float *truths, int64_t n_truth, diversity *out);
void diversity_delete(diversity *v); /* NULL-safe; zeroes it */

#endif
