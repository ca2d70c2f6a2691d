/* What there is: one record per device of every platform, with the quirks applied. */
#include "device/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"

/* Copies text without the blanks around it (drivers pad names). */
static void trim(char *out, size_t size, const char *text)
{
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1])) n--;
    if (n >= size) n = size - 1;
    memcpy(out, text, n);
    out[n] = 0;
}

static cl_int platform_text(cl_platform_id p, cl_platform_info what, char *out, size_t size)
{
    char text[4096] = "";
    const cl_int code = OPENCL(clGetPlatformInfo(p, what, sizeof text - 1, text, NULL));
    trim(out, size, text);
    return code;
}

static cl_int device_text(cl_device_id id, cl_device_info what, char *out, size_t size)
{
    char text[4096] = "";
    const cl_int code = OPENCL(clGetDeviceInfo(id, what, sizeof text - 1, text, NULL));
    trim(out, size, text);
    return code;
}

static cl_int device_value(cl_device_id id, cl_device_info what, void *out, size_t size)
{
    memset(out, 0, size);
    return OPENCL(clGetDeviceInfo(id, what, size, out, NULL));
}

static cl_int fill_texts(cl_platform_id p, cl_device_id id, device_record *r)
{
    cl_int code = platform_text(p, CL_PLATFORM_NAME, r->platform_name, sizeof r->platform_name);
    if (!code) code = platform_text(p, CL_PLATFORM_VERSION, r->platform_version, sizeof r->platform_version);
    if (!code) code = device_text(id, CL_DEVICE_VENDOR, r->vendor, sizeof r->vendor);
    if (!code) code = device_text(id, CL_DEVICE_NAME, r->name, sizeof r->name);
    if (!code) code = device_text(id, CL_DEVICE_VERSION, r->version, sizeof r->version);
    if (!code) code = device_text(id, CL_DRIVER_VERSION, r->driver, sizeof r->driver);
    return code;
}

static cl_int fill_values(cl_device_id id, device_record *r)
{
    cl_device_type type;
    cl_device_fp_config single, twice;
    cl_bool unified;
    cl_uint units, align_bits, width, native = 0;
    cl_ulong local, global, block;
    cl_int code = device_value(id, CL_DEVICE_TYPE, &type, sizeof type);
    if (!code) code = device_value(id, CL_DEVICE_SINGLE_FP_CONFIG, &single, sizeof single);
    if (code) return code;
    r->is_cpu = type & CL_DEVICE_TYPE_CPU;
    r->is_gpu = type & CL_DEVICE_TYPE_GPU;
    r->has_fma = single & CL_FP_FMA;
    r->has_denormals = single & CL_FP_DENORM;
    /* Drivers without doubles may refuse the question. */
    r->has_double = !device_value(id, CL_DEVICE_DOUBLE_FP_CONFIG, &twice, sizeof twice) && twice;
    r->unified_memory = !device_value(id, CL_DEVICE_HOST_UNIFIED_MEMORY, &unified, sizeof unified) && unified;
    code = device_value(id, CL_DEVICE_MAX_COMPUTE_UNITS, &units, sizeof units);
    if (!code) code = device_value(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, &r->max_work_group, sizeof r->max_work_group);
    if (!code) code = device_value(id, CL_DEVICE_LOCAL_MEM_SIZE, &local, sizeof local);
    if (!code) code = device_value(id, CL_DEVICE_GLOBAL_MEM_SIZE, &global, sizeof global);
    if (!code) code = device_value(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, &block, sizeof block);
    if (!code) code = device_value(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, &align_bits, sizeof align_bits);
    if (!code) code = device_value(id, CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, &width, sizeof width);
    /* A driver that joins work-items to vectors by itself prefers scalars; on a CPU, vectors by hand are as wide. */
    if (!code && r->is_cpu) code = device_value(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, &native, sizeof native);
    if (code) return code;
    r->compute_units = (int)units;
    r->local_bytes = (size_t)local;
    r->global_bytes = (size_t)global;
    r->largest_block_bytes = (size_t)block;
    r->base_align_bytes = align_bits / 8;
    if (native > width) width = native;
    r->native_vector = width ? (int)width : 1;
    return code;
}

/* Why a device cannot be used at all; NULL if it can. */
static const char *unusable(cl_device_id id, const device_record *r)
{
    cl_bool available, compiler;
    int major = 0, minor = 0;
    if (device_value(id, CL_DEVICE_AVAILABLE, &available, sizeof available) || !available)
        return "the driver says it is not available";
    if (device_value(id, CL_DEVICE_COMPILER_AVAILABLE, &compiler, sizeof compiler) || !compiler)
        return "its driver has no compiler";
    if (sscanf(r->version, "OpenCL %d.%d", &major, &minor) != 2 || 10 * major + minor < 12)
        return "it is older than OpenCL 1.2; update its driver";
    return NULL;
}

