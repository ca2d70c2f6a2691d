/* The statistics file (design: Files):
 *   /density_edges [bins + 1] particles per pixel, /nu [side/2],
 *   /truth/ and /model/: pixel_pdf [bins] per dex, pixel_count [bins], underflow, overflow, mean_density [n],
 *     power_median, power_mad [side/2], power_all [n][side/2], peak_counts [n][bins], peak_underflow, peak_overflow,
 *     peaks_total; minkowski_area, minkowski_perimeter, minkowski_euler [n][bins + 1] per pixel of the image and their
 *     …_mean, …_mad over the images [bins + 1]: ops/reduce.h; attributes images, side,
 *   /diversity: model_model, model_truth, model_truth_index [models], truth_truth [truths]; attributes floor, variety,
 *     copies, models, truths: neighbours.h,
 *   /score: the figures of figures.h as attributes pdf, mean, std, psd, peaks, and as half_pdf … half_peaks
 *     those of the first half of the truth's boxes against the second, what chance alone does; as pdf_error …
 *     and half_pdf_error … their errors by the bootstrap,
 *   of matched images also /dice/ (overlap.h): top_percent, mean, std, sem, random_mean, random_std, normalized_mean,
 *     normalized_std, significance_mean, significance_std, jaccard_mean, pairs_counted, random_counted; attributes
 *     threshold_scope ("set" or "image"), random_pairs, images,
 *   and /pairs/ (pairs.h), [side/2] each: transfer_median, transfer_mad, transfer_mean, transfer_std,
 *     correlation_median, correlation_mad, correlation_mean, correlation_std,
 *   /provenance. */
#ifndef STATS_FILE_H
#define STATS_FILE_H

#include "io/provenance.h"
#include "stats/bootstrap.h"
#include "stats/neighbours.h"
#include "stats/overlap.h"
#include "stats/pairs.h"

/* What has been computed; all borrowed. NULL: not in the file, but for truth and model, which every file has. */
typedef struct {
    const stats_set *truth, *model;
    const stats_figures *figures, *halves;
    const stats_figures *errors, *halves_errors; /* of the figures and of halves */
    const diversity *diversity;
    const stats_overlap *overlap;
    const stats_pairs *pairs;
} stats_results;

status stats_file_write(context *c, const char *path, const stats_results *r, const provenance *p);

#endif
