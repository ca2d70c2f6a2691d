/* The smallest kernels that show whether a device computes at all: used by `cosmocl doctor` and the device layer's tests.
 *
 *   add      z[i] = x[i] + y[i], i < n           float32 [n] each, exact (one rounding)
 *   pattern  x[i] = (uint)i * step + base        uint32 [n], modulo 2^32
 *   lcg      s[i] <- 1664525 s[i] + 1013904223, `rounds` times   uint32 [n], modulo 2^32
 *   fused    z[i] = fma(x[i], y[i], z[i])        float32 [n], exact to one rounding: finds devices without a real fma
 *   chain    4 independent chains of v <- a v + b per lane, `rounds` times, fused or as product and sum; timed, not compared
 *   reverse  within each work-group, x is reversed through local memory (n a multiple of the group)
 *
 * One work-item handles VW elements, the last one fewer. Oracle: the same formulas in C (host/device/health.c). */
#include "common.h"

__kernel void add(__global const float *x, __global const float *y, __global float *z, uint n)
{
    const uint i = (uint)get_global_id(0), first = i * VW;
    if (first + VW <= n) {
        VSTORE(VLOAD(i, x) + VLOAD(i, y), i, z);
    } else {
        for (uint k = first; k < n; k++)
            z[k] = x[k] + y[k];
    }
}

__kernel void pattern(__global uint *x, uint base, uint step, uint n)
{
    const uint first = (uint)get_global_id(0) * VW;
    for (uint k = first; k < n && k < first + VW; k++)
        x[k] = k * step + base;
}

__kernel void lcg(__global uint *s, uint rounds, uint n)
{
    const uint first = (uint)get_global_id(0) * VW;
    for (uint k = first; k < n && k < first + VW; k++) {
        uint v = s[k];
        for (uint r = 0; r < rounds; r++)
            v = v * 1664525u + 1013904223u;
        s[k] = v;
    }
}

__kernel void fused(__global const float *x, __global const float *y, __global float *z, uint n)
{
    const uint i = (uint)get_global_id(0), first = i * VW;
    if (first + VW <= n) {
        VSTORE(fma(VLOAD(i, x), VLOAD(i, y), VLOAD(i, z)), i, z);
    } else {
        for (uint k = first; k < n; k++)
            z[k] = fma(x[k], y[k], z[k]);
    }
}

__kernel void reverse(__global float *x, __local float *tile)
{
    const uint l = (uint)get_local_id(0), size = (uint)get_local_size(0), g = (uint)get_global_id(0);
    tile[l] = x[g];
    barrier(CLK_LOCAL_MEM_FENCE);
    x[g] = tile[size - 1 - l];
}

__kernel void chain(__global float *x, float a, float b, uint rounds, uint is_fused)
{
    const uint i = (uint)get_global_id(0);
    const FV start = VLOAD(i, x);
    FV v0 = start, v1 = start + 1.0f, v2 = start + 2.0f, v3 = start + 3.0f;
    if (is_fused) {
        for (uint r = 0; r < rounds; r++) {
            v0 = fma(v0, FV_ALL(a), FV_ALL(b));
            v1 = fma(v1, FV_ALL(a), FV_ALL(b));
            v2 = fma(v2, FV_ALL(a), FV_ALL(b));
            v3 = fma(v3, FV_ALL(a), FV_ALL(b));
        }
    } else {
        for (uint r = 0; r < rounds; r++) {
            v0 = v0 * a + b;
            v1 = v1 * a + b;
            v2 = v2 * a + b;
            v3 = v3 * a + b;
        }
    }
    VSTORE(v0 + v1 + v2 + v3, i, x);
}
