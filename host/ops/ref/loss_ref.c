#include "ops/ref/loss_ref.h"

#include <math.h>
#include "base/rng.h"

double loss_ref_softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double sigma(double x)
{
    return 1 / (1 + exp(-x));
}

void loss_ref_discriminator(int batch, float noise, uint64_t seed, uint64_t step, const double *logits, double *dlogits,
                            double *metrics)
{
    metrics[LOSS_D] = metrics[LOSS_ACCURACY_REAL] = metrics[LOSS_ACCURACY_GENERATED] = 0;
    for (int i = 0; i < 2 * batch; i++) {
        const bool real = i < batch;
        const double l = logits[i];
        const bool flip = rng_uniform(seed, RNG_LABEL, step * 2 * (uint64_t)batch + (uint64_t)i, 0) < (double)noise;
        const bool one = real ? !flip : flip;
        metrics[LOSS_D] += loss_ref_softplus(one ? -l : l) / (2. * batch);
        dlogits[i] = (one ? -sigma(-l) : sigma(l)) / (2. * batch);
        if (real)
            metrics[LOSS_ACCURACY_REAL] += (l > 0) / (double)batch;
        else
            metrics[LOSS_ACCURACY_GENERATED] += (l < 0) / (double)batch;
    }
}

void loss_ref_generator(int batch, bool saturating, const double *logits, double *dlogits, double *metrics)
{
    metrics[LOSS_G] = 0;
    for (int i = 0; i < batch; i++) {
        const double l = logits[i];
        metrics[LOSS_G] += (saturating ? -loss_ref_softplus(l) : loss_ref_softplus(-l)) / (2. * batch);
        dlogits[i] = -(saturating ? sigma(l) : sigma(-l)) / (2. * batch);
    }
}

double loss_ref_squared(int n, int features, const double *a, const double *b, double *da)
{
    double sum = 0;
    for (size_t i = 0; i < (size_t)n * (size_t)features; i++) {
        sum += (a[i] - b[i]) * (a[i] - b[i]) / n;
        if (da) da[i] = 2 * (a[i] - b[i]) / n;
    }
    return sum;
}
