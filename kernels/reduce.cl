/* Reductions of images to statistics (host/ops/reduce.c). x float32 [n][side][side], finite values of any size.
 *
 *   rows       row statistics, int32 [n][side][4]: exponent e of the row's largest |x|, hi and lo of the compensated sum
 *              of x 2^-e (as float bits), and the column of the first value that is not finite, or -1. Sixteen sums,
 *              number l over the columns l, l + 16, ... in order, then over the sixteen in order; zeros behind the row.
 *              hi + lo holds the exact sum to about 2^-44 of sum |x|.
 *   centre     out = x scale - shift with (scale, shift) per image, float32 [n][2]; scale is a power of two.
 *   histogram  counts uint32 [n][bins + 2] += pixels per bin; the first bin is below all thresholds, the last above.
 *   peaks      the same of the pixels strictly above their eight neighbours, those of the border excluded.
 *   levels     uint32 [n][side][side]: how many thresholds are <= the pixel's key.
 *   minkowski  uint32 [n][4][bins + 2] += by level: pixels; edges and vertices of the closed pixels, by the largest level
 *              of the pixels that touch them; and edges on the border of the image.
 *
 * Bins: thresholds int32 [bins + 1], ascending keys (see key) above zero; a value lies in the bin whose number is how many
 * thresholds are <= its key. `starts` uint32 [CELLS + 1] narrows the search: entry i is how many thresholds are below
 * i 2^CELL_BITS. All comparisons are of integers, so neither rounding nor flushed subnormals play a part, and all counts
 * are sums of integers, in any order: the same on every device.
 * Oracle: host/ops/ref/reduce_ref.c. */
#include "keys.h"

/* Work-items that share an image in histogram and peaks: 1 on CPUs, where then no atomics are needed. */
#ifndef ITEMS
#define ITEMS 1
#endif

#if ITEMS == 1
#define COUNT(p) ((*(p))++)
#else
#define COUNT(p) atomic_inc(p)
#endif

/* Keys of finite values share a cell where they agree but for the last 17 bits: 64 cells an octave. */
#define CELL_BITS 17

