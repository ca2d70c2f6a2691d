/* Labelled device memory under the device's budget. STATUS_MEMORY names the label, the size, the largest block and the
 * budget: "activations of conv.2: needs 812 MiB, …". */
#ifndef DEVICE_BUFFER_H
#define DEVICE_BUFFER_H

#include "device/device.h"

typedef struct buffer buffer;

status buffer_new(context *c, device *d, const char *label, size_t bytes, buffer **out);
/* In the host's memory, which the device reads and writes over its bus: for what is large and of which it needs little
 * at a time. Not counted against the budget. */
status buffer_new_on_host(context *c, device *d, const char *label, size_t bytes, buffer **out);
/* A part of another buffer, as a buffer (an OpenCL sub-buffer; base must be a multiple of buffer_alignment(d)). The
 * parent must outlive it. */
status buffer_view(context *c, buffer *parent, size_t offset_bytes, size_t bytes, buffer **out);
/* Host memory for kernels to read, which must outlive the buffer and stay as it is: in place on a CPU, where it costs
 * nothing of the budget, copied elsewhere. No padding follows the last byte. */
status buffer_lend(context *c, device *d, const char *label, const void *data, size_t bytes, buffer **out);
void buffer_delete(buffer **b);
size_t buffer_bytes(const buffer *b);
const char *buffer_label(const buffer *b);
device *buffer_device(const buffer *b); /* borrowed */
/* Offsets of views are multiples of this many bytes: 512, or the device's own if larger. */
size_t buffer_alignment(const device *d);

/* Queued copies from host memory return once `data` may be reused; reads wait. Ranges are checked. */
status buffer_write(context *c, buffer *b, size_t offset, const void *data, size_t bytes);
status buffer_read(context *c, buffer *b, size_t offset, void *data, size_t bytes);
/* The contents for the host to read, in place on a CPU, until unmapped or deleted; waits. Kernels may read them
 * meanwhile, nothing may write them. */
status buffer_map(context *c, buffer *b, const void **out);
void buffer_unmap(buffer *b);
status buffer_copy(context *c, buffer *from, size_t from_offset, buffer *to, size_t to_offset, size_t bytes);
status buffer_zero(context *c, buffer *b);
/* Fills with a 4-byte pattern: offset and bytes multiples of 4. */
status buffer_fill_float(context *c, buffer *b, size_t offset, size_t bytes, float value);

#endif
