/* Winograd's products (winograd.h): for each slot f a matrix product over channels,
 *   forward        M [f][rows][CO + PADDING]      = V [f][rows][phases CI + PADDING] U [f][CO / NR][phases CI][NR]
 *   ODD_RESULTS    M [f][rows][RESULTS + PADDING] = V [f][rows][CO + PADDING]        U [f][RESULTS / NR][CO][NR]
 * float32. RESULTS(phases) is phases CI rounded up to NR, with zeros in U behind it. Two shapes:
 *   LOCAL_COLUMNS 0   a work-item makes `tiles` tiles of MR rows x NR = NV * VW in registers; rows is a multiple of MR
 *   more              a work-group makes a block of NR = BLOCK_COLUMNS (blocks.h); rows is a multiple of BLOCK_ROWS
 * What lies in rows that nobody filled goes nowhere. Order: each element adds along the channels in order with fma from +0.
 * Oracle: the direct convolution, host/ops/ref/conv_ref.c. */
#include "common.h"
#include "winograd.h"

/* ---- tunable: vector width VW, rows MR, vectors NV, unroll KU (divides CI and CO), work-group WG, or LOCAL_COLUMNS x LOCAL_ROWS with
 * panels of PANEL (which divides CI and CO) ------------------------------------------------------------------------------------ */
#ifndef MR
#define MR 4
#endif
#ifndef KU
#define KU 1
#endif
#ifndef LOCAL_COLUMNS
#define LOCAL_COLUMNS 0
#endif
#ifndef WG
#define WG 1
#endif

#if LOCAL_COLUMNS
#define ROWS_STORED 1
#include "blocks.h"

/* Global: work-groups of (columns of the widest slot / NR, rows / BLOCK_ROWS, PRODUCTS). */
__attribute__((reqd_work_group_size(LOCAL_COLUMNS, LOCAL_ROWS, 1)))
__kernel void winograd_products(SIZES, int rows, __global const float *v, __global const float *u, __global float *m)
{
    BLOCK_PANELS;
    const int f = get_global_id(2), i = f / POINTS, j = f % POINTS, phases = SLOT_PHASES(i, j);
    const int column = get_group_id(0) * NR, row = get_group_id(1) * BLOCK_ROWS;
#if ODD_RESULTS
    const int all = CO, step = WHOLE_ROW, width = RESULTS_ROW(phases), columns = RESULTS(phases);
    v += (size_t)rows * f * WHOLE_ROW;
    m += (size_t)rows * SLOT_START(i, j, RESULTS_ROW(4), RESULTS_ROW(2));
#else
    const int all = phases * CI, step = PHASES_ROW(phases), width = WHOLE_ROW, columns = CO;
    v += (size_t)rows * SLOT_START(i, j, PHASES_ROW(4), PHASES_ROW(2));
    m += (size_t)rows * f * WHOLE_ROW;
#endif
    const int here = column < columns, depth = here ? all : 0; /* else a group that has nothing to do */
    FV acc[MR][NV];
    block_clear(acc);
    block_add(me, acc, rows_panels, columns_panels, v + (size_t)row * step, step, BLOCK_ROWS,
              u + TAPS_START(i, j) + (size_t)column * all, NR, depth);
    block_store(acc, m + (size_t)row * width + column, width, here ? BLOCK_ROWS : 0);
}
#else
/* Global: (rows / (MR tiles), columns of the widest slot / NR, PRODUCTS), the first rounded up to work-groups. */
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void winograd_products(SIZES, int rows, int tiles, __global const float *v, __global const float *u, __global float *m)
{
    const int f = get_global_id(2), i = f / POINTS, j = f % POINTS, column = get_global_id(1) * NR;
#if ODD_RESULTS
    const int depth = CO, step = WHOLE_ROW, width = RESULTS_ROW(SLOT_PHASES(i, j));
    if (column >= RESULTS(SLOT_PHASES(i, j))) return;
    v += (size_t)rows * f * WHOLE_ROW;
    m += (size_t)rows * SLOT_START(i, j, RESULTS_ROW(4), RESULTS_ROW(2));
#else
    const int depth = SLOT_PHASES(i, j) * CI, step = PHASES_ROW(SLOT_PHASES(i, j)), width = WHOLE_ROW;
    v += (size_t)rows * SLOT_START(i, j, PHASES_ROW(4), PHASES_ROW(2));
    m += (size_t)rows * f * WHOLE_ROW;
#endif
    u += TAPS_START(i, j) + (size_t)column * depth;
    for (int t = 0; t < tiles; t++) {
        const int row = ((int)get_global_id(0) * tiles + t) * MR;
        if (row >= rows) return;
        __global const float *p = v + (size_t)row * step, *w = u;
        FV acc[MR][NV];
#pragma unroll
        for (int r = 0; r < MR; r++)
#pragma unroll
            for (int c = 0; c < NV; c++) acc[r][c] = FV_ALL(0.0f);
        for (int k = 0; k < depth; k += KU) {
#pragma unroll
            for (int s = 0; s < KU; s++) {
                FV b[NV];
#pragma unroll
                for (int c = 0; c < NV; c++) b[c] = GLOBAL_CFV(w)[s * NV + c];
#pragma unroll
                for (int r = 0; r < MR; r++) {
                    const FV a = FV_ALL(p[r * step + k + s]);
#pragma unroll
                    for (int c = 0; c < NV; c++) acc[r][c] = fma(a, b[c], acc[r][c]);
                }
            }
            w += KU * NR;
        }
#pragma unroll
        for (int r = 0; r < MR; r++)
#pragma unroll
            for (int c = 0; c < NV; c++) VSTORE(acc[r][c], c, m + (size_t)(row + r) * width + column);
    }
}
#endif
