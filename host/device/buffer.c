/* Device memory: labelled, counted against the budget, and never released while queued work may use it. */
#include "device/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"

static const double MIB = 1024.0 * 1024.0;

size_t buffer_alignment(const device *d)
{
    return d->alignment;
}

void buffer_use(buffer *b)
{
    if (!b) return;
    b->last_use = b->d->queued + 1;
    if (b->root) b->root->last_use = b->d->queued + 1;
}

/* "; in use: 1024.0 MiB of `a`, 20.0 MiB of `b`": the five largest labels, buffers of one label together. */
static void describe_use(const device *d, char *text, size_t size)
{
    enum { LARGEST = 5 };
    const char *taken[LARGEST];
    size_t used = (size_t)snprintf(text, size, "; in use: %.1f MiB", (double)d->used / MIB);
    for (int n = 0; n < LARGEST && used < size; n++) {
        const char *best = NULL;
        size_t best_bytes = 0;
        for (const buffer *b = d->buffers; b; b = b->next) {
            bool seen = false;
            for (int k = 0; k < n; k++) seen = seen || !strcmp(taken[k], b->label);
            size_t sum = 0;
            for (const buffer *o = d->buffers; o && !seen; o = o->next)
                sum += strcmp(o->label, b->label) ? 0 : o->charged;
            if (sum > best_bytes) {
                best = b->label;
                best_bytes = sum;
            }
        }
        if (!best) return;
        taken[n] = best;
        used +=
            (size_t)snprintf(text + used, size - used, "%s%s %.1f", n ? ", " : ": ", best, (double)best_bytes / MIB);
    }
}

static status refuse(context *c, const device *d, const char *label, size_t bytes, const char *why)
{
    char use[1024];
    describe_use(d, use, sizeof use);
    return context_fail(
        c, STATUS_MEMORY,
        "%s: needs %.1f MiB, %s on %s (largest block %.1f MiB, budget %.1f MiB%s); use a smaller batch, "
        "mesh or crop, or a device with more memory",
        label, (double)bytes / MIB, why, d->record.name, (double)d->record.largest_block_bytes / MIB,
        (double)d->budget / MIB, use);
}

static status shell_new(context *c, device *d, const char *label, size_t bytes, buffer **out)
{
    buffer *b = NULL;
    status s = memory_new(c, label, 1, sizeof *b, &b);
    if (s) return s;
    s = memory_copy_string(c, label, &b->label);
    if (s) {
        memory_delete(&b);
        return s;
    }
    b->d = d;
    b->bytes = bytes;
    b->serial = ++d->next_serial;
    *out = b;
    return STATUS_OK;
}

/* A buffer of `size` bytes, of which the budget is charged `charged`. host: over that memory. */
static status root_new(context *c, device *d, const char *label, size_t bytes, size_t size, size_t charged,
                       cl_mem_flags flags, const void *host, buffer **out)
{
    buffer *b = NULL;
    status s = shell_new(c, d, label, bytes, &b);
    if (s) return s;
    cl_int code = CL_SUCCESS;
    if (!d->sizes_only) b->memory = OPENCL_NEW(code, clCreateBuffer(d->context, flags, size, (void *)host, &code));
    if (code) {
        memory_delete(&b->label);
        memory_delete(&b);
        if (code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY)
            return refuse(c, d, label, bytes, "which the driver cannot give");
        return context_prefix(c, opencl_fail(c, d, "clCreateBuffer", code), "%s", label);
    }
    b->charged = charged;
    b->next = d->buffers;
    if (b->next) b->next->before = b;
    d->buffers = b;
    d->used += b->charged;
    if (d->used > d->peak) d->peak = d->used;
    *out = b;
    return STATUS_OK;
}

