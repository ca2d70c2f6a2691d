#include "ops/ref/transform_ref.h"

#include <math.h>

double transform_ref_forward(const transform_shape *t, double v)
{
    const double a = t->a, b = t->b, w = v * t->scale + t->offset;
    return w > 0 ? (2 * log(w) - (b + a)) / (b - a) : -1;
}

double transform_ref_inverse(const transform_shape *t, double v)
{
    const double a = t->a, b = t->b;
    return (exp((v * (b - a) + (b + a)) / 2) - t->offset) / t->scale;
}
