/* The training set of a device: all training parents of a maps file, transformed to [−1, 1], in one buffer; sub-images
 * are cut from it by crop_gather (ops/crop.h) when a batch is drawn and are never stored. */
#ifndef DATASET_DATASET_H
#define DATASET_DATASET_H

#include "dataset/split.h"
#include "ops/crop.h"

typedef struct dataset dataset;

/* The transform that a maps file names, else that of the configuration (io/maps_transform.h, with its errors). */
status dataset_transform(context *c, const maps *m, const config *cfg, transform_shape *out);

/* Splits (dataset_options_read of cfg), uploads the training parents and transforms them. m is borrowed for the call
 * only. Counts the pixels outside [−1, 1] and reports them (warning with count, share and the extremes); clips none.
 * STATUS_MEMORY when the parents do not fit the device, and all errors of dataset_split_new and dataset_transform. */
status dataset_open(context *c, device *d, const maps *m, const config *cfg, dataset **out);
void dataset_delete(dataset **d);

/* Whether `bytes` of parents stay in the host's memory: a batch of a step needs little of them, and they may take a
 * 32nd of the device's budget at most. */
bool dataset_on_host(const device *d, size_t bytes);

const crop_shape *dataset_crop_shape(const dataset *d);           /* borrowed */
buffer *dataset_parents(const dataset *d);                        /* borrowed: float32 [parents][ny][nx] in [−1, 1] */
const transform_shape *dataset_transform_shape(const dataset *d); /* borrowed: back to densities */
const dataset_split *dataset_split_used(const dataset *d);        /* borrowed */
/* Of all training parents: 72 of each, fewer where the crop is the whole map or orientations are left alone. */
uint32_t dataset_sub_images(const dataset *d);
/* Of the training parents; borrowed. */
const transform_range *dataset_range_found(const dataset *d);

/* The order of epoch `epoch`: the indices (ops/crop.h; parents count within the training part) of all sub-images in the
 * order of rng_permutation(seed, RNG_SHUFFLE, epoch), in host memory. */
status dataset_epoch_order(context *c, const dataset *d, uint64_t seed, uint32_t epoch, uint32_t *indices);

#endif
