/* Time per kernel: every launch of a profiling device leaves an event, and events are turned into rows of sums. */
#include "device/internal.h"

#include <string.h>
#include "base/memory.h"

status profile_row(context *c, device *d, const char *name, int *row)
{
    for (int i = 0; i < d->row_count; i++)
        if (!strncmp(d->rows[i].kernel, name, sizeof d->rows[i].kernel - 1)) {
            *row = i;
            return STATUS_OK;
        }
    if (d->row_count == d->row_capacity) {
        const int capacity = d->row_capacity ? 2 * d->row_capacity : 32;
        status s = memory_grow(c, "profile", (size_t)d->row_count, (size_t)capacity, sizeof *d->rows, &d->rows);
        if (s) return s;
        d->row_capacity = capacity;
    }
    *row = d->row_count++;
    d->rows[*row] = (device_profile_row){0};
    strncpy(d->rows[*row].kernel, name, sizeof d->rows[*row].kernel - 1);
    return STATUS_OK;
}

void kernel_work(device *d, double flops, double bytes)
{
    d->work_flops = flops;
    d->work_bytes = bytes;
}

cl_event *profile_slot(device *d, cl_event *e)
{
    *e = NULL;
    return d->profile ? e : NULL;
}

/* Turns all held events into sums; waits for them. */
static status profile_drain(context *c, device *d)
{
    status s = STATUS_OK;
    for (int i = 0; i < d->event_count; i++) {
        profile_event *p = &d->events[i];
        cl_ulong begin = 0, end = 0;
        cl_int code = s ? CL_SUCCESS : OPENCL_WAIT(clWaitForEvents(1, &p->event));
        if (!code && !s)
            code = OPENCL(clGetEventProfilingInfo(p->event, CL_PROFILING_COMMAND_START, sizeof begin, &begin, NULL));
        if (!code && !s)
            code = OPENCL(clGetEventProfilingInfo(p->event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL));
        if (code) s = opencl_fail(c, d, "reading the profile", code);
        d->rows[p->row].launches++;
        d->rows[p->row].flops += p->flops;
        d->rows[p->row].bytes += p->bytes;
        d->rows[p->row].seconds += end > begin ? 1e-9 * (double)(end - begin) : 0;
        clReleaseEvent(p->event);
    }
    d->event_count = 0;
    return s;
}

status profile_add(context *c, device *d, int row, cl_event e)
{
    if (!d->profile || !e) return STATUS_OK;
    status s = d->event_count >= PROFILE_DRAIN ? profile_drain(c, d) : STATUS_OK;
    if (!s && d->event_count == d->event_capacity) {
        const int capacity = d->event_capacity ? 2 * d->event_capacity : 256;
        s = memory_grow(c, "profile", (size_t)d->event_count, (size_t)capacity, sizeof *d->events, &d->events);
        if (!s) d->event_capacity = capacity;
    }
    if (s) {
        clReleaseEvent(e);
        return s;
    }
    d->events[d->event_count++] = (profile_event){e, row, d->work_flops, d->work_bytes};
    d->work_flops = d->work_bytes = 0;
    return STATUS_OK;
}

status profile_add_named(context *c, device *d, const char *name, cl_event e)
{
    if (!d->profile || !e) return STATUS_OK;
    int row = 0;
    status s = profile_row(c, d, name, &row);
    if (s) {
        clReleaseEvent(e);
        return s;
    }
    return profile_add(c, d, row, e);
}

status device_profile(context *c, device *d, device_profile_row **rows, int *count)
{
    *rows = NULL;
    *count = 0;
    status s = profile_drain(c, d);
    if (s) return s;
    s = memory_new(c, "profile", (size_t)d->row_count, sizeof **rows, rows);
    if (s) return s;
    for (int i = 0; i < d->row_count; i++) {
        if (d->rows[i].launches) (*rows)[(*count)++] = d->rows[i];
        d->rows[i].launches = 0;
        d->rows[i].seconds = d->rows[i].flops = d->rows[i].bytes = 0;
    }
    return STATUS_OK;
}

void profile_delete(device *d)
{
    for (int i = 0; i < d->event_count; i++) clReleaseEvent(d->events[i].event);
    d->event_count = 0;
    memory_delete(&d->events);
    memory_delete(&d->rows);
}
