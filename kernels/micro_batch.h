/* Micro-batch k of a batch of segments (host/ops/layout.h): its first sample and how many it has. */
#ifndef MICRO_BATCH_H
#define MICRO_BATCH_H

static inline int micro_batch_start(int k, int segment, int micro)
{
    const int per_segment = (segment + micro - 1) / micro;
    return k / per_segment * segment + k % per_segment * micro;
}

static inline int micro_batch_samples(int k, int segment, int micro)
{
    const int per_segment = (segment + micro - 1) / micro;
    return min(micro, segment - k % per_segment * micro);
}

#endif
