/* Batch and group normalisation of x [n][pixels][channels], fused with the activation behind it (host/ops/norm.h).
 *
 *   xhat = (x - mean) rstd, y = f(gamma xhat + beta); g = dy f'
 *   dx = rstd (gamma g - A - xhat B), A and B the means of gamma g and of gamma g xhat over what shares the statistics
 *
 * channels: 1 (then VW is 1) or a multiple of 16, of which the first CHANNELS are real; float32. A `row` is what shares
 * statistics: a micro-batch (batch norm) or a sample (group norm: segment n, micro 1); statistics and the coefficients A
 * and B lie as [rows][channels], for group norm spread from [rows][groups]. Sums: per sample in order of pixels (group
 * norm: then of the channels of the group), then over the samples of the micro-batch in order, gradients of gamma and beta
 * then by the tree over micro-batches. Padded channels give zeros. Oracle: host/ops/ref/norm_ref.c.
 *
 * Arguments X with an X_at begin that many floats into their buffer (the scratch holds several arrays).
 *
 * The heavy kernels (sums, apply) are one pass over memory each. A work-item takes BLOCK vectors of channels of one sample,
 * in the apply kernels of `chunk` pixels of it; items are numbered channels first. */
#include "activation.h"
#include "tree.h"

#ifndef BLOCK /* vectors of channels per work-item: divides channels / VW */
#define BLOCK 1
#endif
#ifndef FROM_Y /* 1: the slope comes from y in memory; 0: its sign is recomputed from x, which saves reading y */
#define FROM_Y 1
#endif
#ifndef CHANNELS /* real channels, where padded ones must be set to zero because f(0) is not */
#define CHANNELS 0
#endif

#define EACH for (int k = 0; k < BLOCK; k++)

/* Row of a sample, and a batching as kernel arguments. */
#define BATCHING int n, int segment, int micro
static inline int row_of(int s, int segment, int micro)
{
    return s / segment * ((segment + micro - 1) / micro) + s % segment / micro;
}
/* First sample of a row and the one behind its last. */
static inline int row_first(int row, int segment, int micro)
{
    const int per_segment = (segment + micro - 1) / micro;
    return row / per_segment * segment + row % per_segment * micro;
}
static inline int row_end(int row, int segment, int micro)
{
    const int first = row_first(row, segment, micro);
    return min(first + micro, (first / segment + 1) * segment);
}

/* partial[s][c] = sum of x, or of (x - mean)^2 if `centred`. */
__kernel void norm_sums(__global const float *x, __global const float *mean, ulong mean_at, __global float *partial,
                        ulong partial_at, BATCHING, int pixels, int channels, int centred)
{
    const int blocks = channels / (VW * BLOCK);
    const size_t item = get_global_id(0);
    const int s = (int)(item / blocks), c = (int)(item % blocks) * (VW * BLOCK);
    if (s >= n) return;
    __global const float *p = x + (size_t)s * pixels * channels + c;
    FV sum[BLOCK], m[BLOCK];
    EACH sum[k] = FV_ALL(0.0f);
    if (centred) {
        EACH m[k] = VLOAD(k, mean + mean_at + (size_t)row_of(s, segment, micro) * channels + c);
        for (int i = 0; i < pixels; i++, p += channels) EACH
            {
                const FV a = VLOAD(k, p) - m[k];
                sum[k] = fma(a, a, sum[k]);
            }
    } else {
        for (int i = 0; i < pixels; i++, p += channels) EACH sum[k] = add_v(sum[k], VLOAD(k, p));
    }
    EACH VSTORE(sum[k], k, partial + partial_at + (size_t)s * channels + c);
}

/* Batch norm: out[row][c] = mean of the partials over pixels and samples, or 1/sqrt(that + epsilon) if `inverse`. */
__kernel void norm_batch_statistic(__global const float *partial, ulong partial_at, __global float *out, BATCHING,
                                   int pixels, int channels, int inverse, float epsilon)
{
    const int vectors = channels / VW;
    const int row = (int)(get_global_id(0) / vectors), c = (int)(get_global_id(0) % vectors) * VW;
    if (row >= n / segment * ((segment + micro - 1) / micro)) return;
    const int first = row_first(row, segment, micro), end = row_end(row, segment, micro);
    FV sum = FV_ALL(0.0f);
    for (int s = first; s < end; s++) sum = add_v(sum, VLOAD(0, partial + partial_at + (size_t)s * channels + c));
    FV v = div_v(sum, FV_ALL((float)(end - first) * (float)pixels));
    if (inverse) v = rsqrt_v(v + FV_ALL(epsilon));
    VSTORE(v, 0, out + (size_t)row * channels + c);
}

