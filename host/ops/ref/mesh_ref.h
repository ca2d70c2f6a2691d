/* The particle mesh in float64 on the host: the oracle of ops/mesh.h. Straight from the definitions (spec section 2);
 * box side 1, positions [dims][count] in [0, 1). */
#ifndef OPS_REF_MESH_REF_H
#define OPS_REF_MESH_REF_H

#include <stdint.h>
#include "base/context.h"

/* Cloud-in-cell density of mean 1 on [n]^dims. */
void mesh_ref_deposit(int dims, int n, int64_t count, const double *x, double *density);
/* φ with ∇²φ = density − 1 (mean 0), in place. */
status mesh_ref_potential(context *c, int dims, int n, double *field);
/* g [dims][count] = −∇φ by the 4th-order difference at the nodes, interpolated by cloud-in-cell. */
void mesh_ref_force(int dims, int n, int64_t count, const double *x, const double *phi, double *g);
/* All three: g of the particles' own field. */
status mesh_ref_gravity(context *c, int dims, int n, int64_t count, const double *x, double *g);

#endif
