/* Fourier transforms in float64 by plain sums along each axis: the oracle of ops/fft.h and ops/fft_host.h. Any size;
 * the time grows with the sum of the sides. */
#ifndef OPS_REF_FFT_REF_H
#define OPS_REF_FFT_REF_H

#include "base/context.h"

/* In place on complex data [n0]…[nlast] (re, im pairs): X[k] = sum_q x[q] exp(sign·2πi k·q/n), unnormalised; sign ±1.
 */
status fft_ref_transform(context *c, int dims, const int *n, int sign, double *data);

/* One mode of a real field by the plain sum (separable phases from a table), independent of the above: out = (re, im)
 * of sum_q x[q] exp(−2πi k·q/n). Rounding about sqrt(N)·2^-53 relative. */
status fft_ref_mode(context *c, int dims, const int *n, const float *x, const int *k, double out[2]);

#endif
