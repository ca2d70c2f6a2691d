/* Evaluates the functions of explicit.h on arrays: the device's self-test and tests/ops/ops_explicit.c.
 *
 *   y[i] = f(x[i]) (div: x[i] / x2[i]), i < n, float32; f as `which` in the order below. Oracle: libm in double.
 * One work-item handles VW elements, the last one fewer (by the scalar functions); `scalar` != 0: all by the scalar ones. */
#include "explicit.h"

#define EVALUATE(N, F)                                                                                                 \
    static F evaluate_##N(int which, F x, F x2)                                                                        \
    {                                                                                                                  \
        F s, c;                                                                                                        \
        switch (which) {                                                                                               \
        case 0: return rcp_##N(x);                                                                                     \
        case 1: return div_##N(x, x2);                                                                                 \
        case 2: return sqrt_##N(x);                                                                                    \
        case 3: return rsqrt_##N(x);                                                                                   \
        case 4: return exp_##N(x);                                                                                     \
        case 5: return log_##N(x);                                                                                     \
        case 6: return log1p01_##N(x);                                                                                 \
        case 7: return softplus_##N(x);                                                                                \
        case 8: return sigmoid_##N(x);                                                                                 \
        case 9: return tanh_##N(x);                                                                                    \
        default:                                                                                                       \
            sincos2pi_##N(x, &s, &c);                                                                                  \
            return which == 10 ? s : c;                                                                                \
        }                                                                                                              \
    }
EVALUATE(1, float)
EVALUATE(v, FV)

__kernel void explicit_evaluate(int which, int scalar, __global const float *x, __global const float *x2,
                                __global float *y, uint n)
{
    const uint i = (uint)get_global_id(0), first = i * VW;
    if (first + VW <= n && !scalar) {
        VSTORE(evaluate_v(which, VLOAD(i, x), VLOAD(i, x2)), i, y);
    } else {
        for (uint k = first; k < n && k < first + VW; k++)
            y[k] = evaluate_1(which, x[k], x2[k]);
    }
}