/* Group norm: the same per sample and group into out[s][group], and spread over the channels into wide[s][c]. */
__kernel void norm_group_statistic(__global float *scratch, ulong partial_at, ulong wide_at, __global float *out, int n,
                                   int pixels, int channels, int groups, int size, int inverse, float epsilon)
{
    const int s = (int)(get_global_id(0) / groups), g = (int)(get_global_id(0) % groups);
    if (s >= n) return;
    __global const float *p = scratch + partial_at + (size_t)s * channels + g * size;
    __global float *wide = scratch + wide_at;
    float sum = 0.0f;
    for (int k = 0; k < size; k++) sum = add_1(sum, p[k]);
    float v = div_1(sum, (float)size * (float)pixels);
    if (inverse) v = rsqrt_1(v + epsilon);
    out[(size_t)s * groups + g] = v;
    for (int k = 0; k < size; k++) wide[(size_t)s * channels + g * size + k] = v;
    if (g == groups - 1)
        for (int k = groups * size; k < channels; k++) wide[(size_t)s * channels + k] = 0.0f;
}

/* Group norm, backward: spreads statistics [s][group] over the channels again. */
__kernel void norm_group_spread(__global const float *narrow, __global float *wide, ulong wide_at, int n, int channels,
                                int groups, int size)
{
    const int s = (int)(get_global_id(0) / channels), k = (int)(get_global_id(0) % channels);
    if (s >= n) return;
    wide[wide_at + (size_t)s * channels + k] = k < groups * size ? narrow[(size_t)s * groups + k / size] : 0.0f;
}

/* Zero in padded channels for an f that is not zero at 0. */
static inline FV without_padding(FV y, int c)
{
#if CHANNELS
    float lanes[VW];
    VSTORE_LANES(y, 0, lanes);
    for (int l = 0; l < VW; l++) lanes[l] = c + l < CHANNELS ? lanes[l] : 0.0f;
    y = VLOAD(0, lanes);
#endif
    return y;
}

/* Where an item of the apply kernels works: sample, first channel, first and last pixel. */
#define APPLY_ITEM                                                                                                     \
    const int blocks = channels / (VW * BLOCK), chunks = (pixels + chunk - 1) / chunk;                                 \
    const size_t item = get_global_id(0);                                                                              \
    const int c = (int)(item % blocks) * (VW * BLOCK), first = (int)(item / blocks % chunks) * chunk;                  \
    const int s = (int)(item / ((size_t)blocks * chunks)), last = min(first + chunk, pixels);                          \
    if (s >= n) return;                                                                                                \
    const size_t at = ((size_t)s * pixels + first) * channels + c;

__kernel void norm_apply(__global const float *x, __global const float *gamma, __global const float *beta,
                         __global const float *mean, ulong mean_at, __global const float *rstd, ulong rstd_at,
                         __global float *y, BATCHING, int pixels, int channels, int chunk, float leak)
{
    APPLY_ITEM
    const size_t row = (size_t)row_of(s, segment, micro) * channels + c;
    FV m[BLOCK], r[BLOCK], w[BLOCK], b[BLOCK];
    EACH
    {
        m[k] = VLOAD(k, mean + mean_at + row);
        r[k] = VLOAD(k, rstd + rstd_at + row);
        w[k] = VLOAD(k, gamma + c);
        b[k] = VLOAD(k, beta + c);
    }
    __global const float *p = x + at;
    __global float *q = y + at;
    for (int i = first; i < last; i++, p += channels, q += channels) EACH
        {
            const FV z = fma(w[k], (VLOAD(k, p) - m[k]) * r[k], b[k]);
            VSTORE(without_padding(activation_v(z, leak), c + k * VW), k, q);
        }
}

/* With given mean and variance [channels]. */
__kernel void norm_apply_frozen(__global const float *x, __global const float *gamma, __global const float *beta,
                                __global const float *mean, __global const float *variance, __global float *y, int n,
                                int pixels, int channels, int chunk, float epsilon, float leak)
{
    APPLY_ITEM
    FV m[BLOCK], r[BLOCK], w[BLOCK], b[BLOCK];
    EACH
    {
        m[k] = VLOAD(k, mean + c);
        r[k] = rsqrt_v(VLOAD(k, variance + c) + FV_ALL(epsilon));
        w[k] = VLOAD(k, gamma + c);
        b[k] = VLOAD(k, beta + c);
    }
    __global const float *p = x + at;
    __global float *q = y + at;
    for (int i = first; i < last; i++, p += channels, q += channels) EACH
        {
            const FV z = fma(w[k], (VLOAD(k, p) - m[k]) * r[k], b[k]);
            VSTORE(without_padding(activation_v(z, leak), c + k * VW), k, q);
        }
}

