#include "io/maps_transform.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LOG "log"
#define LOG_OFFSET "log-offset"
#define LINEAR "linear"
#define OVERDENSITY "overdensity"
#define PARTICLES "particles"

status maps_transform_choose(context *c, const config *cfg, maps *m)
{
    const bool offset = m->dims == 3;
    /* An empty pixel of 3D maps is −1: the lower bound is the offset itself. */
    const char *key = offset ? "maps.offset" : "maps.minimum";
    double low = config_real(cfg, key), high = config_real(cfg, "maps.maximum");
    if (offset && !config_is_set(cfg, "maps.maximum")) high = 2632;
    if (!(low > 0) || !(high > low))
        return context_fail(c, STATUS_USAGE, "maps.maximum = %g must exceed %s = %g, which must be positive", high, key,
                            low);
    m->a = log(low);
    m->b = log(high);
    m->c = offset ? low : 0;
    snprintf(m->transform, sizeof m->transform, "%s", offset ? LOG_OFFSET : LOG);
    snprintf(m->unit, sizeof m->unit, "%s", offset ? PARTICLES : config_text(cfg, "maps.unit"));
    return STATUS_OK;
}

status maps_transform_complete(context *c, const config *cfg, maps *m)
{
    char text[160];
    if (m->transform[0]) return STATUS_OK;
    status s = maps_transform_choose(c, cfg, m);
    if (s) return s;
    maps_transform_text(m, text, sizeof text);
    log_info(c, "the maps name no transform: taking %s", text);
    return STATUS_OK;
}

void maps_transform_inherit(maps *m, const maps *of)
{
    if (m->transform[0]) return;
    memcpy(m->transform, of->transform, sizeof m->transform);
    memcpy(m->unit, of->unit, sizeof m->unit);
    m->a = of->a, m->b = of->b, m->c = of->c;
}

status maps_transform_of(context *c, const maps *m, transform_shape *out)
{
    const bool offset = !strcmp(m->transform, LOG_OFFSET), linear = maps_transform_is_linear(m);
    const bool overdensity = !strcmp(m->unit, OVERDENSITY);
    if (!m->transform[0]) return context_fail(c, STATUS_DATA, "the maps name no transform");
    if (!offset && !linear && strcmp(m->transform, LOG))
        return context_fail(c, STATUS_DATA,
                            "the attribute transform is \"%s\"; known are " LOG ", " LOG_OFFSET " and " LINEAR,
                            m->transform);
    if (m->unit[0] && !overdensity && strcmp(m->unit, PARTICLES))
        return context_fail(c, STATUS_DATA, "the attribute unit is \"%s\"; known are " OVERDENSITY " and " PARTICLES,
                            m->unit);
    *out = (transform_shape){.kind = linear ? TRANSFORM_LINEAR : TRANSFORM_LOG,
                             .a = m->a,
                             .b = m->b,
                             .offset = offset ? m->c : 0,
                             .scale = overdensity ? 1 / m->mean : 1};
    if (!(isfinite(out->a) && isfinite(out->b) && isfinite(out->offset) && out->a < out->b))
        return context_fail(c, STATUS_DATA,
                            "the transform's attributes a = %g, b = %g, c = %g do not bound an interval; a must be "
                            "below b",
                            out->a, out->b, out->offset);
    if (overdensity && !(m->mean > 0 && isfinite(m->mean)))
        return context_fail(c, STATUS_DATA,
                            "the transform takes overdensities, and the attribute mean is %g; it must "
                            "be positive",
                            m->mean);
    return STATUS_OK;
}

bool maps_transform_is_linear(const maps *m)
{
    return !strcmp(m->transform, LINEAR);
}

void maps_transform_text(const maps *m, char *text, size_t size)
{
    const bool linear = maps_transform_is_linear(m), offset = !strcmp(m->transform, LOG_OFFSET);
    const char *unit = !strcmp(m->unit, OVERDENSITY) ? "1 + delta" : m->units[0] ? m->units : "particles per pixel";
    char what[80];
    if (offset)
        snprintf(what, sizeof what, "the logarithm of %s + %.4g", unit, m->c);
    else
        snprintf(what, sizeof what, "%s%s", linear ? "linear in " : "the logarithm of ", unit);
    snprintf(text, size, "%s, %.6g … %.6g to [-1, 1]", what, linear ? m->a : exp(m->a) - (offset ? m->c : 0),
             linear ? m->b : exp(m->b) - (offset ? m->c : 0));
}

bool maps_transform_same(const maps *a, const maps *b)
{
    return !strcmp(a->transform, b->transform) && !strcmp(a->unit, b->unit) && (float)a->a == (float)b->a &&
           (float)a->b == (float)b->b && (float)a->c == (float)b->c;
}
