/* Elementary functions from fma, + - *, comparisons and integer operations alone, so that every device gives the same bits.
 * For scalars (suffix _1) and for vectors of VW lanes (suffix _v, as common.h); a lane gives the same bits in both.
 *
 * Largest error seen, in units in the last place, over dense sweeps against double (tests/ops/ops_explicit.c):
 *   rcp       1/x             0.50   2^-125 <= |x| <= 2^125; 0 gives NaN
 *   div       a/b             0.50   b as rcp's x; a is 0 or |a| >= 2^-100, the quotient within 2^-125 ... 2^125
 *   sqrt      square root     0.50   2^-100 <= x < 2^126; anything smaller (also negative) gives 0
 *   rsqrt     1/sqrt(x)       0.50   2^-100 <= x < 2^126
 *   exp       e^x             1.02   x is clamped to [-87, 88], so nothing is infinite or subnormal
 *   log       ln x            0.87   2^-126 <= x; anything smaller (also negative) gives ln 2^-126 = -87.34, inf 88.72
 *   log1p01   ln(1 + x)       1.92   0 <= x <= 1
 *   softplus  ln(1 + e^x)     2.73   all x, also infinite; e^-|x| below 2^-100 counts as 0
 *   sigmoid   1/(1 + e^-x)    2.74   all x, also infinite; values below 2^-100 are 0
 *   tanh                      1.41   all x, also infinite
 *   sincos2pi sin, cos 2 pi u 0.86   0 <= u < 1, a multiple of 2^-24; ulp of the larger of the two
 *   add       sum + x         0.50   as +, kept in its place in a sum along a loop (UNSEEN_ONE in common.h)
 * NaN in gives NaN out (of unspecified bits). Outside the ranges the result is unspecified.
 *
 * No function has a branch: what looks like one is a select. Coefficients are minimax (Remez, relative error), rounded to
 * float one after the other with the rest fitted again; errors of the polynomials themselves are below 0.25 ulp.
 * Sources: Markstein 2000 (Newton steps with a final correction), Cody & Waite 1980 (reduction of exp), Cephes (the shape of
 * log and tanh). Includes common.h, which sets FP_CONTRACT OFF. */
#ifndef COSMOCL_EXPLICIT_H
#define COSMOCL_EXPLICIT_H

#include "common.h"

#define EXPLICIT_TINY 0x1p-100f   /* below this a value counts as 0 where that is harmless */
#define EXPLICIT_ROUND 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer, which the low bits then hold */

/* N: suffix. F, U: float and uint type. AF, AU: the same bits as F, as U. */

#define EXPLICIT_BITS(N, F, U, AF, AU)                                                                                 \
    static inline F abs_##N(F x) { return AF(AU(x) & 0x7fffffffu); }                                                   \
    static inline F sign_from_##N(F magnitude, F x) { return AF(AU(magnitude) | (AU(x) & 0x80000000u)); }              \
    static inline F flush_##N(F x) { return abs_##N(x) < (F)(EXPLICIT_TINY) ? (F)(0.0f) : x; }                         \
    static inline F add_##N(F sum, F x) { return fma(x, (F)(UNSEEN_ONE), sum); }                                       \
    static inline F max_##N(F a, F b) { return a < b ? b : a; }                                                        \
    static inline F min_##N(F a, F b) { return b < a ? b : a; }

/* Seed of 12 % from the bit pattern, four Newton steps. */
#define EXPLICIT_RCP(N, F, U, AF, AU)                                                                                  \
    static inline F rcp_##N(F x)                                                                                       \
    {                                                                                                                  \
        F y = AF(0x7ef311c7u - AU(x));                                                                                 \
        y = fma(y, fma(-x, y, (F)(1.0f)), y);                                                                          \
        y = fma(y, fma(-x, y, (F)(1.0f)), y);                                                                          \
        y = fma(y, fma(-x, y, (F)(1.0f)), y);                                                                          \
        return fma(y, fma(-x, y, (F)(1.0f)), y);                                                                       \
    }                                                                                                                  \
    static inline F div_##N(F a, F b)                                                                                  \
    {                                                                                                                  \
        F y = rcp_##N(b), q = a * y;                                                                                   \
        return fma(fma(-b, q, a), y, q);                                                                               \
    }

