/* New maps from a trained generator. */
#ifndef NETS_GENERATE_H
#define NETS_GENERATE_H

#include "base/rng.h"
#include "nets/checkpoint.h"
#include "nets/parameters.h"

typedef struct {
    network *generator;
    checkpoint origin;
    int batch;
    int micro; /* of an untrained generator: samples that share the statistics of batch normalisation; else 0 */
    buffer *latents, *densities;
} sampler;

/* From a checkpoint or a saved epoch. */
status sampler_new(context *c, device *d, const char *path, int batch, sampler **out);
/* Another set of weights of the same shape into the same sampler. */
status sampler_load(context *c, sampler *s, const char *path);
/* The generator of the checkpoint's run as its training began: shape and maps of the checkpoint, weights from (seed,
 * RNG_INIT). Its running statistics are none yet, so it normalises by those of whole micro-batches, as in training; a
 * map then depends on the latents beside its own, but not on how many maps are made. */
status sampler_untrained(context *c, device *d, const char *path, int batch, int micro, uint64_t seed,
                         initialisation how, sampler **out);
void sampler_delete(sampler **s);
/* Latents [count][latent] from the host, or NULL: those of (seed, stream), the same for every checkpoint of a shape;
 * the stream is RNG_GENERATE or RNG_SELECT. images [count][image][image] gets linear densities in particles per pixel.
 */
status sampler_run(context *c, sampler *s, const float *latents, uint64_t seed, enum rng_stream stream, int64_t count,
                   float *images);
/* A maps file's description of generated maps: m->values must be set by the caller. */
void sampler_describe(const sampler *s, int64_t count, maps *m);

#endif
