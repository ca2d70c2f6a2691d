/* What a convolution does to a result v before it is written, with -DEND:
 *   0 (default)  nothing
 *   1            the activation (-DACTIVATION, activation.h)
 *   2            times the slope of the activation whose output lies at the same place of `of`
 * END_V and END_1: of a vector and of a number at float `i` of the output. The kernel has the arguments leak and of. */
#ifndef CONV_END_H
#define CONV_END_H

#ifndef END
#define END 0
#endif

#if END
#include "activation.h"
#endif

#if END == 0
#define END_V(v, i) (v)
#define END_1(v, i) (v)
#elif END == 1
#define END_V(v, i) activation_v(v, leak)
#define END_1(v, i) activation_1(v, leak)
#else
#define END_V(v, i) ((v) * activation_slope_v(VLOAD(0, of + (i)), leak))
#define END_1(v, i) ((v) * activation_slope_1(of[i], leak))
#endif

#endif
