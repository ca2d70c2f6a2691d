/* A VW x VW block in registers becomes its transpose: each of log2(VW) rounds interleaves row i with row i + VW / 2. Moves
 * only. Needs common.h. */
#ifndef CONV_TRANSPOSE_H
#define CONV_TRANSPOSE_H

static inline void block_transpose(FV r[VW])
{
#if VW > 1
#pragma unroll
    for (int round = 1; round < VW; round *= 2) {
        FV t[VW];
#pragma unroll
        for (int i = 0; i < VW / 2; i++) {
            t[2 * i].even = r[i].lo, t[2 * i].odd = r[i + VW / 2].lo;
            t[2 * i + 1].even = r[i].hi, t[2 * i + 1].odd = r[i + VW / 2].hi;
        }
#pragma unroll
        for (int i = 0; i < VW; i++) r[i] = t[i];
    }
#endif
}

#endif
