/* Tiles of the convolution kernels: from the device's capability record to vector widths, tiles and work-groups. No
 * choice here changes a bit of any result (tests/ops/ops_conv.c): the order of every sum follows from the geometry.
 *
 * COSMOCL_CONV_TILE overrides values for tests and experiments: "vector=8,rows=3,group=4", names as below. */
#ifndef OPS_CONV_TUNING_H
#define OPS_CONV_TUNING_H

#include "ops/conv.h"

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

/* STATUS_USAGE when COSMOCL_CONV_TILE is wrong. */
status conv_tuning_choose(context *c, const device_record *r, conv_tiles *t);

/* Vectors side by side: the most (≤ limit) that divide the channels (a multiple of 16, or 1: then vector lanes must be
 * 1). */
int conv_tuning_vectors(int channels, int vector, int limit);
/* Largest multiple of `unit` that divides `channels` and is at most `limit` (`unit` itself at least). */
int conv_tuning_block(int channels, int unit, int limit);

#endif
