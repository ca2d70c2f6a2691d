/* The score by which `select` chooses a checkpoint (spec section 5), of the ratios
 *   r = distance(model, validation) / reference,  reference = max(distance(train, validation), noise(model,
 * validation)) of its parts: exp(mean ln(1 + r)) − 1. 1 means as near to the validation images as another sample of the
 * truth, and smaller is better, provided that the training set has no more images than the model: one of many more is
 * nearer to the validation images than the best model of few can be. The plain mean would be that of the largest ratio
 * alone: a part that is known to a thousandth has ratios of hundreds, and its wobble from epoch to epoch would outweigh
 * all that the others say. The noise, what two samples of one truth of these sizes differ by, keeps a part whose train
 * and validation happen to agree from doing the same. The scatter of the mean density is a part of its own: a generator
 * that makes one good image again and again scores badly, which PDF and P(k) alone would call excellent. The diversity,
 * the distance of an image to the nearest other one, sees the same of one that makes some few images; it is a part
 * where all three sets have equally many neighbours (set.h). */
#ifndef STATS_SCORE_H
#define STATS_SCORE_H

#include "stats/set.h"

enum { SCORE_PARTS_MOST = 16 };

typedef struct {
    /* Borrowed from the table: "pdf", "mean", "scatter", "power", "peaks", "minkowski", "diversity". */
    const char *name;
    double distance;  /* model to validation */
    double reference; /* train to validation, or the noise */
    double ratio;
} score_part;

typedef struct {
    double value;
    int count;
    score_part part[SCORE_PARTS_MOST];
} score;

/* STATUS_USAGE where sides or density bins differ. All values are finite. */
status score_compute(context *c, const stats_set *model, const stats_set *validation, const stats_set *train,
                     score *out);
/* Whether the model makes (nearly) ever the same images: the mean distance to the nearest other image, in units of the
 * contrast, is below SCORE_COLLAPSED of the validation images'. The score alone can forgive that to a model which is
 * good in all else. Networks that learn well may have half of the truth's variety; copies that differ by some
 * hundredths of the contrast are below a tenth of it. False where there are no neighbours to compare (set.h). */
#define SCORE_COLLAPSED .1
bool score_collapsed(const stats_set *model, const stats_set *validation);

/* The value with the references of `of`, for other draws of model and validation (bootstrap.h). */
double score_again(const score *of, const stats_set *model, const stats_set *validation);

#endif
