/* A few maps out of a maps file: enough for pictures and histograms without reading gigabytes. */
#ifndef REPORT_SAMPLE_H
#define REPORT_SAMPLE_H

#include <stdint.h>
#include "base/context.h"
#include "base/transform.h"

typedef struct {
    int64_t total; /* maps in the file */
    int count;     /* read: spread evenly over the file */
    int ny, nx;
    float *values;             /* owned, [count][ny][nx]; set to 0: what is not finite, or negative under a logarithm */
    double box_mpc_h, mean;    /* 0 when the file does not say */
    double redshift;           /* NaN when unknown */
    transform_shape transform; /* the default of its kind when the file does not say */
    char units[32];            /* of the values: "particles per pixel" */
} sample;

void sample_delete(sample *m);
/* At most `limit` maps of /maps, or of another dataset of the file (the same ones of datasets of equal length). */
status sample_read(context *c, const char *path, int limit, sample *m);
status sample_read_dataset(context *c, const char *path, const char *dataset, int limit, sample *m);
/* The values above which each of `count` percentages of all pixels lies, of all maps or of map i alone (i ≥ 0): the
 * K-th largest, K = round(percent · pixels/100), as the overlap takes it. */
status sample_thresholds(context *c, const sample *m, int i, int count, const double *percent, float *values);

#endif
