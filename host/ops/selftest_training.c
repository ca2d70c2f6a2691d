/* Checks of normalisation, losses and Adam. EPS is half an ulp of 1. */
#include "ops/selftest_checks.h"

#include <math.h>
#include "ops/adam.h"
#include "ops/loss.h"
#include "ops/ref/activation_ref.h"
#include "ops/ref/adam_ref.h"
#include "ops/ref/loss_ref.h"
#include "ops/ref/norm_ref.h"

#define EPS 0x1p-24
#define TINY 0x1p-100

/* ---- normalisation --------------------------------------------------------------------------------------------------
 */

typedef struct {
    size_t n, channels, statistics; /* floats of x, of gamma, of mean */
    float *x, *dy, *gamma, *beta, *y, *mean, *rstd;
    buffer *bx, *bdy, *bgamma, *bbeta, *bmean, *brstd, *scratch, *by, *bdx, *dgamma, *dbeta;
} norm_arrays;

static norm_arrays norm_make(selftest *t, const norm_shape *s, const batching *b)
{
    norm_arrays a = {.channels = (size_t)layout_channels(s->channels), .statistics = norm_statistics_count(s, b)};
    const size_t rows = (size_t)b->n * (size_t)s->pixels;
    a.n = rows * a.channels;
    a.x = selftest_padded(t, rows, s->channels, -1, 2);
    a.dy = selftest_padded(t, rows, s->channels, -1, 1);
    a.gamma = selftest_padded(t, 1, s->channels, .5, 1.5);
    a.beta = selftest_padded(t, 1, s->channels, -.5, .5);
    a.bx = selftest_upload(t, "x", a.x, a.n);
    a.bdy = selftest_upload(t, "dy", a.dy, a.n);
    a.bgamma = selftest_upload(t, "gamma", a.gamma, a.channels);
    a.bbeta = selftest_upload(t, "beta", a.beta, a.channels);
    a.bmean = selftest_output(t, "mean", a.statistics);
    a.brstd = selftest_output(t, "rstd", a.statistics);
    a.scratch = selftest_output(t, "scratch", norm_scratch_bytes(s, b) / 4);
    a.by = selftest_output(t, "y", a.n);
    a.bdx = selftest_output(t, "dx", a.n);
    a.dgamma = selftest_output(t, "dgamma", a.channels);
    a.dbeta = selftest_output(t, "dbeta", a.channels);
    return a;
}

/* Statistics of P values a sample carry about sqrt(P)/3 EPS, whatever the number of samples. */
static void norm_check_forward(selftest *t, const norm_shape *s, const batching *b, norm_arrays *a)
{
    selftest_start(t);
    if (!t->s) t->s = norm_forward(t->c, t->d, s, b, a->bx, a->bgamma, a->bbeta, a->bmean, a->brstd, a->scratch, a->by);
    selftest_stop(t);
    double *x = selftest_widen(t, a->x, a->n), *gamma = selftest_widen(t, a->gamma, a->channels);
    double *beta = selftest_widen(t, a->beta, a->channels), *mean = selftest_doubles(t, a->statistics);
    double *rstd = selftest_doubles(t, a->statistics), *y = selftest_doubles(t, a->n);
    if (t->s) return;
    norm_ref_forward(s, b, x, gamma, beta, mean, rstd, y);
    const double bound = (12 + sqrt(s->pixels)) * EPS;
    selftest_compare(t, "norm_forward", a->by, y, a->n, -1, bound);
    selftest_compare(t, "norm_forward mean", a->bmean, mean, a->statistics, -1, bound);
    selftest_compare(t, "norm_forward rstd", a->brstd, rstd, a->statistics, TINY, bound);
}

static void norm_check_backward(selftest *t, const norm_shape *s, const batching *b, norm_arrays *a)
{
    selftest_start(t);
    if (!t->s)
        t->s = norm_backward(t->c, t->d, s, b, a->bx, a->by, a->bdy, a->bgamma, a->bbeta, a->bmean, a->brstd,
                             a->scratch, a->bdx, a->dgamma, a->dbeta);
    selftest_stop(t);
    /* The oracle goes back from the device's own y and statistics. */
    double *x = selftest_widen(t, a->x, a->n), *dy = selftest_widen(t, a->dy, a->n);
    double *gamma = selftest_widen(t, a->gamma, a->channels);
    double *y = selftest_widen(t, selftest_download(t, a->by, a->n), a->n);
    double *mean = selftest_widen(t, selftest_download(t, a->bmean, a->statistics), a->statistics);
    double *rstd = selftest_widen(t, selftest_download(t, a->brstd, a->statistics), a->statistics);
    double *dx = selftest_doubles(t, a->n), *dgamma = selftest_doubles(t, a->channels);
    double *dbeta = selftest_doubles(t, a->channels);
    if (t->s) return;
    norm_ref_backward(s, b, x, y, dy, gamma, mean, rstd, dx, dgamma, dbeta);
    const double sums = (16 + sqrt((double)b->n * s->pixels)) * EPS;
    selftest_compare(t, "norm_backward", a->bdx, dx, a->n, -1, (16 + 2 * sqrt(s->pixels)) * EPS);
    selftest_compare(t, "norm_backward dgamma", a->dgamma, dgamma, a->channels, -1, sums);
    selftest_compare(t, "norm_backward dbeta", a->dbeta, dbeta, a->channels, -1, sums);
}