static status new_memory(context *c, device *d, const char *label, size_t bytes, bool on_host, buffer **out)
{
    *out = NULL;
    if (bytes > SIZE_MAX - d->alignment)
        return refuse(c, d, label, bytes, "which is more than memory can be addressed");
    /* Whole blocks of 64 bytes: a vector of 16 floats that begins inside never ends outside. */
    const size_t size = bytes ? (bytes + 63) / 64 * 64 : 64, charged = on_host ? 0 : size;
    const cl_mem_flags flags = CL_MEM_READ_WRITE | (on_host ? CL_MEM_ALLOC_HOST_PTR : 0);
    if (d->sizes_only) return root_new(c, d, label, bytes, size, charged, flags, NULL, out);
    if (size > d->record.largest_block_bytes) return refuse(c, d, label, bytes, "which is more than the largest block");
    if (charged > d->budget - d->used) return refuse(c, d, label, bytes, "which does not fit in the budget");
    return root_new(c, d, label, bytes, size, charged, flags, NULL, out);
}

status buffer_new(context *c, device *d, const char *label, size_t bytes, buffer **out)
{
    return new_memory(c, d, label, bytes, false, out);
}

status buffer_new_on_host(context *c, device *d, const char *label, size_t bytes, buffer **out)
{
    return new_memory(c, d, label, bytes, true, out);
}

status buffer_lend(context *c, device *d, const char *label, const void *data, size_t bytes, buffer **out)
{
    *out = NULL;
    if (d->record.is_cpu && bytes && bytes <= d->record.largest_block_bytes)
        return root_new(c, d, label, bytes, bytes, 0, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, data, out);
    status s = buffer_new(c, d, label, bytes, out);
    if (!s) s = buffer_write(c, *out, 0, data, bytes);
    if (s) buffer_delete(out);
    return s;
}

static status check_range(context *c, const buffer *b, const char *what, size_t offset, size_t bytes)
{
    if (offset <= b->bytes && bytes <= b->bytes - offset) return STATUS_OK;
    return context_fail(c, STATUS_FAILURE, "%s: %s of bytes %zu to %zu is outside its %zu bytes", b->label, what,
                        offset, offset + bytes, b->bytes);
}

status buffer_view(context *c, buffer *parent, size_t offset_bytes, size_t bytes, buffer **out)
{
    *out = NULL;
    device *d = parent->d;
    status s = check_range(c, parent, "a view", offset_bytes, bytes);
    if (s) return s;
    if (!bytes || offset_bytes % d->alignment)
        return context_fail(c, STATUS_FAILURE,
                            "%s: a view of %zu bytes at %zu: it needs a size, and a start at a multiple of %zu",
                            parent->label, bytes, offset_bytes, d->alignment);
    buffer *b = NULL;
    s = shell_new(c, d, parent->label, bytes, &b);
    if (s) return s;
    b->root = parent->root ? parent->root : parent;
    b->offset = parent->offset + offset_bytes;
    const cl_buffer_region region = {b->offset, bytes};
    cl_int code = CL_SUCCESS;
    if (!d->sizes_only)
        b->memory = OPENCL_NEW(
            code, clCreateSubBuffer(b->root->memory, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code));
    if (code) {
        memory_delete(&b->label);
        memory_delete(&b);
        return context_prefix(c, opencl_fail(c, d, "clCreateSubBuffer", code), "%s", parent->label);
    }
    *out = b;
    return STATUS_OK;
}

/* A launch whose buffer is gone before it ran aborts the process on some runtimes: queued work is waited for first.
 * That it failed is reported by the next call that waits. */
void buffer_delete(buffer **pointer)
{
    buffer *b = pointer ? *pointer : NULL;
    if (!b) return;
    *pointer = NULL;
    device *d = b->d;
    buffer_unmap(b);
    if (b->foreign || b->last_use > d->done) {
        const cl_int code = OPENCL_WAIT(clFinish(d->queue));
        if (code && !d->late) d->late = code;
        d->done = d->queued;
        d->staging_used = 0;
    }
    if (b->memory) clReleaseMemObject(b->memory);
    if (!b->root) {
        d->used -= b->charged;
        if (b->next) b->next->before = b->before;
        if (b->before)
            b->before->next = b->next;
        else
            d->buffers = b->next;
    }
    memory_delete(&b->label);
    memory_delete(&b);
}

size_t buffer_bytes(const buffer *b)
{
    return b->bytes;
}

const char *buffer_label(const buffer *b)
{
    return b->label;
}

device *buffer_device(const buffer *b)
{
    return b->d;
}

cl_mem opencl_memory(const buffer *b)
{
    ((buffer *)b)->foreign = true; /* buffers are never const objects; the mark is about the handle, not the contents */
    if (b->root) b->root->foreign = true;
    return b->memory;
}

