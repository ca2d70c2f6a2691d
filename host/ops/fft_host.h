/* Fourier transforms in float64 on the host, for the initial conditions: exact to rounding and the same everywhere. Any
 * size; sizes with large prime factors are slow. Oracle: ops/ref/fft_ref.h. */
#ifndef OPS_FFT_HOST_H
#define OPS_FFT_HOST_H

#include "base/context.h"

/* In place on complex data [n0]…[nlast] (re, im pairs): X[k] = sum_q x[q] exp(sign·2πi k·q/n), unnormalised; sign ±1.
 */
status fft_host_transform(context *c, int dims, const int *n, int sign, double *data);

#endif
