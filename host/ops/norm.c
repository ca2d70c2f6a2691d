#include "ops/norm.h"

#include <stdio.h>
#include "ops/launch.h"

/* Floats per work-item of an apply kernel on a CPU. */
enum { CPU_FLOATS = 8192 };

/* What every launch here needs: sizes, and the batching of rows (group norm: a row is a sample). */
typedef struct {
    int n, segment, micro, rows;
    int pixels, channels; /* padded */
    int vector, block, chunk;
    size_t part; /* n · channels */
    char options[128];
} plan;

size_t norm_statistics_count(const norm_shape *s, const batching *b)
{
    if (s->kind == NORM_GROUP) return (size_t)b->n * (size_t)s->groups;
    return (size_t)batching_count(b) * (size_t)layout_channels(s->channels);
}

/* Parts of the scratch, each n · channels floats. */
enum { PARTIAL_A, PARTIAL_B, MEAN_A, MEAN_B, WIDE_MEAN, WIDE_RSTD, SCRATCH_PARTS };

size_t norm_scratch_bytes(const norm_shape *s, const batching *b)
{
    return SCRATCH_PARTS * (size_t)b->n * (size_t)layout_channels(s->channels) * sizeof(float);
}

static status check_shape(context *c, const char *what, const norm_shape *s)
{
    if (s->kind != NORM_BATCH && s->kind != NORM_GROUP)
        return context_fail(c, STATUS_USAGE, "%s: norm kind %d has nothing to compute", what, (int)s->kind);
    if (s->pixels < 1 || s->channels < 1)
        return context_fail(c, STATUS_USAGE, "%s: %d pixels of %d channels", what, s->pixels, s->channels);
    if (s->kind == NORM_GROUP && (s->groups < 1 || s->channels % s->groups))
        return context_fail(c, STATUS_USAGE, "%s: %d groups do not divide %d channels", what, s->groups, s->channels);
    if (!(s->epsilon >= 1e-20f && s->epsilon < 1e20f))
        return context_fail(c, STATUS_USAGE, "%s: epsilon %g is not in 1e-20 … 1e20", what, (double)s->epsilon);
    if ((int)s->f < ACTIVATION_NONE || s->f > ACTIVATION_SIGMOID)
        return context_fail(c, STATUS_USAGE, "%s: there is no activation %d", what, (int)s->f);
    return STATUS_OK;
}

static status plan_make(context *c, device *d, const char *what, const norm_shape *s, const batching *b, plan *p)
{
    status r = check_shape(c, what, s);
    if (!r) r = launch_check_batching(c, what, b);
    if (r) return r;
    const bool group = s->kind == NORM_GROUP;
    *p = (plan){.n = b->n,
                .segment = group ? b->n : b->segment,
                .micro = group ? 1 : b->micro,
                .rows = group ? b->n : batching_count(b),
                .pixels = s->pixels,
                .channels = layout_channels(s->channels)};
    p->part = (size_t)p->n * p->channels;
    p->vector = p->channels == 1 ? 1 : launch_vector(d);
    p->block = p->channels == 1 ? 1 : launch_block(d, p->channels);
    p->chunk = launch_batch(d, CPU_FLOATS / (p->vector * p->block));
    if (p->chunk > p->pixels) p->chunk = p->pixels;
    /* ReLU and leaky ReLU need only the sign of their argument, which x gives again. */
    const bool from_y = s->f == ACTIVATION_TANH || s->f == ACTIVATION_SIGMOID;
    const int masked = s->f == ACTIVATION_SIGMOID && p->channels != s->channels ? s->channels : 0;
    snprintf(p->options, sizeof p->options, "-DACTIVATION=%d -DBLOCK=%d -DFROM_Y=%d -DCHANNELS=%d", (int)s->f, p->block,
             from_y, masked);
    return STATUS_OK;
}

static size_t sum_items(const plan *p)
{
    return (size_t)p->n * (p->channels / (p->vector * p->block));
}

static size_t apply_items(const plan *p)
{
    return sum_items(p) * ((p->pixels + p->chunk - 1) / p->chunk);
}

#define RUN(entry, items, ...)                                                                                         \
    launch_run(c, d, "norm", entry, p->options, p->vector, items, KERNEL_ARGUMENTS(__VA_ARGS__))