/* Slope at one vector: from y, or from the sign of what f was applied to. */
#if FROM_Y
#define SLOPE(k) activation_slope_v(VLOAD(k, py), leak)
#define NEXT_Y py += channels
#else
#define SLOPE(k) activation_slope_v(fma(w[k], xhat, b[k]), leak)
#define NEXT_Y
#endif

/* Partials a[s][c] = sum of g, b[s][c] = sum of g xhat. */
__kernel void norm_backward_sums(__global const float *x, __global const float *y, __global const float *dy,
                                 __global const float *gamma, __global const float *beta, __global const float *mean,
                                 ulong mean_at, __global const float *rstd, ulong rstd_at, __global float *partial,
                                 ulong a_at, ulong b_at, BATCHING, int pixels, int channels, float leak)
{
    const int blocks = channels / (VW * BLOCK);
    const size_t item = get_global_id(0);
    const int s = (int)(item / blocks), c = (int)(item % blocks) * (VW * BLOCK);
    if (s >= n) return;
    const size_t at = (size_t)s * pixels * channels + c, row = (size_t)row_of(s, segment, micro) * channels + c;
    FV m[BLOCK], r[BLOCK], w[BLOCK], b[BLOCK], sum_a[BLOCK], sum_b[BLOCK];
    EACH
    {
        m[k] = VLOAD(k, mean + mean_at + row);
        r[k] = VLOAD(k, rstd + rstd_at + row);
        w[k] = VLOAD(k, gamma + c);
        b[k] = VLOAD(k, beta + c);
        sum_a[k] = sum_b[k] = FV_ALL(0.0f);
    }
    __global const float *px = x + at, *py = y + at, *pd = dy + at;
    for (int i = 0; i < pixels; i++) {
        EACH
        {
            const FV xhat = (VLOAD(k, px) - m[k]) * r[k];
            const FV g = VLOAD(k, pd) * SLOPE(k);
            sum_a[k] = add_v(sum_a[k], g);
            sum_b[k] = fma(g, xhat, sum_b[k]);
        }
        px += channels;
        pd += channels;
        NEXT_Y;
    }
    EACH
    {
        VSTORE(sum_a[k], k, partial + a_at + (size_t)s * channels + c);
        VSTORE(sum_b[k], k, partial + b_at + (size_t)s * channels + c);
    }
}

/* dbeta and dgamma from the partials a and b, and for batch norm (`coefficients`) A and B of every row. */
__kernel void norm_gradients(__global float *scratch, ulong a_at, ulong b_at, ulong coefficient_a_at,
                             ulong coefficient_b_at, __global const float *gamma, __global float *dgamma,
                             __global float *dbeta, BATCHING, int pixels, int channels, int coefficients)
{
    const int c = (int)get_global_id(0) * VW, rows = n / segment * ((segment + micro - 1) / micro);
    FV level_a[TREE_DEPTH], level_b[TREE_DEPTH], total;
    if (c >= channels) return;
    for (int row = 0; row < rows; row++) {
        const int first = row_first(row, segment, micro), end = row_end(row, segment, micro);
        FV sum_a = FV_ALL(0.0f), sum_b = FV_ALL(0.0f);
        for (int s = first; s < end; s++) {
            sum_a = add_v(sum_a, VLOAD(0, scratch + a_at + (size_t)s * channels + c));
            sum_b = add_v(sum_b, VLOAD(0, scratch + b_at + (size_t)s * channels + c));
        }
        TREE_PUSH(FV, level_a, row, sum_a);
        TREE_PUSH(FV, level_b, row, sum_b);
        if (coefficients) {
            const FV count = FV_ALL((float)(end - first) * (float)pixels), w = VLOAD(0, gamma + c);
            __global float *at = scratch + (size_t)row * channels + c;
            VSTORE(div_v(w * sum_a, count), 0, at + coefficient_a_at);
            VSTORE(div_v(w * sum_b, count), 0, at + coefficient_b_at);
        }
    }
    TREE_FINISH(FV, level_a, rows, total);
    VSTORE(total, 0, dbeta + c);
    TREE_FINISH(FV, level_b, rows, total);
    VSTORE(total, 0, dgamma + c);
}

/* Group norm: A and B of every sample and group, spread over the channels. */
__kernel void norm_group_coefficients(__global float *scratch, ulong a_at, ulong b_at, ulong coefficient_a_at,
                                      ulong coefficient_b_at, __global const float *gamma, int n, int pixels,
                                      int channels, int groups, int size)
{
    const int s = (int)(get_global_id(0) / groups), g = (int)(get_global_id(0) % groups);
    if (s >= n) return;
    __global float *p = scratch + (size_t)s * channels;
    const float count = (float)size * (float)pixels;
    float sum_a = 0.0f, sum_b = 0.0f;
    for (int k = g * size; k < (g + 1) * size; k++) {
        sum_a = fma(gamma[k], p[a_at + k], sum_a);
        sum_b = fma(gamma[k], p[b_at + k], sum_b);
    }
    sum_a = div_1(sum_a, count);
    sum_b = div_1(sum_b, count);
    const int end = g == groups - 1 ? channels : (g + 1) * size;
    for (int k = g * size; k < end; k++) {
        p[coefficient_a_at + k] = k < groups * size ? sum_a : 0.0f;
        p[coefficient_b_at + k] = k < groups * size ? sum_b : 0.0f;
    }
}

