/* Maps of many boxes side by side: a pool of threads that make one map each. The giver pushes particles as they come
 * (from files, or from a simulation that keeps the first core busy) and waits only when all threads have work and as
 * many boxes wait. Which thread makes which map changes nothing: a map depends on its particles alone. */
#ifndef MAPS_QUEUE_H
#define MAPS_QUEUE_H

#include <stdint.h>
#include "maps/dtfe.h"

typedef struct dtfe_queue dtfe_queue;

/* threads 0: one per core. e: dtfe_map_ensemble's, copied. Maps are written to values + slot * pixels²; `values` is
 * borrowed until dtfe_queue_finish.
 */
status dtfe_queue_new(context *c, int threads, int pixels, const dtfe_ensemble *e, float *values, dtfe_queue **out);
/* Takes the positions [n][2] in [0, box) (memory_new's) over, also when it fails, and leaves NULL behind. Returns the
 * error of an earlier box as soon as there is one, and STATUS_INTERRUPTED after a stop request. */
status dtfe_queue_push(context *c, dtfe_queue *q, double **positions, int64_t n, double box, int64_t slot);
/* Boxes finished so far. */
int64_t dtfe_queue_done(dtfe_queue *q);
/* Waits for all boxes. The error is that of the lowest slot that failed, with "box SLOT: " before it. */
status dtfe_queue_finish(context *c, dtfe_queue *q);
/* Drops what waits, lets running maps end, joins the threads; NULL-safe. */
void dtfe_queue_delete(dtfe_queue **q);

#endif
