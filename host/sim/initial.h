/* Initial conditions (spec section 1): a Gaussian field on the lattice of the particles and its Lagrangian
 * displacement, in float64 on the host. A box depends on (seed, box index), the cosmology and the lattice alone. */
#ifndef SIM_INITIAL_H
#define SIM_INITIAL_H

#include "sim/spectrum.h"

typedef struct {
    int dims, particles; /* particles: per side */
    int mesh;            /* cells per side of the force mesh; sets the lattice's offset of half a cell */
    double box_mpc_h;
    double a_start;
    int lpt; /* 1: Zel'dovich; 2: second order, 3D only */
    uint64_t seed;
} initial_options;

typedef struct initial initial;

status initial_new(context *c, const cosmology *k, const spectrum *s, const initial_options *o, initial **out);
void initial_delete(initial **i);

/* Displacement fields ψ at a = 1 in Mpc/h, [dims][N], sites row-major (axis 0 slowest): x = q + D ψ (+ E2 ψ2). second:
 * NULL, or ψ2 of 2LPT [dims][N]. */
status initial_displacement(context *c, initial *i, uint32_t box, double *psi, double *second);
/* The state at a_start for ops/mesh.h: positions as 2^-32 of the box and p/L, [dims][N] each. */
status initial_state(context *c, initial *i, uint32_t box, uint32_t *x, float *p);
/* Coordinate of lattice site j (0 … particles−1) along an axis in box sides: (j + particles / (2 mesh)) / particles,
 * which is the middle of a mesh cell. */
double initial_site(const initial_options *o, int j);

#endif
