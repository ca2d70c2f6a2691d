#include "ops/ref/dense_ref.h"

void dense_ref_forward(const dense_shape *s, int n, const double *x, const double *w, const double *bias, double *y)
{
    const size_t in = (size_t)layout_channels(s->in), out = (size_t)layout_channels(s->out);
    for (size_t i = 0; i < (size_t)n; i++)
        for (size_t o = 0; o < out; o++) {
            double sum = bias ? bias[o] : 0;
            for (size_t k = 0; k < in; k++) sum += x[i * in + k] * w[k * out + o];
            y[i * out + o] = sum;
        }
}

void dense_ref_backward_data(const dense_shape *s, int n, const double *dy, const double *w, double *dx)
{
    const size_t in = (size_t)layout_channels(s->in), out = (size_t)layout_channels(s->out);
    for (size_t i = 0; i < (size_t)n; i++)
        for (size_t k = 0; k < in; k++) {
            double sum = 0;
            for (size_t o = 0; o < out; o++) sum += dy[i * out + o] * w[k * out + o];
            dx[i * in + k] = sum;
        }
}

void dense_ref_backward_weights(const dense_shape *s, int n, const double *x, const double *dy, double *dw)
{
    const size_t in = (size_t)layout_channels(s->in), out = (size_t)layout_channels(s->out);
    for (size_t k = 0; k < in; k++)
        for (size_t o = 0; o < out; o++) {
            double sum = 0;
            for (size_t i = 0; i < (size_t)n; i++) sum += x[i * in + k] * dy[i * out + o];
            dw[k * out + o] = sum;
        }
}
