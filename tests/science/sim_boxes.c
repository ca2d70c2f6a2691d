/* Initial fields (spectrum, variance, second order), whole boxes: the same bytes twice, branches that leave no trace,
 * restarts from a snapshot, options that cannot run. */
#include "science/sim_test.h"
#include "base/rng.h"
#include "ops/ref/fft_ref.h"

/* ---- initial fields ---- */

static initial *initial_of(const spectrum_options *so, const initial_options *o)
{
    spectrum *s;
    initial *in;
    OK(spectrum_new(c, &planck, so, &s));
    OK(initial_new(c, &planck, s, o, &in));
    spectrum_delete(&s);
    return in;
}

/* Modes of field `axis` of a vector field [dims][count]. */
static double *modes_of(const double *field, int dims, int side, size_t count, int axis)
{
    const int shape[3] = {side, side, side};
    double *m = doubles(2 * count);
    for (size_t i = 0; i < count; i++) m[2 * i] = field[(size_t)axis * count + i];
    OK(fft_ref_transform(c, dims, shape, -1, m));
    return m;
}

/* Signed wave number of mode i on an axis; false on a Nyquist plane. */
static bool wave_numbers(int dims, int side, size_t i, int *m)
{
    bool inside = true;
    for (int axis = dims - 1; axis >= 0; axis--, i /= (size_t)side) {
        m[axis] = (int)(i % (size_t)side);
        inside = inside && 2 * m[axis] != side;
        if (2 * m[axis] > side) m[axis] -= side;
    }
    return inside;
}

/* δ = −∇·ψ has |δ_k|² = P N²/L^d in the mean: over all modes (white noise: within 4 σ of 1), in the lower and the upper
 * half of k, and ψ has no curl. */
static void check_spectrum(int dims, int side, double box)
{
    const initial_options o = {dims, side, 2 * side, box, .02, 1, 5};
    const spectrum_options so = {.dims = dims};
    size_t count = (size_t)pow(side, dims);
    double *psi = doubles(count * (size_t)dims), *modes[3] = {NULL};
    double ratio[2] = {0}, curl = 0;
    size_t number[2] = {0};
    initial *in = initial_of(&so, &o);
    spectrum *s;
    OK(spectrum_new(c, &planck, &so, &s));
    OK(initial_displacement(c, in, 3, psi, NULL));
    for (int axis = 0; axis < dims; axis++) modes[axis] = modes_of(psi, dims, side, count, axis);
    for (size_t i = 1; i < count; i++) {
        int m[3] = {0};
        double re = 0, im = 0, square = 0;
        if (!wave_numbers(dims, side, i, m)) continue;
        for (int axis = 0; axis < dims; axis++) {
            double k = 2 * M_PI * m[axis] / box;
            square += k * k;
            re += k * modes[axis][2 * i + 1];
            im -= k * modes[axis][2 * i];
        }
        double expected = spectrum_power(s, sqrt(square)) * (double)count * (double)count / pow(box, dims);
        int half = sqrt(square) > M_PI * side / box / 2;
        ratio[half] += (re * re + im * im) / expected;
        number[half]++;
        for (int part = 0; part < 2; part++) {
            double turn = m[0] * modes[1][2 * i + (size_t)part] - m[1] * modes[0][2 * i + (size_t)part];
            curl = fmax(curl, fabs(turn) / (hypot(re, im) * box));
        }
    }
    for (int half = 0; half < 2; half++) {
        /* Each independent pair of modes is exponentially distributed: σ of the mean is √(2/number). */
        double mean = ratio[half] / (double)number[half], sigma = sqrt(2. / (double)number[half]);
        ck_assert_msg(fabs(mean - 1) < 4 * sigma, "half %d: |δ|² is %g of P, σ %g", half, mean, sigma);
    }
    ck_assert_double_le(curl, 1e-9);
    for (int axis = 0; axis < dims; axis++) memory_delete(&modes[axis]);
    memory_delete(&psi);
    spectrum_delete(&s);
    initial_delete(&in);
}

