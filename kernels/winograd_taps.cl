/* Weights [5][5][CI][CO] as Winograd's products need them (winograd.h):
 *   taps_of_inputs   U [slot][CO / NR][phases CI][NR],           phases of the input
 *   taps_of_results  U [slot][RESULTS / NR][CO][NR], phases of the results, zeros behind the last channel of the last one
 * Order: winograd.h, along ky before kx. Oracle: the direct convolution, host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_transpose.h"
#include "winograd.h"

/* ---- tunable: vector width VW (divides NR), channels of a work-item: ROWS of x and COLUMNS of y, or COLUMNS of x and VW of y
 * (VW divides COLUMNS, which divides those of its side), work-group WG x WG_ROWS ---------------------------------------------------------------------------------------------- */
#ifndef ROWS
#define ROWS 1
#endif
#ifndef COLUMNS
#define COLUMNS VW
#endif
#ifndef WG
#define WG 1
#endif
#ifndef WG_ROWS
#define WG_ROWS 1
#endif

#define TAPS 5

/* The 3 taps along an axis that a phase has of the five: even and odd ones; of results the other way round. */
#if ODD_RESULTS
#define TAP(odd, k) ((odd) ? 5 - 2 * (k) : 4 - 2 * (k))
#define HAS_TAP(odd, k) (!(odd) || (k) > 0)
#else
#define TAP(odd, k) (2 * (k) + (odd))
#define HAS_TAP(odd, k) (!(odd) || (k) < 2)
#endif

/* U's products of one phase from its taps [3][3], 0 where it has none. */
INLINED void phase_taps(const FV w[9], FV o[POINTS][POINTS])
{
    FV rows[POINTS][3];
#define COLUMN(kx)                                                                                                    \
    {                                                                                                                 \
        FV taps[3] = {w[kx], w[3 + kx], w[6 + kx]}, column[POINTS];                                                   \
        taps_transform(taps, column);                                                                                 \
        rows[0][kx] = column[0], rows[1][kx] = column[1], rows[2][kx] = column[2];                                    \
        rows[3][kx] = column[3], rows[4][kx] = column[4], rows[5][kx] = column[5];                                    \
    }
#define ROW(i) taps_transform(rows[i], o[i]);
    EACH(3, COLUMN)
    EACH(6, ROW)
}

/* One phase after the other, so that few streams are written at a time, each in order; all by the same code, of which there is
 * much. */
#define READ_TAP(kx, ky)                                                                                              \
    taps[3 * ky + kx] = HAS_TAP(py, ky) && HAS_TAP(px, kx) ? READ(TAP(py, ky) * TAPS + TAP(px, kx)) : FV_ALL(0.0f);
#define READ_ROW(ky) EACH_OF(3, READ_TAP, ky)

#if !ODD_RESULTS
INLINED void phase_write(SIZES, const FV w[9], __global float *u, int ci, int co, const int py, const int px)
{
    FV o[POINTS][POINTS];
    phase_taps(w, o);
#define PRODUCT(j, i)                                                                                                 \
    if ((i < 5 || !py) && (j < 5 || !px))                                                                             \
        VSTORE(o[i][j], 0, u + TAPS_START(i, j) +                                                                     \
                               (size_t)(co / NR * SLOT_PHASES(i, j) * CI + PHASE_PLACE(i, j, py, px) * CI + ci) * NR + \
                               co % NR);
#define PRODUCTS_OF(i) EACH_OF(6, PRODUCT, i)
    EACH(6, PRODUCTS_OF)
}

INLINED void phase_block(SIZES, __global const float *w, __global float *u, int ci0, int co0, const int py, const int px)
{
    ROLLED
    for (int ci = ci0; ci < min(ci0 + ROWS, CI); ci++)
        ROLLED
        for (int co = co0; co < co0 + COLUMNS; co += VW) {
            FV taps[9];
#define READ(t) VLOAD(0, w + ((size_t)(t) * CI + ci) * CO + co)
            EACH(3, READ_ROW)
            phase_write(SIZES_ON, taps, u, ci, co, py, px);
        }
}

/* Global: (CO / COLUMNS, CI / ROWS), rounded up to work-groups. */
__attribute__((reqd_work_group_size(WG, WG_ROWS, 1)))
__kernel void taps_of_inputs(SIZES, __global const float *w, __global float *u)
{
    const int co = get_global_id(0) * COLUMNS, ci = get_global_id(1) * ROWS;
    if (co >= CO) return;
    ROLLED
    for (int phase = 0; phase < 4; phase++) phase_block(SIZES_ON, w, u, ci, co, phase / 2, phase % 2);
}
#else
INLINED void phase_write(SIZES, const FV w[9], __global float *u, int ci, int co, const int py, const int px)
{
    FV o[POINTS][POINTS];
    phase_taps(w, o);
#define COLUMN_OF(j, i) (PHASE_PLACE(SLOT(i), SLOT(j), py, px) * CI + ci)
#define PRODUCT(j, i)                                                                                                 \
    if ((i > 0 || !py) && (j > 0 || !px))                                                                             \
        VSTORE(o[i][j], 0, u + TAPS_START(SLOT(i), SLOT(j)) +                                                         \
                               ((size_t)(COLUMN_OF(j, i) / NR) * CO + co) * NR + COLUMN_OF(j, i) % NR);
#define PRODUCTS_OF(i) EACH_OF(6, PRODUCT, i)
    EACH(6, PRODUCTS_OF)
}

/* The 25 taps of VW x VW channels, x's along the lanes: taps [VW][25]. */
INLINED void taps_read(SIZES, __global const float *w, FV taps[VW * TAPS * TAPS])
{
#if WG * WG_ROWS > 1 /* in registers */
#pragma unroll
#else /* one transpose alone, which is long */
#pragma unroll 1
#endif
    for (int t = 0; t < TAPS * TAPS; t++) {
        FV r[VW];
#pragma unroll
        for (int l = 0; l < VW; l++) r[l] = VLOAD(0, w + ((size_t)t * CI + l) * CO);
        block_transpose(r);
#pragma unroll
        for (int l = 0; l < VW; l++) taps[l * TAPS * TAPS + t] = r[l];
    }
}

INLINED void phase_block(SIZES, const FV w[TAPS * TAPS], __global float *u, int ci, int co, const int py, const int px)
{
    FV taps[9];
#define READ(t) w[t]
    EACH(3, READ_ROW)
    phase_write(SIZES_ON, taps, u, ci, co, py, px);
}

/* Global: (CI / COLUMNS, CO / VW), rounded up to work-groups. */
__attribute__((reqd_work_group_size(WG, WG_ROWS, 1)))
__kernel void taps_of_results(SIZES, __global const float *w, __global float *u)
{
    const int ci = get_global_id(0) * COLUMNS, co = get_global_id(1) * VW;
    if (ci >= CI || co >= CO) return;
    FV all[COLUMNS / VW][VW * TAPS * TAPS];
    ROLLED
    for (int k = 0; k < COLUMNS / VW; k++) taps_read(SIZES_ON, w + (ci + k * VW) * CO + co, all[k]);
    ROLLED
    for (int phase = 0; phase < 4; phase++)
        ROLLED
        for (int l = 0; l < VW; l++)
            ROLLED
            for (int k = 0; k < COLUMNS / VW; k++) phase_block(SIZES_ON, all[k] + l * TAPS * TAPS, u, ci + k * VW, co + l, phase / 2, phase % 2);
}
#endif
