#include "base/hash.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

static void hex(const unsigned char *bytes, int count, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * count] = 0;
}

static void hash_text(XXH128_hash_t h, char text[HASH_TEXT])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, h);
    hex(canonical.digest, sizeof canonical.digest, text);
}

void hash_bytes(const void *data, size_t size, char text[HASH_TEXT])
{
    hash_text(XXH3_128bits(data, size), text);
}

status hash_file(context *c, const char *path, char text[HASH_TEXT])
{
    enum { CHUNK = 1 << 20 };
    status s = STATUS_OK;
    char *chunk = NULL;
    XXH3_state_t *state = XXH3_createState();
    FILE *f = fopen(path, "rb");
    if (!f) {
        s = context_fail(c, STATUS_DATA, "%s: cannot open: %s", path, strerror(errno));
        goto out;
    }
    if (!state) {
        s = context_fail(c, STATUS_MEMORY, "hash of %s: no memory", path);
        goto out;
    }
    s = memory_new(c, "hash of a file", CHUNK, 1, &chunk);
    if (s != STATUS_OK) goto out;
    XXH3_128bits_reset(state);
    for (size_t n; (n = fread(chunk, 1, CHUNK, f)) > 0;) XXH3_128bits_update(state, chunk, n);
    if (ferror(f)) {
        s = context_fail(c, STATUS_DATA, "%s: cannot read: %s", path, strerror(errno));
        goto out;
    }
    hash_text(XXH3_128bits_digest(state), text);
out:
    memory_delete(&chunk);
    if (f) fclose(f);
    XXH3_freeState(state);
    return s;
}

/* SHA-256 after FIPS 180-4. The constants are the fractional parts of the roots of the first primes (sections 4.2.2 and
 * 5.3.3). */
static const uint32_t sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static inline void round_of(const uint32_t *a, const uint32_t *b, const uint32_t *c, uint32_t *d, const uint32_t *e,
                            const uint32_t *f, const uint32_t *g, uint32_t *h, uint32_t added)
{
    const uint32_t e1 = rotate(*e, 6) ^ rotate(*e, 11) ^ rotate(*e, 25), choice = (*e & *f) ^ (~*e & *g);
    const uint32_t e0 = rotate(*a, 2) ^ rotate(*a, 13) ^ rotate(*a, 22), majority = (*a & *b) ^ (*a & *c) ^ (*b & *c);
    const uint32_t t1 = *h + e1 + choice + added;
    *d += t1;
    *h = t1 + e0 + majority;
}

static void sha256_round_block(sha256 *h, const unsigned char *p)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] =
            w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    for (int i = 0; i < 8; i++) s[i] = h->state[i];
    /* The letters move on by one a round: by name, not in memory, which halves the time. */
    for (int i = 0; i < 64; i += 8) {
        round_of(s + 0, s + 1, s + 2, s + 3, s + 4, s + 5, s + 6, s + 7, sha256_k[i] + w[i]);
        round_of(s + 7, s + 0, s + 1, s + 2, s + 3, s + 4, s + 5, s + 6, sha256_k[i + 1] + w[i + 1]);
        round_of(s + 6, s + 7, s + 0, s + 1, s + 2, s + 3, s + 4, s + 5, sha256_k[i + 2] + w[i + 2]);
        round_of(s + 5, s + 6, s + 7, s + 0, s + 1, s + 2, s + 3, s + 4, sha256_k[i + 3] + w[i + 3]);
        round_of(s + 4, s + 5, s + 6, s + 7, s + 0, s + 1, s + 2, s + 3, sha256_k[i + 4] + w[i + 4]);
        round_of(s + 3, s + 4, s + 5, s + 6, s + 7, s + 0, s + 1, s + 2, sha256_k[i + 5] + w[i + 5]);
        round_of(s + 2, s + 3, s + 4, s + 5, s + 6, s + 7, s + 0, s + 1, sha256_k[i + 6] + w[i + 6]);
        round_of(s + 1, s + 2, s + 3, s + 4, s + 5, s + 6, s + 7, s + 0, sha256_k[i + 7] + w[i + 7]);
    }
    for (int i = 0; i < 8; i++) h->state[i] += s[i];
}

void sha256_begin(sha256 *h)
{
    *h = (sha256){
        .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(sha256 *h, const void *data, size_t size)
{
    const unsigned char *p = data;
    while (size > 0) {
        size_t held = h->length % 64;
        if (held == 0 && size >= 64) {
            sha256_round_block(h, p);
            h->length += 64, p += 64, size -= 64;
            continue;
        }
        size_t n = 64 - held < size ? 64 - held : size;
        memcpy(h->block + held, p, n);
        h->length += n, p += n, size -= n;
        if (held + n == 64) sha256_round_block(h, h->block);
    }
}

void sha256_end(sha256 *h, unsigned char digest[SHA256_BYTES])
{
    static const unsigned char padding[64] = {0x80};
    unsigned long long bits = h->length * 8;
    size_t held = h->length % 64;
    sha256_add(h, padding, held < 56 ? 56 - held : 120 - held);
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha256_add(h, length, 8);
    for (int i = 0; i < SHA256_BYTES; i++) digest[i] = (unsigned char)(h->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_text(const unsigned char digest[SHA256_BYTES], char text[SHA256_TEXT])
{
    hex(digest, SHA256_BYTES, text);
}
