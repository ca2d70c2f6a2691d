/* Convolution by a GEMM over columns (im2col), what lies on both sides of the GEMM. The GEMM is CLBlast's: this algorithm is
 * outside the guarantee of one result.
 *
 *   columns [pixel of y][ky][kx][ci] = x[s][oy * stride - pad + ky][ox * stride - pad + kx][ci], 0 outside of x
 *   columns_of_images   the columns of x: copies, exact
 *   images_of_columns   x[s][iy][ix][ci] = bias[ci] + sum over (ky, kx) of columns[pixel of y that meets iy, ix there][ky][kx][ci],
 *                       then the end (conv_end.h)
 *   columns_end         y = y + bias, then the end, in place
 *
 * x [n][h][w][ci], y [n][oh][ow][co] float32 with padded channels; columns holds some samples only, whose first pixels of x and
 * y are x_first and y_first. bias may be null.
 *
 * A work-item takes `each` pixels and `channels` channels of them (columns_of_images: of `taps` taps); channels is a multiple
 * of VW that divides all. Work-items along dimension 0: those of a pixel side by side.
 *
 * Order: taps in order (ky, kx) from +0, then the bias (+0 without one). Oracle: host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_end.h"

/* ---- tunable: vector width VW, work-group WG -------------------------------------------------------------------------- */
#ifndef WG
#define WG 1
#endif

#define GEOMETRY int h, int w, int ci, int oh, int ow, int side, int stride, int pad

/* One pixel's columns: taps tap0 ... tap1 - 1 of channels c0 ... c1 - 1. x: of its sample; y0, x0: where tap 0 lies. */
static inline void pixel_columns(__global const float *x, __global float *to, int y0, int x0, int h, int w, int ci, int side,
                                 int tap0, int tap1, int c0, int c1)
{
    for (int tap = tap0; tap < tap1; tap++) {
        const int iy = y0 + tap / side, ix = x0 + tap % side;
        const int inside = (uint)iy < (uint)h && (uint)ix < (uint)w;
        __global const float *from = x + (inside ? ((size_t)iy * w + ix) * ci : 0);
        for (int c = c0; c < c1; c += VW)
            VSTORE(inside ? VLOAD(0, from + c) : FV_ALL(0.0f), 0, to + (size_t)tap * ci + c);
    }
}

__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void columns_of_images(int pixels, int each, int taps, int channels, ulong x_first, GEOMETRY,
                                __global const float *x, __global float *columns)
{
    const int all = side * side, groups = ci / channels, parts = (all + taps - 1) / taps * groups;
    const int item = get_global_id(0) % parts, first = get_global_id(0) / parts * each, last = min(first + each, pixels);
    const int tap0 = item / groups * taps, tap1 = min(tap0 + taps, all), c0 = item % groups * channels;
    x += x_first * ci;
    for (int p = first; p < last; p++) {
        const int s = p / (oh * ow), rest = p - s * (oh * ow), oy = rest / ow, ox = rest - oy * ow;
        pixel_columns(x + (size_t)s * h * w * ci, columns + (size_t)p * all * ci, oy * stride - pad, ox * stride - pad, h, w,
                      ci, side, tap0, tap1, c0, c0 + channels);
    }
}

/* The taps that reach a pixel of x, which lies iy + pad, ix + pad behind the first tap of y's first pixel; columns: of its
 * sample, at the channels. */
static inline FV pixel_sum(__global const float *columns, int py, int px, int ci, int oh, int ow, int side, int stride)
{
    const float one = UNSEEN_ONE;
    const size_t row = (size_t)side * side * ci;
    FV sum = FV_ALL(0.0f);
    for (int ky = py % stride; ky < side && ky <= py; ky += stride) {
        const int oy = (py - ky) / stride;
        if (oy >= oh) continue;
        for (int kx = px % stride; kx < side && kx <= px; kx += stride) {
            const int ox = (px - kx) / stride;
            if (ox >= ow) continue;
            sum = fma(VLOAD(0, columns + ((size_t)oy * ow + ox) * row + ((size_t)ky * side + kx) * ci), FV_ALL(one), sum);
        }
    }
    return sum;
}

__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void images_of_columns(int pixels, int each, int channels, ulong x_first, GEOMETRY, __global const float *columns,
                                __global const float *bias, __global float *x, float leak, __global const float *of)
{
    const int groups = ci / channels, c0 = get_global_id(0) % groups * channels;
    const int first = get_global_id(0) / groups * each, last = min(first + each, pixels);
    for (int p = first; p < last; p++) {
        const int s = p / (h * w), rest = p - s * (h * w), iy = rest / w, ix = rest - iy * w;
        __global const float *from = columns + (size_t)s * oh * ow * side * side * ci;
        for (int c = c0; c < c0 + channels; c += VW) {
            const FV sum = pixel_sum(from + c, iy + pad, ix + pad, ci, oh, ow, side, stride);
            const size_t at = (x_first + p) * ci + c;
            VSTORE(END_V(sum + (bias ? VLOAD(0, bias + c) : FV_ALL(0.0f)), at), 0, x + at);
        }
    }
}

__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void columns_end(int pixels, int each, int channels, ulong y_first, int co, __global const float *bias,
                          __global float *y, float leak, __global const float *of)
{
    const int groups = co / channels, c0 = get_global_id(0) % groups * channels;
    const int first = get_global_id(0) / groups * each, last = min(first + each, pixels);
    for (int p = first; p < last; p++)
        for (int c = c0; c < c0 + channels; c += VW) {
            const size_t at = (y_first + p) * co + c;
            VSTORE(END_V(VLOAD(0, y + at) + (bias ? VLOAD(0, bias + c) : FV_ALL(0.0f)), at), 0, y + at);
        }
}
