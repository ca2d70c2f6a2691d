/* C [m][n] = op(A) op(B), row-major, float32. Two backends: ours (sums along k in order: one result on every device)
 * and CLBlast (outside that guarantee; only where the configuration asks for it). This file's .c alone calls CLBlast.
 */
#ifndef OPS_GEMM_H
#define OPS_GEMM_H

#include <stdbool.h>
#include "device/kernel.h"

typedef enum { GEMM_OURS, GEMM_CLBLAST } gemm_backend;

/* lda, ldb, ldc: row strides in floats of the matrices as stored (A is [m][k], or [k][m] when transposed). */
status gemm_run(context *c, device *d, gemm_backend backend, bool transpose_a, bool transpose_b, int m, int n, int k,
                buffer *a, int lda, buffer *b, int ldb, buffer *out, int ldc);

#endif
