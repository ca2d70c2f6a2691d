/* The particle mesh on the device against the float64 oracle; exact mass, exact wrapping, the same bits in any order.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "device/kernel.h"
#include "ops/mesh.h"
#include "ops/ref/mesh_ref.h"

static context *c;
static device *d;

static void setup(void)
{
    c = context_new(NULL);
    setenv("COSMOCL_FFT", "vkfft", 1); /* building one library's kernels per size is enough here */
    const device_options o = {0};
    ck_assert_msg(device_open(c, &o, &d) == STATUS_OK, "%s", context_message(c));
}

static void teardown(void)
{
    device_delete(&d);
    context_delete(&c);
}

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

/* Particles of a test: host state, the same positions in float64, and the mesh. */
typedef struct {
    int dims, n;
    size_t count, elements, cells;
    uint32_t *x;
    float *p;
    double *exact;
    mesh *m;
} particles;

/* Clustered positions (cubes of uniform numbers), a few of them on and beside the edges. */
static particles particles_new(int dims, int n, size_t count, int unit_bits)
{
    particles t = {.dims = dims, .n = n, .count = count, .elements = count * (size_t)dims};
    t.cells = (size_t)pow(n, dims);
    OK(memory_new(c, "x", t.elements, sizeof *t.x, &t.x));
    OK(memory_new(c, "p", t.elements, sizeof *t.p, &t.p));
    OK(memory_new(c, "exact", t.elements, sizeof *t.exact, &t.exact));
    for (size_t i = 0; i < t.elements; i++) {
        double u = rng_uniform(5, RNG_TEST, i, (uint32_t)n);
        t.x[i] = (uint32_t)(u * u * u * 0x1p32);
        if (i % 97 == 0) t.x[i] = 0;
        if (i % 97 == 1) t.x[i] = UINT32_MAX;
        t.exact[i] = t.x[i] * 0x1p-32;
        t.p[i] = (float)(rng_uniform(6, RNG_TEST, i, 0) - .5);
    }
    OK(mesh_new(c, d, &(mesh_options){dims, n, (int64_t)count, unit_bits}, &t.m));
    OK(mesh_write(c, t.m, t.x, t.p));
    return t;
}

static void particles_delete(particles *t)
{
    mesh_delete(&t->m);
    memory_delete(&t->x);
    memory_delete(&t->p);
    memory_delete(&t->exact);
}

static float *values(particles *t)
{
    float *v;
    OK(memory_new(c, "values", t->cells, sizeof *v, &v));
    OK(buffer_read(c, mesh_values(t->m), 0, v, t->cells * sizeof *v));
    return v;
}

/* Sizes with every factor; particles that are no multiple of anything. */
static const struct {
    int dims, n;
    size_t count;
} cases[] = {{2, 20, 1009}, {2, 48, 4999}, {2, 20, 7}, {3, 10, 997}, {3, 16, 3001}};

START_TEST(deposit_matches)
{
    particles t = particles_new(cases[_i].dims, cases[_i].n, cases[_i].count, 0);
    double *density, unit = (double)t.cells / (double)t.count, sum = 0;
    OK(memory_new(c, "density", t.cells, sizeof *density, &density));
    mesh_ref_deposit(t.dims, t.n, (int64_t)t.count, t.exact, density);
    for (int twice = 0; twice < 2; twice++) { /* the first must leave no trace */
        OK(mesh_deposit(c, t.m));
        float *delta = values(&t);
        for (size_t i = 0; i < t.cells; i++) {
            /* A share errs by 3 roundings of half a unit; no more particles than the count touch a node. */
            double touching = fmin((double)t.count, 1 + 64 * density[i] / unit);
            double bound = unit * touching * 1.5 * 0x1p-18 + 0x1p-22 * (1 + density[i]);
            ck_assert_double_le(fabs(delta[i] + 1 - density[i]), bound);
            sum += delta[i];
        }
        memory_delete(&delta);
    }
    ck_assert_double_le(fabs(sum) / (double)t.cells, 1e-5);
    bool exact;
    OK(mesh_exact(c, t.m, &exact));
    ck_assert(exact);
    memory_delete(&density);
    particles_delete(&t);
}
END_TEST

/* The density does not depend on the order of the particles, to the bit. */
START_TEST(order_does_not_matter)
{
    particles t = particles_new(2, 20, 3001, 0);
    OK(mesh_deposit(c, t.m));
    float *before = values(&t);
    for (int a = 0; a < t.dims; a++)
        for (size_t q = 0; q < t.count / 2; q++) {
            uint32_t *x = t.x + (size_t)a * t.count, keep = x[q];
            x[q] = x[t.count - 1 - q];
            x[t.count - 1 - q] = keep;
        }
    OK(mesh_write(c, t.m, t.x, t.p));
    OK(mesh_deposit(c, t.m));
    float *after = values(&t);
    ck_assert(memcmp(before, after, t.cells * sizeof *before) == 0);
    memory_delete(&before);
    memory_delete(&after);
    particles_delete(&t);
}
END_TEST

