/* Gradients of every pointwise operator on the device against central differences of the float64 oracle's forward pass:
 * the derivative of L = Σ w y by some of the inputs. The differences err by h² and 1e-16/h, the device by float32
 * rounding of the sums; both are far below TOLERANCE of the largest derivative, while a wrong factor or a lost term is
 * far above. */
#include <math.h>
#include "ops/pointwise_test.h"
#include "ops/loss.h"
#include "ops/ref/activation_ref.h"
#include "ops/ref/loss_ref.h"
#include "ops/ref/norm_ref.h"
#include "base/rng.h"

#define TOLERANCE 2e-5
enum { PROBES = 40 };

typedef double objective(void *problem);

/* dL/d*x by central differences. */
static double difference(objective *f, void *problem, double *x)
{
    const double h = 1e-5, at = *x;
    *x = at + h;
    const double above = f(problem);
    *x = at - h;
    const double below = f(problem);
    *x = at;
    return (above - below) / (2 * h);
}

/* Probes some elements of x [n][channels]; padding must have no gradient. */
static void probe(const char *what, objective *f, void *problem, double *x, const float *gradient, size_t n,
                  int channels)
{
    const size_t padded = (size_t)layout_channels(channels);
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(gradient[i]));
    ck_assert_msg(largest > 0, "%s: no gradient at all", what);
    for (size_t k = 0; k < PROBES; k++) {
        const size_t i = (k * 7919 + k * k) % n;
        if (i % padded >= (size_t)channels) {
            ck_assert_msg(gradient[i] == 0, "%s: padding has gradient %g", what, (double)gradient[i]);
            continue;
        }
        const double want = difference(f, problem, &x[i]);
        ck_assert_msg(fabs(gradient[i] - want) <= TOLERANCE * largest, "%s: d/dx[%zu] is %.8g, differences give %.8g",
                      what, i, (double)gradient[i], want);
    }
}

/* ---- activations ----------------------------------------------------------------------------------------------------
 */

typedef struct {
    activation f;
    size_t n;
    double *x, *w;
} pointwise;

static double pointwise_value(void *problem)
{
    const pointwise *p = problem;
    double sum = 0;
    for (size_t i = 0; i < p->n; i++) sum += p->w[i] * activation_ref_value(p->f, .2f, p->x[i]);
    return sum;
}

START_TEST(activations)
{
    const size_t n = 203;
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float *x = selftest_values(&t, n, -3, 3), *w = selftest_values(&t, n, -1, 1);
    buffer *bx = selftest_upload(&t, "x", x, n), *by = selftest_output(&t, "y", n),
           *bw = selftest_upload(&t, "dy", w, n);
    buffer *dx = selftest_output(&t, "dx", n);
    pointwise p = {_i, n, selftest_widen(&t, x, n), selftest_widen(&t, w, n)};
    MUST(t.s);
    MUST(activation_forward(test_context, test_device, p.f, .2f, n, bx, by));
    MUST(activation_backward(test_context, test_device, p.f, .2f, n, by, bw, dx));
    const float *gradient = selftest_download(&t, dx, n);
    MUST(t.s);
    probe("activation", pointwise_value, &p, p.x, gradient, n, 16);
    finish(&t);
}
END_TEST

/* ---- bias: y = x + b, so dL/db = Σ w
 * ---------------------------------------------------------------------------------- */

START_TEST(bias)
{
    const batching b = {.n = 7, .segment = 7, .micro = 3};
    const size_t n = 7 * 6 * 16;
    double want[16] = {0};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float *w = selftest_padded(&t, 42, 5, -1, 1);
    buffer *dy = selftest_upload(&t, "dy", w, n), *db = selftest_output(&t, "db", 16);
    buffer *scratch = selftest_output(&t, "scratch", bias_scratch_bytes(&b, 5) / 4);
    MUST(t.s);
    MUST(bias_backward(test_context, test_device, &b, 6, 5, dy, scratch, db));
    const float *gradient = selftest_download(&t, db, 16);
    for (size_t i = 0; i < n; i++) want[i % 16] += w[i];
    for (int c = 0; c < 16; c++) ck_assert(fabs(gradient[c] - want[c]) <= 1e-6 && (c < 5 || gradient[c] == 0));
    finish(&t);
}
END_TEST

/* ---- normalisation
 * ---------------------------------------------------------------------------------------------------- */

typedef struct {
    norm_shape s;
    batching b;
    size_t n;
    double *x, *gamma, *beta, *w, *y, *mean, *rstd, *running_mean, *running_var;
} normalisation;

static double weighted(const normalisation *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->n; i++) sum += p->w[i] * p->y[i];
    return sum;
}

static double norm_value(void *problem)
{
    const normalisation *p = problem;
    norm_ref_forward(&p->s, &p->b, p->x, p->gamma, p->beta, p->mean, p->rstd, p->y);
    return weighted(p);
}

