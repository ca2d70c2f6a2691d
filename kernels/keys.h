/* Floats as integers of the same order: comparisons of these are exact, and the same on every device. */
#ifndef COSMOCL_KEYS_H
#define COSMOCL_KEYS_H

#include "common.h"

/* Of the bits of a float that is no NaN: -0 and 0 are equal. */
static inline int key(int bits) { return bits < 0 ? -(bits & 0x7fffffff) : bits; }

static inline IV key_vector(IV bits)
{
    const IV below = -(bits & IV_ALL(0x7fffffff));
#if VW == 1
    return bits < 0 ? below : bits;
#else
    return select(bits, below, bits < IV_ALL(0));
#endif
}

#endif
