#include "ops/random.h"

#include "ops/launch.h"

status random_normals(context *c, device *d, uint64_t seed, uint32_t stream, uint32_t sub, uint64_t first, int rows,
                      int columns, int stride, float sigma, buffer *out)
{
    if (rows < 0 || columns < 1 || stride < columns)
        return context_fail(c, STATUS_USAGE, "random_normals: %d rows of %d columns, %d apart", rows, columns, stride);
    status s = launch_check(c, "random_normals", "out", out, (size_t)rows * (size_t)stride);
    const uint64_t count = (uint64_t)rows * (uint64_t)columns;
    if (s || !count) return s;
    const uint64_t blocks = (first + count + 3) / 4 - first / 4, vector = (uint64_t)launch_vector(d);
    return launch_run(c, d, "random", "random_normals", "", 0, (size_t)((blocks + vector - 1) / vector),
                      KERNEL_ARGUMENTS(ARG_BUFFER(out), ARG_ULONG(seed), ARG_UINT(stream), ARG_UINT(sub),
                                       ARG_ULONG(first), ARG_ULONG(count), ARG_UINT(columns), ARG_UINT(stride),
                                       ARG_FLOAT(sigma)));
}
