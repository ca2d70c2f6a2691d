/* Everything here is a function of integers and of the IEEE operations + - * / and sqrt, which round the same on every
 * host; log, sin and cos of the C library do not, so the normals bring their own. The build forbids contraction. */
#include "base/rng.h"

#include <math.h>
#include <string.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

#define TWO_PI 6.283185307179586476925
#define LN2_HIGH 6.93147180369123816490e-01 /* the upper 33 bits of ln 2, so that n · LN2_HIGH is exact */
#define LN2_LOW 1.90821492927058770002e-10

void rng_block(uint64_t seed, uint32_t stream, uint64_t index, uint32_t sub, uint32_t out[4])
{
    philox4x32_ctr_t counter = {{(uint32_t)index, (uint32_t)(index >> 32), sub, stream}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t r = philox4x32_R(10, counter, key);
    memcpy(out, r.v, 4 * sizeof out[0]);
}

/* 53 of the 64 bits of two words, the first of them the low one. */
static uint64_t bits53(uint32_t low, uint32_t high)
{
    return ((uint64_t)high << 32 | low) >> 11;
}

double rng_uniform(uint64_t seed, uint32_t stream, uint64_t index, uint32_t sub)
{
    uint32_t w[4];
    rng_block(seed, stream, index, sub, w);
    return (double)bits53(w[0], w[1]) * 0x1p-53;
}

/* ln x for 0 < x ≤ 1 within 2 ulp: x = 2^n m, √½ ≤ m < √2, ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …) with
 * s = (m−1)/(m+1), |s| < .1716; the first term left out, 2 s^23/23, is below 2^-61. */
static double explicit_log(double x)
{
    int n = 0;
    double m = frexp(x, &n);
    if (m < 0.70710678118654752440) {
        m *= 2;
        n--;
    }
    double s = (m - 1) / (m + 1), t = s * s, sum = 0;
    for (int k = 21; k >= 3; k -= 2) sum = (sum + 1. / k) * t;
    return n * LN2_HIGH + (2 * s + (2 * s * sum + n * LN2_LOW));
}

/* sin and cos of 2πu, 0 ≤ u < 1, by Taylor series within an eighth of a turn; the remainders are below 2^-58. */
static void explicit_sincos_turns(double u, double *sine, double *cosine)
{
    int quarter = (int)(4 * u + .5); /* nearest quarter turn; u − quarter / 4 is exact */
    double x = (u - .25 * quarter) * TWO_PI, t = x * x, s = 0, c = 0;
    for (int k = 16; k >= 2; k -= 2) {
        s = (1 + s) * -t / (k * (k + 1));
        c = (1 + c) * -t / (k * (k - 1));
    }
    s = x + x * s;
    c = 1 + c;
    switch (quarter & 3) {
    case 0:
        *sine = s, *cosine = c;
        break;
    case 1:
        *sine = c, *cosine = -s;
        break;
    case 2:
        *sine = -s, *cosine = -c;
        break;
    default:
        *sine = -c, *cosine = s;
        break;
    }
}

void rng_normals(uint64_t seed, uint32_t stream, uint32_t sub, uint64_t first, uint64_t count, double *out)
{
    uint64_t made = 0;
    while (made < count) {
        uint64_t number = first + made;
        uint32_t w[4];
        rng_block(seed, stream, number / 2, sub, w);
        double u = ((double)bits53(w[0], w[1]) + 1) * 0x1p-53; /* (0, 1], so that the log is finite */
        double radius = sqrt(-2 * explicit_log(u)), pair[2];
        explicit_sincos_turns((double)bits53(w[2], w[3]) * 0x1p-53, &pair[1], &pair[0]);
        if (number & 1) {
            out[made++] = radius * pair[1];
            continue;
        }
        out[made++] = radius * pair[0];
        if (made < count) out[made++] = radius * pair[1];
    }
}

/* The bias of the multiplication by 64 random bits is below n / 2^64, far under what any shuffle could show. */
void rng_permutation(uint64_t seed, uint32_t stream, uint32_t sub, uint32_t n, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++) out[i] = i;
    for (uint32_t i = n; i-- > 1;) {
        uint32_t w[4];
        rng_block(seed, stream, i, sub, w);
        uint64_t r = (uint64_t)w[1] << 32 | w[0];
        uint32_t j = (uint32_t)(((unsigned __int128)r * (i + 1u)) >> 64), kept = out[i];
        out[i] = out[j];
        out[j] = kept;
    }
}
