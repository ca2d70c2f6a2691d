/* HDF5 files: the only user of the HDF5 library. Written whole: built in memory (core driver image) and put in place by
 * files_replace, because HDF5 1.10 crashes at exit after a failed write; from 1 GiB on streamed through the ordinary
 * driver into a temporary file after a check of free space. Filters: gzip and shuffle only.
 * Readers refuse external links and storage, filters that need plugins, and declared sizes over the file's own bounds
 * before they allocate. Every error names file and object. */
#ifndef IO_HDF5_H
#define IO_HDF5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/context.h"

typedef struct h5_file h5_file;

typedef enum { H5_FLOAT32, H5_FLOAT64, H5_INT32, H5_INT64, H5_UINT32, H5_UINT64, H5_UINT8 } h5_type;
enum { H5_RANK = 8 };
size_t h5_type_size(h5_type t);

/* ---- writing: h5_create … h5_finish; a file that is deleted unfinished leaves nothing behind. expected_bytes chooses
 * memory or disk. */
status h5_create(context *c, const char *path, uint64_t expected_bytes, h5_file **out);
/* Datasets made from now on are stored as they are: for numbers that do not compress (weights, moments). */
void h5_store_plain(h5_file *f);
/* Object paths are absolute ("/PartType1/Coordinates"); groups on the way are made. */
status h5_write(context *c, h5_file *f, const char *object, h5_type type, int rank, const uint64_t *shape,
                const void *data);
/* A dataset written by hyperslabs along its first axis: reserved first, filled in any order. */
status h5_reserve(context *c, h5_file *f, const char *object, h5_type type, int rank, const uint64_t *shape);
status h5_write_rows(context *c, h5_file *f, const char *object, uint64_t first, uint64_t rows, h5_type type,
                     const void *data);
status h5_group(context *c, h5_file *f, const char *object);
/* Attributes of a group, dataset or "/". */
status h5_attribute_text(context *c, h5_file *f, const char *object, const char *name, const char *value);
status h5_attribute_real(context *c, h5_file *f, const char *object, const char *name, double value);
status h5_attribute_integer(context *c, h5_file *f, const char *object, const char *name, int64_t value);
status h5_attribute_reals(context *c, h5_file *f, const char *object, const char *name, int count,
                          const double *values);
status h5_attribute_integers(context *c, h5_file *f, const char *object, const char *name, int count,
                             const int64_t *values);
/* Puts the file in place. */
status h5_finish(context *c, h5_file **f);

/* ---- reading */
status h5_open(context *c, const char *path, h5_file **out);
void h5_delete(h5_file **f); /* NULL-safe, both kinds */
const char *h5_path(const h5_file *f);
bool h5_exists(h5_file *f, const char *object);
/* Shape of a numeric dataset (any stored number type; *stored gets the nearest of h5_type). STATUS_DATA when missing,
 * not numeric, behind a filter or link that is refused, or larger than the file can hold. */
status h5_shape(context *c, h5_file *f, const char *object, int *rank, uint64_t shape[H5_RANK], h5_type *stored);
/* The whole dataset, converted to `type`; `elements` must be its size. */
status h5_read(context *c, h5_file *f, const char *object, h5_type type, uint64_t elements, void *data);
status h5_read_rows(context *c, h5_file *f, const char *object, uint64_t first, uint64_t rows, h5_type type,
                    void *data);
/* Calls visit with the path of every dataset (of any class) that the file itself holds, each once, in name order, until
 * it returns false. */
typedef bool h5_list_visitor(void *user, const char *object);
status h5_list_datasets(context *c, h5_file *f, h5_list_visitor *visit, void *user);
/* Numeric attributes, scalars or arrays of length 1 alike. A missing one is STATUS_DATA; ask h5_has_attribute first. */
bool h5_has_attribute(h5_file *f, const char *object, const char *name);
bool h5_has_text(h5_file *f, const char *object, const char *name); /* one that h5_read_text can read */
status h5_read_real(context *c, h5_file *f, const char *object, const char *name, double *value);
status h5_read_integer(context *c, h5_file *f, const char *object, const char *name, int64_t *value);
/* Up to `room` numbers of an attribute; *count gets how many it has. */
status h5_read_reals(context *c, h5_file *f, const char *object, const char *name, int room, double *values,
                     int *count);
/* Fixed or variable strings; released by memory_delete. */
status h5_read_text(context *c, h5_file *f, const char *object, const char *name, char **value);

#endif
