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

/* The smooth stochastic estimate (Aragon-Calvo 2020): the mean of the maps of an ensemble of perturbed points. Member 0
 * is the points as they are, so one member is the plain estimator, bit for bit. In every other member each particle is
 * displaced within its Delaunay neighbourhood: to a place drawn evenly from the corners at it of the triangles that
 * meet in it, each triangle being cut by the lines between the middles of its sides. The corners of different particles
 * do not overlap and cover three quarters of the plane, so that particles are neither swapped nor moved far: by about
 * half the distance to their neighbours, little in dense places and much in voids. Places are uniform numbers of (seed,
 * RNG_PERTURB, number of the particle in the order of (y, x), member).
 * Mean and errors as dtfe_map; masses go with their particles. Memory is that of two maps in the making, whatever the
 * number of members. STATUS_INTERRUPTED after a stop request. */
typedef struct {
    int members; /* at least 1 */
    uint64_t seed;
} dtfe_ensemble;
status dtfe_map_ensemble(context *c, const double *xy, const double *mass, int64_t n, double box, int pixels,
                         const dtfe_ensemble *e, float *out);

#endif
