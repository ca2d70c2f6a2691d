/* Reductions of images against the float64 oracle, known answers, exact properties and bad input. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "ops/fft.h"
#include "ops/reduce.h"
#include "ops/ref/reduce_ref.h"

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
}

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

/* Everything that a reduction gives, and where it goes. */
typedef struct {
    int side, bins, rings;
    int64_t n;
    double *mean, *power;
    uint64_t *pixels;
    uint32_t *coarse, *peaks;
    int32_t *minkowski;
} reduced;

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    ck_assert_ptr_nonnull(p);
    return p;
}

static const double coarse_edges[3] = {.5, 1, 2};

static reducer *reducer_of(int side, const double *edges, int bins)
{
    reducer *r = NULL;
    OK(reducer_new(
        c, d,
        &(reduce_shape){.side = side, .edges = edges, .bins = bins, .coarse_edges = coarse_edges, .coarse_bins = 2},
        &r));
    return r;
}

static reduced room_for(int side, int bins, int64_t n)
{
    const size_t images = (size_t)n, columns = (size_t)bins + 2, rings = (size_t)side / 2;
    return (reduced){.side = side,
                     .bins = bins,
                     .rings = side / 2,
                     .n = n,
                     .mean = zeroed(images, sizeof(double)),
                     .power = zeroed(images * rings, sizeof(double)),
                     .pixels = zeroed(columns, sizeof(uint64_t)),
                     .coarse = zeroed(4 * images, sizeof(uint32_t)),
                     .peaks = zeroed(images * columns, sizeof(uint32_t)),
                     .minkowski = zeroed(MINKOWSKI * images * columns, sizeof(int32_t))};
}

static reduce_result result_of(const reduced *r)
{
    return (reduce_result){r->mean, r->power, r->pixels, r->coarse, r->peaks, r->minkowski};
}

static reduced reduce(int side, const double *edges, int bins, const float *images, int64_t n)
{
    reduced out = room_for(side, bins, n);
    reducer *r = reducer_of(side, edges, bins);
    const reduce_result to = result_of(&out);
    ck_assert_int_eq(reducer_rings(r), side / 2);
    OK(reduce_host_images(c, r, images, n, &to));
    reducer_delete(&r);
    ck_assert_ptr_null(r);
    return out;
}

static void release(reduced *r)
{
    free(r->mean);
    free(r->power);
    free(r->pixels);
    free(r->coarse);
    free(r->peaks);
    free(r->minkowski);
}

/* Log-normal pixels over about three decades, each drawn alone. */
static float *random_images(int side, int64_t n, uint32_t sub)
{
    const size_t count = (size_t)n * (size_t)side * (size_t)side;
    float *images = zeroed(count, sizeof(float));
    double *normals = zeroed(count, sizeof(double));
    rng_normals(7, RNG_TEST, sub, 0, count, normals);
    for (size_t i = 0; i < count; i++) images[i] = (float)exp(1.2 * normals[i]);
    free(normals);
    return images;
}

static void log_edges(double low, double high, int bins, double *edges)
{
    for (int i = 0; i <= bins; i++) edges[i] = low * pow(high / low, (double)i / bins);
}

static void assert_minkowski(const reduced *r, int64_t i, const float *x, const double *edges)
{
    const int32_t *got = r->minkowski + i * MINKOWSKI * (r->bins + 1);
    for (int b = 0, want[MINKOWSKI]; b <= r->bins; b++) {
        reduce_ref_minkowski(x, r->side, edges[b], want);
        for (int k = 0; k < MINKOWSKI; k++) ck_assert_int_eq(got[k * (r->bins + 1) + b], want[k]);
    }
}

