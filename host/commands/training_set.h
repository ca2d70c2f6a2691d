/* The sub-images of a maps file as the training loop takes them. */
#ifndef COMMANDS_TRAINING_SET_H
#define COMMANDS_TRAINING_SET_H

#include "base/config.h"
#include "dataset/dataset.h"
#include "nets/training.h"

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

#endif
