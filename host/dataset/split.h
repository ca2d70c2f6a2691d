/* The 72-fold index space of a maps file (spec section 3) seen from the host: which parent maps train, validate and
 * test, and the images of the statistics. Nothing here needs a device. */
#ifndef DATASET_SPLIT_H
#define DATASET_SPLIT_H

#include "base/config.h"
#include "io/maps_file.h"

typedef enum { DATASET_TRAIN, DATASET_VALIDATION, DATASET_TEST, DATASET_PARTS } dataset_part;

typedef struct {
    int crop;                /* side of a sub-image in pixels; 0: half the side of the maps */
    double validation, test; /* boxes held out: below 1 a share of all, else a count */
    bool rotate;             /* sub-images in all eight orientations */
    uint64_t seed;
} dataset_options;

/* From dataset.crop, dataset.validation, dataset.test, dataset.rotate and run.seed. */
void dataset_options_read(const config *cfg, dataset_options *out);

/* The sub-images that one training map gives: positions of the crop (9; 1 where it is the whole map) times orientations
 * (8; 1 without rotation). Number i of a set of them, counted map by map, is sub-image dataset_variant_index of
 * ops/crop.h. */
typedef struct {
    int positions, orientations;
} dataset_variants;
dataset_variants dataset_variants_of(int ny, int nx, int crop, bool rotate);
int dataset_variants_count(const dataset_variants *v);
uint32_t dataset_variant_index(const dataset_variants *v, uint32_t i);

/* Indices of the parent maps of each part, ascending. Maps of one box (first column of /origin; without /origin every
 * map is a box) are never divided between parts. */
typedef struct {
    int crop;                         /* as resolved: never 0 */
    dataset_variants variants;        /* of each training map */
    int64_t boxes[DATASET_PARTS];     /* boxes in each part */
    int64_t count[DATASET_PARTS];     /* parent maps in each part */
    uint32_t *parents[DATASET_PARTS]; /* owned */
} dataset_split;

/* Boxes that `wanted` of the key dataset.validation or dataset.test means: a count, or below 1 a share, rounded to the
 * nearest, at least one above 0. STATUS_USAGE: neither. */
status dataset_held_out(context *c, const char *key, double wanted, uint32_t boxes, uint32_t *out);

/* A pure function of (boxes in the file, options): the boxes, in ascending order of their number, are permuted by
 * rng_permutation(seed, RNG_SPLIT); the first are the test boxes, the next the validation boxes, the rest train. A
 * share above 0 is rounded to the nearest count, at least one box. STATUS_USAGE: nothing is left to train on, a crop
 * larger than the maps, or dims 3 (the sub-volume rule of slices is not part of this version). Release with
 * dataset_split_delete. */
status dataset_split_new(context *c, const maps *m, const dataset_options *o, dataset_split *out);
void dataset_split_delete(dataset_split *s); /* NULL-safe; zeroes it */

/* The images of the statistics: the four non-overlapping crops of each map of a part, no flips, linear densities as in
 * the file. *images float32 [count][side][side] (memory_delete), count = 4 × maps in the order of the maps, crops at
 * the corners (y, x) = (0, 0), (0, nx − side), (ny − side, 0), (ny − side, nx − side); side = s->crop. Where the maps
 * are exactly of the crop's size: one image per map. STATUS_USAGE when the four would overlap. */
status dataset_test_images(context *c, const maps *m, const dataset_split *s, dataset_part part, float **images,
                           int64_t *count, int *side);
/* The same of the given maps (indices NULL: all of the file's; n is ignored then); crop 0: half the side. */
status dataset_crops(context *c, const maps *m, const uint32_t *indices, int64_t n, int crop, float **images,
                     int64_t *count, int *side);

/* How many consecutive ones of these images are of one box and so not independent (it conserves its mass): those of a
 * map, and of all maps of a box where the boxes (/origin) have equally many one after the other. A single box: those of
 * a map. */
int64_t dataset_block(const maps *m, const dataset_split *s, dataset_part part);
/* The same of all of a file's maps cut to images of this side. */
int64_t dataset_block_all(const maps *m, int crop);

#endif
