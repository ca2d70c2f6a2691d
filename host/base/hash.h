/* xxHash (XXH3, 128 bits) for cache keys and the hashes of inputs, SHA-256 for the hash chain. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include "base/context.h"

enum { HASH_TEXT = 33, SHA256_BYTES = 32, SHA256_TEXT = 65 };

void hash_bytes(const void *data, size_t size, char text[HASH_TEXT]);
/* Hash of a file's bytes. STATUS_DATA if it cannot be read. */
status hash_file(context *c, const char *path, char text[HASH_TEXT]);

typedef struct {
    unsigned int state[8];
    unsigned long long length;
    unsigned char block[64];
} sha256;

void sha256_begin(sha256 *h);
void sha256_add(sha256 *h, const void *data, size_t size);
void sha256_end(sha256 *h, unsigned char digest[SHA256_BYTES]);
void sha256_text(const unsigned char digest[SHA256_BYTES], char text[SHA256_TEXT]);

#endif
