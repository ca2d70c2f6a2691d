/* Reading of snapshots in the GADGET-like HDF5 layout: /Header attributes, /PartType1 datasets. */
#include "io/snapshot_units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"

#define GROUP "/PartType1"
enum { DARK_MATTER = 1, PARTICLE_TYPES = 6 };

void snapshot_delete(snapshot *s)
{
    if (!s) return;
    memory_delete(&s->positions);
    memory_delete(&s->velocities);
    memory_delete(&s->ids);
    memset(s, 0, sizeof *s);
}

/* A header number that may be absent, then the value stays. */
static status header_real(context *c, h5_file *f, const char *name, double *value)
{
    int count;
    double values[PARTICLE_TYPES];
    if (!h5_has_attribute(f, "/Header", name)) return STATUS_OK;
    status s = h5_read_reals(c, f, "/Header", name, 1, values, &count);
    if (s) return s;
    if (!isfinite(values[0]))
        return context_fail(c, STATUS_DATA, "%s: /Header: %s is not a finite number", h5_path(f), name);
    *value = values[0];
    return STATUS_OK;
}

/* BoxSize: a scalar, or one side per axis, which must agree. In the file's unit. */
static status read_box(context *c, h5_file *f, double *box)
{
    int count;
    double sides[3];
    status s = h5_read_reals(c, f, "/Header", "BoxSize", 3, sides, &count);
    if (s) return s;
    if (count > 3)
        return context_fail(c, STATUS_DATA, "%s: /Header: BoxSize has %d numbers, at most 3 are known", h5_path(f),
                            count);
    for (int i = 0; i < count; i++) {
        if (!isfinite(sides[i]) || sides[i] <= 0)
            return context_fail(c, STATUS_DATA, "%s: /Header: BoxSize is %g; it must be a positive number", h5_path(f),
                                sides[i]);
        if (sides[i] != sides[0])
            return context_fail(c, STATUS_DATA,
                                "%s: /Header: BoxSize has sides %g and %g; only square and cubic boxes "
                                "are read",
                                h5_path(f), sides[0], sides[i]);
    }
    *box = sides[0];
    return STATUS_OK;
}

static status read_header(context *c, h5_file *f, snapshot *out)
{
    double files = 1, box_index = -1;
    if (!h5_exists(f, "/Header"))
        return context_fail(c, STATUS_DATA, "%s: /Header: missing: this is not a snapshot", h5_path(f));
    out->scale_factor = out->redshift = NAN;
    status s = read_box(c, f, &out->box_mpc_h);
    if (!s) s = header_real(c, f, "Time", &out->scale_factor);
    if (!s) s = header_real(c, f, "Redshift", &out->redshift);
    if (!s) s = header_real(c, f, "Omega0", &out->omega_m);
    if (!s) s = header_real(c, f, "OmegaLambda", &out->omega_lambda);
    if (!s) s = header_real(c, f, "HubbleParam", &out->h);
    if (!s) s = header_real(c, f, "NumFilesPerSnapshot", &files);
    if (!s) s = header_real(c, f, "BoxIndex", &box_index);
    if (s) return s;
    if (files > 1)
        return context_fail(c, STATUS_DATA, "%s: is one of %g files of a snapshot; only snapshots in one file are read",
                            h5_path(f), files);
    /* Redshift decides: in non-comoving runs Time is no scale factor. */
    if (isfinite(out->redshift) && out->redshift > -1)
        out->scale_factor = isfinite(out->scale_factor) ? out->scale_factor : 1 / (1 + out->redshift);
    else if (isfinite(out->scale_factor) && out->scale_factor > 0)
        out->redshift = 1 / out->scale_factor - 1;
    out->box_index = box_index >= 0 && box_index < 1e9 ? (int64_t)box_index : -1;
    return STATUS_OK;
}

/* NumPart_ThisFile, where there is one, must agree with the dataset. */
static status check_count(context *c, h5_file *f, uint64_t rows)
{
    int count;
    double numbers[PARTICLE_TYPES] = {0};
    if (!h5_has_attribute(f, "/Header", "NumPart_ThisFile")) return STATUS_OK;
    status s = h5_read_reals(c, f, "/Header", "NumPart_ThisFile", PARTICLE_TYPES, numbers, &count);
    if (s) return s;
    if (count <= DARK_MATTER || numbers[DARK_MATTER] == (double)rows) return STATUS_OK;
    return context_fail(c, STATUS_DATA,
                        "%s: " GROUP "/Coordinates: has %" PRIu64
                        " rows, but the header's NumPart_ThisFile says %.0f; the file is damaged or cut off",
                        h5_path(f), rows, numbers[DARK_MATTER]);
}

