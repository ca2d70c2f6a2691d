/* A training run under way: what its parts share. training.c is the loop, training_steps.c a step and what it leaves,
 * training_state.c the files, training_dump.c what is left of a gradient that is not finite, training_replay.c the run
 * over again. */
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
    uint32_t *order;       /* of the current epoch, on the host */
    buffer *indices;       /* the same on the device */
    buffer *prints;        /* uint32 [rows][2]: fingerprints of the parameters after the steps in flight */
    uint32_t (*hashes)[2]; /* the same on the host */
    float *rows;           /* the metrics on the host */
    int64_t per_epoch, total, save_every;
    bool decays;       /* the rates are the loop's, not those of a record */
    int64_t reported;  /* steps whose metrics were written */
    bool end_unsaved;  /* gone on with where it ends, after a stop whose weights are no saved epoch */
    int64_t in_flight; /* most steps queued ahead of the host */
    double reported_at, began;
    progress progress;
} training;

/* ---- training_steps.c */

/* Sizes and buffers; touches no file. */
status training_prepare(training *t);
void training_release(training *t);
/* The order of the epoch that the next step is of. */
status training_enter_epoch(training *t);
/* The learning rates of the update after `step` updates. */
void training_set_rates(const training *t, int64_t step);
/* Queues one step and the fingerprint of what it leaves. */
status training_step(training *t);
/* Waits for the steps up to now: metrics into t->rows, fingerprints into t->hashes, both in row (step − 1) mod rows.
 * *finite is false when a gradient of them was not. */
status training_collect(training *t, bool *finite);
/* "89abcdef01234567" of the step. */
enum { TRAINING_HASH = 17 };
void training_hash_text(const training *t, int64_t step, char text[TRAINING_HASH]);

/* ---- training_state.c */

/* path gets FILES_PATH bytes. */
status training_path(training *t, char *path, const char *name);
/* The folder of a new run, or the state of the run in it that is gone on with. */
status training_begin(training *t);
status training_save_state(training *t);
/* The networks as they are, as epochs/NNNN.h5. */
status training_save_epoch(training *t);
/* A validation loss of the epoch just saved; the least so far makes it best.h5. */
status training_keep_best(training *t, double loss);
/* The newer of the two states that can be read, into the networks and t->state. STATUS_DATA: none can. *older (may be
 * NULL): it is state.previous.h5. path has FILES_PATH bytes. */
status training_read_state(training *t, char *path, bool *older);

/* ---- training_dump.c */

/* A gradient was not finite in the steps since the last report: leaves nonfinite.h5 and fails with what was found. */
status training_stop_nonfinite(training *t);
/* Removes nonfinite.h5 once a state is behind the steps that it is of. */
void training_forget_nonfinite(training *t);

#endif
