/* The encoder of the autoencoder as the training loop takes it (training.h). */
#ifndef NETS_ENCODER_TRAIN_H
#define NETS_ENCODER_TRAIN_H

#include "nets/autoencoder.h"
#include "nets/training.h"

typedef struct {
    autoencoder *a;     /* borrowed */
    buffer *validation; /* borrowed: transformed images [count][image][image]; NULL with loss z, which draws its own */
    int64_t count;
} encoder_model;

/* Borrows m. States hold G, D (where the loss needs it) and E, saved epochs G and E. The validation loss is the mean
 * over m->count images, in batches of the training's size, in order; with loss z over as many latents of the seed. */
trainer encoder_trainer(encoder_model *m);

#endif
