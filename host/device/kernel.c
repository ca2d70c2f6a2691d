/* Kernels by (file, entry, options), and launches. A training step makes hundreds of them: arguments that have not
 * changed since the kernel's last launch are not set again. */
#include "device/internal.h"

#include <stdio.h>
#include <string.h>
#include "base/memory.h"

enum { LAUNCHES_A_FLUSH = 64 };

/* FNV-1a over the three texts with their ends. */
static uint64_t hash_names(const char *file, const char *entry, const char *options)
{
    const char *texts[] = {file, entry, options};
    uint64_t h = 14695981039346656037u;
    for (int i = 0; i < 3; i++)
        for (const char *p = texts[i];; p++) {
            h = (h ^ (unsigned char)*p) * 1099511628211u;
            if (!*p) break;
        }
    return h;
}

static void kernel_delete(kernel **pointer)
{
    kernel *k = *pointer;
    if (!k) return;
    if (k->handle) clReleaseKernel(k->handle);
    memory_delete(&k->file);
    memory_delete(&k->entry);
    memory_delete(&k->options);
    memory_delete(pointer);
}

static status kernel_build(context *c, device *d, kernel *k)
{
    program *p = NULL;
    char name[128];
    size_t most = 0;
    cl_int code = CL_SUCCESS;
    status s = program_get(c, d, k->file, k->options, &p);
    if (s) return s;
    snprintf(name, sizeof name, "%s/%s", k->file, k->entry);
    k->handle = OPENCL_NEW(code, clCreateKernel(p->handle, k->entry, &code));
    if (!code)
        code =
            OPENCL(clGetKernelInfo(k->handle, CL_KERNEL_NUM_ARGS, sizeof k->argument_count, &k->argument_count, NULL));
    if (!code)
        code = OPENCL(clGetKernelWorkGroupInfo(k->handle, d->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof most, &most, NULL));
    if (code)
        return context_prefix(c, opencl_fail(c, d, "making the kernel", code), "kernel %s (\"%s\")", name, k->options);
    if (k->argument_count > KERNEL_MAX_ARGUMENTS)
        return context_fail(c, STATUS_FAILURE, "kernel %s has %u arguments, at most %d are provided for", name,
                            k->argument_count, KERNEL_MAX_ARGUMENTS);
    if (most < k->max_work_group) k->max_work_group = most;
    return d->profile ? profile_row(c, d, name, &k->row) : STATUS_OK;
}

status kernel_get(context *c, device *d, const char *file, const char *entry, const char *options, kernel **out)
{
    const uint64_t hash = hash_names(file, entry, options);
    kernel **slot = &d->slots[hash % DEVICE_KERNEL_SLOTS];
    for (kernel *k = *slot; k; k = k->next)
        if (k->hash == hash && !strcmp(k->entry, entry) && !strcmp(k->file, file) && !strcmp(k->options, options)) {
            *out = k;
            return STATUS_OK;
        }
    kernel *k = NULL;
    *out = NULL;
    status s = memory_new(c, "kernel", 1, sizeof *k, &k);
    if (!s) s = memory_copy_string(c, file, &k->file);
    if (!s) s = memory_copy_string(c, entry, &k->entry);
    if (!s) s = memory_copy_string(c, options, &k->options);
    if (!s) k->max_work_group = d->record.max_work_group;
    if (!s && !d->sizes_only) s = kernel_build(c, d, k);
    if (s) {
        kernel_delete(&k);
        return s;
    }
    k->d = d;
    k->hash = hash;
    k->next = *slot;
    *slot = k;
    *out = k;
    return STATUS_OK;
}

void kernels_delete(device *d)
{
    for (int i = 0; i < DEVICE_KERNEL_SLOTS; i++)
        while (d->slots[i]) {
            kernel *k = d->slots[i];
            d->slots[i] = k->next;
            kernel_delete(&k);
        }
}

size_t kernel_max_work_group(const kernel *k)
{
    return k->max_work_group;
}