START_TEST(field_has_its_spectrum)
{
    check_spectrum(2, 128, 100);
    check_spectrum(3, 24, 68);
}
END_TEST

/* The variance of the linear density of many small boxes is the sum of P over the modes of the lattice. */
START_TEST(field_has_its_variance)
{
    enum { SIDE = 32, BOXES = 60 };
    const initial_options o = {2, SIDE, 2 * SIDE, 100, .02, 1, 9};
    const spectrum_options so = {.dims = 2, .kind = SPECTRUM_SLICE};
    const size_t count = SIDE * SIDE;
    initial *in = initial_of(&so, &o);
    spectrum *s;
    double *psi = doubles(2 * count), expected = 0, scatter = 0, got = 0;
    OK(spectrum_new(c, &planck, &so, &s));
    for (size_t i = 1; i < count; i++) {
        int m[2];
        if (!wave_numbers(2, SIDE, i, m)) continue;
        double p = spectrum_power(s, 2 * M_PI * hypot(m[0], m[1]) / 100) / 1e4;
        expected += p;
        scatter += 2 * p * p;
    }
    for (uint32_t box = 0; box < BOXES; box++) {
        OK(initial_displacement(c, in, box, psi, NULL));
        for (int axis = 0; axis < 2; axis++) {
            double *m = modes_of(psi, 2, SIDE, count, axis);
            for (size_t i = 1; i < count; i++) {
                int k[2];
                /* |k_axis ψ_axis| summed over the axes is |δ|: ψ is parallel to k. */
                if (wave_numbers(2, SIDE, i, k))
                    got += (m[2 * i] * m[2 * i] + m[2 * i + 1] * m[2 * i + 1]) * pow(2 * M_PI / 100, 2) *
                           (k[0] * k[0] + k[1] * k[1]) / ((double)count * (double)count) / BOXES;
            }
            memory_delete(&m);
        }
    }
    double sigma = sqrt(scatter / BOXES);
    ck_assert_msg(fabs(got - expected) < 4 * sigma && sigma < .1 * expected, "variance %g, expected %g ± %g", got,
                  expected, sigma);
    memory_delete(&psi);
    spectrum_delete(&s);
    initial_delete(&in);
}
END_TEST

/* ψ2 solves ∇·ψ2 = Σ (ψ_i,i ψ_j,j − ψ_i,j²), derivatives taken spectrally here; and it has no curl. */
START_TEST(second_order_solves_its_equation)
{
    enum { SIDE = 12, COUNT = SIDE * SIDE * SIDE };
    const initial_options o = {3, SIDE, 2 * SIDE, 68, .02, 2, 4};
    const int shape[3] = {SIDE, SIDE, SIDE};
    initial *in = initial_of(&(spectrum_options){.dims = 3}, &o);
    double *psi = doubles(3 * COUNT), *second = doubles(3 * COUNT), *gradient[3][3], *divergence = doubles(2 * COUNT);
    double worst = 0, size = 0;
    OK(initial_displacement(c, in, 1, psi, second));
    for (int a = 0; a < 3; a++) {
        double *m = modes_of(psi, 3, SIDE, COUNT, a), *m2 = modes_of(second, 3, SIDE, COUNT, a);
        for (int b = 0; b < 3; b++) {
            double *g = gradient[a][b] = doubles(2 * COUNT);
            for (size_t i = 0; i < COUNT; i++) {
                int k[3];
                wave_numbers(3, SIDE, i, k);
                double unit = 2 * M_PI / 68 / COUNT * k[b];
                g[2 * i] = -unit * m[2 * i + 1];
                g[2 * i + 1] = unit * m[2 * i];
                if (a == b) {
                    divergence[2 * i] -= unit * m2[2 * i + 1];
                    divergence[2 * i + 1] += unit * m2[2 * i];
                }
            }
            OK(fft_ref_transform(c, 3, shape, 1, g));
        }
        memory_delete(&m);
        memory_delete(&m2);
    }
    /* The source, without its mean and its Nyquist planes, which ψ2 cannot carry. */
    double *source = doubles(2 * COUNT);
    for (size_t i = 0; i < COUNT; i++)
        for (int a = 0; a < 3; a++)
            for (int b = a + 1; b < 3; b++)
                source[2 * i] += gradient[a][a][2 * i] * gradient[b][b][2 * i] - pow(gradient[a][b][2 * i], 2);
    OK(fft_ref_transform(c, 3, shape, -1, source));
    for (size_t i = 0; i < COUNT; i++) {
        int k[3];
        if (wave_numbers(3, SIDE, i, k) && i > 0)
            worst = fmax(worst, hypot(source[2 * i] / COUNT - divergence[2 * i],
                                      source[2 * i + 1] / COUNT - divergence[2 * i + 1]));
        size = fmax(size, hypot(divergence[2 * i], divergence[2 * i + 1]));
    }
    ck_assert_double_gt(size, 0);
    ck_assert_double_le(worst, 1e-10 * size);
    for (int a = 0; a < 9; a++) memory_delete(&gradient[a / 3][a % 3]);
    memory_delete(&psi);
    memory_delete(&second);
    memory_delete(&divergence);
    memory_delete(&source);
    initial_delete(&in);
}
END_TEST

