/* Writing: files are built whole, in memory below 1 GiB, and put in place at the end. */
#include "io/hdf5_file.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include "base/memory.h"

#define MEMORY_LIMIT (UINT64_C(1) << 30)
enum {
    GZIP_LEVEL = 1,         /* on float32 fields higher levels cost three times the time for 2 % of the size */
    CHUNK_BYTES = 1 << 20,  /* tables are cut along their first axis into chunks of about this size */
    IMAGE_BYTES = 16 << 20, /* an image of a stack (rank 3) is one chunk up to this size */
    SMALL_BYTES = 4096      /* contiguous below it: a filter would cost more than it saves */
};

static status check_free_space(context *c, const char *path, uint64_t wanted)
{
    char folder[FILES_PATH];
    struct statvfs v;
    snprintf(folder, sizeof folder, "%s", path);
    if (statvfs(dirname(folder), &v))
        return context_fail(c, STATUS_FAILURE, "%s: cannot write: %s; choose another place with -o", path,
                            strerror(errno));
    uint64_t there = (uint64_t)v.f_bavail * v.f_frsize;
    if (there >= wanted) return STATUS_OK;
    return context_fail(c, STATUS_FAILURE,
                        "%s: cannot write: needs %" PRIu64 " MiB, %" PRIu64
                        " MiB are free; free some or choose another place with -o",
                        path, wanted >> 20, there >> 20);
}

