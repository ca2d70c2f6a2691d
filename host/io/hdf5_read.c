/* Reading of datasets and groups. */
#include "io/hdf5_file.h"

#include <inttypes.h>
#include <string.h>
#include "base/memory.h"

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

typedef struct {
    context *c;
    char *names;
    size_t length, room;
    status s;
} member_list;

/* One more name; the list ends with an empty one at all times. */
static herr_t add_member(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
    member_list *m = user;
    (void)group, (void)info;
    size_t n = strlen(name) + 1;
    if (n == 1) return 0;
    if (m->length + n + 1 > m->room) {
        size_t room = 2 * (m->room + n);
        m->s = memory_grow(m->c, "member names of an HDF5 group", m->room, room, 1, &m->names);
        if (m->s) return -1;
        m->room = room;
    }
    memcpy(m->names + m->length, name, n);
    m->length += n;
    m->names[m->length] = 0;
    return 0;
}

status h5_members(context *c, h5_file *f, const char *group, char **names)
{
    hid_t id;
    member_list m = {.c = c, .room = 256};
    *names = NULL;
    status s = h5_object_open(c, f, group, &id);
    if (s) return s;
    s = memory_new(c, "member names of an HDF5 group", m.room, 1, &m.names);
    if (s) goto out;
    if (H5Iget_type(id) != H5I_GROUP)
        s = context_fail(c, STATUS_DATA, "%s: %s: is a dataset, a group is wanted", f->path, group);
    else if (H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, NULL, add_member, &m) < 0)
        s = m.s ? m.s : h5_fail(c, f, STATUS_DATA, group, "its members cannot be listed");
out:
    H5Oclose(id);
    if (s)
        memory_delete(&m.names);
    else
        *names = m.names;
    return s;
}
