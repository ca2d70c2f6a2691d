/* A maps file of anybody's images: values in float32, the transform's bounds from the data. */
#ifndef MAPS_IMPORT_H
#define MAPS_IMPORT_H

#include "base/transform.h"
#include "io/image_file.h"
#include "io/maps_file.h"

typedef enum { IMPORT_AUTO, IMPORT_LOG, IMPORT_LOG_OFFSET, IMPORT_LINEAR } import_transform;
enum { IMPORT_CHANNEL_NONE = -1, IMPORT_CHANNEL_MEAN = -2 };

typedef struct {
    double box_mpc_h;  /* side of an image as it stands in the file */
    const char *units; /* of the values, for labels; NULL: the file's */
    int channel;       /* of colour images, from 0; or one of the above */
    import_transform transform;
    double minimum, maximum; /* values that the transform takes to −1 and 1; NaN: a little outside those found */
} import_options;

/* Writes `path` from the images of f in two passes, some MiB at a time. *m gets the description (no values), *range how
 * the values lie about the transform's bounds, *why the reason of the choice of the transform.
 * Images that are not square are cut to their middle. Transform where none is named: linear where a value is negative;
 * the logarithm where all are positive; where some are zero, linear too, unless the largest exceeds the smallest
 * positive one a thousandfold: then log-offset, whose offset is that smallest one (at least 1e-6 of the largest), so
 * that zero is −1 exactly.
 * STATUS_DATA: a value that is not finite or over float32's range (image and pixel are named), values that are all the
 * same; STATUS_USAGE: colour images without a channel, bounds that are none or do not suit the transform. */
status import_images(context *c, image_file *f, const char *from, const char *path, const import_options *o,
                     const provenance *p, maps *m, transform_range *range, const char **why);

#endif
