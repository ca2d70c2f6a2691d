/* Oracle of dense layers (ops/dense.h) in double. Layouts and padding as on the device, values as doubles. */
#ifndef OPS_REF_DENSE_REF_H
#define OPS_REF_DENSE_REF_H

#include "ops/dense.h"

/* y [n][out] = bias + x W; bias may be NULL. */
void dense_ref_forward(const dense_shape *s, int n, const double *x, const double *w, const double *bias, double *y);
/* dx [n][in] = dy Wᵀ. */
void dense_ref_backward_data(const dense_shape *s, int n, const double *dy, const double *w, double *dx);
/* dw [in][out] = xᵀ dy. */
void dense_ref_backward_weights(const dense_shape *s, int n, const double *x, const double *dy, double *dw);

#endif