static double frozen_value(void *problem)
{
    const normalisation *p = problem;
    norm_ref_forward_frozen(&p->s, p->b.n, p->x, p->gamma, p->beta, p->running_mean, p->running_var, p->y);
    return weighted(p);
}

/* With ReLU and leaky ReLU a probe may straddle a kink only where |z| < 1e-4, which these inputs do not have. */
static const struct {
    norm_kind kind;
    activation f;
    int channels, groups;
} norm_cases[] = {{NORM_BATCH, ACTIVATION_NONE, 5, 1},  {NORM_BATCH, ACTIVATION_TANH, 16, 1},
                  {NORM_BATCH, ACTIVATION_LEAKY, 3, 1}, {NORM_GROUP, ACTIVATION_TANH, 6, 3},
                  {NORM_GROUP, ACTIVATION_RELU, 18, 2}, {NORM_GROUP, ACTIVATION_SIGMOID, 16, 16}};

START_TEST(normalisations)
{
    normalisation p = {.s = {.kind = norm_cases[_i].kind,
                             .pixels = 11,
                             .channels = norm_cases[_i].channels,
                             .groups = norm_cases[_i].groups,
                             .epsilon = 1e-3f,
                             .f = norm_cases[_i].f,
                             .leak = .2f},
                       .b = {.n = 10, .segment = 5, .micro = 3}};
    const size_t rows = 110, padded = (size_t)layout_channels(p.s.channels),
                 statistics = norm_statistics_count(&p.s, &p.b);
    p.n = rows * padded;
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float *x = selftest_padded(&t, rows, p.s.channels, -1, 2),
                *w = selftest_padded(&t, rows, p.s.channels, -1, 1);
    const float *gamma = selftest_padded(&t, 1, p.s.channels, .5, 1.5),
                *beta = selftest_padded(&t, 1, p.s.channels, -.5, .5);
    p.x = selftest_widen(&t, x, p.n), p.w = selftest_widen(&t, w, p.n), p.y = selftest_doubles(&t, p.n);
    p.gamma = selftest_widen(&t, gamma, padded), p.beta = selftest_widen(&t, beta, padded);
    p.mean = selftest_doubles(&t, statistics), p.rstd = selftest_doubles(&t, statistics);
    buffer *bx = selftest_upload(&t, "x", x, p.n), *bw = selftest_upload(&t, "dy", w, p.n),
           *by = selftest_output(&t, "y", p.n);
    buffer *bgamma = selftest_upload(&t, "gamma", gamma, padded), *bbeta = selftest_upload(&t, "beta", beta, padded);
    buffer *mean = selftest_output(&t, "mean", statistics), *rstd = selftest_output(&t, "rstd", statistics);
    buffer *scratch = selftest_output(&t, "scratch", norm_scratch_bytes(&p.s, &p.b) / 4);
    buffer *dgamma = selftest_output(&t, "dgamma", padded), *dbeta = selftest_output(&t, "dbeta", padded);
    MUST(t.s);
    MUST(norm_forward(test_context, test_device, &p.s, &p.b, bx, bgamma, bbeta, mean, rstd, scratch, by));
    MUST(norm_backward(test_context, test_device, &p.s, &p.b, bx, by, bw, bgamma, bbeta, mean, rstd, scratch, bw,
                       dgamma, dbeta));
    const float *dx = selftest_download(&t, bw, p.n), *dg = selftest_download(&t, dgamma, padded);
    const float *db = selftest_download(&t, dbeta, padded);
    MUST(t.s);
    probe("norm, x", norm_value, &p, p.x, dx, p.n, p.s.channels);
    probe("norm, gamma", norm_value, &p, p.gamma, dg, padded, p.s.channels);
    probe("norm, beta", norm_value, &p, p.beta, db, padded, p.s.channels);
    finish(&t);
}
END_TEST

START_TEST(frozen_normalisation)
{
    normalisation p = {.s = {.kind = NORM_BATCH, .pixels = 11, .channels = 21, .epsilon = 1e-3f, .f = ACTIVATION_TANH},
                       .b = {.n = 4, .segment = 4, .micro = 4}};
    const size_t rows = 44, padded = 32;
    p.n = rows * padded;
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float *x = selftest_padded(&t, rows, 21, -1, 2), *w = selftest_padded(&t, rows, 21, -1, 1);
    const float *gamma = selftest_padded(&t, 1, 21, .5, 1.5), *beta = selftest_padded(&t, 1, 21, -.5, .5);
    const float *m = selftest_padded(&t, 1, 21, -1, 1), *v = selftest_padded(&t, 1, 21, .5, 2);
    p.x = selftest_widen(&t, x, p.n), p.w = selftest_widen(&t, w, p.n), p.y = selftest_doubles(&t, p.n);
    p.gamma = selftest_widen(&t, gamma, padded), p.beta = selftest_widen(&t, beta, padded);
    p.running_mean = selftest_widen(&t, m, padded), p.running_var = selftest_widen(&t, v, padded);
    buffer *bx = selftest_upload(&t, "x", x, p.n), *bw = selftest_upload(&t, "dy", w, p.n),
           *by = selftest_output(&t, "y", p.n);
    buffer *bgamma = selftest_upload(&t, "gamma", gamma, padded), *bbeta = selftest_upload(&t, "beta", beta, padded);
    buffer *bm = selftest_upload(&t, "mean", m, padded), *bv = selftest_upload(&t, "variance", v, padded);
    MUST(t.s);
    MUST(norm_forward_frozen(test_context, test_device, &p.s, 4, bx, bgamma, bbeta, bm, bv, by));
    MUST(norm_backward_frozen(test_context, test_device, &p.s, 4, by, bw, bgamma, bv, bw));
    const float *dx = selftest_download(&t, bw, p.n);
    MUST(t.s);
    probe("frozen norm, x", frozen_value, &p, p.x, dx, p.n, 21);
    finish(&t);
}
END_TEST

