/* The training loop that the GAN and the encoder share: sub-images drawn in the order of the seed, metrics, saved
 * epochs, the best of them by validation, states to go on from, stop requests, the hash chain.
 *
 * Everything is a function of (seed, step): a run that was stopped or killed and gone on with ends with the bits of one
 * that never stopped. Steps are queued without waiting; the host reads losses and checks for gradients that are not
 * finite some steps behind. */
#ifndef NETS_TRAINING_H
#define NETS_TRAINING_H

#include "nets/checkpoint.h"
#include "ops/crop.h"

/* Where sub-images come from. `order` fills the indices (sub_images of them) of an epoch. */
typedef struct {
    crop_shape crop;
    buffer *parents; /* borrowed: transformed parent maps */
    uint32_t sub_images;
    status (*order)(void *user, context *c, uint32_t epoch, uint32_t *indices);
    void *user;
} training_data;

typedef struct {
    const char *folder;       /* what saved.h lists */
    int64_t steps;            /* to train in all; 0: epochs decide */
    int64_t epochs;           /* passes over the sub-images */
    int64_t save_every;       /* steps between saved epochs; 0: every epoch */
    const maps *trained_on;   /* borrowed: what checkpoints say of their maps (box of a sub-image) */
    const provenance *origin; /* borrowed */
    const char *resume_hint;  /* the command that goes on, for the message of a stop */
    bool resume;
    bool replace; /* without resume: an older run in the folder may be removed */
} training_run;

/* A column of the metrics buffer and its name in metrics.jsonl. */
typedef struct {
    const char *name;
    int column;
} training_column;

/* A learning rate, its name in metrics.jsonl and what it is before it falls. */
typedef struct {
    const char *name;
    double *value, full;
} training_rate;
enum { TRAINING_RATES = 2 };

/* What is trained. All is borrowed. */
typedef struct {
    const char *name;             /* of the progress: "train gan" */
    const char *batch_key;        /* configuration keys for messages: "gan.batch" */
    const char *rate_keys;        /* "gan.lr_g and gan.lr_d" */
    checkpoint_networks networks; /* of a state; frozen ones are those without moments */
    checkpoint_networks weights;  /* of a saved epoch */
    void *model;
    int64_t *step;                             /* updates done, counted by `update` */
    status (*update)(context *c, void *model); /* queues one step */
    int batch;                                 /* sub-images of a step */
    buffer *images;                            /* gets them before each step; NULL: the model needs none */
    buffer *flag;                              /* int32: a gradient was not finite */
    buffer *metrics;                           /* float32 [rows][stride]; step s (from 0) reports in row s mod rows */
    int rows, stride;
    const training_column *columns;      /* ended by a NULL name */
    training_rate rates[TRAINING_RATES]; /* a NULL name: none */
    double decay;                        /* share of the steps, at the end, in which they fall linearly to 0 */
    /* The losses of a row in words. */
    void (*describe)(const float *row, char *text, size_t size);
    /* Loss over the validation part where the model stands; the least is kept as best.h5. NULL: none. */
    status (*validate)(context *c, void *model, double *loss);
} trainer;

/* Trains until done. STATUS_USAGE when the folder holds an older run that is neither gone on with nor to be replaced.
 * STATUS_STOPPED after a stop request, state saved. STATUS_FAILURE when a gradient was not finite: the last good state
 * stays. *best gets the least validation loss and its step (may be NULL). */
status training_go(context *c, const trainer *of, const training_data *data, const training_run *run,
                   checkpoint_best *best);

/* ---- a run over again */

typedef struct {
    int64_t from;  /* steps done where the replay is to begin; -1: the last state before the end of the run */
    int64_t steps; /* to replay from there; 0: up to the end of the run */
    /* Called before steps that left no rates in metrics.jsonl, to set those they were made with: with the saved epoch
     * that ends the steps to come, NULL where there is none. */
    status (*rates)(void *user, context *c, const char *epoch_path);
    void *user;
} training_replay_options;

typedef struct {
    int64_t first, last;         /* steps done before and after */
    int64_t hashes, links;       /* fingerprints of steps, and saved epochs and states, that were compared */
    int64_t step;                /* the first whose fingerprint is another than the recorded one; 0: none */
    int64_t link;                /* the first step at which a file has other bits; 0 with file "": none */
    char start[32];              /* "state.h5"; "" for first weights */
    char file[32];               /* "epochs/0002.h5" */
    char found[CHECKPOINT_NAME]; /* its first tensor that differs; "" where only the chain does */
} training_verdict;

/* Trains again what a run trained and compares with what it left: the fingerprint of every step in metrics.jsonl, the
 * weights of every saved epoch, the chain of every state. Begins at the saved state nearest before options->from, else
 * at the first weights, which the model must hold; goes on to the next file behind the first difference. Writes
 * nothing. */
status training_replay(context *c, const trainer *of, const training_data *data, const training_run *run,
                       const training_replay_options *options, training_verdict *verdict);

#endif
