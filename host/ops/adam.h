/* Adam (Kingma & Ba 2015) over a whole arena in one launch, PyTorch's form: m ← β1 m + (1−β1) g, v ← β2 v + (1−β2) g²,
 * p ← p − lr · m̂ / (√v̂ + ε). Bias corrections are computed on the host by repeated multiplication in double. */
#ifndef OPS_ADAM_H
#define OPS_ADAM_H

#include "device/kernel.h"

typedef struct {
    double lr, beta1, beta2, epsilon;
    int64_t step;                    /* updates done so far */
    double beta1_power, beta2_power; /* β^step; 1 at step 0 */
} adam_state;

/* One update (state->step grows by one). Where a gradient is not finite, the word of `flag` (int32 [1]) is set to 1 and
 * that parameter and its moments stay as they were. */
status adam_step(context *c, device *d, adam_state *state, size_t count, buffer *parameters, buffer *gradients,
                 buffer *m, buffer *v, buffer *flag);
/* average ← decay · average + (1 − decay) · parameters (moving average of the generator's weights). */
status adam_average(context *c, device *d, size_t count, float decay, buffer *parameters, buffer *average);

#endif
