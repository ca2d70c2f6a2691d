/* Plain float64 oracle of ops/random.h: normal number i from the words of base/rng.h. */
#ifndef OPS_REF_RANDOM_REF_H
#define OPS_REF_RANDOM_REF_H

#include <stdint.h>

double random_ref_normal(uint64_t seed, uint32_t stream, uint32_t sub, uint64_t i);

#endif