/* Three Newton steps for 1/sqrt(x), then one step with the residual of x y^2 or of g^2 kept exact. */
#define EXPLICIT_SQRT(N, F, U, AF, AU)                                                                                 \
    static inline F rsqrt_rough_##N(F x)                                                                               \
    {                                                                                                                  \
        F h = x * (F)(0.5f), y = AF(0x5f375a86u - (AU(x) >> 1));                                                       \
        y = fma(y, fma(-h * y, y, (F)(0.5f)), y);                                                                      \
        y = fma(y, fma(-h * y, y, (F)(0.5f)), y);                                                                      \
        return fma(y, fma(-h * y, y, (F)(0.5f)), y);                                                                   \
    }                                                                                                                  \
    static inline F rsqrt_##N(F x)                                                                                     \
    {                                                                                                                  \
        F y = rsqrt_rough_##N(x), t = x * y, low = fma(x, y, -t);                                                      \
        F e = fma(-low, y, fma(-t, y, (F)(1.0f)));                                                                     \
        return fma(y * (F)(0.5f), e, y);                                                                               \
    }                                                                                                                  \
    static inline F sqrt_##N(F x)                                                                                      \
    {                                                                                                                  \
        x = x < (F)(EXPLICIT_TINY) ? (F)(0.0f) : x;                                                                    \
        F y = rsqrt_rough_##N(x), g = x * y;                                                                           \
        return fma(fma(-g, g, x) * (F)(0.5f), y, g);                                                                   \
    }

/* x = n ln 2 + r, |r| <= ln 2 / 2; e^r = 1 + r + r^2 Q(r). */
#define EXPLICIT_EXP(N, F, U, AF, AU)                                                                                  \
    static inline F exp_##N(F x)                                                                                       \
    {                                                                                                                  \
        x = x < (F)(-87.0f) ? (F)(-87.0f) : x;                                                                         \
        x = x > (F)(88.0f) ? (F)(88.0f) : x;                                                                           \
        F t = fma(x, (F)(0x1.715476p+0f), (F)(EXPLICIT_ROUND)), n = t - (F)(EXPLICIT_ROUND);                           \
        F r = fma(n, (F)(-0x1.7f7d1cp-20f), fma(n, (F)(-0x1.62e4p-1f), x));                                            \
        F q = fma((F)(0x1.6ad156p-10f), r, (F)(0x1.123f3p-7f));                                                        \
        q = fma(q, r, (F)(0x1.55584ep-5f));                                                                            \
        q = fma(q, r, (F)(0x1.55548ap-3f));                                                                            \
        q = fma(q, r, (F)(0x1.fffffcp-2f));                                                                            \
        F y = fma(r * r, q, r) + (F)(1.0f);                                                                            \
        return y * AF((AU(t) + 127u) << 23);                                                                           \
    }

/* x = 2^e (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); ln(1 + f) = f + f^2 P(f). */
#define EXPLICIT_LOG(N, F, U, AF, AU)                                                                                  \
    static inline F log_##N(F x)                                                                                       \
    {                                                                                                                  \
        F a = x < (F)(0x1p-126f) ? (F)(0x1p-126f) : x;                                                                 \
        U scale = (AU(a) - 0x3f3504f3u) & 0xff800000u;                                                                 \
        F f = AF(AU(a) - scale) - (F)(1.0f);                                                                           \
        F e = AF(0x4b400000u + ((scale + 0x40000000u) >> 23)) - (F)(EXPLICIT_ROUND + 128.0f);                          \
        F p = fma((F)(0x1.18a758p-4f), f, (F)(-0x1.e1456ep-4f));                                                       \
        p = fma(p, f, (F)(0x1.e6115cp-4f));                                                                            \
        p = fma(p, f, (F)(-0x1.fb4204p-4f));                                                                           \
        p = fma(p, f, (F)(0x1.2332fp-3f));                                                                             \
        p = fma(p, f, (F)(-0x1.5562fp-3f));                                                                            \
        p = fma(p, f, (F)(0x1.99a546p-3f));                                                                            \
        p = fma(p, f, (F)(-0x1.ffffeep-3f));                                                                           \
        p = fma(p, f, (F)(0x1.555546p-2f));                                                                            \
        p = fma(p, f, (F)(-0.5f));                                                                                     \
        F y = fma(e, (F)(0x1.7f7d1cp-20f), (f * f) * p);                                                               \
        y = fma(e, (F)(0x1.62e4p-1f), f + y);                                                                          \
        return x != x ? x : y;                                                                                         \
    }                                                                                                                  \
    /* 2 artanh(s), s = x / (2 + x). */                                                                                \
    static inline F log1p01_##N(F x)                                                                                   \
    {                                                                                                                  \
        F s = div_##N(x, x + (F)(2.0f)), z = s * s;                                                                    \
        z = z < (F)(0x1p-60f) ? (F)(0.0f) : z; /* so that s z is never subnormal */                                    \
        F p = fma((F)(0x1.f08b0cp-3f), z, (F)(0x1.b72bb6p-3f));                                                        \
        p = fma(p, z, (F)(0x1.25051p-2f));                                                                             \
        p = fma(p, z, (F)(0x1.9996d8p-2f));                                                                            \
        p = fma(p, z, (F)(0x1.555558p-1f));                                                                            \
        return fma(s * z, p, s + s);                                                                                   \
    }

