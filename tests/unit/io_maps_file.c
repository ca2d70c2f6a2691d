/* Maps files, snapshots and provenance: round trips, and every wrong part refused by name. */
#include <float.h>
#include <math.h>
#include "base/memory.h"
#include "io/maps_file.h"
#include "io/snapshot_file.h"
#include "unit/io_test.h"

enum { COUNT = 3, NY = 5, NX = 7 };

static maps some_maps(void)
{
    maps m = {.count = COUNT, .ny = NY, .nx = NX, .box_mpc_h = 100, .mean = 4, .redshift = 0.5, .dims = 2};
    assert_ok(memory_new(c, "maps", COUNT * NY * NX, sizeof(float), &m.values));
    assert_ok(memory_new(c, "origin", COUNT * 3, sizeof(int32_t), &m.origin));
    for (int i = 0; i < COUNT * NY * NX; i++) m.values[i] = 0.25f * (float)i;
    for (int i = 0; i < COUNT * 3; i++) m.origin[i] = 10 * i;
    snprintf(m.estimator, sizeof m.estimator, "dtfe");
    snprintf(m.transform, sizeof m.transform, "log");
    snprintf(m.unit, sizeof m.unit, "overdensity");
    m.a = log(.01);
    m.b = log(600);
    return m;
}

START_TEST(maps_round_trip)
{
    maps m = some_maps(), back;
    provenance p = {.seed = 42};
    char *text = NULL;
    snprintf(p.command_line, sizeof p.command_line, "cosmocl maps a.h5");
    assert_ok(memory_copy_string(c, "[run]\nseed = 42\n", &p.configuration));
    assert_ok(files_replace(c, in_folder("input"), "abc", 3));
    for (int i = 0; i < PROVENANCE_INPUTS + 2; i++) assert_ok(provenance_input(c, &p, in_folder("input")));
    ck_assert_int_eq(p.inputs, PROVENANCE_INPUTS + 2);
    assert_ok(maps_write(c, in_folder("m.h5"), &m, &p));
    assert_ok(maps_read(c, in_folder("m.h5"), &back));
    ck_assert_int_eq(back.count, COUNT);
    ck_assert_int_eq(back.ny, NY);
    ck_assert_int_eq(back.nx, NX);
    ck_assert_mem_eq(back.values, m.values, sizeof(float) * COUNT * NY * NX);
    ck_assert_mem_eq(back.origin, m.origin, sizeof(int32_t) * COUNT * 3);
    ck_assert(back.box_mpc_h == 100 && back.mean == 4 && back.redshift == .5 && back.dims == 2);
    ck_assert(back.a == m.a && back.b == m.b);
    ck_assert_str_eq(back.estimator, "dtfe");
    ck_assert_str_eq(back.transform, "log");
    ck_assert_str_eq(back.unit, "overdensity");
    h5_file *f = NULL;
    assert_ok(h5_open(c, in_folder("m.h5"), &f));
    assert_ok(provenance_read_configuration(c, f, &text));
    ck_assert_str_eq(text, "[run]\nseed = 42\n");
    memory_delete(&text);
    h5_delete(&f);
    maps_delete(&m);
    maps_delete(&back);
    maps_delete(&back);
    ck_assert_ptr_null(back.values);
    provenance_delete(&p);
}
END_TEST

/* A maps file made by hand: `leave_out` names what it lacks. */
static void hand_made(const char *leave_out, int rank, const uint64_t *shape, const double *values)
{
    h5_file *f = NULL;
    assert_ok(h5_create(c, in_folder("m.h5"), 0, &f));
    if (strcmp(leave_out, "/maps")) assert_ok(h5_write(c, f, "/maps", H5_FLOAT64, rank, shape, values));
    if (strcmp(leave_out, "box_mpc_h")) assert_ok(h5_attribute_real(c, f, "/", "box_mpc_h", 50));
    /* mean on the dataset, as an integer, as an array of one */
    if (strcmp(leave_out, "mean") && strcmp(leave_out, "/maps")) {
        const int64_t four = 4;
        assert_ok(h5_attribute_integers(c, f, "/maps", "mean", 1, &four));
        assert_ok(h5_attribute_integers(c, f, "/maps", "units", 1, &four)); /* no label */
    }
    assert_ok(h5_finish(c, &f));
}

START_TEST(a_maps_file_needs_little)
{
    const uint64_t shape[2] = {2, 2};
    const double values[4] = {0, 1, 2, 3};
    maps m;
    hand_made("", 2, shape, values);
    assert_ok(maps_read(c, in_folder("m.h5"), &m));
    ck_assert_int_eq(m.count, 1);
    ck_assert(m.mean == 4 && m.box_mpc_h == 50 && isnan(m.redshift) && m.dims == 2 && !m.origin && !m.transform[0] &&
              !m.units[0]);
    ck_assert_float_eq(m.values[3], 3);
    maps_delete(&m);
}
END_TEST