/* Size, place and remembered value of an argument. */
static size_t argument_bits(const kernel_argument *a, const void **data, uint64_t *value)
{
    *data = a->kind == KERNEL_LOCAL ? NULL : (const void *)&a->u;
    switch (a->kind) {
    case KERNEL_ULONG:
        *data = &a->l;
        *value = a->l;
        return sizeof a->l;
    case KERNEL_LOCAL:
        *value = a->local_bytes;
        return a->local_bytes;
    case KERNEL_BUFFER: /* by serial: a handle may be used again for another buffer */
        *data = a->b ? &a->b->memory : NULL;
        *value = a->b ? a->b->serial : 0;
        return sizeof(cl_mem);
    default:
        *value = a->u;
        return sizeof a->u;
    }
}

static status set_argument(context *c, kernel *k, int i, const kernel_argument *a)
{
    const void *data = NULL;
    uint64_t value = 0;
    const size_t size = argument_bits(a, &data, &value);
    if (a->kind == KERNEL_BUFFER) buffer_use(a->b);
    if (k->last[i].set && k->last[i].kind == (int)a->kind && k->last[i].value == value) return STATUS_OK;
    k->last[i].set = false;
    const cl_int code = OPENCL(clSetKernelArg(k->handle, (cl_uint)i, size, data));
    if (code) {
        const char *label = a->kind == KERNEL_BUFFER && a->b ? a->b->label : "a number";
        return context_prefix(c, opencl_fail(c, k->d, "setting an argument", code), "kernel %s/%s, argument %d (%s)",
                              k->file, k->entry, i, label);
    }
    k->last[i].set = true;
    k->last[i].kind = (int)a->kind;
    k->last[i].value = value;
    return STATUS_OK;
}

static status launch_fail(context *c, const kernel *k, int dimensions, const size_t *global, const size_t *local,
                          cl_int code)
{
    char sizes[256];
    size_t used = (size_t)snprintf(sizes, sizeof sizes, "global");
    for (int i = 0; i < dimensions; i++) used += (size_t)snprintf(sizes + used, sizeof sizes - used, " %zu", global[i]);
    used += (size_t)snprintf(sizes + used, sizeof sizes - used, local ? ", local" : ", local left to the runtime");
    for (int i = 0; i < dimensions && local; i++)
        used += (size_t)snprintf(sizes + used, sizeof sizes - used, " %zu", local[i]);
    return context_prefix(c, opencl_fail(c, k->d, "launching it", code),
                          "kernel %s/%s (\"%s\", %s, largest work-group %zu)", k->file, k->entry, k->options, sizes,
                          k->max_work_group);
}

/* Says once all that a compiler needs to know of the kernel (tests/portability/offline.py compiles it for devices that
 * are not here). */
static void note_launch(context *c, kernel *k)
{
    const device_record *r = &k->d->record;
    if (!k->launched)
        log_debug(c, "kernel %s/%s " PROGRAM_OPTIONS " %s", k->file, k->entry, r->is_cpu, r->is_gpu, k->options);
    k->launched = true;
}

status kernel_run(context *c, kernel *k, int dimensions, const size_t *global, const size_t *local, int count,
                  const kernel_argument *arguments)
{
    device *d = k->d;
    if (d->sizes_only) {
        note_launch(c, k);
        return STATUS_OK;
    }
    if (dimensions < 1 || dimensions > 3)
        return context_fail(c, STATUS_FAILURE, "kernel %s/%s: %d dimensions; there are 1 to 3", k->file, k->entry,
                            dimensions);
    if (count != (int)k->argument_count)
        return context_fail(c, STATUS_FAILURE, "kernel %s/%s: %d arguments given, it has %u", k->file, k->entry, count,
                            k->argument_count);
    for (int i = 0; i < dimensions; i++)
        if (!global[i]) return STATUS_OK;
    for (int i = 0; i < count; i++) {
        status s = set_argument(c, k, i, &arguments[i]);
        if (s) return s;
    }
    cl_event e;
    cl_event *slot = profile_slot(d, &e);
    const cl_int code =
        OPENCL(clEnqueueNDRangeKernel(d->queue, k->handle, (cl_uint)dimensions, NULL, global, local, 0, NULL, slot));
    if (code) return launch_fail(c, k, dimensions, global, local, code);
    note_launch(c, k);
    d->queued++;
    /* Drivers that wait for a flush begin early. */
    if (++d->launches % LAUNCHES_A_FLUSH == 0) {
        const status s = device_flush(c, d);
        if (s) return s;
    }
    return profile_add(c, d, k->row, e);
}
