/* Philox4x32-10 (Salmon et al. 2011), the words of rng_block in host/base/rng.h: counter (low index, high index, sub,
 * stream) under the key seed. For scalars and for VW counters side by side. */
#ifndef COSMOCL_PHILOX_H
#define COSMOCL_PHILOX_H

#include "common.h"

#define PHILOX(N, U)                                                                                                   \
    /* x: the counter on entry, the random words on return. */                                                         \
    static inline void philox_##N(ulong seed, U x[4])                                                                  \
    {                                                                                                                  \
        uint key0 = (uint)seed, key1 = (uint)(seed >> 32);                                                             \
        for (int i = 0; i < 10; i++) {                                                                                 \
            const U low0 = x[0] * 0xd2511f53u, high0 = mul_hi(x[0], (U)(0xd2511f53u));                                 \
            const U low1 = x[2] * 0xcd9e8d57u, high1 = mul_hi(x[2], (U)(0xcd9e8d57u));                                 \
            x[0] = high1 ^ x[1] ^ key0;                                                                                \
            x[1] = low1;                                                                                               \
            x[2] = high0 ^ x[3] ^ key1;                                                                                \
            x[3] = low0;                                                                                               \
            key0 += 0x9e3779b9u;                                                                                       \
            key1 += 0xbb67ae85u;                                                                                       \
        }                                                                                                              \
    }

PHILOX(1, uint)
PHILOX(v, UV)

#endif
