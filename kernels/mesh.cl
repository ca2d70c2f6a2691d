/* Particle mesh: cloud-in-cell deposit, potential, force and motion of particles in a periodic box, DIMS = 2 or 3.
 *
 * x  uint  [DIMS][count]  positions as 2^-32 of the box side, axis 0 first: wrapping is free and exact
 * p  float [DIMS][count]  momenta in box sides (p / L, p = a² dx/d(H0 t))
 * mesh [N]^DIMS row-major, axis 0 slowest; node i lies at x = i/N
 *
 * Precision: a particle's mass is 2^UNIT_BITS integer units, shared among its 2^DIMS nodes by rounded integer weights
 * that add up to it exactly (nested: each axis splits a share into a part and its rest). Integer sums do not depend on
 * their order, so the density is the same bits for any number of work-items, copies or devices, and the mass on the
 * mesh is exact unless a node overflows 32 bits, which the sums of mesh_density show. All else is float32. Oracle:
 * host/ops/ref/mesh_ref.c (float64). Error of a weight: 2^-UNIT_BITS; of the force: a few 2^-24 of the largest
 * potential difference in its stencil.
 *
 * Shapes of the launch: one-dimensional, each work-item takes the particles (cells, rows) of one contiguous part. */
#ifndef DIMS
#define DIMS 2
#endif
#ifndef UNIT_BITS
#define UNIT_BITS 18
#endif
/* 0: work-item w owns copy w of the mesh and adds plainly (CPUs with few cores). 1: atomic_add on copy w % copies. */
#ifndef ATOMIC
#define ATOMIC 0
#endif

#include "common.h"

#if ATOMIC
#define ADD(cell, mass) atomic_add(&(cell), (mass))
#else
#define ADD(cell, mass) (cell) += (mass)
#endif

/* Share of `mass` that goes to the right-hand node: mass · fraction/2^32, rounded; at most `mass`. */
static uint share(uint mass, uint fraction)
{
    return (uint)(((ulong)mass * fraction + 0x80000000ul) >> 32);
}

static uint next_node(uint i, uint n)
{
    return i + 1 == n ? 0 : i + 1;
}

/* counts [copies][cells] must be zero before (mesh_density leaves them so). */
kernel void mesh_deposit(global const uint *x, global uint *counts, uint count, uint n, uint per_item, uint copies,
                         uint cells)
{
    uint w = get_global_id(0);
    global uint *mesh = counts + (size_t)(w % copies) * cells;
    uint first = min(w * per_item, count), last = min(first + per_item, count);
    for (uint q = first; q < last; q++) {
        uint x0 = x[q], x1 = x[count + q];
        uint i0 = mul_hi(x0, n), f0 = x0 * n, i1 = mul_hi(x1, n), f1 = x1 * n;
        uint j0 = next_node(i0, n), j1 = next_node(i1, n);
        uint right = share(1u << UNIT_BITS, f0), left = (1u << UNIT_BITS) - right;
        uint rr = share(right, f1), lr = share(left, f1);
#if DIMS == 2
        ADD(mesh[i0 * n + i1], left - lr);
        ADD(mesh[i0 * n + j1], lr);
        ADD(mesh[j0 * n + i1], right - rr);
        ADD(mesh[j0 * n + j1], rr);
#else
        uint x2 = x[2 * (size_t)count + q], i2 = mul_hi(x2, n), f2 = x2 * n, j2 = next_node(i2, n);
        uint masses[4] = {left - lr, lr, right - rr, rr};
        uint rows[4] = {(i0 * n + i1) * n, (i0 * n + j1) * n, (j0 * n + i1) * n, (j0 * n + j1) * n};
        for (int r = 0; r < 4; r++) {
            uint part = share(masses[r], f2);
            ADD(mesh[rows[r] + i2], masses[r] - part);
            ADD(mesh[rows[r] + j2], part);
        }
#endif
    }
}

/* delta = scale · (sum over copies) − 1 with scale = cells / (count · 2^UNIT_BITS); zeroes the copies; adds the units
 * it saw to sums[w] (one writer each), so that the sums over all work-items grow by exactly count · 2^UNIT_BITS per
 * deposit. */
