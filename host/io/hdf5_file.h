/* What the hdf5_*.c files share. Nothing outside them includes this. */
#ifndef IO_HDF5_FILE_H
#define IO_HDF5_FILE_H

#include <hdf5.h>
#include "base/files.h"
#include "io/hdf5.h"

struct h5_file {
    hid_t id;
    hid_t link_access; /* every object is opened with it: refuses external links */
    bool writing, in_memory, plain;
    uint64_t size;              /* bytes of a file that is read */
    char refused[FILES_PATH];   /* where an external link pointed when one was met, else "" */
    char path[FILES_PATH];      /* as the user gave it */
    char temporary[FILES_PATH]; /* of a streamed file; "" in memory */
};

enum { H5_REASON = 256 };

/* Sets the library up once (no plugins, no printing, no work at exit) and silences this thread's error stack. */
void h5_prepare(void);
/* An h5_file without an open file. */
status h5_file_new(context *c, const char *path, h5_file **out);
/* For reading; negative when it cannot be opened. */
hid_t h5_file_open(const char *path);
/* STATUS_DATA when the HDF5 library crashes or hangs on the file, which a child process has tried (hdf5_guard.c). */
status h5_guard(context *c, const h5_file *f);
/* The innermost reason on HDF5's error stack of the call that just failed; "unknown reason" when there is none. */
void h5_reason(char text[H5_REASON]);
/* "PATH: OBJECT: WHAT (reason)". WHAT says what was tried or wanted. */
status h5_fail(context *c, const h5_file *f, status s, const char *object, const char *what);

hid_t h5_stored_type(h5_type t); /* little endian, in the file */
hid_t h5_memory_type(h5_type t); /* native */

/* Opens a group or dataset. STATUS_DATA when it is missing, an external link or dangling. */
status h5_object_open(context *c, h5_file *f, const char *object, hid_t *id);
/* Opens a numeric dataset after all checks of hdf5_check.c: a class of numbers, storage inside the file, known filters,
 * a declared size that the stored bytes can hold. */
status h5_dataset_open(context *c, h5_file *f, const char *object, hid_t *id, int *rank, uint64_t shape[H5_RANK],
                       h5_type *stored);
/* Product of a shape times `size`; false when it overflows. */
bool h5_bytes(int rank, const uint64_t *shape, size_t size, uint64_t *bytes);

#endif
