/* The course of a training run: metrics.jsonl, one JSON object per line. */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include "base/context.h"

enum {
    METRIC_STEP,
    METRIC_EPOCH,
    METRIC_LOSS_D,
    METRIC_LOSS_G,
    METRIC_ACCURACY_REAL,
    METRIC_ACCURACY_GENERATED,
    METRIC_SAMPLES_S,
    METRIC_SECONDS,
    METRIC_COLUMNS
};

typedef struct {
    int count;
    double (*rows)[METRIC_COLUMNS]; /* owned, steps strictly ascending; NaN where a line does not say */
    int skipped;                    /* lines that are no JSON object with a step (the last may be half written) */
} metrics;

void metrics_delete(metrics *m);
/* A resumed run repeats steps: the later line counts. STATUS_DATA when there is no good line at all. */
status metrics_read(context *c, const char *path, metrics *m);

/* Mean, least and greatest value of `column` over `bins` equal parts of the rows; bins with no finite value are NaN.
 * `steps` gets the mean step. All have room for `bins`. */
void metrics_bin(const metrics *m, int column, int bins, double *steps, double *mean, double *least, double *greatest);

#endif
