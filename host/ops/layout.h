/* How tensors lie in memory, for every operator.
 *
 * Activations are float32 [sample][y][x][channel] (NHWC). The channel count in memory is padded: 1 stays 1, every other
 * count goes up to a multiple of 16 (layout_channels); vectors of dense layers are padded the same way. Padded channels
 * hold zeros and every operator keeps them zero: padded weights, biases and scales are zero and get zero gradients.
 *
 * A batch is made of segments (real samples, generated samples) and each segment of micro-batches of a fixed size:
 * sample statistics and every sum over samples go micro-batch by micro-batch, so results do not depend on how a batch
 * is split over devices. Micro-batches never cross a segment; the last of a segment may be smaller. */
#ifndef OPS_LAYOUT_H
#define OPS_LAYOUT_H

typedef struct {
    int n;       /* samples in all; a multiple of segment */
    int segment; /* samples per segment */
    int micro;   /* samples per micro-batch (10) */
} batching;

/* Micro-batches of one segment and of the whole batch. Micro-batch k is number k % m of segment k / m (m = per segment)
 * and holds the samples from segment_index · segment + (k % m) · micro, at most micro of them and none past the
 * segment. */
static inline int batching_per_segment(const batching *b)
{
    return (b->segment + b->micro - 1) / b->micro;
}
static inline int batching_count(const batching *b)
{
    return b->n / b->segment * batching_per_segment(b);
}

static inline int layout_channels(int channels)
{
    return channels == 1 ? 1 : (channels + 15) / 16 * 16;
}

/* The fixed tree in which the partial results p[0 … n−1] of the micro-batches are summed: T(a, b) of a range of length
 * 1 is p[a]; else split after the largest power of two below the length and add the left sum to the right one: five are
 * ((p0+p1)+(p2+p3))+p4. The same tree everywhere (kernels/tree.h on the device). */

#endif
