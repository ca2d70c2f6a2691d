/* Convolution, forward and backward data (= transposed convolution), as a GEMM whose rows are gathered.
 *
 *   out[s][oy][ox][co] = bias[co] + sum over (ky, kx, ci) of in[s][iy][ix][ci] * w[tap][ci][co]
 *
 * in [n][IH][IW][CIN], out [n][OH][OW][COUT] float32, COUT a multiple of NR; geometry: conv_phase.h. packed: for each
 * phase [COUT / NR][taps of the phase][CIN][NR] (conv_pack.cl), NR = NV * VW or more. zeros: CIN zeros. bias may be null.
 *
 * Two shapes:
 *   LOCAL_COLUMNS 0   a work-item makes `tiles` tiles of MR output pixels x NR channels in registers
 *   more              a work-group makes a block of BLOCK_ROWS output pixels x NR = BLOCK_COLUMNS channels (blocks.h)
 * Rows of tiles and blocks: samples in groups of `group`, within a group pixel by pixel, within a pixel sample by sample; so the
 * pixels of a tile mostly have the same position, and a tap that leaves the image for all of them is skipped. Where it leaves for
 * some, these read zeros.
 *
 * Order: each output adds its taps and channels in order with fma from +0, then the bias (+0 without one). Products with
 * the zeros change no bits: they could only turn a partial sum of -0 into +0, which the last addition does anyway.
 * Oracle: host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_end.h"
#include "conv_sizes.h"

/* ---- tunable: vector width VW, rows MR, vectors NV, unroll KU (divides CIN), work-group WG, or LOCAL_COLUMNS x LOCAL_ROWS with
 * panels of PANEL (which divides CIN) ------------------------------------------------------------------------------------------ */
#ifndef MR
#define MR 4
#endif
#ifndef NV
#define NV 1
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

#include "conv_phase.h"

typedef struct {
    int iy, ix;  /* input pixel without the tap's offset; iy is far outside for rows past the end */
    int in, out; /* offsets in floats of that input pixel and of the output */
} place;

static inline void row_find(ENDS, place *r, int m, int rows, int n, int group, int py, int px, int qh, int qw)
{
    const int per_group = group * qh * qw;
    const int g = m / per_group, rest = m - g * per_group, members = max(min(group, n - g * group), 1);
    const int q = rest / members, s = g * group + rest - q * members, qy = q / qw, qx = q - qy * qw;
    r->iy = m < rows ? qy * IS : -(1 << 24);
    r->ix = qx * IS;
    r->in = ((s * IH + qy * IS) * IW + qx * IS) * CIN;
    r->out = ((s * OH + qy * PS + py) * OW + qx * PS + px) * COUT;
}

#if LOCAL_COLUMNS
#define ROWS_STORED 1
#include "blocks.h"
#define NR BLOCK_COLUMNS

/* Input pixels, without the taps' offsets, among which those of a block are. */
typedef struct {
    int y0, y1, x0, x1;
} extent;

static inline void block_extent(ENDS, extent *e, int m0, int rows, int n, int group, int py, int px, int qh, int qw)
{
    const int m1 = min(m0 + BLOCK_ROWS, rows) - 1, per_group = group * qh * qw;
    place a, b;
    row_find(ENDS_ON, &a, m0, rows, n, group, py, px, qh, qw);
    row_find(ENDS_ON, &b, m1, rows, n, group, py, px, qh, qw);
    const int together = m0 / per_group == m1 / per_group, line = together && a.iy == b.iy;
    e->y0 = together ? a.iy : 0, e->y1 = together ? b.iy : (qh - 1) * IS;
    e->x0 = line ? a.ix : 0, e->x1 = line ? b.ix : (qw - 1) * IS;
}

/* The first tap of the phase from `tap` on that meets the image somewhere, or ty * tx. */
static inline int tap_next(int IH, int IW, int tap, const extent *e, int py, int px, int ty, int tx)
{
    for (; tap < ty * tx; tap++) {
        const int dy = PHASE_OFFSET(py, tap / tx), dx = PHASE_OFFSET(px, tap % tx);
        if (e->y1 + dy >= 0 && e->y0 + dy < IH && e->x1 + dx >= 0 && e->x0 + dx < IW) break;
    }
    return tap;
}

