#include "ops/ref/activation_ref.h"

#include <math.h>

double activation_ref_value(activation f, double leak, double x)
{
    switch (f) {
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_LEAKY:
        return x < 0 ? leak * x : x;
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    default:
        return x;
    }
}

double activation_ref_slope(activation f, double leak, double y)
{
    switch (f) {
    case ACTIVATION_RELU:
        return y > 0 ? 1 : 0;
    case ACTIVATION_LEAKY:
        return signbit(y) ? leak : 1;
    case ACTIVATION_TANH:
        return 1 - y * y;
    case ACTIVATION_SIGMOID:
        return y * (1 - y);
    default:
        return 1;
    }
}

double tree_ref(const double *p, size_t stride, int n)
{
    if (n < 1) return 0;
    if (n == 1) return p[0];
    int left = 1;
    while (2 * left < n) left *= 2;
    return tree_ref(p, stride, left) + tree_ref(p + (size_t)left * stride, stride, n - left);
}

int batching_ref_row(const batching *b, int sample)
{
    int row = 0, in_row = 0;
    for (int s = 0; s < sample; s++) {
        in_row++;
        if (in_row == b->micro || (s + 1) % b->segment == 0) {
            row++;
            in_row = 0;
        }
    }
    return row;
}

void bias_ref_backward(const batching *b, int pixels, int channels, const double *dy, double *db)
{
    for (int c = 0; c < channels; c++) {
        db[c] = 0;
        for (size_t i = 0; i < (size_t)b->n * (size_t)pixels; i++) db[c] += dy[i * (size_t)channels + (size_t)c];
    }
}
