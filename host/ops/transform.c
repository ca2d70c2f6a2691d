#include <math.h>
#include <stdio.h>
#include "ops/crop.h"
#include "ops/launch.h"

enum { CPU_BATCH = 64 }; /* vectors per work-item of a CPU */

static status check(context *c, const char *what, const transform_shape *t, size_t count, buffer *v, buffer *out)
{
    status s = launch_check(c, what, "v", v, count);
    if (!s) s = launch_check(c, what, "out", out, count);
    if (!s && !((float)t->b > (float)t->a && (float)t->scale > 0 && isfinite((float)t->offset)))
        s = context_fail(c, STATUS_USAGE, "%s: a = %g, b = %g, offset %g, scale %g: needs a < b and scale > 0", what,
                         t->a, t->b, t->offset, t->scale);
    return s;
}

status transform_forward(context *c, device *d, const transform_shape *t, size_t count, buffer *v, buffer *out)
{
    const char *entry = t->kind == TRANSFORM_LINEAR ? "linear_to" : "log_to";
    const float a = (float)t->a, b = (float)t->b;
    char options[32];
    status s = check(c, "transform_forward", t, count, v, out);
    if (s) return s;
    snprintf(options, sizeof options, "-DBATCH=%d", launch_batch(d, CPU_BATCH));
    return launch_run(c, d, "transform", entry, options, 0, launch_items(d, count, launch_batch(d, CPU_BATCH)),
                      KERNEL_ARGUMENTS(ARG_BUFFER(v), ARG_BUFFER(out), ARG_ULONG(count), ARG_FLOAT(a), ARG_FLOAT(b),
                                       ARG_FLOAT(b - a), ARG_FLOAT((float)t->offset), ARG_FLOAT((float)t->scale),
                                       ARG_INT(transform_zero_is_lowest(t))));
}

status transform_inverse(context *c, device *d, const transform_shape *t, size_t count, buffer *v, buffer *out)
{
    const char *entry = t->kind == TRANSFORM_LINEAR ? "linear_from" : "log_from";
    const float a = (float)t->a, b = (float)t->b;
    char options[32];
    status s = check(c, "transform_inverse", t, count, v, out);
    if (s) return s;
    snprintf(options, sizeof options, "-DBATCH=%d", launch_batch(d, CPU_BATCH));
    return launch_run(c, d, "transform", entry, options, 0, launch_items(d, count, launch_batch(d, CPU_BATCH)),
                      KERNEL_ARGUMENTS(ARG_BUFFER(v), ARG_BUFFER(out), ARG_ULONG(count), ARG_FLOAT(0.5f * (b - a)),
                                       ARG_FLOAT(0.5f * (b + a)), ARG_FLOAT((float)t->offset),
                                       ARG_FLOAT((float)t->scale), ARG_INT(transform_zero_is_lowest(t))));
}
