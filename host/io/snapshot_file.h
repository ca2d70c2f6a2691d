/* Snapshots in our own GADGET-like HDF5 layout (design: Files; spec section 7 for what readers accept). */
#ifndef IO_SNAPSHOT_FILE_H
#define IO_SNAPSHOT_FILE_H

#include "io/hdf5.h"
#include "io/provenance.h"

typedef struct {
    int dims; /* 2 or 3 */
    int64_t count;
    h5_type precision; /* of positions as stored: H5_FLOAT32 or H5_FLOAT64 */
    double *positions; /* owned, [N][dims], comoving Mpc/h in [0, L) */
    float *velocities; /* owned, [N][dims], peculiar velocity / √a in km/s; NULL when the file has none */
    uint64_t *ids;     /* owned; NULL when the file has none */
    double box_mpc_h, scale_factor, redshift;
    double omega_m, omega_lambda, h; /* 0 when unknown */
    int64_t box_index;               /* which box of its run; −1 when unknown */
} snapshot;

void snapshot_delete(snapshot *s);
/* Reads our layout and any one-part HDF5 file with /Header and /PartType1 (dark matter); wraps positions to [0, L) in
 * their stored precision. The unit of lengths is that of the attribute `units` of Coordinates, else kpc/h. STATUS_DATA
 * names file, object and particle. The caller says snapshot_delete in any case. */
status snapshot_read(context *c, const char *path, snapshot *s);
/* The same with a length unit that overrides the file's: "Mpc/h", "kpc/h", "Mpc", "kpc"; "" or NULL: the file's. */
status snapshot_read_as(context *c, const char *path, const char *length_unit, snapshot *s);
status snapshot_write(context *c, const char *path, const snapshot *s, const provenance *p);

#endif
