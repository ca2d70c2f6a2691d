/* Fingerprints: oracle, widths, every change of one element seen, padding and order without effect, wrong calls. */
#include "ops/fingerprint.h"
#include "ops/ref/fingerprint_ref.h"
#include "pointwise_test.h"

START_TEST(matches_the_oracle)
{
    selftest t;
    selftest_begin(&t, test_context, test_device);
    family_fingerprint(&t);
    for (size_t n = 2; n < 3000; n += 71) check_fingerprint(&t, n);
    must_pass(&t, 40);
    finish(&t);
}
END_TEST

START_TEST(does_not_depend_on_width_or_group)
{
    must_not_depend_on_shape(family_fingerprint);
}
END_TEST

static uint64_t of(const uint32_t *x, size_t n)
{
    const uint32_t zero[2] = {0};
    uint32_t row[2];
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *b = selftest_upload(&t, "x", x, n), *out = selftest_upload(&t, "out", zero, 2);
    MUST(fingerprint_add(test_context, test_device, b, 0, n, 0, out, 0));
    MUST(buffer_read(test_context, out, 0, row, sizeof row));
    finish(&t);
    return (uint64_t)row[0] << 32 | row[1];
}

START_TEST(every_change_shows)
{
    enum { N = 1000 };
    uint32_t x[N + 40] = {0};
    for (int i = 0; i < N; i++) x[i] = (uint32_t)i * 2654435761u ^ 0x3f800000u;
    const uint64_t before = of(x, N);
    ck_assert(before != 0);
    ck_assert(of(x, N + 40) == before); /* zeros behind do not count */
    for (int i = 0; i < N; i += 37)
        for (int bit = 0; bit < 32; bit += 5) {
            x[i] ^= 1u << bit;
            const uint64_t changed = of(x, N);
            /* Both halves see it: the factors are odd. */
            ck_assert_msg(changed >> 32 != before >> 32 && (uint32_t)changed != (uint32_t)before, "%d, bit %d", i, bit);
            x[i] ^= 1u << bit;
        }
    const uint32_t swapped = x[7];
    x[7] = x[8];
    x[8] = swapped;
    ck_assert(of(x, N) != before);
}
END_TEST

START_TEST(wrong_calls)
{
    const uint32_t zero[8] = {0};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *b = selftest_upload(&t, "x", zero, 8), *out = selftest_upload(&t, "out", zero, 4);
    ck_assert_int_eq(fingerprint_add(test_context, test_device, b, 4, 5, 0, out, 0), STATUS_USAGE);
    ck_assert_int_eq(fingerprint_add(test_context, test_device, b, 0, 8, 0, out, 2), STATUS_USAGE);
    ck_assert_int_eq(fingerprint_add(test_context, test_device, NULL, 0, 8, 0, out, 0), STATUS_USAGE);
    MUST(fingerprint_add(test_context, test_device, b, 8, 0, 0, out, 1));
    finish(&t);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, matches_the_oracle);
    tcase_add_test(all, does_not_depend_on_width_or_group);
    tcase_add_test(all, every_change_shows);
    tcase_add_test(all, wrong_calls);
}

int main(void)
{
    return test_main("ops/fingerprint", add);
}
