/* Runs a function in a child process, so that a library that crashes or hangs takes only the child with it. Where the
 * function calls OpenCL, the parent must not have done so before: drivers do not survive a fork. */
#ifndef BASE_ISOLATE_H
#define BASE_ISOLATE_H

#include "base/context.h"
#include <stddef.h>

/* Fills `data` (the capacity given to isolate_run) and *size with its answer. */
typedef status isolate_function(context *c, const void *user, void *data, size_t *size);

typedef struct {
    bool back;        /* the function came back */
    status s;         /* what it returned; STATUS_FAILURE when it did not come back */
    char reason[512]; /* its message, or "crashed (Segmentation fault)", or "did not answer within 60 s" */
    size_t size;      /* of its answer */
} isolate_result;

/* The answer goes to data, of at most `capacity` bytes. Fails only if there is no child at all; what became of it is in
 * *result. */
status isolate_run(context *c, isolate_function *f, const void *user, double timeout_s, void *data, size_t capacity,
                   isolate_result *result);

#endif
