/* Programs: source text with its includes in place, built once per (file, options), from the disk cache where it can.
 */
#include "device/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/embedded.h"
#include "base/files.h"
#include "base/memory.h"

#define ANNOUNCE_S 0.3
enum { INCLUDE_DEPTH = 16, BUILD_LOG = 4000 };

typedef struct {
    char *data;
    size_t size, capacity;
} text;

static status text_add(context *c, text *t, const char *data, size_t size)
{
    if (t->size + size + 1 > t->capacity) {
        const size_t capacity = 2 * (t->size + size + 1);
        status s = memory_grow(c, "kernel source", t->capacity, capacity, 1, &t->data);
        if (s) return s;
        t->capacity = capacity;
    }
    memcpy(t->data + t->size, data, size);
    t->size += size;
    t->data[t->size] = 0;
    return STATUS_OK;
}

/* Takes the name out of `#include "NAME"`; false for any other line. */
static bool include_name(const char *line, size_t size, char *name, size_t name_size)
{
    char copy[256];
    int end = 0;
    if (size >= sizeof copy) return false;
    memcpy(copy, line, size);
    copy[size] = 0;
    if (sscanf(copy, " # include \"%127[^\"]%n", name, &end) != 1 || copy[end] != '"') return false;
    return strlen(name) < name_size;
}

/* #line keeps the compiler's messages true. */
static status add_file(context *c, text *t, const char *name, int depth)
{
    char path[192], mark[192], included[128];
    snprintf(path, sizeof path, "kernels/%s", name);
    const embedded_file *f = embedded_find(path);
    if (!f) return context_fail(c, STATUS_FAILURE, "there is no kernel file %s in this program", path);
    if (depth > INCLUDE_DEPTH)
        return context_fail(c, STATUS_FAILURE, "%s: includes go deeper than %d: do they include each other?", path,
                            INCLUDE_DEPTH);
    int length = snprintf(mark, sizeof mark, "#line 1 \"%s\"\n", path);
    status s = text_add(c, t, mark, (size_t)length);
    int number = 0;
    for (const char *line = f->data, *next; *line && !s; line = next) {
        const char *end = strchr(line, '\n');
        next = end ? end + 1 : line + strlen(line);
        number++;
        if (!include_name(line, (size_t)(next - line), included, sizeof included)) {
            s = text_add(c, t, line, (size_t)(next - line));
            continue;
        }
        s = add_file(c, t, included, depth + 1);
        if (s) return context_prefix(c, s, "%s:%d", path, number);
        length = snprintf(mark, sizeof mark, "\n#line %d \"%s\"\n", number + 1, path);
        s = text_add(c, t, mark, (size_t)length);
    }
    return s;
}

status program_source(context *c, const char *file, char **source)
{
    text t = {0};
    char name[128];
    *source = NULL;
    snprintf(name, sizeof name, "%s.cl", file);
    status s = add_file(c, &t, name, 0);
    if (s) {
        memory_delete(&t.data);
        return s;
    }
    *source = t.data;
    return STATUS_OK;
}

/* Message of a failed build: file, options, device and the beginning of the compiler's log, where the first error is.
 */
static status build_fail(context *c, const device *d, const char *file, const char *options, cl_program p, cl_int code)
{
    char *log = NULL;
    size_t size = 0;
    if (code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY || code == CL_OUT_OF_RESOURCES)
        return context_prefix(c, opencl_fail(c, d, "clBuildProgram", code), "kernels/%s.cl", file);
    if (clGetProgramBuildInfo(p, d->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) ||
        memory_new(c, "build log", size + 1, 1, &log) ||
        clGetProgramBuildInfo(p, d->id, CL_PROGRAM_BUILD_LOG, size, log, NULL))
        size = 0;
    status s = context_fail(
        c, STATUS_DEVICE, "kernels/%s.cl does not build on %s (%s, driver %s) with options \"%s\": %s (%d)\n%.*s", file,
        d->record.name, d->record.platform_name, d->record.driver, options, opencl_error_name(code), (int)code,
        BUILD_LOG, size ? log : "(the driver gives no build log)");
    memory_delete(&log);
    return s;
}

