/* Plain float64 oracles of ops/adam.h, one parameter at a time, without the kernel's flushes. */
#ifndef OPS_REF_ADAM_REF_H
#define OPS_REF_ADAM_REF_H

#include <stdbool.h>
#include "ops/adam.h"

/* Update number state->step + 1 (state is not changed; powers by pow). False, and nothing done, if g is not finite. */
bool adam_ref_update(const adam_state *state, double g, double *p, double *m, double *v);
double adam_ref_average(double decay, double parameter, double average);

#endif
