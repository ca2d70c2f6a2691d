/* Options of a simulation from the configuration, with every check that needs no device. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ops/fft.h"
#include "sim/simulation.h"

static int falling(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static status read_redshifts(context *c, const config *cfg, simulation_options *o)
{
    int count;
    const double *list = config_list(cfg, "simulate.redshifts", &count);
    if (count < 1 || count > SIMULATION_REDSHIFTS)
        return context_fail(c, STATUS_USAGE, "simulate.redshifts has %d values; 1 to %d are possible", count,
                            SIMULATION_REDSHIFTS);
    double sorted[SIMULATION_REDSHIFTS];
    for (int i = 0; i < count; i++) {
        if (!isfinite(list[i]) || list[i] <= -1)
            return context_fail(c, STATUS_USAGE, "simulate.redshifts: %g is not a redshift", list[i]);
        sorted[i] = list[i];
    }
    qsort(sorted, (size_t)count, sizeof *sorted, falling);
    o->redshifts = 0;
    for (int i = 0; i < count; i++)
        if (i == 0 || sorted[i] != sorted[i - 1]) o->redshift[o->redshifts++] = sorted[i];
    double start = 1 / o->a_start - 1;
    if (o->redshift[0] > start * (1 + 1e-9))
        return context_fail(c, STATUS_USAGE,
                            "simulate.redshifts: z = %g lies before the start at a = %g (z = %g); lower a_start",
                            o->redshift[0], o->a_start, start);
    if (1 / (1 + o->redshift[o->redshifts - 1]) <= o->a_start * (1 + 1e-9))
        return context_fail(c, STATUS_USAGE, "simulate.redshifts: the last, z = %g, must lie after the start at z = %g",
                            o->redshift[o->redshifts - 1], start);
    return STATUS_OK;
}

static status check_mesh(context *c, const simulation_options *o)
{
    if (fft_size_allowed(o->mesh) && o->mesh % 2 == 0 && o->mesh >= 8) return STATUS_OK;
    return context_fail(
        c, STATUS_USAGE,
        "simulate.mesh is %d cells per side; it must be even, 8 or more, and have no factor but 2, 3 and 5: the "
        "next is %d",
        o->mesh, fft_size_next(o->mesh < 8 ? 8 : o->mesh));
}

static status read_common(context *c, const config *cfg, simulation_options *o)
{
    *o = (simulation_options){.boxes = config_integer(cfg, "simulate.boxes"),
                              .mesh = (int)config_integer(cfg, "simulate.mesh"),
                              .steps = (int)config_integer(cfg, "simulate.steps"),
                              .lpt = (int)config_integer(cfg, "simulate.lpt"),
                              .integrator = INTEGRATOR_KDK,
                              .seed = (uint64_t)config_integer(cfg, "run.seed")};
    if (strcmp(config_text(cfg, "simulate.integrator"), "fastpm") == 0) o->integrator = INTEGRATOR_FASTPM;
    if (o->steps < 1) return context_fail(c, STATUS_USAGE, "simulate.steps is %d; 1 or more are possible", o->steps);
    return cosmology_from_config(c, cfg, &o->cosmology);
}

status simulation_options_read(context *c, const config *cfg, simulation_options *o)
{
    status s = read_common(c, cfg, o);
    if (s) return s;
    int dims = (int)config_integer(cfg, "simulate.dims");
    o->spectrum = (spectrum_options){.dims = dims,
                                     .kind = (spectrum_kind)config_choice(cfg, "simulate.spectrum"),
                                     .power_index = config_real(cfg, "simulate.power_index"),
                                     .table = config_text(cfg, "cosmology.spectrum_file")};
    o->particles = (int)config_integer(cfg, "simulate.particles");
    o->box_mpc_h = config_real(cfg, "simulate.box_mpc_h");
    o->a_start = config_real(cfg, "simulate.a_start");
    if (o->a_start == 0) o->a_start = dims == 3 ? .01 : .02;
    if (o->particles < 4)
        return context_fail(c, STATUS_USAGE, "simulate.particles is %d per side; 4 or more are possible", o->particles);
    if (o->boxes < 1 || o->boxes > UINT32_MAX)
        return context_fail(c, STATUS_USAGE, "simulate.boxes is %lld; 1 or more are possible", (long long)o->boxes);
    if (!(o->a_start > 0 && o->a_start < 1))
        return context_fail(c, STATUS_USAGE, "simulate.a_start is %g; it must lie between 0 and 1", o->a_start);
    if (o->lpt == 2 && dims != 3)
        return context_fail(c, STATUS_USAGE, "simulate.lpt = 2 is possible with simulate.dims = 3 only; leave it at 1");
    if (o->mesh == 0) o->mesh = 2 * o->particles;
    s = check_mesh(c, o);
    return s ? s : read_redshifts(c, cfg, o);
}

/* Same value or, where the file has none (0), the configuration's. */
static void cosmology_of(const snapshot *start, simulation_options *o)
{
    o->cosmology_assumed = !(start->omega_m > 0);
    if (o->cosmology_assumed) return;
    o->cosmology.omega_m = start->omega_m;
    o->cosmology.omega_lambda = start->omega_lambda;
    if (start->h > 0) o->cosmology.h = start->h;
    if (o->cosmology.omega_b > o->cosmology.omega_m)
        o->cosmology.omega_b = o->cosmology.omega_m; /* not used by gravity */
}

status simulation_options_initial(context *c, const config *cfg, const snapshot *start, double a_end,
                                  simulation_options *o)
{
    status s = read_common(c, cfg, o);
    if (s) return s;
    cosmology_of(start, o);
    o->spectrum.dims = start->dims;
    o->boxes = 1;
    o->lpt = 1;
    o->box_mpc_h = start->box_mpc_h;
    o->a_start = start->scale_factor;
    if (start->dims != 2 && start->dims != 3)
        return context_fail(c, STATUS_DATA, "the particles have %d coordinates each; 2 or 3 are possible", start->dims);
    if (!(start->box_mpc_h > 0) || !isfinite(start->box_mpc_h))
        return context_fail(c, STATUS_DATA, "BoxSize is %g; it must be above 0", start->box_mpc_h);
    if (!(start->scale_factor > 0) || !isfinite(start->scale_factor))
        return context_fail(c, STATUS_DATA, "the scale factor (Time) is %g; it must be above 0", start->scale_factor);
    if (!(a_end > start->scale_factor) || !isfinite(a_end))
        return context_fail(c, STATUS_USAGE, "--a-end %g must lie after the start of the particles at a = %g", a_end,
                            start->scale_factor);
    if (start->count < 1) return context_fail(c, STATUS_DATA, "there are no particles");
    if (o->mesh == 0) {
        double side = 2 * pow((double)start->count, 1. / start->dims);
        o->mesh = side > 16384 ? 16384 : fft_size_next(side < 8 ? 8 : (int)ceil(side - 1e-6));
    }
    o->redshifts = 1;
    o->redshift[0] = 1 / a_end - 1;
    s = check_mesh(c, o);
    return s ? s : cosmology_check_until(c, &o->cosmology, a_end > 1 ? a_end : 1);
}
