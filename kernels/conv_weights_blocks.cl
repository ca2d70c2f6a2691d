/* Convolution, gradient with respect to the weights, for devices with local memory: what conv_weights.cl makes, to the same bits,
 * with a work-group (blocks.h) for each tap, each block of channels and each micro-batch.
 *
 *   out[k][ky][kx][ci][co] = sum over (sample, oy, ox) of micro-batch k of x[s][iy][ix][ci] * y[s][oy][ox][co]
 *
 * x [n][H][W][CI], y [n][OH][OW][CO], out [micro-batches][KERNEL * KERNEL][CI][CO] float32; CO a multiple of BLOCK_COLUMNS. Pixels
 * outside x are skipped; conv_tree.cl follows.
 *
 * Order: pixels in order with fma from +0. Oracle: host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_sizes.h"
#include "conv_taps.h"
#include "micro_batch.h"

/* ---- tunable: VW, and the sizes of blocks.h -------------------------------------------------------------------------- */
#define ROWS_STORED 0
#include "blocks.h"

#define TAPS (KERNEL * KERNEL)

/* The results that meet a tap: `lines` of `columns` of each sample, whose first lies at float y and meets the pixel at float x. */
typedef struct {
    int x, y, lines, columns;
} meeting;

static inline void tap_meeting(SIZES, meeting *t, int ky, int kx)
{
    const int oy = tap_first(ky), ox = tap_first(kx);
    t->lines = tap_end(ky, H, OH) - oy, t->columns = tap_end(kx, W, OW) - ox;
    t->x = ((oy * STRIDE - PAD + ky) * W + ox * STRIDE - PAD + kx) * CI, t->y = (oy * OW + ox) * CO;
    if (t->lines <= 0 || t->columns <= 0) t->lines = 0, t->columns = 1; /* none; but they are divided by */
}

/* Pixel number `at` of them, counted from the first sample. */
INLINED int pixel_x(SIZES, const meeting *t, int at)
{
    const int line = at / t->columns, s = line / t->lines, o = at - line * t->columns;
    return t->x + ((s * H + (line - s * t->lines) * STRIDE) * W + o * STRIDE) * CI;
}

INLINED int pixel_y(SIZES, const meeting *t, int at)
{
    const int line = at / t->columns, s = line / t->lines, o = at - line * t->columns;
    return t->y + ((s * OH + line - s * t->lines) * OW + o) * CO;
}

/* Global: work-groups of (CO / BLOCK_COLUMNS, CI / BLOCK_ROWS, TAPS micro-batches). */
__attribute__((reqd_work_group_size(LOCAL_COLUMNS, LOCAL_ROWS, 1)))
__kernel void conv_weights_blocks(SIZES, int segment, int micro, __global const float *x, __global const float *y, __global float *out)
{
    BLOCK_PANELS;
    const int tap = get_global_id(2) % TAPS, k = get_global_id(2) / TAPS;
    const int column = get_group_id(0) * BLOCK_COLUMNS, row0 = get_group_id(1) * BLOCK_ROWS, left = CI - row0;
    meeting t;
    tap_meeting(SIZES_ON, &t, tap / KERNEL, tap % KERNEL);
    const int start = micro_batch_start(k, segment, micro), depth = micro_batch_samples(k, segment, micro) * t.lines * t.columns;
    x += (size_t)start * H * W * CI + row0, y += (size_t)start * OH * OW * CO + column;
    FV acc[MR][NV], f[ROWS_SHARE], g[COLUMNS_SHARE];
    block_clear(acc);
#define FETCH(first)                                                                                                  \
    _Pragma("unroll") for (int i = 0; i < ROWS_SHARE; i++)                                                            \
    {                                                                                                                 \
        const int at = me + i * BLOCK_ITEMS, p = (first) + ROWS_AT_STEP(at), row = ROWS_AT_ROW(at);                   \
        const int has = SHARE_HAS(ROWS_VECTORS, at) && p < depth && row < left;                                       \
        f[i] = has ? *GLOBAL_CFV(x + pixel_x(SIZES_ON, &t, p) + row) : FV_ALL(0.0f);                                  \
    }                                                                                                                 \
    _Pragma("unroll") for (int i = 0; i < COLUMNS_SHARE; i++)                                                         \
    {                                                                                                                 \
        const int at = me + i * BLOCK_ITEMS, p = (first) + COLUMNS_AT_STEP(at);                                       \
        const int has = SHARE_HAS(COLUMNS_VECTORS, at) && p < depth;                                                  \
        g[i] = has ? *GLOBAL_CFV(y + pixel_y(SIZES_ON, &t, p) + COLUMNS_AT_COLUMN(at)) : FV_ALL(0.0f);                \
    }
    FETCH(0)
    int side = 0;
    ROLLED
    for (int p0 = 0; p0 < depth; p0 += PANEL, side ^= 1) {
        __local float *rows_panel = rows_panels + side * ROWS_FLOATS;
        __local FV *columns_panel = columns_panels + side * COLUMNS_VECTORS;
        panels_fill(me, f, g, rows_panel, columns_panel);
        barrier(CLK_LOCAL_MEM_FENCE);
        FETCH(p0 + PANEL)
        panels_add(acc, rows_panel, columns_panel, min(depth - p0, PANEL));
    }
    block_store(acc, out + (((size_t)k * TAPS + tap) * CI + row0) * CO + column, CO, left);
}
