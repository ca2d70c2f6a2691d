/* The course of a training run, of the GAN or of the encoder: metrics.jsonl, one JSON object per line. */
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
    METRIC_LOSS,       /* of the encoder */
    METRIC_VALIDATION, /* the same on the validation maps; its lines stand beside those of the loss */
    METRIC_COLUMNS
};

typedef struct {
    int count;
    double (*rows)[METRIC_COLUMNS]; /* owned, steps strictly ascending; NaN where a line does not say */
    int skipped;                    /* lines that are no JSON object with a step (the last may be half written) */
} metrics;

void metrics_delete(metrics *m);
/* Two lines of one step that say different things become one row. A resumed run repeats steps: the later line counts.
 * STATUS_DATA when there is no good line at all. */
status metrics_read(context *c, const char *path, metrics *m);

/* Index of the first row with the least finite value of `column`, −1 when there is none. */
int metrics_least(const metrics *m, int column);
/* Mean, least and greatest value of `column` over `bins` equal parts of the rows; bins with no finite value are NaN.
 * `steps` gets the mean step. All have room for `bins`. */
void metrics_bin(const metrics *m, int column, int bins, double *steps, double *mean, double *least, double *greatest);

#endif
