#include "ops/ref/adam_ref.h"

#include <math.h>

bool adam_ref_update(const adam_state *state, double g, double *p, double *m, double *v)
{
    const double t = (double)(state->step + 1);
    if (!isfinite(g)) return false;
    *m = state->beta1 * *m + (1 - state->beta1) * g;
    *v = state->beta2 * *v + (1 - state->beta2) * g * g;
    const double mhat = *m / (1 - pow(state->beta1, t)), vhat = *v / (1 - pow(state->beta2, t));
    *p -= state->lr * mhat / (sqrt(vhat) + state->epsilon);
    return true;
}

double adam_ref_average(double decay, double parameter, double average)
{
    return decay * average + (1 - decay) * parameter;
}
