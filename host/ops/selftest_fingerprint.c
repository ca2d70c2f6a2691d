/* Checks of fingerprints. */
#include "ops/selftest_checks.h"

#include "ops/fingerprint.h"
#include "ops/ref/fingerprint_ref.h"

/* Two parts of an array into one row, the other row left alone. */
void check_fingerprint(selftest *t, size_t n)
{
    const uint32_t first = 0x40000000u - 7;
    const size_t half = n / 2;
    uint32_t rows[4] = {1, 2, 3, 4}, want[2] = {3, 4};
    float *x = selftest_octaves(t, n, -40, 10);
    buffer *bx = selftest_upload(t, "x", x, n), *out = selftest_upload(t, "out", rows, 4);
    selftest_size(t, "%zu", n);
    selftest_start(t);
    if (!t->s) t->s = fingerprint_add(t->c, t->d, bx, half, n - half, first, out, 1);
    if (!t->s) t->s = fingerprint_add(t->c, t->d, bx, 0, half, 5, out, 1);
    selftest_stop(t);
    if (!t->s) t->s = buffer_read(t->c, out, 0, rows, sizeof rows);
    if (t->s) return;
    fingerprint_ref_add((const uint32_t *)x + half, n - half, first, want);
    fingerprint_ref_add((const uint32_t *)x, half, 5, want);
    if (t->hash) sha256_add(t->hash, rows, sizeof rows);
    selftest_add(t, "fingerprint_add", (rows[0] != 1) + (rows[1] != 2) + (rows[2] != want[0]) + (rows[3] != want[1]),
                 0);
    selftest_release(t);
}

void family_fingerprint(selftest *t)
{
    check_fingerprint(t, 3);
    check_fingerprint(t, 5003);
    if (selftest_large(t)) check_fingerprint(t, 300007);
}
