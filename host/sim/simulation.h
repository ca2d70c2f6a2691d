/* N-body boxes: initial conditions, particle mesh and snapshots (spec sections 1 and 2).
 *
 *   simulation_options_read  ->  simulation_new  ->  simulation_run_box (any number of boxes)  ->  simulation_delete
 *
 * A box is a function of the options and its index alone, to the bit on one device and Fourier library (COSMOCL_FFT).
 * Snapshots at redshifts between two time steps are taken from a branch that is thrown away, so that asking for more of
 * them does not change the others. */
#ifndef SIM_SIMULATION_H
#define SIM_SIMULATION_H

#include "base/progress.h"
#include "device/device.h"
#include "io/snapshot_file.h"
#include "sim/initial.h"
#include "sim/integrator.h"

enum { SIMULATION_REDSHIFTS = 64 };

typedef struct {
    cosmology cosmology;
    spectrum_options spectrum; /* dims is the box's; borrows the name of the table */
    int64_t boxes;
    int particles; /* per side; 0 when they come from a snapshot */
    int mesh;      /* cells per side */
    int steps, lpt;
    integrator_kind integrator;
    double box_mpc_h, a_start;
    uint64_t seed;
    int redshifts;
    double redshift[SIMULATION_REDSHIFTS]; /* falling, no two alike; the last is the end */
    bool cosmology_assumed;                /* the snapshot had none: that of the configuration */
} simulation_options;

/* From the sections cosmology, simulate and run.seed; every combination that cannot run is STATUS_USAGE. Borrows from
 * cfg. */
status simulation_options_read(context *c, const config *cfg, simulation_options *o);
/* The same for given particles: start, box, dims and cosmology from the snapshot (Ωm = 0: the configuration's), the end
 * at a_end. mesh and steps from the configuration (mesh 0: twice the particles per side, to the next possible size). */
status simulation_options_initial(context *c, const config *cfg, const snapshot *start, double a_end,
                                  simulation_options *o);

typedef struct simulation simulation;

/* Gets the particles of one redshift (index into o.redshift). May keep the arrays by taking the struct and zeroing *s.
 * May be called again for an index it has seen, when a box had to be started over. */
typedef status simulation_take(context *c, void *user, int index, snapshot *s);

/* count 0: particles^dims. The device must outlive the simulation. */
status simulation_new(context *c, device *d, const simulation_options *o, int64_t count, simulation **out);
void simulation_delete(simulation **s);

/* One box; snapshots go to `take` in order of time (NULL: nobody). `p` counts steps, from where it stands (NULL: none).
 * STATUS_STOPPED when a stop was requested between two steps. */
status simulation_run_box(context *c, simulation *s, uint32_t box, progress *p, simulation_take *take, void *user);
/* Evolves given particles, whose number must be the simulation's; no velocities: from rest. Keeps their ids. */
status simulation_run_snapshot(context *c, simulation *s, const snapshot *start, progress *p, simulation_take *take,
                               void *user);
/* Device bytes a box of these options takes. */
size_t simulation_bytes(const device *d, const simulation_options *o, int64_t count);
const char *simulation_fft_backend(const simulation *s);

#endif