static void norm_check_running(selftest *t, const norm_shape *s, const batching *b, norm_arrays *a)
{
    const float momentum = .1f;
    float *old_mean = selftest_padded(t, 1, s->channels, -1, 1), *old_var = selftest_padded(t, 1, s->channels, .5, 2);
    buffer *running_mean = selftest_upload(t, "running mean", old_mean, a->channels);
    buffer *running_var = selftest_upload(t, "running variance", old_var, a->channels);
    selftest_start(t);
    if (!t->s) t->s = norm_running_update(t->c, t->d, s, b, momentum, a->bmean, a->brstd, running_mean, running_var);
    selftest_stop(t);
    double *mean = selftest_widen(t, selftest_download(t, a->bmean, a->statistics), a->statistics);
    double *rstd = selftest_widen(t, selftest_download(t, a->brstd, a->statistics), a->statistics);
    double *want_mean = selftest_widen(t, old_mean, a->channels), *want_var = selftest_widen(t, old_var, a->channels);
    if (t->s) return;
    norm_ref_running_update(s, b, momentum, mean, rstd, want_mean, want_var);
    selftest_compare(t, "norm_running_update", running_mean, want_mean, a->channels, -1, 8 * EPS);
    selftest_compare(t, "norm_running_update", running_var, want_var, a->channels, -1, 16 * EPS);
}

void check_norm(selftest *t, const norm_shape *s, const batching *b)
{
    norm_arrays a = norm_make(t, s, b);
    selftest_size(t, "%s, n %d (%d, %d), %d px, %d ch, f %d", s->kind == NORM_BATCH ? "batch" : "group", b->n,
                  b->segment, b->micro, s->pixels, s->channels, (int)s->f);
    norm_check_forward(t, s, b, &a);
    norm_check_backward(t, s, b, &a);
    if (s->kind == NORM_BATCH) norm_check_running(t, s, b, &a);
    if (!t->s) selftest_release(t);
}

void check_norm_frozen(selftest *t, const norm_shape *s, int n)
{
    const batching whole = {.n = n, .segment = n, .micro = n};
    norm_arrays a = norm_make(t, s, &whole);
    float *mean = selftest_padded(t, 1, s->channels, -1, 1), *var = selftest_padded(t, 1, s->channels, .5, 2);
    buffer *bmean = selftest_upload(t, "running mean", mean, a.channels);
    buffer *bvar = selftest_upload(t, "running variance", var, a.channels);
    selftest_size(t, "n %d, %d px, %d ch, f %d", n, s->pixels, s->channels, (int)s->f);
    selftest_start(t);
    if (!t->s) t->s = norm_forward_frozen(t->c, t->d, s, n, a.bx, a.bgamma, a.bbeta, bmean, bvar, a.by);
    selftest_stop(t);
    double *x = selftest_widen(t, a.x, a.n), *dy = selftest_widen(t, a.dy, a.n), *want = selftest_doubles(t, a.n);
    double *gamma = selftest_widen(t, a.gamma, a.channels), *beta = selftest_widen(t, a.beta, a.channels);
    double *wide_mean = selftest_widen(t, mean, a.channels), *wide_var = selftest_widen(t, var, a.channels);
    if (t->s) return;
    norm_ref_forward_frozen(s, n, x, gamma, beta, wide_mean, wide_var, want);
    selftest_compare(t, "norm_forward_frozen", a.by, want, a.n, -1, 10 * EPS);
    double *y = selftest_widen(t, selftest_download(t, a.by, a.n), a.n);
    selftest_start(t);
    if (!t->s) t->s = norm_backward_frozen(t->c, t->d, s, n, a.by, a.bdy, a.bgamma, bvar, a.bdx);
    selftest_stop(t);
    if (t->s) return;
    norm_ref_backward_frozen(s, n, y, dy, gamma, wide_var, want);
    selftest_compare(t, "norm_backward_frozen", a.bdx, want, a.n, TINY, 8 * EPS);
    selftest_release(t);
}

