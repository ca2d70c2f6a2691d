/* Plain float64 oracles of ops/activation.h. */
#ifndef OPS_REF_ACTIVATION_REF_H
#define OPS_REF_ACTIVATION_REF_H

#include "ops/activation.h"

double activation_ref_value(activation f, double leak, double x);
/* From the output y, as the kernels do it. */
double activation_ref_slope(activation f, double leak, double y);
/* p[0], p[stride] … summed by the tree of layout.h, straight from its definition. */
double tree_ref(const double *p, size_t stride, int n);
/* dy [n][pixels][channels], db [channels]; channels as they lie in memory. */
void bias_ref_backward(const batching *b, int pixels, int channels, const double *dy, double *db);
/* Row (micro-batch) of a sample, by counting. */
int batching_ref_row(const batching *b, int sample);

#endif
