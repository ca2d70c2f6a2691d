/* Plain float64 oracles of the transform of ops/crop.h, as the paper's equations 1 and 2 state it, and of its linear
 * kin. */
#ifndef OPS_REF_TRANSFORM_REF_H
#define OPS_REF_TRANSFORM_REF_H

#include "ops/crop.h"

double transform_ref_forward(const transform_shape *t, double v);
double transform_ref_inverse(const transform_shape *t, double v);

#endif
