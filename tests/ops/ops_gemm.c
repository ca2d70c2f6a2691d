/* GEMM in both backends against plain loops in double: transposes, odd sizes, row strides with untouched gaps, views;
 * the order of sums and the same bits for every tile in ours; bad input. */
#include "ops/conv_test.h"
#include "ops/gemm.h"

typedef struct {
    int m, n, k, gap; /* gap: floats between the rows */
} size;

static const size sizes[] = {{1, 1, 1, 0},     {7, 5, 3, 2},     {33, 65, 17, 0},   {64, 64, 64, 0},
                             {50, 112, 80, 5}, {5, 130, 259, 1}, {129, 31, 100, 3}, {100, 1, 50, 0}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct {
    bool ta, tb;
    size z;
    int lda, ldb, ldc;
    tensor a, b, out;
} operands;

static tensor matrix_random(int rows, int stride, uint32_t sub)
{
    tensor t = tensor_random((size_t)rows * (size_t)stride, 1, sub);
    return t;
}

static operands operands_new(size z, bool ta, bool tb)
{
    operands o = {.ta = ta, .tb = tb, .z = z};
    o.lda = (ta ? z.m : z.k) + z.gap, o.ldb = (tb ? z.k : z.n) + z.gap, o.ldc = z.n + z.gap;
    o.a = matrix_random(ta ? z.k : z.m, o.lda, 1), o.b = matrix_random(tb ? z.n : z.k, o.ldb, 2);
    o.out = tensor_empty((size_t)z.m * (size_t)o.ldc);
    return o;
}

static void operands_delete(operands *o)
{
    tensor_delete(&o->a), tensor_delete(&o->b), tensor_delete(&o->out);
}

static double a_of(const operands *o, int i, int k)
{
    return o->a.v[o->ta ? (size_t)k * (size_t)o->lda + (size_t)i : (size_t)i * (size_t)o->lda + (size_t)k];
}

static double b_of(const operands *o, int k, int j)
{
    return o->b.v[o->tb ? (size_t)j * (size_t)o->ldb + (size_t)k : (size_t)k * (size_t)o->ldb + (size_t)j];
}

static void run(operands *o, gemm_backend backend)
{
    OK(gemm_run(c, d, backend, o->ta, o->tb, o->z.m, o->z.n, o->z.k, o->a.b, o->lda, o->b.b, o->ldb, o->out.b, o->ldc));
}

static void check(const operands *o, gemm_backend backend)
{
    float *f = tensor_values(&o->out);
    for (int i = 0; i < o->z.m; i++)
        for (int j = 0; j < o->ldc; j++) {
            const float got = f[(size_t)i * (size_t)o->ldc + (size_t)j];
            if (j >= o->z.n) {
                ck_assert_msg(isnan(got), "backend %d wrote %g behind row %d", backend, got, i);
                continue;
            }
            double sum = 0, magnitude = 0;
            float ordered = 0;
            for (int k = 0; k < o->z.k; k++) {
                sum += a_of(o, i, k) * b_of(o, k, j);
                magnitude += fabs(a_of(o, i, k) * b_of(o, k, j));
                ordered = fmaf((float)a_of(o, i, k), (float)b_of(o, k, j), ordered);
            }
            const double bound = (2 * sqrt(o->z.k) + 4) * ldexp(1, -24) * magnitude;
            ck_assert_msg(fabs(got - sum) <= bound, "backend %d, %d x %d x %d, %d%d: (%d, %d) is %.9g, should be %.9g",
                          backend, o->z.m, o->z.n, o->z.k, o->ta, o->tb, i, j, got, sum);
            if (backend == GEMM_OURS) ck_assert_msg(got == ordered, "(%d, %d) is %a, in order %a", i, j, got, ordered);
        }
    free(f);
}

START_TEST(ours)
{
    for (int i = 0; i < SIZES; i++) {
        operands o = operands_new(sizes[i], _i & 1, _i & 2);
        run(&o, GEMM_OURS);
        check(&o, GEMM_OURS);
        operands_delete(&o);
    }
}
END_TEST

START_TEST(ours_in_other_tiles)
{
    static const char *const settings[] = {
        "vector=8,registers=12,vectors=2", "vector=4,work_group=16,rows=3,tiles=1", "vector=1,rows=2,vectors=3,tiles=3",
        "vector=4,work_group=64,registers=16,vectors=2,local_rows=16,local_columns=16,local_depth=8",
        "vector=2,work_group=3,rows=5,vectors=3,unroll=2,local_rows=3,local_columns=5,local_depth=16"};
    setenv("COSMOCL_CONV_TILE", settings[_i], 1);
    for (int i = 0; i < SIZES; i++) {
        operands o = operands_new(sizes[i], i & 1, i & 2);
        run(&o, GEMM_OURS);
        check(&o, GEMM_OURS);
        operands_delete(&o);
    }
    unsetenv("COSMOCL_CONV_TILE");
}
END_TEST

START_TEST(clblast)
{
    if (device_info(d)->avoid_clblast) return;
    for (int t = 0; t < 4; t++)
        for (int i = t & 1; i < SIZES; i += 2) {
            operands o = operands_new(sizes[i], t & 1, t & 2);
            run(&o, GEMM_CLBLAST);
            check(&o, GEMM_CLBLAST);
            operands_delete(&o);
        }
}
END_TEST

START_TEST(bad_input)
{
    operands o = operands_new((size){8, 8, 8, 0}, false, false);
    for (int backend = GEMM_OURS; backend <= GEMM_CLBLAST; backend++) {
        const gemm_backend g = (gemm_backend)backend;
        ck_assert_int_eq(gemm_run(c, d, g, false, false, 0, 8, 8, o.a.b, 8, o.b.b, 8, o.out.b, 8), STATUS_USAGE);
        ck_assert_int_eq(gemm_run(c, d, g, false, false, 8, 8, 8, o.a.b, 7, o.b.b, 8, o.out.b, 8), STATUS_USAGE);
        ck_assert_int_eq(gemm_run(c, d, g, false, false, 8, 8, 9, o.a.b, 9, o.b.b, 8, o.out.b, 8), STATUS_USAGE);
        ck_assert_int_eq(gemm_run(c, d, g, false, false, 8, 8, 8, o.a.b, 8, o.b.b, 8, o.out.b, 40), STATUS_USAGE);
        ck_assert_int_eq(gemm_run(c, d, g, false, true, 9, 8, 8, o.a.b, 8, o.b.b, 8, o.out.b, 8), STATUS_USAGE);
        ck_assert_msg(strstr(context_message(c), "gemm"), "%s", context_message(c));
    }
    operands_delete(&o);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gemm");
    TCase *t = tcase_create("gemm");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, device_setup, device_teardown);
    tcase_add_loop_test(t, ours, 0, 4);
    tcase_add_loop_test(t, ours_in_other_tiles, 0, 5);
    tcase_add_test(t, clblast);
    tcase_add_test(t, bad_input);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
