#include "base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/inject.h"

enum { MEMORY_ALIGNMENT = 64 };

static injection failures = {.variable = "COSMOCL_FAIL_ALLOCATION"};
static atomic_long live; /* blocks given out and not yet released */

void memory_fail_at(long n)
{
    injection_set(&failures, n, false, NULL);
}

long memory_failure_left(void)
{
    return injection_left(&failures);
}

long memory_live(void)
{
    return atomic_load(&live);
}

static void release(void *p)
{
    if (p) atomic_fetch_sub(&live, 1);
    free(p);
}

static status memory_failed(context *c, const char *what, size_t count, size_t size)
{
    double mib = (double)count * (double)size / 1048576.;
    return context_fail(c, STATUS_MEMORY, "%s: no memory for %.*f MiB", what, mib < 10 ? 2 : 0, mib);
}

/* NULL on overflow or when memory is out. The size is rounded up as aligned_alloc demands, and never 0. */
static void *allocate(size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - MEMORY_ALIGNMENT) return NULL;
    if (injection_due(&failures)) return NULL;
    size_t rounded = (bytes / MEMORY_ALIGNMENT + 1) * MEMORY_ALIGNMENT;
    void *p = aligned_alloc(MEMORY_ALIGNMENT, rounded);
    if (p) atomic_fetch_add(&live, 1);
    return p;
}

status memory_new(context *c, const char *what, size_t count, size_t size, void *out_pointer)
{
    void *p = allocate(count, size);
    if (p) memset(p, 0, count * size);
    memcpy(out_pointer, &p, sizeof p);
    return p ? STATUS_OK : memory_failed(c, what, count, size);
}

void memory_delete(void *pointer_to_pointer)
{
    if (!pointer_to_pointer) return;
    void *p = NULL;
    memcpy(&p, pointer_to_pointer, sizeof p);
    release(p);
    p = NULL;
    memcpy(pointer_to_pointer, &p, sizeof p);
}

status memory_grow(context *c, const char *what, size_t old_count, size_t count, size_t size, void *out_pointer)
{
    void *old = NULL;
    memcpy(&old, out_pointer, sizeof old);
    if (old && count <= old_count) return STATUS_OK;
    void *p = allocate(count, size);
    if (!p) return memory_failed(c, what, count, size); /* the old block stays with the caller */
    size_t kept = old ? old_count * size : 0;
    if (kept) memcpy(p, old, kept);
    memset((char *)p + kept, 0, count * size - kept);
    release(old);
    memcpy(out_pointer, &p, sizeof p);
    return STATUS_OK;
}

status memory_copy_string(context *c, const char *text, char **out)
{
    size_t size = strlen(text) + 1;
    status s = memory_new(c, "text", size, 1, out);
    if (s == STATUS_OK) memcpy(*out, text, size);
    return s;
}