/* A box depends on (seed, index) alone; white noise is that of the stream; the lattice is mid-cell. */
START_TEST(fields_are_a_function_of_seed_and_box)
{
    const initial_options o = {2, 16, 32, 100, .02, 1, 7};
    initial_options other = o;
    uint32_t x[3][512];
    float p[3][512];
    initial *in = initial_of(&(spectrum_options){.dims = 2}, &o);
    OK(initial_state(c, in, 4, x[0], p[0]));
    OK(initial_state(c, in, 5, x[1], p[1]));
    OK(initial_state(c, in, 4, x[2], p[2]));
    ck_assert(memcmp(x[0], x[2], sizeof x[0]) == 0 && memcmp(p[0], p[2], sizeof p[0]) == 0);
    ck_assert(memcmp(x[0], x[1], sizeof x[0]) != 0);
    initial_delete(&in);
    other.seed = 8;
    in = initial_of(&(spectrum_options){.dims = 2}, &other);
    OK(initial_state(c, in, 4, x[2], p[2]));
    ck_assert(memcmp(x[0], x[2], sizeof x[0]) != 0);
    initial_delete(&in);
    ck_assert(initial_site(&o, 0) == .25 / 16 && initial_site(&o, 3) == 3.25 / 16);
}
END_TEST

/* ---- boxes ---- */

static simulation_options box_options(int dims, int side, int steps)
{
    simulation_options o = {.cosmology = planck,
                            .spectrum = {.dims = dims},
                            .boxes = 2,
                            .particles = side,
                            .mesh = 2 * side,
                            .steps = steps,
                            .lpt = 1,
                            .box_mpc_h = 50,
                            .a_start = .02,
                            .seed = 3,
                            .redshifts = 1,
                            .redshift = {0}};
    return o;
}

static snapshot box_of(const simulation_options *o, uint32_t box)
{
    simulation *s;
    snapshot end = {0};
    OK(simulation_new(c, d, o, 0, &s));
    OK(simulation_run_box(c, s, box, NULL, keep_last, &end));
    simulation_delete(&s);
    return end;
}

static bool same_snapshot(const snapshot *a, const snapshot *b)
{
    size_t elements = (size_t)a->count * (size_t)a->dims;
    return a->count == b->count && memcmp(a->positions, b->positions, elements * sizeof(double)) == 0 &&
           memcmp(a->velocities, b->velocities, elements * sizeof(float)) == 0;
}

