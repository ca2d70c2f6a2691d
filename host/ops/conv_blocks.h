/* Blocks of matrix products that work-groups make with panels in local memory (kernels/blocks.h), and work-groups of
 * the transforms: their shape for one layer and one device. Nothing here changes a bit of any result. */
#ifndef OPS_CONV_BLOCKS_H
#define OPS_CONV_BLOCKS_H

#include "device/kernel.h"
#include "ops/conv_tuning.h"

typedef struct {
    int local_rows, local_columns; /* work-items of a work-group; 0: each work-item makes tiles of its own */
    int rows, vectors;             /* of a work-item */
    int depth;                     /* of a panel */
} conv_block;

/* The block for a product of `rows`, of which the last block may lack some, and for columns that whole blocks have to
 * divide; as large as the tuning says, the device can have and the rows fill. stored: the rows' operand is transposed
 * on its way to local memory. False: the tuning has no blocks. */
bool conv_block_choose(const device_record *r, const conv_tiles *t, int rows, int columns, bool stored, conv_block *b);

int conv_block_rows(const conv_block *b);
int conv_block_columns(const conv_block *b, const conv_tiles *t);

/* " -DLOCAL_ROWS=…": what kernels/blocks.h has to be told. */
const char *conv_block_options(const conv_block *b, const conv_tiles *t, char text[160]);

/* kernel_run with as many work-groups as said. */
status conv_block_launch(context *c, kernel *k, const conv_block *b, const size_t groups[3], int count,
                         const kernel_argument *arguments);

#endif
