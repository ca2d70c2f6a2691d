/* Convolution, forward, from one input channel (the first layer of a discriminator): KERNEL * KERNEL scalars a pixel.
 *
 *   out[s][oy][ox][co] = bias[co] + sum over (ky, kx) of in[s][iy][ix] * w[ky][kx][co]
 *
 * in [n][IH][IW], out [n][OH][OW][COUT] float32, COUT a multiple of NR = NV * VW; packed [COUT / NR][KERNEL * KERNEL][NR]
 * (conv_pack.cl); bias may be null; from the host: KERNEL, STRIDE, PAD.
 *
 * Order: taps in order with fma from +0, then the bias (+0 without one, so that skipped taps and products with zero pixels
 * outside the image give the same bits). A work-item makes every get_global_size(2)th run of MR pixels of a row. Oracle:
 * host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_end.h"
#include "conv_sizes.h"

/* ---- tunable: vector width VW, vectors NV, pixels MR at a time, WG ------------ */
#ifndef MR
#define MR 4
#endif
#ifndef NV
#define NV 1
#endif
#ifndef WG
#define WG 1
#endif
#define NR (NV * VW)

/* Global: (n * OH, COUT / NR, 1 ... OW / MR). */
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void conv_narrow_in(ENDS, int n, __global const float *in, __global const float *packed, __global const float *bias,
                             __global float *out, float leak, __global const float *of)
{
    const int tile = get_global_id(1), row = get_global_id(0), s = row / OH, oy = row - s * OH;
    if (s >= n) return;
    in += (size_t)s * IH * IW;
    packed += (size_t)tile * KERNEL * KERNEL * NR;
    FV b[NV];
#pragma unroll
    for (int j = 0; j < NV; j++) b[j] = bias ? VLOAD(tile * NV + j, bias) : FV_ALL(0.0f);
    for (int ox = get_global_id(2) * MR; ox < OW; ox += get_global_size(2) * MR) {
        const int ix0 = ox * STRIDE - PAD;
        const int interior = ix0 >= 0 && ix0 + (MR - 1) * STRIDE + KERNEL <= IW;
        FV acc[MR][NV];
#pragma unroll
        for (int i = 0; i < MR; i++)
#pragma unroll
            for (int j = 0; j < NV; j++) acc[i][j] = FV_ALL(0.0f);
        for (int ky = 0; ky < KERNEL; ky++) {
            const int iy = oy * STRIDE - PAD + ky;
            if ((uint)iy >= (uint)IH) continue;
            __global const float *from = in + (iy * IW + ix0);
            for (int kx = 0; kx < KERNEL; kx++) {
                FV w[NV];
                float x[MR];
#pragma unroll
                for (int j = 0; j < NV; j++) w[j] = GLOBAL_CFV(packed)[(ky * KERNEL + kx) * NV + j];
                if (interior) {
#pragma unroll
                    for (int i = 0; i < MR; i++) x[i] = from[i * STRIDE + kx];
                } else {
#pragma unroll
                    for (int i = 0; i < MR; i++)
                        x[i] = (uint)(ix0 + i * STRIDE + kx) < (uint)IW ? from[i * STRIDE + kx] : 0.0f;
                }
#pragma unroll
                for (int i = 0; i < MR; i++)
#pragma unroll
                    for (int j = 0; j < NV; j++) acc[i][j] = fma(FV_ALL(x[i]), w[j], acc[i][j]);
            }
        }
#pragma unroll
        for (int i = 0; i < MR; i++)
            if (ox + i < OW)
#pragma unroll
                for (int j = 0; j < NV; j++) {
                    const int at = (row * OW + ox + i) * COUT + tile * NR + j * VW;
                    VSTORE(END_V(acc[i][j] + b[j], at), 0, out + at);
                }
    }
}
