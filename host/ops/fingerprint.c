#include "ops/fingerprint.h"

#include <stdio.h>
#include "ops/launch.h"

/* Few work-items, each ending in two atomic sums; on a CPU blocks that stay in a cache line's neighbourhood. */
enum { ITEMS_CPU = 64, ITEMS_OTHER = 16384, BATCH_CPU = 64 };

status fingerprint_add(context *c, device *d, buffer *x, size_t offset, size_t count, uint32_t first, buffer *out,
                       int row)
{
    const char *what = "fingerprint_add";
    char options[32];
    status s = launch_check(c, what, "x", x, offset + count);
    if (!s) s = launch_check(c, what, "out", out, 2 * ((size_t)row + 1));
    if (s || !count) return s;
    const int batch = launch_batch(d, BATCH_CPU);
    size_t items = launch_items(d, count, batch);
    const size_t most = device_info(d)->is_cpu ? ITEMS_CPU : ITEMS_OTHER;
    if (items > most) items = most;
    snprintf(options, sizeof options, "-DBATCH=%d", batch);
    return launch_run(c, d, "fingerprint", "fingerprint", options, 0, items,
                      KERNEL_ARGUMENTS(ARG_BUFFER(x), ARG_BUFFER(out), ARG_ULONG(offset), ARG_ULONG(count),
                                       ARG_UINT(first), ARG_UINT(items), ARG_INT(row)));
}
