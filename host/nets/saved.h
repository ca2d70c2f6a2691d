/* What the folder of a training run holds:
 *   metrics.jsonl                  a row per step and one per validation
 *   state.h5, state.previous.h5    all that is needed to go on, two generations
 *   epochs/NNNN.h5                 the weights of every saved epoch
 *   best.h5                        the saved epoch of the least validation loss, where there is one
 *   select.json                    scores of the saved epochs
 *   nonfinite.h5                   networks and gradients where a gradient was not finite */
#ifndef NETS_SAVED_H
#define NETS_SAVED_H

#include <stdbool.h>
#include <stdint.h>
#include "base/context.h"

/* The generations of the state, newest first. */
enum { SAVED_STATES = 2 };
extern const char *const saved_states[SAVED_STATES];
/* path has FILES_PATH bytes. */
status saved_state_path(context *c, const char *run, int generation, char *path);
/* Numbers of the saved epochs, ascending (memory_delete); none where the folder is missing. */
status saved_epochs(context *c, const char *run, int64_t **numbers, int *count);
/* path has FILES_PATH bytes. */
status saved_epoch_path(context *c, const char *run, int64_t number, char *path);
/* Whether there is a state, an epoch or a best one: work that would be lost. */
status saved_any(context *c, const char *run, bool *any);
/* Removes all of the above; other files stay. */
status saved_remove(context *c, const char *run);

#endif
