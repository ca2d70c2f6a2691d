/* Binary cross entropy from logits (stable), with label noise, and its gradient; spec section 4. One logit a sample. */
#ifndef OPS_LOSS_H
#define OPS_LOSS_H

#include <stdbool.h>
#include "device/kernel.h"

/* What a step reports, one row of LOSS_COLUMNS floats in the metrics buffer, filled column by column by the calls
 * below: L_D, L_G, D's accuracy on real samples (share of logits > 0), on generated ones (share < 0), as D's update saw
 * them. */
enum { LOSS_D, LOSS_G, LOSS_ACCURACY_REAL, LOSS_ACCURACY_GENERATED, LOSS_COLUMNS };

/* Discriminator: logits [2 · batch], first real, then generated; L_D = ½ mean bce(real, 1) + ½ mean bce(generated, 0),
 * each label flipped with probability `noise` (uniform from Philox (seed, RNG_LABEL, index = step · 2 batch + sample)).
 * dlogits[i] = ½ (σ(l) − label)/batch. Sums in order of samples. */
status loss_discriminator(context *c, device *d, int batch, float noise, uint64_t seed, uint64_t step, buffer *logits,
                          buffer *dlogits, buffer *metrics, int row);
/* Generator: logits [batch] of generated samples. saturating (eq. 5): L_G = ½ mean ln(1 − σ(l)) (the part of −L_D that
 * depends on G); else ½ mean bce(l, 1). */
status loss_generator(context *c, device *d, int batch, bool saturating, buffer *logits, buffer *dlogits,
                      buffer *metrics, int row);

#endif
