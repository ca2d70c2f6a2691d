/* Plain float64 oracles of ops/loss.h; label flips by base/rng.h. metrics: one row of LOSS_COLUMNS. */
#ifndef OPS_REF_LOSS_REF_H
#define OPS_REF_LOSS_REF_H

#include "ops/loss.h"

/* ln(1 + e^x) without overflow. */
double loss_ref_softplus(double x);
void loss_ref_discriminator(int batch, float noise, uint64_t seed, uint64_t step, const double *logits, double *dlogits,
                            double *metrics);
void loss_ref_generator(int batch, bool saturating, const double *logits, double *dlogits, double *metrics);

/* Returns the loss; da may be NULL. */
double loss_ref_squared(int n, int features, const double *a, const double *b, double *da);

#endif
