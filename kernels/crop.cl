/* Sub-images gathered from parent maps (host/ops/crop.h): crop, then transpose (s & 4), flip of x (s & 1), of y (s & 2).
 *
 *   parents float32 [count of parents][ny][nx], indices uint32, out float32 [count][crop][crop]: bits are copied.
 * Index = (parent 9 + crop position) 8 + symmetry; an index beyond the last reads parent 0. Oracle:
 * host/ops/ref/crop_ref.c. A work-item makes ROWS rows of one image. */
#include "common.h"

#ifndef ROWS
#define ROWS 1
#endif

/* Offset number k of 0, half of what is left, all of it. */
static inline int offset_of(int k, int side, int crop)
{
    const int rest = side - crop;
    return k == 0 ? 0 : k == 1 ? rest / 2 : rest;
}

__kernel void crop_gather(__global const float *parents, __global const uint *indices, __global float *out, int first,
                          int count, uint last, int ny, int nx, int crop)
{
    const int chunks = (crop + ROWS - 1) / ROWS, image = (int)(get_global_id(0) / chunks);
    const int from = (int)(get_global_id(0) % chunks) * ROWS, to = min(from + ROWS, crop);
    if (image >= count) return;
    uint index = indices[first + image];
    index = index <= last ? index : index % 72u;
    const int symmetry = (int)(index & 7u), position = (int)(index / 8u % 9u);
    __global const float *p = parents + (size_t)(index / 72u) * ny * nx +
                              (size_t)offset_of(position / 3, ny, crop) * nx + offset_of(position % 3, nx, crop);
    /* Steps in the parent for a step of x and of y in the image; flips start at the far end. */
    const int along_x = symmetry & 4 ? nx : 1, along_y = symmetry & 4 ? 1 : nx;
    const int step_x = symmetry & 1 ? -along_x : along_x, step_y = symmetry & 2 ? -along_y : along_y;
    const size_t start = (size_t)(symmetry & 1 ? along_x : 0) * (crop - 1) + (size_t)(symmetry & 2 ? along_y : 0) * (crop - 1);
    p += start;
    for (int y = from; y < to; y++) {
        __global const float *q = p + (long)y * step_y;
        __global float *o = out + ((size_t)image * crop + y) * crop;
        if (step_x == 1) {
            for (int x = 0; x < crop; x++) o[x] = q[x];
        } else {
            for (int x = 0; x < crop; x++) o[x] = q[(long)x * step_x];
        }
    }
}
