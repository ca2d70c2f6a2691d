#include "ops/ref/norm_ref.h"

#include <math.h>
#include "ops/ref/activation_ref.h"

/* A set of values that share statistics: samples first … end − 1, channels from … to − 1. */
typedef struct {
    int first, end, from, to;
} set;

static int sets_count(const norm_shape *s, const batching *b)
{
    return s->kind == NORM_BATCH ? batching_count(b) * s->channels : b->n * s->groups;
}

static set set_find(const norm_shape *s, const batching *b, int i)
{
    if (s->kind == NORM_GROUP) {
        const int size = s->channels / s->groups, g = i % s->groups;
        return (set){i / s->groups, i / s->groups + 1, g * size, (g + 1) * size};
    }
    const int row = i / s->channels, c = i % s->channels;
    set t = {-1, 0, c, c + 1};
    for (int k = 0; k < b->n; k++)
        if (batching_ref_row(b, k) == row) {
            if (t.first < 0) t.first = k;
            t.end = k + 1;
        }
    return t;
}

/* Where the set's statistics lie. */
static size_t set_at(const norm_shape *s, int i)
{
    if (s->kind == NORM_GROUP) return (size_t)i;
    return (size_t)(i / s->channels) * (size_t)layout_channels(s->channels) + (size_t)(i % s->channels);
}

static size_t index_of(const norm_shape *s, int sample, int pixel, int c)
{
    return ((size_t)sample * (size_t)s->pixels + (size_t)pixel) * (size_t)layout_channels(s->channels) + (size_t)c;
}

#define EACH_IN(t)                                                                                                     \
    for (int n_ = (t).first; n_ < (t).end; n_++)                                                                       \
        for (int p_ = 0; p_ < s->pixels; p_++)                                                                         \
            for (int c_ = (t).from; c_ < (t).to; c_++)
#define HERE index_of(s, n_, p_, c_)

static double set_size(const norm_shape *s, const set *t)
{
    return (double)(t->end - t->first) * s->pixels * (t->to - t->from);
}

static void zero_all(const norm_shape *s, int n, double *y)
{
    for (size_t i = 0; i < (size_t)n * (size_t)s->pixels * (size_t)layout_channels(s->channels); i++) y[i] = 0;
}

void norm_ref_forward(const norm_shape *s, const batching *b, const double *x, const double *gamma, const double *beta,
                      double *mean, double *rstd, double *y)
{
    const size_t statistics = norm_statistics_count(s, b);
    zero_all(s, b->n, y);
    for (size_t i = 0; i < statistics; i++) {
        mean[i] = 0; /* what padded channels give */
        rstd[i] = 1 / sqrt(s->epsilon);
    }
    for (int i = 0; i < sets_count(s, b); i++) {
        const set t = set_find(s, b, i);
        double m = 0, v = 0;
        EACH_IN(t) m += x[HERE];
        m /= set_size(s, &t);
        EACH_IN(t) v += (x[HERE] - m) * (x[HERE] - m);
        const double r = 1 / sqrt(v / set_size(s, &t) + s->epsilon);
        mean[set_at(s, i)] = m;
        rstd[set_at(s, i)] = r;
        EACH_IN(t) y[HERE] = activation_ref_value(s->f, s->leak, gamma[c_] * ((x[HERE] - m) * r) + beta[c_]);
    }
}

void norm_ref_backward(const norm_shape *s, const batching *b, const double *x, const double *y, const double *dy,
                       const double *gamma, const double *mean, const double *rstd, double *dx, double *dgamma,
                       double *dbeta)
{
    zero_all(s, b->n, dx);
    for (int c = 0; c < layout_channels(s->channels); c++) dgamma[c] = dbeta[c] = 0;
    for (int i = 0; i < sets_count(s, b); i++) {
        const set t = set_find(s, b, i);
        const double m = mean[set_at(s, i)], r = rstd[set_at(s, i)], size = set_size(s, &t);
        double a = 0, ax = 0;
        EACH_IN(t)
        {
            const double g = dy[HERE] * activation_ref_slope(s->f, s->leak, y[HERE]), xhat = (x[HERE] - m) * r;
            dbeta[c_] += g;
            dgamma[c_] += g * xhat;
            a += gamma[c_] * g;
            ax += gamma[c_] * g * xhat;
        }
        EACH_IN(t)
        {
            const double g = dy[HERE] * activation_ref_slope(s->f, s->leak, y[HERE]), xhat = (x[HERE] - m) * r;
            dx[HERE] = r * (gamma[c_] * g - a / size - xhat * ax / size);
        }
    }
}

void norm_ref_forward_frozen(const norm_shape *s, int n, const double *x, const double *gamma, const double *beta,
                             const double *running_mean, const double *running_var, double *y)
{
    const set t = {0, n, 0, s->channels};
    zero_all(s, n, y);
    EACH_IN(t)
    y[HERE] = activation_ref_value(
        s->f, s->leak, gamma[c_] * (x[HERE] - running_mean[c_]) / sqrt(running_var[c_] + s->epsilon) + beta[c_]);
}

void norm_ref_backward_frozen(const norm_shape *s, int n, const double *y, const double *dy, const double *gamma,
                              const double *running_var, double *dx)
{
    const set t = {0, n, 0, s->channels};
    zero_all(s, n, dx);
    EACH_IN(t)
    dx[HERE] = dy[HERE] * activation_ref_slope(s->f, s->leak, y[HERE]) * gamma[c_] / sqrt(running_var[c_] + s->epsilon);
}

void norm_ref_running_update(const norm_shape *s, const batching *b, double momentum, const double *mean,
                             const double *rstd, double *running_mean, double *running_var)
{
    const int rows = batching_count(b), padded = layout_channels(s->channels);
    for (int c = 0; c < padded; c++) {
        double m = 0, v = 0;
        for (int row = 0; row < rows; row++) {
            const size_t at = (size_t)row * (size_t)padded + (size_t)c;
            int samples = 0;
            for (int k = 0; k < b->n; k++) samples += batching_ref_row(b, k) == row;
            const double count = (double)samples * s->pixels, biased = 1 / (rstd[at] * rstd[at]) - s->epsilon;
            m += mean[at] / rows;
            v += fmax(biased, 0) * (count > 1 ? count / (count - 1) : 1) / rows;
        }
        running_mean[c] = (1 - momentum) * running_mean[c] + momentum * m;
        running_var[c] = (1 - momentum) * running_var[c] + momentum * v;
    }
}
