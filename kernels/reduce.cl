/* Reductions of images to statistics (host/ops/reduce.c). x float32 [n][side][side], finite values of any size.
 *
 *   rows       row statistics, int32 [n][side][4]: exponent e of the row's largest |x|, hi and lo of the compensated sum
 *              of x 2^-e in order of x (as float bits), and the column of the first value that is not finite, or -1.
 *              hi + lo holds the exact sum to about 2^-44 of sum |x|.
 *   centre     out = x scale - shift with (scale, shift) per image, float32 [n][2]; scale is a power of two.
 *   histogram  counts uint32 [n][bins + 2] += pixels per bin; the first bin is below all thresholds, the last above.
 *   peaks      the same of the pixels strictly above their eight neighbours, those of the border excluded.
 *   levels     uint32 [n][side][side]: how many thresholds are <= the pixel's key.
 *   minkowski  int32 [n][3][bins + 2] += by level, what the excursion set gains when its threshold falls to that level:
 *              pixels; edges between a pixel in it and one outside; Euler characteristic of the union of closed pixels.
 *
 * Bins: thresholds int32 [bins + 1], ascending keys (see key) above zero; a value lies in the bin whose number is how many
 * thresholds are <= its key. `starts` uint32 [CELLS + 1] narrows the search: entry i is how many thresholds are below
 * i 2^CELL_BITS. All comparisons are of integers, so neither rounding nor flushed subnormals play a part, and all counts
 * are sums of integers, in any order: the same on every device.
 * Oracle: host/ops/ref/reduce_ref.c. */
#include "common.h"

/* Work-items that share an image in histogram and peaks: 1 on CPUs, where then no atomics are needed. */
#ifndef ITEMS
#define ITEMS 1
#endif

#if ITEMS == 1
#define COUNT(p) ((*(p))++)
#define LESS(p) ((*(p))--)
#else
#define COUNT(p) atomic_inc(p)
#define LESS(p) atomic_dec(p)
#endif

/* Keys of finite values share a cell where they agree but for the last 17 bits: 64 cells an octave. */
#define CELL_BITS 17

/* Integers in the order of the floats they come from: -0 and 0 are equal. */
static inline int key(int bits) { return bits < 0 ? -(bits & 0x7fffffff) : bits; }

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

/* Global size (side, n). */
__kernel void rows(__global const float *x, __global int *out, int side)
{
    const size_t row = get_global_id(1) * (size_t)side + get_global_id(0);
    __global const float *p = x + row * (size_t)side;
    int largest = 0, bad = -1;
    for (int i = side - 1; i >= 0; i--) {
        const int magnitude = as_int(p[i]) & 0x7fffffff;
        largest = max(largest, magnitude);
        bad = magnitude >= 0x7f800000 ? i : bad;
    }
    /* Sums of scaled values neither overflow nor lose small ones to a flush. */
    const int e = clamp((largest >> 23) - 127, -126, 126);
    const float scale = as_float((127 - e) << 23);
    float hi = 0.0f, lo = 0.0f;
    for (int i = 0; i < side; i++) {
        const float v = p[i] * scale, sum = hi + v, part = sum - hi;
        lo += (hi - (sum - part)) + (v - part);
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

/* Global size (ITEMS, n). */
__kernel void peaks(__global const int *x, __global const int *thresholds, __global const uint *starts, int bins, int side,
                    __global uint *counts)
{
    const size_t image = get_global_id(1), s = (size_t)side;
    __global const int *p = x + image * s * s;
    __global uint *c = counts + image * (size_t)(bins + 2);
    for (int y = 1; y < side - 1; y++) {
        __global const int *here = p + (size_t)y * s, *up = here - s, *down = here + s;
        for (int i = 1 + (int)get_global_id(0); i < side - 1; i += ITEMS) {
            const int k = key(here[i]);
            /* One branch for eight comparisons: which of them fails first is anyone's guess. */
            const int beside = max(key(here[i - 1]), key(here[i + 1]));
            const int above = max(max(key(up[i - 1]), key(up[i])), key(up[i + 1]));
            const int below = max(max(key(down[i - 1]), key(down[i])), key(down[i + 1]));
            if (max(max(above, beside), below) >= k) continue;
            COUNT(c + bin_of(k, thresholds, starts));
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

/* One more at `to`, one less at `from`. */
static inline void move(__global int *c, uint from, uint to)
{
    if (from == to) return;
    LESS(c + from);
    COUNT(c + to);
}

/* A pixel of level l is in the sets of the thresholds below it; an edge or vertex of the closed pixels is in them up to
 * the largest level of the pixels that touch it, and inside them up to the smallest of its two. Item (y, x) has the
 * pixel, its edges above and to the left, and the vertex between those; outside of the image the level is 0, which no
 * threshold counts. Edges on the border of the image have no pixel beyond and bound nothing.
 * Global size (ITEMS, n). */
__kernel void minkowski(__global const uint *levels, int bins, int side, __global int *counts)
{
    const size_t image = get_global_id(1), columns = (size_t)(bins + 2), s = (size_t)side;
    __global const uint *p = levels + image * s * s;
    __global int *area = counts + image * 3 * columns, *perimeter = area + columns, *euler = perimeter + columns;
    for (int y = 0; y <= side; y++) {
        __global const uint *row = p + (size_t)y * s;
        for (int x = (int)get_global_id(0); x <= side; x += ITEMS) {
            const bool in_y = y < side, in_x = x < side, inside = in_y && in_x;
            const uint here = inside ? row[x] : 0, left = in_y && x ? row[x - 1] : 0;
            const uint up = y && in_x ? row[x - (int)s] : 0, corner = y && x ? row[x - 1 - (int)s] : 0;
            const uint beside = max(here, left), above = max(here, up);
            if (inside) COUNT(area + here);
            if (inside && x) move(perimeter, min(here, left), beside);
            if (inside && y) move(perimeter, min(here, up), above);
            /* Faces and vertices less edges. */
            move(euler, beside, here);
            move(euler, above, max(beside, max(up, corner)));
        }
    }
}