/* A stop request does not wait for all the kernels of a first use; and a compiler inside the driver may answer the same
 * signal by removing its files, which makes the build fail. */
static status interrupted(context *c)
{
    return context_stop_requested(c) ? context_fail(c, STATUS_INTERRUPTED, "interrupted while kernels were built")
                                     : STATUS_OK;
}

static status build_from_source(context *c, device *d, const char *file, const char *source, const char *options,
                                cl_program *out)
{
    cl_int code = CL_SUCCESS;
    *out = NULL;
    status s = interrupted(c);
    if (s) return s;
    /* Silent where the driver's own cache makes it quick. */
    if (!d->announced && d->build_s >= ANNOUNCE_S) {
        log_info(c, "building kernels for %s …", d->record.name);
        d->announced = true;
    }
    const double begin = clock_seconds();
    log_debug(c, "building kernels/%s.cl %s", file, options);
    cl_program p = OPENCL_NEW(code, clCreateProgramWithSource(d->context, 1, &source, NULL, &code));
    if (code) return opencl_fail(c, d, "clCreateProgramWithSource", code);
    code = OPENCL(clBuildProgram(p, 1, &d->id, options, NULL, NULL));
    d->build_s += clock_seconds() - begin;
    if (code) {
        s = interrupted(c);
        if (!s) s = build_fail(c, d, file, options, p, code);
        clReleaseProgram(p);
        return s;
    }
    *out = p;
    return STATUS_OK;
}

static status all_options(context *c, const device *d, const char *options, char **out)
{
    const size_t size = strlen(options) + 128;
    status s = memory_new(c, "kernel options", size, 1, out);
    if (!s)
        snprintf(*out, size, PROGRAM_OPTIONS "%s%s", d->record.is_cpu, d->record.is_gpu, options[0] ? " " : "",
                 options);
    return s;
}

static status program_build(context *c, device *d, const char *file, const char *options, cl_program *out)
{
    char *source = NULL, *all = NULL, path[FILES_PATH] = "";
    *out = NULL;
    status s = program_source(c, file, &source);
    if (!s) s = all_options(c, d, options, &all);
    /* Without a cache folder (a read-only home) kernels are built each time. */
    if (!s && !d->record.avoid_binaries && program_cache_path(c, d, source, all, path)) path[0] = 0;
    if (!s && path[0]) s = program_cache_load(c, d, path, all, out);
    if (!s && !*out) {
        s = build_from_source(c, d, file, source, all, out);
        if (!s && path[0]) program_cache_save(c, d, path, *out);
    }
    memory_delete(&source);
    memory_delete(&all);
    return s;
}

status program_get(context *c, device *d, const char *file, const char *options, program **out)
{
    *out = NULL;
    for (program *p = d->programs; p; p = p->next)
        if (!strcmp(p->file, file) && !strcmp(p->options, options)) {
            *out = p;
            return STATUS_OK;
        }
    program *p = NULL;
    status s = memory_new(c, "program", 1, sizeof *p, &p);
    if (!s) s = memory_copy_string(c, file, &p->file);
    if (!s) s = memory_copy_string(c, options, &p->options);
    if (!s) s = program_build(c, d, file, options, &p->handle);
    if (s) {
        if (p) {
            memory_delete(&p->file);
            memory_delete(&p->options);
        }
        memory_delete(&p);
        return s;
    }
    p->next = d->programs;
    d->programs = p;
    *out = p;
    return STATUS_OK;
}

void programs_delete(device *d)
{
    for (program *p = d->programs, *next; p; p = next) {
        next = p->next;
        clReleaseProgram(p->handle);
        memory_delete(&p->file);
        memory_delete(&p->options);
        memory_delete(&p);
    }
    d->programs = NULL;
}
