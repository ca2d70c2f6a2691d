/* The results that meet a tap k of an axis, of `count` results over an input of `size`: from the first o with o * STRIDE - PAD + k >= 0
 * to the one behind the last with ... < size. From the host: STRIDE, PAD. */
#ifndef CONV_TAPS_H
#define CONV_TAPS_H

static inline int tap_first(int k) { return PAD > k ? (PAD - k + STRIDE - 1) / STRIDE : 0; }
static inline int tap_end(int k, int size, int count)
{
    const int last = size - 1 + PAD - k;
    return last < 0 ? 0 : min(last / STRIDE + 1, count);
}

#endif
