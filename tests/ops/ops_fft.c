/* The Fourier transforms of both libraries against the float64 oracle, the oracle against plain sums, the choice and
 * its memory, bad sizes. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/files.h"
#include "base/memory.h"
#include "base/rng.h"
#include "ops/fft.h"
#include "ops/ref/fft_ref.h"

static context *c;
static device *d;

static void setup(void)
{
    c = context_new(NULL);
    const device_options o = {0};
    ck_assert_msg(device_open(c, &o, &d) == STATUS_OK, "%s", context_message(c));
}

static void teardown(void)
{
    device_delete(&d);
    context_delete(&c);
    unsetenv("COSMOCL_FFT");
}

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

typedef struct {
    int dims, n[3], batch;
} shape;

static const shape oracle_shapes[] = {{1, {30}, 1}, {2, {8, 12}, 1}, {2, {7, 22}, 1}, {3, {6, 5, 16}, 1}, {1, {13}, 1}};
static const shape device_shapes[] = {{1, {60}, 2}, {2, {20, 18}, 1}, {2, {128, 128}, 3}, {3, {10, 12, 18}, 1}};

static float *random_floats(size_t count)
{
    float *x;
    OK(memory_new(c, "x", count, sizeof *x, &x));
    for (size_t i = 0; i < count; i++) x[i] = (float)(rng_uniform(3, RNG_TEST, i, 0) - .4);
    return x;
}

/* Every mode of the oracle is the plain sum, and its inverse undoes it. */
START_TEST(oracle_is_the_sum)
{
    const shape *s = &oracle_shapes[_i];
    size_t count = fft_real_count(s->dims, s->n, 1);
    float *x = random_floats(count);
    double *z;
    OK(memory_new(c, "z", 2 * count, sizeof *z, &z));
    for (size_t i = 0; i < count; i++) z[2 * i] = x[i];
    OK(fft_ref_transform(c, s->dims, s->n, -1, z));
    for (size_t i = 0; i < count; i++) {
        int k[3];
        double sum[2];
        size_t rest = i;
        for (int a = s->dims - 1; a >= 0; rest /= (size_t)s->n[a--]) k[a] = (int)(rest % (size_t)s->n[a]);
        OK(fft_ref_mode(c, s->dims, s->n, x, k, sum));
        ck_assert_double_le(hypot(z[2 * i] - sum[0], z[2 * i + 1] - sum[1]), 1e-14 * (double)count);
    }
    OK(fft_ref_transform(c, s->dims, s->n, 1, z));
    for (size_t i = 0; i < count; i++)
        ck_assert_double_le(hypot(z[2 * i] / (double)count - x[i], z[2 * i + 1] / (double)count), 1e-14);
    memory_delete(&x);
    memory_delete(&z);
}
END_TEST

/* Every mode of every batch against the oracle, and the way back. */
static void against_oracle(const shape *s, const char *library)
{
    fft_plan *p;
    buffer *real = NULL, *complex = NULL;
    size_t one = fft_real_count(s->dims, s->n, 1), count = fft_real_count(s->dims, s->n, s->batch);
    size_t modes = fft_complex_count(s->dims, s->n, s->batch), half = modes / (size_t)s->batch,
           last = (size_t)s->n[s->dims - 1];
    float *x = random_floats(count), *got, *back;
    double *z, worst = 0, square = 0;
    setenv("COSMOCL_FFT", library, 1);
    OK(fft_plan_new(c, d, s->dims, s->n, s->batch, &p));
    ck_assert_str_eq(fft_backend(p), library);
    OK(memory_new(c, "z", 2 * one, sizeof *z, &z));
    OK(memory_new(c, "got", 2 * modes, sizeof *got, &got));
    OK(memory_new(c, "back", count, sizeof *back, &back));
    OK(buffer_new(c, d, "real", count * sizeof(float), &real));
    OK(buffer_new(c, d, "complex", 2 * modes * sizeof(float), &complex));
    OK(buffer_write(c, real, 0, x, count * sizeof(float)));
    OK(fft_forward(c, p, real, complex));
    OK(buffer_read(c, complex, 0, got, 2 * modes * sizeof(float)));
    OK(buffer_zero(c, real));
    OK(fft_inverse(c, p, complex, real));
    OK(buffer_read(c, real, 0, back, count * sizeof(float)));
    double unit = sqrt((double)one) * .3, bound = 4 * 0x1p-24 * fmax(4, log2((double)one));
    for (int b = 0; b < s->batch; b++) {
        for (size_t i = 0; i < one; i++) {
            z[2 * i] = x[(size_t)b * one + i];
            z[2 * i + 1] = 0;
        }
        OK(fft_ref_transform(c, s->dims, s->n, -1, z));
        for (size_t r = 0; r < half; r++) {
            size_t full = r / (last / 2 + 1) * last + r % (last / 2 + 1);
            const float *g = got + 2 * ((size_t)b * half + r);
            /* The mean is far larger than the rest: relative to itself there. */
            double scale = fmax(unit, hypot(z[2 * full], z[2 * full + 1]));
            worst = fmax(worst, hypot(g[0] - z[2 * full], g[1] - z[2 * full + 1]) / scale);
        }
    }
    ck_assert_msg(worst <= bound, "%s: error %g, bound %g", library, worst, bound);
    for (size_t i = 0; i < count; i++) square += pow(back[i] / (double)one - x[i], 2);
    ck_assert_double_le(sqrt(square / (double)count), .3 * bound);
    ck_assert_double_le(fft_error(p), bound);
    fft_plan_delete(&p);
    buffer_delete(&real);
    buffer_delete(&complex);
    memory_delete(&x);
    memory_delete(&z);
    memory_delete(&got);
    memory_delete(&back);
}

