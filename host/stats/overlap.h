/* Sørensen–Dice overlap of the densest pixels of matched images (spec section 5, equations 9 to 11 of the paper):
 *   D = 2 N_ab / (N_a + N_b)  of the masks of the top n % of truth a and model b; identical masks have 1, random n %.
 * Equation 9 as printed lacks the 2; the Jaccard index, which the caption of its figure 9 shows, is J = D / (2 − D).
 *
 * r is the overlap of pairs i < j of the truth's own images: all of them up to OVERLAP_ALL images, else OVERLAP_PAIRS
 * random ones. Normalised: (D − <r>) / (1 − <r>). Significance: (D − <r>) / σ(r). Pairs of two empty masks say nothing
 * and are left out; what nothing is left of, or what divides by nothing, is NaN. */
#ifndef STATS_OVERLAP_H
#define STATS_OVERLAP_H

#include "base/config.h"
#include "device/device.h"

enum { OVERLAP_PERCENTS = 20, OVERLAP_ALL = 1000, OVERLAP_PAIRS = 100000 };

typedef struct {
    bool per_image; /* the densest n % of each image, not of the whole set */
    uint64_t seed;  /* of the random pairs */
} stats_overlap_options;

/* From stats.threshold_scope and run.seed. */
void stats_overlap_options_read(const config *cfg, stats_overlap_options *out);

/* A mean and a standard deviation (ddof 0) over pairs. */
typedef struct {
    double mean, std;
} overlap_moments;

typedef struct {
    int percent; /* the densest n % */
    overlap_moments dice, random, normalized, significance, jaccard;
    double sem;                  /* of dice: std / √(pairs that count) */
    int64_t pairs, random_pairs; /* that count: not both masks empty */
} overlap_row;

typedef struct {
    bool per_image;
    int64_t images, random_pairs;
    overlap_row row[OVERLAP_PERCENTS]; /* n = 1, 5, 10, … 95 */
} stats_overlap;

/* Images float32 [n][side][side] in host memory, finite; model[i] belongs to truth[i]. */
status stats_overlap_compute(context *c, device *d, const stats_overlap_options *o, const float *truth,
                             const float *model, int64_t n, int side, stats_overlap *out);

/* Pairs i < j of n images: how many; and the list of them, in a fixed order. */
int64_t stats_overlap_pair_count(int64_t n);
void stats_overlap_pairs(int64_t n, uint64_t seed, uint32_t (*pairs)[2]);

#endif