static void assert_like_oracle(const reduced *r, const float *images, const double *edges)
{
    const size_t pixels = (size_t)r->side * (size_t)r->side, columns = (size_t)r->bins + 2;
    unsigned *counts = zeroed(columns, sizeof *counts), *peaks = zeroed(columns, sizeof *peaks);
    double *power = zeroed((size_t)r->rings, sizeof *power);
    for (int64_t i = 0; i < r->n; i++) {
        const float *x = images + (size_t)i * pixels;
        reduce_ref_histogram(x, r->side, edges, r->bins, counts);
        unsigned coarse[4] = {0};
        reduce_ref_histogram(x, r->side, coarse_edges, 2, coarse);
        ck_assert_mem_eq(coarse, r->coarse + 4 * i, sizeof coarse);
        assert_minkowski(r, i, x, edges);
        memset(peaks, 0, columns * sizeof *peaks);
        reduce_ref_peaks(x, r->side, edges, r->bins, peaks);
        ck_assert_mem_eq(peaks, r->peaks + (size_t)i * columns, columns * sizeof *peaks);
        const double mean = reduce_ref_mean(x, r->side);
        ck_assert_double_le(fabs(r->mean[i] - mean), 1e-12 * mean);
        double squares = 0;
        for (size_t p = 0; p < pixels; p++) squares += (x[p] - mean) * (x[p] - mean);
        OK(reduce_ref_power(c, x, r->side, power));
        /* Amplitudes, in units of the rms amplitude of all modes: rounding of the transform (fft.h, spectrum.cl) plus
         * that of the centred pixels. */
        const bool plain = r->side % 2 || !fft_size_allowed(r->side);
        const double steps = plain ? 4 * sqrt(r->side) : 8 * log2((double)pixels);
        const double bound = (steps + 4) * ldexp(1, -24) * sqrt(squares);
        for (int k = 0; k < r->rings; k++) {
            const double amplitude = sqrt(r->power[i * r->rings + k]);
            ck_assert_msg(fabs(amplitude - sqrt(power[k])) <= bound,
                          "side %d image %d ring %d: %.9g instead of %.9g, bound %g", r->side, (int)i, k + 1, amplitude,
                          sqrt(power[k]), bound);
        }
    }
    for (size_t b = 0; b < columns; b++) ck_assert_uint_eq(r->pixels[b], counts[b]);
    free(counts);
    free(peaks);
    free(power);
}

START_TEST(random_images_agree_with_the_oracle)
{
    static const struct {
        int side, bins;
        int64_t n;
    } cases[] = {{2, 1, 3},   {3, 2, 1},   {5, 7, 4},   {7, 3, 2},  {16, 60, 67},
                 {30, 60, 1}, {33, 64, 2}, {34, 63, 2}, {64, 62, 3}};
    double edges[65];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        log_edges(.1, 8, cases[i].bins, edges);
        float *images = random_images(cases[i].side, cases[i].n, (uint32_t)i);
        reduced r = reduce(cases[i].side, edges, cases[i].bins, images, cases[i].n);
        assert_like_oracle(&r, images, edges);
        if (cases[i].side > 5) ck_assert_uint_gt(r.pixels[0] + r.pixels[r.bins + 1], 0);
        release(&r);
        free(images);
    }
}
END_TEST

START_TEST(many_bins_agree_with_the_oracle)
{
    enum { BINS = 5000 };
    static double edges[BINS + 1];
    log_edges(.05, 20, BINS, edges);
    float *images = random_images(16, 3, 50);
    reduced r = reduce(16, edges, BINS, images, 3);
    assert_like_oracle(&r, images, edges);
    release(&r);
    free(images);
}
END_TEST

/* Thresholds in integers must decide exactly as float64 comparisons with the edge do. */
START_TEST(thresholds_decide_as_float64)
{
    static const float floats[] = {0, -0.0f,      1e-45f, 1e-40f, FLT_MIN, 1e-3f,   .1f, .99999994f,
                                   1, 1.0000001f, 3,      1e4f,   FLT_MAX, -1e-45f, -1,  -FLT_MAX};
    enum { FLOATS = sizeof floats / sizeof floats[0] };
    for (int i = 0; i < FLOATS; i++) {
        const double v = floats[i];
        const double edges[] = {v,
                                nextafter(v, 1e300),
                                nextafter(v, -1e300),
                                nextafterf(floats[i], INFINITY) * .5 + v * .5,
                                1e300,
                                -1e300,
                                .1,
                                1e-3};
        for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++) {
            for (int k = 0; k < FLOATS; k++) {
                const int32_t key = reduce_key(floats[k]);
                ck_assert_int_eq(key >= reduce_threshold(edges[e], false), (double)floats[k] >= edges[e]);
                ck_assert_int_eq(key >= reduce_threshold(edges[e], true), (double)floats[k] > edges[e]);
            }
        }
    }
}
END_TEST

START_TEST(rings_round_the_root)
{
    for (int y = 0; y <= 200; y++) {
        for (int x = 0; x <= 200; x++) {
            ck_assert_int_eq(reduce_ring(y, x), lround(sqrt((double)y * y + (double)x * x)));
            ck_assert_int_eq(reduce_ring(-y, x), reduce_ring(y, x));
        }
    }
}
END_TEST

