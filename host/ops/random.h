/* Standard normals on the device: Philox4x32-10 as base/rng.h. Number i (= row · columns + column) is element i & 3 of
 * the block of index i >> 2 under (seed, stream, sub): Box–Muller of words (0,1) gives elements 0 (cos) and 1 (sin),
 * words (2,3) elements 2 and 3, in float32 by explicit arithmetic (kernels/explicit.h). */
#ifndef OPS_RANDOM_H
#define OPS_RANDOM_H

#include "device/kernel.h"

/* out [rows][stride] ← normals in the first `columns` of each row, zeros in the rest; scaled by sigma. `first` is added
 * to i, so that parts of a sequence can be drawn apart. */
status random_normals(context *c, device *d, uint64_t seed, uint32_t stream, uint32_t sub, uint64_t first, int rows,
                      int columns, int stride, float sigma, buffer *out);

#endif
