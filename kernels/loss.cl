/* Losses of the discriminator and the generator from logits, with label noise, and their gradients (host/ops/loss.h).
 *
 *   bce(l, 1) = softplus(-l), bce(l, 0) = softplus(l); sigma(l) - 1 is computed as -sigma(-l)
 *   loss_discriminator   logits [2 batch], first real, then generated -> dlogits [2 batch], metrics columns 0, 2, 3
 *   loss_generator       logits [batch] of generated samples -> dlogits [batch], metrics column 1
 * metrics: one row of floats [at + column]. Label of sample i flips where the 53-bit uniform of Philox (seed, stream,
 * index + i) is below threshold 2^-53. float32, explicit arithmetic, sums in order of samples. Oracle:
 * host/ops/ref/loss_ref.c.
 * One work-group of GROUP items: samples are shared out in chunks of CHUNK, then item 0 adds the chunk up in order. */
#include "explicit.h"
#include "philox.h"

#ifndef GROUP
#define GROUP 1
#endif
#ifndef CHUNK
#define CHUNK 256
#endif

static inline bool flipped(ulong seed, uint stream, ulong index, ulong threshold)
{
    uint x[4] = {(uint)index, (uint)(index >> 32), 0u, stream};
    philox_1(seed, x);
    return (((ulong)x[1] << 32 | x[0]) >> 11) < threshold;
}

/* Adds term[0 ... count-1] to the sums of real and generated samples, in order. */
static inline void add_up(__local const float *term, int first, int count, int batch, float *real, float *generated)
{
    for (int k = 0; k < count; k++) {
        if (first + k < batch)
            *real = add_1(*real, term[k]);
        else
            *generated = add_1(*generated, term[k]);
    }
}

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
loss_discriminator(__global const float *logits, __global float *dlogits, __global float *metrics, int at, int batch,
                   ulong seed, uint stream, ulong index, ulong threshold)
{
    __local float loss[CHUNK], right[CHUNK];
    const int item = (int)get_local_id(0), all = 2 * batch;
    float loss_real = 0.0f, loss_generated = 0.0f, right_real = 0.0f, right_generated = 0.0f;
    for (int first = 0; first < all; first += CHUNK) {
        const int count = min(CHUNK, all - first);
        for (int k = item; k < count; k += GROUP) {
            const int i = first + k;
            const float l = logits[i];
            const bool real = i < batch, one = real != flipped(seed, stream, index + i, threshold);
            const float towards = one ? -l : l; /* the loss falls as this does */
            const float slope = div_1(sigmoid_1(towards) * 0.5f, (float)batch);
            dlogits[i] = one ? -slope : slope;
            loss[k] = softplus_1(towards);
            right[k] = (real ? l > 0.0f : l < 0.0f) ? 1.0f : 0.0f;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item == 0) {
            add_up(loss, first, count, batch, &loss_real, &loss_generated);
            add_up(right, first, count, batch, &right_real, &right_generated);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (item == 0) {
        metrics[at + 0] = div_1(loss_real * 0.5f, (float)batch) + div_1(loss_generated * 0.5f, (float)batch);
        metrics[at + 2] = div_1(right_real, (float)batch);
        metrics[at + 3] = div_1(right_generated, (float)batch);
    }
}

/* saturating: mean of ln(1 - sigma(l)) / 2 = -softplus(l) / 2; else of bce(l, 1) / 2. */
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
loss_generator(__global const float *logits, __global float *dlogits, __global float *metrics, int at, int batch,
               int saturating)
{
    __local float loss[CHUNK];
    const int item = (int)get_local_id(0);
    float sum = 0.0f, unused = 0.0f;
    for (int first = 0; first < batch; first += CHUNK) {
        const int count = min(CHUNK, batch - first);
        for (int k = item; k < count; k += GROUP) {
            const float l = logits[first + k], towards = saturating ? l : -l;
            dlogits[first + k] = div_1(sigmoid_1(towards) * -0.5f, (float)batch);
            loss[k] = saturating ? -softplus_1(towards) : softplus_1(towards);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item == 0) add_up(loss, first, count, batch, &sum, &unused);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (item == 0) metrics[at + 1] = div_1(sum * 0.5f, (float)batch);
}
