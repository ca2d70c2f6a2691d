/* Convolution, gradient with respect to the weights where one side has one channel; partial results per micro-batch:
 *   conv_weights_ci1   x has one channel:  partial[k][ky][kx][co] = sum over (sample, oy, ox) of x[s][iy][ix] y[s][oy][ox][co]
 *   conv_weights_co1   y has one channel:  partial[k][ky][kx][ci] = sum over (sample, oy, ox) of x[s][iy][ix][ci] y[s][oy][ox]
 * x [n][H][W][CI], y [n][OH][OW][CO] float32, micro-batch k from `segment` and `micro` of host/ops/layout.h. conv_tree.cl
 * adds the micro-batches. From the host: KERNEL, STRIDE, PAD; zeros: W zeros.
 *
 * Order: pixels in order with fma from +0. Products with the zero pixels outside x change no bits but the sign of a zero,
 * which conv_tree's last + 0 removes. Oracle: host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_sizes.h"

/* ---- tunable: vector width VW (divides the channels of the wide side), rows of taps KYB per work-item, WG ------------ */
#ifndef KYB
#define KYB 1
#endif
#ifndef WG
#define WG 1
#endif

#define TAPS (KERNEL * KERNEL)

typedef struct {
    int first, end; /* samples */
} samples;

static inline samples micro_samples(int k, int segment, int micro)
{
    const int per_segment = (segment + micro - 1) / micro, start = k % per_segment * micro;
    samples s;
    s.first = k / per_segment * segment + start;
    s.end = s.first + min(micro, segment - start);
    return s;
}

/* Global: (CO / VW, rows of taps / KYB, micro-batches). */
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void conv_weights_ci1(SIZES, int segment, int micro, __global const float *x, __global const float *y,
                               __global const float *zeros, __global float *partial)
{
    const int co = get_global_id(0) * VW, ky0 = get_global_id(1) * KYB, k = get_global_id(2);
    if (co >= CO) return;
    const samples which = micro_samples(k, segment, micro);
    FV acc[KYB][KERNEL];
#pragma unroll
    for (int i = 0; i < KYB; i++)
#pragma unroll
        for (int j = 0; j < KERNEL; j++) acc[i][j] = FV_ALL(0.0f);
    for (int s = which.first; s < which.end; s++)
        for (int oy = 0; oy < OH; oy++) {
            __global const float *p[KYB];
#pragma unroll
            for (int i = 0; i < KYB; i++) {
                const int iy = oy * STRIDE - PAD + ky0 + i;
                p[i] = (uint)iy < (uint)H ? x + ((size_t)s * H + iy) * W : zeros;
            }
            __global const float *from = y + ((size_t)s * OH + oy) * OW * CO + co;
            for (int ox = 0; ox < OW; ox++) {
                const FV b = VLOAD(0, from + ox * CO);
                const int ix = ox * STRIDE - PAD;
                if (ix >= 0 && ix + KERNEL <= W) {
#pragma unroll
                    for (int i = 0; i < KYB; i++)
#pragma unroll
                        for (int j = 0; j < KERNEL; j++) acc[i][j] = fma(FV_ALL(p[i][ix + j]), b, acc[i][j]);
                } else {
#pragma unroll
                    for (int j = 0; j < KERNEL; j++)
                        if ((uint)(ix + j) < (uint)W)
#pragma unroll
                            for (int i = 0; i < KYB; i++) acc[i][j] = fma(FV_ALL(p[i][ix + j]), b, acc[i][j]);
                }
            }
        }
#pragma unroll
    for (int i = 0; i < KYB; i++)
        if (ky0 + i < KERNEL)
#pragma unroll
            for (int j = 0; j < KERNEL; j++)
                VSTORE(acc[i][j], 0, partial + ((size_t)k * TAPS + (ky0 + i) * KERNEL + j) * CO + co);
}

/* Global: (CI / VW, taps, micro-batches). */
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void conv_weights_co1(SIZES, int segment, int micro, __global const float *x, __global const float *y,
                               __global float *partial)
{
    const int ci = get_global_id(0) * VW, tap = get_global_id(1), ky = tap / KERNEL, kx = tap % KERNEL;
    const int k = get_global_id(2);
    if (ci >= CI) return;
    const samples which = micro_samples(k, segment, micro);
    FV acc = FV_ALL(0.0f);
    for (int s = which.first; s < which.end; s++)
        for (int oy = 0; oy < OH; oy++) {
            const int iy = oy * STRIDE - PAD + ky;
            if ((uint)iy >= (uint)H) continue;
            __global const float *row = x + ((size_t)s * H + iy) * W * CI + ci;
            for (int ox = 0; ox < OW; ox++) {
                const int ix = ox * STRIDE - PAD + kx;
                if ((uint)ix < (uint)W)
                    acc = fma(FV_ALL(y[((size_t)s * OH + oy) * OW + ox]), VLOAD(0, row + (size_t)ix * CI), acc);
            }
        }
    VSTORE(acc, 0, partial + ((size_t)k * TAPS + tap) * CI + ci);
}
