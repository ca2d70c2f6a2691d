/* Gnuplot, run as a program on script files. */
#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H

#include <stddef.h>
#include "base/context.h"

/* Whether a program `gnuplot` (or $COSMOCL_GNUPLOT) can be run. false leaves a message in `why` that names the package.
 */
bool gnuplot_available(char *why, size_t size);

/* Runs `gnuplot -d SCRIPT ARGUMENT` with `folder` as the working folder (fork and execvp: no shell sees a name), its
 * messages going to folder/gnuplot.log. Ended after 120 s. STATUS_FAILURE with the log's end when it fails. */
status gnuplot_run(context *c, const char *folder, const char *script, const char *argument);

#endif
