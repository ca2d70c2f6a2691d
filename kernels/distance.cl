/* Distances between images (host/ops/distance.h).
 *
 *   distance_logs    out [first + n][stride], from row first on, = ln max(v, floor) of v [n][pixels]; zeros behind the pixels. stride is a multiple of
 *                    LANES, float32, values finite, floor > 0.
 *   distance_sums    out [m][n] = sum over the stride of (a - b)^2, or with PRODUCTS of a b, for the rows a = first …
 *                    of A [first + m][stride] and b of B [n][stride]. same: A is B, and what lies wholly below the
 *                    diagonal (b < a) may be left as it is.
 *
 * Order: sixteen partial sums, number l over the elements l, l + 16, … in order, added by halves: l and l + 8, then
 * l and l + 4, l and l + 2, l and l + 1.
 * Equal rows give squares of exactly 0, and the matrix of a set with itself is symmetric to the bit. Each term of a partial
 * sum is one fma, so a product is right to (stride / 16 + 4) 2^-24 of the sum of |a b|.
 * Oracle: host/ops/ref/distance_ref.c. */
#include "explicit.h"

/* ---- tunable: rows of A and of B that are compared in registers, how many such tiles down and across one work-item takes,
 * and the elements of a row after which it goes to the next tile, so that what it reads stays in its cache. None changes
 * the order of a sum. ------------------------------------------------------------------------------------------------ */
#ifndef ROWS
#define ROWS 6
#endif
#ifndef COLUMNS
#define COLUMNS 4
#endif
#ifndef DOWN
#define DOWN 1
#endif
#ifndef ACROSS
#define ACROSS 1
#endif
#ifndef CHUNK
#define CHUNK 1024
#endif

#define LANES 16

/* Global size (stride, n). */
__kernel void distance_logs(__global const float *v, __global float *out, ulong first, int pixels,
                            float floor)
{
    const size_t i = get_global_id(0), image = get_global_id(1), stride = get_global_size(0);
    out[(first + image) * stride + i] = i < (size_t)pixels ? log_1(max_1(v[image * (size_t)pixels + i], floor)) : 0.0f;
}

/* Elements begin ... end - 1 of ROWS rows of A and COLUMNS rows of B into their sums. */
static inline void tile(__global const float *a, ulong row, ulong last_row, __global const float *b, int column, int last_column,
                        ulong stride, ulong begin, ulong end, float16 sums[ROWS][COLUMNS])
{
    __global const float *p[ROWS], *q[COLUMNS];
    float16 sum[ROWS][COLUMNS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        p[i] = a + min(row + (ulong)i, last_row) * stride;
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) sum[i][j] = sums[i][j];
    }
#pragma unroll
    for (int j = 0; j < COLUMNS; j++) q[j] = b + (ulong)min(column + j, last_column) * stride;
    for (ulong k = begin; k < end; k += LANES) {
        float16 y[COLUMNS];
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) y[j] = vload16(0, q[j] + k);
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            const float16 x = vload16(0, p[i] + k);
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
#ifdef PRODUCTS
                sum[i][j] = fma(x, y[j], sum[i][j]);
#else
                const float16 d = x - y[j];
                sum[i][j] = fma(d, d, sum[i][j]);
#endif
            }
        }
    }
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) sums[i][j] = sum[i][j];
    }
}

static inline float sum_of(float16 s)
{
    const float8 eight = s.lo + s.hi;
    const float4 four = eight.lo + eight.hi;
    const float2 two = four.lo + four.hi;
    return two.x + two.y;
}

/* Global size (ceil(n / (COLUMNS ACROSS)), ceil(m / (ROWS DOWN))). */
__kernel void distance_sums(__global const float *a, __global const float *b, __global float *out, ulong first,
                            int m, int n, int stride, int same)
{
    const int row = (int)get_global_id(1) * ROWS * DOWN, column = (int)get_global_id(0) * COLUMNS * ACROSS;
    float16 sums[DOWN * ACROSS][ROWS][COLUMNS];
    if (row >= m || column >= n || (same && (ulong)(column + COLUMNS * ACROSS) <= first + (ulong)row)) return;
    for (int t = 0; t < DOWN * ACROSS; t++)
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < COLUMNS; j++) sums[t][i][j] = (float16)(0.0f);
    for (ulong k = 0; k < (ulong)stride; k += CHUNK) {
        for (int t = 0; t < DOWN * ACROSS; t++) {
            const int r = row + t / ACROSS * ROWS, c = column + t % ACROSS * COLUMNS;
            if (r < m && c < n)
                tile(a, first + (ulong)r, first + (ulong)(m - 1), b, c, n - 1, (ulong)stride, k,
                     min(k + CHUNK, (ulong)stride), sums[t]);
        }
    }
    for (int t = 0; t < DOWN * ACROSS; t++) {
        const int r = row + t / ACROSS * ROWS, c = column + t % ACROSS * COLUMNS;
#pragma unroll
        for (int i = 0; i < ROWS; i++)
#pragma unroll
            for (int j = 0; j < COLUMNS; j++)
                if (r + i < m && c + j < n) out[(size_t)(r + i) * (size_t)n + (size_t)(c + j)] = sum_of(sums[t][i][j]);
    }
}
