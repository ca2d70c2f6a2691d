/* Launches of the pointwise kernels: one dimension, each with a guard at its end, so that any work-group fits. */
#ifndef OPS_LAUNCH_H
#define OPS_LAUNCH_H

#include "device/kernel.h"
#include "ops/layout.h"

static inline int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

/* Lanes of a vector (VW of kernels/common.h): 16 on a CPU, 4 elsewhere. */
int launch_vector(const device *d);
/* Consecutive vectors (or pixels) that one work-item takes: many on a CPU, one elsewhere. */
int launch_batch(const device *d, int on_cpu);
/* Work-items that fit `count` floats at launch_vector · batch each. */
size_t launch_items(const device *d, size_t count, int batch);

/* Vectors of channels that one work-item takes side by side: divides channels / vector; at most 4 on a CPU, 1
 * elsewhere. */
int launch_block(const device *d, int channels);

/* Queues kernels/FILE.cl's entry over `items` work-items (rounded up to whole work-groups). `options` gets -DVW=…
 * in front; `vector` 0 means launch_vector(d). */
status launch_run(context *c, device *d, const char *file, const char *entry, const char *options, int vector,
                  size_t items, int count, const kernel_argument *arguments);

/* STATUS_USAGE "norm_forward: buffer x holds 10 floats, needs 20" unless b has room for `floats`; b NULL is wrong too.
 */
status launch_check(context *c, const char *what, const char *name, const buffer *b, size_t floats);

/* STATUS_USAGE unless n is a multiple of segment and all are at least 1. */
status launch_check_batching(context *c, const char *what, const batching *b);

/* For tests, which show that neither changes a bit: the vector width and the work-group of every launch from now on; 0:
 * as the device wants. */
void launch_shape_set(int vector, size_t group);

#endif
