/* The fastest tiles for one direction of one layer on a device, by trying: from the device's own tiles in small moves,
 * each kept when it is clearly faster. A candidate is checked before it is timed: against the oracle within the
 * self-test's bound, and against the device's own tiles to the bit, so that fast and wrong never wins.
 *
 * For tests, COSMOCL_BREAK_TILE=NAME=NUMBER falsifies the results of candidates with that value, and
 * COSMOCL_BREAK_TILE=NAME=NUMBER:bits only the last bit of one. */
#ifndef OPS_CONV_TUNE_H
#define OPS_CONV_TUNE_H

#include "ops/conv_tuning.h"

typedef struct {
    conv_shape shape;
    int direction; /* CONV_FORWARD, … */
    batching b;
} conv_tune_layer;

typedef struct {
    conv_tiles tiles;         /* the best so far; at first where to begin */
    double before_s, after_s; /* of one run by the device's own tiles and by these */
    int tried, rejected;      /* candidates; those that were wrong or did not run */
    int next;                 /* where to go on: moves done so far, of all passes */
    bool finished;            /* no move is left to try */
} conv_tune_result;

/* Who listens. The first status that is not STATUS_OK ends the search. */
typedef struct {
    status (*tried)(void *user, const conv_tune_result *r);  /* after each candidate */
    status (*better)(void *user, const conv_tune_result *r); /* worth keeping now */
    status (*rejected)(void *user, const char *tiles, const char *why);
    void *user;
} conv_tune_listener;

/* Goes on from r->tiles and r->next until clock_seconds() reaches until_s, or the context is asked to stop: STATUS_OK
 * with what was found so far. STATUS_SELFTEST when the device's own tiles (`base`) are wrong already. */
status conv_tune(context *c, device *d, const conv_tune_layer *l, const conv_tiles *base, double until_s,
                 const conv_tune_listener *who, conv_tune_result *r);
/* Candidates of a search at most, for the progress. */
int conv_tune_moves(const conv_tune_layer *l, const device_record *r);
/* The n-th name of the values that matter to the layer's direction, for the record; NULL behind the last. */
const char *conv_tune_name(const conv_tune_layer *l, int n);

#endif
