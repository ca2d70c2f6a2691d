/* The analytic tests of the particle mesh (spec section 2), on the device and in the float64 oracle, with controls that
 * show that each can fail. */
#include "science/sim_test.h"
#include "ops/ref/fft_ref.h"

/* (1) Plane wave in an Einstein–de Sitter universe, x = q − (a/(a_c k)) sin kq, exact until its collapse at a_c = 1.25.
 */
static double collapse_error(int steps, bool oracle)
{
    const cosmology *k = &einstein_de_sitter;
    const double shift = -1 / (1.25 * 2 * M_PI); /* k = 2π, box side 1 */
    wave w = wave_new(k, 2, 64, 128, 1, shift, .02);
    if (oracle)
        oracle_evolve(k, 2, 128, (int64_t)w.count, .02, 1, steps, w.x, w.p);
    else
        device_evolve(k, &w, .02, 1, steps, INTEGRATOR_KDK);
    double sum = 0;
    for (size_t i = 0; i < w.count; i++) {
        double exact = w.q[i] + shift * sin(2 * M_PI * w.q[i]);
        sum += pow(apart(w.x[i], exact) * w.mesh, 2);
        /* Nothing moves across the wave. */
        ck_assert_double_le(fabs(apart(w.x[w.count + i], w.q[w.count + i])) * w.mesh, 1e-3);
    }
    double rms = sqrt(sum / (double)w.count);
    wave_delete(&w);
    return rms;
}

START_TEST(plane_wave_until_collapse)
{
    double device_rms = collapse_error(100, false), oracle_rms = collapse_error(100, true),
           coarse = collapse_error(4, false);
    ck_assert_msg(device_rms < .06, "rms %g mesh cells", device_rms);
    ck_assert_msg(oracle_rms < .06, "rms %g mesh cells", oracle_rms);
    ck_assert_msg(coarse > .06, "4 steps give %g: the test cannot fail", coarse);
}
END_TEST

/* (2) Growth of a small wave of a twentieth of a particle spacing (at the end) against D(1)/D(.02). */
static double growth_ratio(int dims, int side, int mesh, int waves, int steps, integrator_kind integrator)
{
    double shift = .05 / side;
    wave w = wave_new(&planck, dims, side, mesh, waves, shift, .02);
    device_evolve(&planck, &w, .02, 1, steps, integrator);
    double ratio = wave_amplitude(&w, w.x) / shift;
    wave_delete(&w);
    return ratio;
}

START_TEST(small_wave_grows_linearly)
{
    /* k_Ny/8 of 64 particles is 4 waves. */
    double ratio = growth_ratio(2, 64, 128, 4, 100, INTEGRATOR_KDK);
    ck_assert_msg(fabs(ratio - 1) < .005, "growth is %g of the linear one", ratio);
    /* Control: a mesh as coarse as the lattice suppresses it. */
    double coarse = growth_ratio(2, 64, 64, 4, 100, INTEGRATOR_KDK);
    ck_assert_msg(coarse < .97, "growth on a coarse mesh is %g", coarse);
    /* FastPM's coefficients do in 8 steps what the exact integrals of a few large steps cannot. */
    double few = growth_ratio(2, 64, 128, 4, 8, INTEGRATOR_FASTPM),
           plain = growth_ratio(2, 64, 128, 4, 8, INTEGRATOR_KDK);
    ck_assert_msg(fabs(few - 1) < .005, "FastPM in 8 steps grows %g of the linear growth", few);
    ck_assert_msg(fabs(plain - 1) > .01, "8 plain steps grow %g of it", plain);
}
END_TEST

START_TEST(small_wave_grows_linearly_in_three_dimensions)
{
    double ratio = growth_ratio(3, 16, 32, 1, 100, INTEGRATOR_KDK);
    ck_assert_msg(fabs(ratio - 1) < .005, "growth is %g of the linear one", ratio);
}
END_TEST