static inline uint bin_of(int k, __global const int *thresholds, __global const uint *starts)
{
    if (k < 0) return 0;
    uint low = starts[k >> CELL_BITS], high = starts[(k >> CELL_BITS) + 1];
    while (low < high) {
        const uint middle = (low + high) / 2;
        if (thresholds[middle] <= k) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Sixteen columns of a row from i on, zeros behind its end. */
static inline float16 columns(__global const float *row, int i, int side)
{
    if (i + 16 <= side) return vload16(0, row + i);
    float v[16];
    for (int l = 0; l < 16; l++) v[l] = i + l < side ? row[i + l] : 0.0f;
    return vload16(0, v);
}

static int first_not_finite(__global const float *row, int side)
{
    for (int i = 0; i < side; i++)
        if ((as_int(row[i]) & 0x7fffffff) >= 0x7f800000) return i;
    return -1;
}

/* Global size (side, n). */
__kernel void rows(__global const float *x, __global int *out, int side)
{
    const size_t row = get_global_id(1) * (size_t)side + get_global_id(0);
    __global const float *p = x + row * (size_t)side;
    int16 magnitudes = (int16)(0);
    for (int i = 0; i < side; i += 16) magnitudes = max(magnitudes, as_int16(columns(p, i, side)) & (int16)(0x7fffffff));
    const int8 eight = max(magnitudes.lo, magnitudes.hi);
    const int4 four = max(eight.lo, eight.hi);
    const int largest = max(max(four.x, four.y), max(four.z, four.w));
    const int bad = largest >= 0x7f800000 ? first_not_finite(p, side) : -1;
    /* Sums of scaled values neither overflow nor lose small ones to a flush. */
    const int e = clamp((largest >> 23) - 127, -126, 126);
    const float scale = as_float((127 - e) << 23);
    float16 sums = (float16)(0.0f), rests = (float16)(0.0f);
    for (int i = 0; i < side; i += 16) {
        const float16 v = columns(p, i, side) * (float16)(scale), sum = sums + v, part = sum - sums;
        rests += (sums - (sum - part)) + (v - part);
        sums = sum;
    }
    float high[16], low[16], hi = 0.0f, lo = 0.0f;
    vstore16(sums, 0, high);
    vstore16(rests, 0, low);
    for (int l = 0; l < 16; l++) {
        const float sum = hi + high[l], part = sum - hi;
        lo += (hi - (sum - part)) + (high[l] - part) + low[l];
        hi = sum;
    }
    vstore4((int4)(e, as_int(hi), as_int(lo), bad), row, out);
}

/* Global size (pixels, n). */
__kernel void centre(__global const float *x, __global const float *parameters, __global float *out)
{
    const size_t image = get_global_id(1), i = image * get_global_size(0) + get_global_id(0);
    out[i] = fma(x[i], parameters[2 * image], -parameters[2 * image + 1]);
}

/* Global size (ITEMS, n). */
__kernel void histogram(__global const int *x, __global const int *thresholds, __global const uint *starts, int bins, int side,
                        __global uint *counts)
{
    const size_t image = get_global_id(1), pixels = (size_t)side * (size_t)side;
    __global const int *p = x + image * pixels;
    __global uint *c = counts + image * (size_t)(bins + 2);
    for (size_t i = get_global_id(0); i < pixels; i += ITEMS)
        COUNT(c + bin_of(key(p[i]), thresholds, starts));
}

/* The largest key of the eight neighbours of each of VW pixels. */
static inline IV around(__global const int *up, __global const int *here, __global const int *down)
{
#define KEYS(p) key_vector(VLOAD(0, p))
    const IV above = max(max(KEYS(up - 1), KEYS(up)), KEYS(up + 1));
    const IV below = max(max(KEYS(down - 1), KEYS(down)), KEYS(down + 1));
    return max(max(above, below), max(KEYS(here - 1), KEYS(here + 1)));
#undef KEYS
}

/* Vectors of pixels, of at most side - 2; the last of a row laps over what is done. Global size (ITEMS, n). */
__kernel void peaks(__global const int *x, __global const int *thresholds, __global const uint *starts, int bins, int side,
                    __global uint *counts)
{
    const size_t image = get_global_id(1), s = (size_t)side;
    __global const int *p = x + image * s * s;
    __global uint *c = counts + image * (size_t)(bins + 2);
    const int last = side - 1 - VW; /* where the last vector of a row begins */
    for (int y = 1; y < side - 1; y++) {
        __global const int *row = p + (size_t)y * s;
        for (int i = 1 + (int)get_global_id(0) * VW; i < side - 1; i += ITEMS * VW) {
            const int from = min(i, last);
            __global const int *here = row + from;
            int k[VW], most[VW];
            VSTOREU(key_vector(VLOAD(0, here)), 0, k);
            VSTORE_LANES(around(here - s, here, here + s), 0, most);
            for (int l = i - from; l < VW; l++)
                if (most[l] < k[l]) COUNT(c + bin_of(k[l], thresholds, starts));
        }
    }
}

/* Global size (side * side, n). */
__kernel void levels(__global const int *x, __global const int *thresholds, __global const uint *starts,
                     __global uint *out)
{
    const size_t i = get_global_id(1) * get_global_size(0) + get_global_id(0);
    out[i] = bin_of(key(x[i]), thresholds, starts);
}

/* A pixel of level l is in the sets of the thresholds below it; an edge or vertex of the closed pixels is in them up to
 * the largest level of the pixels that touch it. Item (y, x) has the pixel, its edges above and to the left, and the
 * vertex between those; outside of the image the level is 0, which no threshold counts.
 * Global size (ITEMS, n). */
__kernel void minkowski(__global const uint *levels, int bins, int side, __global uint *counts)
{
    const size_t image = get_global_id(1), columns = (size_t)(bins + 2), s = (size_t)side;
    __global const uint *p = levels + image * s * s;
    __global uint *pixels = counts + image * 4 * columns, *edges = pixels + columns, *vertices = edges + columns;
    __global uint *border = vertices + columns;
    for (int y = 0; y <= side; y++) {
        __global const uint *row = p + (size_t)y * s;
        for (int x = (int)get_global_id(0); x <= side; x += ITEMS) {
            const bool in_y = y < side, in_x = x < side;
            const uint here = in_y && in_x ? row[x] : 0, left = in_y && x ? row[x - 1] : 0;
            const uint up = y && in_x ? row[x - (int)s] : 0, corner = y && x ? row[x - 1 - (int)s] : 0;
            const uint beside = max(here, left), above = max(here, up);
            COUNT(pixels + here);
            COUNT(edges + beside);
            COUNT(edges + above);
            COUNT(vertices + max(beside, max(up, corner)));
            if (!x || !in_x) COUNT(border + beside);
            if (!y || !in_y) COUNT(border + above);
        }
    }
}