START_TEST(pixels_on_the_edges_of_bins)
{
    /* .1 is no float32: .1f lies above it and so in the bin from .1 on, the float before it below. 2 closes the last
     * bin. */
    const double edges[] = {.1, 1, 2};
    const float image[16] = {0.1f,
                             nextafterf(0.1f, 0),
                             1,
                             nextafterf(1, 0),
                             2,
                             nextafterf(2, 3),
                             nextafterf(2, 0),
                             0,
                             -0.0f,
                             -1,
                             -1e30f,
                             1e30f,
                             1e-42f,
                             .5f,
                             1.5f,
                             FLT_MAX};
    reduced r = reduce(4, edges, 2, image, 1);
    ck_assert_uint_eq(r.pixels[0], 6);
    ck_assert_uint_eq(r.pixels[1], 3);
    ck_assert_uint_eq(r.pixels[2], 4);
    ck_assert_uint_eq(r.pixels[3], 3);
    release(&r);
}
END_TEST

START_TEST(a_cosine_has_one_ring)
{
    static const int sides[] = {30, 33};
    const double edges[] = {.1, 10};
    for (int i = 0; i < 2; i++) {
        const int side = sides[i], pixels = side * side;
        float *image = zeroed((size_t)pixels, sizeof *image);
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) image[y * side + x] = (float)(2 + cos(2 * M_PI * (3 * x - 4 * y) / side));
        }
        int modes = 0;
        for (int y = -6; y <= 6; y++) {
            for (int x = -6; x <= 6; x++) modes += reduce_ring(y, x) == 5;
        }
        reduced r = reduce(side, edges, 1, image, 1);
        /* Two modes of amplitude pixels/2. */
        const double expected = 2 * pow(pixels / 2., 2) / modes, nothing = pow(1e-6 * pixels, 2);
        for (int k = 1; k <= r.rings; k++) {
            if (k == 5)
                ck_assert_double_eq_tol(r.power[k - 1] / expected, 1, 1e-5);
            else
                ck_assert_double_le(r.power[k - 1], nothing);
        }
        ck_assert_double_eq_tol(r.mean[0], 2, 1e-7);
        release(&r);
        free(image);
    }
}
END_TEST

/* The checkerboard's one mode is the corner (N/2, N/2), beyond the last ring; a constant image has no mode at all. */
START_TEST(images_without_power_in_the_rings)
{
    static float images[2][256];
    const double edges[] = {1, 4};
    for (int p = 0; p < 256; p++) {
        images[0][p] = 3;
        images[1][p] = (p / 16 + p) % 2 ? 1 : 3;
    }
    reduced r = reduce(16, edges, 1, images[0], 2);
    for (int k = 0; k < 16; k++) ck_assert_double_le(r.power[k], pow(1e-6 * 256, 2));
    ck_assert_double_eq(r.mean[0], 3);
    ck_assert_double_eq(r.mean[1], 2);
    ck_assert_uint_eq(r.pixels[1], 512);
    for (int b = 0; b < 6; b++) ck_assert_uint_eq(r.peaks[b], 0);
    release(&r);
}
END_TEST

START_TEST(peaks_are_strict_and_off_the_border)
{
    static float images[3][64];
    const double edges[] = {.5, 2.5, 4.5};
    /* A single pixel above its neighbours counts, a plateau of two does not, nor does any pixel of the border. */
    images[0][2 * 8 + 2] = 2;
    images[0][5 * 8 + 5] = images[0][6 * 8 + 6] = 3;
    images[0][0] = images[0][7] = images[0][63] = images[0][4 * 8] = images[0][7 * 8 + 3] = 4;
    /* Every second pixel of the rows 1, 3, 5: and one of the border that hides the peak beside it. */
    for (int y = 1; y < 7; y += 2) {
        for (int x = 1; x < 7; x += 2) images[1][y * 8 + x] = y + x < 5 ? 1 : 4;
    }
    images[1][6 * 8] = 9;
    images[2][4 * 8 + 4] = .25f;
    images[2][4 * 8 + 1] = 7;
    reduced r = reduce(8, edges, 2, images[0], 3);
    const uint32_t expected[3][4] = {{0, 1, 0, 0}, {0, 3, 5, 0}, {1, 0, 0, 1}};
    ck_assert_mem_eq(r.peaks, expected, sizeof expected);
    release(&r);
}
END_TEST

