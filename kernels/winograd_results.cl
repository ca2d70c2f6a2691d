/* Results of a convolution from Winograd's products (winograd.h), with the bias (+0 without one).
 *   results_of_whole   y [n][OH][OW][CO] from M [slot][rows][CO + PADDING]
 *   results_of_phases  x [n][H][W][CI], even and odd pixels apart, from M [slot][rows][RESULTS + PADDING]
 * for the tiles of winograd_windows.cl. A work-item takes every get_global_size(0)th vector of channels of a tile. Order: winograd.h, along x before
 * y. Oracle: the direct convolution, host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_end.h"
#include "winograd.h"

/* ---- tunable: vector width VW, work-group WG x WG_ROWS (vectors x tiles) ------------------------------- */
#ifndef WG
#define WG 1
#endif
#ifndef WG_ROWS
#define WG_ROWS 1
#endif

/* Both axes, by way of z [point along y][TILE]. A kernel says what PRODUCT(j, i), the loading of p[j], and RESULT(a, b), the
 * storing of out[a], are. */
#define ROW(i)                                                                                                        \
    {                                                                                                                 \
        FV p[POINTS];                                                                                                 \
        EACH_OF(6, PRODUCT, i)                                                                                        \
        results_transform(p, z[i]);                                                                                   \
    }
#define COLUMN(b)                                                                                                     \
    {                                                                                                                 \
        FV column[POINTS] = {z[0][b], z[1][b], z[2][b], z[3][b], z[4][b], z[5][b]}, out[TILE];                        \
        results_transform(column, out);                                                                               \
        EACH_OF(4, RESULT, b)                                                                                         \
    }

/* Global: (1 ... CO / VW, count), rounded up to work-groups. */
__attribute__((reqd_work_group_size(WG, WG_ROWS, 1)))
__kernel void results_of_whole(SIZES, __global const float *m, __global const float *bias, __global float *y, int first, int count, int rows,
                               float leak, __global const float *of)
{
    const int row = get_global_id(1), tile = first + row, sample = tile / (TX * TY), ty = tile / TX % TY, tx = tile % TX;
    if (WG_ROWS > 1 && row >= count) return;
    m += (size_t)row * WHOLE_ROW;
    ROLLED
    for (int c = get_global_id(0) * VW; c < CO; c += get_global_size(0) * VW) {
        const FV add = bias ? VLOAD(0, bias + c) : FV_ALL(0.0f);
        const int at = ((sample * OH + TILE * ty) * OW + TILE * tx) * CO;
        FV z[POINTS][TILE];
#define PRODUCT(j, i) p[j] = VLOAD(0, m + (size_t)rows * (SLOT(i) * POINTS + SLOT(j)) * WHOLE_ROW + c);
#define RESULT(a, b)                                                                                                  \
    if (INSIDE(a + 1, TILE * ty + a, OH) && INSIDE(b + 1, TILE * tx + b, OW))                                   \
        VSTORE(END_V(out[a] + add, at + (a * OW + b) * CO + c), 0, y + at + (a * OW + b) * CO + c);
        EACH(6, ROW)
        EACH(4, COLUMN)
#undef PRODUCT
#undef RESULT
    }
}

#if ODD_RESULTS
/* One phase of tile (ty, tx), which begins at float `at` of x; m at the channels. */
INLINED void phase_results(SIZES, __global const float *m, FV add, __global float *x, int at, size_t rows, int row, int ty, int tx,
                           const int py, const int px, float leak, __global const float *of)
{
    at += (py * W + px) * CI;
    FV z[POINTS][TILE];
#define PRODUCT(j, i)                                                                                                 \
    p[j] = (i > 0 || !py) && (j > 0 || !px)                                                                           \
               ? VLOAD(0, m + rows * SLOT_START(SLOT(i), SLOT(j), RESULTS_ROW(4), RESULTS_ROW(2)) +                   \
                              (size_t)row * RESULTS_ROW(SLOT_PHASES(SLOT(i), SLOT(j))) +                              \
                              PHASE_PLACE(SLOT(i), SLOT(j), py, px) * CI)                                             \
               : FV_ALL(0.0f);
#define RESULT(a, b)                                                                                                  \
    if (INSIDE(a + 1, 2 * (TILE * ty + a) + py, H) && INSIDE(b + 1, 2 * (TILE * tx + b) + px, W))               \
        VSTORE(END_V(out[a] + add, at + (2 * a * W + 2 * b) * CI), 0, x + at + (2 * a * W + 2 * b) * CI);
    EACH(6, ROW)
    EACH(4, COLUMN)
}

/* Global: (1 ... CI / VW, count), rounded up to work-groups. */
__attribute__((reqd_work_group_size(WG, WG_ROWS, 1)))
__kernel void results_of_phases(SIZES, __global const float *m, __global const float *bias, __global float *x, int first, int count, int rows,
                                float leak, __global const float *of)
{
    const int row = get_global_id(1), tile = first + row, sample = tile / (TX * TY), ty = tile / TX % TY, tx = tile % TX;
    if (WG_ROWS > 1 && row >= count) return;
    ROLLED
    for (int c = get_global_id(0) * VW; c < CI; c += get_global_size(0) * VW) {
        const FV add = bias ? VLOAD(0, bias + c) : FV_ALL(0.0f);
        const int at = ((sample * H + 2 * TILE * ty) * W + 2 * TILE * tx) * CI;
        ROLLED
        for (int phase = 0; phase < 4; phase++)
            phase_results(SIZES_ON, m + c, add, x, at + c, rows, row, ty, tx, phase / 2, phase % 2, leak, of);
    }
}
#endif
