/* Reading of datasets. */
#include "io/hdf5_file.h"

#include <inttypes.h>

status h5_shape(context *c, h5_file *f, const char *object, int *rank, uint64_t shape[H5_RANK], h5_type *stored)
{
    hid_t id;
    status s = h5_dataset_open(c, f, object, &id, rank, shape, stored);
    if (!s) H5Dclose(id);
    return s;
}

status h5_read(context *c, h5_file *f, const char *object, h5_type type, uint64_t elements, void *data)
{
    hid_t id;
    int rank = 0;
    uint64_t shape[H5_RANK], there = 0;
    h5_type stored;
    status s = h5_dataset_open(c, f, object, &id, &rank, shape, &stored);
    if (s) return s;
    h5_bytes(rank, shape, 1, &there);
    if (there != elements)
        s = context_fail(c, STATUS_DATA, "%s: %s: has %" PRIu64 " elements, %" PRIu64 " are wanted", f->path, object,
                         there, elements);
    else if (elements > 0 && H5Dread(id, h5_memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        s = h5_fail(c, f, STATUS_DATA, object, "its data cannot be read: the file is damaged or cut off");
    H5Dclose(id);
    return s;
}

status h5_read_rows(context *c, h5_file *f, const char *object, uint64_t first, uint64_t rows, h5_type type, void *data)
{
    hid_t id, file_space = H5I_INVALID_HID, memory_space = H5I_INVALID_HID;
    int rank = 0;
    uint64_t shape[H5_RANK];
    h5_type stored;
    hsize_t start[H5_RANK] = {0}, count[H5_RANK];
    status s = h5_dataset_open(c, f, object, &id, &rank, shape, &stored);
    if (s) return s;
    if (rank < 1 || first > shape[0] || rows > shape[0] - first) {
        s = context_fail(c, STATUS_DATA, "%s: %s: has %" PRIu64 " rows, rows %" PRIu64 " to %" PRIu64 " are wanted",
                         f->path, object, rank < 1 ? 0 : shape[0], first, first + rows);
        goto out;
    }
    shape[0] = rows;
    for (int i = 0; i < rank; i++) count[i] = shape[i];
    start[0] = first;
    uint64_t elements;
    h5_bytes(rank, shape, 1, &elements);
    if (elements == 0) goto out;
    file_space = H5Dget_space(id);
    memory_space = H5Screate_simple(rank, count, NULL);
    if (file_space < 0 || memory_space < 0 ||
        H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dread(id, h5_memory_type(type), memory_space, file_space, H5P_DEFAULT, data) < 0)
        s = h5_fail(c, f, STATUS_DATA, object, "its data cannot be read: the file is damaged or cut off");
out:
    if (file_space >= 0) H5Sclose(file_space);
    if (memory_space >= 0) H5Sclose(memory_space);
    H5Dclose(id);
    return s;
}
