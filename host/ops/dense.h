/* Dense layers: y [n][out] = bias + x [n][in] W [in][out], rows padded as layout.h (in and out: 1 or multiples of 16).
 * Sums over `in` in order with fma from zero, then the bias; where out is 1, 16 partial sums and the tree of lanes as
 * in conv.h. Weight gradients: by micro-batch in order of samples, then the tree. */
#ifndef OPS_DENSE_H
#define OPS_DENSE_H

#include "device/kernel.h"
#include "ops/layout.h"

typedef struct {
    int in, out; /* unpadded */
} dense_shape;

typedef struct dense_plan dense_plan;
status dense_plan_new(context *c, device *d, const dense_shape *s, int max_samples, int max_micro_batches,
                      dense_plan **out);
void dense_plan_delete(dense_plan **p);
size_t dense_weight_count(const dense_shape *s); /* padded in × padded out */

status dense_forward(context *c, dense_plan *p, int n, buffer *x, buffer *w, buffer *bias, buffer *y);
status dense_backward_data(context *c, dense_plan *p, int n, buffer *dy, buffer *w, buffer *dx);
status dense_backward_weights(context *c, dense_plan *p, const batching *b, buffer *x, buffer *dy, buffer *dw);

#endif
