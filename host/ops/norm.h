/* Batch and group normalisation of x [n][pixels][channels] (padded channels), fused with the activation behind it:
 *   xhat = (x − mean) · rstd,  y = f(gamma · xhat + beta),  rstd = 1/√(var + epsilon), var biased.
 * Batch: mean and var per micro-batch and channel. Group: per sample and group of channels (channels/groups each).
 * Statistics in two passes (mean, then centred squares): per sample in order of pixels (group: then of channels), then
 * over the samples of the micro-batch in order. Padded channels have gamma = beta = 0 and stay zero. */
#ifndef OPS_NORM_H
#define OPS_NORM_H

#include "device/kernel.h"
#include "ops/activation.h"
#include "ops/layout.h"

typedef enum { NORM_NONE, NORM_BATCH, NORM_GROUP } norm_kind;

typedef struct {
    norm_kind kind;
    int pixels, channels; /* channels unpadded; memory is padded */
    int groups;           /* NORM_GROUP: divides channels */
    float epsilon;        /* 1e-5 */
    activation f;
    float leak;
} norm_shape;

/* Floats in each of `mean` and `rstd` that forward fills and backward reads: micro-batches × padded channels, or
 * samples × groups. */
size_t norm_statistics_count(const norm_shape *s, const batching *b);
size_t norm_scratch_bytes(const norm_shape *s, const batching *b);

status norm_forward(context *c, device *d, const norm_shape *s, const batching *b, buffer *x, buffer *gamma,
                    buffer *beta, buffer *mean, buffer *rstd, buffer *scratch, buffer *y);
/* With given statistics [padded channels] (running mean and variance) instead of the batch's. NORM_BATCH only. */
status norm_forward_frozen(context *c, device *d, const norm_shape *s, int n, buffer *x, buffer *gamma, buffer *beta,
                           buffer *running_mean, buffer *running_var, buffer *y);
/* From x, y and dy: dx, dgamma, dbeta (sums over micro-batches in the tree). dx may be dy. dgamma and dbeta may be NULL
 * with group normalisation, whose dx needs no sum over samples. */
status norm_backward(context *c, device *d, const norm_shape *s, const batching *b, buffer *x, buffer *y, buffer *dy,
                     buffer *gamma, buffer *beta, buffer *mean, buffer *rstd, buffer *scratch, buffer *dx,
                     buffer *dgamma, buffer *dbeta);
/* Backward through norm_forward_frozen: dx only. */
status norm_backward_frozen(context *c, device *d, const norm_shape *s, int n, buffer *y, buffer *dy, buffer *gamma,
                            buffer *running_var, buffer *dx);
/* running ← (1 − momentum) running + momentum · (tree mean over micro-batches of the statistics); the variance unbiased
 * (count / (count − 1)), count = samples of the micro-batch × pixels, recovered from rstd. NORM_BATCH only. */
status norm_running_update(context *c, device *d, const norm_shape *s, const batching *b, float momentum, buffer *mean,
                           buffer *rstd, buffer *running_mean, buffer *running_var);

#endif
