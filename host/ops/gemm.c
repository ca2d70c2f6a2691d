/* GEMM: kernels/gemm.cl and CLBlast. The only file that calls CLBlast. */
#include "ops/gemm.h"

#include <stdio.h>
#include "device/opencl.h"
#include "device/workspace.h"
#include <clblast_c.h>
#include "ops/conv_blocks.h"
#include "ops/launch.h"

enum { PACK_ROWS = 64, TILES_MOST = 16 };

static size_t matrix_floats(int rows, int cols, int stride)
{
    return (size_t)(rows - 1) * (size_t)stride + (size_t)cols;
}

static status problem_check(context *c, const gemm_problem *p)
{
    const int a_rows = p->ta ? p->k : p->m, a_cols = p->ta ? p->m : p->k;
    const int b_rows = p->tb ? p->n : p->k, b_cols = p->tb ? p->k : p->n;
    if (p->m < 1 || p->n < 1 || p->k < 1)
        return context_fail(c, STATUS_USAGE, "gemm: sizes must be at least 1, got %d x %d x %d", p->m, p->n, p->k);
    if (p->lda < a_cols || p->ldb < b_cols || p->ldc < p->n)
        return context_fail(c, STATUS_USAGE, "gemm: row strides %d, %d, %d are shorter than the rows (%d, %d, %d)",
                            p->lda, p->ldb, p->ldc, a_cols, b_cols, p->n);
    status e = launch_check(c, "gemm", "a", p->a, p->a_at + matrix_floats(a_rows, a_cols, p->lda));
    if (!e) e = launch_check(c, "gemm", "b", p->b, p->b_at + matrix_floats(b_rows, b_cols, p->ldb));
    if (!e) e = launch_check(c, "gemm", "out", p->out, p->out_at + matrix_floats(p->m, p->n, p->ldc));
    return e;
}

/* ---- ours ----------------------------------------------------------------------------------------------------------
 */

typedef struct {
    device *d;
    conv_tiles t;
    int row;          /* columns that the operand is packed by */
    int tiles_rows;   /* rows of a tile */
    conv_block block; /* of a work-group, if they have some */
    char options[128], tiles_options[192];
} ours;

static status launch(context *c, const ours *o, kernel *k, int items, int others, int count,
                     const kernel_argument *arguments)
{
    const size_t group = (size_t)o->t.work_group, local[2] = {group, 1};
    const size_t global[2] = {((size_t)items + group - 1) / group * group, (size_t)others};
    return kernel_run(c, k, 2, global, local, count, arguments);
}

/* The tiles of work-items or the blocks of work-groups, which take single lanes: rows may begin anywhere. */
static void ours_choose(ours *o, const gemm_problem *p)
{
    char text[160];
    conv_tiles single = o->t;
    const int vectors = least(divide_up(p->n, o->t.vector), o->t.vectors);
    const int rows = o->t.rows ? o->t.rows : o->t.registers / vectors;
    o->row = vectors * o->t.vector;
    o->tiles_rows = rows < 1 ? 1 : least(rows, 10);
    single.vector = 1, single.vectors = o->row, single.registers *= o->t.vector;
    const int columns = least(divide_up(p->n, o->row), o->t.local_columns) * o->row;
    const bool blocks = conv_block_choose(device_info(o->d), &single, p->m, columns, true, &o->block);
    if (blocks) o->row = conv_block_columns(&o->block, &single);
    snprintf(o->options, sizeof o->options, "-DVW=%d -DMR=%d -DNV=%d -DWG=%d", o->t.vector, o->tiles_rows,
             o->row / o->t.vector, o->t.work_group);
    snprintf(o->tiles_options, sizeof o->tiles_options, "%s%s", blocks ? "-DVW=1" : o->options,
             blocks ? conv_block_options(&o->block, &single, text) : "");
}

static status ours_launch(context *c, const ours *o, const char *entry, int items, int others, int count,
                          const kernel_argument *arguments)
{
    kernel *k = NULL;
    const status e = kernel_get(c, o->d, "gemm", entry, o->options, &k);
    return e ? e : launch(c, o, k, items, others, count, arguments);
}

