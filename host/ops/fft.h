/* Real <-> complex Fourier transforms in float32 on a device, out of place, of any size 2^a 3^b 5^c in 1–3 dimensions.
 *
 *   forward  X[k] = sum_q x[q] exp(-2 pi i k·q/n)     real    [batch][n0]…[nlast]
 *   inverse  x[q] = sum_k X[k] exp(+2 pi i k·q/n)     complex [batch][n0]…[nlast/2+1], interleaved (re, im)
 *
 * both unnormalised: inverse(forward(x)) = n0·n1·… x. The fastest axis is the last.
 *
 * Two libraries can do it (clFFT, VkFFT); neither is trusted. A new plan runs both at its very size on a random field
 * against modes summed naively in float64 and a round trip, drops what is over the bound, times what is left and takes
 * the faster; the choice is remembered in the cache folder under device, driver and size. COSMOCL_FFT=clfft|vkfft
 * forces one (it is still tested). STATUS_SELFTEST with both errors when none is right.
 *
 * Error bound: 4·2^-24·log2(N) of the root mean square, for the worst mode looked at, the energy of all modes and the
 * round trip. Oracle: ops/ref/fft_ref.h. Outside the guarantee of one result on every device (design: Numerics). */
#ifndef OPS_FFT_H
#define OPS_FFT_H

#include "device/buffer.h"

typedef struct fft_plan fft_plan;

/* n[dims], dims 1–3, every n[i] >= 1 (the last one even) and of factors 2, 3 and 5 only, else STATUS_USAGE. The plan
 * borrows the device, which must outlive it. */
status fft_plan_new(context *c, device *d, int dims, const int *n, int batch, fft_plan **out);
void fft_plan_delete(fft_plan **p);

/* Queued. `real` holds at least batch·n0·n1·… floats, `complex` at least 2·fft_complex_count floats. */
status fft_forward(context *c, fft_plan *p, buffer *real, buffer *complex);
/* May destroy `complex`. */
status fft_inverse(context *c, fft_plan *p, buffer *complex, buffer *real);

/* Complex numbers (pairs of floats) and real numbers of all batches. */
size_t fft_complex_count(int dims, const int *n, int batch);
size_t fft_real_count(int dims, const int *n, int batch);
/* "clfft" or "vkfft"; the relative error found by the self-test (norm-wise), and the time of one forward + inverse
 * pair. */
const char *fft_backend(const fft_plan *p);
double fft_error(const fft_plan *p);
double fft_pair_seconds(const fft_plan *p);

/* Whether n > 0 has no factor but 2, 3 and 5; the smallest such even number >= n. */
bool fft_size_allowed(int n);
int fft_size_next(int n);

#endif