/* A ring of pixels that touches the border, a pixel joined to it at a corner, and one alone on the last edge. */
START_TEST(minkowski_functionals_are_known)
{
    static const char *const rows[] = {"####...", "#..#...", "#..#...", "####...", "....#..", ".......", "......2"};
    static float image[49];
    const double edges[] = {.5, 1, 2};
    for (int i = 0; i < 49; i++) image[i] = rows[i / 7][i % 7] == '#' ? 1 : rows[i / 7][i % 7] == '2' ? 2 : 0;
    reduced r = reduce(7, edges, 2, image, 1);
    /* Around: 4 below, 4 on the right, 8 inside the ring; 4 of the pixel at its corner; 2 of the one in the corner. */
    const int32_t expected[MINKOWSKI][3] = {{14, 14, 1}, {22, 22, 2}, {1, 1, 1}};
    ck_assert_mem_eq(r.minkowski, expected, sizeof expected);
    release(&r);
}
END_TEST

/* Powers of two change neither rounding nor order: means scale exactly and powers by the square. */
START_TEST(huge_densities_scale_exactly)
{
    enum { SIDE = 16, N = 2, PIXELS = SIDE * SIDE * N };
    const double edges[] = {1, 2};
    float *images = random_images(SIDE, N, 60), scaled[PIXELS];
    reduced a = reduce(SIDE, edges, 1, images, N);
    static const int exponents[] = {120, -60};
    for (int e = 0; e < 2; e++) {
        for (int p = 0; p < PIXELS; p++) scaled[p] = ldexpf(images[p], exponents[e]);
        reduced b = reduce(SIDE, edges, 1, scaled, N);
        for (int i = 0; i < N; i++) ck_assert_double_eq(b.mean[i], ldexp(a.mean[i], exponents[e]));
        for (int k = 0; k < N * a.rings; k++) ck_assert_double_eq(b.power[k], ldexp(a.power[k], 2 * exponents[e]));
        release(&b);
    }
    for (int p = 0; p < PIXELS; p++) scaled[p] = FLT_MAX;
    reduced b = reduce(SIDE, edges, 1, scaled, N);
    ck_assert_double_eq_tol(b.mean[1] / FLT_MAX, 1, 1e-14);
    ck_assert_uint_eq(b.pixels[2], PIXELS);
    release(&b);
    release(&a);
    free(images);
}
END_TEST

START_TEST(host_and_device_images_give_the_same_bits)
{
    enum { SIDE = 16, N = 150, BINS = 60 };
    const size_t bytes = (size_t)N * SIDE * SIDE * sizeof(float);
    double edges[BINS + 1];
    log_edges(.1, 10, BINS, edges);
    float *images = random_images(SIDE, N, 70);
    buffer *b = NULL;
    OK(buffer_new(c, d, "test images", bytes, &b));
    OK(buffer_write(c, b, 0, images, bytes));
    reducer *r = reducer_of(SIDE, edges, BINS);
    reduced one = room_for(SIDE, BINS, N), two = room_for(SIDE, BINS, N);
    const reduce_result to_one = result_of(&one), to_two = result_of(&two);
    OK(reduce_host_images(c, r, images, N, &to_one));
    /* A set of one in between must leave no trace. */
    OK(reduce_host_images(c, r, images, 1, &to_two));
    OK(reduce_device_images(c, r, b, N, &to_two));
    ck_assert_mem_eq(one.mean, two.mean, N * sizeof(double));
    ck_assert_mem_eq(one.power, two.power, N * SIDE / 2 * sizeof(double));
    ck_assert_mem_eq(one.pixels, two.pixels, (BINS + 2) * sizeof(uint64_t));
    ck_assert_mem_eq(one.coarse, two.coarse, 4 * N * sizeof(uint32_t));
    ck_assert_mem_eq(one.minkowski, two.minkowski, N * MINKOWSKI * (BINS + 1) * sizeof(int32_t));
    ck_assert_mem_eq(one.peaks, two.peaks, N * (BINS + 2) * sizeof(uint32_t));
    /* Only what is asked for is filled. */
    OK(reduce_device_images(c, r, b, N, &(reduce_result){.mean = two.mean}));
    ck_assert_int_eq(reduce_device_images(c, r, b, N + 1, &to_two), STATUS_USAGE);
    reducer_delete(&r);
    buffer_delete(&b);
    release(&one);
    release(&two);
    free(images);
}
END_TEST

