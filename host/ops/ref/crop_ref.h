/* Plain oracle of ops/crop.h's gather: crop, then transpose, then flips, each on a copy. */
#ifndef OPS_REF_CROP_REF_H
#define OPS_REF_CROP_REF_H

#include "ops/crop.h"

/* Sub-image `index` of parents [parents][ny][nx] into out [crop][crop]. */
status crop_ref_image(context *c, const crop_shape *s, const float *parents, uint32_t index, float *out);
/* The symmetry alone, of a square image; in and out apart. */
status crop_ref_symmetry(context *c, int symmetry, int side, const float *in, float *out);

#endif
