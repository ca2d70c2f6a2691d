/* Maps through a trained autoencoder. */
#include "nets/infer.h"
#include "base/memory.h"
#include "io/maps_transform.h"
#include "ops/crop.h"
#include <string.h>

status inferrer_new(context *c, device *d, const char *path, int batch, inferrer **out)
{
    inferrer *i = NULL;
    *out = NULL;
    status s = memory_new(c, "inference", 1, sizeof *i, &i);
    if (s) return s;
    const encoder_options o = {.loss = ENCODER_PIXEL, .batch = batch, .micro_batch = batch};
    s = checkpoint_describe(c, path, &i->origin);
    const network_shape *shape = &i->origin.shape;
    if (!s) s = autoencoder_new(c, d, &o, shape, &i->a);
    if (!s)
        s = buffer_new(c, d, "densities", (size_t)batch * shape->image * shape->image * sizeof(float), &i->densities);
    if (!s) {
        checkpoint_networks n = {.generator = i->a->generator, .encoder = i->a->encoder};
        s = checkpoint_read(c, path, &i->origin, &n, false);
    }
    if (s)
        inferrer_delete(&i);
    else
        *out = i;
    return s;
}

void inferrer_delete(inferrer **pointer)
{
    inferrer *i = *pointer;
    if (!i) return;
    autoencoder_delete(&i->a);
    buffer_delete(&i->densities);
    memory_delete(pointer);
}

static status download_latents(context *c, const inferrer *i, buffer *codes, int n, float *latents)
{
    int latent = i->origin.shape.latent, stride = layout_channels(latent);
    float *padded = NULL;
    status s = memory_new(c, "latents", (size_t)n * stride, sizeof *padded, &padded);
    if (!s) s = buffer_read(c, codes, 0, padded, (size_t)n * stride * sizeof *padded);
    for (int k = 0; k < n && !s; k++)
        memcpy(latents + (size_t)k * latent, padded + (size_t)k * stride, latent * sizeof *latents);
    memory_delete(&padded);
    return s;
}

status inferrer_run(context *c, inferrer *i, double mean, const float *images, int64_t count, float *inferred,
                    float *latents)
{
    device *d = i->a->device;
    const int batch = i->a->o.batch, latent = i->origin.shape.latent;
    const size_t pixels = (size_t)i->origin.shape.image * i->origin.shape.image;
    maps named = i->origin.trained_on;
    named.mean = mean;
    transform_shape transform;
    status s = maps_transform_of(c, &named, &transform);
    for (int64_t first = 0; first < count && !s; first += batch) {
        int n = (int)(count - first < batch ? count - first : batch);
        buffer *codes = NULL, *made = NULL;
        s = buffer_write(c, i->densities, 0, images + first * pixels, n * pixels * sizeof(float));
        if (!s) s = transform_forward(c, d, &transform, n * pixels, i->densities, i->a->images);
        if (!s) s = autoencoder_infer(c, i->a, n, &codes, &made);
        if (!s) s = transform_inverse(c, d, &transform, n * pixels, made, i->densities);
        if (!s) s = buffer_read(c, i->densities, 0, inferred + first * pixels, n * pixels * sizeof(float));
        if (!s) s = download_latents(c, i, codes, n, latents + first * latent);
        if (!s && context_stop_requested(c)) s = context_fail(c, STATUS_INTERRUPTED, "stopped while inferring maps");
    }
    return s;
}
