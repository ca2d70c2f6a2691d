/* Maps through a trained autoencoder: images → E → latents → G → images. */
#ifndef NETS_INFER_H
#define NETS_INFER_H

#include "nets/autoencoder.h"

typedef struct {
    autoencoder *a;
    checkpoint origin;
    buffer *densities; /* [batch][image][image] */
} inferrer;

/* From a checkpoint with /generator and /encoder. */
status inferrer_new(context *c, device *d, const char *path, int batch, inferrer **out);
void inferrer_delete(inferrer **i);
/* images [count][image][image], densities as in a maps file whose mean is `mean` (what overdensities are taken of); to
 * inferred, of the same shape and unit, and latents [count][latent]. */
status inferrer_run(context *c, inferrer *i, double mean, const float *images, int64_t count, float *inferred,
                    float *latents);

#endif
