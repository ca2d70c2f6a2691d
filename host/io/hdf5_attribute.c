/* Attributes, read and written. Text is written as variable UTF-8 strings: their bytes lie outside the object's header,
 * whose 64 KiB a configuration may exceed, and h5py gives them back as str. */
#include "io/hdf5_file.h"

#include <stdio.h>
#include <string.h>
#include "base/memory.h"

/* Far above what any known format keeps in an attribute; a larger one is damage. */
enum { ATTRIBUTE_NUMBERS = 1 << 20, ATTRIBUTE_TEXT = 1 << 26 };

static status write_attribute(context *c, h5_file *f, const char *object, const char *name, hid_t stored, hid_t memory,
                              int count, const void *data)
{
    hid_t id = H5I_INVALID_HID, space = H5I_INVALID_HID, attribute = H5I_INVALID_HID;
    hsize_t n = (hsize_t)count;
    status s = h5_object_open(c, f, object, &id);
    if (s) return s;
    if (H5Aexists(id, name) > 0) H5Adelete(id, name);
    space = count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL);
    if (space >= 0) attribute = H5Acreate2(id, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, memory, data) < 0) {
        char what[128];
        snprintf(what, sizeof what, "cannot write the attribute %.64s", name);
        s = h5_fail(c, f, STATUS_FAILURE, object, what);
    }
    if (attribute >= 0) H5Aclose(attribute);
    if (space >= 0) H5Sclose(space);
    H5Oclose(id);
    return s;
}

status h5_attribute_text(context *c, h5_file *f, const char *object, const char *name, const char *value)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        if (type >= 0) H5Tclose(type);
        return h5_fail(c, f, STATUS_FAILURE, object, "cannot make a text type");
    }
    status s = write_attribute(c, f, object, name, type, type, 0, &value);
    H5Tclose(type);
    return s;
}

status h5_attribute_real(context *c, h5_file *f, const char *object, const char *name, double value)
{
    return write_attribute(c, f, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 0, &value);
}

status h5_attribute_integer(context *c, h5_file *f, const char *object, const char *name, int64_t value)
{
    return write_attribute(c, f, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, 0, &value);
}

status h5_attribute_reals(context *c, h5_file *f, const char *object, const char *name, int count, const double *values)
{
    return write_attribute(c, f, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, count, values);
}

status h5_attribute_integers(context *c, h5_file *f, const char *object, const char *name, int count,
                             const int64_t *values)
{
    return write_attribute(c, f, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, count, values);
}

bool h5_has_attribute(h5_file *f, const char *object, const char *name)
{
    if (!h5_exists(f, object)) return false;
    hid_t id = H5Oopen(f->id, object, f->link_access);
    if (id < 0) return false;
    bool there = H5Aexists(id, name) > 0;
    H5Oclose(id);
    return there;
}

/* Opens an attribute; *count gets its number of elements, *type its stored type. */
static status open_attribute(context *c, h5_file *f, const char *object, const char *name, hid_t *attribute,
                             hid_t *type, hssize_t *count)
{
    hid_t id, space = H5I_INVALID_HID;
    *attribute = *type = H5I_INVALID_HID;
    *count = 0;
    status s = h5_object_open(c, f, object, &id);
    if (s) return s;
    if (H5Aexists(id, name) <= 0) {
        s = context_fail(c, STATUS_DATA, "%s: %s: the attribute %s is missing", f->path, object, name);
        goto out;
    }
    *attribute = H5Aopen(id, name, H5P_DEFAULT);
    if (*attribute >= 0) {
        *type = H5Aget_type(*attribute);
        space = H5Aget_space(*attribute);
    }
    if (*type < 0 || space < 0) {
        s = context_fail(c, STATUS_DATA, "%s: %s: the attribute %s is damaged", f->path, object, name);
        goto out;
    }
    if (H5Sget_simple_extent_type(space) != H5S_NULL) *count = H5Sget_simple_extent_npoints(space);
out:
    if (space >= 0) H5Sclose(space);
    H5Oclose(id);
    if (s && *type >= 0) H5Tclose(*type);
    if (s && *attribute >= 0) H5Aclose(*attribute);
    return s;
}

/* All numbers of an attribute as `memory` (size bytes each); *data is released by memory_delete. */
static status read_numbers(context *c, h5_file *f, const char *object, const char *name, hid_t memory, size_t size,
                           void **data, int *count)
{
    hid_t attribute, type;
    hssize_t n;
    *data = NULL;
    status s = open_attribute(c, f, object, name, &attribute, &type, &n);
    if (s) return s;
    H5T_class_t class = H5Tget_class(type);
    if (class != H5T_INTEGER && class != H5T_FLOAT)
        s = context_fail(c, STATUS_DATA, "%s: %s: the attribute %s is not a number", f->path, object, name);
    else if (n < 1 || n > ATTRIBUTE_NUMBERS)
        s = context_fail(c, STATUS_DATA, "%s: %s: the attribute %s has %lld numbers, 1 to %d are read", f->path, object,
                         name, (long long)n, ATTRIBUTE_NUMBERS);
    if (!s) s = memory_new(c, "HDF5 attribute", (size_t)n, size, data);
    if (!s && H5Aread(attribute, memory, *data) < 0) {
        s = context_fail(c, STATUS_DATA, "%s: %s: the attribute %s cannot be read: the file is damaged", f->path,
                         object, name);
        memory_delete(data);
    }
    *count = (int)n;
    H5Tclose(type);
    H5Aclose(attribute);
    return s;
}

