#include "ops/loss.h"

#include <math.h>
#include <stdio.h>
#include "base/rng.h"
#include "ops/launch.h"

enum { GROUP_OTHER = 64 };

/* Features of a partial sum: BLOCK of kernels/squared.cl. */
enum { SQUARED_BLOCK = 256 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One work-group does it all: its size is part of the build. */
static status run(context *c, device *d, const char *file, const char *entry, int count,
                  const kernel_argument *arguments)
{
    char options[32];
    kernel *k = NULL;
    const size_t most = device_info(d)->max_work_group, group = device_info(d)->is_cpu ? 1 : least(GROUP_OTHER, most);
    snprintf(options, sizeof options, "-DVW=1 -DGROUP=%zu", group);
    status s = kernel_get(c, d, file, entry, options, &k);
    if (s) return s;
    return kernel_run(c, k, 1, &group, &group, count, arguments);
}

static status check(context *c, const char *what, int batch, int samples, buffer *logits, buffer *dlogits,
                    buffer *metrics, int row)
{
    if (batch < 1 || row < 0) return context_fail(c, STATUS_USAGE, "%s: batch %d, row %d", what, batch, row);
    status s = launch_check(c, what, "logits", logits, (size_t)samples);
    if (!s) s = launch_check(c, what, "dlogits", dlogits, (size_t)samples);
    if (!s) s = launch_check(c, what, "metrics", metrics, ((size_t)row + 1) * LOSS_COLUMNS);
    return s;
}

status loss_discriminator(context *c, device *d, int batch, float noise, uint64_t seed, uint64_t step, buffer *logits,
                          buffer *dlogits, buffer *metrics, int row)
{
    status s = check(c, "loss_discriminator", batch, 2 * batch, logits, dlogits, metrics, row);
    if (!s && !(noise >= 0 && noise <= 1))
        s = context_fail(c, STATUS_USAGE, "loss_discriminator: label noise %g is no probability", (double)noise);
    if (s) return s;
    /* u < noise for u = k 2^-53 exactly when k < ceil(noise 2^53): no doubles on the device. */
    const uint64_t threshold = (uint64_t)ceil((double)noise * 0x1p53);
    return run(c, d, "loss", "loss_discriminator",
               KERNEL_ARGUMENTS(ARG_BUFFER(logits), ARG_BUFFER(dlogits), ARG_BUFFER(metrics),
                                ARG_INT(row * LOSS_COLUMNS), ARG_INT(batch), ARG_ULONG(seed), ARG_UINT(RNG_LABEL),
                                ARG_ULONG(step * 2 * (uint64_t)batch), ARG_ULONG(threshold)));
}

status loss_generator(context *c, device *d, int batch, bool saturating, buffer *logits, buffer *dlogits,
                      buffer *metrics, int row)
{
    status s = check(c, "loss_generator", batch, batch, logits, dlogits, metrics, row);
    if (s) return s;
    return run(c, d, "loss", "loss_generator",
               KERNEL_ARGUMENTS(ARG_BUFFER(logits), ARG_BUFFER(dlogits), ARG_BUFFER(metrics),
                                ARG_INT(row * LOSS_COLUMNS), ARG_INT(batch), ARG_INT(saturating)));
}

static int squared_blocks(int features)
{
    return (features + SQUARED_BLOCK - 1) / SQUARED_BLOCK;
}

size_t loss_squared_scratch_bytes(int n, int features)
{
    return (size_t)n * (size_t)squared_blocks(features) * sizeof(float);
}

status loss_squared(context *c, device *d, int n, int features, buffer *a, buffer *b, buffer *scratch, buffer *da,
                    buffer *metrics, int at)
{
    const char *what = "loss_squared";
    if (n < 1 || features < 1 || at < 0)
        return context_fail(c, STATUS_USAGE, "%s: %d samples of %d features, metric %d", what, n, features, at);
    const size_t count = (size_t)n * (size_t)features, partials = (size_t)n * (size_t)squared_blocks(features);
    status s = launch_check(c, what, "a", a, count);
    if (!s) s = launch_check(c, what, "b", b, count);
    if (!s && da) s = launch_check(c, what, "da", da, count);
    if (!s) s = launch_check(c, what, "scratch", scratch, partials);
    if (!s) s = launch_check(c, what, "metrics", metrics, (size_t)at + 1);
    if (!s)
        s = launch_run(c, d, "squared", "squared_blocks", da ? "-DGRADIENT=1" : "-DGRADIENT=0", 0, partials,
                       KERNEL_ARGUMENTS(ARG_BUFFER(a), ARG_BUFFER(b), ARG_BUFFER(da ? da : scratch),
                                        ARG_BUFFER(scratch), ARG_INT(n), ARG_INT(features),
                                        ARG_FLOAT(2.0f / (float)n)));
    if (s) return s;
    return run(c, d, "squared", "squared_total",
               KERNEL_ARGUMENTS(ARG_BUFFER(scratch), ARG_BUFFER(metrics), ARG_INT(at), ARG_INT(n),
                                ARG_INT(squared_blocks(features))));
}
