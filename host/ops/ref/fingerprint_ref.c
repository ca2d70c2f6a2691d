#include "ops/ref/fingerprint_ref.h"

void fingerprint_ref_add(const uint32_t *x, size_t count, uint32_t first, uint32_t out[2])
{
    const uint64_t modulus = UINT64_C(1) << 32;
    for (size_t i = 0; i < count; i++) {
        const uint64_t k = (first + (uint64_t)i) % modulus, bits = x[i], folded = bits ^ bits / 32768;
        uint64_t one = k * 2654435761u % modulus, two = k * 2246822519u % modulus ^ k / 512;
        one += one % 2 == 0;
        two += two % 2 == 0;
        out[0] = (uint32_t)((out[0] + bits * one % modulus) % modulus);
        out[1] = (uint32_t)((out[1] + folded * two % modulus) % modulus);
    }
}
