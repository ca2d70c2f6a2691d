/* The disk cache of built programs: one file per source, options, platform, device and driver. A file is a head that is
 * checked, then the driver's binary. What is damaged, or what the driver refuses, is built anew without a word. */
#include "device/internal.h"

#include <stdio.h>
#include <string.h>
#include "base/files.h"
#include "base/hash.h"
#include "base/memory.h"

typedef struct {
    char magic[16];
    uint64_t size;        /* of the binary behind the head */
    char hash[HASH_TEXT]; /* of the binary */
    char padding[7];
} cache_head;

static const char MAGIC[16] = "cosmocl-kernels";

status program_cache_path(context *c, const device *d, const char *source, const char *options, char *path)
{
    char folder[FILES_PATH], hash[HASH_TEXT], *key = NULL;
    const device_record *r = &d->record;
    const char *parts[] = {"1", source, options, r->platform_name, r->platform_version, r->name, r->version, r->driver};
    const int count = (int)(sizeof parts / sizeof *parts);
    size_t size = 0, used = 0;
    for (int i = 0; i < count; i++) size += strlen(parts[i]) + 1;
    status s = memory_new(c, "key of the kernel cache", size, 1, &key);
    if (s) return s;
    for (int i = 0; i < count; i++) { /* with their terminators, so that parts cannot run into each other */
        memcpy(key + used, parts[i], strlen(parts[i]) + 1);
        used += strlen(parts[i]) + 1;
    }
    hash_bytes(key, size, hash);
    memory_delete(&key);
    s = files_cache_folder(c, folder);
    if (!s) s = files_path(c, path, "%s/kernels", folder);
    if (!s) s = files_make_folder(c, path);
    if (!s) s = files_path(c, path, "%s/kernels/%s.bin", folder, hash);
    if (s) log_debug(c, "no kernel cache: %s", context_message(c));
    return s;
}

/* The binary in a cache file, NULL if it is not whole. */
static const unsigned char *checked_binary(const char *data, size_t size, size_t *binary_size)
{
    cache_head head;
    char hash[HASH_TEXT];
    if (size < sizeof head) return NULL;
    memcpy(&head, data, sizeof head);
    if (memcmp(head.magic, MAGIC, sizeof MAGIC) || head.size != size - sizeof head) return NULL;
    hash_bytes(data + sizeof head, size - sizeof head, hash);
    if (memcmp(hash, head.hash, HASH_TEXT)) return NULL;
    *binary_size = size - sizeof head;
    return (const unsigned char *)data + sizeof head;
}

status program_cache_load(context *c, const device *d, const char *path, const char *options, cl_program *out)
{
    char *data = NULL;
    size_t size = 0, binary_size = 0;
    cl_int code = CL_SUCCESS, refused = CL_SUCCESS;
    *out = NULL;
    if (!files_exists(path)) return STATUS_OK;
    status s = files_read(c, path, &data, &size);
    if (s) return s == STATUS_MEMORY ? s : STATUS_OK;
    const unsigned char *binary = checked_binary(data, size, &binary_size);
    if (!binary) {
        log_debug(c, "%s is damaged and made anew", path);
        memory_delete(&data);
        return STATUS_OK;
    }
    cl_program p =
        OPENCL_NEW(code, clCreateProgramWithBinary(d->context, 1, &d->id, &binary_size, &binary, &refused, &code));
    if (!code) code = refused;
    if (!code) code = OPENCL(clBuildProgram(p, 1, &d->id, options, NULL, NULL));
    if (code) {
        log_debug(c, "%s is refused (%s) and made anew", path, opencl_error_name(code));
        if (p) clReleaseProgram(p);
        p = NULL;
    }
    memory_delete(&data);
    *out = p;
    return STATUS_OK;
}

void program_cache_save(context *c, const device *d, const char *path, cl_program p)
{
    char *data = NULL;
    size_t size = 0;
    cl_int code = OPENCL(clGetProgramInfo(p, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL));
    if (code || !size) {
        log_debug(c, "%s gives no binary of its kernels", d->record.name);
        return;
    }
    if (memory_new(c, "binary of kernels", sizeof(cache_head) + size, 1, &data)) {
        log_debug(c, "%s", context_message(c));
        return;
    }
    unsigned char *binary = (unsigned char *)data + sizeof(cache_head);
    code = OPENCL(clGetProgramInfo(p, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL));
    if (!code) {
        cache_head head = {.size = size};
        memcpy(head.magic, MAGIC, sizeof MAGIC);
        hash_bytes(binary, size, head.hash);
        memcpy(data, &head, sizeof head);
        if (files_replace(c, path, data, sizeof head + size)) log_debug(c, "%s", context_message(c));
    }
    memory_delete(&data);
}
