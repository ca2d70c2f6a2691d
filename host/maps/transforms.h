/* The transforms between densities v and the numbers v' in [−1, 1] that networks see (spec section 3), in double on the
 * host, for statistics and reports; training has its own in kernels. Natural logarithms.
 * log:        v' = (2 ln u − (b + a)) / (b − a),        u = v / mean (unit overdensity, 1 + delta) or v (particles)
 * log-offset: v' = (2 ln(u + c) − (b + a)) / (b − a),   u = v; with a = ln c an empty pixel gives −1 exactly
 * (Ullmo, Decelle & Aghanim, eq. 1 and 2). */
#ifndef MAPS_TRANSFORMS_H
#define MAPS_TRANSFORMS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/config.h"
#include "io/maps_file.h"

typedef struct {
    double a, b, c; /* c = 0: log */
    double unit;    /* densities are divided by it: the mean, or 1 */
} map_transform;

/* That of a maps file. STATUS_DATA when the file names none. */
status map_transform_of(context *c, const maps *m, map_transform *out);
/* That of the configuration (maps.unit, maps.minimum, maps.maximum; maps.offset in 3D), put into the fields transform,
 * a, b, c and unit of m, whose dims and mean are set. STATUS_USAGE if the bounds are no interval. */
status map_transform_choose(context *c, const config *cfg, maps *m);

/* −infinity for v = 0 where there is no offset. */
double map_transform_forward(const map_transform *t, double v);
double map_transform_inverse(const map_transform *t, double v);

/* How maps lie about the transform's bounds; nothing is clipped. */
typedef struct {
    int64_t pixels, below, above;  /* v' < −1, v' > 1 */
    double mean, minimum, maximum; /* of v, particles per pixel */
} map_range;
void map_transform_range(const map_transform *t, const float *values, int64_t count, map_range *out);

#endif
