/* The densest pixels of images as masks, and how many pixels two masks share (host/ops/overlap.h). Integers alone: the
 * same on every device, whatever VW and ITEMS. x float32 [n][pixels] as its bits, finite.
 *
 *   digits   radix selection, the digits of 8 bits of rank(x) from the top: counts uint32 [parts][THRESHOLDS + 1][256] +=
 *            values begin ... end - 1 by their digit number `level` and by slot. A part is `size` of them. Slots are the
 *            beginnings (digits before this one) that are still searched; `next` uchar [3][THRESHOLDS + 1][256] gives
 *            from slot and digit the slot of the next level, THRESHOLDS where nobody searches. next_stride: bytes from
 *            part to part of `next`, 0 where all search alike.
 *   masks    bits uint32 [THRESHOLDS][images][words], of image first + get_global_id(1): bit b of word 16 g + w is set
 *            where pixel 512 g + 16 b + w has key >= keys[...][threshold] (so that a vector of words takes vectors of
 *            pixels); beyond the last pixel 0. key_stride: keys from image to image, 0 where all have the same.
 *   common   out uint32 [pairs][THRESHOLDS] += bits set in both a[threshold][pair.x] and b[threshold][pair.y].
 *
 * Oracle: host/ops/ref/overlap_ref.c. */
#include "keys.h"

/* Work-items that share a part or a pair: 1 on CPUs, where then no atomics are needed. */
#ifndef ITEMS
#define ITEMS 1
#endif
/* Pairs that a work-item takes. */
#ifndef PAIRS
#define PAIRS 16
#endif
/* Masks per image. */
#ifndef THRESHOLDS
#define THRESHOLDS 1
#endif

#if ITEMS == 1
#define ADD(p, n) (*(p) += (n))
#else
#define ADD(p, n) atomic_add(p, n)
#endif

#define SLOTS (THRESHOLDS + 1)
#define GROUP 16

/* The key from 0 up. */
static inline uint rank(int bits) { return (uint)key(bits) ^ 0x80000000u; }

/* Global size (ITEMS, parts). */
__kernel void digits(__global const int *x, ulong begin, ulong end, ulong size, __global const uchar *next, uint next_stride,
                     int level, __global uint *counts)
{
    const size_t part = get_global_id(1);
    const ulong start = begin + part * size, stop = min(end, start + size);
    __global const uchar *table = next + part * (size_t)next_stride;
    __global uint *c = counts + part * (size_t)(SLOTS * 256);
#if ITEMS == 1
    if (level == 0) {
        uint four[4][256];
        for (int k = 0; k < 256; k++) four[0][k] = four[1][k] = four[2][k] = four[3][k] = 0;
        for (ulong i = start; i < stop; i++) four[i & 3][rank(x[i]) >> 24]++;
        for (int k = 0; k < 256; k++) c[k] += four[0][k] + four[1][k] + four[2][k] + four[3][k];
        return;
    }
#endif
    for (ulong i = start + get_global_id(0); i < stop; i += ITEMS) {
        const uint r = rank(x[i]);
        uint slot = 0;
        for (int l = 0; l < level; l++) slot = table[((uint)l * SLOTS + slot) * 256u + (r >> (24 - 8 * l) & 255u)];
        if (slot < THRESHOLDS) ADD(c + slot * 256u + (r >> (24 - 8 * level) & 255u), 1u);
    }
}

/* The keys of pixels p ... p + VW - 1 of an image; below every threshold beyond its last pixel. */
static inline IV keys_at(__global const int *x, uint p, uint pixels)
{
    if (p + VW <= pixels) return key_vector(VLOAD(0, x + p));
    int k[VW];
    for (uint i = 0; i < VW; i++) k[i] = p + i < pixels ? key(x[p + i]) : (int)0x80000000;
    return VLOAD(0, k);
}

/* Global size (words / VW, images of the batch). */
__kernel void masks(__global const int *x, uint pixels, __global const int *keys, uint key_stride, uint words, ulong first,
                    ulong images, __global uint *bits)
{
    const uint word = (uint)get_global_id(0) * VW;
    const size_t here = get_global_id(1), image = (size_t)first + here;
    const uint start = word / GROUP * (GROUP * 32) + word % GROUP;
    __global const int *p = x + here * (size_t)pixels;
    __global const int *k = keys + here * (size_t)key_stride;
    UV m[THRESHOLDS];
    for (int t = 0; t < THRESHOLDS; t++) m[t] = UV_ALL(0u);
    for (uint b = 0; b < 32 && start + b * GROUP < pixels; b++) {
        const IV v = keys_at(p, start + b * GROUP, pixels);
        for (int t = 0; t < THRESHOLDS; t++) {
#if VW == 1
            m[t] |= v >= k[t] ? 1u << b : 0u;
#else
            m[t] |= AS_UV(v >= IV_ALL(k[t])) & UV_ALL(1u << b);
#endif
        }
    }
    for (int t = 0; t < THRESHOLDS; t++) VSTOREU(m[t], 0, bits + ((size_t)t * (size_t)images + image) * words + word);
}

