/* Writing of snapshots. */
#include "io/snapshot_file.h"

#include <math.h>
#include "base/memory.h"

/* Critical density in 1e10 Msun/h per (Mpc/h)^3: 3 H0² / (8 pi G) with G = 43.0071 (km/s)² kpc / 1e10 Msun. */
#define CRITICAL_DENSITY 27.7536627

static status write_numbers(context *c, h5_file *f, const snapshot *p)
{
    const int64_t none[6] = {0};
    const int64_t low[6] = {0, p->count & INT64_C(0xffffffff)}, high[6] = {0, p->count >> 32}, all[6] = {0, p->count};
    double side = p->box_mpc_h;
    /* GADGET readers take 0 for "a block of masses follows". In 2D a particle has no mass in Msun: 1. */
    double mass = p->dims == 3 && p->count > 0 && p->omega_m > 0
                      ? CRITICAL_DENSITY * p->omega_m * side * side * side / (double)p->count
                      : 1;
    const double masses[6] = {0, mass};
    status s = h5_attribute_integers(c, f, "/Header", "NumPart_ThisFile", 6, all);
    if (!s) s = h5_attribute_integers(c, f, "/Header", "NumPart_Total", 6, low);
    if (!s) s = h5_attribute_integers(c, f, "/Header", "NumPart_Total_HighWord", 6, p->count >> 32 ? high : none);
    if (!s) s = h5_attribute_reals(c, f, "/Header", "MassTable", 6, masses);
    if (!s) s = h5_attribute_integer(c, f, "/Header", "NumFilesPerSnapshot", 1);
    return s;
}

static status write_header(context *c, h5_file *f, const snapshot *p)
{
    static const char *const flags[] = {"Flag_Sfr", "Flag_Cooling", "Flag_StellarAge", "Flag_Metals", "Flag_Feedback"};
    status s = h5_group(c, f, "/Header");
    if (!s) s = h5_attribute_real(c, f, "/Header", "BoxSize", p->box_mpc_h);
    if (!s && isfinite(p->scale_factor)) s = h5_attribute_real(c, f, "/Header", "Time", p->scale_factor);
    if (!s && isfinite(p->redshift)) s = h5_attribute_real(c, f, "/Header", "Redshift", p->redshift);
    if (!s) s = h5_attribute_real(c, f, "/Header", "Omega0", p->omega_m);
    if (!s) s = h5_attribute_real(c, f, "/Header", "OmegaLambda", p->omega_lambda);
    if (!s) s = h5_attribute_real(c, f, "/Header", "HubbleParam", p->h);
    if (!s) s = write_numbers(c, f, p);
    for (int i = 0; !s && i < 5; i++) s = h5_attribute_integer(c, f, "/Header", flags[i], 0);
    if (!s) s = h5_attribute_integer(c, f, "/Header", "Flag_DoublePrecision", p->precision == H5_FLOAT64);
    if (!s) s = h5_attribute_integer(c, f, "/Header", "Dimensions", p->dims);
    if (!s && p->box_index >= 0) s = h5_attribute_integer(c, f, "/Header", "BoxIndex", p->box_index);
    return s;
}

/* float32 positions: rounding must not lift one onto the box's side, which is 0. */
static status write_single(context *c, h5_file *f, const snapshot *p, const uint64_t shape[2])
{
    float *rounded = NULL;
    uint64_t n = shape[0] * shape[1];
    status s = memory_new(c, "positions", n, sizeof(float), &rounded);
    for (uint64_t i = 0; !s && i < n; i++) {
        rounded[i] = (float)p->positions[i];
        if ((double)rounded[i] >= p->box_mpc_h) rounded[i] = 0;
    }
    if (!s) s = h5_write(c, f, "/PartType1/Coordinates", H5_FLOAT32, 2, shape, rounded);
    memory_delete(&rounded);
    return s;
}

status snapshot_write(context *c, const char *path, const snapshot *p, const provenance *made)
{
    h5_file *f = NULL;
    const uint64_t shape[2] = {(uint64_t)p->count, (uint64_t)p->dims};
    const char *coordinates = "/PartType1/Coordinates", *velocities = "/PartType1/Velocities";
    bool single = p->precision == H5_FLOAT32;
    uint64_t particle = (uint64_t)p->dims * ((single ? 4 : 8) + (p->velocities ? 4 : 0)) + (p->ids ? 8 : 0);
    status s = h5_create(c, path, shape[0] * particle + (1 << 20), &f);
    if (!s) s = write_header(c, f, p);
    if (!s) s = single ? write_single(c, f, p, shape) : h5_write(c, f, coordinates, H5_FLOAT64, 2, shape, p->positions);
    if (!s) s = h5_attribute_text(c, f, coordinates, "units", "Mpc/h");
    if (!s && p->velocities) s = h5_write(c, f, velocities, H5_FLOAT32, 2, shape, p->velocities);
    if (!s && p->velocities) s = h5_attribute_text(c, f, velocities, "units", "km/s, peculiar velocity / sqrt(a)");
    if (!s && p->ids) s = h5_write(c, f, "/PartType1/ParticleIDs", H5_UINT64, 1, shape, p->ids);
    if (!s && made) s = provenance_write(c, made, f);
    if (!s) s = h5_finish(c, &f);
    h5_delete(&f);
    return s;
}
