/* Convolution, forward and backward data, to one output channel (the last layer of a generator, the gradient of a
 * discriminator's first): a dot product along the channels.
 *
 *   out[s][oy][ox] = bias + sum over (ky, kx, channels) of in[s][iy][ix][c] * w[ky][kx][c]
 *
 * in [n][IH][IW][CIN], out [n][OH][OW] float32; w [KERNEL * KERNEL][CIN] as it lies in the arena; CIN is 1 or a multiple of
 * 16; geometry: conv_phase.h. bias may be null.
 *
 * Order: partial sum l of 16 adds channels c = l mod 16 with fma from +0 in the order (ky, kx, block of 16); then the tree
 * of conv_lanes.h, then the bias (+0 without one, so that skipped taps and zero products give the same bits). With CIN 1
 * there is lane 0 only (-DSINGLE=1). A work-item makes every get_global_size(1)th run of MR pixels of one row of every phase (so that
 * the phases share what they read). Oracle: host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_end.h"
#include "conv_sizes.h"

/* ---- tunable: vector width VW, pixels MR at a time, work-group WG ------------------------------------------- */
#ifndef MR
#define MR 4
#endif
#ifndef WG
#define WG 1
#endif

#include "conv_phase.h"
#include "conv_lanes.h"

#if SINGLE
typedef float partial;
#else
typedef struct {
    FV v[LANE_VECTORS];
} partial;
#endif

/* acc[i] += pixel i . w, pixels at p[i]. */
static inline void tap_add(int CIN, partial acc[MR], __global const float *p[MR], __global const float *w)
{
#if SINGLE
#pragma unroll
    for (int i = 0; i < MR; i++) acc[i] = fma(p[i][0], w[0], acc[i]);
#else
    for (int c = 0; c < CIN; c += LANES)
#pragma unroll
        for (int l = 0; l < LANE_VECTORS; l++) {
            const FV b = VLOAD(l, w + c);
#pragma unroll
            for (int i = 0; i < MR; i++) acc[i].v[l] = fma(VLOAD(l, p[i] + c), b, acc[i].v[l]);
        }
#endif
}

/* Row qy of a phase of one sample, runs of MR pixels from `from` on, `step` apart. in: of the sample, which begins at float `at` of
 * out. */
static inline void phase_row(ENDS, int phase, int qy, int from, int step, __global const float *in, __global const float *w, float b,
                             __global const float *zeros, __global float *out, int at, float leak, __global const float *of)
{
    const int py = phase / PS, px = phase % PS, ty = PHASE_TAPS(py), tx = PHASE_TAPS(px);
    const int to = PHASE_SIZE(OW, px);
    at += (qy * PS + py) * OW + px;
    for (int qx = from; qx < to; qx += step) {
        partial acc[MR];
#pragma unroll
        for (int i = 0; i < MR; i++)
#if SINGLE
            acc[i] = 0.0f;
#else
#pragma unroll
            for (int l = 0; l < LANE_VECTORS; l++) acc[i].v[l] = FV_ALL(0.0f);
#endif
        for (int jy = 0; jy < ty; jy++) {
            const int iy = qy * IS + PHASE_OFFSET(py, jy);
            if ((uint)iy >= (uint)IH) continue;
            for (int jx = 0; jx < tx; jx++) {
                const int ix = qx * IS + PHASE_OFFSET(px, jx);
                __global const float *p[MR];
                __global const float *first = in + (iy * IW + ix) * CIN;
                if (ix >= 0 && ix + (MR - 1) * IS < IW) {
#pragma unroll
                    for (int i = 0; i < MR; i++) p[i] = first + i * IS * CIN;
                } else {
#pragma unroll
                    for (int i = 0; i < MR; i++) p[i] = (uint)(ix + i * IS) < (uint)IW ? first + i * IS * CIN : zeros;
                }
                tap_add(CIN, acc, p, w + (PHASE_TAP(py, jy) * KERNEL + PHASE_TAP(px, jx)) * CIN);
            }
        }
#pragma unroll
        for (int i = 0; i < MR; i++)
            if (qx + i < to)
#if SINGLE
                out[at + (qx + i) * PS] = END_1(acc[i] + b, at + (qx + i) * PS);
#else
                out[at + (qx + i) * PS] = END_1(lanes_sum(acc[i].v) + b, at + (qx + i) * PS);
#endif
    }
}

/* Global: (n * rows of the first phase, 1 ... columns of the first phase / MR). */
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void conv_narrow_out(ENDS, int n, __global const float *in, __global const float *w, __global const float *bias,
                              __global const float *zeros, __global float *out, float leak, __global const float *of)
{
    const int rows = PHASE_SIZE(OH, 0), s = get_global_id(0) / rows, qy = get_global_id(0) - s * rows;
    const int from = get_global_id(1) * MR, step = get_global_size(1) * MR;
    if (s >= n) return;
    const float b = bias ? bias[0] : 0.0f;
    in += (size_t)s * IH * IW * CIN;
    for (int phase = 0; phase < PS * PS; phase++)
        if (qy < PHASE_SIZE(OH, phase / PS)) phase_row(ENDS_ON, phase, qy, from, step, in, w, b, zeros, out, s * OH * OW, leak, of);
}
