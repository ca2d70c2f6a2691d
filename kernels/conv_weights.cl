/* Convolution, gradient with respect to the weights: a GEMM over the output pixels.
 *
 *   dw[ky][kx][ci][co] = tree over micro-batches of  sum over (sample, oy, ox) of x[s][iy][ix][ci] * y[s][oy][ox][co]
 *
 * x [n][H][W][CI], y [n][OH][OW][CO] float32, dw [KERNEL * KERNEL][CI][CO]; CI a multiple of CB, CO of NB. Pixels outside x
 * are skipped. Micro-batches: `segment` and `micro` of host/ops/layout.h.
 *
 * Work is dealt out as conv_jobs.h says, in blocks of TB taps x CB x NB weights; a block's sums lie in tiles of MR x NR. Pixels go
 * in chunks of CHUNK samples (all rows) or CHUNK_ROWS rows of one; with PANELS the chunk is first copied together so that it stays in
 * the first-level cache. (With local memory: conv_weights_blocks.cl.)
 *
 * Order: pixels in order with fma from +0 within a micro-batch, micro-batches in the fixed tree, then + 0 (no -0 is left).
 * Oracle: host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_sizes.h"
#include "conv_taps.h"

/* ---- tunable: VW, tile MR x NV vectors, taps of a block TB, PANELS, work-group WG ------------ */
#ifndef MR
#define MR 4
#endif
#ifndef NV
#define NV 1
#endif
#ifndef TB
#define TB 1
#endif
#ifndef PANELS
#define PANELS 0
#endif
#ifndef WG
#define WG 1
#endif

#define NR (NV * VW)
#define TAPS (KERNEL * KERNEL)
#define BLOCK (TB * CB * NB)
#define PANEL_ROWS min((CHUNK_ROWS - 1) * STRIDE + KERNEL, H)
#if PANELS
#define PANEL_X (CHUNK * PANEL_ROWS * W * CB)
#define PANEL_Y (CHUNK * CHUNK_ROWS * OW * NB)
#define XC CB
#define YC NB
#else
#define PANEL_X 0
#define PANEL_Y 0
#define XC CI
#define YC CO
#endif

/* The part of x and y that a chunk reads: pointers at row x_row of the first sample and row y_row, and their strides. */
typedef struct {
    __global const float *x, *y;
    int x_row, y_row, samples;
    int x_sample, y_sample; /* floats between samples */
} chunk;

static inline void panel_copy(__global float *to, __global const float *from, int pixels, int channels, int step)
{
    for (int p = 0; p < pixels; p++)
        for (int c = 0; c < channels; c += VW) VSTORE(VLOAD(0, from + (size_t)p * step + c), 0, to + p * channels + c);
}

/* Samples s0 ... s0 + samples - 1, output rows r0 ... r1 - 1, from x and y, which point at the block's first channel. */
static inline chunk chunk_make(JOB_SIZES, __global const float *x, __global const float *y, int s0, int samples, int r0, int r1,
                               __global float *panels)
{
    const int a = max(r0 * STRIDE - PAD, 0), b = max(min((r1 - 1) * STRIDE - PAD + KERNEL, H), a);
    chunk c;
    c.samples = samples, c.x_row = a, c.y_row = r0;
    x += ((size_t)s0 * H + a) * W * CI;
    y += ((size_t)s0 * OH + r0) * OW * CO;
#if PANELS
    c.x_sample = (b - a) * W * CB, c.y_sample = (r1 - r0) * OW * NB;
    for (int s = 0; s < samples; s++) {
        panel_copy(panels + s * c.x_sample, x + (size_t)s * H * W * CI, (b - a) * W, CB, CI);
        panel_copy(panels + PANEL_X + s * c.y_sample, y + (size_t)s * OH * OW * CO, (r1 - r0) * OW, NB, CO);
    }
    c.x = panels, c.y = panels + PANEL_X;
#else
    c.x_sample = H * W * CI, c.y_sample = OH * OW * CO;
    c.x = x, c.y = y;
#endif
    return c;
}

