/* Images of FITS files, read as rows of float64: the only user of CFITSIO. */
#ifndef IO_FITS_H
#define IO_FITS_H

#include "base/context.h"
#include "io/hdf5.h"

typedef struct fits_images fits_images;

/* The image HDU that `hdu` names (its EXTNAME, or its number from 0 on, 0 the primary one); NULL: the only one with an
 * image of two or more axes. Any BITPIX, with BSCALE and BZERO applied and BLANK as NaN; tile-compressed ones too, but
 * no file that is gzipped as a whole. STATUS_DATA names file, HDU, reason and mend, and lists the HDUs where one must
 * be chosen; declared sizes that the file cannot hold are refused before anything is allocated. */
status fits_images_open(context *c, const char *path, const char *hdu, fits_images **out);
void fits_images_delete(fits_images **f); /* NULL-safe */
/* Axes in C order: the slowest (FITS's last) first, axes of length 1 before the last two left out. */
void fits_images_shape(const fits_images *f, int *rank, uint64_t shape[H5_RANK]);
/* BUNIT, or "". Borrowed. */
const char *fits_images_unit(const fits_images *f);
status fits_images_read_rows(context *c, fits_images *f, uint64_t first, uint64_t rows, double *out);
/* Whether a file begins as FITS files do. */
bool fits_is(const unsigned char *head, size_t size);

#endif
