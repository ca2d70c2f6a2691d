#include "ops/ref/transform_ref.h"

#include <math.h>

double transform_ref_forward(const transform_shape *t, double v)
{
    const double w = v * t->scale + t->offset;
    if (t->kind == TRANSFORM_LINEAR) return (2 * w - (t->b + t->a)) / (t->b - t->a);
    return w > 0 ? (2 * log(w) - (t->b + t->a)) / (t->b - t->a) : -1;
}

double transform_ref_inverse(const transform_shape *t, double v)
{
    const double w = (v * (t->b - t->a) + (t->b + t->a)) / 2;
    return ((t->kind == TRANSFORM_LINEAR ? w : exp(w)) - t->offset) / t->scale;
}