/* With atomics, as on a GPU, the counts are those of the oracle too. */
START_TEST(any_number_of_work_items_counts_alike)
{
    enum { SIDE = 33, N = 3, BINS = 60 };
    double edges[BINS + 1];
    log_edges(.1, 10, BINS, edges);
    float *images = random_images(SIDE, N, 75);
    static const int items[] = {2, 7, 64, 1024};
    for (int i = 0; i < 4; i++) {
        reduce_items_set(items[i]);
        reduced r = reduce(SIDE, edges, BINS, images, N);
        reduce_items_set(0);
        assert_like_oracle(&r, images, edges);
        release(&r);
    }
    free(images);
}
END_TEST

START_TEST(values_that_are_not_finite_are_named)
{
    enum { SIDE = 7, N = 70 };
    const double edges[] = {1, 2};
    float *images = random_images(SIDE, N, 80);
    reducer *r = reducer_of(SIDE, edges, 1);
    reduced out = room_for(SIDE, 1, N);
    const reduce_result to = result_of(&out);
    const float bad[] = {NAN, INFINITY, -INFINITY};
    const char *const names[] = {"map 66, pixel (y 4, x 1) is nan", "map 66, pixel (y 4, x 1) is inf",
                                 "map 66, pixel (y 4, x 1) is -inf"};
    for (int i = 0; i < 3; i++) {
        images[66 * 49 + 4 * 7 + 1] = bad[i];
        images[66 * 49 + 5 * 7 + 0] = NAN; /* the first one is named */
        ck_assert_int_eq(reduce_host_images(c, r, images, N, &to), STATUS_DATA);
        ck_assert_ptr_nonnull(strstr(context_message(c), names[i]));
    }
    ck_assert_int_eq(reduce_host_images(c, r, images, 0, &to), STATUS_USAGE);
    reducer_delete(&r);
    release(&out);
    free(images);
}
END_TEST

START_TEST(bad_shapes_are_refused)
{
    reducer *r = NULL;
    const double edges[] = {1, 2, 2}, negative[] = {-1, 2}, infinite[] = {1, INFINITY};
    const reduce_shape bad[] = {{.side = 1, .edges = edges, .bins = 1},    {.side = 0, .edges = edges, .bins = 1},
                                {.side = 5000, .edges = edges, .bins = 1}, {.side = 8, .edges = edges, .bins = 0},
                                {.side = 8, .edges = edges, .bins = 2},    {.side = 8, .edges = negative, .bins = 1},
                                {.side = 8, .edges = infinite, .bins = 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(reducer_new(c, d, &bad[i], &r), STATUS_USAGE);
        ck_assert_ptr_null(r);
        ck_assert_uint_gt(strlen(context_message(c)), 0);
    }
    reducer_delete(&r);
    reducer_delete(NULL);
}
END_TEST

START_TEST(nothing_leaks_when_memory_runs_out)
{
    const double edges[] = {1, 2};
    reducer *r = NULL;
    const size_t before = device_bytes_used(d);
    for (long n = 1; n < 200; n++) {
        memory_fail_at(n);
        const status s = reducer_new(c, d, &(reduce_shape){.side = 9, .edges = edges, .bins = 1}, &r);
        memory_fail_at(0);
        if (s == STATUS_OK) {
            reducer_delete(&r);
            ck_assert_int_gt(n, 5);
            ck_assert_uint_eq(device_bytes_used(d), before);
            return;
        }
        ck_assert_int_eq(s, STATUS_MEMORY);
        ck_assert_ptr_null(r);
        ck_assert_uint_eq(device_bytes_used(d), before);
    }
    ck_abort_msg("200 allocations were not enough");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reduce");
    TCase *t = tcase_create("reduce");
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, thresholds_decide_as_float64);
    tcase_add_test(t, minkowski_functionals_are_known);
    tcase_add_test(t, rings_round_the_root);
    tcase_add_test(t, bad_shapes_are_refused);
    tcase_add_test(t, nothing_leaks_when_memory_runs_out);
    tcase_add_test(t, pixels_on_the_edges_of_bins);
    tcase_add_test(t, a_cosine_has_one_ring);
    tcase_add_test(t, images_without_power_in_the_rings);
    tcase_add_test(t, peaks_are_strict_and_off_the_border);
    tcase_add_test(t, huge_densities_scale_exactly);
    tcase_add_test(t, random_images_agree_with_the_oracle);
    tcase_add_test(t, many_bins_agree_with_the_oracle);
    tcase_add_test(t, host_and_device_images_give_the_same_bits);
    tcase_add_test(t, any_number_of_work_items_counts_alike);
    tcase_add_test(t, values_that_are_not_finite_are_named);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
