/* Stacks of images out of files of any known kind: .npy, FITS, HDF5. Read batch by batch: memory is bounded by what the
 * caller asks for. */
#ifndef IO_IMAGE_FILE_H
#define IO_IMAGE_FILE_H

#include <stdint.h>
#include "base/context.h"

typedef struct image_file image_file;

typedef struct {
    int64_t count;
    int ny, nx;
    int channels;   /* 1 where there is no such axis */
    char units[32]; /* FITS's BUNIT or HDF5's attribute units; "" when unknown */
} image_stack;

enum { IMAGE_CHANNELS = 4, IMAGE_SIDE = 16384 };

/* The kind is told by the file's first bytes. `object` names the dataset of an HDF5 file or the HDU of a FITS file;
 * NULL: the only one that has images. Axes: [y, x], [n, y, x], [n, y, x, channel] or [n, channel, y, x] with up to four
 * channels, and [y, x, channel] where only the last is as short as that; sides from 2 to 16384.
 * STATUS_DATA and STATUS_USAGE name the file, what was wrong and the mend. */
status image_file_open(context *c, const char *path, const char *object, image_file **out);
void image_file_delete(image_file **f); /* NULL-safe */
const image_stack *image_file_stack(const image_file *f);
/* Images first … first + count − 1 as float64 [count][channels][ny][nx]; any number, also NaN. */
status image_file_read(context *c, image_file *f, int64_t first, int64_t count, double *out);

#endif