/* A box of a few thousand particles from initial conditions at a = .02 in box sides, float64. */
static void make_box(int side, double box, uint32_t number, double sigma8, double **x, double **p)
{
    cosmology k = planck;
    spectrum *s;
    initial *in;
    const initial_options o = {2, side, 2 * side, box, .02, 1, 11};
    size_t elements = 2 * (size_t)side * (size_t)side;
    uint32_t *fixed;
    float *momenta;
    k.sigma8 = sigma8;
    OK(spectrum_new(c, &k, &(spectrum_options){.dims = 2}, &s));
    OK(initial_new(c, &k, s, &o, &in));
    OK(memory_new(c, "fixed", elements, sizeof *fixed, &fixed));
    OK(memory_new(c, "momenta", elements, sizeof *momenta, &momenta));
    OK(initial_state(c, in, number, fixed, momenta));
    *x = doubles(elements);
    *p = doubles(elements);
    for (size_t i = 0; i < elements; i++) {
        (*x)[i] = fixed[i] * 0x1p-32;
        (*p)[i] = momenta[i];
    }
    memory_delete(&fixed);
    memory_delete(&momenta);
    initial_delete(&in);
    spectrum_delete(&s);
}

/* |Σp| / Σ|p|, the worse of both axes. */
static double drifting(size_t count, const double *p)
{
    double worst = 0;
    for (int axis = 0; axis < 2; axis++) {
        double sum = 0, all = 0;
        for (size_t i = 0; i < count; i++) {
            sum += p[(size_t)axis * count + i];
            all += fabs(p[(size_t)axis * count + i]);
        }
        worst = fmax(worst, fabs(sum) / all);
    }
    return worst;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* (3) momentum and mass, (5) float32 against float64, on one clustered box. */
START_TEST(momentum_and_precision)
{
    const int side = 64, mesh_n = 128;
    const size_t count = 4096;
    double *x, *p;
    make_box(side, 50, 0, .8102, &x, &p);
    wave w = {2, side, mesh_n, 1, count, doubles(2 * count), doubles(2 * count), doubles(2 * count)};
    memcpy(w.x, x, 2 * count * sizeof *x);
    memcpy(w.p, p, 2 * count * sizeof *p);
    /* The mean of the initial momenta is rounding only (ψ has no mean), but not below 1e-12: take it out. */
    for (int axis = 0; axis < 2; axis++) {
        double mean = 0;
        for (size_t i = 0; i < count; i++) mean += p[(size_t)axis * count + i] / (double)count;
        for (size_t i = 0; i < count; i++) p[(size_t)axis * count + i] -= mean;
    }
    oracle_evolve(&planck, 2, mesh_n, (int64_t)count, .02, 1, 100, x, p);
    ck_assert_msg(drifting(count, p) < 1e-12, "oracle: %g", drifting(count, p));
    device_evolve(&planck, &w, .02, 1, 100, INTEGRATOR_KDK); /* fails if the mass is not exact */
    ck_assert_msg(drifting(count, w.p) < 1e-5, "device: %g", drifting(count, w.p));
    double *difference = doubles(2 * count), spread = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        difference[i] = fabs(apart(w.x[i], x[i])) * mesh_n;
        spread += pow(apart(x[i], w.q[i]) * mesh_n, 2);
    }
    qsort(difference, 2 * count, sizeof *difference, compare);
    ck_assert_msg(difference[count] < 1e-3, "median difference %g mesh cells", difference[count]);
    ck_assert_msg(difference[0] < difference[2 * count - 1],
                  "float32 differs nowhere from float64: not two computations");
    memory_delete(&difference);
    memory_delete(&x);
    memory_delete(&p);
    wave_delete(&w);
}
END_TEST

/* Ring power of a field of modes, rings ν = 1 … 3. */
static void ring_power(int n, const double *modes, double power[4])
{
    for (int r = 0; r < 4; r++) power[r] = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            int a = i > n / 2 ? i - n : i, b = j > n / 2 ? j - n : j;
            int ring = (int)lrint(sqrt((double)(a * a + b * b)));
            const double *m = modes + 2 * ((size_t)i * n + j);
            if (ring > 0 && ring < 4) power[ring] += m[0] * m[0] + m[1] * m[1];
        }
}