#define EXPLICIT_LOGISTIC(N, F, U, AF, AU)                                                                             \
    static inline F softplus_##N(F x)                                                                                  \
    {                                                                                                                  \
        F e = flush_##N(exp_##N(-abs_##N(x)));                                                                         \
        return (x > (F)(0.0f) ? x : (F)(0.0f)) + log1p01_##N(e);                                                       \
    }                                                                                                                  \
    static inline F sigmoid_##N(F x)                                                                                   \
    {                                                                                                                  \
        F e = flush_##N(exp_##N(-abs_##N(x)));                                                                         \
        F y = rcp_##N(e + (F)(1.0f));                                                                                  \
        return x < (F)(0.0f) ? e * y : y;                                                                              \
    }                                                                                                                  \
    /* x + x^3 T(x^2) below 0.5625, above it 1 - 2 / (e^2x + 1). */                                                    \
    static inline F tanh_##N(F x)                                                                                      \
    {                                                                                                                  \
        F a = abs_##N(x), z = a * a;                                                                                   \
        z = z < (F)(0x1p-60f) ? (F)(0.0f) : z; /* so that a z is never subnormal */                                    \
        F p = fma((F)(-0x1.93fe6cp-8f), z, (F)(0x1.58052ap-6f));                                                       \
        p = fma(p, z, (F)(-0x1.b9049ap-5f));                                                                           \
        p = fma(p, z, (F)(0x1.110c5ap-3f));                                                                            \
        p = fma(p, z, (F)(-0x1.555548p-2f));                                                                           \
        F near = fma(a * z, p, a);                                                                                     \
        F b = a > (F)(10.0f) ? (F)(10.0f) : a;                                                                         \
        F far = fma((F)(-2.0f), rcp_##N(exp_##N(b + b) + (F)(1.0f)), (F)(1.0f));                                       \
        return sign_from_##N(a < (F)(0.5625f) ? near : far, x);                                                        \
    }

/* u = k/4 + t exactly, |t| <= 1/8; sine and cosine of 2 pi t, turned by k quarters. */
#define EXPLICIT_SINCOS(N, F, U, AF, AU)                                                                               \
    static inline void sincos2pi_##N(F u, F *sine, F *cosine)                                                          \
    {                                                                                                                  \
        F r = fma(u, (F)(4.0f), (F)(EXPLICIT_ROUND));                                                                  \
        U k = AU(r);                                                                                                   \
        F t = fma(r - (F)(EXPLICIT_ROUND), (F)(-0.25f), u), z = t * t;                                                 \
        F p = fma((F)(0x1.44510cp+5f), z, (F)(-0x1.32adccp+6f));                                                       \
        p = fma(p, z, (F)(0x1.466b78p+6f));                                                                            \
        p = fma(p, z, (F)(-0x1.4abbcep+5f));                                                                           \
        F s = fma(t, (F)(0x1.921fb6p+2f), t * fma(p, z, (F)(-0x1.777a5cp-23f)));                                       \
        F c = fma((F)(0x1.d47d46p+5f), z, (F)(-0x1.55b146p+6f));                                                       \
        c = fma(c, z, (F)(0x1.03c1aep+6f));                                                                            \
        c = fma(c, z, (F)(-0x1.3bd3ccp+4f));                                                                           \
        c = fma(c, z, (F)(1.0f));                                                                                      \
        F a = (k & 1u) != 0u ? c : s, b = (k & 1u) != 0u ? s : c;                                                      \
        *sine = AF(AU(a) ^ ((k & 2u) << 30));                                                                          \
        *cosine = AF(AU(b) ^ (((k + 1u) & 2u) << 30));                                                                 \
    }

#define EXPLICIT_ALL(N, F, U, AF, AU)                                                                                  \
    EXPLICIT_BITS(N, F, U, AF, AU)                                                                                     \
    EXPLICIT_RCP(N, F, U, AF, AU)                                                                                      \
    EXPLICIT_SQRT(N, F, U, AF, AU)                                                                                     \
    EXPLICIT_EXP(N, F, U, AF, AU)                                                                                      \
    EXPLICIT_LOG(N, F, U, AF, AU)                                                                                      \
    EXPLICIT_LOGISTIC(N, F, U, AF, AU)                                                                                 \
    EXPLICIT_SINCOS(N, F, U, AF, AU)

EXPLICIT_ALL(1, float, uint, as_float, as_uint)
EXPLICIT_ALL(v, FV, UV, AS_FV, AS_UV)

#endif
