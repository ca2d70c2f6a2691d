/* peak_copy: y = x, n vectors, BATCH by each work-item: the most that memory can do.
 * peak: independent chains of fused multiply-adds in registers, the most that a device can do.
 *
 * out [work-items] gets the sum of the chains, so that nothing is optimised away: each of CHAINS vectors of VW floats starts at
 * its number and is multiplied by `a` and increased by `b`, `rounds` times. FLOP: work-items · rounds · CHAINS · VW · 2.
 * No oracle: it computes nothing anyone needs. */
#include "common.h"

#ifndef CHAINS
#define CHAINS 16
#endif

#ifndef BATCH
#define BATCH 1
#endif

__kernel void peak_copy(__global const float *restrict x, __global float *restrict y, int n)
{
    const int first = get_global_id(0) * BATCH, end = min(first + BATCH, n);
    for (int i = first; i < end; i++) VSTORE(VLOAD(i, x), i, y);
}

__kernel void peak(__global float *restrict out, float a, float b, int rounds)
{
    FV x[CHAINS], p = FV_ALL(a), q = FV_ALL(b), sum = FV_ALL(0.0f);
#pragma unroll
    for (int i = 0; i < CHAINS; i++) x[i] = FV_ALL((float)i + (float)get_global_id(0));
    for (int r = 0; r < rounds; r++)
#pragma unroll
        for (int i = 0; i < CHAINS; i++) x[i] = fma(x[i], p, q);
#pragma unroll
    for (int i = 0; i < CHAINS; i++) sum = sum + x[i];
    float s[VW];
    VSTORE_LANES(sum, 0, s);
    float total = 0.0f;
    for (int i = 0; i < VW; i++) total = total + s[i];
    out[get_global_id(0)] = total;
}
