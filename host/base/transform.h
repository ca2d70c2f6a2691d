/* The transform between densities v and the numbers v′ in [−1, 1] that networks see (spec section 3), in double on the
 * host; training has its own in kernels/transform.cl. With w = v · scale + offset and natural logarithms
 *   log:     v′ = (2 ln w − (b + a)) / (b − a)     (Ullmo, Decelle & Aghanim, eq. 1; with an offset eq. 2)
 *   linear:  v′ = (2 w − (b + a)) / (b − a)
 * io/maps_transform.h makes it of what a maps file or the configuration names. */
#ifndef BASE_TRANSFORM_H
#define BASE_TRANSFORM_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { TRANSFORM_LOG, TRANSFORM_LINEAR } transform_kind;

typedef struct {
    transform_kind kind;
    double a, b;   /* w (linear) or ln w (log) of v′ = −1 and v′ = 1; a < b */
    double offset; /* 0: none; log only */
    double scale;  /* 1 / mean where the transform takes overdensities, else 1 */
} transform_shape;

/* Whether v = 0 ↔ v′ = −1 is a rule of its own: where a is ln offset (to the precision of a float), since neither a nor
 * a logarithm is exact. */
bool transform_zero_is_lowest(const transform_shape *t);
/* v′ of v; −1 where the logarithm is of nothing or less. */
double transform_to(const transform_shape *t, double v);
/* v of v′. */
double transform_from(const transform_shape *t, double v);

/* How values lie about the bounds; starts as {0} and grows. Nothing is clipped. */
typedef struct {
    int64_t pixels, below, above; /* outside the densities of v′ = −1 and v′ = 1 by more than rounding */
    double lowest, highest, sum;  /* of v */
} transform_range;
void transform_range_add(transform_range *r, const transform_shape *t, const float *values, int64_t count);

#endif
