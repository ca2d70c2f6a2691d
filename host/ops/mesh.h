/* Particles and their gravity on a periodic mesh, on a device, in 2 or 3 dimensions (spec section 2; kernels/mesh.cl).
 * Box side 1 everywhere here: positions are fractions of the box as 2^-32 of it, momenta p/L.
 *
 * The deposit is the same bits every time, on any device: integer units of mass, whose sum does not depend on their
 * order and is exact (mesh_check). What follows is float32 and goes through the device's Fourier library. Oracle:
 * ops/ref/mesh_ref.h. */
#ifndef OPS_MESH_H
#define OPS_MESH_H

#include "ops/fft.h"

typedef struct mesh mesh;

typedef struct {
    int dims;      /* 2 or 3 */
    int n;         /* nodes per side, even, 2^a 3^b 5^c, 8 or more */
    int64_t count; /* particles, 1 … 2^30 */
    int unit_bits; /* a particle is 2^unit_bits units of mass; a node holds 2^32. 0: 18 (16,384 particles on a node) */
} mesh_options;

/* STATUS_USAGE for sizes that are not possible, STATUS_MEMORY names the buffer that did not fit. The mesh borrows the
 * device. */
status mesh_new(context *c, device *d, const mesh_options *o, mesh **out);
void mesh_delete(mesh **m);

/* State of the particles, [dims][count], axis 0 (the slowest of the mesh) first. */
status mesh_write(context *c, mesh *m, const uint32_t *x, const float *p);
status mesh_read(context *c, mesh *m, uint32_t *x, float *p);
/* Keeps the state aside and brings it back (one slot). */
status mesh_save(context *c, mesh *m);
status mesh_restore(context *c, mesh *m);

/* φ of the present positions, ∇²φ = density / mean − 1. Queued, as all that follows. */
status mesh_field(context *c, mesh *m);
/* The two halves of it, for tests and statistics: density contrast into mesh_values, then φ in its place. */
status mesh_deposit(context *c, mesh *m);
status mesh_solve(context *c, mesh *m);
buffer *mesh_values(mesh *m); /* borrowed, float [n]^dims */

/* With g = −∇φ at each particle: p = keep·p, p += kick_a·g, p += kick_b·g, x += drift·p, wrapped. */
status mesh_move(context *c, mesh *m, double keep, double kick_a, double kick_b, double drift);

/* Whether the mass on the mesh was exact in every deposit so far. Waits. If not, a node overflowed and the state is
 * worthless: go back to the start with fewer unit_bits. */
status mesh_exact(context *c, mesh *m, bool *exact);
int mesh_unit_bits(const mesh *m);
const char *mesh_fft_backend(const mesh *m); /* borrowed */
/* Largest sum of buffers a mesh of these options needs, besides the Fourier library's own. */
size_t mesh_bytes(const device *d, const mesh_options *o);

#endif
