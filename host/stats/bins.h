/* Values that the density bins do not hold. */
#ifndef STATS_BINS_H
#define STATS_BINS_H

#include "stats/set.h"

/* Warns where more than 1 % of the pixels of a set lie outside its density bins (which are logarithmic: zero and less
 * has none), with the extremes and the flags that set other bins. images: those that the set is of. */
void stats_say_outside(context *c, const char *what, const stats_set *s, const float *images);

#endif