kernel void mesh_density(global uint *counts, global float *delta, global ulong *sums, uint cells, uint per_item,
                         uint copies, float scale)
{
    uint w = get_global_id(0);
    uint first = min(w * per_item, cells), last = min(first + per_item, cells);
    ulong sum = 0;
    uint i = first;
    for (; i + 16 <= last; i += 16) {
        uint16 units = vload16(0, counts + i);
        vstore16((uint16)(0), 0, counts + i);
        for (uint c = 1; c < copies; c++) {
            global uint *at = counts + (size_t)c * cells + i;
            units += vload16(0, at);
            vstore16((uint16)(0), 0, at);
        }
        vstore16(convert_float16(units) * scale - 1.0f, 0, delta + i);
        ulong8 pair = convert_ulong8(units.lo) + convert_ulong8(units.hi);
        ulong4 four = pair.lo + pair.hi;
        sum += four.x + four.y + four.z + four.w;
    }
    for (; i < last; i++) {
        uint units = 0;
        for (uint c = 0; c < copies; c++) {
            units += counts[(size_t)c * cells + i];
            counts[(size_t)c * cells + i] = 0;
        }
        delta[i] = (float)units * scale - 1.0f;
        sum += units;
    }
    sums[w] += sum;
}

/* modes complex [N]^(DIMS-1) [N/2+1] *= −scale/m² with m the integer wave vector, 0 at m = 0; a work-item takes rows.
 */
kernel void mesh_potential(global float *modes, uint n, uint rows, uint per_item, float scale)
{
    uint w = get_global_id(0);
    uint first = min(w * per_item, rows), last = min(first + per_item, rows);
    uint half_n = n / 2 + 1;
    for (uint r = first; r < last; r++) {
        global float *row = modes + (size_t)r * half_n * 2;
        int m0 = (int)(r % n);
        m0 = m0 > (int)(n / 2) ? m0 - (int)n : m0;
        float others = (float)m0 * (float)m0;
#if DIMS == 3
        int m1 = (int)(r / n);
        m1 = m1 > (int)(n / 2) ? m1 - (int)n : m1;
        others += (float)m1 * (float)m1;
#endif
        float8 m = (float8)(0, 1, 2, 3, 4, 5, 6, 7);
        uint c = 0;
        if (r == 0) { /* the mean */
            row[0] = 0;
            row[1] = 0;
            c = 1;
            m += 1.0f;
        }
        for (; c + 8 <= half_n; c += 8, m += 8.0f) {
            float8 factor = -scale / (m * m + others);
            float16 v = vload16(0, row + 2 * c);
            vstore16(v * factor.s0011223344556677, 0, row + 2 * c);
        }
        for (; c < half_n; c++) {
            float factor = -scale / ((float)c * (float)c + others);
            row[2 * c] *= factor;
            row[2 * c + 1] *= factor;
        }
    }
}

/* Node i − 2 + s, s = 0 … 5, wrapped. */
static uint stencil_node(uint i, int s, uint n)
{
    int k = (int)i + s - 2;
    k = k < 0 ? k + (int)n : k;
    return (uint)(k >= (int)n ? k - (int)n : k);
}

/* Weights over nodes i − 2 … i + 3 of the negative 4th-order difference 8(φ₊₁ − φ₋₁) − (φ₊₂ − φ₋₂) (12 h times the
 * gradient) taken at nodes i and i + 1 and interpolated linearly at the fraction f between them. */
static void force_weights(float f, float *w)
{
    float g = 1.0f - f;
    w[0] = -g;
    w[1] = 8.0f * g - f;
    w[2] = 8.0f * f;
    w[3] = -8.0f * g;
    w[4] = g - 8.0f * f;
    w[5] = f;
}

static float fraction_float(uint f)
{
    return (float)(f >> 8) * 0x1p-24f;
}

/* A step in box sides as 2^-32 of it, modulo whole boxes; towards zero (the saturating and rounding conversions cost
 * more than all the rest of a particle on CPUs). */
static uint displacement(float step)
{
    return (uint)(long)(step * 0x1p32f);
}

/* g = −12 h ∇φ with AT(s0, s1[, s2]) the potential at stencil place s of each axis (2 and 3 are the particle's own
 * nodes), wf the force weights and wc the cloud-in-cell weights of each axis. */