/* The rows of this work-item's vectors: input pixels moved by (dy, dx), 0 outside. */
INLINED void pixels_fetch(int me, int IH, int IW, int CIN, FV f[ROWS_SHARE], const place r[ROWS_SHARE], __global const float *in,
                          int dy, int dx)
{
#pragma unroll
    for (int i = 0; i < ROWS_SHARE; i++) {
        const int at = me + i * BLOCK_ITEMS;
        const int inside = SHARE_HAS(ROWS_VECTORS, at) && (uint)(r[i].iy + dy) < (uint)IH && (uint)(r[i].ix + dx) < (uint)IW;
        f[i] = inside ? *GLOBAL_CFV(in + (r[i].in + (dy * IW + dx) * CIN + ROWS_AT_STEP(at))) : FV_ALL(0.0f);
    }
}

/* Global: work-groups of (COUT / NR, rows of the largest phase / BLOCK_ROWS, phases). */
__attribute__((reqd_work_group_size(LOCAL_COLUMNS, LOCAL_ROWS, 1)))
__kernel void conv_gather(ENDS, int n, int group, __global const float *in, __global const float *packed,
                          __global const float *bias, __global float *out, float leak, __global const float *of)
{
    BLOCK_PANELS;
    const int tile = get_group_id(0), phase = get_global_id(2), py = phase / PS, px = phase % PS;
    int qh = PHASE_SIZE(OH, py), qw = PHASE_SIZE(OW, px);
    const int rows = n * qh * qw, m0 = get_group_id(1) * BLOCK_ROWS;
    qh = max(qh, 1), qw = max(qw, 1); /* to be divided by, also without rows */
    const int ty = PHASE_TAPS(py), tx = PHASE_TAPS(px), taps = m0 < rows ? ty * tx : 0;
    packed += (size_t)phase_taps_before(phase) * CIN * COUT + (size_t)tile * ty * tx * CIN * NR;
    extent e;
    block_extent(ENDS_ON, &e, m0, rows, n, group, py, px, qh, qw);
    place r[ROWS_SHARE];
#pragma unroll
    for (int i = 0; i < ROWS_SHARE; i++)
        row_find(ENDS_ON, &r[i], m0 + ROWS_AT_ROW(me + i * BLOCK_ITEMS), rows, n, group, py, px, qh, qw);
    FV acc[MR][NV], f[ROWS_SHARE], g[COLUMNS_SHARE];
    block_clear(acc);
    int tap = taps ? tap_next(IH, IW, 0, &e, py, px, ty, tx) : 0, k = 0, side = 0;
#define FETCH                                                                                                             if (tap < taps) {                                                                                                         pixels_fetch(me, IH, IW, CIN, f, r, in + k, PHASE_OFFSET(py, tap / tx), PHASE_OFFSET(px, tap % tx));                  columns_fetch(me, g, packed + ((size_t)tap * CIN + k) * NR, NR, PANEL);                                           }
    FETCH
    ROLLED
    while (tap < taps) {
        __local float *rows_panel = rows_panels + side * ROWS_FLOATS;
        __local FV *columns_panel = columns_panels + side * COLUMNS_VECTORS;
        panels_fill(me, f, g, rows_panel, columns_panel);
        barrier(CLK_LOCAL_MEM_FENCE);
        k += PANEL;
        if (k == CIN) k = 0, tap = tap_next(IH, IW, tap + 1, &e, py, px, ty, tx);
        FETCH
        panels_add(acc, rows_panel, columns_panel, PANEL);
        side ^= 1;
    }
#pragma unroll
    for (int i = 0; i < MR; i++) {
        const int m = m0 + get_local_id(1) * MR + i;
        place to;
        row_find(ENDS_ON, &to, m, rows, n, group, py, px, qh, qw);
        if (m < rows)
#pragma unroll
            for (int j = 0; j < NV; j++) {
                const int column = tile * NR + (get_local_id(0) + j * LOCAL_COLUMNS) * VW;
                const FV b = bias ? VLOAD(0, bias + column) : FV_ALL(0.0f);
                *GLOBAL_FV(out + to.out + column) = END_V(acc[i][j] + b, to.out + column);
            }
    }
}
#else
#define NR (NV * VW)

