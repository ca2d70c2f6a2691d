/* Losses and their gradients (spec section 4): binary cross entropy from logits (stable), with label noise, one logit a
 * sample; and the squared difference of two batches. */
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

/* metrics[at] = mean over the n samples of Σ (a − b)² over the features, a and b [n][features] (padding, zero in both,
 * adds nothing); da = 2 (a − b)/n unless NULL, and may be a or b. Features in fixed blocks, blocks in a tree, samples
 * in order; a difference below 2⁻⁵⁰ counts as none. */
size_t loss_squared_scratch_bytes(int n, int features);
status loss_squared(context *c, device *d, int n, int features, buffer *a, buffer *b, buffer *scratch, buffer *da,
                    buffer *metrics, int at);

#endif
