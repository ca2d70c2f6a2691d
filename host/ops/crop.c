#include "ops/crop.h"

#include <stdio.h>
#include "ops/launch.h"

enum { CPU_ROWS = 16 };

status crop_gather(context *c, device *d, const crop_shape *s, buffer *parents, buffer *indices, int first, int count,
                   buffer *out)
{
    const char *what = "crop_gather";
    char options[32];
    if (s->parents < 1 || s->crop < 1 || s->crop > s->ny || s->crop > s->nx || first < 0 || count < 0)
        return context_fail(c, STATUS_USAGE, "%s: %d crops of %d² from %d maps of %d × %d, from index %d", what, count,
                            s->crop, s->parents, s->ny, s->nx, first);
    if ((uint64_t)s->parents * CROP_PER_PARENT > UINT32_MAX)
        return context_fail(c, STATUS_USAGE, "%s: %d parent maps have more than 2^32 sub-images", what, s->parents);
    const size_t side = (size_t)s->crop;
    status r = launch_check(c, what, "parents", parents, (size_t)s->parents * (size_t)s->ny * (size_t)s->nx);
    if (!r) r = launch_check(c, what, "indices", indices, (size_t)first + (size_t)count);
    if (!r) r = launch_check(c, what, "out", out, (size_t)count * side * side);
    if (r) return r;
    const size_t rows = (size_t)launch_batch(d, CPU_ROWS);
    snprintf(options, sizeof options, "-DROWS=%zu", rows);
    return launch_run(c, d, "crop", "crop_gather", options, 0, (size_t)count * ((side + rows - 1) / rows),
                      KERNEL_ARGUMENTS(ARG_BUFFER(parents), ARG_BUFFER(indices), ARG_BUFFER(out), ARG_INT(first),
                                       ARG_INT(count), ARG_UINT((uint32_t)s->parents * CROP_PER_PARENT - 1),
                                       ARG_INT(s->ny), ARG_INT(s->nx), ARG_INT(s->crop)));
}
