/* Weights [tap][CI][CO] (padded channels, tap = ky * KERNEL + kx) in the order in which the kernels of conv_gather.cl read
 * them: for each phase [output channels / NR][taps of the phase][input channels][NR].
 *   conv_pack_forward   input CI, output CO, one phase; one work-item copies ROWS rows of one tile
 *   conv_pack_backward  input CO, output CI (transposed), STRIDE * STRIDE phases; one work-item transposes VW x VW blocks
 * Copies only: exact. From the host: KERNEL, STRIDE, PAD, NR; BACKWARD. */
#include "common.h"

/* ---- tunable: vector width VW (divides NR), rows per work-item ROWS, work-group WG ----------------------------------- */
#ifndef ROWS
#define ROWS 64
#endif
#ifndef WG
#define WG 1
#endif

#include "conv_phase.h"
#include "conv_transpose.h"

#if !BACKWARD
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void conv_pack_forward(int CI, int CO, __global const float *w, __global float *packed)
{
    const int first = get_global_id(0) * ROWS, tile = get_global_id(1), all = KERNEL * KERNEL * CI;
    const int last = min(first + ROWS, all);
    for (int r = first; r < last; r++)
        for (int j = 0; j < NR; j += VW)
            VSTORE(VLOAD(0, w + (size_t)r * CO + tile * NR + j), 0, packed + ((size_t)tile * all + r) * NR + j);
}
#else
/* Global: (CI / VW, number of this tap among the phase's, phase). */
__attribute__((reqd_work_group_size(WG, 1, 1)))
__kernel void conv_pack_backward(int CI, int CO, __global const float *w, __global float *packed)
{
    const int ci = get_global_id(0) * VW, tap = get_global_id(1), phase = get_global_id(2);
    const int py = phase / PS, px = phase % PS, ty = PHASE_TAPS(py), tx = PHASE_TAPS(px);
    if (tap >= ty * tx || ci >= CI) return;
    const int from = PHASE_TAP(py, tap / tx) * KERNEL + PHASE_TAP(px, tap % tx);
    packed += (size_t)phase_taps_before(phase) * CI * CO + ((size_t)(ci / NR) * ty * tx + tap) * CO * NR + ci % NR;
    w += ((size_t)from * CI + ci) * CO;
    for (int co = 0; co < CO; co += VW) {
        FV r[VW];
#pragma unroll
        for (int i = 0; i < VW; i++) r[i] = VLOAD(0, w + (size_t)i * CO + co);
        block_transpose(r);
#pragma unroll
        for (int i = 0; i < VW; i++) VSTORE(r[i], 0, packed + (size_t)(co + i) * NR);
    }
}
#endif
