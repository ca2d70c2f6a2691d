#include "report/sample.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "io/hdf5.h"

void sample_delete(sample *m)
{
    if (!m) return;
    memory_delete(&m->values);
    memset(m, 0, sizeof *m);
}

static const char *place_of(h5_file *f, const char *name)
{
    return h5_has_attribute(f, "/", name) ? "/" : h5_has_attribute(f, "/maps", name) ? "/maps" : NULL;
}

static status read_number(context *c, h5_file *f, const char *name, double *value)
{
    const char *place = place_of(f, name);
    if (!place) return STATUS_OK;
    return h5_read_real(c, f, place, name, value);
}

static status read_word(context *c, h5_file *f, const char *name, char value[32])
{
    const char *place = place_of(f, name);
    char *text = NULL;
    if (!place) return STATUS_OK;
    status s = h5_read_text(c, f, place, name, &text);
    if (!s) snprintf(value, 32, "%s", text);
    memory_delete(&text);
    return s;
}

static status read_attributes(context *c, h5_file *f, sample *m)
{
    double dims = 0;
    m->redshift = NAN;
    status s = read_number(c, f, "box_mpc_h", &m->box_mpc_h);
    if (!s) s = read_number(c, f, "mean", &m->mean);
    if (!s) s = read_number(c, f, "redshift", &m->redshift);
    if (!s) s = read_number(c, f, "dims", &dims);
    if (!s) s = read_word(c, f, "transform", m->transform);
    if (!s) s = read_word(c, f, "unit", m->unit);
    if (s) return s;
    if (!(m->box_mpc_h > 0 && isfinite(m->box_mpc_h))) m->box_mpc_h = 0;
    if (!(m->mean > 0 && isfinite(m->mean))) m->mean = 0;
    m->dims = dims == 2 || dims == 3 ? (int)dims : 0;
    bool offset = !strcmp(m->transform, "log-offset") || (!m->transform[0] && m->dims == 3);
    m->a = offset ? log(.001) : log(.01);
    m->b = offset ? log(2632.) : log(600.);
    m->offset = offset ? .001 : 0;
    if (!m->unit[0]) snprintf(m->unit, sizeof m->unit, "%s", offset ? "particles" : "overdensity");
    s = read_number(c, f, "a", &m->a);
    if (!s) s = read_number(c, f, "b", &m->b);
    if (!s && offset) s = read_number(c, f, "c", &m->offset);
    if (!s && !(isfinite(m->a) && isfinite(m->b) && isfinite(m->offset) && m->a < m->b))
        s = context_fail(c, STATUS_DATA, "%s: the transform's attributes a = %g, b = %g do not bound an interval",
                         h5_path(f), m->a, m->b);
    return s;
}

/* Map i of `count` is number ⌊i · total / count⌋: neighbours in a file are crops of one parent and look alike. */
static status read_values(context *c, h5_file *f, int limit, sample *m)
{
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    status s = h5_shape(c, f, "/maps", &rank, shape, &stored);
    if (s) return s;
    if (rank != 2 && rank != 3)
        return context_fail(c, STATUS_DATA, "%s: /maps: has %d axes; [n, ny, nx] is wanted", h5_path(f), rank);
    uint64_t n = rank == 3 ? shape[0] : 1, ny = shape[rank - 2], nx = shape[rank - 1];
    if (!n || !ny || !nx || ny > 65536 || nx > 65536 || n > INT64_MAX)
        return context_fail(c, STATUS_DATA, "%s: /maps: is empty or too large", h5_path(f));
    m->total = (int64_t)n;
    m->count = n < (uint64_t)limit ? (int)n : limit;
    m->ny = (int)ny;
    m->nx = (int)nx;
    size_t pixels = (size_t)ny * (size_t)nx;
    s = memory_new(c, "maps of the report", (size_t)m->count * pixels, sizeof(float), &m->values);
    if (!s && rank == 2) s = h5_read(c, f, "/maps", H5_FLOAT32, pixels, m->values);
    for (int i = 0; !s && rank == 3 && i < m->count; i++)
        s = h5_read_rows(c, f, "/maps", (uint64_t)i * n / (uint64_t)m->count, 1, H5_FLOAT32,
                         m->values + (size_t)i * pixels);
    for (size_t i = 0; !s && i < (size_t)m->count * pixels; i++)
        if (!(m->values[i] >= 0 && isfinite(m->values[i]))) m->values[i] = 0;
    return s;
}

status sample_read(context *c, const char *path, int limit, sample *m)
{
    h5_file *f = NULL;
    memset(m, 0, sizeof *m);
    status s = h5_open(c, path, &f);
    if (!s) s = read_attributes(c, f, m);
    if (!s) s = read_values(c, f, limit, m);
    h5_delete(&f);
    if (s) sample_delete(m);
    return s;
}

double sample_transform(const sample *m, double v)
{
    double x = (strcmp(m->unit, "overdensity") || m->mean <= 0 ? v : v / m->mean) + m->offset;
    return x > 0 ? (2 * log(x) - (m->b + m->a)) / (m->b - m->a) : -1;
}