/* *out [cols][rows] = the transpose of from [rows][cols]. */
static status transposed_new(context *c, const ours *o, int rows, int cols, buffer *from, int stride, buffer **out)
{
    const status e =
        buffer_new(c, o->d, "transposed operand of a GEMM", sizeof(float) * (size_t)rows * (size_t)cols, out);
    return e ? e
             : ours_launch(
                   c, o, "gemm_transpose", divide_up(cols, o->t.vector), divide_up(rows, o->t.vector),
                   KERNEL_ARGUMENTS(ARG_INT(rows), ARG_INT(cols), ARG_BUFFER(from), ARG_INT(stride), ARG_BUFFER(*out)));
}

static status tiles_run(context *c, const ours *o, const gemm_problem *p, buffer *a, int lda, buffer *packed)
{
    const int columns = divide_up(p->n, o->row);
    kernel *k = NULL;
    status e = kernel_get(c, o->d, "gemm", "gemm_tiles", o->tiles_options, &k);
    if (e) return e;
    if (o->block.local_columns)
        return conv_block_launch(
            c, k, &o->block, (const size_t[3]){(size_t)columns, (size_t)divide_up(p->m, conv_block_rows(&o->block)), 1},
            KERNEL_ARGUMENTS(ARG_INT(p->m), ARG_INT(p->n), ARG_INT(p->k), ARG_BUFFER(a), ARG_INT(lda),
                             ARG_BUFFER(packed), ARG_BUFFER(p->out), ARG_INT(p->ldc)));
    const int tiles = divide_up(p->m, o->tiles_rows),
              units = device_info(o->d)->compute_units > 0 ? device_info(o->d)->compute_units : 1;
    const long long share = (long long)tiles * columns / (16LL * units);
    const int per_item = share < 1 ? 1 : share > o->t.tiles ? o->t.tiles : (int)share;
    return launch(c, o, k, divide_up(tiles, per_item), columns,
                  KERNEL_ARGUMENTS(ARG_INT(p->m), ARG_INT(p->n), ARG_INT(p->k), ARG_INT(per_item), ARG_BUFFER(a),
                                   ARG_INT(lda), ARG_BUFFER(packed), ARG_BUFFER(p->out), ARG_INT(p->ldc)));
}

static status ours_run(context *c, device *d, const gemm_problem *p)
{
    ours o = {.d = d};
    buffer *a = NULL, *b = NULL, *packed = NULL;
    status e = conv_tuning_choose(c, d, &o.t);
    if (e) return e;
    ours_choose(&o, p);
    const int columns = divide_up(p->n, o.row);
    e = buffer_new(c, d, "packed operand of a GEMM", sizeof(float) * (size_t)columns * (size_t)o.row * (size_t)p->k,
                   &packed);
    if (e) goto out;
    if (p->ta && (e = transposed_new(c, &o, p->k, p->m, p->a, p->lda, &a))) goto out;
    if (p->tb && (e = transposed_new(c, &o, p->n, p->k, p->b, p->ldb, &b))) goto out;
    e = ours_launch(c, &o, "gemm_pack", divide_up(p->k, PACK_ROWS), columns,
                    KERNEL_ARGUMENTS(ARG_INT(p->n), ARG_INT(p->k), ARG_BUFFER(b ? b : p->b), ARG_INT(b ? p->n : p->ldb),
                                     ARG_BUFFER(packed)));
    if (e) goto out;
    e = tiles_run(c, &o, p, a ? a : p->a, a ? p->k : p->lda, packed);
out:
    buffer_delete(&a);
    buffer_delete(&b);
    buffer_delete(&packed);
    return e;
}

/* ---- CLBlast
 * --------------------------------------------------------------------------------------------------------- */

