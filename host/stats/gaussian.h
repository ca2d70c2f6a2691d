/* Fields without phases: what a model must beat to have learnt more than densities and power. A Gaussian random field g
 * of unit variance is mapped pixel by pixel to the densities of the images at the same ranks, v = T(g) with T = Q ∘ Φ
 * (a translation process: Grigoriu 1995; the lognormal field of Coles & Jones 1991 is one). So the pixel PDF of the set
 * is that of the images, and images still differ in their mean.
 *
 * The spectrum of g is chosen so that the mean spectrum of v is that of the images: by Mehler's formula the
 * correlations obey ξ_v(x) = Σ_n c_n² ξ_g(x)^n with c_n the Hermite coefficients of T, and the powers of g are scaled
 * by wanted over obtained until they agree. Where no Gaussian field has both this PDF and this spectrum the spectrum
 * gives way. Spectra are means over rings ν = round √(k² + l²) of periodic images, ν = 0 being the scatter of the mean
 * density. */
#ifndef STATS_GAUSSIAN_H
#define STATS_GAUSSIAN_H

#include <stdint.h>
#include "base/context.h"

typedef struct gaussian gaussian;

/* Fitted to images [n][side][side]. In float64 on the host. */
status gaussian_new(context *c, const float *images, int64_t n, int side, gaussian **out);
void gaussian_delete(gaussian **g);
/* Mean over the rings ν >= 1 of |ln (power of the fit / power of the images)|. */
double gaussian_misfit(const gaussian *g);
/* maps[count][side][side] of (seed, RNG_BASELINE); map i does not depend on count. */
status gaussian_maps(context *c, const gaussian *g, uint64_t seed, int64_t count, float *maps);

#endif