START_TEST(vkfft_is_right)
{
    against_oracle(&device_shapes[_i], "vkfft");
}
END_TEST

START_TEST(clfft_is_right)
{
    against_oracle(&device_shapes[_i], "clfft");
}
END_TEST

/* A second plan takes the remembered choice: its figures are those of the first, to the digit. */
START_TEST(choice_is_remembered)
{
    const int n[2] = {20, 18};
    fft_plan *a, *b;
    OK(fft_plan_new(c, d, 2, n, 1, &a));
    OK(fft_plan_new(c, d, 2, n, 1, &b));
    ck_assert_str_eq(fft_backend(a), fft_backend(b));
    ck_assert(fft_error(a) == fft_error(b) && fft_pair_seconds(a) == fft_pair_seconds(b));
    ck_assert(fft_pair_seconds(a) > 0);
    fft_plan_delete(&a);
    fft_plan_delete(&b);
    ck_assert_ptr_null(a);
    fft_plan_delete(&a);
    fft_plan_delete(NULL);
}
END_TEST

/* A remembered line that is not one is made anew. */
START_TEST(damaged_memory_is_made_anew)
{
    const int n[2] = {20, 18};
    char folder[] = "/tmp/cosmocl-fft-XXXXXX", command[256], *old = getenv("COSMOCL_CACHE");
    char *keep = old ? strdup(old) : NULL;
    fft_plan *p;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("COSMOCL_CACHE", folder, 1);
    OK(fft_plan_new(c, d, 2, n, 1, &p));
    fft_plan_delete(&p);
    snprintf(command, sizeof command, "for f in %s/fft-*; do echo nonsense > $f; done", folder);
    ck_assert_int_eq(system(command), 0);
    OK(fft_plan_new(c, d, 2, n, 1, &p));
    ck_assert_double_gt(fft_pair_seconds(p), 0);
    fft_plan_delete(&p);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    if (keep)
        setenv("COSMOCL_CACHE", keep, 1);
    else
        unsetenv("COSMOCL_CACHE");
    free(keep);
}
END_TEST

START_TEST(bad_input)
{
    fft_plan *p;
    ck_assert_int_eq(fft_plan_new(c, d, 2, (int[]){16, 14}, 1, &p), STATUS_USAGE);
    ck_assert_ptr_null(p);
    ck_assert_ptr_nonnull(strstr(context_message(c), "16"));
    ck_assert_int_eq(fft_plan_new(c, d, 2, (int[]){16, 15}, 1, &p), STATUS_USAGE);
    ck_assert_int_eq(fft_plan_new(c, d, 2, (int[]){0, 16}, 1, &p), STATUS_USAGE);
    ck_assert_int_eq(fft_plan_new(c, d, 2, (int[]){16, -4}, 1, &p), STATUS_USAGE);
    ck_assert_int_eq(fft_plan_new(c, d, 4, (int[]){4, 4, 4, 4}, 1, &p), STATUS_USAGE);
    ck_assert_int_eq(fft_plan_new(c, d, 1, (int[]){16}, 0, &p), STATUS_USAGE);
    setenv("COSMOCL_FFT", "fftw", 1);
    ck_assert_int_eq(fft_plan_new(c, d, 1, (int[]){16}, 1, &p), STATUS_USAGE);
    ck_assert(fft_size_allowed(1) && fft_size_allowed(960) && !fft_size_allowed(0) && !fft_size_allowed(1022));
    ck_assert_int_eq(fft_size_next(1021), 1024);
    ck_assert_int_eq(fft_size_next(125), 128);
}
END_TEST

START_TEST(small_buffers_are_refused)
{
    const int n[2] = {20, 18};
    fft_plan *p;
    buffer *real, *complex;
    OK(fft_plan_new(c, d, 2, n, 1, &p));
    OK(buffer_new(c, d, "real", 20 * 18 * 4, &real));
    OK(buffer_new(c, d, "complex", 20 * 18 * 4, &complex));
    ck_assert_int_eq(fft_forward(c, p, real, complex), STATUS_FAILURE);
    ck_assert_int_eq(fft_inverse(c, p, complex, real), STATUS_FAILURE);
    fft_plan_delete(&p);
    buffer_delete(&real);
    buffer_delete(&complex);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fft");
    TCase *t = tcase_create("fft");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, oracle_is_the_sum, 0, sizeof oracle_shapes / sizeof oracle_shapes[0]);
    tcase_add_loop_test(t, vkfft_is_right, 0, sizeof device_shapes / sizeof device_shapes[0]);
    tcase_add_loop_test(t, clfft_is_right, 0, sizeof device_shapes / sizeof device_shapes[0]);
    tcase_add_test(t, choice_is_remembered);
    tcase_add_test(t, damaged_memory_is_made_anew);
    tcase_add_test(t, bad_input);
    tcase_add_test(t, small_buffers_are_refused);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
