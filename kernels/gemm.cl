/* C [m][n] = A [m][k] B [k][n], row-major float32, any sizes and row strides.
 *   gemm_transpose  to [cols][rows] = from [rows][cols]: operands that are stored transposed. Exact.
 *   gemm_pack       packed [ceil(n / NR)][k][NR] = B, zeros behind its last column. Exact.
 *   gemm_tiles      C; one work-item makes `tiles` tiles of MR rows x NR = NV * VW columns in registers, or with
 *                   LOCAL_COLUMNS a work-group a block of BLOCK_ROWS x NR = BLOCK_COLUMNS (blocks.h; VW is 1, as rows begin anywhere).
 * Order: each element of C adds along k in order with fma from +0. Oracle: the plain loops of tests/ops/ops_gemm.c. */
#include "common.h"
#include "conv_transpose.h"

/* ---- tunable: vector width VW, tile MR x NV vectors, work-group WG, or the sizes of blocks.h -------------------------- */
#ifndef MR
#define MR 4
#endif
#ifndef NV
#define NV 1
#endif
#ifndef WG
#define WG 1
#endif

#ifndef LOCAL_COLUMNS
#define LOCAL_COLUMNS 0
#endif

#if LOCAL_COLUMNS
#define ROWS_STORED 1
#include "blocks.h"
#define NR BLOCK_COLUMNS
#else
#define NR (NV * VW)
#define KU 4
#endif

/* Global: (ceil(cols / VW), ceil(rows / VW)). */
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void gemm_transpose(int rows, int cols, __global const float *from, int from_stride, __global float *to)
{
    const int col = get_global_id(0) * VW, row = get_global_id(1) * VW;
    if (col + VW <= cols && row + VW <= rows) {
        FV r[VW];
#pragma unroll
        for (int i = 0; i < VW; i++) r[i] = VLOAD(0, from + (size_t)(row + i) * from_stride + col);
        block_transpose(r);
#pragma unroll
        for (int i = 0; i < VW; i++) VSTORE(r[i], 0, to + (size_t)(col + i) * rows + row);
        return;
    }
    for (int i = row; i < min(row + VW, rows); i++)
        for (int j = col; j < min(col + VW, cols); j++) to[(size_t)j * rows + i] = from[(size_t)i * from_stride + j];
}

/* Global: (ceil(k / ROWS), ceil(n / NR)). */
#define ROWS 64
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void gemm_pack(int n, int k, __global const float *b, int ldb, __global float *packed)
{
    const int first = get_global_id(0) * ROWS, last = min(first + ROWS, k), tile = get_global_id(1), col = tile * NR;
    for (int r = first; r < last; r++) {
        __global const float *from = b + (size_t)r * ldb + col;
        __global float *to = packed + ((size_t)tile * k + r) * NR;
        if (col + NR <= n)
            for (int j = 0; j < NR; j += VW) VSTORE(VLOAD(0, from + j), 0, to + j);
        else
            for (int j = 0; j < NR; j++) to[j] = col + j < n ? from[j] : 0.0f;
    }
}

#if LOCAL_COLUMNS
/* Global: work-groups of (ceil(n / NR), ceil(m / BLOCK_ROWS)). */
__attribute__((reqd_work_group_size(LOCAL_COLUMNS, LOCAL_ROWS, 1)))
__kernel void gemm_tiles(int m, int n, int depth, __global const float *a, int lda, __global const float *packed, __global float *c,
                         int ldc)
{
    BLOCK_PANELS;
    const int tile = get_group_id(0), row = get_group_id(1) * BLOCK_ROWS, first = row + get_local_id(1) * MR;
    FV acc[MR][NV];
    block_clear(acc);
    block_add(me, acc, rows_panels, columns_panels, a + (size_t)row * lda, lda, m - row, packed + (size_t)tile * depth * NR, NR, depth);
#pragma unroll
    for (int i = 0; i < MR; i++)
#pragma unroll
        for (int j = 0; j < NV; j++) {
            const int column = tile * NR + j * LOCAL_COLUMNS + get_local_id(0);
            if (first + i < m && column < n) c[(size_t)(first + i) * ldc + column] = acc[i][j];
        }
}
#else
/* acc += rows p of A times `depth` rows of the packed B. */
#define STEP(u)                                                                                                        \
    do {                                                                                                               \
        FV w[NV];                                                                                                      \
        _Pragma("unroll") for (int j = 0; j < NV; j++) w[j] = GLOBAL_CFV(b)[(u) * NV + j];                             \
        _Pragma("unroll") for (int i = 0; i < MR; i++)                                                                 \
        {                                                                                                              \
            const FV x = FV_ALL(p[i][k + (u)]);                                                                        \
            _Pragma("unroll") for (int j = 0; j < NV; j++) acc[i][j] = fma(x, w[j], acc[i][j]);                        \
        }                                                                                                              \
    } while (0)

/* Global: (ceil(m / (MR * tiles)), ceil(n / NR)). */
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void gemm_tiles(int m, int n, int depth, int tiles, __global const float *a, int lda,
                         __global const float *packed, __global float *c, int ldc)
{
    const int col = get_global_id(1) * NR;
    for (int t = 0; t < tiles; t++) {
        const int row = ((int)get_global_id(0) * tiles + t) * MR;
        if (row >= m) return;
        __global const float *b = packed + (size_t)get_global_id(1) * depth * NR;
        __global const float *p[MR];
        FV acc[MR][NV];
#pragma unroll
        for (int i = 0; i < MR; i++) {
            p[i] = a + (size_t)min(row + i, m - 1) * lda;
#pragma unroll
            for (int j = 0; j < NV; j++) acc[i][j] = FV_ALL(0.0f);
        }
        int k = 0;
        for (; k + KU <= depth; k += KU, b += KU * NR) {
#pragma unroll
            for (int u = 0; u < KU; u++) STEP(u);
        }
        for (; k < depth; k++, b += NR) STEP(0);
#pragma unroll
        for (int i = 0; i < MR; i++)
            if (row + i < m) {
                __global float *to = c + (size_t)(row + i) * ldc + col;
                if (col + NR <= n) {
#pragma unroll
                    for (int j = 0; j < NV; j++) VSTORE(acc[i][j], j, to);
                } else {
                    float edge[NR];
#pragma unroll
                    for (int j = 0; j < NV; j++) VSTORE_LANES(acc[i][j], j, edge);
#pragma unroll
                    for (int j = 0; j < NR; j++)
                        if (col + j < n) to[j] = edge[j];
                }
            }
    }
}
#endif
