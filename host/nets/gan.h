/* The GAN (spec section 4): its step, for the loop of training.h.
 *
 * Everything random is a function of (seed, step), everything drawn and computed stays on the device, and a step only
 * queues work. */
#ifndef NETS_GAN_H
#define NETS_GAN_H

#include "nets/parameters.h"
#include "nets/training.h"
#include "ops/loss.h"

typedef enum { LOSS_MINIMAX, LOSS_NON_SATURATING } gan_loss;
typedef enum { UPDATE_SAME_Z, UPDATE_FRESH_Z, UPDATE_SIMULTANEOUS } gan_update;

typedef struct {
    gan_loss loss;
    gan_update update;
    float label_noise;
    int batch, micro_batch;
    double lr_g, lr_d, beta1, beta2, epsilon;
    double decay;  /* share of the steps, at the end, in which the rates fall linearly to 0 */
    float average; /* decay of the moving average of the generator's weights; 0: none */
    uint64_t seed;
} gan_options;

/* From the sections [gan] and [run]. */
status gan_options_read(context *c, const config *cfg, gan_options *o);

typedef struct {
    gan_options o;
    device *device; /* borrowed */
    network *generator, *discriminator;
    batching both, one; /* real and generated samples; generated alone */
    buffer *images;     /* [2 · batch][image][image]: real, then generated */
    buffer *generated;  /* a view of its second half, a copy where that is not aligned */
    bool copied;
    buffer *latents; /* [batch][padded latent] */
    buffer *dlogits, *dimages;
    buffer *metrics;          /* [rows][LOSS_COLUMNS] */
    buffer *flag;             /* int32: a gradient was not finite */
    network_average *average; /* of the generator; NULL without */
    int64_t step;             /* updates done */
} gan;

enum { GAN_METRIC_ROWS = 64 }; /* step s reports in row s mod 64 */

status gan_new(context *c, device *d, const gan_options *o, const network_shape *s, gan **out);
void gan_delete(gan **g);
/* First weights from the seed. */
status gan_initialise(context *c, gan *g, initialisation how);
/* FLOP of one step. */
double gan_step_flops(const gan_options *o, const network_shape *s);

/* Latents of the current step into g->latents (draw 0; draw 1 is the fresh z of the generator's update). */
status gan_draw_latents(context *c, gan *g, int draw);
/* One update of both networks from the real images in the first half of g->images and g->latents. Queues only. */
status gan_step(context *c, gan *g);

/* The GAN as the training loop takes it (borrows g), and the loop with it. */
typedef training_data gan_data;
typedef training_run gan_run;
trainer gan_trainer(gan *g);
status gan_train(context *c, gan *g, const gan_data *data, const gan_run *run);

#endif
