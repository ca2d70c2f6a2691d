/* The tree of 16 lanes in which outputs of one channel are summed: (l, l+8), (l, l+4), (l, l+2), (l, l+1). Lane l of the 16
 * is lane l % VW of vector l / VW, so every vector width gives the same bits. Needs common.h. */
#ifndef CONV_LANES_H
#define CONV_LANES_H

#define LANES 16
#define LANE_VECTORS (LANES / VW)

static inline float lanes_sum(FV a[LANE_VECTORS])
{
#pragma unroll
    for (int h = LANE_VECTORS / 2; h > 0; h /= 2)
#pragma unroll
        for (int i = 0; i < h; i++) a[i] = a[i] + a[i + h];
#if VW == 16
    const float8 l8 = a[0].lo + a[0].hi;
    const float4 l4 = l8.lo + l8.hi;
    const float2 l2 = l4.lo + l4.hi;
    return l2.x + l2.y;
#elif VW == 8
    const float4 l4 = a[0].lo + a[0].hi;
    const float2 l2 = l4.lo + l4.hi;
    return l2.x + l2.y;
#elif VW == 4
    const float2 l2 = a[0].lo + a[0].hi;
    return l2.x + l2.y;
#elif VW == 2
    return a[0].x + a[0].y;
#else
    return a[0];
#endif
}

#endif
