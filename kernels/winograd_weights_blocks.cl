/* Convolution of 5 x 5 taps and stride 2, gradient with respect to the weights by Winograd's products (winograd.h) for devices
 * with local memory: what winograd_weights.cl makes in one, to the same bits, in steps that have work for many work-groups.
 *
 *   weights_gradients  D [slot][rows][CO + PADDING] = A y A' of y [n][OH][OW][CO], for `count` tiles from tile `first` on; it lies
 *                      behind V [slot][rows][phases CI + PADDING], which windows_of_phases (winograd_windows.cl) makes of the same tiles
 *   weights_sums       u [micro-batch][unit][CI][width] = or += the sum of V D over those of the tiles that belong to the
 *                      micro-batch, for the `width` channels of y from column0 on: per slot a matrix product along the tiles
 *   weights_taps       out [micro-batch][5 * 5][CI][CO] = G' u G, for these channels; conv_tree.cl follows
 *
 * float32. A unit is a phase of a slot. Order: tiles in order with fma from +0 within a micro-batch (a chunk that ends within one goes
 * on from what u holds), then the taps. Oracle: the direct convolution, host/ops/ref/conv_ref.c. */
#include "common.h"
#include "micro_batch.h"
#include "winograd.h"
#include "winograd_adjoint.h"

/* ---- tunable: VW, work-group WG x WG_ROWS (vectors x tiles or channels); of the sums instead those of blocks.h ------ */
#ifndef WG
#define WG 1
#endif
#ifndef WG_ROWS
#define WG_ROWS 1
#endif
#ifndef LOCAL_COLUMNS
#define LOCAL_COLUMNS 0
#endif

#define WINDOWS_FLOATS ((size_t)rows * (25 * PHASES_ROW(4) + 10 * PHASES_ROW(2) + PHASES_ROW(1)))

#if LOCAL_COLUMNS
#define ROWS_STORED 0
#include "blocks.h"

/* Micro-batches from number `first_micro` on. Global: work-groups of (width / BLOCK_COLUMNS, 4 CI / BLOCK_ROWS, PRODUCTS micro-batches). */
__attribute__((reqd_work_group_size(LOCAL_COLUMNS, LOCAL_ROWS, 1)))
__kernel void weights_sums(SIZES, int segment, int micro, int first_micro, __global const float *v, int first, int count,
                           int rows, int fresh, __global float *u, int column0, int width)
{
    BLOCK_PANELS;
    const int f = get_global_id(2) % PRODUCTS, m = get_global_id(2) / PRODUCTS, i = f / POINTS, j = f % POINTS;
    const int begin = TY * TX * micro_batch_start(first_micro + m, segment, micro);
    const int end = begin + TY * TX * micro_batch_samples(first_micro + m, segment, micro);
    const int tile = max(begin, first), tiles = min(end, first + count) - tile;
    const int column = get_group_id(0) * BLOCK_COLUMNS, row = get_group_id(1) * BLOCK_ROWS;
    const int left = SLOT_PHASES(i, j) * CI - row, step = PHASES_ROW(SLOT_PHASES(i, j)), depth = left > 0 ? tiles : 0;
    __global const float *d = v + WINDOWS_FLOATS + ((size_t)f * rows + (tile - first)) * WHOLE_ROW + column0 + column;
    v += (size_t)rows * SLOT_START(i, j, PHASES_ROW(4), PHASES_ROW(2)) + (size_t)(tile - first) * step + row;
    u += ((size_t)m * UNITS * CI + (size_t)SLOT_START(i, j, 4, 2) * CI + row) * width + column;
    FV acc[MR][NV];
    block_clear(acc);
    if (!fresh) block_load(acc, u, width, left);
    block_add(me, acc, rows_panels, columns_panels, v, step, left, d, WHOLE_ROW, depth);
    block_store(acc, u, width, left);
}
#else
/* Global: (CO / VW, count), rounded up to work-groups. */
__attribute__((reqd_work_group_size(WG, WG_ROWS, 1)))
__kernel void weights_gradients(SIZES, __global const float *y, __global float *v, int first, int count, int rows)
{
    const int c = get_global_id(0) * VW, row = get_global_id(1);
    const int tile = first + row, sample = tile / (TX * TY), ty = tile / TX % TY, tx = tile % TX;
    if (c >= CO || row >= count) return;
    gradient_write(y + (size_t)sample * OH * OW * CO + c, v + WINDOWS_FLOATS + (size_t)row * WHOLE_ROW + c,
                   (size_t)rows * WHOLE_ROW, ty, tx, OH, OW, CO);
}

/* out at the first micro-batch's. Global: (width / VW, CI, micro-batches), the first two rounded up to work-groups. */
__attribute__((reqd_work_group_size(WG, WG_ROWS, 1)))
__kernel void weights_taps(SIZES, __global const float *u, int column0, int width, __global float *out, int first_micro)
{
    const int c = get_global_id(0) * VW, ci = get_global_id(1), m = get_global_id(2);
    if (c >= width || ci >= CI) return;
    u += ((size_t)m * UNITS * CI + ci) * width + c;
    out += ((size_t)(first_micro + m) * TAPS * CI + ci) * CO + column0 + c;
    ROLLED
    for (int phase = 0; phase < 4; phase++) phase_finish((size_t)CI * width, (size_t)CI * CO, out, u, phase / 2, phase % 2);
}
#endif
