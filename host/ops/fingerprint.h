/* A fingerprint of the bits of an arena: 64 bits, of integer sums alone, so exact and the same in any order and on any
 * device. A change of one element always changes it, any other change but for one chance in 2⁶⁴ or so. */
#ifndef OPS_FINGERPRINT_H
#define OPS_FINGERPRINT_H

#include "device/kernel.h"

/* out uint32 [rows][2]: row `row` += the sums over x [count], float32 or other words of 4 bytes, from word `offset` on,
 * which count as numbers first, first + 1, …; see kernels/fingerprint.cl. Zeros
 * add nothing. Queues only. */
status fingerprint_add(context *c, device *d, buffer *x, size_t offset, size_t count, uint32_t first, buffer *out,
                       int row);

#endif
