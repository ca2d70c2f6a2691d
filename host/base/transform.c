#include "base/transform.h"

#include <math.h>

/* What the rounding of float32 may move a value that lies on a bound; of the value (log) or of the interval (linear).
 */
static const double HAIR = 1e-6;

bool transform_zero_is_lowest(const transform_shape *t)
{
    return t->kind == TRANSFORM_LOG && t->offset > 0 && fabs(log(t->offset) - t->a) <= fabs(t->a) * 0x1p-21;
}

double transform_to(const transform_shape *t, double v)
{
    double w = v * t->scale + t->offset;
    if (t->kind == TRANSFORM_LOG) {
        if (w <= 0 || (v == 0 && transform_zero_is_lowest(t))) return -1;
        w = log(w);
    }
    return ((w - t->a) + (w - t->b)) / (t->b - t->a);
}

double transform_from(const transform_shape *t, double v)
{
    if (v == -1 && transform_zero_is_lowest(t)) return 0;
    const double w = (v * (t->b - t->a) + (t->b + t->a)) / 2;
    return ((t->kind == TRANSFORM_LOG ? exp(w) : w) - t->offset) / t->scale;
}

void transform_range_add(transform_range *r, const transform_shape *t, const float *values, int64_t count)
{
    const bool linear = t->kind == TRANSFORM_LINEAR;
    const double low = linear ? t->a - HAIR * (t->b - t->a) : exp(t->a) * (1 - HAIR);
    const double high = linear ? t->b + HAIR * (t->b - t->a) : exp(t->b) * (1 + HAIR);
    if (r->pixels == 0 && count > 0) r->lowest = r->highest = values[0];
    for (int64_t i = 0; i < count; i++) {
        const double v = values[i], w = v * t->scale + t->offset;
        r->below += w < low;
        r->above += w > high;
        r->lowest = fmin(r->lowest, v);
        r->highest = fmax(r->highest, v);
        r->sum += v;
    }
    r->pixels += count;
}
