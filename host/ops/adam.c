#include "ops/adam.h"

#include <math.h>
#include <stdio.h>
#include "ops/launch.h"

enum { CPU_BATCH = 64 }; /* vectors per work-item of a CPU */

status adam_step(context *c, device *d, adam_state *state, size_t count, buffer *parameters, buffer *gradients,
                 buffer *m, buffer *v, buffer *flag)
{
    const char *what = "adam_step";
    char options[32];
    status s = launch_check(c, what, "parameters", parameters, count);
    if (!s) s = launch_check(c, what, "gradients", gradients, count);
    if (!s) s = launch_check(c, what, "m", m, count);
    if (!s) s = launch_check(c, what, "v", v, count);
    if (!s) s = launch_check(c, what, "flag", flag, 1);
    if (!s && !(state->beta1 >= 0 && state->beta1 < 1 && state->beta2 >= 0 && state->beta2 < 1 && state->epsilon > 0))
        s = context_fail(c, STATUS_USAGE, "%s: needs 0 <= beta < 1 and epsilon > 0, not %g, %g and %g", what,
                         state->beta1, state->beta2, state->epsilon);
    if (s) return s;
    const double power1 = state->beta1_power * state->beta1, power2 = state->beta2_power * state->beta2;
    snprintf(options, sizeof options, "-DBATCH=%d", launch_batch(d, CPU_BATCH));
    kernel_work(d, 0, 28. * (double)count);
    s = launch_run(c, d, "adam", "adam_step", options, 0, launch_items(d, count, launch_batch(d, CPU_BATCH)),
                   KERNEL_ARGUMENTS(ARG_BUFFER(parameters), ARG_BUFFER(gradients), ARG_BUFFER(m), ARG_BUFFER(v),
                                    ARG_BUFFER(flag), ARG_ULONG(count), ARG_FLOAT((float)state->beta1),
                                    ARG_FLOAT((float)(1 - state->beta1)), ARG_FLOAT((float)state->beta2),
                                    ARG_FLOAT((float)(1 - state->beta2)), ARG_FLOAT((float)(state->lr / (1 - power1))),
                                    ARG_FLOAT((float)(1 / sqrt(1 - power2))), ARG_FLOAT((float)state->epsilon)));
    if (s) return s;
    state->step++;
    state->beta1_power = power1;
    state->beta2_power = power2;
    return STATUS_OK;
}

status adam_average(context *c, device *d, size_t count, float decay, buffer *parameters, buffer *average)
{
    char options[32];
    status s = launch_check(c, "adam_average", "parameters", parameters, count);
    if (!s) s = launch_check(c, "adam_average", "average", average, count);
    if (s) return s;
    snprintf(options, sizeof options, "-DBATCH=%d", launch_batch(d, CPU_BATCH));
    return launch_run(c, d, "adam", "adam_average", options, 0, launch_items(d, count, launch_batch(d, CPU_BATCH)),
                      KERNEL_ARGUMENTS(ARG_BUFFER(parameters), ARG_BUFFER(average), ARG_ULONG(count), ARG_FLOAT(decay),
                                       ARG_FLOAT(1.0f - decay)));
}