START_TEST(same_seed_same_bytes)
{
    simulation_options o = box_options(2, 32, 20);
    simulation *s;
    snapshot a = box_of(&o, 1), b = {0};
    /* In the same simulation after another box: nothing is left of it. */
    OK(simulation_new(c, d, &o, 0, &s));
    OK(simulation_run_box(c, s, 0, NULL, keep_last, &b));
    ck_assert(!same_snapshot(&a, &b));
    OK(simulation_run_box(c, s, 1, NULL, keep_last, &b));
    ck_assert(same_snapshot(&a, &b));
    ck_assert(a.box_index == 1 && a.scale_factor == 1 && a.redshift == 0 && a.omega_m == .31 && a.box_mpc_h == 50);
    for (int64_t i = 0; i < a.count; i++) {
        ck_assert_uint_eq(a.ids[i], (uint64_t)i);
        ck_assert(a.positions[2 * i] >= 0 && a.positions[2 * i] < 50 && a.positions[2 * i + 1] >= 0 &&
                  a.positions[2 * i + 1] < 50);
    }
    simulation_delete(&s);
    snapshot_delete(&a);
    snapshot_delete(&b);
}
END_TEST

typedef struct {
    int seen;
    double redshift[8];
    snapshot first, last;
} series;

static status keep_series(context *unused, void *user, int index, snapshot *s)
{
    series *t = user;
    (void)unused;
    ck_assert_int_eq(index, t->seen);
    t->redshift[t->seen++] = s->redshift;
    snapshot *slot = index == 0 ? &t->first : &t->last;
    snapshot_delete(slot);
    *slot = *s;
    *s = (snapshot){0};
    return STATUS_OK;
}

/* Snapshots at an edge, between edges and twice within one step change nothing of the end; that of z = 1 is near a run
 * that ends there. */
START_TEST(more_redshifts_change_nothing)
{
    simulation_options o = box_options(2, 32, 20);
    simulation *s;
    series t = {0};
    snapshot end = box_of(&o, 0);
    double at_edge = 1 / integrator_edge(.02, 1, 20, 10) - 1;
    o.redshifts = 5;
    memcpy(o.redshift, (double[]){49, at_edge, 1.01, 1, 0}, 5 * sizeof(double));
    OK(simulation_new(c, d, &o, 0, &s));
    OK(simulation_run_box(c, s, 0, NULL, keep_series, &t));
    simulation_delete(&s);
    ck_assert_int_eq(t.seen, 5);
    ck_assert(memcmp(t.redshift, o.redshift, 5 * sizeof(double)) == 0);
    ck_assert(same_snapshot(&end, &t.last));
    /* The first is the start itself: the initial displacement is small. */
    const initial_options lattice = {2, 32, 64, 50, .02, 1, 3};
    ck_assert_double_le(fabs(apart(t.first.positions[0] / 50, initial_site(&lattice, 0))), .02);
    snapshot_delete(&end);
    snapshot_delete(&t.first);
    snapshot_delete(&t.last);
    t.seen = 0;
    o.redshifts = 2;
    memcpy(o.redshift, (double[]){1, 0}, 2 * sizeof(double));
    OK(simulation_new(c, d, &o, 0, &s));
    OK(simulation_run_box(c, s, 0, NULL, keep_series, &t));
    simulation_delete(&s);
    o.redshifts = 1;
    o.steps = 40;
    o.redshift[0] = 1;
    end = box_of(&o, 0);
    double sum = 0, velocity = 0, speed = 0;
    for (int64_t i = 0; i < 2 * end.count; i++) {
        sum += pow(apart(end.positions[i] / 50, t.first.positions[i] / 50) * o.mesh, 2);
        velocity += pow(end.velocities[i] - t.first.velocities[i], 2);
        speed += pow(end.velocities[i], 2);
    }
    double rms = sqrt(sum / (double)(2 * end.count));
    ck_assert_msg(rms < .3, "z = 1 within a run and at its end differ by %g mesh cells", rms);
    ck_assert_msg(velocity < .02 * speed, "velocities differ by %g of themselves", sqrt(velocity / speed));
    snapshot_delete(&end);
    snapshot_delete(&t.first);
    snapshot_delete(&t.last);
}
END_TEST