#define BATCHING_OF(p) ARG_INT((p)->n), ARG_INT((p)->segment), ARG_INT((p)->micro)
#define PLANE_OF(p) ARG_INT((p)->pixels), ARG_INT((p)->channels)

#define PART(p, i) ARG_ULONG((p)->part *(size_t)(i))

/* Mean and rstd as the heavy kernels read them: batch norm's own, group norm's spread over the channels in the scratch.
 */
typedef struct {
    buffer *mean, *rstd;
    size_t mean_at, rstd_at;
} rows_of;

static rows_of rows_find(const norm_shape *s, const plan *p, buffer *mean, buffer *rstd, buffer *scratch)
{
    if (s->kind == NORM_BATCH) return (rows_of){mean, rstd, 0, 0};
    return (rows_of){scratch, scratch, p->part * WIDE_MEAN, p->part * WIDE_RSTD};
}

/* One statistic (0: the mean, 1: rstd) from the partial sums. */
static status statistic(context *c, device *d, const norm_shape *s, const plan *p, int inverse, buffer *scratch,
                        buffer *out)
{
    if (s->kind == NORM_BATCH)
        return RUN("norm_batch_statistic", (size_t)p->rows * (p->channels / p->vector), ARG_BUFFER(scratch),
                   PART(p, PARTIAL_A), ARG_BUFFER(out), BATCHING_OF(p), PLANE_OF(p), ARG_INT(inverse),
                   ARG_FLOAT(s->epsilon));
    return RUN("norm_group_statistic", (size_t)p->n * s->groups, ARG_BUFFER(scratch), PART(p, PARTIAL_A),
               PART(p, inverse ? WIDE_RSTD : WIDE_MEAN), ARG_BUFFER(out), ARG_INT(p->n), PLANE_OF(p),
               ARG_INT(s->groups), ARG_INT(s->channels / s->groups), ARG_INT(inverse), ARG_FLOAT(s->epsilon));
}

status norm_forward(context *c, device *d, const norm_shape *s, const batching *b, buffer *x, buffer *gamma,
                    buffer *beta, buffer *mean, buffer *rstd, buffer *scratch, buffer *y)
{
    const char *what = "norm_forward";
    plan made, *p = &made;
    status r = plan_make(c, d, what, s, b, p);
    if (r) return r;
    r = launch_check(c, what, "x", x, p->part * p->pixels);
    if (!r) r = launch_check(c, what, "y", y, p->part * p->pixels);
    if (!r) r = launch_check(c, what, "gamma", gamma, p->channels);
    if (!r) r = launch_check(c, what, "beta", beta, p->channels);
    if (!r) r = launch_check(c, what, "mean", mean, norm_statistics_count(s, b));
    if (!r) r = launch_check(c, what, "rstd", rstd, norm_statistics_count(s, b));
    if (!r) r = launch_check(c, what, "scratch", scratch, p->part * SCRATCH_PARTS);
    const rows_of w = rows_find(s, p, mean, rstd, scratch);
    for (int pass = 0; pass < 2 && !r; pass++) {
        r = RUN("norm_sums", sum_items(p), ARG_BUFFER(x), ARG_BUFFER(w.mean), ARG_ULONG(w.mean_at), ARG_BUFFER(scratch),
                PART(p, PARTIAL_A), BATCHING_OF(p), PLANE_OF(p), ARG_INT(pass));
        if (!r) r = statistic(c, d, s, p, pass, scratch, pass ? rstd : mean);
    }
    if (r) return r;
    return RUN("norm_apply", apply_items(p), ARG_BUFFER(x), ARG_BUFFER(gamma), ARG_BUFFER(beta), ARG_BUFFER(w.mean),
               ARG_ULONG(w.mean_at), ARG_BUFFER(w.rstd), ARG_ULONG(w.rstd_at), ARG_BUFFER(y), BATCHING_OF(p),
               PLANE_OF(p), ARG_INT(p->chunk), ARG_FLOAT(s->leak));
}

static status plan_frozen(context *c, device *d, const char *what, const norm_shape *s, int n, plan *p)
{
    const batching whole = {.n = n, .segment = n, .micro = n};
    if (s->kind != NORM_BATCH)
        return context_fail(c, STATUS_USAGE, "%s: running statistics belong to batch normalisation only", what);
    return plan_make(c, d, what, s, &whole, p);
}

