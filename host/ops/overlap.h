/* The densest n % of images as masks on a device, and how many pixels two masks share (spec section 5, Sørensen–Dice).
 *
 * Of M pixels the densest n % are those not below the K-th largest, K = round(n M/100), at least 1: more than K where
 * pixels are equal. M is all pixels of the set, or those of each image. All is counting and comparing, so that the
 * results are exact and the same on every device. Oracle: ops/ref/overlap_ref.h. */
#ifndef OPS_OVERLAP_H
#define OPS_OVERLAP_H

#include "device/kernel.h"

typedef struct {
    int pixels;         /* of an image: 1 … 2^24 */
    int64_t images;     /* 1 … 2^32 − 1 */
    int count;          /* masks per image: 1 … OVERLAP_MOST */
    const int *percent; /* [count], 1 … 100 each; borrowed for the call */
    bool per_image;     /* M is an image's pixels, not the set's */
} overlap_shape;
enum { OVERLAP_MOST = 32 };

typedef struct overlap_masks overlap_masks;

/* Images float32 [images][pixels] in host memory, finite. The device is borrowed and must outlive the masks. */
status overlap_masks_new(context *c, device *d, const overlap_shape *s, const float *images, overlap_masks **out);
void overlap_masks_delete(overlap_masks **m);
/* The K-th largest: [per_image ? images : 1][count], as long as the masks live. */
const float *overlap_thresholds(const overlap_masks *m);

/* common[n][count]: pixels in the mask of image pairs[i][0] of a and in that of image pairs[i][1] of b; a and b may be
 * the same. STATUS_USAGE where the two have other sizes, or a pair names no image. */
status overlap_common(context *c, overlap_masks *a, overlap_masks *b, const uint32_t (*pairs)[2], int64_t n,
                      uint32_t *common);

/* Masks per image, at most OVERLAP_MOST and at least 1, of which the device holds two sets with room to spare. */
int overlap_fitting(const device *d, int pixels, int64_t images);

/* For tests, which show that it changes no count: the work-items that share an image or a pair; 0: as the device wants
 * (1 on a CPU, 32 elsewhere). */
void overlap_items_set(int items);

#endif
