/* Errors of the figures and the score by the bootstrap (Efron 1979): both sets are drawn anew from their images, with
 * replacement, many times; the error is the standard deviation over the draws. What is drawn is whole blocks of a set
 * (set.h): images of one box are not independent, since the box conserves its mass. */
#ifndef STATS_BOOTSTRAP_H
#define STATS_BOOTSTRAP_H

#include "stats/figures.h"
#include "stats/score.h"

enum { BOOTSTRAP_REPLICAS = 200 };

typedef struct {
    stats_figures figures; /* NaN where a draw's figure is none */
    double score;          /* of the score with its references kept; NaN without one */
} bootstrap_errors;

/* Draws are those of (seed, RNG_BOOTSTRAP): equal for every model compared with one truth. of: the score of model
 * against truth, or NULL. */
status bootstrap_compute(context *c, const stats_set *model, const stats_set *truth, const score *of, uint64_t seed,
                         bootstrap_errors *out);

#endif
