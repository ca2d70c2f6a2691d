/* Convolution of 5 x 5 taps and stride 2, gradient with respect to the weights by Winograd's products (winograd.h):
 *
 *   dw [5 * 5][CI][CO] = tree over micro-batches of  G' (sum over tiles of windows of x [n][H][W][CI] times gradients y [n][OH][OW][CO]) G
 *
 * float32. Work is dealt out as conv_jobs.h says, in blocks of all taps x CB x NB weights. The tiles of a micro-batch go in chunks of
 * CHUNK (an argument), whose windows and gradients are transformed first, into panels that stay in the second-level cache:
 * [UNITS][CHUNK][CB] and [PRODUCTS][CHUNK][NB]; their products [UNITS][CB / MR][NB / NR][MR][NR] are summed beside them. A unit is
 * a phase of a slot. (With local memory: winograd_weights_blocks.cl.)
 *
 * Order: tiles in order with fma from +0 within a micro-batch, micro-batches in the fixed tree, then + 0 (no -0 is left).
 * Oracle: the direct convolution, host/ops/ref/conv_ref.c. */
#include "common.h"
#include "winograd.h"
#include "winograd_adjoint.h"

/* ---- tunable: VW, tile MR x NV vectors, work-group WG ------------------ */
#ifndef WG
#define WG 1
#endif

#define TB TAPS
#define BLOCK (TAPS * CB * NB)
#define PANEL_WINDOWS (UNITS * CHUNK * CB)
#define PANEL_GRADIENTS (PRODUCTS * CHUNK * NB)
#define PANEL_FLOATS (PANEL_WINDOWS + PANEL_GRADIENTS + UNITS * CB * NB)

INLINED void phase_write(JOB_SIZES, __global const float *x, __global float *v, int ty, int tx, const int py, const int px)
{
    FV z[POINTS][POINTS];
    window_products(x, ty, tx, 2, H, W, CI, py, px, z);
#define PRODUCT(j, i)                                                                                                 \
    if ((i < 5 || !py) && (j < 5 || !px)) VSTORE(z[i][j], 0, v + UNIT(i, j, py, px) * (CHUNK * CB));
#define PRODUCTS_OF(i) EACH_OF(6, PRODUCT, i)
    EACH(6, PRODUCTS_OF)
#undef PRODUCT
}

INLINED void windows_write(JOB_SIZES, __global const float *x, __global float *v, int ty, int tx)
{
    ROLLED
    for (int c = 0; c < CB; c += VW) {
        ROLLED
        for (int phase = 0; phase < 4; phase++) phase_write(JOB_SIZES_ON, x + c, v + c, ty, tx, phase / 2, phase % 2);
    }
}

INLINED void gradients_write(JOB_SIZES, __global const float *y, __global float *d, int ty, int tx)
{
    ROLLED
    for (int c = 0; c < NB; c += VW) gradient_write(y + c, d + c, CHUNK * NB, ty, tx, OH, OW, CO);
}

/* u (MR x NR) = or += sum over the chunk's tiles; v and d at the tile's first channels. */
INLINED void tile_add(int CB, int NB, __global float *u, int fresh, __global const float *v, __global const float *d, int tiles)
{
    FV acc[MR][NV];
#pragma unroll
    for (int r = 0; r < MR; r++)
#pragma unroll
        for (int c = 0; c < NV; c++) acc[r][c] = fresh ? FV_ALL(0.0f) : VLOAD(r * NV + c, u);
    for (int t = 0; t < tiles; t++, v += CB, d += NB) {
        FV b[NV];
#pragma unroll
        for (int c = 0; c < NV; c++) b[c] = VLOAD(c, d);
#pragma unroll
        for (int r = 0; r < MR; r++) {
            const FV a = FV_ALL(v[r]);
#pragma unroll
            for (int c = 0; c < NV; c++) acc[r][c] = fma(a, b[c], acc[r][c]);
        }
    }
#pragma unroll
    for (int r = 0; r < MR; r++)
#pragma unroll
        for (int c = 0; c < NV; c++) VSTORE(acc[r][c], r * NV + c, u);
}

INLINED void chunk_add(int CB, int NB, int CHUNK, __global float *u, int fresh, __global const float *v, __global const float *d, int tiles)
{
    for (int f = 0; f < PRODUCTS; f++, d += CHUNK * NB)
        for (int phase = 0, phases = SLOT_PHASES(f / POINTS, f % POINTS); phase < phases; phase++, v += CHUNK * CB)
            for (int ci = 0; ci < CB; ci += MR)
                for (int co = 0; co < NB; co += NR, u += MR * NR) tile_add(CB, NB, u, fresh, v + ci, d + co, tiles);
}

INLINED void micro_batch(JOB_SIZES, __global float *slots, __global float *panels, __global const float *x,
                               __global const float *y, int s0, int samples, int tap0)
{
    __global float *v = panels, *d = v + PANEL_WINDOWS, *u = d + PANEL_GRADIENTS;
    const int all = samples * TX * TY;
    for (int first = 0; first < all; first += CHUNK) {
        const int tiles = min(CHUNK, all - first);
        for (int t = 0; t < tiles; t++) {
            const int tile = first + t, sample = s0 + tile / (TX * TY), ty = tile / TX % TY, tx = tile % TX;
            windows_write(JOB_SIZES_ON, x + (size_t)sample * H * W * CI, v + t * CB, ty, tx);
            gradients_write(JOB_SIZES_ON, y + (size_t)sample * OH * OW * CO, d + t * NB, ty, tx);
        }
        chunk_add(CB, NB, CHUNK, u, first == 0, v, d, tiles);
    }
    ROLLED
    for (int ci = 0; ci < CB; ci++)
        ROLLED
        for (int co = 0; co < NB; co += VW) {
            __global const float *from = u + (ci / MR * (NB / NR) + co / NR) * MR * NR + ci % MR * NR + co % NR;
            __global float *to = slots + ci * NB + co;
            ROLLED
            for (int phase = 0; phase < 4; phase++) phase_finish(CB * NB, CB * NB, to, from, phase / 2, phase % 2);
        }
}

INLINED void block_write(JOB_SIZES, __global float *out, __global const float *slots, int tap0, int ci0, int co0)
{
    for (int t = 0; t < TAPS; t++)
        for (int ci = 0; ci < CB; ci++)
            for (int co = 0; co < NB; co += VW)
                VSTORE(VLOAD(0, slots + (t * CB + ci) * NB + co) + FV_ALL(0.0f), 0, out + ((size_t)t * CI + ci0 + ci) * CO + co0 + co);
}

#include "conv_jobs.h"

__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void winograd_weights(JOB_SIZES, int n, int segment, int micro, int group, int groups, int depth, __global const float *x,
                               __global const float *y, __global float *scratch, __global float *out)
{
    jobs_run(JOB_SIZES_ON, n, segment, micro, group, groups, depth, x, y, scratch, out);
}