/* Half way, out as a snapshot, and on from it: the end of the whole run, but for the rounding of the velocities. */
START_TEST(goes_on_from_a_snapshot)
{
    simulation_options o = box_options(2, 32, 20);
    simulation *s;
    snapshot whole = box_of(&o, 0), end = {0};
    double middle = integrator_edge(.02, 1, 20, 10);
    simulation_options half = o;
    half.steps = 10;
    half.redshift[0] = 1 / middle - 1;
    snapshot start = box_of(&half, 0);
    half.a_start = start.scale_factor;
    half.redshift[0] = 0;
    half.particles = 0;
    OK(simulation_new(c, d, &half, start.count, &s));
    for (int64_t i = 0; i < start.count; i++) start.ids[i] += 1000; /* any ids are kept */
    OK(simulation_run_snapshot(c, s, &start, NULL, keep_last, &end));
    ck_assert_uint_eq(end.ids[5], 1005);
    double worst = 0;
    for (int64_t i = 0; i < 2 * end.count; i++)
        worst = fmax(worst, fabs(apart(end.positions[i] / 50, whole.positions[i] / 50)));
    ck_assert_msg(worst * o.mesh < .02, "differs by %g mesh cells", worst * o.mesh);
    ck_assert_int_eq(simulation_run_box(c, s, 0, NULL, NULL, NULL), STATUS_USAGE);
    start.positions[3] = NAN;
    ck_assert_int_eq(simulation_run_snapshot(c, s, &start, NULL, NULL, NULL), STATUS_DATA);
    start.count--;
    ck_assert_int_eq(simulation_run_snapshot(c, s, &start, NULL, NULL, NULL), STATUS_USAGE);
    simulation_delete(&s);
    snapshot_delete(&start);
    snapshot_delete(&end);
    snapshot_delete(&whole);
}
END_TEST

/* Particles that all meet on one node: the units of mass are made coarser until they fit, and the run goes on; their
 * own pull is rounding, far below a cell of 3 Mpc/h. */
START_TEST(dense_nodes_start_over)
{
    enum { COUNT = 40000 };
    double *x = doubles(2 * COUNT), *p = doubles(2 * COUNT);
    for (int i = 0; i < 2 * COUNT; i++) x[i] = .5;
    snapshot start = snapshot_of(&planck, 2, COUNT, .5, x, p), end = {0};
    simulation_options o = box_options(2, 32, 2);
    simulation *s;
    o.particles = 0;
    o.box_mpc_h = 100;
    o.a_start = .5;
    OK(simulation_new(c, d, &o, COUNT, &s));
    OK(simulation_run_snapshot(c, s, &start, NULL, keep_last, &end));
    for (int i = 0; i < 2 * COUNT; i++) ck_assert_double_le(fabs(end.positions[i] - 50), .01);
    simulation_delete(&s);
    snapshot_delete(&start);
    snapshot_delete(&end);
    memory_delete(&x);
    memory_delete(&p);
}
END_TEST

/* A stop between two steps ends the run as one that can be resumed. */
START_TEST(stops_between_steps)
{
    simulation_options o = box_options(2, 32, 20);
    simulation *s;
    context *mine = context_new(NULL);
    ck_assert_int_eq(simulation_new(mine, d, &o, 0, &s), STATUS_OK);
    context_request_stop(mine);
    ck_assert_int_eq(simulation_run_box(mine, s, 0, NULL, NULL, NULL), STATUS_STOPPED);
    simulation_delete(&s);
    context_delete(&mine);
}
END_TEST

/* ---- options ---- */

static status options_of(const char *const *pairs, simulation_options *o)
{
    config *cfg;
    OK(config_new(c, &cfg));
    for (; *pairs; pairs++) OK(config_set_pair(c, cfg, *pairs, "test"));
    status s = simulation_options_read(c, cfg, o);
    config_delete(&cfg);
    return s;
}

