/* The activations and their slopes, for scalars (_1) and vectors (_v); which one is fixed by -DACTIVATION=, with the
 * numbers of host/ops/activation.h: 0 none, 1 ReLU, 2 leaky ReLU (leak times x below 0), 3 tanh, 4 sigmoid. The slope is
 * taken from the output y: at 0 it is 0 for ReLU; for leaky ReLU it goes by the sign bit, so that a leak of 0 works (0 gives
 * 1, -0 gives leak). A NaN stays one. */
#ifndef COSMOCL_ACTIVATION_H
#define COSMOCL_ACTIVATION_H

#include "explicit.h"

#ifndef ACTIVATION
#define ACTIVATION 0
#endif

#if ACTIVATION == 0
#define ACTIVATION_VALUE(N, F) return x;
#define ACTIVATION_SLOPE(N, F, AI) return (F)(1.0f);
#elif ACTIVATION == 1
#define ACTIVATION_VALUE(N, F) return x < (F)(0.0f) ? (F)(0.0f) : x;
#define ACTIVATION_SLOPE(N, F, AI) return y > (F)(0.0f) ? (F)(1.0f) : (F)(0.0f);
#elif ACTIVATION == 2
#define ACTIVATION_VALUE(N, F) return x < (F)(0.0f) ? x * leak : x;
#define ACTIVATION_SLOPE(N, F, AI) return AI(y) < 0 ? (F)(leak) : (F)(1.0f);
#elif ACTIVATION == 3
#define ACTIVATION_VALUE(N, F) return tanh_##N(x);
#define ACTIVATION_SLOPE(N, F, AI) return fma(-y, y, (F)(1.0f));
#elif ACTIVATION == 4
#define ACTIVATION_VALUE(N, F) return sigmoid_##N(x);
#define ACTIVATION_SLOPE(N, F, AI) return fma(-y, y, y);
#else
#error "ACTIVATION must be 0 to 4"
#endif

static inline float activation_1(float x, float leak) { ACTIVATION_VALUE(1, float) }
static inline FV activation_v(FV x, float leak) { ACTIVATION_VALUE(v, FV) }
static inline float activation_slope_1(float y, float leak) { ACTIVATION_SLOPE(1, float, as_int) }
static inline FV activation_slope_v(FV y, float leak) { ACTIVATION_SLOPE(v, FV, AS_IV) }

#endif
