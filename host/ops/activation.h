/* Pointwise activations and the bias gradient. */
#ifndef OPS_ACTIVATION_H
#define OPS_ACTIVATION_H

#include "device/kernel.h"
#include "ops/layout.h"

typedef enum { ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_LEAKY, ACTIVATION_TANH, ACTIVATION_SIGMOID } activation;

/* y = f(x); x and y may be the same buffer. count floats (any). Leaky: x < 0 → leak · x. */
status activation_forward(context *c, device *d, activation f, float leak, size_t count, buffer *x, buffer *y);
/* dx = dy · f′, f′ from the output y; dy and dx may be the same buffer. */
status activation_backward(context *c, device *d, activation f, float leak, size_t count, buffer *y, buffer *dy,
                           buffer *dx);

/* db [channels] = Σ over samples and pixels of dy [n][pixels][channels] (channels padded): within a sample in order of
 * pixels, within a micro-batch in order of samples, then the tree over micro-batches. */
size_t bias_scratch_bytes(const batching *b, int channels);
status bias_backward(context *c, device *d, const batching *b, int pixels, int channels, buffer *dy, buffer *scratch,
                     buffer *db);

#endif
