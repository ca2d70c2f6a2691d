#include "ops/ref/random_ref.h"

#include <math.h>
#include "base/rng.h"

double random_ref_normal(uint64_t seed, uint32_t stream, uint32_t sub, uint64_t i)
{
    const double two_pi = 6.283185307179586476925;
    uint32_t w[4];
    rng_block(seed, stream, i >> 2, sub, w);
    const uint32_t *pair = i & 2 ? w + 2 : w;
    const double u1 = (float)((pair[0] + .5) * 0x1p-32), u2 = (double)(pair[1] >> 8) * 0x1p-24;
    const double r = sqrt(-2 * log(u1));
    return i & 1 ? r * sin(two_pi * u2) : r * cos(two_pi * u2);
}
