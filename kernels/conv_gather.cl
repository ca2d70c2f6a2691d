/* Convolution, forward and backward data (= transposed convolution), as a GEMM whose rows are gathered.
 *
 *   out[s][oy][ox][co] = bias[co] + sum over (ky, kx, ci) of in[s][iy][ix][ci] * w[tap][ci][co]
 *
 * in [n][IH][IW][CIN], out [n][OH][OW][COUT] float32, COUT a multiple of NV * VW; geometry: conv_phase.h. packed: for each
 * phase [COUT / NR][taps of the phase][CIN][NR] with NR = NV * VW (conv_pack.cl). zeros: CIN zeros. bias may be null.
 *
 * A work-item makes `tiles` tiles of MR output pixels x NR channels in registers. Rows of the tiles: samples in groups of
 * `group`, within a group pixel by pixel, within a pixel sample by sample; so the pixels of a tile mostly have the same
 * position, and a tap that leaves the image for all of them is skipped. Where it leaves for some, these read zeros.
 *
 * Order: each output adds its taps and channels in order with fma from +0, then the bias (+0 without one). Products with
 * the zeros change no bits: they could only turn a partial sum of -0 into +0, which the last addition does anyway.
 * Oracle: host/ops/ref/conv_ref.c. */
#include "common.h"
#include "conv_end.h"
#include "conv_sizes.h"

/* ---- tunable: vector width VW, rows MR, vectors NV, unroll KU (divides CIN), work-group WG -------------------------- */
#ifndef MR
#define MR 4
#endif
#ifndef NV
#define NV 1
#endif
#ifndef KU
#define KU 1
#endif
#ifndef WG
#define WG 1
#endif

#include "conv_phase.h"
#define NR (NV * VW)

typedef struct {
    int iy[MR], ix[MR]; /* input pixel without the tap's offset; iy is far outside for rows past the end */
    int in[MR], out[MR]; /* offsets in floats of that input pixel and of the output */
} tile_rows;

static inline void rows_find(ENDS, tile_rows *r, int m0, int rows, int n, int group, int py, int px, int qh, int qw)
{
    const int per_group = group * qh * qw;
#pragma unroll
    for (int i = 0; i < MR; i++) {
        const int m = m0 + i, g = m / per_group, rest = m - g * per_group, members = max(min(group, n - g * group), 1);
        const int q = rest / members, s = g * group + rest - q * members, qy = q / qw, qx = q - qy * qw;
        r->iy[i] = m < rows ? qy * IS : -(1 << 24);
        r->ix[i] = qx * IS;
        r->in[i] = ((s * IH + qy * IS) * IW + qx * IS) * CIN;
        r->out[i] = ((s * OH + qy * PS + py) * OW + qx * PS + px) * COUT;
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
