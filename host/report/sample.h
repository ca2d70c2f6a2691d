/* A few maps out of a maps file: enough for pictures and histograms without reading gigabytes. */
#ifndef REPORT_SAMPLE_H
#define REPORT_SAMPLE_H

#include <stdint.h>
#include "base/context.h"

typedef struct {
    int64_t total; /* maps in the file */
    int count;     /* read: spread evenly over the file */
    int ny, nx;
    float *values;          /* owned, [count][ny][nx], particles per pixel; not finite or negative ones are set to 0 */
    double box_mpc_h, mean; /* 0 when the file does not say */
    double redshift;        /* NaN when unknown */
    int dims;               /* 0 when unknown */
    char transform[32], unit[32];
    double a, b, offset; /* of the transform; the paper's when the file does not say */
} sample;

void sample_delete(sample *m);
/* At most `limit` maps. */
status sample_read(context *c, const char *path, int limit, sample *m);
/* v′ of a pixel (spec section 3, Transforms). */
double sample_transform(const sample *m, double v);

#endif
