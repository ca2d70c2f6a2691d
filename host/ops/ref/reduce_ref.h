/* Plain float64 oracles of ops/reduce.h for one image float32 [side][side]. */
#ifndef OPS_REF_REDUCE_REF_H
#define OPS_REF_REDUCE_REF_H

#include "base/context.h"

double reduce_ref_mean(const float *image, int side);
/* counts[bins + 2] += underflow, bins [e_i, e_i+1) with the last closed, overflow. */
void reduce_ref_histogram(const float *image, int side, const double *edges, int bins, unsigned *counts);
/* The same of the pixels strictly above their eight neighbours, borders excluded. */
void reduce_ref_peaks(const float *image, int side, const double *edges, int bins, unsigned *counts);
/* out[3]: area, perimeter and Euler characteristic (ops/reduce.h) of the pixels v >= edge, by visiting every face, edge
 * and vertex. */
void reduce_ref_minkowski(const float *image, int side, double edge, int *out);
/* cross[side / 2] ← mean of Re(DFT(a)* DFT(b)) over the modes with round √(ky² + kx²) = 1 … side/2, by separable sums
 * in float64 over the whole plane; power: of an image with itself. */
status reduce_ref_cross(context *c, const float *a, const float *b, int side, double *cross);
status reduce_ref_power(context *c, const float *image, int side, double *power);

#endif
