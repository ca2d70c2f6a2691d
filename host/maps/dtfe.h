/* Density maps of 2D boxes by the Delaunay tessellation field estimator (Schaap & van de Weygaert 2000; spec section
 * 3): rho_i = 3 m_i / (sum of the areas of the triangles at point i), linear inside each triangle; a pixel holds the
 * exact mean of that field over its area, so the mass of the map is that of the particles. */
#ifndef MAPS_DTFE_H
#define MAPS_DTFE_H

#include <stdint.h>
#include "base/context.h"

/* xy [n][2] in [0, box), periodic; mass [n] or NULL for equal ones (taken in units of their mean). out [pixels][pixels]
 * gets particles per pixel, out[iy * pixels + ix] covers x (axis 0) in [ix, ix + 1) and y (axis 1) in [iy, iy + 1)
 * pixels of box / pixels. Its mean is n / pixels² to 1e-6; where rounding in densest spots loses up to
 * 1e-3 it is scaled to that, with a warning, and more is STATUS_FAILURE. Equal points are merged. Any n >= 1.
 * STATUS_DATA for a position outside the box or a mass that is not positive. */
status dtfe_map(context *c, const double *xy, const double *mass, int64_t n, double box, int pixels, float *out);

#endif
