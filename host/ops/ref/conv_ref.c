#include "ops/ref/conv_ref.h"

#include <string.h>

/* Calls visit for every triple that the convolution joins: output pixel o, input pixel i and tap, as indices of pixels
 * of the whole batch. */
typedef struct {
    int ci, co;
    const double *x, *y, *w;
    double *to; /* what is added to */
} operands;

static void visit_all(const conv_shape *s, int n, const operands *v,
                      void (*visit)(const operands *v, size_t i, size_t o, size_t tap))
{
    for (int b = 0; b < n; b++)
        for (int oy = 0; oy < s->oh; oy++)
            for (int ox = 0; ox < s->ow; ox++)
                for (int ky = 0; ky < s->kernel; ky++)
                    for (int kx = 0; kx < s->kernel; kx++) {
                        const int iy = oy * s->stride - s->pad + ky, ix = ox * s->stride - s->pad + kx;
                        if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w) continue;
                        visit(v, ((size_t)b * (size_t)s->h + (size_t)iy) * (size_t)s->w + (size_t)ix,
                              ((size_t)b * (size_t)s->oh + (size_t)oy) * (size_t)s->ow + (size_t)ox,
                              (size_t)ky * (size_t)s->kernel + (size_t)kx);
                    }
}

static void add_forward(const operands *v, size_t i, size_t o, size_t tap)
{
    const size_t ci = (size_t)v->ci, co = (size_t)v->co;
    for (size_t a = 0; a < ci; a++)
        for (size_t b = 0; b < co; b++) v->to[o * co + b] += v->x[i * ci + a] * v->w[(tap * ci + a) * co + b];
}

static void add_backward(const operands *v, size_t i, size_t o, size_t tap)
{
    const size_t ci = (size_t)v->ci, co = (size_t)v->co;
    for (size_t a = 0; a < ci; a++)
        for (size_t b = 0; b < co; b++) v->to[i * ci + a] += v->y[o * co + b] * v->w[(tap * ci + a) * co + b];
}

static void add_weights(const operands *v, size_t i, size_t o, size_t tap)
{
    const size_t ci = (size_t)v->ci, co = (size_t)v->co;
    for (size_t a = 0; a < ci; a++)
        for (size_t b = 0; b < co; b++) v->to[(tap * ci + a) * co + b] += v->x[i * ci + a] * v->y[o * co + b];
}

static void fill_bias(double *to, size_t pixels, size_t channels, const double *bias)
{
    for (size_t p = 0; p < pixels; p++)
        for (size_t k = 0; k < channels; k++) to[p * channels + k] = bias ? bias[k] : 0;
}

void conv_ref_forward(const conv_shape *s, int n, const double *x, const double *w, const double *bias, double *y)
{
    const operands v = {.ci = layout_channels(s->ci), .co = layout_channels(s->co), .x = x, .w = w, .to = y};
    fill_bias(y, (size_t)n * (size_t)s->oh * (size_t)s->ow, (size_t)v.co, bias);
    visit_all(s, n, &v, add_forward);
}

void conv_ref_backward_data(const conv_shape *s, int n, const double *y, const double *w, const double *bias, double *x)
{
    const operands v = {.ci = layout_channels(s->ci), .co = layout_channels(s->co), .y = y, .w = w, .to = x};
    fill_bias(x, (size_t)n * (size_t)s->h * (size_t)s->w, (size_t)v.ci, bias);
    visit_all(s, n, &v, add_backward);
}

void conv_ref_backward_weights(const conv_shape *s, int n, const double *x, const double *y, double *dw)
{
    const operands v = {.ci = layout_channels(s->ci), .co = layout_channels(s->co), .x = x, .y = y, .to = dw};
    memset(dw, 0, sizeof *dw * conv_weight_count(s));
    visit_all(s, n, &v, add_weights);
}