status norm_forward_frozen(context *c, device *d, const norm_shape *s, int n, buffer *x, buffer *gamma, buffer *beta,
                           buffer *running_mean, buffer *running_var, buffer *y)
{
    const char *what = "norm_forward_frozen";
    plan made, *p = &made;
    status r = plan_frozen(c, d, what, s, n, p);
    if (r) return r;
    r = launch_check(c, what, "x", x, p->part * p->pixels);
    if (!r) r = launch_check(c, what, "y", y, p->part * p->pixels);
    if (!r) r = launch_check(c, what, "gamma", gamma, p->channels);
    if (!r) r = launch_check(c, what, "beta", beta, p->channels);
    if (!r) r = launch_check(c, what, "running mean", running_mean, p->channels);
    if (!r) r = launch_check(c, what, "running variance", running_var, p->channels);
    if (r) return r;
    return RUN("norm_apply_frozen", apply_items(p), ARG_BUFFER(x), ARG_BUFFER(gamma), ARG_BUFFER(beta),
               ARG_BUFFER(running_mean), ARG_BUFFER(running_var), ARG_BUFFER(y), ARG_INT(n), PLANE_OF(p),
               ARG_INT(p->chunk), ARG_FLOAT(s->epsilon), ARG_FLOAT(s->leak));
}

/* Sums over pixels and samples, the coefficients A and B of dx, and the gradients of gamma and beta. */
static status backward_reduce(context *c, device *d, const norm_shape *s, const batching *b, const plan *p,
                              const rows_of *w, buffer *x, buffer *y, buffer *dy, buffer *gamma, buffer *beta,
                              buffer *scratch, buffer *dgamma, buffer *dbeta)
{
    status r = RUN("norm_backward_sums", sum_items(p), ARG_BUFFER(x), ARG_BUFFER(y), ARG_BUFFER(dy), ARG_BUFFER(gamma),
                   ARG_BUFFER(beta), ARG_BUFFER(w->mean), ARG_ULONG(w->mean_at), ARG_BUFFER(w->rstd),
                   ARG_ULONG(w->rstd_at), ARG_BUFFER(scratch), PART(p, PARTIAL_A), PART(p, PARTIAL_B), BATCHING_OF(p),
                   PLANE_OF(p), ARG_FLOAT(s->leak));
    if (!r && dgamma)
        r = RUN("norm_gradients", (size_t)(p->channels / p->vector), ARG_BUFFER(scratch), PART(p, PARTIAL_A),
                PART(p, PARTIAL_B), PART(p, MEAN_A), PART(p, MEAN_B), ARG_BUFFER(gamma), ARG_BUFFER(dgamma),
                ARG_BUFFER(dbeta), ARG_INT(b->n), ARG_INT(b->segment), ARG_INT(b->micro), PLANE_OF(p),
                ARG_INT(s->kind == NORM_BATCH));
    if (!r && s->kind == NORM_GROUP)
        r = RUN("norm_group_coefficients", (size_t)p->n * s->groups, ARG_BUFFER(scratch), PART(p, PARTIAL_A),
                PART(p, PARTIAL_B), PART(p, MEAN_A), PART(p, MEAN_B), ARG_BUFFER(gamma), ARG_INT(p->n), PLANE_OF(p),
                ARG_INT(s->groups), ARG_INT(s->channels / s->groups));
    return r;
}

/* Group norm: mean and rstd of (sample, group) spread over the channels into the scratch. */
static status spread(context *c, device *d, const norm_shape *s, const plan *p, buffer *mean, buffer *rstd,
                     buffer *scratch)
{
    status r = STATUS_OK;
    for (int i = 0; i < 2 && !r; i++)
        r = RUN("norm_group_spread", p->part, ARG_BUFFER(i ? rstd : mean), ARG_BUFFER(scratch),
                PART(p, i ? WIDE_RSTD : WIDE_MEAN), ARG_INT(p->n), ARG_INT(p->channels), ARG_INT(s->groups),
                ARG_INT(s->channels / s->groups));
    return r;
}

