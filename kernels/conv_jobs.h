/* How a gradient with respect to weights is dealt out. A job is one block of TB taps x CB x NB weights and one group of `group`
 * micro-batches (a power of two, so that a group is a subtree of the tree); there are blocks * groups of them, dealt to the
 * work-items in turn. The job's sums stay in the work-item's scratch: [PANEL_FLOATS][depth][BLOCK] floats, depth = log2(group) + 1.
 * out [groups][TAPS * CI * CO]: the gradient itself when groups = 1, else conv_tree.cl follows.
 *
 * Needs common.h, conv_sizes.h, the numbers above and two functions: micro_batch(sizes, slots, panels, x, y, first sample, samples,
 * first tap) makes the BLOCK sums of a micro-batch, x and y pointing at the block's first channels; block_write(sizes, out, slots,
 * first tap, ci, co) writes a block. */
#ifndef CONV_JOBS_H
#define CONV_JOBS_H

#include "micro_batch.h"

static inline void slots_add(int block, __global float *left, __global const float *right)
{
    for (int i = 0; i < block; i += VW) VSTORE(VLOAD(0, left + i) + VLOAD(0, right + i), 0, left + i);
}

static inline void jobs_run(JOB_SIZES, int n, int segment, int micro, int group, int groups, int depth, __global const float *x,
                            __global const float *y, __global float *scratch, __global float *out)
{
    const int ci_blocks = CI / CB, co_blocks = CO / NB, blocks = ci_blocks * co_blocks * ((TAPS + TB - 1) / TB);
    const int micros = n / segment * ((segment + micro - 1) / micro);
    __global float *panels = scratch + get_global_id(0) * ((size_t)PANEL_FLOATS + (size_t)depth * BLOCK);
    __global float *slots = panels + PANEL_FLOATS;
    for (int job = get_global_id(0); job < blocks * groups; job += get_global_size(0)) {
        const int g = job / blocks, block = job - g * blocks, tap0 = block / (ci_blocks * co_blocks) * TB;
        const int ci0 = block % ci_blocks * CB, co0 = block / ci_blocks % co_blocks * NB;
        const int first = g * group, end = min(first + group, micros);
        int top = 0;
        for (int k = first; k < end; k++) {
            micro_batch(JOB_SIZES_ON, slots + (size_t)top * BLOCK, panels, x + ci0, y + co0,
                        micro_batch_start(k, segment, micro), micro_batch_samples(k, segment, micro), tap0);
            top++;
            for (int m = k - first; m & 1; m >>= 1, top--)
                slots_add(BLOCK, slots + (size_t)(top - 2) * BLOCK, slots + (size_t)(top - 1) * BLOCK);
        }
        for (; top > 1; top--) slots_add(BLOCK, slots + (size_t)(top - 2) * BLOCK, slots + (size_t)(top - 1) * BLOCK);
        block_write(JOB_SIZES_ON, out + (size_t)g * TAPS * CI * CO, slots, tap0, ci0, co0);
    }
}

#endif
