#include "ops/activation.h"

#include <stdio.h>
#include "ops/launch.h"

/* Vectors per work-item of a CPU: a page of floats, against the cost of a launch of many tiny items. */
enum { CPU_BATCH = 64, CPU_SAMPLES = 8, CPU_BLOCK = 4 };

static status options_for(context *c, device *d, activation f, char *options, size_t size)
{
    if ((int)f < ACTIVATION_NONE || f > ACTIVATION_SIGMOID)
        return context_fail(c, STATUS_USAGE, "activation %d: there is none of this number", (int)f);
    snprintf(options, size, "-DACTIVATION=%d -DBATCH=%d", (int)f, launch_batch(d, CPU_BATCH));
    return STATUS_OK;
}

status activation_forward(context *c, device *d, activation f, float leak, size_t count, buffer *x, buffer *y)
{
    char options[64];
    status s = options_for(c, d, f, options, sizeof options);
    if (!s) s = launch_check(c, "activation_forward", "x", x, count);
    if (!s) s = launch_check(c, "activation_forward", "y", y, count);
    if (s) return s;
    kernel_work(d, 0, 8. * (double)count);
    return launch_run(c, d, "activation", "activation_apply", options, 0,
                      launch_items(d, count, launch_batch(d, CPU_BATCH)),
                      KERNEL_ARGUMENTS(ARG_BUFFER(x), ARG_BUFFER(y), ARG_FLOAT(leak), ARG_ULONG(count)));
}

status activation_backward(context *c, device *d, activation f, float leak, size_t count, buffer *y, buffer *dy,
                           buffer *dx)
{
    char options[64];
    status s = options_for(c, d, f, options, sizeof options);
    if (!s) s = launch_check(c, "activation_backward", "y", y, count);
    if (!s) s = launch_check(c, "activation_backward", "dy", dy, count);
    if (!s) s = launch_check(c, "activation_backward", "dx", dx, count);
    if (s) return s;
    kernel_work(d, 0, 12. * (double)count);
    return launch_run(
        c, d, "activation", "activation_gradient", options, 0, launch_items(d, count, launch_batch(d, CPU_BATCH)),
        KERNEL_ARGUMENTS(ARG_BUFFER(y), ARG_BUFFER(dy), ARG_BUFFER(dx), ARG_FLOAT(leak), ARG_ULONG(count)));
}

size_t bias_scratch_bytes(const batching *b, int channels)
{
    return (size_t)b->n * (size_t)layout_channels(channels) * sizeof(float);
}

static status bias_sums(context *c, device *d, const char *options, int n, int pixels, int channels, buffer *dy,
                        buffer *scratch)
{
    if (channels == 1) {
        const int samples = launch_batch(d, CPU_SAMPLES);
        return launch_run(c, d, "activation", "bias_samples_single", options, 1, ((size_t)n + samples - 1) / samples,
                          KERNEL_ARGUMENTS(ARG_BUFFER(dy), ARG_BUFFER(scratch), ARG_INT(n), ARG_INT(pixels)));
    }
    const int block = launch_batch(d, CPU_BLOCK), vectors = channels / launch_vector(d);
    kernel_work(d, (double)n * pixels * channels, 4. * n * pixels * channels);
    return launch_run(
        c, d, "activation", "bias_samples", options, 0, (size_t)n * (size_t)divide_up(vectors, block),
        KERNEL_ARGUMENTS(ARG_BUFFER(dy), ARG_BUFFER(scratch), ARG_INT(n), ARG_INT(pixels), ARG_INT(channels)));
}

status bias_backward(context *c, device *d, const batching *b, int pixels, int channels, buffer *dy, buffer *scratch,
                     buffer *db)
{
    const int padded = layout_channels(channels);
    char options[64];
    status s = launch_check_batching(c, "bias_backward", b);
    if (!s && (pixels < 1 || channels < 1))
        s = context_fail(c, STATUS_USAGE, "bias_backward: %d pixels of %d channels", pixels, channels);
    if (!s) s = launch_check(c, "bias_backward", "dy", dy, (size_t)b->n * pixels * padded);
    if (!s) s = launch_check(c, "bias_backward", "scratch", scratch, (size_t)b->n * padded);
    if (!s) s = launch_check(c, "bias_backward", "db", db, padded);
    /* The same for all three kernels and any channels: one program. */
    snprintf(options, sizeof options, "-DBLOCK=%d -DSAMPLES=%d", launch_batch(d, CPU_BLOCK),
             launch_batch(d, CPU_SAMPLES));
    if (!s) s = bias_sums(c, d, options, b->n, pixels, padded, dy, scratch);
    if (s) return s;
    const int vector = padded == 1 ? 1 : launch_vector(d);
    return launch_run(c, d, "activation", "bias_gradient", options, vector, (size_t)(padded / vector),
                      KERNEL_ARGUMENTS(ARG_BUFFER(scratch), ARG_BUFFER(db), ARG_INT(b->n), ARG_INT(b->segment),
                                       ARG_INT(b->micro), ARG_INT(padded)));
}