typedef struct {
    int iy[MR], ix[MR], in[MR], out[MR];
} tile_rows;

static inline void rows_find(ENDS, tile_rows *r, int m0, int rows, int n, int group, int py, int px, int qh, int qw)
{
#pragma unroll
    for (int i = 0; i < MR; i++) {
        place p;
        row_find(ENDS_ON, &p, m0 + i, rows, n, group, py, px, qh, qw);
        r->iy[i] = p.iy, r->ix[i] = p.ix, r->in[i] = p.in, r->out[i] = p.out;
    }
}

/* Adds one tap: K = CIN, a row of the tile from each pointer. */
static inline void tap_add(int CIN, FV acc[MR][NV], __global const float *p[MR], __global const float *w)
{
    for (int k = 0; k < CIN; k += KU) {
#pragma unroll
        for (int u = 0; u < KU; u++) {
            FV b[NV];
#pragma unroll
            for (int j = 0; j < NV; j++) b[j] = GLOBAL_CFV(w)[u * NV + j];
#pragma unroll
            for (int i = 0; i < MR; i++) {
                const FV x = FV_ALL(p[i][k + u]);
#pragma unroll
                for (int j = 0; j < NV; j++) acc[i][j] = fma(x, b[j], acc[i][j]);
            }
        }
        w += KU * NR;
    }
}

__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void conv_gather(ENDS, int n, int group, int tiles, __global const float *in,
                          __global const float *packed, __global const float *bias,
                          __global const float *zeros, __global float *out, float leak, __global const float *of)
{
    const int tile = get_global_id(1), phase = get_global_id(2), py = phase / PS, px = phase % PS;
    const int qh = PHASE_SIZE(OH, py), qw = PHASE_SIZE(OW, px), rows = n * qh * qw;
    const int ty = PHASE_TAPS(py), tx = PHASE_TAPS(px);
    packed += (size_t)phase_taps_before(phase) * CIN * COUT + (size_t)tile * ty * tx * CIN * NR;
    for (int t = 0; t < tiles; t++) {
        const int m0 = ((int)get_global_id(0) * tiles + t) * MR;
        if (m0 >= rows) return;
        tile_rows r;
        rows_find(ENDS_ON, &r, m0, rows, n, group, py, px, qh, qw);
        FV acc[MR][NV];
#pragma unroll
        for (int i = 0; i < MR; i++)
#pragma unroll
            for (int j = 0; j < NV; j++) acc[i][j] = FV_ALL(0.0f);
        __global const float *w = packed;
        for (int jy = 0; jy < ty; jy++)
            for (int jx = 0; jx < tx; jx++) {
                const int dy = PHASE_OFFSET(py, jy), dx = PHASE_OFFSET(px, jx), step = (dy * IW + dx) * CIN;
                __global const float *p[MR];
                int any = 0;
#pragma unroll
                for (int i = 0; i < MR; i++) {
                    const int inside = (uint)(r.iy[i] + dy) < (uint)IH && (uint)(r.ix[i] + dx) < (uint)IW;
                    any |= inside;
                    p[i] = inside ? in + (r.in[i] + step) : zeros;
                }
                if (any) tap_add(CIN, acc, p, w);
                w += CIN * NR;
            }
#pragma unroll
        for (int i = 0; i < MR; i++)
            if (m0 + i < rows)
#pragma unroll
                for (int j = 0; j < NV; j++) {
                    const FV b = bias ? VLOAD(tile * NV + j, bias) : FV_ALL(0.0f);
                    const int at = r.out[i] + (tile * NV + j) * VW;
                    VSTORE(END_V(acc[i][j] + b, at), 0, out + at);
                }
    }
}
#endif