/* slot (MR x NR) = or += sum over the chunk's pixels of tap (ky, kx); x and y at the tile's first channels. */
static inline void tile_add(JOB_SIZES, __global float *slot, int fresh, const chunk *c, __global const float *x0,
                            __global const float *y0, int ky, int kx, int row, int row_end)
{
    const int col = tap_first(kx), cols = tap_end(kx, W, OW) - col;
    FV acc[MR][NV];
#pragma unroll
    for (int i = 0; i < MR; i++)
#pragma unroll
        for (int j = 0; j < NV; j++) acc[i][j] = fresh ? FV_ALL(0.0f) : GLOBAL_CFV(slot)[i * NV + j];
    for (int s = 0; s < c->samples; s++)
        for (int oy = row; oy < row_end; oy++) {
            __global const float *x = x0 + (size_t)s * c->x_sample;
            __global const float *y = y0 + (size_t)s * c->y_sample + ((oy - c->y_row) * OW + col) * YC;
            x += ((oy * STRIDE - PAD + ky - c->x_row) * W + col * STRIDE - PAD + kx) * XC;
            for (int o = 0; o < cols; o++) {
                FV b[NV];
#pragma unroll
                for (int j = 0; j < NV; j++) b[j] = VLOAD(j, y);
#pragma unroll
                for (int i = 0; i < MR; i++) {
                    const FV a = FV_ALL(x[i]);
#pragma unroll
                    for (int j = 0; j < NV; j++) acc[i][j] = fma(a, b[j], acc[i][j]);
                }
                x += STRIDE * XC;
                y += YC;
            }
        }
#pragma unroll
    for (int i = 0; i < MR; i++)
#pragma unroll
        for (int j = 0; j < NV; j++) GLOBAL_FV(slot)[i * NV + j] = acc[i][j];
}

/* slots = the sums of one micro-batch for the block's taps from tap0 on. */
static inline void micro_batch(JOB_SIZES, __global float *slots, __global float *panels, __global const float *x,
                               __global const float *y, int s0, int samples, int tap0)
{
    int fresh = 1;
    for (int s = 0; s < samples; s += CHUNK)
        for (int r0 = 0; r0 < OH; r0 += CHUNK_ROWS) {
            const int r1 = min(r0 + CHUNK_ROWS, OH);
            const chunk c = chunk_make(JOB_SIZES_ON, x, y, s0 + s, min(CHUNK, samples - s), r0, r1, panels);
            for (int t = 0; t < TB && tap0 + t < TAPS; t++) {
                const int ky = (tap0 + t) / KERNEL, kx = (tap0 + t) % KERNEL;
                const int row = max(r0, tap_first(ky)), row_end = min(r1, tap_end(ky, H, OH));
                __global float *slot = slots + t * CB * NB;
                for (int ci = 0; ci < CB; ci += MR)
                    for (int co = 0; co < NB; co += NR, slot += MR * NR)
                        tile_add(JOB_SIZES_ON, slot, fresh, &c, c.x + ci, c.y + co, ky, kx, row, row_end);
            }
            fresh = 0;
        }
}

static inline void block_write(JOB_SIZES, __global float *out, __global const float *slots, int tap0, int ci0, int co0)
{
    for (int t = 0; t < TB && tap0 + t < TAPS; t++)
        for (int ci = 0; ci < CB; ci++)
            for (int co = 0; co < NB; co += VW) {
                const int at = t * CB * NB + (ci / MR * (NB / NR) + co / NR) * MR * NR + ci % MR * NR + co % NR;
                VSTORE(VLOAD(0, slots + at) + FV_ALL(0.0f), 0, out + ((size_t)(tap0 + t) * CI + ci0 + ci) * CO + co0 + co);
            }
}

#define PANEL_FLOATS (PANEL_X + PANEL_Y)
#include "conv_jobs.h"

__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void conv_weights(JOB_SIZES, int n, int segment, int micro, int group, int groups, int depth, __global const float *x,
                           __global const float *y, __global float *scratch, __global float *out)
{
    jobs_run(JOB_SIZES_ON, n, segment, micro, group, groups, depth, x, y, scratch, out);
}
