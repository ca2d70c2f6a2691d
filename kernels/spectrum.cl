/* Ring sums of products of DFTs (host/ops/reduce.c), and the discrete Fourier transform of sizes that the libraries do not take.
 * Half planes are complex float32 [n][side][side/2 + 1], interleaved, as ops/fft.h defines them.
 *
 *   rings        out float32 [n][rings]: sum of Re(X* Y) over the modes of each ring, in the order of the list,
 *                compensated; of a half plane with itself the power. Relative error <= 4 2^-24 (of the sum of |X||Y|).
 *                Ring r has the modes first[r] ... first[r + 1] - 1 of `modes`: index in the half plane, bit 31 set where
 *                the mode stands for its conjugate too and counts twice.
 *   dft_rows     row transforms of x float32 [n][side][side] to a half plane: plain sums over the columns.
 *   dft_columns  column transforms of a half plane, out of place.
 *                twiddles float32 [side][2]: cos and sin of 2 pi j/side, rounded from float64.
 *                Error, norm-wise: 2 sqrt(side) 2^-24 of |X| for each of the two.
 *
 * Oracle: host/ops/ref/reduce_ref.c (float64 sums over pixels). */
#include "common.h"

/* Global size (rings, n). */
__kernel void rings(__global const float *x, __global const float *y, __global const uint *modes,
                    __global const uint *first, uint plane_modes, __global float *out)
{
    const size_t r = get_global_id(0), image = get_global_id(1);
    __global const float *X = x + 2 * image * (size_t)plane_modes, *Y = y + 2 * image * (size_t)plane_modes;
    float hi = 0.0f, lo = 0.0f;
    for (uint j = first[r]; j < first[r + 1]; j++) {
        const uint mode = modes[j];
        const float2 v = vload2(mode & 0x7fffffffu, X), w = vload2(mode & 0x7fffffffu, Y);
        const float once = fma(v.x, w.x, v.y * w.y), product = mode >> 31 ? once + once : once;
        const float sum = hi + product, part = sum - hi;
        lo += (hi - (sum - part)) + (product - part);
        hi = sum;
    }
    out[image * get_global_size(0) + r] = hi + lo;
}

/* Global size (side/2 + 1, side, n). */
__kernel void dft_rows(__global const float *x, __global const float *twiddles, int side, __global float *out)
{
    const size_t row = get_global_id(2) * (size_t)side + get_global_id(1);
    const int k = (int)get_global_id(0);
    __global const float *p = x + row * (size_t)side;
    float re = 0.0f, im = 0.0f;
    for (int i = 0, j = 0; i < side; i++) {
        const float2 w = vload2((size_t)j, twiddles);
        re = fma(p[i], w.x, re);
        im = fma(-p[i], w.y, im);
        j += k;
        j -= j >= side ? side : 0;
    }
    vstore2((float2)(re, im), row * get_global_size(0) + (size_t)k, out);
}

/* Global size (side/2 + 1, side, n). */
__kernel void dft_columns(__global const float *rows, __global const float *twiddles, int side, __global float *out)
{
    const size_t width = get_global_size(0), column = get_global_id(0), plane = get_global_id(2) * (size_t)side * width;
    const int k = (int)get_global_id(1);
    float re = 0.0f, im = 0.0f;
    for (int i = 0, j = 0; i < side; i++) {
        const float2 w = vload2((size_t)j, twiddles), v = vload2(plane + (size_t)i * width + column, rows);
        re = fma(v.x, w.x, fma(v.y, w.y, re));
        im = fma(v.y, w.x, fma(-v.x, w.y, im));
        j += k;
        j -= j >= side ? side : 0;
    }
    vstore2((float2)(re, im), plane + (size_t)k * width + column, out);
}
