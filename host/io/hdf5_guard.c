/* A child process goes through a file first. HDF5 1.10 itself crashes or hangs on some damaged files (a few in a
 * thousand with random bytes changed, mostly in the heap of variable strings), which no check from outside can foresee:
 * what kills the child is an error message, and the process that has work to lose goes on. */
#include <string.h>
#include <sys/resource.h>

#include "base/isolate.h"
#include "base/memory.h"
#include "io/hdf5_file.h"

enum {
    ATTRIBUTE_BYTES = 1 << 20,
    CPU_S = 10,      /* no numbers are read: a whole file of thousands of objects takes far below a second */
    TIMEOUT_S = 300, /* for file systems that are slow */
};

/* As the readers do (hdf5_attribute.c), without keeping anything. */
static void read_attribute(context *c, hid_t attribute)
{
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const hid_t memory = type < 0 ? H5I_INVALID_HID : H5Tget_native_type(type, H5T_DIR_ASCEND);
    const hssize_t points = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    const size_t size = memory < 0 ? 0 : H5Tget_size(memory);
    if (points > 0 && size && (uint64_t)points <= ATTRIBUTE_BYTES / size) {
        void *data = NULL;
        if (!memory_new(c, "attribute", (size_t)points, size, &data) && H5Aread(attribute, memory, data) >= 0) {
            if (H5Tis_variable_str(memory) > 0) { /* the text must be whole, too */
                for (hssize_t i = 0; i < points; i++)
                    if (((char **)data)[i]) (void)!strlen(((char **)data)[i]);
            }
            H5Dvlen_reclaim(memory, space, H5P_DEFAULT, data);
        }
        memory_delete(&data);
    }
    if (memory >= 0) H5Tclose(memory);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
}

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user)
{
    (void)info;
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute >= 0) {
        read_attribute(user, attribute);
        H5Aclose(attribute);
    }
    return 0;
}

/* The description and the index of the chunks; the numbers are left to the readers. */
static void visit_dataset(hid_t dataset)
{
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset), properties = H5Dget_create_plist(dataset);
    H5Dget_storage_size(dataset);
    if (properties >= 0 && H5Pget_layout(properties) == H5D_CHUNKED) {
#if H5_VERSION_GE(1, 10, 5)
        hsize_t chunks = 0;
        H5Dget_num_chunks(dataset, space, &chunks);
#endif
    }
    if (properties >= 0) H5Pclose(properties);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
}

static herr_t visit_object(hid_t root, const char *name, const H5O_info_t *info, void *user)
{
    const hid_t object = H5Oopen(root, name, H5P_DEFAULT);
    if (object < 0) return 0;
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, visit_attribute, user);
    if (info->type == H5O_TYPE_DATASET) visit_dataset(object);
    H5Oclose(object);
    return 0;
}

/* Errors that HDF5 reports are the reader's to tell. */
static status go_through(context *c, const void *user, void *data, size_t *size)
{
    (void)data, (void)size;
    const h5_file *f = user;
    setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_S, CPU_S});
    const hid_t id = h5_file_open(f->path);
    if (id >= 0) {
        H5Ovisit2(id, H5_INDEX_NAME, H5_ITER_NATIVE, visit_object, c, H5O_INFO_BASIC);
        H5Fclose(id);
    }
    return STATUS_OK;
}

status h5_guard(context *c, const h5_file *f)
{
    isolate_result r;
    status s = isolate_run(c, go_through, f, TIMEOUT_S, NULL, 0, &r);
    if (s == STATUS_MEMORY) return s;
    if (s) { /* no process to spare: read without the guard */
        log_debug(c, "%s is read unguarded: %s", f->path, context_message(c));
        return STATUS_OK;
    }
    if (r.back) return STATUS_OK;
    return context_fail(c, STATUS_DATA, "%s: is damaged: the HDF5 library %s on it; copy or make it again", f->path,
                        r.reason);
}
