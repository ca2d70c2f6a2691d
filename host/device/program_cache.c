/* The disk cache of built programs: one file per source, options, platform, device and driver. A file is a head that is
 * checked, then the driver's binary. What is damaged, or what the driver refuses, is built anew without a word. */
#include "device/internal.h"

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "base/files.h"
#include "base/hash.h"
#include "base/memory.h"
#include "device/health.h"

typedef struct {
    char magic[16];
    uint64_t size;        /* of the binary behind the head */
    char hash[HASH_TEXT]; /* of all that follows its padding */
    char padding[7];
    char maker[256]; /* device_describe: for people and cosmocl doctor */
} cache_head;

enum { HASHED = offsetof(cache_head, maker) };

static const char MAGIC[16] = "cosmocl-kernel2";

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
    hash_bytes(data + HASHED, size - HASHED, hash);
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
        device_describe(&d->record, head.maker, sizeof head.maker);
        memcpy(data, &head, sizeof head);
        hash_bytes(data + HASHED, sizeof head + size - HASHED, head.hash);
        memcpy(data, &head, sizeof head);
        if (files_replace(c, path, data, sizeof head + size)) log_debug(c, "%s", context_message(c));
    }
    memory_delete(&data);
}

/* ---- what lies in the cache */

static bool made_here(const char *maker, const device_record *list, int count)
{
    char text[sizeof((cache_head *)0)->maker];
    for (int i = 0; i < count; i++) {
        device_describe(&list[i], text, sizeof text);
        if (strcmp(maker, text) == 0) return true;
    }
    return false;
}

static status survey_file(context *c, const char *path, const device_record *list, int count, health_cache *u)
{
    char *data = NULL;
    size_t size = 0, binary_size = 0;
    cache_head head;
    status s = files_read(c, path, &data, &size);
    if (s) return s == STATUS_MEMORY ? s : STATUS_OK;
    u->files++;
    /* Of an older version of this program: whole, but of another form. */
    const bool other = size >= sizeof MAGIC && !memcmp(data, MAGIC, 14) && memcmp(data, MAGIC, sizeof MAGIC);
    if (other) {
        u->stale++;
        u->stale_bytes += (double)size;
    } else if (!checked_binary(data, size, &binary_size)) {
        u->damaged++;
    } else {
        memcpy(&head, data, sizeof head);
        head.maker[sizeof head.maker - 1] = 0;
        if (!made_here(head.maker, list, count)) {
            u->stale++;
            u->stale_bytes += (double)size;
        }
    }
    memory_delete(&data);
    return STATUS_OK;
}

status health_cache_survey(context *c, const char *cache, const device_record *list, int count, health_cache *out)
{
    char folder[FILES_PATH], path[FILES_PATH];
    *out = (health_cache){0};
    status s = files_path(c, folder, "%s/kernels", cache);
    DIR *dir = s ? NULL : opendir(folder);
    if (!dir) return s; /* nothing was kept yet */
    for (struct dirent *e; !s && (e = readdir(dir));) {
        const size_t n = strlen(e->d_name);
        if (n < 5 || strcmp(e->d_name + n - 4, ".bin") || e->d_name[0] == '.') continue;
        s = files_path(c, path, "%s/%s", folder, e->d_name);
        if (!s) s = survey_file(c, path, list, count, out);
    }
    closedir(dir);
    return s;
}
