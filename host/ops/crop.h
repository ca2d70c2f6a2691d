/* Sub-images drawn from parent maps on the device: gather with crop, rotation and flip (spec section 3, Augmentation),
 * and the transform of densities to [−1, 1] by explicit arithmetic. */
#ifndef OPS_CROP_H
#define OPS_CROP_H

#include "base/transform.h"
#include "device/kernel.h"

/* Sub-image index = (parent · 9 + crop) · 8 + symmetry. Crop: 3 · (row of offsets) + column, offsets 0, side/4, side/2
 * of the parent for a crop of half its side (in general 0, (side − crop)/2, side − crop). Symmetry s: first, if s & 4,
 * transpose (swap y and x); then, if s & 1, flip x; then, if s & 2, flip y: the eight of the square, 0 the identity. */
typedef struct {
    int parents, ny, nx; /* parent maps float32 [parents][ny][nx] */
    int crop;            /* side of a sub-image */
} crop_shape;
enum { CROP_POSITIONS = 9, CROP_SYMMETRIES = 8, CROP_PER_PARENT = 72 };

/* out [count][crop][crop] ← the sub-images indices[first … first + count − 1] (uint32 on the device). Indices beyond
 * the last sub-image read parent 0 (the host checks them before it uploads). */
status crop_gather(context *c, device *d, const crop_shape *s, buffer *parents, buffer *indices, int first, int count,
                   buffer *out);

/* v′ of v (base/transform.h) in float32 by explicit arithmetic, in place or not; the numbers of t are rounded to float.
 * STATUS_USAGE unless a < b then, and scale > 0. */
status transform_forward(context *c, device *d, const transform_shape *t, size_t count, buffer *v, buffer *out);
/* v of v′. */
status transform_inverse(context *c, device *d, const transform_shape *t, size_t count, buffer *v, buffer *out);

#endif
