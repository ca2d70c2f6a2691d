/* One HTML page, whole in itself, out of what a pipeline run folder holds, with the figures also as PNG and SVG files
 * in RUN/figures. Opens no device. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/context.h"

enum { REPORT_MISSING = 32 };

typedef struct {
    int figures, pictures; /* drawn by gnuplot; made by ourselves */
    int missing;
    const char *missing_file[REPORT_MISSING]; /* relative to the run folder */
    char trouble[512];                        /* why curves are missing; "" when none is */
} report_result;

/* Missing parts and a missing gnuplot are said in the page and in *result (may be NULL) and are no failure. STATUS_DATA
 * when `folder` is no run folder at all. */
status report_write(context *c, const char *folder, const char *path, report_result *result);

#endif