status h5_read_real(context *c, h5_file *f, const char *object, const char *name, double *value)
{
    int count;
    status s = h5_read_reals(c, f, object, name, 1, value, &count);
    if (!s && count != 1)
        s = context_fail(c, STATUS_DATA, "%s: %s: the attribute %s has %d numbers, one is wanted", f->path, object,
                         name, count);
    return s;
}

status h5_read_integer(context *c, h5_file *f, const char *object, const char *name, int64_t *value)
{
    int count;
    void *data = NULL;
    status s = read_numbers(c, f, object, name, H5T_NATIVE_INT64, sizeof(int64_t), &data, &count);
    if (s) return s;
    if (count != 1)
        s = context_fail(c, STATUS_DATA, "%s: %s: the attribute %s has %d numbers, one is wanted", f->path, object,
                         name, count);
    *value = *(const int64_t *)data;
    memory_delete(&data);
    return s;
}

status h5_read_reals(context *c, h5_file *f, const char *object, const char *name, int room, double *values, int *count)
{
    void *data = NULL;
    status s = read_numbers(c, f, object, name, H5T_NATIVE_DOUBLE, sizeof(double), &data, count);
    if (s) return s;
    memcpy(values, data, sizeof(double) * (size_t)(*count < room ? *count : room));
    memory_delete(&data);
    return STATUS_OK;
}

/* A fixed string: its bytes up to the first NUL, without trailing blanks where it is padded with them. */
static status read_fixed(context *c, hid_t attribute, hid_t type, char **value)
{
    size_t size = H5Tget_size(type);
    if (size > ATTRIBUTE_TEXT) return STATUS_DATA;
    status s = memory_new(c, "HDF5 text", size + 1, 1, value);
    if (s) return s;
    if (H5Aread(attribute, type, *value) < 0) {
        memory_delete(value);
        return STATUS_DATA;
    }
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD)
        for (size_t n = strlen(*value); n > 0 && (*value)[n - 1] == ' '; n--) (*value)[n - 1] = 0;
    return STATUS_OK;
}

static status read_variable(context *c, hid_t attribute, hid_t type, char **value)
{
    char *text = NULL;
    hid_t space = H5Aget_space(attribute);
    hid_t memory = H5Tcopy(H5T_C_S1);
    status s = STATUS_DATA;
    if (space >= 0 && memory >= 0 && H5Tset_size(memory, H5T_VARIABLE) >= 0 &&
        H5Tset_cset(memory, H5Tget_cset(type)) >= 0 && H5Aread(attribute, memory, &text) >= 0) {
        s = memory_copy_string(c, text ? text : "", value);
        H5Dvlen_reclaim(memory, space, H5P_DEFAULT, &text);
    }
    if (memory >= 0) H5Tclose(memory);
    if (space >= 0) H5Sclose(space);
    return s;
}

bool h5_has_text(h5_file *f, const char *object, const char *name)
{
    if (!h5_has_attribute(f, object, name)) return false;
    hid_t id = H5Aopen_by_name(f->id, object, name, H5P_DEFAULT, f->link_access);
    hid_t type = id < 0 ? H5I_INVALID_HID : H5Aget_type(id);
    const bool text = type >= 0 && H5Tget_class(type) == H5T_STRING;
    if (type >= 0) H5Tclose(type);
    if (id >= 0) H5Aclose(id);
    return text;
}

status h5_read_text(context *c, h5_file *f, const char *object, const char *name, char **value)
{
    hid_t attribute, type;
    hssize_t n;
    *value = NULL;
    status s = open_attribute(c, f, object, name, &attribute, &type, &n);
    if (s) return s;
    if (H5Tget_class(type) != H5T_STRING || n != 1)
        s = context_fail(c, STATUS_DATA, "%s: %s: the attribute %s is not one text", f->path, object, name);
    else {
        s = H5Tis_variable_str(type) > 0 ? read_variable(c, attribute, type, value)
                                         : read_fixed(c, attribute, type, value);
        if (s == STATUS_DATA)
            context_fail(c, s, "%s: %s: the attribute %s cannot be read: the file is damaged", f->path, object, name);
    }
    H5Tclose(type);
    H5Aclose(attribute);
    return s;
}
