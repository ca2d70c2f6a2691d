/* Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, as in Random123), the same on host and device
 * (kernels/random.cl). A number is a function of (seed, stream, index) alone, so nothing depends on the order of work.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

/* Streams keep uses of one seed apart; the values are part of the file format (a new use gets a new number). */
enum rng_stream {
    RNG_WHITE_NOISE = 1, /* initial conditions; index = box, site */
    RNG_SHUFFLE = 2,     /* order of sub-images in an epoch */
    RNG_LATENT = 3,      /* latents of training; index = step, element */
    RNG_LABEL = 4,       /* label flips; index = step, sample */
    RNG_INIT = 5,        /* initial weights */
    RNG_GENERATE = 6,    /* latents of `generate` */
    RNG_SPLIT = 7,       /* train / validation / test */
    RNG_PAIRS = 8,       /* random pairs of statistics */
    RNG_BOOTSTRAP = 9,
    RNG_SELECT = 11,   /* latents of `select`: the maps that are judged are not those that are kept */
    RNG_ENCODER = 12,  /* latents of the encoder's training with the loss z; index = step, element */
    RNG_VALIDATE = 13, /* latents of its validation */
    RNG_PERTURB = 14,  /* displacements of the stochastic DTFE; index = member, particle */
    RNG_BASELINE = 15, /* Gaussian fields of the baseline */
    RNG_TEST = 100
};

/* Philox4x32-10 of counter (x0 = low index, x1 = high index, x2 = low sub, x3 = stream) under key = seed. */
void rng_block(uint64_t seed, uint32_t stream, uint64_t index, uint32_t sub, uint32_t out[4]);
/* Uniform in [0, 1): the upper 53 of the 64 bits of words 0 (low) and 1 (high) of the block. */
double rng_uniform(uint64_t seed, uint32_t stream, uint64_t index, uint32_t sub);
/* Standard normals in double by Box–Muller from words (0,1) and (2,3): two per block, number i is half i & 1 of the
 * block of index i / 2. */
void rng_normals(uint64_t seed, uint32_t stream, uint32_t sub, uint64_t first, uint64_t count, double *out);
/* Random permutation of 0 … n−1 (Fisher–Yates). */
void rng_permutation(uint64_t seed, uint32_t stream, uint32_t sub, uint32_t n, uint32_t *out);

#endif
