/* The transforms of densities to [-1, 1] and back (host/base/transform.h), i < n, float32, in place or not.
 * w = v scale + offset.
 *
 *   log_to       out = (2 ln w - (b + a)) / (b - a), computed as ((ln w - a) + (ln w - b)) / (b - a);
 *                w <= 0 gives -1; where `exact`, so does v = 0, whatever ln offset rounds to
 *   log_from     out = (exp(v (b - a)/2 + (b + a)/2) - offset) / scale; where `exact`, -1 gives 0
 *   linear_to    out = (2 w - (b + a)) / (b - a), computed likewise; the bounds give -1 and 1 exactly where scale is 1
 *   linear_from  out = (v (b - a)/2 + (b + a)/2 - offset) / scale
 * Explicit arithmetic. Oracle: host/ops/ref/transform_ref.c. A work-item takes BATCH vectors, the last one fewer floats. */
#include "explicit.h"

#ifndef BATCH
#define BATCH 1
#endif

#define TRANSFORM(N, F)                                                                                                \
    static inline F log_to_##N(F v, float a, float b, float width, float offset, float scale, int exact)               \
    {                                                                                                                  \
        const F w = fma(v, (F)(scale), (F)(offset)), l = log_##N(w);                                                   \
        F y = div_##N((l - (F)(a)) + (l - (F)(b)), (F)(width));                                                        \
        y = w <= (F)(0.0f) ? (F)(-1.0f) : y;                                                                           \
        const F lowest = (F)(exact ? 0.0f : -INFINITY);                                                                \
        return v == lowest ? (F)(-1.0f) : y;                                                                           \
    }                                                                                                                  \
    static inline F log_from_##N(F v, float half_width, float middle, float offset, float scale, int exact)            \
    {                                                                                                                  \
        const F y = div_##N(exp_##N(fma(v, (F)(half_width), (F)(middle))) - (F)(offset), (F)(scale));                  \
        const F lowest = (F)(exact ? -1.0f : -INFINITY);                                                               \
        return v == lowest ? (F)(0.0f) : y;                                                                            \
    }                                                                                                                  \
    static inline F linear_to_##N(F v, float a, float b, float width, float offset, float scale, int exact)            \
    {                                                                                                                  \
        const F w = fma(v, (F)(scale), (F)(offset));                                                                   \
        return div_##N((w - (F)(a)) + (w - (F)(b)), (F)(width));                                                       \
    }                                                                                                                  \
    static inline F linear_from_##N(F v, float half_width, float middle, float offset, float scale, int exact)         \
    {                                                                                                                  \
        return div_##N(fma(v, (F)(half_width), (F)(middle)) - (F)(offset), (F)(scale));                                \
    }

TRANSFORM(1, float)
TRANSFORM(v, FV)

#define KERNEL_TO(NAME)                                                                                                \
    __kernel void NAME(__global const float *v, __global float *out, ulong n, float a, float b, float width,           \
                       float offset, float scale, int exact)                                                           \
    {                                                                                                                  \
        ulong i = (ulong)get_global_id(0) * (BATCH * VW);                                                              \
        for (int k = 0; k < BATCH && i + VW <= n; k++, i += VW)                                                        \
            VSTORE(NAME##_v(VLOAD(0, v + i), a, b, width, offset, scale, exact), 0, out + i);                          \
        const ulong end = min(n, ((ulong)get_global_id(0) + 1) * (BATCH * VW));                                        \
        for (; i < end; i++) out[i] = NAME##_1(v[i], a, b, width, offset, scale, exact);                               \
    }

#define KERNEL_FROM(NAME)                                                                                              \
    __kernel void NAME(__global const float *v, __global float *out, ulong n, float half_width, float middle,          \
                       float offset, float scale, int exact)                                                           \
    {                                                                                                                  \
        ulong i = (ulong)get_global_id(0) * (BATCH * VW);                                                              \
        for (int k = 0; k < BATCH && i + VW <= n; k++, i += VW)                                                        \
            VSTORE(NAME##_v(VLOAD(0, v + i), half_width, middle, offset, scale, exact), 0, out + i);                   \
        const ulong end = min(n, ((ulong)get_global_id(0) + 1) * (BATCH * VW));                                        \
        for (; i < end; i++) out[i] = NAME##_1(v[i], half_width, middle, offset, scale, exact);                        \
    }

KERNEL_TO(log_to)
KERNEL_FROM(log_from)
KERNEL_TO(linear_to)
KERNEL_FROM(linear_from)