status norm_backward(context *c, device *d, const norm_shape *s, const batching *b, buffer *x, buffer *y, buffer *dy,
                     buffer *gamma, buffer *beta, buffer *mean, buffer *rstd, buffer *scratch, buffer *dx,
                     buffer *dgamma, buffer *dbeta)
{
    const char *what = "norm_backward";
    plan made, *p = &made;
    status r = plan_make(c, d, what, s, b, p);
    if (r) return r;
    struct {
        const char *name;
        buffer *b;
        size_t floats;
    } needed[] = {{"x", x, p->part * p->pixels},
                  {"y", y, p->part * p->pixels},
                  {"dy", dy, p->part * p->pixels},
                  {"dx", dx, p->part * p->pixels},
                  {"gamma", gamma, p->channels},
                  {"beta", beta, p->channels},
                  {"mean", mean, norm_statistics_count(s, b)},
                  {"rstd", rstd, norm_statistics_count(s, b)},
                  {"scratch", scratch, p->part * SCRATCH_PARTS},
                  {"dgamma", dgamma, p->channels},
                  {"dbeta", dbeta, p->channels}};
    const bool data_only = s->kind == NORM_GROUP && !dgamma && !dbeta;
    const size_t buffers = sizeof needed / sizeof needed[0] - (data_only ? 2 : 0);
    for (size_t i = 0; i < buffers && !r; i++) r = launch_check(c, what, needed[i].name, needed[i].b, needed[i].floats);
    if (!r && s->kind == NORM_GROUP) r = spread(c, d, s, p, mean, rstd, scratch);
    const rows_of w = rows_find(s, p, mean, rstd, scratch);
    if (!r) r = backward_reduce(c, d, s, b, p, &w, x, y, dy, gamma, beta, scratch, dgamma, dbeta);
    if (r) return r;
    return RUN("norm_backward_apply", apply_items(p), ARG_BUFFER(x), ARG_BUFFER(y), ARG_BUFFER(dy), ARG_BUFFER(gamma),
               ARG_BUFFER(beta), ARG_BUFFER(w.mean), ARG_ULONG(w.mean_at), ARG_BUFFER(w.rstd), ARG_ULONG(w.rstd_at),
               ARG_BUFFER(scratch), PART(p, MEAN_A), PART(p, MEAN_B), ARG_BUFFER(dx), BATCHING_OF(p), PLANE_OF(p),
               ARG_INT(p->chunk), ARG_FLOAT(s->leak));
}

status norm_backward_frozen(context *c, device *d, const norm_shape *s, int n, buffer *y, buffer *dy, buffer *gamma,
                            buffer *running_var, buffer *dx)
{
    const char *what = "norm_backward_frozen";
    plan made, *p = &made;
    status r = plan_frozen(c, d, what, s, n, p);
    if (r) return r;
    r = launch_check(c, what, "y", y, p->part * p->pixels);
    if (!r) r = launch_check(c, what, "dy", dy, p->part * p->pixels);
    if (!r) r = launch_check(c, what, "dx", dx, p->part * p->pixels);
    if (!r) r = launch_check(c, what, "gamma", gamma, p->channels);
    if (!r) r = launch_check(c, what, "running variance", running_var, p->channels);
    if (r) return r;
    return RUN("norm_backward_frozen", apply_items(p), ARG_BUFFER(y), ARG_BUFFER(dy), ARG_BUFFER(gamma),
               ARG_BUFFER(running_var), ARG_BUFFER(dx), ARG_INT(n), PLANE_OF(p), ARG_INT(p->chunk),
               ARG_FLOAT(s->epsilon), ARG_FLOAT(s->leak));
}

status norm_running_update(context *c, device *d, const norm_shape *s, const batching *b, float momentum, buffer *mean,
                           buffer *rstd, buffer *running_mean, buffer *running_var)
{
    const char *what = "norm_running_update";
    plan made, *p = &made;
    if (s->kind != NORM_BATCH)
        return context_fail(c, STATUS_USAGE, "%s: running statistics belong to batch normalisation only", what);
    status r = plan_make(c, d, what, s, b, p);
    if (r) return r;
    r = launch_check(c, what, "mean", mean, norm_statistics_count(s, b));
    if (!r) r = launch_check(c, what, "rstd", rstd, norm_statistics_count(s, b));
    if (!r) r = launch_check(c, what, "running mean", running_mean, p->channels);
    if (!r) r = launch_check(c, what, "running variance", running_var, p->channels);
    if (r) return r;
    return RUN("norm_running", (size_t)(p->channels / p->vector), ARG_BUFFER(mean), ARG_BUFFER(rstd),
               ARG_BUFFER(running_mean), ARG_BUFFER(running_var), BATCHING_OF(p), PLANE_OF(p), ARG_FLOAT(s->epsilon),
               ARG_FLOAT(momentum), ARG_FLOAT(1.0f - momentum));
}
