/* The maps file (design: Files): linear densities in particles per pixel. */
#ifndef IO_MAPS_FILE_H
#define IO_MAPS_FILE_H

#include "io/hdf5.h"
#include "io/provenance.h"

typedef struct {
    int64_t count; /* n maps of ny × nx pixels, row-major [n][ny][nx] */
    int ny, nx;
    float *values;      /* owned */
    int32_t *origin;    /* owned, [n][3]: box, axis, slice; NULL when the file has none */
    double box_mpc_h;   /* side of a map */
    double mean;        /* particles per pixel */
    double redshift;    /* NaN when unknown */
    int dims;           /* 2 or 3 */
    char estimator[32]; /* "dtfe", "slices", "generator", "" when unknown */
    /* transform v ↔ v': "log", "log-offset" (with c) or "linear" (io/maps_transform.h); "" when unknown */
    char transform[32];
    double a, b, c;
    char unit[32];  /* what the transform takes: "overdensity" (1+δ = v/mean) or "particles" (v itself) */
    char units[32]; /* of the values, for labels; "" means particles per pixel */
} maps;

void maps_delete(maps *m); /* releases what it owns and zeroes it; NULL-safe */
/* Required: /maps (rank 3, or 2 for one map, any numeric type, finite, not negative unless the
 * file's transform is linear), box_mpc_h, mean (positive unless linear). STATUS_DATA names file, object, map and pixel.
 * What optional parts are missing is said at LOG_INFO. */
status maps_read(context *c, const char *path, maps *m);
/* Both halves of a pairs file: /maps into m and /truth, of the same shape, into truth; no origins. STATUS_DATA where
 * /truth is missing or its shape is another. */
status maps_read_pairs(context *c, const char *path, maps *m, maps *truth);
/* The attributes alone (count, ny, nx and the arrays stay as they are); box_mpc_h and mean are 0 where `lenient` and
 * missing. */
status maps_read_attributes(context *c, h5_file *f, bool lenient, maps *m);
status maps_write(context *c, const char *path, const maps *m, const provenance *p);
/* A pairs file: m holds the inferred maps; /truth float32 [count][ny][nx] and /latent float32 [count][latent] beside
 * them. */
status maps_write_pairs(context *c, const char *path, const maps *m, const float *truth, const float *latents,
                        int latent, const provenance *p);
/* maps_write for maps that come one after the other: values and origins are left out; /maps is there to be filled by
 * h5_write_rows before h5_finish. */
status maps_write_begin(context *c, const char *path, const maps *m, const provenance *p, h5_file **out);

#endif
