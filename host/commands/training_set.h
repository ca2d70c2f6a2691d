/* What the training loop takes: the sub-images of a maps file, and what is trained on them. */
#ifndef COMMANDS_TRAINING_SET_H
#define COMMANDS_TRAINING_SET_H

#include "base/config.h"
#include "dataset/dataset.h"
#include "nets/autoencoder.h"
#include "nets/gan.h"

typedef struct {
    dataset *data;
    uint64_t seed;
    maps trained_on; /* what checkpoints say of their maps; owns nothing */
} training_set;

/* Of the configuration's split, crop and seed. */
status training_set_open(context *c, device *d, const maps *m, const config *cfg, training_set *out);
void training_set_delete(training_set *t);
/* Borrows t. */
training_data training_set_source(const training_set *t);
/* The images of the statistics of the validation part, transformed, on the device: [*count][crop][crop]. STATUS_USAGE
 * where there are none. */
status training_set_validation(context *c, const training_set *t, device *d, const maps *m, buffer **images,
                               int64_t *count);

/* ---- the models of a configuration, with their first weights */

status training_gan_new(context *c, device *d, const config *cfg, const training_set *t, gan **out);
/* In front of the networks of the checkpoint at gan_path. */
status training_encoder_new(context *c, device *d, const config *cfg, const char *gan_path, autoencoder **out);

#endif
