/* A block of a matrix product by a work-group whose work-items share what they read, for devices with local memory.
 *
 * LOCAL_COLUMNS x LOCAL_ROWS work-items make BLOCK_ROWS x BLOCK_COLUMNS results, each MR rows x NV vectors of VW in registers. The
 * depth goes in panels of PANEL steps, rows [PANEL][BLOCK_ROWS] and columns [PANEL][BLOCK_COLUMNS], which the group copies to local
 * memory together: a work-item has its SHAREs of both, in vectors. There are two of each panel, one to fill while the other is
 * read, so that a barrier per panel is enough; what comes next is on its way from global memory to registers meanwhile.
 *
 * Work-item (x, y) makes the rows y MR ... and the vectors x, x + LOCAL_COLUMNS, ...: neighbours along x read the same rows and
 * neighbouring vectors, which no banks of local memory compete for. Operands begin at multiples of VW floats.
 *
 * Barriers: every work-item of a group has to come by all of them, so nothing here or around it returns early.
 * Order: every result adds along the depth in order with fma from what it holds; steps behind the depth are not added.
 *
 * From the host: LOCAL_ROWS, LOCAL_COLUMNS, MR, NV, PANEL (a multiple of VW), KU (steps unrolled). From the kernel's file:
 * ROWS_STORED, 1: the rows' operand lies as [row][depth] and is transposed on its way; 0: as [depth][row], like that of the
 * columns, and BLOCK_ROWS is a multiple of VW. Needs common.h. */
#ifndef BLOCKS_H
#define BLOCKS_H

#define BLOCK_ROWS (LOCAL_ROWS * MR)
#define BLOCK_VECTORS (LOCAL_COLUMNS * NV)
#define BLOCK_COLUMNS (BLOCK_VECTORS * VW)
#define BLOCK_ITEMS (LOCAL_ROWS * LOCAL_COLUMNS)
/* Floats from step to step of the rows' panel: 4 more, so that the lanes that transpose together write to different banks. */
#define ROWS_STEP (BLOCK_ROWS + (ROWS_STORED ? 4 : 0))

#define ROWS_FLOATS (PANEL * ROWS_STEP)
#define COLUMNS_VECTORS (PANEL * BLOCK_VECTORS)
/* To be declared by the kernel: the panels, and the number of this work-item. */
#define BLOCK_PANELS                                                                                                  \
    __local float rows_panels[2 * ROWS_FLOATS] __attribute__((aligned(64)));                                          \
    __local FV columns_panels[2 * COLUMNS_VECTORS] __attribute__((aligned(64)));                                      \
    const int me = get_local_id(1) * LOCAL_COLUMNS + get_local_id(0)

/* Vectors of a panel, and those of a work-item: number i is vector me + i BLOCK_ITEMS, if there is one. */
#define ROWS_VECTORS (PANEL * BLOCK_ROWS / VW)
#define SHARE(vectors) (((vectors) + BLOCK_ITEMS - 1) / BLOCK_ITEMS)
#define ROWS_SHARE SHARE(ROWS_VECTORS)
#define COLUMNS_SHARE SHARE(COLUMNS_VECTORS)
#define SHARE_HAS(vectors, at) ((vectors) % BLOCK_ITEMS == 0 || (at) < (vectors))

/* Where vector `at` lies in its panel: its step (the first of VW where rows are stored), and its row or column. */
#if ROWS_STORED
#define ROWS_AT_STEP(at) ((at) % (PANEL / VW) * VW)
#define ROWS_AT_ROW(at) ((at) / (PANEL / VW))
#else
#define ROWS_AT_STEP(at) ((at) / (BLOCK_ROWS / VW))
#define ROWS_AT_ROW(at) ((at) % (BLOCK_ROWS / VW) * VW)
#endif
#define COLUMNS_AT_STEP(at) ((at) / BLOCK_VECTORS)
#define COLUMNS_AT_COLUMN(at) ((at) % BLOCK_VECTORS * VW)

/* f = this work-item's vectors of the columns' panel from `from` [steps][stride], as far as there are steps. */
INLINED void columns_fetch(int me, FV f[COLUMNS_SHARE], __global const float *from, int stride, int steps)
{
#pragma unroll
    for (int i = 0; i < COLUMNS_SHARE; i++) {
        const int at = me + i * BLOCK_ITEMS, k = COLUMNS_AT_STEP(at);
        if (SHARE_HAS(COLUMNS_VECTORS, at) && k < steps) f[i] = *GLOBAL_CFV(from + k * stride + COLUMNS_AT_COLUMN(at));
    }
}

/* The same of the rows' panel, of which `rows` are there. */
INLINED void rows_fetch(int me, FV f[ROWS_SHARE], __global const float *from, int stride, int rows, int steps)
{
#pragma unroll
    for (int i = 0; i < ROWS_SHARE; i++) {
        const int at = me + i * BLOCK_ITEMS, k = ROWS_AT_STEP(at), row = ROWS_AT_ROW(at);
        if (SHARE_HAS(ROWS_VECTORS, at) && k < steps && row < rows)
            f[i] = *GLOBAL_CFV(from + (ROWS_STORED ? row * stride + k : k * stride + row));
    }
}