/* (4) L = 1000 Mpc/h, σ8 a twentieth: rings k < .02 h/Mpc grow linearly within .5 % of the same realisation. */
START_TEST(large_scales_grow_linearly)
{
    enum { SIDE = 128, MESH = 256 };
    const double box = 1000, sigma8 = .05 * .8102;
    const size_t count = SIDE * SIDE;
    double *x, *p, *linear = doubles(2 * count), *final = doubles(2 * MESH * MESH), *density = doubles(MESH * MESH);
    double before[4], after[4];
    make_box(SIDE, box, 3, sigma8, &x, &p);
    wave w = {2, SIDE, MESH, 1, count, doubles(2 * count), x, p};
    /* Linear δ of today from the displacement that the box starts with: δ = −∇·(ψ), ψ = (x − q)/D. */
    double *fields[2] = {doubles(2 * count), doubles(2 * count)}, growth = cosmology_growth(&planck, .02);
    const initial_options lattice = {2, SIDE, MESH, box, .02, 1, 11};
    for (size_t i = 0; i < count; i++) {
        fields[0][2 * i] = apart(x[i], initial_site(&lattice, (int)(i / SIDE))) / growth;
        fields[1][2 * i] = apart(x[count + i], initial_site(&lattice, (int)(i % SIDE))) / growth;
    }
    const int shape[2] = {SIDE, SIDE}, mesh_shape[2] = {MESH, MESH};
    OK(fft_ref_transform(c, 2, shape, -1, fields[0]));
    OK(fft_ref_transform(c, 2, shape, -1, fields[1]));
    for (size_t i = 0; i < count; i++) {
        int a = (int)(i / SIDE), b = (int)(i % SIDE);
        double k0 = 2 * M_PI * (a > SIDE / 2 ? a - SIDE : a), k1 = 2 * M_PI * (b > SIDE / 2 ? b - SIDE : b);
        linear[2 * i] = (k0 * fields[0][2 * i + 1] + k1 * fields[1][2 * i + 1]) / (double)count;
        linear[2 * i + 1] = -(k0 * fields[0][2 * i] + k1 * fields[1][2 * i]) / (double)count;
    }
    ring_power(SIDE, linear, before);
    device_evolve(&planck, &w, .02, 1, 100, INTEGRATOR_KDK);
    mesh_ref_deposit(2, MESH, (int64_t)count, w.x, density);
    for (size_t i = 0; i < MESH * MESH; i++) final[2 * i] = density[i] / (MESH * MESH);
    OK(fft_ref_transform(c, 2, mesh_shape, -1, final));
    ring_power(MESH, final, after);
    for (int r = 1; r < 4; r++) /* 2π·3/1000 = .0188 h/Mpc */
        ck_assert_msg(fabs(after[r] / before[r] - 1) < .01, "ring %d: power is %g of the linear one", r,
                      after[r] / before[r]);
    for (int r = 1; r < 4; r++)
        ck_assert_msg(fabs(sqrt(after[r] / before[r]) - 1) < .005, "ring %d: growth is %g of the linear one", r,
                      sqrt(after[r] / before[r]));
    ck_assert_double_gt(before[1], 0);
    memory_delete(&linear);
    memory_delete(&final);
    memory_delete(&density);
    memory_delete(&fields[0]);
    memory_delete(&fields[1]);
    wave_delete(&w);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dynamics");
    TCase *t = tcase_create("dynamics");
    tcase_add_checked_fixture(t, sim_setup, sim_teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, plane_wave_until_collapse);
    tcase_add_test(t, small_wave_grows_linearly);
    tcase_add_test(t, small_wave_grows_linearly_in_three_dimensions);
    tcase_add_test(t, momentum_and_precision);
    tcase_add_test(t, large_scales_grow_linearly);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
