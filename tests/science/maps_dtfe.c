/* DTFE: mass, exact pixel averages, symmetries, degenerate and tiny sets. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "maps/clip.h"
#include "maps/dtfe.h"

static context *c;
static void setup(void)
{
    c = context_new(NULL);
}
static void teardown(void)
{
    context_delete(&c);
}
#define assert_ok(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static double uniform(uint64_t i, uint32_t sub)
{
    return rng_uniform(7, RNG_TEST, i, sub);
}

static double sum(const float *map, int pixels)
{
    double s = 0;
    for (int i = 0; i < pixels * pixels; i++) s += (double)map[i];
    return s;
}

/* Positions of kinds: 0 uniform, 1 clustered (radii over four decades), 2 on a lattice of n = k². */
static double *particles(int kind, int64_t n, double box)
{
    double *xy = malloc(sizeof *xy * 2 * (size_t)n);
    int side = (int)lround(sqrt((double)n));
    for (int64_t i = 0; i < n; i++) {
        uint64_t u = (uint64_t)i;
        if (kind == 0) {
            xy[2 * i] = box * uniform(u, 0);
            xy[2 * i + 1] = box * uniform(u, 1);
        } else if (kind == 1) {
            double r = box * pow(10, -4 + 3.7 * uniform(u, 0)), phi = 2 * M_PI * uniform(u, 1);
            xy[2 * i] = fmod(box * (.9 + (double)(i % 5) * .17) + r * cos(phi) + 2 * box, box);
            xy[2 * i + 1] = fmod(box * (.1 + (double)(i % 3) * .31) + r * sin(phi) + 2 * box, box);
        } else {
            xy[2 * i] = ((double)(i % side) + .25) * box / side;
            xy[2 * i + 1] = ((double)(i / side) + .25) * box / side;
        }
    }
    return xy;
}

/* ---- clipping ---- */

START_TEST(a_linear_field_is_averaged_exactly)
{
    /* Two triangles over more than the map carry f = 3 + 2x − y/2: a pixel's mean is f at its centre. */
    enum { P = 5 };
    const double corners[4][2] = {{-1.3, -.7}, {6.1, -.7}, {6.1, 7.9}, {-1.3, 7.9}};
    const int triangles[2][3] = {{0, 1, 2}, {0, 2, 3}};
    double sums[P * P] = {0};
    for (int t = 0; t < 2; t++) {
        double corner[3][2], value[3];
        for (int j = 0; j < 3; j++) {
            memcpy(corner[j], corners[triangles[t][j]], sizeof corner[j]);
            value[j] = 3 + 2 * corner[j][0] - corner[j][1] / 2;
        }
        clip_add_triangle((const double(*)[2])corner, value, P, sums);
    }
    for (int y = 0; y < P; y++)
        for (int x = 0; x < P; x++) ck_assert_double_eq_tol(sums[y * P + x], 3 + 2 * (x + .5) - (y + .5) / 2, 1e-13);
}
END_TEST

START_TEST(one_triangle_by_hand)
{
    /* Half a unit square (0.5, 0.5) (1.5, 0.5) (0.5, 1.5) of value 1: known areas in four pixels. */
    const double corner[3][2] = {{.5, .5}, {1.5, .5}, {.5, 1.5}}, value[3] = {1, 1, 1};
    double sums[9] = {0};
    clip_add_triangle(corner, value, 3, sums);
    const double want[9] = {.25, .125, 0, .125, 0, 0, 0, 0, 0};
    for (int i = 0; i < 9; i++) ck_assert_double_eq_tol(sums[i], want[i], 1e-15);
    /* Clockwise or flat ones add nothing. */
    const double wrong[3][2] = {{.5, .5}, {.5, 1.5}, {1.5, .5}}, flat[3][2] = {{0, 0}, {1, 1}, {2, 2}};
    clip_add_triangle(wrong, value, 3, sums);
    clip_add_triangle(flat, value, 3, sums);
    for (int i = 0; i < 9; i++) ck_assert_double_eq_tol(sums[i], want[i], 1e-15);
}
END_TEST

