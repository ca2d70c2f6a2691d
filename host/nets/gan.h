/* The GAN (spec section 4): one step, and the training loop around it.
 *
 * Everything random is a function of (seed, step), everything drawn and computed stays on the device, and steps are
 * queued without waiting; the host reads losses and checks for non-finite gradients some steps behind. */
#ifndef NETS_GAN_H
#define NETS_GAN_H

#include "nets/average.h"
#include "nets/checkpoint.h"
#include "nets/parameters.h"
#include "ops/crop.h"
#include "ops/loss.h"

typedef enum { LOSS_MINIMAX, LOSS_NON_SATURATING } gan_loss;
typedef enum { UPDATE_SAME_Z, UPDATE_FRESH_Z, UPDATE_SIMULTANEOUS } gan_update;

typedef struct {
    gan_loss loss;
    gan_update update;
    float label_noise;
    int batch, micro_batch;
    double lr_g, lr_d, beta1, beta2, epsilon;
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

/* Where real sub-images come from. `order` fills the indices (sub_images of them) of an epoch. */
typedef struct {
    crop_shape crop;
    buffer *parents; /* borrowed: transformed parent maps */
    uint32_t sub_images;
    status (*order)(void *user, context *c, uint32_t epoch, uint32_t *indices);
    void *user;
} gan_data;

typedef struct {
    const char *folder; /* state.h5, state.previous.h5, epochs/NNNN.h5, metrics.jsonl */
    int64_t steps;      /* to train in all; 0: epochs decide */
    int64_t epochs;
    int64_t save_every;       /* steps between saved epochs; 0: every epoch */
    const maps *trained_on;   /* borrowed: what checkpoints say of their maps (box of a sub-image) */
    const provenance *origin; /* borrowed */
    const char *resume_hint;  /* the command that goes on, for the message of a stop */
    bool resume;
    bool replace; /* without resume: an older run in the folder may be removed */
} gan_run;

/* Trains until done. STATUS_USAGE when the folder holds an older run that is neither gone on with nor to be replaced.
 * STATUS_STOPPED after a stop request, state saved. STATUS_FAILURE when a gradient was not finite:
 * the last good state stays. */
status gan_train(context *c, gan *g, const gan_data *data, const gan_run *run);

#endif