/* ---- losses
 * ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    int batch, which; /* 0: discriminator, 1: non-saturating, 2: saturating generator */
    double *logits, *unused;
} loss_problem;

static double loss_value(void *problem)
{
    const loss_problem *p = problem;
    double metrics[LOSS_COLUMNS];
    if (p->which == 0) {
        loss_ref_discriminator(p->batch, .3f, 3, 4, p->logits, p->unused, metrics);
        return metrics[LOSS_D];
    }
    loss_ref_generator(p->batch, p->which == 2, p->logits, p->unused, metrics);
    return metrics[LOSS_G];
}

START_TEST(losses)
{
    enum { BATCH = 24 };
    const size_t n = _i ? BATCH : 2 * BATCH;
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float *logits = selftest_values(&t, n, -4, 4), *zeros = selftest_values(&t, LOSS_COLUMNS, 0, 0);
    loss_problem p = {BATCH, _i, selftest_widen(&t, logits, n), selftest_doubles(&t, n)};
    buffer *l = selftest_upload(&t, "logits", logits, n), *dl = selftest_output(&t, "dlogits", n);
    buffer *metrics = selftest_upload(&t, "metrics", zeros, LOSS_COLUMNS);
    MUST(t.s);
    if (_i)
        MUST(loss_generator(test_context, test_device, BATCH, _i == 2, l, dl, metrics, 0));
    else
        MUST(loss_discriminator(test_context, test_device, BATCH, .3f, 3, 4, l, dl, metrics, 0));
    const float *gradient = selftest_download(&t, dl, n), *row = selftest_download(&t, metrics, LOSS_COLUMNS);
    MUST(t.s);
    ck_assert(fabs(row[_i ? LOSS_G : LOSS_D] - loss_value(&p)) < 1e-5);
    probe("loss", loss_value, &p, p.logits, gradient, n, 16);
    finish(&t);
}
END_TEST

typedef struct {
    int n, features;
    double *a, *b;
} squared_problem;

static double squared_value(void *problem)
{
    const squared_problem *p = problem;
    return loss_ref_squared(p->n, p->features, p->a, p->b, NULL);
}

START_TEST(squared_differences)
{
    enum { N = 3, FEATURES = 272, COUNT = N * FEATURES };
    selftest t;
    selftest_begin(&t, test_context, test_device);
    const float *a = selftest_padded(&t, N * 17, 13, -1, 2), *b = selftest_padded(&t, N * 17, 13, -2, 1);
    buffer *ba = selftest_upload(&t, "a", a, COUNT), *bb = selftest_upload(&t, "b", b, COUNT);
    buffer *da = selftest_output(&t, "da", COUNT), *metrics = selftest_output(&t, "metrics", 1);
    buffer *scratch = selftest_output(&t, "scratch", loss_squared_scratch_bytes(N, FEATURES) / sizeof(float));
    squared_problem p = {N, FEATURES, selftest_widen(&t, a, COUNT), selftest_widen(&t, b, COUNT)};
    MUST(t.s);
    MUST(loss_squared(test_context, test_device, N, FEATURES, ba, bb, scratch, da, metrics, 0));
    const float *gradient = selftest_download(&t, da, COUNT), *loss = selftest_download(&t, metrics, 1);
    MUST(t.s);
    ck_assert(fabs(loss[0] / squared_value(&p) - 1) < 1e-5);
    probe("squared difference", squared_value, &p, p.a, gradient, COUNT, 13);
    finish(&t);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_loop_test(all, activations, ACTIVATION_NONE, ACTIVATION_SIGMOID + 1);
    tcase_add_test(all, bias);
    tcase_add_loop_test(all, normalisations, 0, sizeof norm_cases / sizeof norm_cases[0]);
    tcase_add_test(all, frozen_normalisation);
    tcase_add_loop_test(all, losses, 0, 3);
    tcase_add_test(all, squared_differences);
}

int main(void)
{
    return test_main("grad/pointwise", add);
}
