/* Progress of a stage: rate, share, time left and a free text (losses), handed to the context's sink at most ten times
 * a second on a terminal and every 10 s elsewhere (the sink's choice; here only the text is made). */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdint.h>
#include "base/context.h"

typedef struct {
    context *c;
    const char *what; /* borrowed: "simulate", "train gan" */
    const char *unit; /* borrowed: "boxes", "steps" */
    int64_t done, total, first;
    double start_s, last_s;
} progress;

/* total 0: unknown. `first` items were done before (resumed runs) and do not count for the rate. */
void progress_begin(progress *p, context *c, const char *what, const char *unit, int64_t first, int64_t total);
void progress_update(progress *p, int64_t done, const char *format, ...) __attribute__((format(printf, 3, 4)));
void progress_end(progress *p);

#endif