static status enqueue_write(context *c, buffer *b, size_t offset, const void *data, size_t bytes, cl_bool wait)
{
    device *d = b->d;
    if (d->sizes_only) return STATUS_OK;
    cl_event e;
    cl_event *slot = profile_slot(d, &e);
    buffer_use(b);
    const cl_int code = OPENCL(clEnqueueWriteBuffer(d->queue, b->memory, wait, offset, bytes, data, 0, NULL, slot));
    if (code) return context_prefix(c, opencl_fail(c, d, "writing a buffer", code), "%s", b->label);
    d->queued++;
    if (wait) {
        d->done = d->queued;
        d->staging_used = 0;
    }
    return profile_add_named(c, d, "(write)", e);
}

status buffer_write(context *c, buffer *b, size_t offset, const void *data, size_t bytes)
{
    status s = check_range(c, b, "a write", offset, bytes);
    if (s || !bytes) return s;
    device *d = b->d;
    if (bytes > STAGING_LARGEST) return enqueue_write(c, b, offset, data, bytes, CL_TRUE);
    /* Small writes are copied aside, so that they need not wait for the work before them. */
    if (!d->staging) {
        s = memory_new(c, "staging of writes", STAGING_BYTES, 1, &d->staging);
        if (s) return s;
    }
    if (bytes > STAGING_BYTES - d->staging_used) {
        s = device_finish(c, d);
        if (s) return s;
    }
    char *copy = d->staging + d->staging_used;
    memcpy(copy, data, bytes);
    s = enqueue_write(c, b, offset, copy, bytes, CL_FALSE);
    if (!s) d->staging_used += (bytes + 63) / 64 * 64;
    return s;
}

status buffer_read(context *c, buffer *b, size_t offset, void *data, size_t bytes)
{
    status s = check_range(c, b, "a read", offset, bytes);
    if (s || !bytes) return s;
    device *d = b->d;
    if (d->sizes_only) {
        memset(data, 0, bytes);
        return STATUS_OK;
    }
    cl_event e;
    cl_event *slot = profile_slot(d, &e);
    const cl_int code = OPENCL(clEnqueueReadBuffer(d->queue, b->memory, CL_TRUE, offset, bytes, data, 0, NULL, slot));
    if (code) return context_prefix(c, opencl_fail(c, d, "reading a buffer", code), "%s", b->label);
    d->done = ++d->queued;
    d->staging_used = 0;
    s = profile_add_named(c, d, "(read)", e);
    return s ? s : device_late_error(c, d);
}

status buffer_map(context *c, buffer *b, const void **out)
{
    device *d = b->d;
    cl_int code = CL_SUCCESS;
    *out = b->mapped;
    if (b->mapped) return STATUS_OK;
    b->mapped = OPENCL_NEW(
        code, clEnqueueMapBuffer(d->queue, b->memory, CL_TRUE, CL_MAP_READ, 0, b->bytes, 0, NULL, NULL, &code));
    if (code) return context_prefix(c, opencl_fail(c, d, "mapping a buffer", code), "%s", b->label);
    *out = b->mapped;
    d->done = ++d->queued;
    d->staging_used = 0;
    return device_late_error(c, d);
}

/* That it failed is reported by the next call that waits. */
void buffer_unmap(buffer *b)
{
    if (!b->mapped) return;
    device *d = b->d;
    buffer_use(b);
    const cl_int code = OPENCL_WAIT(clEnqueueUnmapMemObject(d->queue, b->memory, b->mapped, 0, NULL, NULL));
    if (code && !d->late) d->late = code;
    d->queued++;
    b->mapped = NULL;
}

