/* Pointwise activations and the gradient of a bias.
 *
 *   activation_apply     y[i] = f(x[i]), i < n                       float32; x and y may be the same buffer
 *   activation_gradient  dx[i] = dy[i] f'(y[i]), i < n               float32; dy and dx may be the same buffer
 *   bias_samples         partial[s][c] = sum over p of dy[s][p][c], in order of p
 *   bias_gradient        db[c]: the partials of a micro-batch in order of samples, then the tree over micro-batches
 * dy [n][pixels][channels], partial [n][channels], channels 1 or a multiple of 16 (then vectors run along them).
 * The function f is fixed by -DACTIVATION (activation.h). Oracle: host/ops/ref/activation_ref.c.
 * A work-item of the first two takes BATCH vectors, the last one fewer floats; of bias_samples up to BLOCK vectors of channels of
 * one sample (one channel: SAMPLES samples side by side, so that their sums do not wait for each other). */
#include "activation.h"
#include "tree.h"

#ifndef BATCH /* vectors per work-item of the pointwise kernels */
#define BATCH 1
#endif
#ifndef BLOCK /* vectors of channels per work-item, at most */
#define BLOCK 1
#endif
#ifndef SAMPLES /* samples per work-item where there is one channel */
#define SAMPLES 1
#endif

__kernel void activation_apply(__global const float *x, __global float *y, float leak, ulong n)
{
    ulong i = (ulong)get_global_id(0) * (BATCH * VW);
    for (int k = 0; k < BATCH && i + VW <= n; k++, i += VW) VSTORE(activation_v(VLOAD(0, x + i), leak), 0, y + i);
    const ulong end = min(n, ((ulong)get_global_id(0) + 1) * (BATCH * VW));
    for (; i < end; i++) y[i] = activation_1(x[i], leak);
}

__kernel void activation_gradient(__global const float *y, __global const float *dy, __global float *dx, float leak,
                                  ulong n)
{
    ulong i = (ulong)get_global_id(0) * (BATCH * VW);
    for (int k = 0; k < BATCH && i + VW <= n; k++, i += VW)
        VSTORE(VLOAD(0, dy + i) * activation_slope_v(VLOAD(0, y + i), leak), 0, dx + i);
    const ulong end = min(n, ((ulong)get_global_id(0) + 1) * (BATCH * VW));
    for (; i < end; i++) dx[i] = dy[i] * activation_slope_1(y[i], leak);
}

__kernel void bias_samples(__global const float *dy, __global float *partial, int n, int pixels, int channels)
{
    const int vectors = channels / VW, blocks = (vectors + BLOCK - 1) / BLOCK;
    const size_t item = get_global_id(0);
    const int s = (int)(item / blocks), first = (int)(item % blocks) * BLOCK;
    if (s >= n) return;
    __global const float *p = dy + (size_t)s * pixels * channels + first * VW;
    FV sum[BLOCK];
#pragma unroll
    for (int k = 0; k < BLOCK; k++) sum[k] = FV_ALL(0.0f);
    for (int i = 0; i < pixels; i++, p += channels)
#pragma unroll
        for (int k = 0; k < BLOCK; k++)
            if (first + k < vectors) sum[k] = add_v(sum[k], VLOAD(k, p));
#pragma unroll
    for (int k = 0; k < BLOCK; k++)
        if (first + k < vectors) VSTORE(sum[k], first + k, partial + (size_t)s * channels);
}

__kernel void bias_samples_single(__global const float *dy, __global float *partial, int n, int pixels)
{
    const int first = (int)get_global_id(0) * SAMPLES;
    float sum[SAMPLES];
    if (first >= n) return;
    for (int k = 0; k < SAMPLES; k++) sum[k] = 0.0f;
    /* The last samples are summed again rather than read beyond the end. */
    for (int i = 0; i < pixels; i++)
        for (int k = 0; k < SAMPLES; k++) sum[k] = add_1(sum[k], dy[(size_t)min(first + k, n - 1) * pixels + i]);
    for (int k = 0; k < SAMPLES && first + k < n; k++) partial[first + k] = sum[k];
}

__kernel void bias_gradient(__global const float *partial, __global float *db, int n, int segment, int micro,
                            int channels)
{
    const int c = (int)get_global_id(0) * VW;
    FV level[TREE_DEPTH], total;
    int index = 0;
    if (c >= channels) return;
    for (int from = 0; from < n; from += segment)
        for (int first = 0; first < segment; first += micro, index++) {
            FV sum = FV_ALL(0.0f);
            const int last = min(first + micro, segment);
            for (int s = from + first; s < from + last; s++) sum = add_v(sum, VLOAD(0, partial + (size_t)s * channels + c));
            TREE_PUSH(FV, level, index, sum);
        }
    TREE_FINISH(FV, level, index, total);
    VSTORE(total, 0, db + c);
}