START_TEST(triangles_of_any_size_keep_their_integral)
{
    enum { P = 8 };
    for (int i = 0; i < 2000; i++) {
        double sums[P * P] = {0}, corner[3][2], value[3], total = 0;
        double size = pow(10, -9 + 9.5 * uniform((uint64_t)i, 0));
        /* About a pixel's corner, edge or middle. */
        double ox = 3 + (i % 3) * .5, oy = 4 + (i / 3 % 3) * .5;
        for (int j = 0; j < 3; j++) {
            corner[j][0] = ox + size * (uniform((uint64_t)i, 3 * (unsigned)j + 1) - .5);
            corner[j][1] = oy + size * (uniform((uint64_t)i, 3 * (unsigned)j + 2) - .5);
            value[j] = 1 + 9 * uniform((uint64_t)i, 3 * (unsigned)j + 3);
        }
        double area = (corner[1][0] - corner[0][0]) * (corner[2][1] - corner[0][1]) -
                      (corner[1][1] - corner[0][1]) * (corner[2][0] - corner[0][0]);
        if (area < 0) {
            double swap[2] = {corner[1][0], corner[1][1]};
            memcpy(corner[1], corner[2], sizeof swap);
            memcpy(corner[2], swap, sizeof swap);
            area = -area;
        }
        clip_add_triangle((const double(*)[2])corner, value, P, sums);
        for (int k = 0; k < P * P; k++) {
            ck_assert(sums[k] >= -1e-12 * area);
            total += sums[k];
        }
        double want = area / 2 * (value[0] + value[1] + value[2]) / 3;
        /* Corners near 4 are rounded to 1e-15; slivers suffer from it the most. */
        ck_assert_double_eq_tol(total, want, 1e-12 * want + 1e-14 * size);
    }
}
END_TEST

/* ---- maps ---- */

START_TEST(mass_is_kept)
{
    const int64_t counts[] = {1, 2, 3, 4, 5, 7, 10, 33, 100, 999, 1001, 5000};
    for (int kind = 0; kind < 2; kind++)
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
            for (int pixels = 1; pixels <= 37; pixels += 18) {
                int64_t n = counts[k];
                double *xy = particles(kind, n, 70);
                float *map = malloc(sizeof *map * (size_t)(pixels * pixels));
                assert_ok(dtfe_map(c, xy, NULL, n, 70, pixels, map));
                ck_assert_double_eq_tol(sum(map, pixels), (double)n, 1e-6 * (double)n);
                for (int i = 0; i < pixels * pixels; i++) ck_assert(map[i] > 0 && isfinite(map[i]));
                free(xy);
                free(map);
            }
}
END_TEST

START_TEST(a_lattice_gives_a_constant_map)
{
    /* Every cell has four corners on a circle. 100/48 is not exact in double, 100/64 is; 9 particles per axis over 7.
     */
    const int sides[] = {1, 2, 3, 9, 48, 64};
    for (size_t k = 0; k < sizeof sides / sizeof *sides; k++) {
        enum { P = 7 };
        int64_t n = (int64_t)sides[k] * sides[k];
        double *xy = particles(2, n, 100), want = (double)n / (P * P);
        float map[P * P];
        assert_ok(dtfe_map(c, xy, NULL, n, 100, P, map));
        for (int i = 0; i < P * P; i++) ck_assert_double_eq_tol((double)map[i], want, 1e-6 * want);
        free(xy);
    }
}
END_TEST

START_TEST(finer_pixels_sum_to_coarser_ones)
{
    enum { P = 16, N = 3000 };
    for (int kind = 0; kind < 2; kind++) {
        double *xy = particles(kind, N, 1);
        static float coarse[P * P], fine[9 * P * P];
        assert_ok(dtfe_map(c, xy, NULL, N, 1, P, coarse));
        assert_ok(dtfe_map(c, xy, NULL, N, 1, 3 * P, fine));
        for (int y = 0; y < P; y++)
            for (int x = 0; x < P; x++) {
                double s = 0;
                for (int i = 0; i < 9; i++) s += (double)fine[(3 * y + i / 3) * 3 * P + 3 * x + i % 3];
                ck_assert_double_eq_tol(s, (double)coarse[y * P + x], 1e-6 * s);
            }
        free(xy);
    }
}
END_TEST

