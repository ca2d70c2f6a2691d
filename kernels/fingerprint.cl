/* A fingerprint of the bits of an arena (host/ops/fingerprint.h), in integers: exact, the same in any order.
 *
 *   x uint32 [n] from `offset` on (floats by their bits), out uint32 [rows][2], of which row `row`:
 *     out[0] += sum over i of  bits (k G1 | 1)                          with k = first + i,
 *     out[1] += sum over i of  (bits ^ bits >> 15) ((k G2 ^ k >> 9) | 1)
 * modulo 2^32. The factors are odd, so that a change of one element always shows; a zero adds nothing, so that padding
 * does not count. Oracle: host/ops/ref/fingerprint_ref.c.
 * `items` work-items take blocks of BATCH vectors in turn; item 0 also takes what is left over a whole vector. */
#include "common.h"

#ifndef BATCH
#define BATCH 1
#endif

#define G1 0x9e3779b1u
#define G2 0x85ebca77u

#define SUMS(F, bits, k, a, b)                                                                                         \
    a += (bits) * (((k) * (F)(G1)) | (F)(1u));                                                                         \
    b += ((bits) ^ ((bits) >> (F)(15u))) * ((((k) * (F)(G2)) ^ ((k) >> (F)(9u))) | (F)(1u))

__kernel void fingerprint(__global const uint *x, __global uint *out, ulong offset, ulong n, uint first, uint items,
                          int row)
{
    const uint item = (uint)get_global_id(0);
    if (item >= items) return;
    x += offset;
    out += 2 * row;
    uint lanes[VW], others[VW], a = 0u, b = 0u;
    for (int l = 0; l < VW; l++) lanes[l] = (uint)l + first;
    const UV lane = VLOADU(0, lanes);
    UV sum_a = UV_ALL(0u), sum_b = UV_ALL(0u);
    const ulong vectors = n / VW;
    for (ulong block = (ulong)item * BATCH; block < vectors; block += (ulong)items * BATCH) {
        const ulong end = min(block + BATCH, vectors);
        for (ulong v = block; v < end; v++) {
            const UV bits = VLOADU(0, x + v * VW), k = lane + (uint)(v * VW);
            SUMS(UV, bits, k, sum_a, sum_b);
        }
    }
    for (ulong i = vectors * VW; item == 0 && i < n; i++) {
        const uint bits = x[i], k = first + (uint)i;
        SUMS(uint, bits, k, a, b);
    }
    VSTOREU(sum_a, 0, lanes);
    VSTOREU(sum_b, 0, others);
    for (int l = 0; l < VW; l++) {
        a += lanes[l];
        b += others[l];
    }
    atomic_add(out, a);
    atomic_add(out + 1, b);
}
