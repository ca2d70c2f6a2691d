/* Adam over a whole arena, and the moving average of parameters (host/ops/adam.h).
 *
 *   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  p = p - rate m / (sqrt(v) correction + epsilon)
 * with rate = lr / (1 - beta1^t) and correction = 1 / sqrt(1 - beta2^t) from the host; i < n, float32, explicit
 * arithmetic. Where g is not finite, *flag is set to 1 and p, m, v stay. So that nothing meets the subnormals: |g| and |m|
 * below 2^-100, g^2 below 2^-90 and v below 2^-100 count as 0 (epsilon is 1e-8 or so); g^2 counts as 2^120 at most.
 * Oracle: host/ops/ref/adam_ref.c. A work-item takes BATCH vectors, the last one fewer floats. */
#include "explicit.h"

#ifndef BATCH
#define BATCH 1
#endif

#define EXPONENT 0x7f800000u

#define ADAM(N, F, U, AF, AU)                                                                                          \
    /* One update of p, m and v; returns the exponent bits of g, all set where it is not finite. */                    \
    static inline U update_##N(F g, F *p, F *m, F *v, float beta1, float rest1, float beta2, float rest2, float rate,  \
                               float correction, float epsilon)                                                        \
    {                                                                                                                  \
        const U bits = AU(g) & EXPONENT;                                                                               \
        g = flush_##N(g);                                                                                              \
        F square = g * g;                                                                                              \
        square = abs_##N(g) < (F)(0x1p-45f) ? (F)(0.0f) : square;                                                      \
        square = square > (F)(0x1p+120f) ? (F)(0x1p+120f) : square;                                                    \
        const F m1 = flush_##N(fma((F)(beta1), *m, (F)(rest1)*g));                                                     \
        const F v1 = flush_##N(fma((F)(beta2), *v, (F)(rest2)*square));                                                \
        const F step = div_##N(m1, fma(sqrt_##N(v1), (F)(correction), (F)(epsilon)));                                  \
        const F p1 = fma((F)(-rate), step, *p);                                                                        \
        *p = bits != (U)(EXPONENT) ? p1 : *p;                                                                          \
        *m = bits != (U)(EXPONENT) ? m1 : *m;                                                                          \
        *v = bits != (U)(EXPONENT) ? v1 : *v;                                                                          \
        return bits;                                                                                                   \
    }

ADAM(1, float, uint, as_float, as_uint)
ADAM(v, FV, UV, AS_FV, AS_UV)

__kernel void adam_step(__global float *parameters, __global const float *gradients, __global float *moment1,
                        __global float *moment2, __global int *flag, ulong n, float beta1, float rest1, float beta2,
                        float rest2, float rate, float correction, float epsilon)
{
    ulong i = (ulong)get_global_id(0) * (BATCH * VW);
    UV worst = UV_ALL(0u);
    uint largest = 0, lanes[VW];
    for (int k = 0; k < BATCH && i + VW <= n; k++, i += VW) {
        FV p = VLOAD(0, parameters + i), m = VLOAD(0, moment1 + i), v = VLOAD(0, moment2 + i);
        worst = max(worst, update_v(VLOAD(0, gradients + i), &p, &m, &v, beta1, rest1, beta2, rest2, rate, correction,
                                    epsilon));
        VSTORE(p, 0, parameters + i);
        VSTORE(m, 0, moment1 + i);
        VSTORE(v, 0, moment2 + i);
    }
    const ulong end = min(n, ((ulong)get_global_id(0) + 1) * (BATCH * VW));
    for (; i < end; i++) {
        float p = parameters[i], m = moment1[i], v = moment2[i];
        largest = max(largest, update_1(gradients[i], &p, &m, &v, beta1, rest1, beta2, rest2, rate, correction, epsilon));
        parameters[i] = p;
        moment1[i] = m;
        moment2[i] = v;
    }
    VSTOREU(worst, 0, lanes);
    for (int l = 0; l < VW; l++) largest = max(largest, lanes[l]);
    if (largest == EXPONENT) atomic_or(flag, 1);
}

/* average = decay average + (1 - decay) parameters. */
__kernel void adam_average(__global const float *parameters, __global float *average, ulong n, float decay, float rest)
{
    ulong i = (ulong)get_global_id(0) * (BATCH * VW);
    for (int k = 0; k < BATCH && i + VW <= n; k++, i += VW)
        VSTORE(fma(FV_ALL(decay), VLOAD(0, average + i), VLOAD(0, parameters + i) * rest), 0, average + i);
    const ulong end = min(n, ((ulong)get_global_id(0) + 1) * (BATCH * VW));
    for (; i < end; i++) average[i] = fma(decay, average[i], parameters[i] * rest);
}