START_TEST(options_are_checked)
{
    simulation_options o;
    ck_assert_int_eq(options_of((const char *[]){NULL}, &o), STATUS_OK);
    ck_assert(o.mesh == 1024 && o.a_start == .02 && o.redshifts == 1 && o.boxes == 1200);
    ck_assert_int_eq(
        options_of((const char *[]){"simulate.dims=3", "simulate.particles=64", "simulate.lpt=2", NULL}, &o),
        STATUS_OK);
    ck_assert(o.mesh == 128 && o.a_start == .01 && o.lpt == 2);
    ck_assert_int_eq(options_of((const char *[]){"simulate.redshifts=0, 1, 0.5, 1", NULL}, &o), STATUS_OK);
    ck_assert(o.redshifts == 3 && o.redshift[0] == 1 && o.redshift[1] == .5 && o.redshift[2] == 0);
    static const char *const bad[][4] = {{"simulate.mesh=1021", NULL},    {"simulate.mesh=15", NULL},
                                         {"simulate.lpt=2", NULL},        {"simulate.redshifts=0, 60", NULL},
                                         {"simulate.redshifts=49", NULL}, {"cosmology.omega_b=0.5", NULL},
                                         {"simulate.particles=511", NULL} /* mesh 1022 */};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(options_of(bad[i], &o) == STATUS_USAGE, "%s", bad[i][0]);
}
END_TEST

START_TEST(options_of_given_particles)
{
    double x[6] = {.1, .2, .3, .4, .5, .6}, p[6] = {0};
    config *cfg;
    simulation_options o;
    OK(config_new(c, &cfg));
    snapshot start = snapshot_of(&einstein_de_sitter, 2, 3, .1, x, p);
    ck_assert_int_eq(simulation_options_initial(c, cfg, &start, 1, &o), STATUS_OK);
    ck_assert(!o.cosmology_assumed && o.cosmology.omega_m == 1 && o.a_start == .1 && o.mesh == 8 && o.redshift[0] == 0);
    start.omega_m = 0;
    ck_assert_int_eq(simulation_options_initial(c, cfg, &start, .5, &o), STATUS_OK);
    ck_assert(o.cosmology_assumed && o.cosmology.omega_m == .31 && o.redshift[0] == 1);
    ck_assert_int_eq(simulation_options_initial(c, cfg, &start, .1, &o), STATUS_USAGE);
    ck_assert_int_eq(simulation_options_initial(c, cfg, &start, NAN, &o), STATUS_USAGE);
    OK(config_set_pair(c, cfg, "simulate.mesh=1021", "test"));
    ck_assert_int_eq(simulation_options_initial(c, cfg, &start, 1, &o), STATUS_USAGE);
    start.box_mpc_h = 0;
    ck_assert_int_eq(simulation_options_initial(c, cfg, &start, 1, &o), STATUS_DATA);
    start.box_mpc_h = 100;
    start.scale_factor = -1;
    ck_assert_int_eq(simulation_options_initial(c, cfg, &start, 1, &o), STATUS_DATA);
    snapshot_delete(&start);
    config_delete(&cfg);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("boxes");
    TCase *t = tcase_create("boxes");
    tcase_add_checked_fixture(t, sim_setup, sim_teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, field_has_its_spectrum);
    tcase_add_test(t, field_has_its_variance);
    tcase_add_test(t, second_order_solves_its_equation);
    tcase_add_test(t, fields_are_a_function_of_seed_and_box);
    tcase_add_test(t, same_seed_same_bytes);
    tcase_add_test(t, more_redshifts_change_nothing);
    tcase_add_test(t, goes_on_from_a_snapshot);
    tcase_add_test(t, dense_nodes_start_over);
    tcase_add_test(t, stops_between_steps);
    tcase_add_test(t, options_are_checked);
    tcase_add_test(t, options_of_given_particles);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
