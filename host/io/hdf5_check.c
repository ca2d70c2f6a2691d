/* What readers refuse, before they allocate: external links and storage, virtual datasets, filters outside the built-in
 * ones, sizes the stored bytes cannot hold. */
#include "io/hdf5_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The most a filter can shrink data. Deflate: 258 bytes from 2 bits, 1032. Scale-offset and n-bit store a block of
 * equal numbers in a few bytes; real fields stay far below 64. */
enum { DEFLATE_RATIO = 1032, PACKING_RATIO = 64, SLACK_BYTES = 4096 };

/* "/a/b/c": whether every component is there; *missing gets the shortest prefix that is not. */
static bool path_exists(h5_file *f, const char *object, char missing[FILES_PATH])
{
    char prefix[FILES_PATH];
    snprintf(prefix, sizeof prefix, "%s", object);
    for (char *p = prefix + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        htri_t there = H5Lexists(f->id, prefix, f->link_access);
        if (there <= 0) {
            snprintf(missing, FILES_PATH, "%s", prefix);
            return f->refused[0] != 0; /* behind an external link: opening it says so */
        }
        *p = '/';
    }
    snprintf(missing, FILES_PATH, "%s", prefix);
    return prefix[1] == 0 || H5Lexists(f->id, prefix, f->link_access) > 0 || f->refused[0];
}

bool h5_exists(h5_file *f, const char *object)
{
    char missing[FILES_PATH];
    f->refused[0] = 0;
    return path_exists(f, object, missing);
}

status h5_object_open(context *c, h5_file *f, const char *object, hid_t *id)
{
    char missing[FILES_PATH];
    f->refused[0] = 0;
    *id = H5I_INVALID_HID;
    if (!path_exists(f, object, missing))
        return context_fail(c, STATUS_DATA, "%s: %s: missing (the file has no %s)", f->path, object, missing);
    *id = H5Oopen(f->id, object, f->link_access);
    if (*id >= 0) return STATUS_OK;
    if (f->refused[0])
        return context_fail(c, STATUS_DATA,
                            "%s: %s: is an external link to %s, which is not followed; copy the data into the file",
                            f->path, object, f->refused);
    return h5_fail(c, f, STATUS_DATA, object, "cannot be opened: a broken link or a damaged object");
}

/* The layouts and filters that are read; *ratio gets the largest factor between declared and stored bytes. */
static status check_storage(context *c, const h5_file *f, const char *object, hid_t properties, uint64_t *ratio)
{
    *ratio = 1;
    H5D_layout_t layout = H5Pget_layout(properties);
    if (layout == H5D_VIRTUAL)
        return context_fail(c, STATUS_DATA,
                            "%s: %s: is a virtual dataset, whose data lie in other files; copy the data into the file",
                            f->path, object);
    if (H5Pget_external_count(properties) > 0)
        return context_fail(c, STATUS_DATA,
                            "%s: %s: keeps its data in an external file, which is not followed; copy the data into the "
                            "file (h5repack)",
                            f->path, object);
    if (layout != H5D_CHUNKED) return STATUS_OK;
    int filters = H5Pget_nfilters(properties);
    for (int i = 0; i < filters; i++) {
        char name[64] = "";
        unsigned flags = 0, config = 0;
        size_t values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, sizeof name, name, &config);
        name[sizeof name - 1] = 0;
        bool known = filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32 ||
                     filter == H5Z_FILTER_SCALEOFFSET || filter == H5Z_FILTER_NBIT;
        if (!known || H5Zfilter_avail(filter) <= 0)
            return context_fail(c, STATUS_DATA,
                                "%s: %s: is stored behind the filter %d (%s), which is not read; repack it with gzip "
                                "(h5repack -f GZIP=4)",
                                f->path, object, (int)filter, name[0] ? name : "no name");
        if (filter == H5Z_FILTER_DEFLATE) *ratio *= DEFLATE_RATIO;
        if (filter == H5Z_FILTER_SCALEOFFSET || filter == H5Z_FILTER_NBIT) *ratio *= PACKING_RATIO;
        if (*ratio > (uint64_t)DEFLATE_RATIO * PACKING_RATIO)
            return context_fail(c, STATUS_DATA, "%s: %s: is compressed several times over, which is not read", f->path,
                                object);
    }
    return STATUS_OK;
}

