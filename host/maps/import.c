#include "maps/import.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "base/progress.h"
#include "io/maps_transform.h"

enum { BATCH_NUMBERS = 1 << 21 }; /* 16 MiB as they are read */
/* Bounds that are not given lie this share of the interval outside the values found. */
static const double MARGIN = .01;
/* Where zeros are among the values: the logarithm is worth its offset from this ratio on. */
static const double WIDE_RANGE = 1e3, LEAST_OFFSET = 1e-6;
/* Within these the float32 arithmetic of the transform is exact to rounding (kernels/explicit.h). */
static const double NARROWEST = 1e-18, WIDEST = 1e18;

typedef struct {
    image_file *file;
    const char *path;
    const image_stack *stack;
    int channel, side, y0, x0; /* y0, x0: corner of the square in the image */
    int64_t batch;
    double *read;  /* [batch][channels][ny][nx] */
    float *values; /* [batch][side][side] */
} source;

typedef struct {
    double lowest, highest, least_positive, sum;
    int64_t zeros;
} survey;

static status check_channel(context *c, const source *s)
{
    const int channels = s->stack->channels;
    if (channels == 1 || s->channel == IMPORT_CHANNEL_MEAN || (s->channel >= 0 && s->channel < channels))
        return STATUS_OK;
    if (s->channel < 0)
        return context_fail(c, STATUS_USAGE,
                            "%s: has %d channels (colours), and maps have one: say --channel mean, or --channel N of 0 "
                            "to %d",
                            s->path, channels, channels - 1);
    return context_fail(c, STATUS_USAGE, "%s: has no channel %d; there are 0 to %d", s->path, s->channel, channels - 1);
}

static status source_begin(context *c, source *s)
{
    const image_stack *k = s->stack;
    const size_t numbers = (size_t)k->ny * (size_t)k->nx * (size_t)k->channels;
    status e = check_channel(c, s);
    if (e) return e;
    s->side = k->ny < k->nx ? k->ny : k->nx;
    s->y0 = (k->ny - s->side) / 2, s->x0 = (k->nx - s->side) / 2;
    s->batch = BATCH_NUMBERS / numbers < 1 ? 1 : (int64_t)(BATCH_NUMBERS / numbers);
    if (s->batch > k->count) s->batch = k->count;
    if (k->ny != k->nx)
        log_warning(c, "%s: images of %d × %d pixels (height × width) are cut to the %d × %d in their middle", s->path,
                    k->ny, k->nx, s->side, s->side);
    e = memory_new(c, "images", numbers * (size_t)s->batch, sizeof *s->read, &s->read);
    if (!e)
        e = memory_new(c, "images", (size_t)s->side * (size_t)s->side * (size_t)s->batch, sizeof *s->values,
                       &s->values);
    return e;
}

static double value_at(const source *s, const double *image, int y, int x)
{
    const size_t plane = (size_t)s->stack->ny * (size_t)s->stack->nx, at = (size_t)y * (size_t)s->stack->nx + (size_t)x;
    double sum = 0;
    if (s->channel != IMPORT_CHANNEL_MEAN) return image[(size_t)(s->channel < 0 ? 0 : s->channel) * plane + at];
    for (int k = 0; k < s->stack->channels; k++) sum += image[(size_t)k * plane + at];
    return sum / s->stack->channels;
}

/* s->values: the images first … first + count − 1 as the maps file holds them. */
static status load(context *c, source *s, int64_t first, int64_t count)
{
    const size_t numbers = (size_t)s->stack->ny * (size_t)s->stack->nx * (size_t)s->stack->channels;
    float *to = s->values;
    status e = image_file_read(c, s->file, first, count, s->read);
    for (int64_t i = 0; !e && i < count; i++) {
        const double *image = s->read + (size_t)i * numbers;
        for (int y = s->y0; !e && y < s->y0 + s->side; y++) {
            for (int x = s->x0; !e && x < s->x0 + s->side; x++) {
                const double v = value_at(s, image, y, x);
                if (!(fabs(v) <= (double)FLT_MAX))
                    e = context_fail(c, STATUS_DATA,
                                     "%s: image %" PRId64 ", y %d, x %d is %g; pixels must be finite float32 numbers: "
                                     "fill or cut away what is missing (numpy.nan_to_num), and save again",
                                     s->path, first + i, y, x, v);
                *to++ = (float)v;
            }
        }
    }
    return e;
}

static void look(survey *v, const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double x = (double)values[i];
        v->lowest = fmin(v->lowest, x);
        v->highest = fmax(v->highest, x);
        if (x > 0) v->least_positive = fmin(v->least_positive, x);
        v->zeros += x == 0;
        v->sum += x;
    }
}

/* One pass over all images; out NULL: the survey, else their writing. */
static status pass(context *c, source *s, survey *v, const transform_shape *t, transform_range *range, h5_file *out)
{
    progress p;
    const size_t pixels = (size_t)s->side * (size_t)s->side;
    status e = STATUS_OK;
    progress_begin(&p, c, out ? "write" : "read", "images", 0, s->stack->count);
    for (int64_t first = 0; !e && first < s->stack->count; first += s->batch) {
        const int64_t rest = s->stack->count - first, n = rest < s->batch ? rest : s->batch;
        if (context_stop_requested(c)) return context_fail(c, STATUS_INTERRUPTED, "stopped on request");
        e = load(c, s, first, n);
        if (!e && !out) look(v, s->values, pixels * (size_t)n);
        if (!e && out) transform_range_add(range, t, s->values, (int64_t)pixels * n);
        if (!e && out) e = h5_write_rows(c, out, "/maps", (uint64_t)first, (uint64_t)n, H5_FLOAT32, s->values);
        if (!e) progress_update(&p, first + n, NULL);
    }
    if (!e) progress_end(&p);
    return e;
}

