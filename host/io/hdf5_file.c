/* Opening, closing and what all calls share: set-up of the library, error texts, types. */
#include "io/hdf5_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"

static void prepare_once(void)
{
    /* After a failed write HDF5 1.10 flushes again at exit and crashes; every file here is closed by name. */
    H5dont_atexit();
    H5open();
    /* A file may name a filter that is loaded from a folder of plugins: that is code, so none is loaded. */
    H5PLset_loading_state(0);
}

void h5_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare_once);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* the error stack is per thread */
}

/* HDF5's link callback: a negative value refuses to follow an external link. */
static herr_t refuse_external(const char *parent_file, const char *parent_group, const char *file, const char *object,
                              unsigned *flags, hid_t access, void *user)
{
    (void)parent_file, (void)parent_group, (void)flags, (void)access;
    h5_file *f = user;
    snprintf(f->refused, sizeof f->refused, "%s:%s", file, object);
    return -1;
}

status h5_file_new(context *c, const char *path, h5_file **out)
{
    h5_file *f = NULL;
    h5_prepare();
    *out = NULL;
    if (strlen(path) >= sizeof f->path)
        return context_fail(c, STATUS_USAGE, "%.60s…: path is longer than %d bytes; use a shorter one", path,
                            FILES_PATH - 1);
    status s = memory_new(c, "HDF5 file", 1, sizeof *f, &f);
    if (s) return s;
    f->id = H5I_INVALID_HID;
    snprintf(f->path, sizeof f->path, "%s", path);
    f->link_access = H5Pcreate(H5P_DATASET_ACCESS);
    if (f->link_access < 0 || H5Pset_elink_cb(f->link_access, refuse_external, f) < 0) {
        s = context_fail(c, STATUS_MEMORY, "%s: the HDF5 library has no memory for a property list", path);
        h5_delete(&f);
        return s;
    }
    *out = f;
    return STATUS_OK;
}

void h5_delete(h5_file **f)
{
    if (!f || !*f) return;
    if ((*f)->id >= 0) H5Fclose((*f)->id);
    if ((*f)->link_access >= 0) H5Pclose((*f)->link_access);
    if ((*f)->writing && (*f)->temporary[0]) unlink((*f)->temporary);
    memory_delete(f);
}

const char *h5_path(const h5_file *f)
{
    return f->path;
}

static herr_t take_reason(unsigned n, const H5E_error2_t *e, void *user)
{
    (void)n;
    if (e->desc && e->desc[0]) snprintf(user, H5_REASON, "%s", e->desc);
    return 1; /* the innermost one is enough */
}

void h5_reason(char text[H5_REASON])
{
    snprintf(text, H5_REASON, "unknown reason");
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, text);
}

status h5_fail(context *c, const h5_file *f, status s, const char *object, const char *what)
{
    char reason[H5_REASON];
    h5_reason(reason);
    return context_fail(c, s, "%s: %s: %s (HDF5: %s)", f->path, object, what, reason);
}

size_t h5_type_size(h5_type t)
{
    static const size_t sizes[] = {4, 8, 4, 8, 4, 8, 1};
    return sizes[t];
}

hid_t h5_stored_type(h5_type t)
{
    switch (t) {
    case H5_FLOAT32:
        return H5T_IEEE_F32LE;
    case H5_FLOAT64:
        return H5T_IEEE_F64LE;
    case H5_INT32:
        return H5T_STD_I32LE;
    case H5_INT64:
        return H5T_STD_I64LE;
    case H5_UINT32:
        return H5T_STD_U32LE;
    case H5_UINT64:
        return H5T_STD_U64LE;
    case H5_UINT8:
        return H5T_STD_U8LE;
    }
    return H5I_INVALID_HID;
}

hid_t h5_memory_type(h5_type t)
{
    switch (t) {
    case H5_FLOAT32:
        return H5T_NATIVE_FLOAT;
    case H5_FLOAT64:
        return H5T_NATIVE_DOUBLE;
    case H5_INT32:
        return H5T_NATIVE_INT32;
    case H5_INT64:
        return H5T_NATIVE_INT64;
    case H5_UINT32:
        return H5T_NATIVE_UINT32;
    case H5_UINT64:
        return H5T_NATIVE_UINT64;
    case H5_UINT8:
        return H5T_NATIVE_UINT8;
    }
    return H5I_INVALID_HID;
}

bool h5_bytes(int rank, const uint64_t *shape, size_t size, uint64_t *bytes)
{
    uint64_t n = size;
    *bytes = 0;
    for (int i = 0; i < rank; i++)
        if (shape[i] == 0) return true;
    for (int i = 0; i < rank; i++)
        if (__builtin_mul_overflow(n, shape[i], &n)) return false;
    *bytes = n;
    return true;
}

/* A message of our own where HDF5's would name its internals: missing, unreadable, a folder, empty, not HDF5. */
static status look_before_open(context *c, h5_file *f)
{
    struct stat st;
    if (stat(f->path, &st))
        return context_fail(c, STATUS_DATA, "%s: cannot open: %s; check the path", f->path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return context_fail(c, STATUS_DATA, "%s: is a folder, an HDF5 file is wanted; name the file in it", f->path);
    if (!S_ISREG(st.st_mode)) return context_fail(c, STATUS_DATA, "%s: is not a regular file", f->path);
    if (access(f->path, R_OK))
        return context_fail(c, STATUS_DATA, "%s: cannot read: %s; check its permissions", f->path, strerror(errno));
    if (st.st_size == 0)
        return context_fail(c, STATUS_DATA, "%s: is empty (0 bytes); its writing was cut off, make it again", f->path);
    f->size = (uint64_t)st.st_size;
    htri_t is = H5Fis_hdf5(f->path);
    if (is > 0) return STATUS_OK;
    return context_fail(c, STATUS_DATA, "%s: is not an HDF5 file (the signature \\x89HDF is missing)", f->path);
}

hid_t h5_file_open(const char *path)
{
    hid_t id = H5I_INVALID_HID, access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0) return access;
#if H5_VERSION_GE(1, 10, 7)
    /* Network file systems may know no locks, and files here are replaced whole, so that none is needed. */
    H5Pset_file_locking(access, false, true);
#endif
    if (H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0) id = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return id;
}

status h5_open(context *c, const char *path, h5_file **out)
{
    h5_file *f = NULL;
    status s = h5_file_new(c, path, &f);
    if (!s) s = look_before_open(c, f);
    if (!s) s = h5_guard(c, f);
    if (!s) f->id = h5_file_open(path);
    if (!s && f->id < 0) {
        char reason[H5_REASON];
        h5_reason(reason);
        s = context_fail(c, STATUS_DATA, "%s: is damaged or cut off (HDF5: %s); copy or make it again", path, reason);
    }
    if (s) h5_delete(&f);
    *out = f;
    return s;
}