void family_norm(selftest *t)
{
    norm_shape s = {.kind = NORM_BATCH, .pixels = 35, .channels = 50, .groups = 5, .epsilon = 1e-5f, .leak = .2f};
    const batching small = {.n = 14, .segment = 7, .micro = 3}, preset = {.n = 20, .segment = 10, .micro = 10};
    /* Slopes from x and from y. Few programs: each takes its time to build. */
    for (int i = 0; i < 2; i++) {
        s.f = (activation[]){ACTIVATION_LEAKY, ACTIVATION_TANH}[i];
        s.kind = i == 1 ? NORM_GROUP : NORM_BATCH;
        check_norm(t, &s, &small);
        if (s.kind == NORM_BATCH) check_norm_frozen(t, &s, 5);
    }
    s = (norm_shape){
        .kind = NORM_BATCH, .pixels = 63, .channels = 1, .groups = 1, .epsilon = 1e-5f, .f = ACTIVATION_LEAKY};
    check_norm(t, &s, &small);
    /* As many channels as networks have: what differs there only must show in the hash too. */
    s = (norm_shape){.kind = NORM_GROUP,
                     .pixels = 4,
                     .channels = 512,
                     .groups = 8,
                     .epsilon = 1e-5f,
                     .f = ACTIVATION_LEAKY,
                     .leak = .2f};
    check_norm(t, &s, &small);
    if (!selftest_large(t)) return;
    for (int kind = NORM_BATCH; kind <= NORM_GROUP; kind++) {
        s = (norm_shape){.kind = (norm_kind)kind,
                         .pixels = 32 * 32,
                         .channels = 64,
                         .groups = 8,
                         .epsilon = 1e-5f,
                         .f = ACTIVATION_LEAKY,
                         .leak = .2f};
        check_norm(t, &s, &preset);
        s.pixels = 4 * 4;
        s.channels = 512;
        check_norm(t, &s, &preset);
    }
}

/* ---- losses ---------------------------------------------------------------------------------------------------------
 */

void check_loss(selftest *t, int batch, float noise)
{
    const size_t n = 2 * (size_t)batch;
    const int row = 3;
    float *logits = selftest_values(t, n, -30, 30);
    double *wide = selftest_widen(t, logits, n), *want = selftest_doubles(t, n), metrics[LOSS_COLUMNS];
    double *rows = selftest_doubles(t, (size_t)(row + 1) * LOSS_COLUMNS);
    float *zeros = selftest_memory(t, (size_t)(row + 1) * LOSS_COLUMNS, sizeof *zeros);
    buffer *bl = selftest_upload(t, "logits", logits, n), *bd = selftest_output(t, "dlogits", n);
    buffer *bm = selftest_upload(t, "metrics", zeros, (size_t)(row + 1) * LOSS_COLUMNS);
    const double sums = (8 + sqrt((double)n)) * EPS;
    selftest_size(t, "batch %d, noise %g", batch, (double)noise);
    selftest_start(t);
    if (!t->s) t->s = loss_discriminator(t->c, t->d, batch, noise, 11, 1000000007, bl, bd, bm, row);
    selftest_stop(t);
    if (t->s) return;
    loss_ref_discriminator(batch, noise, 11, 1000000007, wide, want, metrics);
    selftest_compare(t, "loss_discriminator", bd, want, n, TINY, 8 * EPS);
    metrics[LOSS_G] = 0;
    for (int k = 0; k < LOSS_COLUMNS; k++) rows[row * LOSS_COLUMNS + k] = metrics[k];
    selftest_compare(t, "loss_discriminator", bm, rows, (size_t)(row + 1) * LOSS_COLUMNS, TINY, sums);
    for (int saturating = 0; saturating < 2; saturating++) {
        selftest_start(t);
        if (!t->s) t->s = loss_generator(t->c, t->d, batch, saturating, bl, bd, bm, row);
        selftest_stop(t);
        if (t->s) return;
        loss_ref_generator(batch, saturating, wide, want, metrics);
        selftest_compare(t, "loss_generator", bd, want, (size_t)batch, TINY, 8 * EPS);
        rows[row * LOSS_COLUMNS + LOSS_G] = metrics[LOSS_G];
        selftest_compare(t, "loss_generator", bm, rows, (size_t)(row + 1) * LOSS_COLUMNS, TINY, sums);
    }
    selftest_release(t);
}

/* Squares carry three roundings, and go through 16 sums in a lane, 4 of the lanes, log2 of the blocks' tree and those
 * of the samples. */