status h5_create(context *c, const char *path, uint64_t expected_bytes, h5_file **out)
{
    h5_file *f = NULL;
    hid_t access = H5I_INVALID_HID;
    status s = h5_file_new(c, path, &f);
    if (s) goto out;
    f->writing = true;
    f->in_memory = expected_bytes < MEMORY_LIMIT;
    if (!f->in_memory) {
        s = check_free_space(c, path, expected_bytes);
        if (s) goto out;
        files_temporary(path, f->temporary);
    }
    access = H5Pcreate(H5P_FILE_ACCESS);
    size_t step = 1 << 20;
    while (step < expected_bytes / 8) step *= 2;
    if (access >= 0 && H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
        (!f->in_memory || H5Pset_fapl_core(access, step, 0) >= 0))
        f->id = H5Fcreate(f->in_memory ? path : f->temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    if (f->id < 0) {
        char reason[H5_REASON];
        h5_reason(reason);
        s = context_fail(c, STATUS_FAILURE, "%s: cannot make the file (HDF5: %s); choose another place with -o", path,
                         reason);
    }
out:
    if (access >= 0) H5Pclose(access);
    if (s) h5_delete(&f);
    *out = f;
    return s;
}

/* Cuts axes from the first one on until a chunk has at most `limit` bytes. Images of a stack are a chunk each. */
static void chunk_shape(int rank, const uint64_t *shape, size_t size, hsize_t *chunk)
{
    uint64_t bytes = size, limit = rank >= 3 ? IMAGE_BYTES : CHUNK_BYTES;
    for (int i = 0; i < rank; i++) {
        chunk[i] = shape[i];
        if (rank >= 3 && i < rank - 2) chunk[i] = 1;
        bytes *= chunk[i];
    }
    for (int i = 0; i < rank && bytes > limit; i++) {
        uint64_t row = bytes / chunk[i];
        chunk[i] = row >= limit ? 1 : limit / row;
        bytes = row * chunk[i];
    }
}

void h5_store_plain(h5_file *f)
{
    f->plain = true;
}

static hid_t creation_properties(bool plain, int rank, const uint64_t *shape, size_t size, uint64_t bytes)
{
    hsize_t chunk[H5_RANK];
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    if (p < 0) return p;
    herr_t ok = H5Pset_obj_track_times(p, false);
    if (ok >= 0) ok = H5Pset_fill_time(p, H5D_FILL_TIME_IFSET);
    if (ok >= 0 && !plain && rank > 0 && bytes >= SMALL_BYTES) {
        chunk_shape(rank, shape, size, chunk);
        ok = H5Pset_chunk(p, rank, chunk);
        if (ok >= 0) ok = H5Pset_shuffle(p);
        if (ok >= 0) ok = H5Pset_deflate(p, GZIP_LEVEL);
    }
    if (ok >= 0) return p;
    H5Pclose(p);
    return H5I_INVALID_HID;
}

/* Makes a dataset and, with data, fills it. */
static status make_dataset(context *c, h5_file *f, const char *object, h5_type type, int rank, const uint64_t *shape,
                           const void *data)
{
    hid_t space = H5I_INVALID_HID, properties = H5I_INVALID_HID, links = H5I_INVALID_HID, id = H5I_INVALID_HID;
    hsize_t dims[H5_RANK];
    uint64_t bytes;
    status s = STATUS_OK;
    if (!h5_bytes(rank, shape, h5_type_size(type), &bytes))
        return context_fail(c, STATUS_FAILURE, "%s: %s: its size overflows 64 bits", f->path, object);
    for (int i = 0; i < rank; i++) dims[i] = shape[i];
    space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
    properties = creation_properties(f->plain, rank, shape, h5_type_size(type), bytes);
    links = H5Pcreate(H5P_LINK_CREATE);
    if (space >= 0 && properties >= 0 && links >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0)
        id = H5Dcreate2(f->id, object, h5_stored_type(type), space, links, properties, H5P_DEFAULT);
    if (id < 0)
        s = h5_fail(c, f, STATUS_FAILURE, object, "cannot make the dataset");
    else if (data && bytes > 0 && H5Dwrite(id, h5_memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        s = h5_fail(c, f, STATUS_FAILURE, object, "cannot write; free some space or choose another place with -o");
    if (id >= 0) H5Dclose(id);
    if (links >= 0) H5Pclose(links);
    if (properties >= 0) H5Pclose(properties);
    if (space >= 0) H5Sclose(space);
    return s;
}

status h5_write(context *c, h5_file *f, const char *object, h5_type type, int rank, const uint64_t *shape,
                const void *data)
{
    return make_dataset(c, f, object, type, rank, shape, data);
}

status h5_reserve(context *c, h5_file *f, const char *object, h5_type type, int rank, const uint64_t *shape)
{
    return make_dataset(c, f, object, type, rank, shape, NULL);
}

status h5_write_rows(context *c, h5_file *f, const char *object, uint64_t first, uint64_t rows, h5_type type,
                     const void *data)
{
    hid_t id, file_space = H5I_INVALID_HID, memory_space = H5I_INVALID_HID;
    hsize_t start[H5S_MAX_RANK] = {0}, count[H5S_MAX_RANK] = {0};
    status s = h5_object_open(c, f, object, &id);
    if (s) return s;
    file_space = H5Dget_space(id);
    int rank = file_space >= 0 ? H5Sget_simple_extent_dims(file_space, count, NULL) : -1;
    if (rank < 1 || first > count[0] || rows > count[0] - first) {
        s = context_fail(c, STATUS_FAILURE, "%s: %s: rows %" PRIu64 " to %" PRIu64 " do not fit into the reserved ones",
                         f->path, object, first, first + rows);
        goto out;
    }
    start[0] = first;
    count[0] = rows;
    memory_space = H5Screate_simple(rank, count, NULL);
    if (memory_space < 0 || H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        (H5Sget_select_npoints(file_space) > 0 &&
         H5Dwrite(id, h5_memory_type(type), memory_space, file_space, H5P_DEFAULT, data) < 0))
        s = h5_fail(c, f, STATUS_FAILURE, object, "cannot write; free some space or choose another place with -o");
out:
    if (memory_space >= 0) H5Sclose(memory_space);
    if (file_space >= 0) H5Sclose(file_space);
    H5Oclose(id);
    return s;
}

status h5_group(context *c, h5_file *f, const char *object)
{
    if (h5_exists(f, object)) return STATUS_OK;
    hid_t links = H5Pcreate(H5P_LINK_CREATE), id = H5I_INVALID_HID;
    if (links >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0)
        id = H5Gcreate2(f->id, object, links, H5P_DEFAULT, H5P_DEFAULT);
    status s = id < 0 ? h5_fail(c, f, STATUS_FAILURE, object, "cannot make the group") : STATUS_OK;
    if (id >= 0) H5Gclose(id);
    if (links >= 0) H5Pclose(links);
    return s;
}

/* The bytes of a file built in memory, replacing the target. */
static status write_image(context *c, h5_file *f)
{
    char *image = NULL;
    ssize_t size = H5Fget_file_image(f->id, NULL, 0);
    if (size < 0) return h5_fail(c, f, STATUS_FAILURE, "/", "cannot take the file's image from memory");
    status s = memory_new(c, "image of an HDF5 file", (size_t)size, 1, &image);
    if (s) return context_prefix(c, s, "%s", f->path);
    if (H5Fget_file_image(f->id, image, (size_t)size) != size)
        s = h5_fail(c, f, STATUS_FAILURE, "/", "cannot take the file's image from memory");
    else
        s = files_replace(c, f->path, image, (size_t)size);
    memory_delete(&image);
    return s;
}

status h5_finish(context *c, h5_file **file)
{
    h5_file *f = *file;
    status s = STATUS_OK;
    if (H5Fflush(f->id, H5F_SCOPE_GLOBAL) < 0)
        s = h5_fail(c, f, STATUS_FAILURE, "/", "cannot write; free some space or choose another place with -o");
    if (!s && f->in_memory) s = write_image(c, f);
    if (H5Fclose(f->id) < 0 && !s)
        s = h5_fail(c, f, STATUS_FAILURE, "/", "cannot write; free some space or choose another place with -o");
    f->id = H5I_INVALID_HID;
    if (!s && !f->in_memory) {
        s = files_commit(c, f->temporary, f->path);
        if (!s) f->temporary[0] = 0;
    }
    h5_delete(file);
    return s;
}
