/* The statistics file (design: Files):
 *   /density_edges [bins + 1] particles per pixel, /nu [side/2],
 *   /truth/ and /model/: pixel_pdf [bins] per dex, pixel_count [bins], underflow, overflow, mean_density [n],
 *     power_median, power_mad [side/2], power_all [n][side/2], peak_counts [n][bins], peak_underflow, peak_overflow,
 *     peaks_total; attributes images, side,
 *   /score: the figures of figures.h as attributes pdf, mean, std, psd, peaks; /provenance. */
#ifndef STATS_FILE_H
#define STATS_FILE_H

#include "io/provenance.h"
#include "stats/figures.h"

status stats_file_write(context *c, const char *path, const stats_set *truth, const stats_set *model,
                        const stats_figures *figures, const provenance *p);

#endif
