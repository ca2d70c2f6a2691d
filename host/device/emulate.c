/* COSMOCL_EMULATE=KIND, for tests: every device gets the capability record of a kind below, so that all that the
 * program chooses by it (vector widths, tiles, work-groups, chunks, atomics or copies) runs here as it would run there.
 * What a device is asked to be may change its speed and never its results (tests/portability). An unknown kind is an
 * error that lists them; tests take the list from it. */
#include "device/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    bool is_cpu;
    int native_vector, compute_units;
    size_t max_work_group, local_bytes;
} kind;

/* One for each way that a choice by the record can go. */
static const kind kinds[] = {
    {"cpu-16", true, 16, 2, 4096, 1 << 18},  {"cpu-8", true, 8, 2, 4096, 1 << 18},
    {"cpu-4", true, 4, 1, 4096, 1 << 18},    {"cpu-many", true, 16, 64, 4096, 1 << 18},
    {"gpu", false, 1, 40, 1024, 64 << 10},   {"gpu-one", false, 4, 1, 256, 32 << 10},
    {"gpu-small", false, 4, 3, 16, 4 << 10},
};

status emulate_apply(context *c, device_record *r)
{
    const char *name = getenv("COSMOCL_EMULATE");
    char list[256] = "";
    size_t used = 0;
    if (!name || !*name) return STATUS_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const kind *k = &kinds[i];
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", k->name);
        if (strcmp(name, k->name)) continue;
        r->is_cpu = k->is_cpu;
        r->is_gpu = !k->is_cpu;
        r->native_vector = k->native_vector;
        r->compute_units = k->compute_units;
        if (k->max_work_group < r->max_work_group) r->max_work_group = k->max_work_group;
        if (k->local_bytes < r->local_bytes) r->local_bytes = k->local_bytes;
        return STATUS_OK;
    }
    return context_fail(c, STATUS_USAGE, "COSMOCL_EMULATE=%s: unknown; there are %s", name, list);
}
