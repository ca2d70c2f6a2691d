/* Distances between images (host/ops/distance.h).
 *
 *   distance_logs    out [first + n][stride], from row first on, = ln max(v, floor) of v [n][pixels]; zeros behind the pixels. stride is a multiple of
 *                    LANES, float32, values finite, floor > 0.
 *   distance_squares out [m][n] = sum over the stride of (a - b)^2 for the rows a = first … of A
 *                    [first + m][stride] and b of B [n][stride]. same: A is B, and what lies wholly below the diagonal
 *                    (b < a) may be left as it is.
 *
 * Order: sixteen partial sums, number l over the elements l, l + 16, … in order, added by halves: l and l + 8, then
 * l and l + 4, l and l + 2, l and l + 1.
 * Equal rows give exactly 0, and the matrix of a set with itself is symmetric to the bit.
 * Oracle: host/ops/ref/distance_ref.c. */
#include "explicit.h"

/* ---- tunable: rows of A and of B that one work-item takes ------------------------------------------------------------ */
#ifndef ROWS
#define ROWS 6
#endif
#ifndef COLUMNS
#define COLUMNS 4
#endif

#define LANES 16

/* Global size (stride, n). */
__kernel void distance_logs(__global const float *v, __global float *out, ulong first, int pixels,
                            float floor)
{
    const size_t i = get_global_id(0), image = get_global_id(1), stride = get_global_size(0);
    out[(first + image) * stride + i] = i < (size_t)pixels ? log_1(max_1(v[image * (size_t)pixels + i], floor)) : 0.0f;
}

/* Global size (ceil(n / COLUMNS), ceil(m / ROWS)). */
__kernel void distance_squares(__global const float *a, __global const float *b, __global float *out, ulong first,
                               int m, int n, int stride, int same)
{
    const int row = (int)get_global_id(1) * ROWS, column = (int)get_global_id(0) * COLUMNS;
    __global const float *p[ROWS], *q[COLUMNS];
    float16 sum[ROWS][COLUMNS];
    if (row >= m || column >= n || (same && (ulong)(column + COLUMNS) <= first + (ulong)row)) return;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        p[i] = a + (first + (ulong)min(row + i, m - 1)) * (ulong)stride;
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) sum[i][j] = (float16)(0.0f);
    }
#pragma unroll
    for (int j = 0; j < COLUMNS; j++) q[j] = b + (size_t)min(column + j, n - 1) * (size_t)stride;
    for (int k = 0; k < stride; k += LANES) {
        float16 y[COLUMNS];
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) y[j] = vload16(0, q[j] + k);
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            const float16 x = vload16(0, p[i] + k);
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
                const float16 d = x - y[j];
                sum[i][j] = fma(d, d, sum[i][j]);
            }
        }
    }
    for (int i = 0; i < ROWS && row + i < m; i++) {
        for (int j = 0; j < COLUMNS && column + j < n; j++) {
            const float8 eight = sum[i][j].lo + sum[i][j].hi;
            const float4 four = eight.lo + eight.hi;
            const float2 two = four.lo + four.hi;
            out[(size_t)(row + i) * (size_t)n + (size_t)(column + j)] = two.x + two.y;
        }
    }
}
