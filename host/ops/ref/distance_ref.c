#include "ops/ref/distance_ref.h"

#include <math.h>

double distance_ref(const float *a, const float *b, int64_t pixels, double floor)
{
    double sum = 0;
    for (int64_t i = 0; i < pixels; i++) {
        const double d = log(fmax(a[i], floor)) - log(fmax(b[i], floor));
        sum += d * d;
    }
    return sqrt(sum / (double)pixels);
}