static status read_positions(context *c, h5_file *f, const char *length_unit, snapshot *out)
{
    int rank;
    uint64_t shape[H5_RANK];
    double factor;
    status s = h5_shape(c, f, GROUP "/Coordinates", &rank, shape, &out->precision);
    if (s) return s;
    if (rank != 2 || (shape[1] != 2 && shape[1] != 3))
        return context_fail(c, STATUS_DATA, "%s: " GROUP "/Coordinates: must be [N, 2] or [N, 3]", h5_path(f));
    if (out->precision != H5_FLOAT32 && out->precision != H5_FLOAT64)
        return context_fail(c, STATUS_DATA,
                            "%s: " GROUP "/Coordinates: holds integers; floating-point numbers are "
                            "wanted",
                            h5_path(f));
    s = check_count(c, f, shape[0]);
    if (s) return s;
    out->count = (int64_t)shape[0];
    out->dims = (int)shape[1];
    s = snapshot_unit(c, f, GROUP "/Coordinates", length_unit, out->h, &factor);
    if (s) return s;
    s = memory_new(c, "positions", shape[0] * shape[1], sizeof(double), &out->positions);
    if (s) return context_prefix(c, s, "%s", h5_path(f));
    s = h5_read(c, f, GROUP "/Coordinates", H5_FLOAT64, shape[0] * shape[1], out->positions);
    if (s) return s;
    out->box_mpc_h *= factor;
    return snapshot_wrap(c, h5_path(f), factor, out);
}

static status read_velocities(context *c, h5_file *f, snapshot *out)
{
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    if (!h5_exists(f, GROUP "/Velocities")) return STATUS_OK;
    status s = h5_shape(c, f, GROUP "/Velocities", &rank, shape, &stored);
    if (s) return s;
    if (rank != 2 || shape[0] != (uint64_t)out->count || shape[1] != (uint64_t)out->dims)
        return context_fail(c, STATUS_DATA,
                            "%s: " GROUP "/Velocities: its shape differs from that of Coordinates, [%" PRId64 ", %d]",
                            h5_path(f), out->count, out->dims);
    uint64_t n = shape[0] * shape[1];
    s = memory_new(c, "velocities", n, sizeof(float), &out->velocities);
    if (!s) s = h5_read(c, f, GROUP "/Velocities", H5_FLOAT32, n, out->velocities);
    for (uint64_t i = 0; !s && i < n; i++)
        if (!isfinite(out->velocities[i]))
            s = context_fail(c, STATUS_DATA, "%s: " GROUP "/Velocities: particle %" PRIu64 ", axis %d is not finite",
                             h5_path(f), i / (uint64_t)out->dims, (int)(i % (uint64_t)out->dims));
    return s;
}

static status read_ids(context *c, h5_file *f, snapshot *out)
{
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    if (!h5_exists(f, GROUP "/ParticleIDs")) return STATUS_OK;
    status s = h5_shape(c, f, GROUP "/ParticleIDs", &rank, shape, &stored);
    if (s) return s;
    if (rank != 1 || shape[0] != (uint64_t)out->count)
        return context_fail(c, STATUS_DATA, "%s: " GROUP "/ParticleIDs: must be [%" PRId64 "], one per particle",
                            h5_path(f), out->count);
    s = memory_new(c, "particle ids", shape[0], sizeof(uint64_t), &out->ids);
    if (!s) s = h5_read(c, f, GROUP "/ParticleIDs", H5_UINT64, shape[0], out->ids);
    return s;
}

status snapshot_read_as(context *c, const char *path, const char *length_unit, snapshot *out)
{
    h5_file *f = NULL;
    memset(out, 0, sizeof *out);
    status s = h5_open(c, path, &f);
    if (!s) s = read_header(c, f, out);
    if (!s) s = read_positions(c, f, length_unit, out);
    if (!s) s = read_velocities(c, f, out);
    if (!s) s = read_ids(c, f, out);
    h5_delete(&f);
    if (s) snapshot_delete(out);
    return s;
}

status snapshot_read(context *c, const char *path, snapshot *out)
{
    return snapshot_read_as(c, path, NULL, out);
}
