/* out[i] = the fixed tree (tree.h) over k of partial[k][i], i < count, k < parts, + 0. partial and out float32; one
 * work-item makes VW values (VW divides count). Oracle: host/ops/ref/conv_ref.c. */
#include "common.h"
#include "tree.h"

/* ---- tunable: vector width VW, work-group WG ------------------------------------------------------------------------- */
#ifndef WG
#define WG 1
#endif

#define LOAD_VECTOR(p) VLOAD(0, p)
TREE_DEFINE(tree_sum_vector, FV, LOAD_VECTOR)

__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void conv_tree(int parts, ulong count, __global const float *partial, __global float *out)
{
    const size_t i = get_global_id(0) * VW;
    if (i < count) VSTORE(tree_sum_vector(partial + i, count, parts) + FV_ALL(0.0f), 0, out + i);
}
