/* The open device: one context, one in-order queue. */
#include "device/internal.h"

#include <stdio.h>
#include <string.h>
#include "base/memory.h"

static status open_handles(context *c, device *d, bool profile)
{
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)d->platform, 0};
    cl_int code = CL_SUCCESS;
    d->context = OPENCL_NEW(code, clCreateContext(properties, 1, &d->id, NULL, NULL, &code));
    if (code) return opencl_fail(c, d, "clCreateContext", code);
    d->queue =
        OPENCL_NEW(code, clCreateCommandQueue(d->context, d->id, profile ? CL_QUEUE_PROFILING_ENABLE : 0, &code));
    if (code) return opencl_fail(c, d, "clCreateCommandQueue", code);
    return STATUS_OK;
}

status device_open(context *c, const device_options *o, device **out)
{
    device_record *list = NULL;
    device_handle *handles = NULL;
    device *d = NULL;
    int count = 0, index = 0;
    *out = NULL;
    status s = platforms_list(c, &list, &handles, &count);
    if (!s) s = device_choose(c, list, count, o ? o->spec : NULL, &index);
    if (!s) s = memory_new(c, "device", 1, sizeof *d, &d);
    if (s) goto out;
    d->record = list[index];
    d->platform = handles[index].platform;
    d->id = handles[index].id;
    d->alignment = d->record.base_align_bytes > 512 ? d->record.base_align_bytes : 512;
    d->budget = o && o->budget_bytes ? o->budget_bytes : d->record.global_bytes / 10 * 9;
    d->profile = o && o->profile;
    d->sizes_only = o && o->sizes_only;
    if (d->record.avoid_device)
        log_warning(c, "%s is known to misbehave (%s); `cosmocl doctor` says more", d->record.name, d->record.quirk);
    if (!d->sizes_only) s = open_handles(c, d, d->profile);
    if (s) goto out;
    log_debug(c, "opened device %d:%d %s, budget %.0f MiB", d->record.platform, d->record.index, d->record.name,
              (double)d->budget / (1024.0 * 1024.0));
    *out = d;
    d = NULL;
out:
    device_delete(&d);
    memory_delete(&list);
    memory_delete(&handles);
    return s;
}

/* Buffers are deleted before their device. */
void device_delete(device **pointer)
{
    device *d = pointer ? *pointer : NULL;
    if (!d) return;
    *pointer = NULL;
    if (d->queue) clFinish(d->queue);
    workspace_delete(d);
    profile_delete(d);
    kernels_delete(d);
    programs_delete(d);
    if (d->queue) clReleaseCommandQueue(d->queue);
    if (d->context) clReleaseContext(d->context);
    tuning_delete(&d->tuning);
    memory_delete(&d->staging);
    memory_delete(&d);
}

const device_record *device_info(const device *d)
{
    return &d->record;
}

status device_late_error(context *c, device *d)
{
    const cl_int code = d->late;
    d->late = CL_SUCCESS;
    return code ? opencl_fail(c, d, "work queued before a buffer was deleted", code) : STATUS_OK;
}

status device_finish(context *c, device *d)
{
    const cl_int code = d->sizes_only ? CL_SUCCESS : OPENCL_WAIT(clFinish(d->queue));
    if (code) return opencl_fail(c, d, "waiting for queued work", code);
    d->done = d->queued;
    d->staging_used = 0;
    return device_late_error(c, d);
}

status device_flush(context *c, device *d)
{
    const cl_int code = d->sizes_only ? CL_SUCCESS : OPENCL(clFlush(d->queue));
    return code ? opencl_fail(c, d, "handing over queued work", code) : STATUS_OK;
}

size_t device_bytes_used(const device *d)
{
    return d->used;
}

size_t device_bytes_peak(const device *d)
{
    return d->peak;
}

size_t device_budget(const device *d)
{
    return d->budget;
}

cl_context opencl_context(const device *d)
{
    return d->context;
}

cl_device_id opencl_device(const device *d)
{
    return d->id;
}

cl_platform_id opencl_platform(const device *d)
{
    return d->platform;
}

cl_command_queue opencl_queue(const device *d)
{
    return d->queue;
}
