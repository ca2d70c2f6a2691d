/* Plain float64 oracle of ops/distance.h. */
#ifndef OPS_REF_DISTANCE_REF_H
#define OPS_REF_DISTANCE_REF_H

#include <stdint.h>

/* Root of the mean over the pixels of (ln max(a, floor) − ln max(b, floor))². */
double distance_ref(const float *a, const float *b, int64_t pixels, double floor);

#endif
