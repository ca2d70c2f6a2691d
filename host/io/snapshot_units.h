/* Units and ranges of snapshots that are read. */
#ifndef IO_SNAPSHOT_UNITS_H
#define IO_SNAPSHOT_UNITS_H

#include "io/snapshot_file.h"

/* What a length of the file is multiplied by to be Mpc/h: from length_unit when given, else the attribute `units` of
 * `object`, else kpc/h. "Mpc" and "kpc" need h. STATUS_USAGE for an unknown length_unit, STATUS_DATA for the rest. */
status snapshot_unit(context *c, h5_file *f, const char *object, const char *length_unit, double h, double *factor);
/* Multiplies positions by factor and wraps them to [0, box_mpc_h) (already in Mpc/h), rounded to the stored precision.
 * STATUS_DATA names a particle that is not finite or farther than one box outside. */
status snapshot_wrap(context *c, const char *path, double factor, snapshot *s);

#endif
