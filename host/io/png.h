/* PNG images: the only user of libpng. Images are encoded in memory, so that the same bytes go into a file
 * (files_replace) and into a page (a data URI). */
#ifndef IO_PNG_H
#define IO_PNG_H

#include <stddef.h>
#include <stdint.h>
#include "base/context.h"

/* An indexed image: 8 bits a pixel into a palette of 256 colours, which is what a colour map is. */
typedef struct {
    int width, height;
    uint8_t *pixels;         /* owned, [height][width], row 0 at the top */
    uint8_t palette[256][3]; /* sRGB */
    int transparent;         /* index that is see-through; −1: none */
} picture;

enum { PICTURE_SIDE = 16384 };

/* All pixels at index 0, transparent −1, the palette black. 1 … PICTURE_SIDE pixels a side, else STATUS_USAGE. */
status picture_new(context *c, int width, int height, picture *p);
void picture_delete(picture *p); /* releases what it owns and zeroes it; NULL-safe */
/* The PNG file as bytes; released by memory_delete. */
status picture_encode(context *c, const picture *p, char **data, size_t *size);

#endif