/* The nearest h5_type of a stored class of numbers. */
static bool stored_number(hid_t type, h5_type *out)
{
    size_t size = H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_FLOAT:
        *out = size <= 4 ? H5_FLOAT32 : H5_FLOAT64;
        return size > 0;
    case H5T_INTEGER:
        if (H5Tget_sign(type) == H5T_SGN_NONE)
            *out = size == 1 ? H5_UINT8 : size <= 4 ? H5_UINT32 : H5_UINT64;
        else
            *out = size <= 4 ? H5_INT32 : H5_INT64;
        return size > 0 && size <= 8;
    default:
        return false;
    }
}

static status read_shape(context *c, const h5_file *f, const char *object, hid_t space, int *rank,
                         uint64_t shape[H5_RANK])
{
    hsize_t dims[H5S_MAX_RANK] = {0};
    if (space < 0 || H5Sget_simple_extent_type(space) == H5S_NULL)
        return context_fail(c, STATUS_DATA, "%s: %s: has no shape (a null dataset)", f->path, object);
    int n = H5Sget_simple_extent_ndims(space);
    if (n > H5_RANK)
        return context_fail(c, STATUS_DATA, "%s: %s: has %d axes, at most %d are read", f->path, object, n, H5_RANK);
    if (n < 0 || H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        return h5_fail(c, f, STATUS_DATA, object, "its shape cannot be read");
    *rank = n;
    for (int i = 0; i < n; i++) shape[i] = dims[i];
    return STATUS_OK;
}

/* The stored bytes must lie inside the file, and the declared ones must be such as the stored ones can unfold to. */
static status check_size(context *c, const h5_file *f, const char *object, hid_t dataset, hid_t type, uint64_t ratio,
                         int rank, const uint64_t *shape)
{
    uint64_t declared, possible;
    bool fits = h5_bytes(rank, shape, H5Tget_size(type), &declared);
    uint64_t stored = H5Dget_storage_size(dataset);
    if (fits && declared == 0) return STATUS_OK;
    if (stored > f->size)
        return context_fail(c, STATUS_DATA,
                            "%s: %s: claims %" PRIu64 " stored bytes, the whole file has %" PRIu64
                            "; it is damaged or cut off",
                            f->path, object, stored, f->size);
    if (__builtin_mul_overflow(stored, ratio, &possible)) possible = UINT64_MAX - SLACK_BYTES;
    if (ratio > 1) possible += SLACK_BYTES;
    if (fits && declared <= possible) return STATUS_OK;
    char text[32] = "over 2^64";
    if (fits) snprintf(text, sizeof text, "%" PRIu64, declared);
    return context_fail(c, STATUS_DATA,
                        "%s: %s: declares %s bytes of numbers but stores %" PRIu64
                        "; it was never filled, or is damaged",
                        f->path, object, text, stored);
}

status h5_dataset_open(context *c, h5_file *f, const char *object, hid_t *id, int *rank, uint64_t shape[H5_RANK],
                       h5_type *stored)
{
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, properties = H5I_INVALID_HID;
    uint64_t ratio = 1;
    status s = h5_object_open(c, f, object, id);
    if (s) return s;
    if (H5Iget_type(*id) != H5I_DATASET) {
        s = context_fail(c, STATUS_DATA, "%s: %s: is a group, a dataset is wanted", f->path, object);
        goto out;
    }
    type = H5Dget_type(*id);
    space = H5Dget_space(*id);
    properties = H5Dget_create_plist(*id);
    if (type < 0 || space < 0 || properties < 0) {
        s = h5_fail(c, f, STATUS_DATA, object, "its description cannot be read");
        goto out;
    }
    if (!stored_number(type, stored)) {
        s = context_fail(c, STATUS_DATA, "%s: %s: does not hold numbers (text, compound or another class)", f->path,
                         object);
        goto out;
    }
    s = read_shape(c, f, object, space, rank, shape);
    if (!s) s = check_storage(c, f, object, properties, &ratio);
    if (!s) s = check_size(c, f, object, *id, type, ratio, *rank, shape);
out:
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    if (properties >= 0) H5Pclose(properties);
    if (s) {
        H5Oclose(*id);
        *id = H5I_INVALID_HID;
    }
    return s;
}