typedef struct {
    device_record *records;
    device_handle *handles;
    int count, capacity;
} listing;

static status listing_add(context *c, listing *l, const device_record *r, device_handle h)
{
    if (l->count == l->capacity) {
        const size_t capacity = l->capacity ? 2 * (size_t)l->capacity : 8;
        status s = memory_grow(c, "list of devices", (size_t)l->count, capacity, sizeof *l->records, &l->records);
        if (!s) s = memory_grow(c, "list of devices", (size_t)l->count, capacity, sizeof *l->handles, &l->handles);
        if (s) return s;
        l->capacity = (int)capacity;
    }
    l->records[l->count] = *r;
    l->handles[l->count++] = h;
    return STATUS_OK;
}

static status list_platform(context *c, int index, cl_platform_id p, listing *l)
{
    cl_device_id *ids = NULL;
    cl_uint n = 0;
    cl_int code = OPENCL(clGetDeviceIDs(p, CL_DEVICE_TYPE_ALL, 0, NULL, &n));
    if (code == CL_DEVICE_NOT_FOUND || (!code && !n)) return STATUS_OK;
    status s = memory_new(c, "list of devices", n, sizeof *ids, &ids);
    if (s) return s;
    if (!code) code = OPENCL(clGetDeviceIDs(p, CL_DEVICE_TYPE_ALL, n, ids, NULL));
    if (code) { /* one broken platform does not hide the others */
        log_warning(c, "OpenCL platform %d lists no devices: %s; `cosmocl doctor` says more", index,
                    opencl_error_name(code));
        n = 0;
    }
    for (cl_uint i = 0; i < n && !s; i++) {
        device_record r = {.platform = index, .index = (int)i};
        code = fill_texts(p, ids[i], &r);
        if (!code) code = fill_values(ids[i], &r);
        if (code) {
            log_warning(c, "OpenCL device %d:%d is left out: asking it failed: %s", index, (int)i,
                        opencl_error_name(code));
            continue;
        }
        const char *why = unusable(ids[i], &r);
        if (why) {
            log_warning(c, "OpenCL device %d:%d (%s) is left out: %s", index, (int)i, r.name, why);
            continue;
        }
        s = quirks_apply(c, quirks_text(), &r);
        if (!s) s = emulate_apply(c, &r);
        if (!s) s = listing_add(c, l, &r, (device_handle){p, ids[i]});
    }
    memory_delete(&ids);
    return s;
}

status platforms_list(context *c, device_record **list, device_handle **handles, int *count)
{
    listing l = {0};
    cl_platform_id *platforms = NULL;
    cl_uint n = 0;
    *list = NULL;
    *count = 0;
    if (handles) *handles = NULL;
    cl_int code = OPENCL(clGetPlatformIDs(0, NULL, &n));
    if (code == OPENCL_PLATFORM_NOT_FOUND) n = 0, code = CL_SUCCESS;
    if (code) return opencl_fail(c, NULL, "clGetPlatformIDs", code);
    status s = memory_new(c, "list of platforms", n, sizeof *platforms, &platforms);
    if (!s && n) {
        code = OPENCL(clGetPlatformIDs(n, platforms, NULL));
        if (code) s = opencl_fail(c, NULL, "clGetPlatformIDs", code);
    }
    for (cl_uint i = 0; i < n && !s; i++) s = list_platform(c, (int)i, platforms[i], &l);
    memory_delete(&platforms);
    if (!s && !l.records) /* a valid pointer for an empty list */
        s = memory_new(c, "list of devices", 0, sizeof *l.records, &l.records);
    if (s || !handles) memory_delete(&l.handles);
    if (s) {
        memory_delete(&l.records);
        return s;
    }
    *list = l.records;
    *count = l.count;
    if (handles) *handles = l.handles;
    return STATUS_OK;
}

status device_list(context *c, device_record **list, int *count)
{
    return platforms_list(c, list, NULL, count);
}

void platforms_describe(const device_record *list, int count, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "\n  %d:%d %s (%s, %s, %.1f GiB)%s%s", list[i].platform,
                                 list[i].index, list[i].name, list[i].platform_name,
                                 list[i].is_gpu   ? "GPU"
                                 : list[i].is_cpu ? "CPU"
                                                  : "accelerator",
                                 (double)list[i].global_bytes / (1024.0 * 1024.0 * 1024.0),
                                 list[i].avoid_device ? ", avoided: " : "", list[i].avoid_device ? list[i].quirk : "");
}

void device_describe(const device_record *r, char *text, size_t size)
{
    snprintf(text, size, "%s, %s, %s", r->platform_name, r->name, r->driver);
}
