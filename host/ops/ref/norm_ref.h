/* Plain float64 oracles of ops/norm.h. Arrays as on the device, padded channels included, in double; statistics
 * [micro-batches][padded channels] (batch) or [samples][groups] (group). */
#ifndef OPS_REF_NORM_REF_H
#define OPS_REF_NORM_REF_H

#include "ops/norm.h"

void norm_ref_forward(const norm_shape *s, const batching *b, const double *x, const double *gamma, const double *beta,
                      double *mean, double *rstd, double *y);
/* From the definition of the forward pass: the derivative of Σ dy·y by x, gamma and beta. */
void norm_ref_backward(const norm_shape *s, const batching *b, const double *x, const double *y, const double *dy,
                       const double *gamma, const double *mean, const double *rstd, double *dx, double *dgamma,
                       double *dbeta);
void norm_ref_forward_frozen(const norm_shape *s, int n, const double *x, const double *gamma, const double *beta,
                             const double *running_mean, const double *running_var, double *y);
void norm_ref_backward_frozen(const norm_shape *s, int n, const double *y, const double *dy, const double *gamma,
                              const double *running_var, double *dx);
void norm_ref_running_update(const norm_shape *s, const batching *b, double momentum, const double *mean,
                             const double *rstd, double *running_mean, double *running_var);

#endif
