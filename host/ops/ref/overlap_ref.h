/* Plain oracles of ops/overlap.h. */
#ifndef OPS_REF_OVERLAP_REF_H
#define OPS_REF_OVERLAP_REF_H

#include <stdint.h>
#include "base/context.h"

/* The K-th largest of n values by sorting all of them, K = round(n percent/100), at least 1. */
status overlap_ref_threshold(context *c, const float *values, int64_t n, int percent, float *threshold);
/* How many i < pixels have a[i] >= ta and b[i] >= tb. */
uint32_t overlap_ref_common(const float *a, float ta, const float *b, float tb, int pixels);

#endif
