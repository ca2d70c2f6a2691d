/* The maps file. Attributes stand on "/"; a reader also takes them from the dataset /maps itself. */
#include "io/maps_file.h"

#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "io/maps_transform.h"

#define PARTICLES_PER_PIXEL "particles per pixel"

void maps_delete(maps *m)
{
    if (!m) return;
    memory_delete(&m->values);
    memory_delete(&m->origin);
    memset(m, 0, sizeof *m);
}

/* Where an attribute of the maps stands; NULL when nowhere. */
static const char *attribute_place(h5_file *f, const char *name)
{
    if (h5_has_attribute(f, "/", name)) return "/";
    if (h5_has_attribute(f, "/maps", name)) return "/maps";
    return NULL;
}

static status required_real(context *c, h5_file *f, const char *name, const char *meaning, bool lenient, double *value)
{
    const char *place = attribute_place(f, name);
    if (place) return h5_read_real(c, f, place, name, value);
    if (lenient) return STATUS_OK;
    return context_fail(c, STATUS_DATA,
                        "%s: the attribute %s (%s) is missing; set it on \"/\", for example with h5py: "
                        "f.attrs[\"%s\"] = …",
                        h5_path(f), name, meaning, name);
}

static status must_be_positive(context *c, const h5_file *f, const char *name, double value)
{
    if (isfinite(value) && value > 0) return STATUS_OK;
    return context_fail(c, STATUS_DATA, "%s: the attribute %s is %g; it must be a positive number", h5_path(f), name,
                        value);
}

/* Optional attributes: absent ones keep the value; what is absent is collected for the log. */
static void say_missing(char *missing, size_t size, const char *name)
{
    size_t n = strlen(missing);
    snprintf(missing + n, size - n, "%s%s", n ? ", " : "", name);
}

static status optional_real(context *c, h5_file *f, const char *name, double *value, char *missing, size_t size)
{
    const char *place = attribute_place(f, name);
    if (place) return h5_read_real(c, f, place, name, value);
    say_missing(missing, size, name);
    return STATUS_OK;
}

static status optional_text(context *c, h5_file *f, const char *name, char value[32], char *missing, size_t size)
{
    char *text = NULL;
    const char *place = attribute_place(f, name);
    if (!place) {
        say_missing(missing, size, name);
        return STATUS_OK;
    }
    status s = h5_read_text(c, f, place, name, &text);
    if (s) return s;
    if (strlen(text) > 31)
        s = context_fail(c, STATUS_DATA, "%s: the attribute %s is longer than 31 bytes", h5_path(f), name);
    else
        snprintf(value, 32, "%s", text);
    memory_delete(&text);
    return s;
}

/* The label of the values. One that does not fit, or is no text, is no reason to refuse the file. */
static status read_units(context *c, h5_file *f, maps *m)
{
    char *text = NULL;
    m->units[0] = 0;
    if (!h5_exists(f, "/maps") || !h5_has_text(f, "/maps", "units")) return STATUS_OK;
    status s = h5_read_text(c, f, "/maps", "units", &text);
    if (!s && strcmp(text, PARTICLES_PER_PIXEL) && strlen(text) < sizeof m->units)
        snprintf(m->units, sizeof m->units, "%s", text);
    memory_delete(&text);
    return s;
}

static status read_transform(context *c, h5_file *f, maps *m, char *missing, size_t size)
{
    transform_shape t;
    status s = optional_text(c, f, "transform", m->transform, missing, size);
    if (!s && m->transform[0]) s = optional_real(c, f, "a", &m->a, missing, size);
    if (!s && m->transform[0]) s = optional_real(c, f, "b", &m->b, missing, size);
    if (!s && m->transform[0] && attribute_place(f, "c")) s = h5_read_real(c, f, attribute_place(f, "c"), "c", &m->c);
    if (!s) s = optional_text(c, f, "unit", m->unit, missing, size);
    if (s || !m->transform[0]) return s;
    s = maps_transform_of(c, m, &t);
    return s ? context_prefix(c, s, "%s", h5_path(f)) : s;
}

status maps_read_attributes(context *c, h5_file *f, bool lenient, maps *m)
{
    char missing[256] = "";
    double dims = 0;
    m->redshift = NAN;
    m->box_mpc_h = m->mean = 0;
    status s = required_real(c, f, "box_mpc_h", "side of a map in Mpc/h", lenient, &m->box_mpc_h);
    if (!s && !lenient) s = must_be_positive(c, f, "box_mpc_h", m->box_mpc_h);
    if (!s) s = required_real(c, f, "mean", "mean density in particles per pixel", lenient, &m->mean);
    if (!s) s = optional_real(c, f, "redshift", &m->redshift, missing, sizeof missing);
    if (!s) s = optional_real(c, f, "dims", &dims, missing, sizeof missing);
    if (!s) s = optional_text(c, f, "estimator", m->estimator, missing, sizeof missing);
    if (!s) s = read_transform(c, f, m, missing, sizeof missing);
    if (!s) s = read_units(c, f, m);
    if (!s && !lenient && !maps_transform_is_linear(m)) s = must_be_positive(c, f, "mean", m->mean);
    if (s) return s;
    if (dims != 0 && dims != 2 && dims != 3)
        return context_fail(c, STATUS_DATA, "%s: the attribute dims is %g; it must be 2 or 3", h5_path(f), dims);
    m->dims = dims != 0 ? (int)dims : strcmp(m->transform, "log-offset") ? 2 : 3;
    if (missing[0] && !lenient) log_info(c, "%s: has no %s (optional)", h5_path(f), missing);
    return STATUS_OK;
}

