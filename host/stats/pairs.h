/* How well matched images agree scale by scale (beyond the paper): of a truth F_t and a model F_i, ring by ring,
 *   transfer function  T(ν) = √(P_i / P_t)                                       1: the model has the truth's power
 *   cross-correlation  r(ν) = Re Σ F_t* F_i / √(Σ|F_t|² Σ|F_i|²)  in −1 … 1      1: it has the truth's phases too
 * over images. A ring without power in the truth has no T, one without power in either no r: it is left out there, and
 * what nothing is left of is NaN. */
#ifndef STATS_PAIRS_H
#define STATS_PAIRS_H

#include "stats/set.h"

/* Over images; [rings] each. */
typedef struct {
    double *median, *mad, *mean, *std; /* mad: median of |value − median|; std: ddof 0 */
} stats_curve;

typedef struct {
    int64_t images;
    int rings;
    stats_curve transfer, correlation;
    double *memory; /* owned: all of the curves */
} stats_pairs;

/* From stats_sets_from_pairs. STATUS_USAGE where the numbers of images or the sides differ. */
status stats_pairs_compute(context *c, const stats_set *truth, const stats_set *model, const double *cross,
                           stats_pairs *out);
void stats_pairs_delete(stats_pairs *s); /* NULL-safe; zeroes it */

#endif
