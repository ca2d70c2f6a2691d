/* Tiles of the convolution kernels: from the records of a device (device/tuning.h, data/tuning) to vector widths, tiles
 * and work-groups. No choice here changes a bit of any result (tests/ops/ops_conv.c): the order of every sum follows
 * from the geometry.
 *
 * COSMOCL_CONV_TILE overrides values for tests and experiments: "vector=8,rows=3,group=4", names as below. */
#ifndef OPS_CONV_TUNING_H
#define OPS_CONV_TUNING_H

#include "device/tuning.h"
#include "ops/conv.h"

static inline int least(int a, int b)
{
    return a < b ? a : b;
}

enum { CONV_TUNING_SCHEMA = 1 }; /* of the names below: another where one changes its meaning */

typedef struct {
    int vector;     /* lanes of a vector: 1, 2, 4, 8 or 16 */
    int work_group; /* work-items of a work-group; 1 on CPUs */
    /* Forward and backward data (kernels/conv_gather.cl). */
    int registers;    /* vectors of sums that a tile may hold: rows × vectors */
    int vectors;      /* at most, side by side */
    int rows;         /* 0: registers / vectors, at most 10 */
    int unroll;       /* channels of the input at a time: 1, 2, 4, 8 or 16 */
    int tiles;        /* per work-item, at most */
    int group;        /* samples that go pixel by pixel together */
    int winograd_kib; /* of windows and products at a time, about; 0: of the whole batch */
    int narrow_rows;  /* pixels at a time in the kernels with one channel */
    /* Of a work-group that makes a block of a product with panels in local memory (kernels/blocks.h). */
    int local_rows, local_columns; /* work-items at most; 0: none does, each work-item makes tiles of its own */
    int local_depth;               /* of a panel: 1, 2, 4, 8 or 16, and at least a vector */
    int transform_vector;          /* lanes of a vector in Winograd's transforms; 0: as of the others */
    /* Backward weights (kernels/conv_weights.cl). */
    int weight_registers, weight_vectors;
    int weight_ci, weight_co; /* channels of a block, at most */
    int weight_taps;          /* taps of a block; 0: all */
    int weight_pixels;        /* of a chunk, about; 0: a whole micro-batch */
    int filtered_vectors, filtered_ci, filtered_co,
        filtered_tiles; /* the same of kernels/winograd_weights.cl; tiles of a chunk */
    int panels;         /* 1: chunks are copied together first */
    int jobs;           /* wanted at least: groups of micro-batches are split until there are as many */
    int items;          /* work-items at most */
} conv_tiles;

/* What a record may say: the names above, and what `tune` remarks of a layer. */
extern const tuning_rules conv_tuning_rules;

/* Of a device, for matrix products and layers that no record names. STATUS_USAGE when COSMOCL_CONV_TILE is wrong,
 * STATUS_DATA when the user's record is. */
status conv_tuning_choose(context *c, device *d, conv_tiles *t);
/* Of a direction (CONV_FORWARD, …) of a layer; without the user's record unless `own`. */
status conv_tuning_layer(context *c, device *d, const conv_shape *s, int direction, bool own, conv_tiles *t);
/* What records call it: "forward 64x64x32-32x32x64 k5s2p2 winograd". */
void conv_tuning_name(const conv_shape *s, int direction, char name[TUNING_LAYER]);
/* Sets values from text, "vector=8,rows=3"; STATUS_USAGE, which names the origin, where it is wrong. NULL: only checks.
 */
status conv_tuning_set(context *c, conv_tiles *t, const char *origin, const char *text);
/* A value by its name; −1 if there is none. */
int conv_tuning_value(const conv_tiles *t, const char *name);

/* Vectors side by side: the most (≤ limit) that divide the channels (a multiple of 16, or 1: then vector lanes must be
 * 1). */
int conv_tuning_vectors(int channels, int vector, int limit);
/* Rows of a tile of so many vectors side by side: as said, else as many as the registers hold, at most `most`. */
int conv_tuning_rows(const conv_tiles *t, int vectors, int most);
/* Largest multiple of `unit` that divides `channels` and is at most `limit` (`unit` itself at least). */
int conv_tuning_block(int channels, int unit, int limit);

#endif
