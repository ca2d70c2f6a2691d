#include "report/sample.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "io/maps_transform.h"

void sample_delete(sample *m)
{
    if (!m) return;
    memory_delete(&m->values);
    memset(m, 0, sizeof *m);
}

/* A file that names no transform was trained with the default of its kind. */
static status read_attributes(context *c, h5_file *f, sample *m)
{
    config *defaults = NULL;
    maps d = {0};
    status s = maps_read_attributes(c, f, true, &d);
    if (!s) s = config_new(c, &defaults);
    if (!s && !d.transform[0]) s = maps_transform_choose(c, defaults, &d);
    if (!s && !(d.mean > 0)) d.unit[0] = 0; /* overdensities of an unknown mean are taken as they are */
    if (!s) s = maps_transform_of(c, &d, &m->transform);
    config_delete(&defaults);
    if (s) return s;
    m->box_mpc_h = d.box_mpc_h > 0 && isfinite(d.box_mpc_h) ? d.box_mpc_h : 0;
    m->mean = d.mean > 0 && isfinite(d.mean) ? d.mean : 0;
    m->redshift = d.redshift;
    snprintf(m->units, sizeof m->units, "%s", d.units[0] ? d.units : "particles per pixel");
    return STATUS_OK;
}

/* Map i of `count` is number ⌊i · total / count⌋: neighbours in a file are crops of one parent and look alike. */
static status read_values(context *c, h5_file *f, const char *dataset, int limit, sample *m)
{
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    status s = h5_shape(c, f, dataset, &rank, shape, &stored);
    if (s) return s;
    if (rank != 2 && rank != 3)
        return context_fail(c, STATUS_DATA, "%s: %s: has %d axes; [n, ny, nx] is wanted", h5_path(f), dataset, rank);
    uint64_t n = rank == 3 ? shape[0] : 1, ny = shape[rank - 2], nx = shape[rank - 1];
    if (!n || !ny || !nx || ny > 65536 || nx > 65536 || n > INT64_MAX)
        return context_fail(c, STATUS_DATA, "%s: %s: is empty or too large", h5_path(f), dataset);
    m->total = (int64_t)n;
    m->count = n < (uint64_t)limit ? (int)n : limit;
    m->ny = (int)ny;
    m->nx = (int)nx;
    size_t pixels = (size_t)ny * (size_t)nx;
    s = memory_new(c, "maps of the report", (size_t)m->count * pixels, sizeof(float), &m->values);
    if (!s && rank == 2) s = h5_read(c, f, dataset, H5_FLOAT32, pixels, m->values);
    for (int i = 0; !s && rank == 3 && i < m->count; i++)
        s = h5_read_rows(c, f, dataset, (uint64_t)i * n / (uint64_t)m->count, 1, H5_FLOAT32,
                         m->values + (size_t)i * pixels);
    for (size_t i = 0; !s && i < (size_t)m->count * pixels; i++)
        if (!isfinite(m->values[i]) || (m->transform.kind == TRANSFORM_LOG && m->values[i] < 0)) m->values[i] = 0;
    return s;
}

status sample_read(context *c, const char *path, int limit, sample *m)
{
    return sample_read_dataset(c, path, "/maps", limit, m);
}

status sample_read_dataset(context *c, const char *path, const char *dataset, int limit, sample *m)
{
    h5_file *f = NULL;
    memset(m, 0, sizeof *m);
    status s = h5_open(c, path, &f);
    if (!s) s = read_attributes(c, f, m);
    if (!s) s = read_values(c, f, dataset, limit, m);
    h5_delete(&f);
    if (s) sample_delete(m);
    return s;
}

static int descending(const void *x, const void *y)
{
    const float a = *(const float *)x, b = *(const float *)y;
    return (a < b) - (a > b);
}

status sample_thresholds(context *c, const sample *m, int i, int count, const double *percent, float *values)
{
    const size_t map = (size_t)m->ny * (size_t)m->nx, pixels = i < 0 ? (size_t)m->count * map : map;
    float *sorted = NULL;
    status s = memory_new(c, "threshold", pixels, sizeof *sorted, &sorted);
    if (s) return s;
    memcpy(sorted, m->values + (i < 0 ? 0 : (size_t)i * map), pixels * sizeof *sorted);
    qsort(sorted, pixels, sizeof *sorted, descending);
    for (int k = 0; k < count; k++) {
        const size_t place = (size_t)lrint(percent[k] * (double)pixels / 100);
        values[k] = sorted[place ? place - 1 : 0];
    }
    memory_delete(&sorted);
    return STATUS_OK;
}