START_TEST(shifts_by_whole_pixels_shift_the_map)
{
    enum { P = 16, N = 2000 };
    const int shifts[][2] = {{1, 0}, {0, 5}, {15, 9}};
    for (int kind = 0; kind < 2; kind++) {
        double *xy = particles(kind, N, 64), *moved = malloc(sizeof *xy * 2 * N);
        /* On a binary grid, so that the moved positions are exact. */
        for (int i = 0; i < 2 * N; i++) xy[i] = rint(xy[i] * (1 << 24)) / (1 << 24);
        for (int i = 0; i < 2 * N; i++) xy[i] = fmod(xy[i], 64);
        float map[P * P], other[P * P];
        assert_ok(dtfe_map(c, xy, NULL, N, 64, P, map));
        for (int k = 0; k < 3; k++) {
            for (int i = 0; i < 2 * N; i++) moved[i] = fmod(xy[i] + shifts[k][i & 1] * 64. / P, 64);
            assert_ok(dtfe_map(c, moved, NULL, N, 64, P, other));
            for (int y = 0; y < P; y++)
                for (int x = 0; x < P; x++) {
                    float want = map[y * P + x];
                    float got = other[(y + shifts[k][1]) % P * P + (x + shifts[k][0]) % P];
                    ck_assert_double_eq_tol((double)got, (double)want, 2e-6 * (double)want);
                }
        }
        free(xy);
        free(moved);
    }
}
END_TEST

START_TEST(axes_and_mirrors_agree)
{
    /* x is the fast axis: swapping the coordinates transposes the map, mirroring them mirrors it. */
    enum { P = 11, N = 500 };
    double *xy = particles(0, N, 1), *other = malloc(sizeof *xy * 2 * N);
    float map[P * P], swapped[P * P], mirrored[P * P];
    for (int i = 0; i < N; i++) xy[2 * i] *= xy[2 * i]; /* more on the left */
    assert_ok(dtfe_map(c, xy, NULL, N, 1, P, map));
    for (int i = 0; i < N; i++) {
        other[2 * i] = xy[2 * i + 1];
        other[2 * i + 1] = xy[2 * i];
    }
    assert_ok(dtfe_map(c, other, NULL, N, 1, P, swapped));
    for (int i = 0; i < N; i++) {
        other[2 * i] = xy[2 * i] > 0 ? 1 - xy[2 * i] : 0;
        other[2 * i + 1] = xy[2 * i + 1];
    }
    assert_ok(dtfe_map(c, other, NULL, N, 1, P, mirrored));
    double left = 0;
    for (int y = 0; y < P; y++)
        for (int x = 0; x < P; x++) {
            double want = (double)map[y * P + x];
            if (x < P / 2) left += want;
            ck_assert_double_eq_tol((double)swapped[x * P + y], want, 1e-5 * want);
            ck_assert_double_eq_tol((double)mirrored[y * P + P - 1 - x], want, 1e-5 * want);
        }
    ck_assert(left > .6 * N);
    free(xy);
    free(other);
}
END_TEST

START_TEST(duplicates_are_one_point_with_their_mass)
{
    enum { P = 6, N = 40 };
    double *xy = particles(0, N, 1), twice[2 * N + 20], mass[N];
    float map[P * P], weighted[P * P];
    memcpy(twice, xy, sizeof *xy * 2 * N);
    for (int i = 0; i < 10; i++) memcpy(twice + 2 * N + 2 * i, xy + 2 * (i % 5), 2 * sizeof *xy);
    for (int i = 0; i < N; i++) mass[i] = i < 5 ? 3 : 1;
    assert_ok(dtfe_map(c, twice, NULL, N + 10, 1, P, map));
    assert_ok(dtfe_map(c, xy, mass, N, 1, P, weighted));
    ck_assert_double_eq_tol(sum(map, P), N + 10, 1e-5 * N);
    ck_assert_double_eq_tol(sum(weighted, P), N, 1e-5 * N); /* masses are in units of their mean */
    for (int i = 0; i < P * P; i++)
        ck_assert_double_eq_tol((double)map[i], (double)weighted[i] * (N + 10) / N, 1e-5 * (double)map[i]);
    for (int i = 0; i < N; i++) memcpy(xy + 2 * i, xy, 2 * sizeof *xy);
    assert_ok(dtfe_map(c, xy, NULL, N, 1, P, map)); /* all of them in one place: a constant map */
    for (int i = 0; i < P * P; i++) ck_assert_double_eq_tol((double)map[i], N / 36., 1e-6 * N);
    free(xy);
}
END_TEST