status buffer_copy(context *c, buffer *from, size_t from_offset, buffer *to, size_t to_offset, size_t bytes)
{
    status s = check_range(c, from, "a copy", from_offset, bytes);
    if (!s) s = check_range(c, to, "a copy", to_offset, bytes);
    if (s || !bytes) return s;
    device *d = to->d;
    if (from->d != d)
        return context_fail(c, STATUS_FAILURE, "%s: cannot be copied to %s of another device", from->label, to->label);
    const buffer *from_root = from->root ? from->root : from, *to_root = to->root ? to->root : to;
    const size_t first = from->offset + from_offset, second = to->offset + to_offset;
    if (from_root == to_root && first < second + bytes && second < first + bytes)
        return context_fail(c, STATUS_FAILURE, "%s: a copy of %zu bytes overlaps itself", from->label, bytes);
    if (d->sizes_only) return STATUS_OK;
    cl_event e;
    cl_event *slot = profile_slot(d, &e);
    buffer_use(from);
    buffer_use(to);
    const cl_int code =
        OPENCL(clEnqueueCopyBuffer(d->queue, from->memory, to->memory, from_offset, to_offset, bytes, 0, NULL, slot));
    if (code) return context_prefix(c, opencl_fail(c, d, "copying a buffer", code), "%s to %s", from->label, to->label);
    d->queued++;
    return profile_add_named(c, d, "(copy)", e);
}

static status enqueue_fill(context *c, buffer *b, const void *pattern, size_t pattern_bytes, size_t offset,
                           size_t bytes)
{
    device *d = b->d;
    if (!bytes || d->sizes_only) return STATUS_OK;
    cl_event e;
    cl_event *slot = profile_slot(d, &e);
    buffer_use(b);
    const cl_int code =
        OPENCL(clEnqueueFillBuffer(d->queue, b->memory, pattern, pattern_bytes, offset, bytes, 0, NULL, slot));
    if (code) return context_prefix(c, opencl_fail(c, d, "filling a buffer", code), "%s", b->label);
    d->queued++;
    return profile_add_named(c, d, "(fill)", e);
}

/* Patterns of 16 bytes run at memory speed on PoCL; of 4 bytes at half of it. */
static status fill_words(context *c, buffer *b, size_t offset, size_t bytes, float value)
{
    const float pattern[4] = {value, value, value, value};
    const size_t wide = offset % sizeof pattern ? 0 : bytes / sizeof pattern * sizeof pattern;
    status s = enqueue_fill(c, b, pattern, sizeof pattern, offset, wide);
    return s ? s : enqueue_fill(c, b, pattern, sizeof value, offset + wide, bytes - wide);
}

status buffer_fill_float(context *c, buffer *b, size_t offset, size_t bytes, float value)
{
    status s = check_range(c, b, "a fill", offset, bytes);
    if (s) return s;
    if (offset % 4 || bytes % 4)
        return context_fail(c, STATUS_FAILURE, "%s: a fill of %zu bytes at %zu: both must be multiples of 4", b->label,
                            bytes, offset);
    return fill_words(c, b, offset, bytes, value);
}

status buffer_zero(context *c, buffer *b)
{
    const cl_uchar zero = 0;
    const size_t words = b->bytes / 4 * 4;
    status s = fill_words(c, b, 0, words, 0);
    return s ? s : enqueue_fill(c, b, &zero, 1, words, b->bytes - words);
}

static int by_bytes(const void *a, const void *b)
{
    const device_buffer_row *x = a, *y = b;
    return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : strcmp(x->what, y->what);
}

status device_buffers(context *c, const device *d, device_buffer_row **rows, int *count)
{
    int n = 0;
    *count = 0;
    for (const buffer *b = d->buffers; b; b = b->next) n++;
    const status s = memory_new(c, "list of buffers", (size_t)(n ? n : 1), sizeof **rows, rows);
    if (s) return s;
    for (const buffer *b = d->buffers; b; b = b->next) {
        const char *end = strstr(b->label, " of ");
        char what[sizeof(*rows)->what];
        snprintf(what, sizeof what, "%.*s", end ? (int)(end - b->label) : (int)strlen(b->label), b->label);
        int i = 0;
        while (i < *count && strcmp((*rows)[i].what, what)) i++;
        if (i == *count) memcpy((*rows)[(*count)++].what, what, sizeof what);
        (*rows)[i].bytes += b->charged;
    }
    qsort(*rows, (size_t)*count, sizeof **rows, by_bytes);
    return STATUS_OK;
}

size_t device_largest_buffer(const device *d)
{
    size_t largest = 0;
    for (const buffer *b = d->buffers; b; b = b->next)
        if (b->charged > largest) largest = b->charged;
    return largest;
}
