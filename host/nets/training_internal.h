/* A training run under way: what training.c (the loop) and training_state.c (its files) share. */
#ifndef NETS_TRAINING_INTERNAL_H
#define NETS_TRAINING_INTERNAL_H

#include "base/progress.h"
#include "nets/training.h"

typedef struct {
    context *c;
    const trainer *of;
    const training_data *data;
    const training_run *run;
    checkpoint state;
    uint32_t *order; /* of the current epoch, on the host */
    buffer *indices; /* the same on the device */
    int64_t per_epoch, total, save_every;
    int64_t reported;  /* steps whose metrics were written */
    int64_t in_flight; /* most steps queued ahead of the host */
    double reported_at, began;
    progress progress;
} training;

/* path gets FILES_PATH bytes. */
status training_path(training *t, char *path, const char *name);
/* The folder of a new run, or the state of the run in it that is gone on with. */
status training_begin(training *t);
status training_save_state(training *t);
/* The networks as they are, as epochs/NNNN.h5. */
status training_save_epoch(training *t);
/* A validation loss of the epoch just saved; the least so far makes it best.h5. */
status training_keep_best(training *t, double loss);

#endif
