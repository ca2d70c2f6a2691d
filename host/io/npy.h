/* NumPy's .npy files (format 1 to 3), read as rows of float64. The header is parsed as the one dictionary that the
 * format allows, never evaluated; shape and type are checked against the file's size before anything is allocated. */
#ifndef IO_NPY_H
#define IO_NPY_H

#include "base/context.h"
#include "io/hdf5.h"

typedef struct npy_file npy_file;

/* Numbers of any size and either byte order: bool, integers of 1 to 8 bytes, floats of 2, 4 and 8; C or Fortran order.
 * STATUS_DATA names file, reason and mend: objects (pickles), structures, complex numbers, text, a file that is cut
 * off, a header that is none. */
status npy_open(context *c, const char *path, npy_file **out);
void npy_delete(npy_file **f); /* NULL-safe */
void npy_shape(const npy_file *f, int *rank, uint64_t shape[H5_RANK]);
/* Rows first … first + rows − 1 of the first axis, in C order whatever the file's. */
status npy_read_rows(context *c, npy_file *f, uint64_t first, uint64_t rows, double *out);
/* Whether a file begins as .npy files do. */
bool npy_is(const unsigned char *head, size_t size);

#endif
