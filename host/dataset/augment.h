/* The training sub-images on the host, for other tools; on a device they are made when a batch is drawn (ops/crop.h).
 */
#ifndef DATASET_AUGMENT_H
#define DATASET_AUGMENT_H

#include "dataset/split.h"

/* All sub-images of every training parent (s->variants) in index order (ops/crop.h), linear densities: *images float32
 * [count][side][side] (memory_delete), side = s->crop. */
status dataset_augmented_images(context *c, const maps *m, const dataset_split *s, float **images, int64_t *count,
                                int *side);

#endif
