#include "maps/transforms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

status map_transform_of(context *c, const maps *m, map_transform *out)
{
    if (!m->transform[0]) return context_fail(c, STATUS_DATA, "the maps file names no transform");
    *out = (map_transform){m->a, m->b, strcmp(m->transform, "log-offset") ? 0 : m->c,
                           strcmp(m->unit, "overdensity") ? 1 : m->mean};
    return STATUS_OK;
}

status map_transform_choose(context *c, const config *cfg, maps *m)
{
    double minimum = config_real(cfg, "maps.minimum"), maximum = config_real(cfg, "maps.maximum");
    if (m->dims == 3) {
        /* An empty pixel is −1: the lower bound is the offset itself. */
        m->c = config_real(cfg, "maps.offset");
        minimum = m->c;
        if (!config_is_set(cfg, "maps.maximum")) maximum = 2632;
    }
    if (!(minimum > 0) || !(maximum > minimum))
        return context_fail(c, STATUS_USAGE, "maps.maximum = %g must exceed %s = %g, which must be positive", maximum,
                            m->dims == 3 ? "maps.offset" : "maps.minimum", minimum);
    m->a = log(minimum);
    m->b = log(maximum);
    snprintf(m->transform, sizeof m->transform, m->dims == 3 ? "log-offset" : "log");
    snprintf(m->unit, sizeof m->unit, "%s", m->dims == 3 ? "particles" : config_text(cfg, "maps.unit"));
    return STATUS_OK;
}

double map_transform_forward(const map_transform *t, double v)
{
    return (2 * log(v / t->unit + t->c) - (t->b + t->a)) / (t->b - t->a);
}

double map_transform_inverse(const map_transform *t, double v)
{
    return t->unit * (exp((v * (t->b - t->a) + (t->b + t->a)) / 2) - t->c);
}

void map_transform_range(const map_transform *t, const float *values, int64_t count, map_range *out)
{
    /* In the densities themselves: one comparison per pixel, and v = 0 is on the bound, not below it by rounding. */
    const double low = t->c > 0 && t->a == log(t->c) ? 0 : t->unit * (exp(t->a) - t->c);
    const double high = t->unit * (exp(t->b) - t->c);
    double sum = 0;
    *out = (map_range){.pixels = count, .minimum = INFINITY, .maximum = -INFINITY};
    for (int64_t i = 0; i < count; i++) {
        double v = (double)values[i];
        sum += v;
        out->below += v < low;
        out->above += v > high;
        out->minimum = fmin(out->minimum, v);
        out->maximum = fmax(out->maximum, v);
    }
    out->mean = count > 0 ? sum / (double)count : 0;
}
