/* Windows of a convolution's input, as Winograd's products need them (winograd.h).
 *   windows_of_phases  of x [n][H][W][CI], even and odd pixels apart: V [slot][rows][phases of the slot CI + PADDING]
 *   windows_of_whole   of y [n][OH][OW][CO]:                           V [slot][rows][CO + PADDING]
 * for `count` tiles from tile `first` on; a tile is 4 x 4 pixels of y, the tiles of a sample in rows of TX, TY of them. rows is
 * at least count. What lies outside an image is 0.
 * A work-item takes every get_global_size(0)th vector of channels of a tile. Order: winograd.h, along x before y.
 * Oracle: the direct convolution, host/ops/ref/conv_ref.c. */
#include "common.h"
#include "winograd.h"

/* ---- tunable: vector width VW, work-group WG x WG_ROWS (vectors x tiles) ------------------------------- */
#ifndef WG
#define WG 1
#endif
#ifndef WG_ROWS
#define WG_ROWS 1
#endif

/* One phase of one tile; x and v of its sample and of its slots, at the channels. */
INLINED void phase_write(SIZES, __global const float *x, __global float *v, size_t rows, int row, int ty, int tx,
                               const int py, const int px)
{
    FV z[POINTS][POINTS];
    window_products(x, ty, tx, 2, H, W, CI, py, px, z);
#define PRODUCT(j, i)                                                                                                 \
    if ((i < 5 || !py) && (j < 5 || !px))                                                                             \
        VSTORE(z[i][j], 0, v + rows * SLOT_START(i, j, PHASES_ROW(4), PHASES_ROW(2)) +                                \
                               (size_t)row * PHASES_ROW(SLOT_PHASES(i, j)) + PHASE_PLACE(i, j, py, px) * CI);
#define PRODUCTS_OF(i) EACH_OF(6, PRODUCT, i)
    EACH(6, PRODUCTS_OF)
#undef PRODUCT
}

/* Global: (1 ... CI / VW, count), rounded up to work-groups. */
__attribute__((reqd_work_group_size(WG, WG_ROWS, 1)))
__kernel void windows_of_phases(SIZES, __global const float *x, __global float *v, int first, int count, int rows)
{
    const int row = get_global_id(1), tile = first + row, sample = tile / (TX * TY), ty = tile / TX % TY, tx = tile % TX;
    if (WG_ROWS > 1 && row >= count) return;
    x += (size_t)sample * H * W * CI;
    ROLLED
    for (int c = get_global_id(0) * VW; c < CI; c += get_global_size(0) * VW) {
        ROLLED
        for (int phase = 0; phase < 4; phase++) phase_write(SIZES_ON, x + c, v + c, rows, row, ty, tx, phase / 2, phase % 2);
    }
}

/* Global: (1 ... CO / VW, count), rounded up to work-groups. */
__attribute__((reqd_work_group_size(WG, WG_ROWS, 1)))
__kernel void windows_of_whole(SIZES, __global const float *y, __global float *v, int first, int count, int rows)
{
    const int row = get_global_id(1), tile = first + row, sample = tile / (TX * TY), ty = tile / TX % TY, tx = tile % TX;
    if (WG_ROWS > 1 && row >= count) return;
    y += (size_t)sample * OH * OW * CO;
    v += (size_t)row * WHOLE_ROW;
    ROLLED
    for (int c = get_global_id(0) * VW; c < CO; c += get_global_size(0) * VW) {
        FV z[POINTS][POINTS];
        window_products(y + c, ty, tx, 1, OH, OW, CO, 0, 0, z);
#define PRODUCT(j, i) VSTORE(z[i][j], 0, v + (size_t)rows * (SLOT(i) * POINTS + SLOT(j)) * WHOLE_ROW + c);
        EACH(6, PRODUCTS_OF)
    }
}
