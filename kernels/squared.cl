/* The squared difference of two batches and its gradient (host/ops/loss.h).
 *
 *   squared_blocks  a, b [n][features] -> partial [n][blocks], da [n][features] = slope (a - b) if GRADIENT
 *   squared_total   partial [n][blocks] -> metrics[at] = sum / n
 * float32, explicit arithmetic; a difference below 2^-50 counts as none, so that no square comes near the subnormals. The
 * order of the sum is part of the result: a block is BLOCK features of a sample, the last one fewer; in it lane i adds the
 * features i, i + LANES, ... in order, and the lanes are halved, upper half on lower; the blocks of a sample go by the tree
 * of tree.h, the samples in order. da may be a or b. Oracle: host/ops/ref/loss_ref.c.
 * A work-item of squared_blocks takes one block. squared_total is one work-group of GROUP items: samples are shared out in
 * chunks of CHUNK, then item 0 adds the chunk up in order. */
#include "explicit.h"
#include "tree.h"

#define BLOCK 256
#define LANES 16
#define SQUARED_TINY 0x1p-50f

#ifndef GRADIENT
#define GRADIENT 0
#endif
#ifndef GROUP
#define GROUP 1
#endif
#ifndef CHUNK
#define CHUNK 256
#endif

static inline FV difference_v(FV a, FV b)
{
    const FV d = a - b;
    return abs_v(d) < FV_ALL(SQUARED_TINY) ? FV_ALL(0.0f) : d;
}

static inline float difference_1(float a, float b)
{
    const float d = a - b;
    return abs_1(d) < SQUARED_TINY ? 0.0f : d;
}

__kernel void squared_blocks(__global const float *a, __global const float *b, __global float *da,
                             __global float *partial, int n, int features, float slope)
{
    const int blocks = (features + BLOCK - 1) / BLOCK;
    const size_t item = get_global_id(0);
    const int sample = (int)(item / blocks), first = (int)(item % blocks) * BLOCK;
    if (sample >= n) return;
    const int count = min(BLOCK, features - first), whole = count / LANES * LANES;
    const size_t at = (size_t)sample * features + first;
    float lane[LANES];
    FV sum[LANES / VW];
    for (int k = 0; k < LANES / VW; k++) sum[k] = FV_ALL(0.0f);
    for (int i = 0; i < whole; i += LANES)
        for (int k = 0; k < LANES / VW; k++) {
            const FV d = difference_v(VLOAD(k, a + at + i), VLOAD(k, b + at + i));
            sum[k] = fma(d, d, sum[k]);
            if (GRADIENT) VSTORE(d * FV_ALL(slope), k, da + at + i);
        }
    for (int k = 0; k < LANES / VW; k++) VSTORE_LANES(sum[k], k, lane);
    /* Unrolled, so that the lanes stay in registers. */
#pragma unroll
    for (int l = 0; l < LANES; l++)
        if (whole + l < count) {
            const size_t i = at + (size_t)(whole + l);
            const float d = difference_1(a[i], b[i]);
            lane[l] = fma(d, d, lane[l]);
            if (GRADIENT) da[i] = d * slope;
        }
#pragma unroll
    for (int left = LANES / 2; left; left /= 2)
#pragma unroll
        for (int k = 0; k < left; k++) lane[k] = lane[k] + lane[k + left];
    partial[item] = lane[0];
}

#define ONE(p) (*(p))
TREE_DEFINE(blocks_tree, float, ONE)

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
squared_total(__global const float *partial, __global float *metrics, int at, int n, int blocks)
{
    __local float sample[CHUNK];
    const int item = (int)get_local_id(0);
    float sum = 0.0f;
    for (int first = 0; first < n; first += CHUNK) {
        const int count = min(CHUNK, n - first);
        for (int k = item; k < count; k += GROUP)
            sample[k] = blocks_tree(partial + (size_t)(first + k) * blocks, 1, blocks);
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item == 0)
            for (int k = 0; k < count; k++) sum = add_1(sum, sample[k]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (item == 0) metrics[at] = div_1(sum, (float)n);
}
