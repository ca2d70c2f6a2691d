/* The geometry that the forward and the backward-data kernels share.
 *
 * Both gather: output pixel (q * PS + phase) adds, tap by tap, input pixel (q * IS + offset(tap)). Forward has one phase
 * (PS 1, IS STRIDE); backward data has STRIDE * STRIDE phases (PS STRIDE, IS 1), and a phase meets the taps
 * ky = first + STRIDE * j alone, whose offset falls as j grows. Taps go in the order (ky, kx) in both.
 *
 * From the host: BACKWARD (0, 1), KERNEL, STRIDE, PAD. */
#ifndef CONV_PHASE_H
#define CONV_PHASE_H

#if BACKWARD
#define PS STRIDE
#define IS 1
#define PHASE_TAP0(p) (((p) + PAD) % STRIDE)
#define PHASE_TAPS(p) ((KERNEL - PHASE_TAP0(p) + STRIDE - 1) / STRIDE)
#define PHASE_OFFSET(p, j) (((p) + PAD - PHASE_TAP0(p)) / STRIDE - (j))
#define PHASE_TAP(p, j) (PHASE_TAP0(p) + STRIDE * (j))
#else
#define PS 1
#define IS STRIDE
#define PHASE_TAPS(p) KERNEL
#define PHASE_OFFSET(p, j) ((j) - PAD)
#define PHASE_TAP(p, j) (j)
#endif

/* Output rows (columns) of phase p: those q with q * PS + p < size. */
#define PHASE_SIZE(size, p) (((size) - (p) + PS - 1) / PS)

/* Taps of all phases before this one: where its packed weights begin. */
static inline int phase_taps_before(int phase)
{
    int taps = 0;
    for (int f = 0; f < phase; f++) taps += PHASE_TAPS(f / PS) * PHASE_TAPS(f % PS);
    return taps;
}

#endif