static import_transform choose(const survey *v, const char **why)
{
    if (v->lowest < 0) {
        *why = "some values are negative";
        return IMPORT_LINEAR;
    }
    if (v->lowest > 0) {
        *why = "all values are positive";
        return IMPORT_LOG;
    }
    if (v->highest > WIDE_RANGE * v->least_positive) {
        *why = "some values are zero, and the others span more than a factor of 1000";
        return IMPORT_LOG_OFFSET;
    }
    *why = "some values are zero, and the others span less than a factor of 1000";
    return IMPORT_LINEAR;
}

/* Bounds of the logarithm or of the value: as given, else a margin outside [low, high]. */
static void bounds(const import_options *o, double low, double high, bool logarithm, double *a, double *b)
{
    const double minimum = isnan(o->minimum) ? low : o->minimum, maximum = isnan(o->maximum) ? high : o->maximum;
    *a = logarithm ? log(minimum) : minimum;
    *b = logarithm ? log(maximum) : maximum;
    const double margin = MARGIN * (*b - *a);
    if (isnan(o->minimum)) *a -= margin;
    if (isnan(o->maximum)) *b += margin;
}

static status name_transform(context *c, const source *s, const survey *v, const import_options *o, maps *m,
                             const char **why)
{
    static const char *const names[] = {"", "log", "log-offset", "linear"};
    *why = "as asked for";
    const import_transform kind = o->transform == IMPORT_AUTO ? choose(v, why) : o->transform;
    if (v->lowest == v->highest && (isnan(o->minimum) || isnan(o->maximum)))
        return context_fail(c, STATUS_DATA,
                            "%s: every pixel is %g: there is nothing to learn; to import them all the same, give "
                            "--minimum and --maximum",
                            s->path, v->lowest);
    if (kind == IMPORT_LOG && (v->lowest <= 0 || o->minimum <= 0))
        return context_fail(c, STATUS_USAGE,
                            "%s: the smallest value is %g, and a logarithm needs positive ones; leave --transform out, "
                            "or say linear%s",
                            s->path, fmin(v->lowest, o->minimum), v->lowest < 0 ? "" : " or log-offset");
    if (kind == IMPORT_LOG_OFFSET && (v->lowest < 0 || o->minimum <= 0))
        return context_fail(c, STATUS_USAGE,
                            "%s: the smallest value is %g: log-offset needs values of 0 and more, and --minimum, its "
                            "offset, positive; say --transform linear",
                            s->path, fmin(v->lowest, o->minimum));
    if (kind == IMPORT_LOG_OFFSET) {
        const double least = fmax(v->least_positive, LEAST_OFFSET * v->highest);
        m->c = isnan(o->minimum) ? least : o->minimum;
        m->a = log(m->c); /* so that zero is −1 exactly */
        m->b = isnan(o->maximum) ? log(v->highest + m->c) + MARGIN * (log(v->highest + m->c) - m->a)
                                 : log(o->maximum + m->c);
    } else {
        bounds(o, v->lowest, v->highest, kind == IMPORT_LOG, &m->a, &m->b);
    }
    if (!(m->a < m->b))
        return context_fail(c, STATUS_USAGE, "%s: --minimum and --maximum must leave an interval: %g to %g is none",
                            s->path, m->a, m->b);
    if (kind == IMPORT_LINEAR && !(m->b - m->a > NARROWEST && m->b - m->a < WIDEST))
        return context_fail(c, STATUS_DATA,
                            "%s: the values span %g, too %s for float32 arithmetic; multiply them by a constant and "
                            "save them again",
                            s->path, m->b - m->a, m->b - m->a > 1 ? "much" : "little");
    snprintf(m->transform, sizeof m->transform, "%s", names[kind]);
    snprintf(m->unit, sizeof m->unit, "particles");
    return STATUS_OK;
}

static void describe(const source *s, const survey *v, const import_options *o, maps *m)
{
    const image_stack *k = s->stack;
    const int longer = k->ny > k->nx ? k->ny : k->nx;
    const char *units = o->units ? o->units : k->units;
    m->count = k->count;
    m->ny = m->nx = s->side;
    m->box_mpc_h = o->box_mpc_h * s->side / longer;
    m->mean = v->sum / ((double)k->count * s->side * s->side);
    m->redshift = NAN;
    m->dims = 2;
    snprintf(m->estimator, sizeof m->estimator, "import");
    snprintf(m->units, sizeof m->units, "%s", units[0] ? units : "pixel value");
}

status import_images(context *c, image_file *f, const char *from, const char *path, const import_options *o,
                     const provenance *p, maps *m, transform_range *range, const char **why)
{
    source s = {.file = f, .path = from, .stack = image_file_stack(f), .channel = o->channel};
    survey v = {.lowest = INFINITY, .highest = -INFINITY, .least_positive = INFINITY};
    transform_shape t;
    h5_file *out = NULL;
    *m = (maps){0};
    *range = (transform_range){0};
    status e = source_begin(c, &s);
    if (!e) e = pass(c, &s, &v, NULL, NULL, NULL);
    if (!e) describe(&s, &v, o, m);
    if (!e) e = name_transform(c, &s, &v, o, m, why);
    if (!e) e = maps_transform_of(c, m, &t);
    if (!e) e = maps_write_begin(c, path, m, p, &out);
    if (!e) e = pass(c, &s, NULL, &t, range, out);
    if (!e) e = h5_finish(c, &out);
    h5_delete(&out);
    memory_delete(&s.read);
    memory_delete(&s.values);
    return e;
}