START_TEST(a_wrong_maps_file_is_refused)
{
    const uint64_t shape[3] = {2, 2, 2}, none[3] = {0, 2, 2};
    double values[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    const double bad[] = {NAN, INFINITY, -1, 1e300};
    maps m;
    for (int i = 0; i < 4; i++) {
        values[6] = bad[i];
        hand_made("", 3, shape, values);
        assert_fails(maps_read(c, in_folder("m.h5"), &m), STATUS_DATA, "m.h5", "/maps", "map 1, y 1, x 0");
        ck_assert_ptr_null(m.values);
    }
    hand_made("", 1, shape, values);
    assert_fails(maps_read(c, in_folder("m.h5"), &m), STATUS_DATA, "m.h5", "/maps", "1 axes");
    hand_made("", 3, none, values);
    assert_fails(maps_read(c, in_folder("m.h5"), &m), STATUS_DATA, "m.h5", "/maps", "empty");
    const char *names[] = {"/maps", "box_mpc_h", "mean"};
    values[6] = 6;
    for (int i = 0; i < 3; i++) {
        hand_made(names[i], 3, shape, values);
        assert_fails(maps_read(c, in_folder("m.h5"), &m), STATUS_DATA, "m.h5", names[i], "missing");
    }
}
END_TEST

START_TEST(wrong_optional_parts_are_refused)
{
    maps m = some_maps(), back;
    snprintf(m.transform, sizeof m.transform, "sinh");
    assert_ok(maps_write(c, in_folder("m.h5"), &m, NULL));
    assert_fails(maps_read(c, in_folder("m.h5"), &back), STATUS_DATA, "m.h5", "transform", "sinh");
    snprintf(m.transform, sizeof m.transform, "log");
    m.a = m.b;
    assert_ok(maps_write(c, in_folder("m.h5"), &m, NULL));
    assert_fails(maps_read(c, in_folder("m.h5"), &back), STATUS_DATA, "m.h5", "do not bound");
    m.a = 0;
    m.mean = 0;
    assert_ok(maps_write(c, in_folder("m.h5"), &m, NULL));
    assert_fails(maps_read(c, in_folder("m.h5"), &back), STATUS_DATA, "m.h5", "mean", "positive");
    m.mean = 1;
    m.dims = 4;
    assert_ok(maps_write(c, in_folder("m.h5"), &m, NULL));
    assert_fails(maps_read(c, in_folder("m.h5"), &back), STATUS_DATA, "m.h5", "dims", "2 or 3");
    m.dims = 2;
    snprintf(m.unit, sizeof m.unit, "mass");
    assert_ok(maps_write(c, in_folder("m.h5"), &m, NULL));
    assert_fails(maps_read(c, in_folder("m.h5"), &back), STATUS_DATA, "m.h5", "unit", "mass");
    maps_delete(&m);
}
END_TEST

static snapshot some_snapshot(int dims, h5_type precision, int64_t n)
{
    snapshot s = {.dims = dims,
                  .count = n,
                  .precision = precision,
                  .box_mpc_h = 100,
                  .scale_factor = .5,
                  .redshift = 1,
                  .omega_m = .31,
                  .omega_lambda = .69,
                  .h = .68,
                  .box_index = 7};
    size_t size = (size_t)(n * dims);
    assert_ok(memory_new(c, "x", size, sizeof(double), &s.positions));
    assert_ok(memory_new(c, "u", size, sizeof(float), &s.velocities));
    assert_ok(memory_new(c, "i", (size_t)n, sizeof(uint64_t), &s.ids));
    for (size_t i = 0; i < size; i++) {
        double x = fmod(0.1 * (double)(i * i), 100);
        s.positions[i] = precision == H5_FLOAT32 ? (double)(float)x : x;
        s.velocities[i] = (float)i - 3;
    }
    for (int64_t i = 0; i < n; i++) s.ids[i] = UINT64_MAX - (uint64_t)i;
    return s;
}

START_TEST(snapshots_round_trip)
{
    for (int dims = 2; dims <= 3; dims++)
        for (h5_type t = H5_FLOAT32; t <= H5_FLOAT64; t++) {
            snapshot s = some_snapshot(dims, t, 1111), back;
            assert_ok(snapshot_write(c, in_folder("s.h5"), &s, NULL));
            assert_ok(snapshot_read(c, in_folder("s.h5"), &back));
            ck_assert(back.dims == dims && back.precision == t && back.count == 1111 && back.box_index == 7);
            ck_assert(back.box_mpc_h == 100 && back.scale_factor == .5 && back.redshift == 1);
            ck_assert(back.omega_m == .31 && back.omega_lambda == .69 && back.h == .68);
            ck_assert_mem_eq(back.positions, s.positions, sizeof(double) * 1111 * (size_t)dims);
            ck_assert_mem_eq(back.velocities, s.velocities, sizeof(float) * 1111 * (size_t)dims);
            ck_assert_mem_eq(back.ids, s.ids, sizeof(uint64_t) * 1111);
            snapshot_delete(&s);
            snapshot_delete(&back);
        }
}
END_TEST

START_TEST(only_positions_are_needed)
{
    snapshot s = some_snapshot(2, H5_FLOAT64, 3), back;
    memory_delete(&s.ids);
    memory_delete(&s.velocities);
    s.box_index = -1;
    s.scale_factor = s.redshift = NAN;
    assert_ok(snapshot_write(c, in_folder("s.h5"), &s, NULL));
    assert_ok(snapshot_read(c, in_folder("s.h5"), &back));
    ck_assert(!back.ids && !back.velocities && back.box_index == -1 && isnan(back.redshift));
    snapshot_delete(&s);
    snapshot_delete(&back);
}
END_TEST

START_TEST(positions_are_wrapped)
{
    for (h5_type t = H5_FLOAT32; t <= H5_FLOAT64; t++) {
        snapshot s = some_snapshot(2, t, 4), back;
        const double x[8] = {100, -1e-30, -1, 100.5, 0, 199, -99, 99.99};
        const double want[8] = {0, 0, 99, .5, 0, 99, 1, 99.99};
        memcpy(s.positions, x, sizeof x);
        s.precision = H5_FLOAT64; /* written as they are */
        assert_ok(snapshot_write(c, in_folder("s.h5"), &s, NULL));
        assert_ok(snapshot_read(c, in_folder("s.h5"), &back));
        for (int i = 0; i < 8; i++) {
            ck_assert_double_eq_tol(back.positions[i], want[i], 1e-12);
            ck_assert(back.positions[i] >= 0 && back.positions[i] < 100);
        }
        snapshot_delete(&s);
        snapshot_delete(&back);
    }
}
END_TEST

START_TEST(lengths_are_converted)
{
    snapshot s = some_snapshot(2, H5_FLOAT64, 5), back;
    assert_ok(snapshot_write(c, in_folder("s.h5"), &s, NULL));
    assert_ok(snapshot_read_as(c, in_folder("s.h5"), "kpc/h", &back));
    ck_assert_double_eq_tol(back.box_mpc_h, .1, 1e-15);
    ck_assert_double_eq_tol(back.positions[3], s.positions[3] / 1000, 1e-15);
    snapshot_delete(&back);
    assert_ok(snapshot_read_as(c, in_folder("s.h5"), "Mpc", &back));
    ck_assert_double_eq_tol(back.box_mpc_h, 68, 1e-12);
    ck_assert_double_eq_tol(back.positions[3], s.positions[3] * .68, 1e-12);
    snapshot_delete(&back);
    assert_fails(snapshot_read_as(c, in_folder("s.h5"), "furlong", &back), STATUS_USAGE, "furlong", "Mpc/h");
    s.h = 0;
    assert_ok(snapshot_write(c, in_folder("s.h5"), &s, NULL));
    assert_fails(snapshot_read_as(c, in_folder("s.h5"), "Mpc", &back), STATUS_DATA, "s.h5", "HubbleParam");
    snapshot_delete(&s);
}
END_TEST

START_TEST(a_wrong_snapshot_is_refused)
{
    const double bad[] = {NAN, INFINITY, -100.1, 200.1};
    snapshot back;
    for (int i = 0; i < 4; i++) {
        snapshot s = some_snapshot(3, H5_FLOAT64, 5);
        s.positions[7] = bad[i];
        assert_ok(snapshot_write(c, in_folder("s.h5"), &s, NULL));
        assert_fails(snapshot_read(c, in_folder("s.h5"), &back), STATUS_DATA, "s.h5", "particle 2, axis 1");
        ck_assert_ptr_null(back.positions);
        snapshot_delete(&s);
    }
    snapshot s = some_snapshot(3, H5_FLOAT64, 5);
    s.velocities[14] = NAN;
    assert_ok(snapshot_write(c, in_folder("s.h5"), &s, NULL));
    assert_fails(snapshot_read(c, in_folder("s.h5"), &back), STATUS_DATA, "s.h5", "Velocities", "particle 4, axis 2");
    s.velocities[14] = 0;
    s.box_mpc_h = -1;
    assert_ok(snapshot_write(c, in_folder("s.h5"), &s, NULL));
    assert_fails(snapshot_read(c, in_folder("s.h5"), &back), STATUS_DATA, "s.h5", "BoxSize");
    snapshot_delete(&s);
    maps m = some_maps();
    assert_ok(maps_write(c, in_folder("m.h5"), &m, NULL));
    assert_fails(snapshot_read(c, in_folder("m.h5"), &back), STATUS_DATA, "m.h5", "/Header", "not a snapshot");
    maps_delete(&m);
}
END_TEST

static TCase *make(void)
{
    TCase *t = tcase_create("files");
    tcase_add_checked_fixture(t, io_setup, io_teardown);
    tcase_add_test(t, maps_round_trip);
    tcase_add_test(t, a_maps_file_needs_little);
    tcase_add_test(t, a_wrong_maps_file_is_refused);
    tcase_add_test(t, wrong_optional_parts_are_refused);
    tcase_add_test(t, snapshots_round_trip);
    tcase_add_test(t, only_positions_are_needed);
    tcase_add_test(t, positions_are_wrapped);
    tcase_add_test(t, lengths_are_converted);
    tcase_add_test(t, a_wrong_snapshot_is_refused);
    return t;
}

int main(void)
{
    return io_run(make, "io_maps_file");
}