void check_loss_squared(selftest *t, int n, int features)
{
    const size_t count = (size_t)n * (size_t)features;
    const int at = 2;
    float *a = selftest_values(t, count, -2, 1), *b = selftest_values(t, count, -1, 2), zeros[4] = {0};
    double *want = selftest_doubles(t, count), *wide_a = selftest_widen(t, a, count), metrics[4] = {0};
    double *wide_b = selftest_widen(t, b, count);
    buffer *ba = selftest_upload(t, "a", a, count), *bb = selftest_upload(t, "b", b, count);
    buffer *da = selftest_output(t, "da", count), *bm = selftest_upload(t, "metrics", zeros, 4);
    buffer *scratch = selftest_output(t, "scratch", loss_squared_scratch_bytes(n, features) / sizeof(float));
    selftest_size(t, "n %d, features %d", n, features);
    selftest_start(t);
    if (!t->s) t->s = loss_squared(t->c, t->d, n, features, ba, bb, scratch, da, bm, at);
    selftest_stop(t);
    if (t->s) return;
    metrics[at] = loss_ref_squared(n, features, wide_a, wide_b, want);
    selftest_compare(t, "loss_squared", da, want, count, TINY, 3 * EPS);
    selftest_compare(t, "loss_squared", bm, metrics, 4, TINY, (24 + log2(features) + sqrt(n)) * EPS);
    selftest_release(t);
}

void family_loss(selftest *t)
{
    check_loss(t, 7, .3f);
    check_loss(t, 50, .05f);
    check_loss_squared(t, 3, 1805); /* 7 blocks and 13 features */
    if (!selftest_large(t)) return;
    check_loss(t, 301, 0);
    check_loss_squared(t, 50, 8192);
}

/* ---- Adam -----------------------------------------------------------------------------------------------------------
 */

/* Half of the parameters begin at 0, so that they show the step itself; moments have the sign of the gradient.
 * Gradients span 1e-12 … 10; one of them is not finite. */
void check_adam(selftest *t, size_t n)
{
    adam_state state = {.lr = 2e-4, .beta1 = .5, .beta2 = .999, .epsilon = 1e-8, .step = 2};
    state.beta1_power = .5 * .5;
    state.beta2_power = .999 * .999;
    const size_t bad = n / 3;
    float *p = selftest_values(t, n, -1, 1), *g = selftest_octaves(t, n, -40, 3.3), *m = selftest_values(t, n, 0, 1);
    float *v = selftest_values(t, n, 0, 1), *average = selftest_values(t, n, -1, 1), zero = 0;
    double *wp = selftest_doubles(t, n), *wm = selftest_doubles(t, n), *wv = selftest_doubles(t, n);
    for (size_t i = 0; !t->s && i < n; i++) {
        if (i & 2) g[i] = -g[i];
        m[i] *= g[i];
        v[i] *= g[i] * g[i];
        if (i & 1) p[i] = 0;
        if (i == bad) g[i] = INFINITY;
        wp[i] = p[i], wm[i] = m[i], wv[i] = v[i];
        adam_ref_update(&state, g[i], &wp[i], &wm[i], &wv[i]);
    }
    buffer *bp = selftest_upload(t, "parameters", p, n), *bg = selftest_upload(t, "gradients", g, n);
    buffer *bm = selftest_upload(t, "m", m, n), *bv = selftest_upload(t, "v", v, n);
    buffer *flag = selftest_upload(t, "flag", &zero, 1), *ba = selftest_upload(t, "average", average, n);
    selftest_size(t, "%zu", n);
    selftest_start(t);
    if (!t->s) t->s = adam_step(t->c, t->d, &state, n, bp, bg, bm, bv, flag);
    selftest_stop(t);
    if (t->s) return;
    selftest_compare(t, "adam_step", bp, wp, n, TINY, 16 * EPS);
    selftest_compare(t, "adam_step m", bm, wm, n, TINY, 4 * EPS);
    /* Squares below 2^-90 count as none. */
    selftest_compare(t, "adam_step v", bv, wv, n, 0x1p-92, 6 * EPS);
    int32_t raised = 0;
    if (!t->s) t->s = buffer_read(t->c, flag, 0, &raised, sizeof raised);
    selftest_add(t, "adam_step flag", raised != 1, 0);
    float *now = selftest_download(t, bp, n);
    selftest_start(t);
    if (!t->s) t->s = adam_average(t->c, t->d, n, .995f, bp, ba);
    selftest_stop(t);
    if (t->s) return;
    for (size_t i = 0; i < n; i++) wp[i] = adam_ref_average(.995f, now[i], average[i]);
    selftest_compare(t, "adam_average", ba, wp, n, 1, 3 * EPS);
    selftest_release(t);
}

void family_adam(selftest *t)
{
    check_adam(t, 1037);
    if (selftest_large(t)) check_adam(t, 100003);
}
