/* Distances between images in the logarithm of the density, on a device: the same bits on every one.
 *   d² (a, b) = mean over the pixels of (ln max(a, floor) − ln max(b, floor))²
 * Oracle: ops/ref/distance_ref.h. */
#ifndef OPS_DISTANCE_H
#define OPS_DISTANCE_H

#include <stdint.h>
#include "device/kernel.h"

/* Sets of at most `most` images of `pixels` pixels. The device is borrowed. */
typedef struct distance_plan distance_plan;
status distance_plan_new(context *c, device *d, int64_t most, int64_t pixels, float floor, distance_plan **out);
void distance_plan_delete(distance_plan **p);

enum { DISTANCE_SETS = 2 };

/* Takes the images [n][pixels] as set 0 or 1. */
status distance_set(context *c, distance_plan *p, int which, const float *images, int64_t n);
/* Standard deviation of ln max(v, floor) over all pixels of a set. */
double distance_deviation(const distance_plan *p, int which);
/* out [n of set a][n of set b]: the distances, not squared. */
status distance_matrix(context *c, distance_plan *p, int a, int b, float *out);
/* Of each image of set a the smallest distance to one of set b (a == b: to another one), and the number of that one
 * (which may be NULL): the first of equally near ones. NaN where there is none. */
status distance_nearest(context *c, distance_plan *p, int a, int b, double *nearest, uint32_t *which);

#endif