/* dx = rstd (gamma g - A - xhat B); dx and dy may be the same buffer. */
__kernel void norm_backward_apply(__global const float *x, __global const float *y, __global const float *dy,
                                  __global const float *gamma, __global const float *beta, __global const float *mean,
                                  ulong mean_at, __global const float *rstd, ulong rstd_at,
                                  __global const float *coefficient, ulong a_at, ulong b_at, __global float *dx,
                                  BATCHING, int pixels, int channels, int chunk, float leak)
{
    APPLY_ITEM
    const size_t row = (size_t)row_of(s, segment, micro) * channels + c;
    FV m[BLOCK], r[BLOCK], w[BLOCK], b[BLOCK], mean_g[BLOCK], mean_gx[BLOCK];
    EACH
    {
        m[k] = VLOAD(k, mean + mean_at + row);
        r[k] = VLOAD(k, rstd + rstd_at + row);
        w[k] = VLOAD(k, gamma + c);
        b[k] = VLOAD(k, beta + c);
        mean_g[k] = VLOAD(k, coefficient + a_at + row);
        mean_gx[k] = VLOAD(k, coefficient + b_at + row);
    }
    __global const float *px = x + at, *py = y + at, *pd = dy + at;
    __global float *q = dx + at;
    for (int i = first; i < last; i++) {
        EACH
        {
            const FV xhat = (VLOAD(k, px) - m[k]) * r[k];
            const FV g = VLOAD(k, pd) * SLOPE(k);
            VSTORE(fma(-xhat, mean_gx[k], fma(w[k], g, -mean_g[k])) * r[k], k, q);
        }
        px += channels;
        pd += channels;
        q += channels;
        NEXT_Y;
    }
}

/* dx = gamma rstd dy f'(y) with the given variance. */
__kernel void norm_backward_frozen(__global const float *y, __global const float *dy, __global const float *gamma,
                                   __global const float *variance, __global float *dx, int n, int pixels, int channels, int chunk,
                                   float epsilon, float leak)
{
    APPLY_ITEM
    FV scale[BLOCK];
    EACH scale[k] = VLOAD(k, gamma + c) * rsqrt_v(VLOAD(k, variance + c) + FV_ALL(epsilon));
    for (size_t i = at, end = at + (size_t)(last - first) * channels; i < end; i += channels) EACH
            VSTORE(VLOAD(k, dy + i) * activation_slope_v(VLOAD(k, y + i), leak) * scale[k], k, dx + i);
}

/* running = (1 - momentum) running + momentum (tree mean over the rows); the variance is got back from rstd and made
 * unbiased with the count of each row. `keep` is 1 - momentum. */
__kernel void norm_running(__global const float *mean, __global const float *rstd, __global float *running_mean,
                           __global float *running_var, BATCHING, int pixels, int channels, float epsilon,
                           float momentum, float keep)
{
    const int c = (int)get_global_id(0) * VW, rows = n / segment * ((segment + micro - 1) / micro);
    FV level_m[TREE_DEPTH], level_v[TREE_DEPTH], total_m, total_v;
    if (c >= channels) return;
    for (int row = 0; row < rows; row++) {
        const float count = (float)(row_end(row, segment, micro) - row_first(row, segment, micro)) * (float)pixels;
        const FV r = rcp_v(VLOAD(0, rstd + (size_t)row * channels + c));
        const FV v = max_v(fma(r, r, FV_ALL(-epsilon)), FV_ALL(0.0f));
        TREE_PUSH(FV, level_m, row, VLOAD(0, mean + (size_t)row * channels + c));
        TREE_PUSH(FV, level_v, row, v * FV_ALL(div_1(count, max_1(count - 1.0f, 1.0f))));
    }
    TREE_FINISH(FV, level_m, rows, total_m);
    TREE_FINISH(FV, level_v, rows, total_v);
    const FV share = FV_ALL(momentum);
    total_m = div_v(total_m, FV_ALL((float)rows));
    total_v = div_v(total_v, FV_ALL((float)rows));
    VSTORE(fma(FV_ALL(keep), VLOAD(0, running_mean + c), share * total_m), 0, running_mean + c);
    VSTORE(fma(FV_ALL(keep), VLOAD(0, running_var + c), share * total_v), 0, running_var + c);
}
