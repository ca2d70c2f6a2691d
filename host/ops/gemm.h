/* C [m][n] = op(A) op(B), row-major, float32. Two backends: ours (sums along k in order: one result on every device)
 * and CLBlast (outside that guarantee; only where the configuration asks for it). This file's .c alone calls CLBlast.
 */
#ifndef OPS_GEMM_H
#define OPS_GEMM_H

#include <stdbool.h>
#include "device/kernel.h"

typedef enum { GEMM_OURS, GEMM_CLBLAST } gemm_backend;

/* lda, ldb, ldc: row strides in floats of the matrices as stored (A is [m][k], or [k][m] when transposed). CLBlast's
 * temporary memory is WORKSPACE_SECOND. */
status gemm_run(context *c, device *d, gemm_backend backend, bool transpose_a, bool transpose_b, int m, int n, int k,
                buffer *a, int lda, buffer *b, int ldb, buffer *out, int ldc);

/* A product of parts of buffers: the matrices begin a_at, b_at and out_at floats behind the buffers' starts. */
typedef struct {
    bool ta, tb; /* transposed */
    bool add;    /* C is added to */
    int m, n, k, lda, ldb, ldc;
    buffer *a, *b, *out;
    size_t a_at, b_at, out_at;
} gemm_problem;

/* By CLBlast. STATUS_DEVICE where it is known to fail. Nothing happens on a device that only counts sizes. */
status gemm_clblast(context *c, device *d, const gemm_problem *p);
/* STATUS_DEVICE where CLBlast is known to fail: to be asked before work that needs it. */
status gemm_clblast_check(context *c, const device *d);
/* Bytes of WORKSPACE_SECOND that it takes at most for a product of these sizes, whatever the device. */
size_t gemm_clblast_scratch(int m, int n, int k);

#endif