/* The shape of a launch on a GPU (a work-item per particle, atomic additions, several copies) gives the same bits. */
START_TEST(cut_does_not_matter)
{
    enum { COPIES = 3 };
    for (int dims = 2; dims <= 3; dims++) {
        particles t = particles_new(dims, dims == 2 ? 20 : 10, 997, 0);
        const char *options = dims == 2 ? "-DDIMS=2 -DUNIT_BITS=18 -DATOMIC=1" : "-DDIMS=3 -DUNIT_BITS=18 -DATOMIC=1";
        buffer *x, *counts, *delta, *sums;
        kernel *deposit, *density;
        size_t items = t.count, blocks = (t.cells + 15) / 16;
        float scale = (float)((double)t.cells / ((double)t.count * 0x1p18)), *want, *got;
        uint64_t sum[64] = {0}, total = 0;
        ck_assert_uint_le(blocks, 64);
        OK(buffer_new(c, d, "x", t.elements * 4, &x));
        OK(buffer_new(c, d, "counts", COPIES * t.cells * 4, &counts));
        OK(buffer_new(c, d, "delta", t.cells * 4, &delta));
        OK(buffer_new(c, d, "sums", sizeof sum, &sums));
        OK(buffer_write(c, x, 0, t.x, t.elements * 4));
        OK(buffer_zero(c, counts));
        OK(buffer_zero(c, sums));
        OK(kernel_get(c, d, "mesh", "mesh_deposit", options, &deposit));
        OK(kernel_get(c, d, "mesh", "mesh_density", options, &density));
        OK(kernel_run(c, deposit, 1, &items, NULL,
                      KERNEL_ARGUMENTS(ARG_BUFFER(x), ARG_BUFFER(counts), ARG_UINT(t.count), ARG_UINT(t.n), ARG_UINT(1),
                                       ARG_UINT(COPIES), ARG_UINT(t.cells))));
        OK(kernel_run(c, density, 1, &blocks, NULL,
                      KERNEL_ARGUMENTS(ARG_BUFFER(counts), ARG_BUFFER(delta), ARG_BUFFER(sums), ARG_UINT(t.cells),
                                       ARG_UINT(16), ARG_UINT(COPIES), ARG_FLOAT(scale))));
        OK(memory_new(c, "got", t.cells, sizeof *got, &got));
        OK(buffer_read(c, delta, 0, got, t.cells * 4));
        OK(buffer_read(c, sums, 0, sum, sizeof sum));
        for (int i = 0; i < 64; i++) total += sum[i];
        ck_assert_uint_eq(total, (uint64_t)t.count << 18);
        OK(mesh_deposit(c, t.m));
        want = values(&t);
        ck_assert(memcmp(want, got, t.cells * sizeof *want) == 0);
        memory_delete(&want);
        memory_delete(&got);
        buffer_delete(&x);
        buffer_delete(&counts);
        buffer_delete(&delta);
        buffer_delete(&sums);
        particles_delete(&t);
    }
}
END_TEST

/* 24 unit bits leave room for 256 particles on a node: 255 pass, 300 are found out. */
START_TEST(overflow_is_found)
{
    const size_t count[2] = {255, 300};
    for (int t = 0; t < 2; t++) {
        particles p = particles_new(2, 16, count[t], 24);
        bool exact;
        memset(p.x, 0, p.elements * sizeof *p.x);
        OK(mesh_write(c, p.m, p.x, p.p));
        OK(mesh_deposit(c, p.m));
        OK(mesh_deposit(c, p.m));
        OK(mesh_exact(c, p.m, &exact));
        ck_assert_int_eq(exact, t == 0);
        particles_delete(&p);
    }
}
END_TEST