START_TEST(points_on_edges_and_on_lines)
{
    /* On pixel edges, at 0, just below the box, all on one line, all on one circle. */
    enum { P = 8, N = 64 };
    double edges[2 * N], line[2 * N], circle[2 * N];
    float map[P * P];
    for (int i = 0; i < N; i++) {
        edges[2 * i] = i % 8 == 7 ? nextafter(8, 0) : i % 8;
        edges[2 * i + 1] = i / 8 == 0 ? 0 : i / 8 + .5 * (i % 2);
        line[2 * i] = i / 8.;
        line[2 * i + 1] = 3;
        circle[2 * i] = 4 + 2.5 * cos(2 * M_PI * i / N);
        circle[2 * i + 1] = 4 + 2.5 * sin(2 * M_PI * i / N);
    }
    const double *sets[] = {edges, line, circle};
    for (int k = 0; k < 3; k++) {
        assert_ok(dtfe_map(c, sets[k], NULL, N, 8, P, map));
        ck_assert_double_eq_tol(sum(map, P), N, 1e-5 * N);
    }
    /* The circle's inside is one cell: the densities are those of its symmetry. */
    for (int y = 0; y < P; y++)
        for (int x = 0; x < P; x++)
            ck_assert_double_eq_tol((double)map[y * P + x], (double)map[x * P + P - 1 - y],
                                    1e-4 * (double)map[y * P + x]);
}
END_TEST

START_TEST(what_cannot_be_mapped_is_refused)
{
    double xy[4] = {.5, .5, .25, 1}, mass[2] = {1, 1};
    float map[4];
    ck_assert_int_eq(dtfe_map(c, xy, NULL, 2, 1, 2, map), STATUS_DATA);
    ck_assert_ptr_nonnull(strstr(context_message(c), "particle 1"));
    xy[3] = NAN;
    ck_assert_int_eq(dtfe_map(c, xy, NULL, 2, 1, 2, map), STATUS_DATA);
    xy[3] = -1e-9;
    ck_assert_int_eq(dtfe_map(c, xy, NULL, 2, 1, 2, map), STATUS_DATA);
    xy[3] = .5;
    mass[1] = -1;
    ck_assert_int_eq(dtfe_map(c, xy, mass, 2, 1, 2, map), STATUS_DATA);
    ck_assert_ptr_nonnull(strstr(context_message(c), "mass"));
    ck_assert_int_eq(dtfe_map(c, xy, NULL, 0, 1, 2, map), STATUS_DATA);
    ck_assert_int_eq(dtfe_map(c, xy, NULL, 2, 1, 0, map), STATUS_USAGE);
    ck_assert_int_eq(dtfe_map(c, xy, NULL, 2, -1, 2, map), STATUS_USAGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("maps_dtfe");
    TCase *t = tcase_create("dtfe");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_linear_field_is_averaged_exactly);
    tcase_add_test(t, one_triangle_by_hand);
    tcase_add_test(t, triangles_of_any_size_keep_their_integral);
    tcase_add_test(t, mass_is_kept);
    tcase_add_test(t, a_lattice_gives_a_constant_map);
    tcase_add_test(t, finer_pixels_sum_to_coarser_ones);
    tcase_add_test(t, shifts_by_whole_pixels_shift_the_map);
    tcase_add_test(t, axes_and_mirrors_agree);
    tcase_add_test(t, duplicates_are_one_point_with_their_mass);
    tcase_add_test(t, points_on_edges_and_on_lines);
    tcase_add_test(t, what_cannot_be_mapped_is_refused);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
