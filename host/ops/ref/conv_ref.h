/* Oracle of convolutions (ops/conv.h) in double, by plain loops over the definition. Layouts and padded channels as on
 * the device, values as doubles. */
#ifndef OPS_REF_CONV_REF_H
#define OPS_REF_CONV_REF_H

#include "ops/conv.h"

/* y = bias + W x. bias may be NULL. */
void conv_ref_forward(const conv_shape *s, int n, const double *x, const double *w, const double *bias, double *y);
/* x = bias + Wᵀ y. */
void conv_ref_backward_data(const conv_shape *s, int n, const double *y, const double *w, const double *bias,
                            double *x);
/* dw = Σ over samples and pixels, which the oracle adds in no particular order. */
void conv_ref_backward_weights(const conv_shape *s, int n, const double *x, const double *y, double *dw);

#endif
