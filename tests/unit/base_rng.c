/* Philox against the published known-answer vectors; moments and independence of the numbers made from it. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"

enum { SEED = 20260131, MANY = 1000000 };

/* philox4x32 10 of Random123's kat_vectors: counter, key, expected. */
static const uint32_t known[3][10] = {{0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                                      {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                                      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
                                       0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};

START_TEST(known_answers)
{
    for (int i = 0; i < 3; i++) {
        const uint32_t *k = known[i];
        uint32_t out[4];
        rng_block((uint64_t)k[5] << 32 | k[4], k[3], (uint64_t)k[1] << 32 | k[0], k[2], out);
        for (int j = 0; j < 4; j++) ck_assert_uint_eq(out[j], k[6 + j]);
    }
}
END_TEST

START_TEST(uniform_numbers)
{
    enum { BINS = 100 };
    int count[BINS] = {0};
    double sum = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        double u = rng_uniform(SEED, RNG_TEST, i, 7);
        ck_assert(u >= 0 && u < 1);
        sum += u;
        count[(int)(u * BINS)]++;
    }
    double chi2 = 0, expected = (double)MANY / BINS;
    for (int b = 0; b < BINS; b++) chi2 += (count[b] - expected) * (count[b] - expected) / expected;
    ck_assert_double_lt(fabs(sum / MANY - .5), 5 / sqrt(12. * MANY));
    /* χ² of 99 degrees of freedom: mean 99, scatter √198 = 14 */
    ck_assert_double_lt(fabs(chi2 - (BINS - 1)), 5 * sqrt(2. * (BINS - 1)));
}
END_TEST

START_TEST(moments_of_normals)
{
    double *x = malloc(MANY * sizeof *x), m1 = 0, m2 = 0, m3 = 0, m4 = 0, neighbours = 0, n = MANY;
    int beyond3 = 0;
    rng_normals(SEED, RNG_TEST, 3, 0, MANY, x);
    for (int i = 0; i < MANY; i++) {
        ck_assert(isfinite(x[i]));
        m1 += x[i], m2 += x[i] * x[i], m3 += pow(x[i], 3), m4 += pow(x[i], 4);
        if (i) neighbours += x[i] * x[i - 1];
        beyond3 += fabs(x[i]) > 3;
    }
    ck_assert_double_lt(fabs(m1 / n), 5 / sqrt(n));
    ck_assert_double_lt(fabs(m2 / n - 1), 5 * sqrt(2 / n));
    ck_assert_double_lt(fabs(m3 / n), 5 * sqrt(15 / n));
    ck_assert_double_lt(fabs(m4 / n - 3), 5 * sqrt(96 / n));
    ck_assert_double_lt(fabs(neighbours / n), 5 / sqrt(n));
    ck_assert_double_lt(fabs(beyond3 / n - .0026998), 5 * sqrt(.0027 / n));
    free(x);
}
END_TEST

/* Against the C library's functions on the same uniforms: the error is a few units of rounding of the radius. */
START_TEST(normals_are_box_muller)
{
    for (uint64_t i = 0; i < 100000; i++) {
        uint32_t w[4];
        double pair[2];
        rng_block(SEED, RNG_TEST, i, 0, w);
        rng_normals(SEED, RNG_TEST, 0, 2 * i, 2, pair);
        double u = ((double)(((uint64_t)w[1] << 32 | w[0]) >> 11) + 1) * 0x1p-53;
        double t = (double)(((uint64_t)w[3] << 32 | w[2]) >> 11) * 0x1p-53, r = sqrt(-2 * log(u));
        ck_assert_double_le(fabs(pair[0] - r * cos(2 * M_PI * t)), 8 * 0x1p-53 * r);
        ck_assert_double_le(fabs(pair[1] - r * sin(2 * M_PI * t)), 8 * 0x1p-53 * r);
    }
}
END_TEST

/* The bits themselves: another compiler, C library or CPU must make the same. */
START_TEST(normals_are_the_same_everywhere)
{
    static double x[20000];
    sha256 h;
    unsigned char digest[SHA256_BYTES];
    char text[SHA256_TEXT];
    rng_normals(SEED, RNG_TEST, 5, 1, 20000, x);
    sha256_begin(&h);
    sha256_add(&h, x, sizeof x);
    sha256_end(&h, digest);
    sha256_text(digest, text);
    ck_assert_str_eq(text, "5b20384ff56c4a30446e8828ff4a08880a69c7b8a27ab20205619e3a58181d0f");
}
END_TEST

START_TEST(normals_do_not_depend_on_the_order_of_work)
{
    double whole[1001], part[1001];
    rng_normals(SEED, RNG_TEST, 1, 12345, 1001, whole);
    for (uint64_t step = 1; step < 12; step++) {
        memset(part, 0, sizeof part);
        for (uint64_t i = 0; i < 1001; i += step)
            rng_normals(SEED, RNG_TEST, 1, 12345 + i, i + step <= 1001 ? step : 1001 - i, part + i);
        ck_assert_mem_eq(whole, part, sizeof whole);
    }
    rng_normals(SEED, RNG_TEST, 1, 0, 0, NULL);
}
END_TEST

START_TEST(seeds_streams_and_subs_differ)
{
    double a[64], b[64];
    rng_normals(1, RNG_LATENT, 0, 0, 64, a);
    const struct {
        uint64_t seed;
        uint32_t stream, sub;
        uint64_t first;
    } other[] = {{2, RNG_LATENT, 0, 0},
                 {1, RNG_LABEL, 0, 0},
                 {1, RNG_LATENT, 1, 0},
                 {1, RNG_LATENT, 0, 2},
                 {1 + (1ull << 32), RNG_LATENT, 0, 0},
                 {1, RNG_LATENT, 0, 2ull << 33}};
    for (size_t k = 0; k < sizeof other / sizeof other[0]; k++) {
        int same = 0;
        rng_normals(other[k].seed, other[k].stream, other[k].sub, other[k].first, 64, b);
        for (int i = 0; i < 64; i++) same += a[i] == b[i];
        ck_assert_int_eq(same, 0);
    }
}
END_TEST

START_TEST(permutations)
{
    enum { N = 1000, SMALL = 5, TRIES = 24000 };
    static uint32_t p[N], q[N];
    char seen[N] = {0};
    rng_permutation(SEED, RNG_SHUFFLE, 0, N, p);
    rng_permutation(SEED, RNG_SHUFFLE, 1, N, q);
    int same = 0;
    for (int i = 0; i < N; i++) {
        ck_assert_uint_lt(p[i], N);
        ck_assert_int_eq(seen[p[i]]++, 0);
        same += p[i] == q[i];
    }
    ck_assert_int_lt(same, 10); /* one on average */
    /* Every element is equally often at every place. */
    int count[SMALL][SMALL] = {{0}};
    for (uint32_t t = 0; t < TRIES; t++) {
        rng_permutation(SEED, RNG_SHUFFLE, t, SMALL, p);
        for (int i = 0; i < SMALL; i++) count[i][p[i]]++;
    }
    double expected = (double)TRIES / SMALL, chi2 = 0;
    for (int i = 0; i < SMALL; i++)
        for (int j = 0; j < SMALL; j++) chi2 += pow(count[i][j] - expected, 2) / expected;
    ck_assert_double_lt(chi2, 16 + 5 * sqrt(32)); /* 16 degrees of freedom */
    rng_permutation(SEED, RNG_SHUFFLE, 0, 1, p);
    ck_assert_uint_eq(p[0], 0);
    rng_permutation(SEED, RNG_SHUFFLE, 0, 0, NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rng");
    TCase *t = tcase_create("rng");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, known_answers);
    tcase_add_test(t, uniform_numbers);
    tcase_add_test(t, moments_of_normals);
    tcase_add_test(t, normals_are_box_muller);
    tcase_add_test(t, normals_are_the_same_everywhere);
    tcase_add_test(t, normals_do_not_depend_on_the_order_of_work);
    tcase_add_test(t, seeds_streams_and_subs_differ);
    tcase_add_test(t, permutations);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
