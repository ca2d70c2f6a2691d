/* The autoencoder (spec section 4): an encoder E trained in front of a frozen generator G, with
 *   latent  L = mean over the batch of Σ (TD(x) − TD(G(E(x))))²  (paper eq. 7), TD the frozen discriminator without its
 *           dense layer,
 *   pixel   L = mean over the batch of Σ (x − G(E(x)))², of transformed pixels in [−1, 1],
 *   z       L = mean over the batch of Σ (z − E(G(z)))², z ~ N(0, 1) drawn anew each step: the sanity experiment.
 * Frozen networks normalise by their running statistics and are never written to; E trains as the networks of the GAN
 * do. Everything random is a function of (seed, step); a step only queues work. */
#ifndef NETS_AUTOENCODER_H
#define NETS_AUTOENCODER_H

#include "nets/checkpoint.h"
#include "nets/parameters.h"

typedef enum { ENCODER_LATENT, ENCODER_PIXEL, ENCODER_Z } encoder_loss;

typedef struct {
    encoder_loss loss;
    int batch, micro_batch;
    double lr, beta1, beta2, epsilon;
    uint64_t seed;
} encoder_options;

/* From the sections [encoder] and [run], and Adam's betas and epsilon of [gan]. */
status encoder_options_read(context *c, const config *cfg, encoder_options *o);

typedef struct {
    encoder_options o;
    device *device; /* borrowed */
    network *generator, *encoder;
    network *discriminator; /* NULL unless the loss is latent */
    batching one;
    buffer *images;            /* [batch][image][image] in [−1, 1]: the caller's, or G(z) with loss z */
    buffer *latents;           /* [batch][padded latent]: z of loss z; else NULL */
    buffer *features;          /* TD(x) of loss latent; else NULL */
    buffer *dout, *dimages;    /* gradients on their way back to the encoder: of codes or features, of images */
    buffer *scratch, *metrics; /* metrics [ENCODER_METRIC_ROWS]: the loss of step s in row s mod the rows */
    buffer *flag;              /* int32: a gradient was not finite */
    int64_t step;              /* updates done */
} autoencoder;

enum { ENCODER_METRIC_ROWS = 64 };

/* Networks of the shape; frozen ones must be read into generator and discriminator before the first step
 * (checkpoint_read), the encoder by autoencoder_initialise or checkpoint_read. */
status autoencoder_new(context *c, device *d, const encoder_options *o, const network_shape *s, autoencoder **out);
void autoencoder_delete(autoencoder **a);
/* First weights of the encoder from the seed. */
status autoencoder_initialise(context *c, autoencoder *a, initialisation how);
/* FLOP of one step. */
double autoencoder_step_flops(const encoder_options *o, const network_shape *s);

/* One update of the encoder from a->images (loss z draws its own). Queues only. */
status autoencoder_step(context *c, autoencoder *a);
/* Loss of a->images with the encoder frozen as well, into row 0 … ENCODER_METRIC_ROWS − 1 of the metrics; n ≤ batch
 * images count. With loss z the latents are those of (seed, RNG_VALIDATE, index `draw`). */
status autoencoder_validate(context *c, autoencoder *a, int n, uint32_t draw, int row);
/* Codes and images of a->images, all networks frozen: *latents [n][padded latent] and *images [n][image][image] are
 * borrowed until the next call. */
status autoencoder_infer(context *c, autoencoder *a, int n, buffer **latents, buffer **images);

#endif
