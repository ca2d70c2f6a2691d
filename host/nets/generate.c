/* New maps from a trained generator. */
#include "nets/generate.h"
#include "base/memory.h"
#include "io/maps_transform.h"
#include "ops/crop.h"
#include "ops/random.h"
#include <stdio.h>
#include <string.h>

static status build(context *c, device *d, const char *path, int batch, int micro, sampler **out)
{
    sampler *s = NULL;
    *out = NULL;
    status result = memory_new(c, "sampler", 1, sizeof *s, &s);
    if (result) return result;
    s->batch = batch;
    s->micro = micro;
    batching largest = {.n = batch, .segment = batch, .micro = micro ? micro : batch};
    result = checkpoint_describe(c, path, &s->origin);
    const network_shape *shape = &s->origin.shape;
    if (!result) result = network_new(c, d, NETWORK_GENERATOR, shape, &largest, false, &s->generator);
    if (!result)
        result =
            buffer_new(c, d, "latents", (size_t)batch * layout_channels(shape->latent) * sizeof(float), &s->latents);
    if (!result)
        result =
            buffer_new(c, d, "densities", (size_t)batch * shape->image * shape->image * sizeof(float), &s->densities);
    if (result)
        sampler_delete(&s);
    else
        *out = s;
    return result;
}

status sampler_new(context *c, device *d, const char *path, int batch, sampler **out)
{
    status s = build(c, d, path, batch, 0, out);
    if (!s) s = sampler_load(c, *out, path);
    if (s) sampler_delete(out);
    return s;
}

status sampler_untrained(context *c, device *d, const char *path, int batch, int micro, uint64_t seed,
                         initialisation how, sampler **out)
{
    status s = build(c, d, path, batch, micro, out);
    if (!s) s = parameters_initialise(c, (*out)->generator, seed, how);
    if (s)
        sampler_delete(out);
    else
        (*out)->origin.step = (*out)->origin.epoch = 0;
    return s;
}

status sampler_load(context *c, sampler *s, const char *path)
{
    checkpoint_networks n = {.generator = s->generator};
    network_shape shape = s->origin.shape;
    status result = checkpoint_describe(c, path, &s->origin);
    if (!result && memcmp(&shape, &s->origin.shape, sizeof shape))
        return context_fail(c, STATUS_DATA, "%s: its network has another shape than the other checkpoints of the run",
                            path);
    return result ? result : checkpoint_read(c, path, &s->origin, &n, false);
}

void sampler_delete(sampler **pointer)
{
    sampler *s = *pointer;
    if (!s) return;
    network_delete(&s->generator);
    buffer_delete(&s->latents);
    buffer_delete(&s->densities);
    memory_delete(pointer);
}

static status upload_latents(context *c, sampler *s, const float *latents, int count)
{
    int latent = s->generator->shape.latent, stride = layout_channels(latent);
    float *padded = NULL;
    status result = memory_new(c, "latents", (size_t)count * stride, sizeof *padded, &padded);
    for (int i = 0; i < count && !result; i++)
        memcpy(padded + (size_t)i * stride, latents + (size_t)i * latent, latent * sizeof *latents);
    if (!result) result = buffer_write(c, s->latents, 0, padded, (size_t)count * stride * sizeof *padded);
    memory_delete(&padded);
    return result;
}

status sampler_run(context *c, sampler *s, const float *latents, uint64_t seed, enum rng_stream stream, int64_t count,
                   float *images)
{
    int latent = s->generator->shape.latent;
    size_t pixels = (size_t)s->generator->shape.image * s->generator->shape.image;
    device *d = s->generator->device;
    transform_shape transform;
    status result = maps_transform_of(c, &s->origin.trained_on, &transform);
    for (int64_t first = 0; first < count && !result; first += s->batch) {
        int n = (int)(count - first < s->batch ? count - first : s->batch);
        /* Batches of an untrained generator are whole, whatever is taken of the last one. */
        const int made = s->micro ? s->batch : n;
        batching b = {.n = made, .segment = made, .micro = s->micro ? s->micro : made};
        buffer *out = NULL;
        if (latents)
            result = upload_latents(c, s, latents + first * latent, n);
        else
            result = random_normals(c, d, seed, stream, 0, (uint64_t)first * latent, made, latent,
                                    layout_channels(latent), 1.0f, s->latents);
        if (!result)
            result = network_forward(c, s->generator, s->micro ? PASS_TRAIN : PASS_FROZEN, &b, s->latents, &out);
        if (!result) result = transform_inverse(c, d, &transform, n * pixels, out, s->densities);
        if (!result) result = buffer_read(c, s->densities, 0, images + first * pixels, n * pixels * sizeof(float));
        if (!result && context_stop_requested(c))
            result = context_fail(c, STATUS_INTERRUPTED, "stopped while generating maps");
    }
    return result;
}

void sampler_describe(const sampler *s, int64_t count, maps *m)
{
    *m = s->origin.trained_on;
    m->count = count;
    m->ny = m->nx = s->generator->shape.image;
    m->values = NULL;
    m->origin = NULL;
    snprintf(m->estimator, sizeof m->estimator, "%s", s->micro ? "untrained generator" : "generator");
}