/* A dataset of maps: /maps, or /truth of a pairs file. */
static status read_values(context *c, h5_file *f, const char *object, maps *m)
{
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    status s = h5_shape(c, f, object, &rank, shape, &stored);
    if (s) return s;
    if (rank != 2 && rank != 3)
        return context_fail(c, STATUS_DATA, "%s: %s: has %d axes; [n, ny, nx] is wanted, or [ny, nx] for one map",
                            h5_path(f), object, rank);
    uint64_t n = rank == 3 ? shape[0] : 1, ny = shape[rank - 2], nx = shape[rank - 1];
    if (n == 0 || ny == 0 || nx == 0 || ny > INT_MAX || nx > INT_MAX || n > INT64_MAX)
        return context_fail(c, STATUS_DATA,
                            "%s: %s: has the shape [%" PRIu64 ", %" PRIu64 ", %" PRIu64 "]; it is "
                            "empty or too large",
                            h5_path(f), object, n, ny, nx);
    m->count = (int64_t)n;
    m->ny = (int)ny;
    m->nx = (int)nx;
    s = memory_new(c, "maps", n * ny * nx, sizeof(float), &m->values);
    if (s) return context_prefix(c, s, "%s: %s", h5_path(f), object);
    return h5_read(c, f, object, H5_FLOAT32, n * ny * nx, m->values);
}

static status check_values(context *c, const h5_file *f, const char *object, const maps *m)
{
    const int64_t pixels = (int64_t)m->ny * m->nx;
    const bool linear = maps_transform_is_linear(m);
    const float least = linear ? -FLT_MAX : 0;
    for (int64_t i = 0; i < m->count * pixels; i++) {
        float v = m->values[i];
        if (v >= least && v <= FLT_MAX) continue;
        int64_t map = i / pixels, pixel = i % pixels;
        return context_fail(c, STATUS_DATA,
                            "%s: %s: map %" PRId64 ", y %" PRId64 ", x %" PRId64
                            " is %g; densities must be finite float32 numbers%s",
                            h5_path(f), object, map, pixel / m->nx, pixel % m->nx, (double)v,
                            linear ? "" : " and not negative where the transform is not linear");
    }
    return STATUS_OK;
}

static status read_origin(context *c, h5_file *f, maps *m)
{
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    if (!h5_exists(f, "/origin")) {
        log_info(c, "%s: has no /origin (optional)", h5_path(f));
        return STATUS_OK;
    }
    status s = h5_shape(c, f, "/origin", &rank, shape, &stored);
    if (s) return s;
    if (rank != 2 || shape[0] != (uint64_t)m->count || shape[1] != 3)
        return context_fail(c, STATUS_DATA,
                            "%s: /origin: must be [%" PRId64
                            ", 3] (box, axis, slice of each map), as /maps has %" PRId64 " maps",
                            h5_path(f), m->count, m->count);
    s = memory_new(c, "origins of maps", (size_t)m->count * 3, sizeof(int32_t), &m->origin);
    if (!s) s = h5_read(c, f, "/origin", H5_INT32, (uint64_t)m->count * 3, m->origin);
    return s;
}

/* Maps of an open file, with the truth beside them where that is asked for. */
static status read_maps(context *c, h5_file *f, maps *m, maps *truth)
{
    if (!h5_exists(f, "/maps"))
        return context_fail(c, STATUS_DATA, "%s: /maps: missing: this is not a maps file; make one with `cosmocl maps`",
                            h5_path(f));
    if (truth && !h5_exists(f, "/truth"))
        return context_fail(c, STATUS_DATA,
                            "%s: /truth: missing: this is not a file of pairs; make one with `cosmocl infer`",
                            h5_path(f));
    status s = read_values(c, f, "/maps", m);
    if (!s) s = maps_read_attributes(c, f, false, m);
    if (!s) s = check_values(c, f, "/maps", m);
    if (s || !truth) return s;
    *truth = *m;
    truth->values = NULL;
    s = read_values(c, f, "/truth", truth);
    if (!s && (truth->count != m->count || truth->ny != m->ny || truth->nx != m->nx))
        return context_fail(c, STATUS_DATA,
                            "%s: /truth has %" PRId64 " maps of %d × %d pixels, /maps %" PRId64
                            " of %d × %d: pairs have equal shapes",
                            h5_path(f), truth->count, truth->ny, truth->nx, m->count, m->ny, m->nx);
    return s ? s : check_values(c, f, "/truth", truth);
}

