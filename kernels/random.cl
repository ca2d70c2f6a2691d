/* Random words and standard normals (host/ops/random.h).
 *
 *   random_words    out[4 b + w] = word w of block first + b, b < blocks      uint32
 *   random_normals  out[row][column] = sigma z_i, i = first + row columns + column, rows of `stride` floats, zeros behind
 *                   `columns`                                                 float32
 * Normals from the words w of block i >> 2: words (0,1) give elements i & 3 = 0 (cosine) and 1 (sine), words (2,3) give 2
 * and 3: r = sqrt(-2 ln u1), angle 2 pi u2, u1 = the float nearest to (w + 1/2) 2^-32, u2 = (w >> 8) 2^-24.
 * Explicit arithmetic: the same bits everywhere. Oracle: host/ops/ref/random_ref.c. A work-item makes VW blocks. */
#include "explicit.h"
#include "philox.h"

static inline void counters(UV x[4], ulong index, uint stream, uint sub)
{
    uint low[VW], high[VW];
    for (int l = 0; l < VW; l++) {
        low[l] = (uint)(index + l);
        high[l] = (uint)((index + l) >> 32);
    }
    x[0] = VLOADU(0, low);
    x[1] = VLOADU(0, high);
    x[2] = UV_ALL(sub);
    x[3] = UV_ALL(stream);
}

__kernel void random_words(__global uint *out, ulong seed, uint stream, uint sub, ulong first, uint blocks)
{
    const uint b = (uint)get_global_id(0) * VW;
    UV x[4];
    uint lanes[4][VW];
    if (b >= blocks) return;
    counters(x, first + b, stream, sub);
    philox_v(seed, x);
    for (int w = 0; w < 4; w++) VSTOREU(x[w], 0, lanes[w]);
    for (uint l = 0; l < VW && b + l < blocks; l++)
        for (uint w = 0; w < 4; w++) out[4 * (size_t)(b + l) + w] = lanes[w][l];
}

/* Words below 2^16 as floats: exact. */
static inline FV small_float(UV x) { return AS_FV(x | 0x4b000000u) - FV_ALL(8388608.0f); }

static inline void box_muller(UV word1, UV word2, FV *cosine, FV *sine)
{
    const FV low = (small_float(word1 & 0xffffu) + FV_ALL(0.5f)) * FV_ALL(0x1p-32f);
    const FV u1 = fma(small_float(word1 >> 16), FV_ALL(0x1p-16f), low);
    const FV u2 = fma(small_float(word2 >> 16), FV_ALL(0x1p-16f), small_float((word2 >> 8) & 0xffu) * FV_ALL(0x1p-24f));
    const FV r = sqrt_v(log_v(u1) * FV_ALL(-2.0f));
    FV s, c;
    sincos2pi_v(u2, &s, &c);
    *cosine = r * c;
    *sine = r * s;
}

/* The work-items cover the blocks first >> 2 and up; `count` = rows columns. */
__kernel void random_normals(__global float *out, ulong seed, uint stream, uint sub, ulong first, ulong count,
                             uint columns, uint stride, float sigma)
{
    const ulong block = (first >> 2) + (ulong)get_global_id(0) * VW;
    UV x[4];
    FV z[4];
    float lanes[4][VW];
    if (4 * block >= first + count) return;
    counters(x, block, stream, sub);
    philox_v(seed, x);
    box_muller(x[0], x[1], &z[0], &z[1]);
    box_muller(x[2], x[3], &z[2], &z[3]);
    for (int e = 0; e < 4; e++) VSTORE_LANES(z[e] * sigma, 0, lanes[e]);
    const ulong from = max(first, 4 * block), to = min(first + count, 4 * (block + VW));
    ulong row = (from - first) / columns;
    uint column = (uint)((from - first) % columns);
    for (ulong i = from; i < to; i++) {
        const uint k = (uint)(i - 4 * block);
        out[row * stride + column] = lanes[k & 3][k >> 2];
        if (++column == columns) {
            for (; column < stride; column++) out[row * stride + column] = 0.0f;
            column = 0;
            row++;
        }
    }
}