#if DIMS == 2
#define PAIR(AT, s) (wc[1][0] * AT(s, 2) + wc[1][1] * AT(s, 3))
#define SIX(AT, s)                                                                                                     \
    (wf[1][0] * AT(s, 0) + wf[1][1] * AT(s, 1) + wf[1][2] * AT(s, 2) + wf[1][3] * AT(s, 3) + wf[1][4] * AT(s, 4) +     \
     wf[1][5] * AT(s, 5))
#define GATHER(AT)                                                                                                     \
    g[0] = wf[0][0] * PAIR(AT, 0) + wf[0][1] * PAIR(AT, 1) + wf[0][2] * PAIR(AT, 2) + wf[0][3] * PAIR(AT, 3) +         \
           wf[0][4] * PAIR(AT, 4) + wf[0][5] * PAIR(AT, 5);                                                            \
    g[1] = wc[0][0] * SIX(AT, 2) + wc[0][1] * SIX(AT, 3);
#define NEAR(s0, s1) near[(s0)*n + (s1)]
#define WRAPPED(s0, s1) phi[node[0][s0] * n + node[1][s1]]
#else
#define GATHER(AT)                                                                                                     \
    for (int r = 0; r < 2; r++) {                                                                                      \
        for (int s = 0; s < 6; s++) {                                                                                  \
            g[0] += wf[0][s] * wc[1][r] * (wc[2][0] * AT(s, 2 + r, 2) + wc[2][1] * AT(s, 2 + r, 3));                   \
            g[1] += wf[1][s] * wc[0][r] * (wc[2][0] * AT(2 + r, s, 2) + wc[2][1] * AT(2 + r, s, 3));                   \
        }                                                                                                              \
        for (int t = 0; t < 2; t++) {                                                                                  \
            float sum = 0;                                                                                             \
            for (int s = 0; s < 6; s++) sum += wf[2][s] * AT(2 + r, 2 + t, s);                                         \
            g[2] += wc[0][r] * wc[1][t] * sum;                                                                         \
        }                                                                                                              \
    }
#define NEAR(s0, s1, s2) near[((size_t)(s0)*n + (s1)) * n + (s2)]
#define WRAPPED(s0, s1, s2) phi[((size_t)node[0][s0] * n + node[1][s1]) * n + node[2][s2]]
#endif

/* One particle: g = −12 h ∇φ at its place by the cloud-in-cell weights; then p = keep · p, p += kick_a · g, p += kick_b
 * · g (two kicks, rounded one after the other, so that a closing and an opening half step give the bits of two
 * launches) and x += drift · p. kick_* hold 1.5 Ωm ∫da/(a²E) · N/12, drift ∫da/(a³E). */
kernel void mesh_move(global uint *x, global float *p, global const float *phi, uint count, uint n, uint per_item,
                      float keep, float kick_a, float kick_b, float drift)
{
    uint w = get_global_id(0);
    uint first = min(w * per_item, count), last = min(first + per_item, count);
    for (uint q = first; q < last; q++) {
        uint at[DIMS], i[DIMS];
        float wf[DIMS][6], wc[DIMS][2], g[DIMS];
        bool inside = true;
        for (int d = 0; d < DIMS; d++) {
            at[d] = x[(size_t)d * count + q];
            i[d] = mul_hi(at[d], n);
            float f = fraction_float(at[d] * n);
            force_weights(f, wf[d]);
            wc[d][0] = 1.0f - f;
            wc[d][1] = f;
            g[d] = 0;
            inside = inside && i[d] >= 2 && i[d] + 3 < n;
        }
        if (inside) {
            /* No node wraps: one pointer serves (a third of the time of the other way on CPUs). */
#if DIMS == 2
            global const float *near = phi + (i[0] - 2) * n + (i[1] - 2);
#else
            global const float *near = phi + ((size_t)(i[0] - 2) * n + (i[1] - 2)) * n + (i[2] - 2);
#endif
            GATHER(NEAR)
        } else {
            uint node[DIMS][6];
            for (int d = 0; d < DIMS; d++)
                for (int s = 0; s < 6; s++) node[d][s] = stencil_node(i[d], s, n);
            GATHER(WRAPPED)
        }
        for (int d = 0; d < DIMS; d++) {
            size_t k = (size_t)d * count + q;
            float v = keep * p[k];
            v = v + kick_a * g[d];
            v = v + kick_b * g[d];
            p[k] = v;
            x[k] = at[d] + displacement(drift * v);
        }
    }
}
