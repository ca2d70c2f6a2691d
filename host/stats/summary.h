/* Summaries of a set over its images or, for the bootstrap, over images drawn from it with replacement. */
#ifndef STATS_SUMMARY_H
#define STATS_SUMMARY_H

#include "stats/set.h"

/* Room for the summaries of a set (its pointers to them are overwritten). */
status stats_summary_new(context *c, stats_set *s);
void stats_summary_delete(stats_set *s);

/* Fills `order` from the powers and mean densities. */
void stats_summary_sort(stats_set *s);
/* All summaries. weights[images], how often each image counts, their sum being `images`; NULL: each once. */
void stats_summarise(stats_set *s, const uint32_t *weights);
/* power_mad and minkowski_mad, of the images as they are. */
status stats_summary_spreads(context *c, stats_set *s);

/* Of an even number the mean of the middle two. Changes the order of v. */
double stats_median(double *v, int64_t n);

#endif