START_TEST(potential_and_force_match)
{
    particles t = particles_new(cases[_i].dims, cases[_i].n, cases[_i].count, 0);
    double *phi, *g, difference = 0, square = 0, mean = 0;
    OK(memory_new(c, "phi", t.cells, sizeof *phi, &phi));
    OK(memory_new(c, "g", t.elements, sizeof *g, &g));
    mesh_ref_deposit(t.dims, t.n, (int64_t)t.count, t.exact, phi);
    OK(mesh_ref_potential(c, t.dims, t.n, phi));
    mesh_ref_force(t.dims, t.n, (int64_t)t.count, t.exact, phi, g);
    OK(mesh_field(c, t.m));
    float *got = values(&t);
    for (size_t i = 0; i < t.cells; i++) {
        difference += pow(got[i] - phi[i], 2);
        square += phi[i] * phi[i];
        mean += got[i];
    }
    ck_assert_double_le(sqrt(difference / square), 8 * 0x1p-24 * log2((double)t.cells) + 0x1p-18);
    ck_assert_double_le(fabs(mean), 1e-5 * sqrt(square * (double)t.cells));
    /* keep 0, one kick of 1, no drift: p = g */
    OK(mesh_move(c, t.m, 0, 1, 0, 0));
    OK(mesh_read(c, t.m, t.x, t.p));
    difference = square = 0;
    for (size_t i = 0; i < t.elements; i++) {
        difference += pow(t.p[i] - g[i], 2);
        square += g[i] * g[i];
        ck_assert_uint_eq(t.x[i], (uint32_t)(t.exact[i] * 0x1p32));
    }
    /* The difference over 12 h amplifies the potential's rounding by its size over that of its steps, below n. */
    ck_assert_double_le(sqrt(difference / square), 0x1p-18 + t.n * 0x1p-23);
    memory_delete(&got);
    memory_delete(&phi);
    memory_delete(&g);
    particles_delete(&t);
}
END_TEST

/* x + drift·p modulo the box, without loss: checked in integers. */
START_TEST(drift_wraps_exactly)
{
    particles t = particles_new(2, 16, 5, 0);
    const float steps[5] = {.75f, -.75f, 3.25f, -0x1p-20f, 0};
    uint32_t x[10];
    float p[10];
    for (int i = 0; i < 10; i++) t.p[i] = steps[i % 5];
    OK(mesh_write(c, t.m, t.x, t.p));
    OK(mesh_field(c, t.m));
    OK(mesh_move(c, t.m, 1, 0, 0, 1));
    OK(mesh_read(c, t.m, x, p));
    for (int i = 0; i < 10; i++) ck_assert_uint_eq(x[i], t.x[i] + (uint32_t)(int64_t)(steps[i % 5] * 0x1p32));
    OK(mesh_move(c, t.m, 1, 0, 0, -1));
    OK(mesh_read(c, t.m, x, p));
    ck_assert(memcmp(x, t.x, sizeof x) == 0 && memcmp(p, t.p, sizeof p) == 0);
    particles_delete(&t);
}
END_TEST

/* A closing and an opening kick in one launch are the bits of two launches; saved states come back. */
START_TEST(kicks_fuse_and_states_return)
{
    particles t = particles_new(3, 16, 501, 0);
    uint32_t x[2][1503];
    float p[2][1503];
    OK(mesh_save(c, t.m));
    OK(mesh_field(c, t.m));
    OK(mesh_move(c, t.m, 1, .3, .7, .01));
    OK(mesh_read(c, t.m, x[0], p[0]));
    ck_assert(memcmp(x[0], t.x, sizeof x[0]) != 0);
    OK(mesh_restore(c, t.m));
    OK(mesh_field(c, t.m));
    OK(mesh_move(c, t.m, 1, .3, 0, 0));
    OK(mesh_move(c, t.m, 1, 0, .7, .01));
    OK(mesh_read(c, t.m, x[1], p[1]));
    ck_assert(memcmp(x[0], x[1], sizeof x[0]) == 0 && memcmp(p[0], p[1], sizeof p[0]) == 0);
    particles_delete(&t);
}
END_TEST

START_TEST(bad_input)
{
    const mesh_options bad[] = {{1, 16, 10, 0},        {4, 16, 10, 0},   {2, 14, 10, 0},  {2, 15, 10, 0},
                                {2, 4, 10, 0},         {3, 1300, 10, 0}, {2, 16, 0, 0},   {2, 16, -1, 0},
                                {2, 16, 1ll << 31, 0}, {2, 16, 10, 25},  {2, 16, 10, -1}, {2, 32770, 10, 0},
                                {2, 1021, 10, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mesh *m;
        ck_assert_int_eq(mesh_new(c, d, &bad[i], &m), STATUS_USAGE);
        ck_assert_ptr_null(m);
    }
    particles t = particles_new(2, 16, 5, 0);
    ck_assert_int_eq(mesh_restore(c, t.m), STATUS_FAILURE);
    ck_assert(mesh_bytes(d, &(mesh_options){2, 16, 5, 0}) >= 16 * 16 * 4);
    particles_delete(&t);
    mesh_delete(NULL);
}
END_TEST

int main(void)
{
    const int all = sizeof cases / sizeof cases[0];
    Suite *s = suite_create("mesh");
    TCase *t = tcase_create("mesh");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, deposit_matches, 0, all);
    tcase_add_test(t, order_does_not_matter);
    tcase_add_test(t, cut_does_not_matter);
    tcase_add_test(t, overflow_is_found);
    tcase_add_loop_test(t, potential_and_force_match, 0, all);
    tcase_add_test(t, drift_wraps_exactly);
    tcase_add_test(t, kicks_fuse_and_states_return);
    tcase_add_test(t, bad_input);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
