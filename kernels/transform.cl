/* The transform of densities to [-1, 1] and back (host/ops/crop.h), i < n, float32, in place or not.
 *
 *   transform_to    out = (2 ln w - (b + a)) / (b - a), computed as ((ln w - a) + (ln w - b)) / (b - a), w = v scale + offset
 *                   w <= 0 gives -1; where `exact`, so does v = 0, whatever ln offset rounds to
 *   transform_from  out = (exp(v (b - a)/2 + (b + a)/2) - offset) / scale; where `exact`, -1 gives 0
 * Explicit arithmetic. Oracle: host/ops/ref/transform_ref.c. A work-item takes BATCH vectors, the last one fewer floats. */
#include "explicit.h"

#ifndef BATCH
#define BATCH 1
#endif

#define TRANSFORM(N, F)                                                                                                \
    static inline F to_##N(F v, float a, float b, float width, float offset, float scale, int exact)                   \
    {                                                                                                                  \
        const F w = fma(v, (F)(scale), (F)(offset)), l = log_##N(w);                                                   \
        F y = div_##N((l - (F)(a)) + (l - (F)(b)), (F)(width));                                                        \
        y = w <= (F)(0.0f) ? (F)(-1.0f) : y;                                                                           \
        const F lowest = exact ? (F)(0.0f) : (F)(-INFINITY);                                                           \
        return v == lowest ? (F)(-1.0f) : y;                                                                           \
    }                                                                                                                  \
    static inline F from_##N(F v, float half_width, float middle, float offset, float scale, int exact)                \
    {                                                                                                                  \
        const F y = div_##N(exp_##N(fma(v, (F)(half_width), (F)(middle))) - (F)(offset), (F)(scale));                  \
        const F lowest = exact ? (F)(-1.0f) : (F)(-INFINITY);                                                          \
        return v == lowest ? (F)(0.0f) : y;                                                                            \
    }

TRANSFORM(1, float)
TRANSFORM(v, FV)

__kernel void transform_to(__global const float *v, __global float *out, ulong n, float a, float b, float width,
                           float offset, float scale, int exact)
{
    ulong i = (ulong)get_global_id(0) * (BATCH * VW);
    for (int k = 0; k < BATCH && i + VW <= n; k++, i += VW)
        VSTORE(to_v(VLOAD(0, v + i), a, b, width, offset, scale, exact), 0, out + i);
    const ulong end = min(n, ((ulong)get_global_id(0) + 1) * (BATCH * VW));
    for (; i < end; i++) out[i] = to_1(v[i], a, b, width, offset, scale, exact);
}

__kernel void transform_from(__global const float *v, __global float *out, ulong n, float half_width, float middle,
                             float offset, float scale, int exact)
{
    ulong i = (ulong)get_global_id(0) * (BATCH * VW);
    for (int k = 0; k < BATCH && i + VW <= n; k++, i += VW)
        VSTORE(from_v(VLOAD(0, v + i), half_width, middle, offset, scale, exact), 0, out + i);
    const ulong end = min(n, ((ulong)get_global_id(0) + 1) * (BATCH * VW));
    for (; i < end; i++) out[i] = from_1(v[i], half_width, middle, offset, scale, exact);
}
