#include "ops/conv_blocks.h"

#include <stdio.h>
#include "ops/launch.h"

/* ROWS_MOST: with more, a work-item's sums leave too few registers. WAVE: work-items that run together on most GPUs. */
enum { ROWS_MOST = 8, WAVE = 32, LEAST_DEPTH = 4 };

static int rounded(int a, int unit)
{
    return divide_up(a, unit) * unit;
}

int conv_block_rows(const conv_block *b)
{
    return b->local_rows * b->rows;
}

int conv_block_columns(const conv_block *b, const conv_tiles *t)
{
    return b->local_columns * b->vectors * t->vector;
}

static size_t local_bytes(const conv_block *b, const conv_tiles *t, bool stored)
{
    const int step = conv_block_rows(b) + (stored ? 4 : 0) + conv_block_columns(b, t);
    return 2 * sizeof(float) * (size_t)b->depth * (size_t)step;
}

/* Work-items along the rows: at most as many as `most`, in multiples of `unit`; blocks of equal size, and whole waves.
 */
static int rows_choose(const conv_block *b, int rows, int most, int unit)
{
    const int blocks = rounded(rows, most * b->rows) / (most * b->rows);
    int n = rounded(rounded(rounded(rows, blocks) / blocks, b->rows) / b->rows, unit);
    while (n * b->local_columns % WAVE && n + unit <= most) n += unit;
    return n;
}

bool conv_block_choose(const device_record *r, const conv_tiles *t, int rows, int columns, bool stored, conv_block *b)
{
    int high = t->local_rows, wide = t->local_columns, unit = 1;
    *b = (conv_block){0};
    if (!wide) return false;
    while ((size_t)high * (size_t)wide > r->max_work_group && high * wide > 1) *(high >= wide ? &high : &wide) /= 2;
    b->depth = t->local_depth > t->vector ? t->local_depth : t->vector;
    b->vectors = conv_tuning_vectors(columns, t->vector, t->vectors);
    b->rows = conv_tuning_rows(t, b->vectors, ROWS_MOST);
    while (!stored && unit * b->rows % t->vector) unit++; /* whole vectors along the rows */
    const int column = b->vectors * t->vector;
    const int items = high * wide, widest = least(wide, items / unit);
    b->local_columns = conv_tuning_vectors(columns, column, widest > 1 ? widest : 1);
    const int most = items / b->local_columns / unit * unit;
    b->local_rows = rows_choose(b, rows, most > unit ? most : unit, unit);
    /* Two groups at a time on each unit of the device, so that one computes while the other waits. */
    while (local_bytes(b, t, stored) > r->local_bytes / 2)
        if (b->depth > LEAST_DEPTH && b->depth > t->vector)
            b->depth /= 2;
        else if (b->local_rows > unit)
            b->local_rows = rounded(b->local_rows / 2, unit);
        else if (b->local_columns > 1)
            b->local_columns = conv_tuning_vectors(columns, column, b->local_columns - 1);
        else
            break;
    return true;
}

const char *conv_block_options(const conv_block *b, const conv_tiles *t, char text[160])
{
    snprintf(text, 160, " -DLOCAL_ROWS=%d -DLOCAL_COLUMNS=%d -DMR=%d -DNV=%d -DPANEL=%d -DKU=%d", b->local_rows,
             b->local_columns, b->rows, b->vectors, b->depth, least(t->unroll, b->depth));
    return text;
}

status conv_block_launch(context *c, kernel *k, const conv_block *b, const size_t groups[3], int count,
                         const kernel_argument *arguments)
{
    const size_t local[3] = {(size_t)b->local_columns, (size_t)b->local_rows, 1};
    const size_t global[3] = {groups[0] * local[0], groups[1] * local[1], groups[2]};
    return kernel_run(c, k, 3, global, local, count, arguments);
}
