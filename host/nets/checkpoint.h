/* Checkpoints (design: Files): networks in PyTorch's names and axis order, Adam's moments where training is to go on,
 * and what is needed to use the networks alone: their shape and the maps they were trained on. */
#ifndef NETS_CHECKPOINT_H
#define NETS_CHECKPOINT_H

#include "base/hash.h"
#include "io/maps_file.h"
#include "nets/average.h"

/* The least validation loss so far and the step it was found at; step 0: none. */
typedef struct {
    double loss;
    int64_t step;
} checkpoint_best;

typedef struct {
    int64_t step, epoch; /* updates done, epochs begun */
    /* SHA-256 of (chain before, step, epoch, all parameters, moments and numbers of Adam as written): equal chains mean
     * equal histories. */
    char chain[SHA256_TEXT], chain_before[SHA256_TEXT];
    checkpoint_best best, best_before; /* best_before: at the state before this one */
    network_shape shape;
    maps trained_on; /* what generated maps inherit: box_mpc_h of a sub-image, mean, transform, …; no values */
} checkpoint;

/* Networks to write or read; NULL ones are left out. One without moments is frozen: its weights are all it has. */
typedef struct {
    network *generator, *discriminator, *encoder;
    network_average *average; /* of the generator; when set, written in its place, beside it in a resume state */
} checkpoint_networks;

enum { CHECKPOINT_NAME = 192 }; /* bytes of a tensor's name in a file */

/* Writes the file; extends k->chain when moments are written (a resume state). */
status checkpoint_write(context *c, const char *path, checkpoint *k, const checkpoint_networks *n, bool moments,
                        const provenance *p);
/* A state with the gradients of the trained networks beside it (/gradient/generator/conv.0.weight, …) and the steps
 * that they may be of (attributes first_step and last_step of /gradient). `found` gets the first of them that is
 * not finite, "generator/conv.0.weight"; "" if all are. k stays as it is. */
status checkpoint_dump(context *c, const char *path, const checkpoint *k, const checkpoint_networks *n,
                       int64_t first_step, int64_t last_step, const provenance *p, char found[CHECKPOINT_NAME]);
/* k->chain as a state of the networks as they stand would have it (k->step and k->epoch set); writes nothing. */
status checkpoint_chain(context *c, checkpoint *k, const checkpoint_networks *n);
/* In `found` the first tensor of the file that has other bits than the networks, "generator/conv.0.weight"; "" if none
 * has. */
status checkpoint_compare(context *c, const char *path, const checkpoint_networks *n, bool moments,
                          char found[CHECKPOINT_NAME]);
/* Header alone, to build the networks from. */
status checkpoint_describe(context *c, const char *path, checkpoint *k);
/* Parameters (and moments) into networks of the file's shape; checks the hash of a resume state. Packs the weights. */
status checkpoint_read(context *c, const char *path, checkpoint *k, const checkpoint_networks *n, bool moments);

#endif
