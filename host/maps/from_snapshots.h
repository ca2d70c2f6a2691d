/* The maps of a list of snapshots of 2D boxes. */
#ifndef MAPS_FROM_SNAPSHOTS_H
#define MAPS_FROM_SNAPSHOTS_H

#include "io/maps_file.h"
#include "io/snapshot_file.h"
#include "maps/dtfe.h"

typedef struct {
    int pixels;              /* per side; 0: half the particles along a side */
    dtfe_ensemble ensemble;  /* maps.members and the seed */
    int threads;             /* 0: one per core */
    const char *length_unit; /* of snapshot_read_as; NULL: the files' */
} maps_options;

/* Fills values, origin (box index of the snapshot, or its place in the list; axis 2, slice 0), box, mean, redshift,
 * dims and estimator of *out, which maps_delete releases; adds the files to made->input. Reads on this thread while the
 * maps are made on others, with progress. The snapshots must agree in box, number of particles and redshift:
 * STATUS_DATA names the first file that does not. 3D boxes are refused with STATUS_USAGE. */
status maps_from_snapshots(context *c, const char *const *paths, int64_t count, const maps_options *o, provenance *made,
                           maps *out);

/* Pixels along a side for n particles in 2D: `wanted`, or half of √n. STATUS_USAGE when that is less than 1. */
status maps_pixels(context *c, int wanted, int64_t n, int *pixels);

#endif