INLINED void panels_fill(int me, const FV rows[ROWS_SHARE], const FV columns[COLUMNS_SHARE], __local float *rows_panel,
                         __local FV *columns_panel)
{
#pragma unroll
    for (int i = 0; i < ROWS_SHARE; i++) {
        const int at = me + i * BLOCK_ITEMS;
        if (SHARE_HAS(ROWS_VECTORS, at)) {
            __local float *to = rows_panel + ROWS_AT_STEP(at) * ROWS_STEP + ROWS_AT_ROW(at);
#if ROWS_STORED
            float lanes[VW];
            VSTORE_LANES(rows[i], 0, lanes);
#pragma unroll
            for (int l = 0; l < VW; l++) to[l * ROWS_STEP] = lanes[l];
#else
            *(__local FV *)to = rows[i];
#endif
        }
    }
#pragma unroll
    for (int i = 0; i < COLUMNS_SHARE; i++) {
        const int at = me + i * BLOCK_ITEMS;
        if (SHARE_HAS(COLUMNS_VECTORS, at)) columns_panel[at] = columns[i];
    }
}

INLINED void step_add(FV acc[MR][NV], __local const float *rows, __local const FV *columns)
{
    FV b[NV];
#pragma unroll
    for (int j = 0; j < NV; j++) b[j] = columns[j * LOCAL_COLUMNS];
#pragma unroll
    for (int i = 0; i < MR; i++) {
        const FV a = FV_ALL(rows[i]);
#pragma unroll
        for (int j = 0; j < NV; j++) acc[i][j] = fma(a, b[j], acc[i][j]);
    }
}

/* acc += the first `steps` steps of the panels. */
INLINED void panels_add(FV acc[MR][NV], __local const float *rows, __local const FV *columns, int steps)
{
    rows += get_local_id(1) * MR, columns += get_local_id(0);
    int k = 0;
    ROLLED
    for (; k + KU <= steps; k += KU)
#pragma unroll
        for (int u = 0; u < KU; u++) step_add(acc, rows + (k + u) * ROWS_STEP, columns + (k + u) * BLOCK_VECTORS);
    ROLLED
    for (; k < steps; k++) step_add(acc, rows + k * ROWS_STEP, columns + k * BLOCK_VECTORS);
}

INLINED void block_clear(FV acc[MR][NV])
{
#pragma unroll
    for (int i = 0; i < MR; i++)
#pragma unroll
        for (int j = 0; j < NV; j++) acc[i][j] = FV_ALL(0.0f);
}

/* From and to a matrix [rows][stride] whose first element is the block's. */
INLINED void block_load(FV acc[MR][NV], __global const float *from, int stride, int rows)
{
    const int row = get_local_id(1) * MR;
    from += row * stride + get_local_id(0) * VW;
#pragma unroll
    for (int i = 0; i < MR; i++)
        if (row + i < rows)
#pragma unroll
            for (int j = 0; j < NV; j++) acc[i][j] = GLOBAL_CFV(from + i * stride)[j * LOCAL_COLUMNS];
}

INLINED void block_store(const FV acc[MR][NV], __global float *to, int stride, int rows)
{
    const int row = get_local_id(1) * MR;
    to += row * stride + get_local_id(0) * VW;
#pragma unroll
    for (int i = 0; i < MR; i++)
        if (row + i < rows)
#pragma unroll
            for (int j = 0; j < NV; j++) GLOBAL_FV(to + i * stride)[j * LOCAL_COLUMNS] = acc[i][j];
}

/* acc += rows [rows][stride] or [depth][stride] times columns [depth][stride], both at the block's first. */
INLINED void block_add(int me, FV acc[MR][NV], __local float *rows_panels, __local FV *columns_panels, __global const float *a,
                       int a_stride, int rows, __global const float *b, int b_stride, int depth)
{
    FV f[ROWS_SHARE] = {FV_ALL(0.0f)}, g[COLUMNS_SHARE] = {FV_ALL(0.0f)};
    rows_fetch(me, f, a, a_stride, rows, depth);
    columns_fetch(me, g, b, b_stride, depth);
    int side = 0;
    ROLLED
    for (int k = 0; k < depth; k += PANEL, side ^= 1) {
        __local float *rows_panel = rows_panels + side * ROWS_FLOATS;
        __local FV *columns_panel = columns_panels + side * COLUMNS_VECTORS;
        panels_fill(me, f, g, rows_panel, columns_panel);
        barrier(CLK_LOCAL_MEM_FENCE);
        a += ROWS_STORED ? PANEL : PANEL * a_stride, b += PANEL * b_stride;
        rows_fetch(me, f, a, a_stride, rows, depth - k - PANEL);
        columns_fetch(me, g, b, b_stride, depth - k - PANEL);
        panels_add(acc, rows_panel, columns_panel, min(depth - k, PANEL));
    }
}

#endif