status maps_read(context *c, const char *path, maps *m)
{
    h5_file *f = NULL;
    memset(m, 0, sizeof *m);
    status s = h5_open(c, path, &f);
    if (!s) s = read_maps(c, f, m, NULL);
    if (!s) s = read_origin(c, f, m);
    h5_delete(&f);
    if (s) maps_delete(m);
    return s;
}

status maps_read_pairs(context *c, const char *path, maps *m, maps *truth)
{
    h5_file *f = NULL;
    memset(m, 0, sizeof *m);
    memset(truth, 0, sizeof *truth);
    status s = h5_open(c, path, &f);
    if (!s) s = read_maps(c, f, m, truth);
    h5_delete(&f);
    if (s) {
        maps_delete(m);
        maps_delete(truth);
    }
    return s;
}

static status write_attributes(context *c, h5_file *f, const maps *m)
{
    status s = h5_attribute_real(c, f, "/", "box_mpc_h", m->box_mpc_h);
    if (!s) s = h5_attribute_real(c, f, "/", "mean", m->mean);
    if (!s && isfinite(m->redshift)) s = h5_attribute_real(c, f, "/", "redshift", m->redshift);
    if (!s && m->dims) s = h5_attribute_integer(c, f, "/", "dims", m->dims);
    if (!s && m->estimator[0]) s = h5_attribute_text(c, f, "/", "estimator", m->estimator);
    if (!s && m->transform[0]) s = h5_attribute_text(c, f, "/", "transform", m->transform);
    if (!s && m->transform[0]) s = h5_attribute_real(c, f, "/", "a", m->a);
    if (!s && m->transform[0]) s = h5_attribute_real(c, f, "/", "b", m->b);
    if (!s && !strcmp(m->transform, "log-offset")) s = h5_attribute_real(c, f, "/", "c", m->c);
    if (!s && m->unit[0]) s = h5_attribute_text(c, f, "/", "unit", m->unit);
    if (!s) s = h5_attribute_text(c, f, "/maps", "units", m->units[0] ? m->units : PARTICLES_PER_PIXEL);
    return s;
}

/* truth and latents NULL: none. */
static status write_file(context *c, const char *path, const maps *m, const float *truth, const float *latents,
                         int latent, const provenance *p)
{
    h5_file *f = NULL;
    const uint64_t shape[3] = {(uint64_t)m->count, (uint64_t)m->ny, (uint64_t)m->nx};
    const uint64_t origin_shape[2] = {(uint64_t)m->count, 3}, latent_shape[2] = {(uint64_t)m->count, (uint64_t)latent};
    const uint64_t values = shape[0] * shape[1] * shape[2] * (truth ? 2 : 1) + latent_shape[0] * latent_shape[1];
    status s = h5_create(c, path, values * sizeof(float) + (1 << 20), &f);
    if (!s) s = h5_write(c, f, "/maps", H5_FLOAT32, 3, shape, m->values);
    if (!s && m->origin) s = h5_write(c, f, "/origin", H5_INT32, 2, origin_shape, m->origin);
    if (!s) s = write_attributes(c, f, m);
    if (!s && truth) s = h5_write(c, f, "/truth", H5_FLOAT32, 3, shape, truth);
    if (!s && latents) s = h5_write(c, f, "/latent", H5_FLOAT32, 2, latent_shape, latents);
    if (!s && p) s = provenance_write(c, p, f);
    if (!s) s = h5_finish(c, &f);
    h5_delete(&f);
    return s;
}

status maps_write(context *c, const char *path, const maps *m, const provenance *p)
{
    return write_file(c, path, m, NULL, NULL, 0, p);
}

status maps_write_pairs(context *c, const char *path, const maps *m, const float *truth, const float *latents,
                        int latent, const provenance *p)
{
    return write_file(c, path, m, truth, latents, latent, p);
}

status maps_write_begin(context *c, const char *path, const maps *m, const provenance *p, h5_file **out)
{
    const uint64_t shape[3] = {(uint64_t)m->count, (uint64_t)m->ny, (uint64_t)m->nx};
    *out = NULL;
    status s = h5_create(c, path, shape[0] * shape[1] * shape[2] * sizeof(float) + (1 << 20), out);
    if (!s) s = h5_reserve(c, *out, "/maps", H5_FLOAT32, 3, shape);
    if (!s) s = write_attributes(c, *out, m);
    if (!s && p) s = provenance_write(c, p, *out);
    if (s) h5_delete(out);
    return s;
}