static status clblast_fail(context *c, const device *d, const gemm_problem *p, const char *what, CLBlastStatusCode code)
{
    return context_fail(c, code == CLBlastTempBufferAllocFailure ? STATUS_MEMORY : STATUS_DEVICE,
                        "CLBlast %s for %d x %d x %d on %s: error %d; use our own kernels instead (for training, "
                        "network.algorithm=auto)",
                        what, p->m, p->n, p->k, device_info(d)->name, (int)code);
}

status gemm_clblast_check(context *c, const device *d)
{
    if (!device_info(d)->avoid_clblast) return STATUS_OK;
    return context_fail(c, STATUS_DEVICE,
                        "CLBlast is known to fail on %s (%s); use our own kernels instead (for training, "
                        "network.algorithm=auto)",
                        device_info(d)->name, device_info(d)->quirk);
}

size_t gemm_clblast_scratch(int m, int n, int k)
{
    /* It copies operands into whole tiles, whose sides are at most these in its database. */
    const size_t tile = 128, tm = ((size_t)m + tile - 1) / tile * tile, tn = ((size_t)n + tile - 1) / tile * tile,
                 tk = ((size_t)k + tile - 1) / tile * tile;
    return sizeof(float) * (tm * tk + tk * tn + tm * tn);
}

static status clblast_run(context *c, device *d, const gemm_problem *p)
{
    const CLBlastTranspose ta = p->ta ? CLBlastTransposeYes : CLBlastTransposeNo;
    const CLBlastTranspose tb = p->tb ? CLBlastTransposeYes : CLBlastTransposeNo;
    const size_t m = (size_t)p->m, n = (size_t)p->n, k = (size_t)p->k;
    const size_t lda = (size_t)p->lda, ldb = (size_t)p->ldb, ldc = (size_t)p->ldc;
    cl_command_queue queue = opencl_queue(d);
    size_t bytes = 0;
    CLBlastStatusCode code = CLBlastSGemmTempBufferSize(CLBlastLayoutRowMajor, ta, tb, m, n, k, p->a_at, lda, p->b_at,
                                                        ldb, p->out_at, ldc, &queue, &bytes);
    if (code != CLBlastSuccess) return clblast_fail(c, d, p, "asked for its buffer", code);
    buffer *scratch = NULL;
    const status e = bytes ? workspace_get(c, d, WORKSPACE_SECOND, bytes, &scratch) : STATUS_OK;
    if (e) return e;
    cl_event event, *slot = profile_slot(d, &event);
    kernel_work(d, 2. * (double)m * (double)n * (double)k,
                4. * ((double)m * (double)k + (double)k * (double)n + (double)m * (double)n));
    code = CLBlastSgemmWithTempBuffer(CLBlastLayoutRowMajor, ta, tb, m, n, k, 1.0f, opencl_memory(p->a), p->a_at, lda,
                                      opencl_memory(p->b), p->b_at, ldb, p->add ? 1.0f : 0.0f, opencl_memory(p->out),
                                      p->out_at, ldc, &queue, slot, scratch ? opencl_memory(scratch) : NULL);
    if (code != CLBlastSuccess) return clblast_fail(c, d, p, "GEMM", code);
    return profile_add_named(c, d, "CLBlast GEMM", event);
}

status gemm_clblast(context *c, device *d, const gemm_problem *p)
{
    status e = problem_check(c, p);
    if (!e) e = gemm_clblast_check(c, d);
    if (e || !opencl_queue(d)) return e;
    return clblast_run(c, d, p);
}

status gemm_run(context *c, device *d, gemm_backend backend, bool transpose_a, bool transpose_b, int m, int n, int k,
                buffer *a, int lda, buffer *b, int ldb, buffer *out, int ldc)
{
    const gemm_problem p = {.ta = transpose_a,
                            .tb = transpose_b,
                            .m = m,
                            .n = n,
                            .k = k,
                            .lda = lda,
                            .ldb = ldb,
                            .ldc = ldc,
                            .a = a,
                            .b = b,
                            .out = out};
    if (backend == GEMM_CLBLAST) return gemm_clblast(c, d, &p);
    const status e = problem_check(c, &p);
    return e ? e : ours_run(c, d, &p);
}
