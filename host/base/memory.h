/* The one place that allocates host memory: zeroed, checked for overflow, aligned to 64 bytes, with a message that
 * names what it was for; also where tests make the n-th allocation fail (COSMOCL_FAIL_ALLOCATION=n). */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include "base/context.h"

/* count × size zeroed bytes in *out. STATUS_MEMORY: "what: no memory for N MiB". count 0 gives a valid pointer. */
status memory_new(context *c, const char *what, size_t count, size_t size, void *out_pointer);
/* Frees *pointer and sets it to NULL; NULL-safe. */
void memory_delete(void *pointer_to_pointer);
/* Grows to at least `count` elements, keeping the contents (capacity doubling is the caller's). */
status memory_grow(context *c, const char *what, size_t old_count, size_t count, size_t size, void *out_pointer);
status memory_copy_string(context *c, const char *text, char **out);

/* For tests: the n-th allocation from now on fails (once), 0: none. COSMOCL_FAIL_ALLOCATION does it from the start. */
void memory_fail_at(long n);
/* Allocations up to that one, with it; 0: it has come. */
long memory_failure_left(void);
/* Blocks of all threads that were allocated and not yet released. */
long memory_live(void);

#endif
