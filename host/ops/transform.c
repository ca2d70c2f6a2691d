#include <math.h>
#include <stdio.h>
#include "ops/crop.h"
#include "ops/launch.h"

enum { CPU_BATCH = 64 }; /* vectors per work-item of a CPU */

/* The 3D transform maps an empty pixel to exactly −1: a is ln offset there, but neither a nor the logarithm on the
 * device is exact. So where a is ln offset to float precision, 0 ↔ −1 is a rule of its own. */
static bool zero_is_lowest(const transform_shape *t)
{
    return t->offset > 0 && fabs(log((double)t->offset) - t->a) <= fabs((double)t->a) * 0x1p-21;
}

static status check(context *c, const char *what, const transform_shape *t, size_t count, buffer *v, buffer *out)
{
    status s = launch_check(c, what, "v", v, count);
    if (!s) s = launch_check(c, what, "out", out, count);
    if (!s && !(t->b > t->a && t->scale > 0 && isfinite(t->offset)))
        s = context_fail(c, STATUS_USAGE, "%s: a = %g, b = %g, offset %g, scale %g: needs a < b and scale > 0", what,
                         (double)t->a, (double)t->b, (double)t->offset, (double)t->scale);
    return s;
}

status transform_forward(context *c, device *d, const transform_shape *t, size_t count, buffer *v, buffer *out)
{
    char options[32];
    status s = check(c, "transform_forward", t, count, v, out);
    if (s) return s;
    snprintf(options, sizeof options, "-DBATCH=%d", launch_batch(d, CPU_BATCH));
    return launch_run(c, d, "transform", "transform_to", options, 0, launch_items(d, count, launch_batch(d, CPU_BATCH)),
                      KERNEL_ARGUMENTS(ARG_BUFFER(v), ARG_BUFFER(out), ARG_ULONG(count), ARG_FLOAT(t->a),
                                       ARG_FLOAT(t->b), ARG_FLOAT(t->b - t->a), ARG_FLOAT(t->offset),
                                       ARG_FLOAT(t->scale), ARG_INT(zero_is_lowest(t))));
}

status transform_inverse(context *c, device *d, const transform_shape *t, size_t count, buffer *v, buffer *out)
{
    char options[32];
    status s = check(c, "transform_inverse", t, count, v, out);
    if (s) return s;
    snprintf(options, sizeof options, "-DBATCH=%d", launch_batch(d, CPU_BATCH));
    return launch_run(c, d, "transform", "transform_from", options, 0,
                      launch_items(d, count, launch_batch(d, CPU_BATCH)),
                      KERNEL_ARGUMENTS(ARG_BUFFER(v), ARG_BUFFER(out), ARG_ULONG(count),
                                       ARG_FLOAT(0.5f * (t->b - t->a)), ARG_FLOAT(0.5f * (t->b + t->a)),
                                       ARG_FLOAT(t->offset), ARG_FLOAT(t->scale), ARG_INT(zero_is_lowest(t))));
}