/* Sums of three bits: the carry and the bit that stays. */
#define ADD3(carry, stays, a, b, c)                                                                                    \
    do {                                                                                                               \
        const UV add_a = (a), add_b = (b), add_c = (c), add_u = add_a ^ add_b;                                         \
        (carry) = (add_a & add_b) | (add_u & add_c);                                                                   \
        (stays) = add_u ^ add_c;                                                                                       \
    } while (0)

/* Bits set of each byte, by plain arithmetic: the built-in is no vector instruction where it should be one. */
static inline UV ones_of(UV v)
{
    v = v - ((v >> 1) & UV_ALL(0x55555555u));
    v = (v & UV_ALL(0x33333333u)) + ((v >> 2) & UV_ALL(0x33333333u));
    return (v + (v >> 4)) & UV_ALL(0x0f0f0f0fu);
}

/* Sum of the four bytes of each lane. */
static inline UV sum_of_bytes(UV v)
{
    v = (v & UV_ALL(0x00ff00ffu)) + ((v >> 8) & UV_ALL(0x00ff00ffu));
    return (v + (v >> 16)) & UV_ALL(0x0000ffffu);
}

static inline uint sum_of_lanes(UV v)
{
#if VW == 1
    return v;
#elif VW == 2
    return v.x + v.y;
#else
#if VW == 16
    const uint8 eight = v.lo + v.hi;
    const uint4 four = eight.lo + eight.hi;
#elif VW == 8
    const uint4 four = v.lo + v.hi;
#else
    const uint4 four = v;
#endif
    const uint2 two = four.lo + four.hi;
    return two.x + two.y;
#endif
}

/* Words of a mask come in whole groups, so that every vector of them lies at a multiple of its size; read so, since PoCL takes
 * vload of integers apart into words of 64 bits. */
#define WORDS(p) (*(__global const UV *)(p))
#define BOTH(i) (WORDS(a + (i)) & WORDS(b + (i)))
#define STEP (VW * ITEMS)

/* Eight vectors are added bit by bit (Harley and Seal), so that bits are counted of one vector in eight. */
static inline uint shared_bits(__global const uint *a, __global const uint *b, uint words)
{
    UV one = UV_ALL(0u), two = UV_ALL(0u), four = UV_ALL(0u), eights = UV_ALL(0u), count = UV_ALL(0u);
    uint i = (uint)get_global_id(0) * VW, turns = 0;
    for (; i + 7 * STEP < words; i += 8 * STEP) {
        UV two_a, two_b, four_a, four_b, eight;
        ADD3(two_a, one, one, BOTH(i), BOTH(i + STEP));
        ADD3(two_b, one, one, BOTH(i + 2 * STEP), BOTH(i + 3 * STEP));
        ADD3(four_a, two, two, two_a, two_b);
        ADD3(two_a, one, one, BOTH(i + 4 * STEP), BOTH(i + 5 * STEP));
        ADD3(two_b, one, one, BOTH(i + 6 * STEP), BOTH(i + 7 * STEP));
        ADD3(four_b, two, two, two_a, two_b);
        ADD3(eight, four, four, four_a, four_b);
        eights += ones_of(eight);
        if (++turns % 16) continue; /* a byte holds 31 of them */
        count += sum_of_bytes(eights) << 3;
        eights = UV_ALL(0u);
    }
    count += (sum_of_bytes(eights) << 3) + sum_of_bytes((ones_of(four) << 2) + (ones_of(two) << 1) + ones_of(one));
    for (; i < words; i += STEP) count += sum_of_bytes(ones_of(BOTH(i)));
    return sum_of_lanes(count);
}

/* Global size (ITEMS, pairs / PAIRS rounded up, THRESHOLDS); thresholds apart, so that what is read again is near. */
__kernel void common(__global const uint *a, ulong images_a, __global const uint *b, ulong images_b, uint words,
                     __global const uint *pairs, uint count, __global uint *out)
{
    const size_t t = get_global_id(2);
    const uint first = (uint)get_global_id(1) * PAIRS, end = min(count, first + PAIRS);
    for (uint p = first; p < end; p++) {
        const uint2 pair = vload2(p, pairs);
        ADD(out + (size_t)p * THRESHOLDS + t, shared_bits(a + (t * (size_t)images_a + pair.x) * words,
                                                          b + (t * (size_t)images_b + pair.y) * words, words));
    }
}
