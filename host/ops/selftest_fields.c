/* Checks of what works on fields: Fourier transforms, the particle mesh, the reductions of maps and their distances. Of
 * the one result on every device are only the distances and the counts, which are integers. EPS is half an ulp of 1. */
#include "ops/selftest_checks.h"

#include <math.h>
#include <string.h>
#include "ops/distance.h"
#include "ops/fft.h"
#include "ops/mesh.h"
#include "ops/overlap.h"
#include "ops/reduce.h"
#include "ops/ref/distance_ref.h"
#include "ops/ref/fft_ref.h"
#include "ops/ref/mesh_ref.h"
#include "ops/ref/overlap_ref.h"
#include "ops/ref/reduce_ref.h"

#define EPS 0x1p-24

/* ---- Fourier transforms -------------------------------------------------------------------------------------------
 */

/* The non-redundant half of a complex field [rows][last] of the oracle, as the device stores it. */
static void half_of(const double *full, size_t rows, size_t last, double *half)
{
    const size_t kept = last / 2 + 1;
    for (size_t r = 0; r < rows; r++) memcpy(half + r * kept * 2, full + r * last * 2, kept * 2 * sizeof *half);
}

static void fft_run(selftest *t, int dims, const int *n, fft_plan *p)
{
    const size_t real = fft_real_count(dims, n, 1), complex = 2 * fft_complex_count(dims, n, 1);
    const size_t last = (size_t)n[dims - 1];
    float *x = selftest_values(t, real, -1, 1);
    double *want = selftest_doubles(t, complex), *full = selftest_doubles(t, 2 * real),
           *back = selftest_widen(t, x, real);
    buffer *bx = selftest_upload(t, "field", x, real), *modes = selftest_output(t, "modes", complex);
    selftest_start(t);
    if (!t->s) t->s = fft_forward(t->c, p, bx, modes);
    selftest_stop(t);
    for (size_t i = 0; i < real && !t->s; i++) full[2 * i] = x[i];
    if (!t->s) t->s = fft_ref_transform(t->c, dims, n, -1, full);
    if (t->s) return;
    half_of(full, real / last, last, want);
    /* Modes are about sqrt(N/3) large; each error against the largest of them. */
    const double bound = 4 * EPS * fmax(4, log2((double)real));
    selftest_compare(t, "fft_forward", modes, want, complex, -1, bound);
    selftest_start(t);
    if (!t->s) t->s = fft_inverse(t->c, p, modes, bx);
    selftest_stop(t);
    if (t->s) return;
    for (size_t i = 0; i < real; i++) back[i] *= (double)real;
    selftest_compare(t, "fft_inverse", bx, back, real, -1, 2 * bound);
}

void check_fft(selftest *t, int dims, const int *n)
{
    fft_plan *p = NULL;
    if (!t->s) t->s = fft_plan_new(t->c, t->d, dims, n, 1, &p);
    if (!t->s) {
        if (dims == 2)
            selftest_size(t, "%s, %d × %d", fft_backend(p), n[0], n[1]);
        else
            selftest_size(t, "%s, %d × %d × %d", fft_backend(p), n[0], n[1], n[2]);
        fft_run(t, dims, n, p);
    }
    fft_plan_delete(&p);
    if (!t->s) selftest_release(t);
}

/* Every size that is used later is tested once more by its plan (fft.h). */
void family_fft(selftest *t)
{
    if (!t->library) return;
    check_fft(t, 2, (const int[]){15, 20});
    if (selftest_large(t)) check_fft(t, 2, (const int[]){128, 128});
}

/* ---- particle mesh -------------------------------------------------------------------------------------------------
 */

static void mesh_run(selftest *t, int dims, int n, int64_t count, mesh *m)
{
    const size_t elements = (size_t)count * (size_t)dims, cells = (size_t)pow(n, dims);
    uint32_t *x = selftest_memory(t, elements, sizeof *x);
    float *p = selftest_memory(t, elements, sizeof *p), *u = selftest_values(t, elements, 0, 1);
    double *exact = selftest_doubles(t, elements), *density = selftest_doubles(t, cells),
           *g = selftest_doubles(t, elements);
    for (size_t i = 0; i < elements && !t->s; i++) {
        x[i] = (uint32_t)((double)u[i] * 0x1p31 * (1 + u[i])); /* denser on one side */
        exact[i] = x[i] * 0x1p-32;
    }
    selftest_start(t);
    if (!t->s) t->s = mesh_write(t->c, m, x, p);
    if (!t->s) t->s = mesh_deposit(t->c, m);
    selftest_stop(t);
    if (t->s) return;
    mesh_ref_deposit(dims, n, count, exact, density);
    for (size_t i = 0; i < cells; i++) density[i] -= 1;
    /* Each of the particles on a node errs by 1.5 of its 2^18 units. */
    selftest_compare(t, "mesh_deposit", mesh_values(m), density, cells, -1, 16 * 0x1p-18);
    selftest_start(t);
    if (!t->s) t->s = mesh_field(t->c, m);
    if (!t->s) t->s = mesh_move(t->c, m, 0, 1, 0, 0);
    selftest_stop(t);
    if (!t->s) t->s = mesh_read(t->c, m, x, p);
    if (!t->s) t->s = mesh_ref_gravity(t->c, dims, n, count, exact, g);
    if (t->s) return;
    double error = 0, largest = 0;
    for (size_t i = 0; i < elements; i++) {
        error = fmax(error, isnan(p[i]) ? INFINITY : fabs(p[i] - g[i]));
        largest = fmax(largest, fabs(g[i]));
    }
    selftest_add(t, "mesh_gravity", error / largest, 2e-4);
}

void check_mesh(selftest *t, int dims, int n, int64_t count)
{
    mesh *m = NULL;
    const mesh_options o = {.dims = dims, .n = n, .count = count};
    selftest_size(t, "%dD, %d, %lld particles", dims, n, (long long)count);
    if (!t->s) t->s = mesh_new(t->c, t->d, &o, &m);
    if (!t->s) mesh_run(t, dims, n, count, m);
    mesh_delete(&m);
    if (!t->s) selftest_release(t);
}

void family_mesh(selftest *t)
{
    check_mesh(t, 2, 8, 101);
    if (t->library) check_mesh(t, 3, 16, 4001);
}

/* ---- reductions of maps --------------------------------------------------------------------------------------------
 */

enum { BINS = 12 };

typedef struct {
    double mean, power;              /* largest relative errors */
    double pixels, peaks, minkowski; /* wrong counts */
} reduce_errors;

static reduce_errors reduce_compare(selftest *t, int side, int images, const float *x, const double *edges,
                                    const reduce_result *got)
{
    reduce_errors e = {0};
    unsigned counts[BINS + 2] = {0}, peaks[BINS + 2];
    const size_t pixels = (size_t)side * (size_t)side, rings = (size_t)side / 2;
    double *power = selftest_doubles(t, rings);
    for (int i = 0; i < images && !t->s; i++) {
        const float *image = x + (size_t)i * pixels;
        const double mean = reduce_ref_mean(image, side);
        double squares = 0;
        for (size_t k = 0; k < pixels; k++) squares += (image[k] - mean) * (image[k] - mean);
        e.mean = fmax(e.mean, fabs(got->mean[i] - mean) / mean);
        memset(peaks, 0, sizeof peaks);
        reduce_ref_histogram(image, side, edges, BINS, counts);
        reduce_ref_peaks(image, side, edges, BINS, peaks);
        for (int b = 0; b < BINS + 2; b++) e.peaks += peaks[b] != got->peak_counts[i * (BINS + 2) + b];
        for (int b = 0, want[MINKOWSKI]; b <= BINS; b++) {
            reduce_ref_minkowski(image, side, edges[b], want);
            for (int k = 0; k < MINKOWSKI; k++)
                e.minkowski += want[k] != got->minkowski[(i * MINKOWSKI + k) * (BINS + 1) + b];
        }
        t->s = reduce_ref_power(t->c, image, side, power);
        for (size_t k = 0; k < rings && !t->s; k++) {
            const double off = fabs(sqrt(got->power[(size_t)i * rings + k]) - sqrt(power[k])) / sqrt(squares);
            e.power = off <= e.power ? e.power : isnan(off) ? INFINITY : off;
        }
    }
    for (int b = 0; b < BINS + 2; b++) e.pixels += counts[b] != got->pixel_counts[b];
    return e;
}

void check_reduce(selftest *t, int side, int images)
{
    const size_t n = (size_t)images * (size_t)side * (size_t)side, columns = BINS + 2;
    double edges[BINS + 1];
    reducer *r = NULL;
    float *x = selftest_octaves(t, n, -4.3, 4.3);
    for (int b = 0; b <= BINS; b++) edges[b] = .1 * pow(100, (double)b / BINS);
    const reduce_result got = {.mean = selftest_doubles(t, (size_t)images),
                               .power = selftest_doubles(t, (size_t)images * (size_t)side / 2),
                               .pixel_counts = selftest_memory(t, columns, sizeof(uint64_t)),
                               .peak_counts = selftest_memory(t, columns * (size_t)images, sizeof(uint32_t)),
                               .minkowski = selftest_memory(t, MINKOWSKI * columns * (size_t)images, sizeof(int32_t))};
    selftest_size(t, "%d of %d²", images, side);
    selftest_start(t);
    if (!t->s) t->s = reducer_new(t->c, t->d, &(reduce_shape){.side = side, .edges = edges, .bins = BINS}, &r);
    if (!t->s) t->s = reduce_host_images(t->c, r, x, images, &got);
    selftest_stop(t);
    reducer_delete(&r);
    if (t->s) return;
    const reduce_errors e = reduce_compare(t, side, images, x, edges, &got);
    selftest_add(t, "reduce_mean", e.mean, 1e-12);
    selftest_add(t, "reduce_pixels", e.pixels, 0);
    selftest_add(t, "reduce_peaks", e.peaks, 0);
    selftest_add(t, "reduce_minkowski", e.minkowski, 0);
    /* Amplitudes in units of the rms amplitude of all modes: the transform's rounding and that of the pixels. */
    const double steps = fft_size_allowed(side) && side % 2 == 0 ? 8 * log2((double)side * side) : 4 * sqrt(side);
    selftest_add(t, "reduce_power", e.power, (steps + 4) * EPS);
    if (!t->s) selftest_release(t);
}

void family_reduce(selftest *t)
{
    check_reduce(t, 17, 3);
    if (t->library) check_reduce(t, 64, 2);
}

/* ---- overlap of the densest pixels --------------------------------------------------------------------------------
 */

enum { PERCENTS = 4 };
static const int percents[PERCENTS] = {1, 5, 50, 95};

/* Wrong thresholds, and wrong numbers of pixels that image 0 shares with each of them. */
static void overlap_compare(selftest *t, const overlap_shape *s, const float *x, const float *thresholds,
                            const uint32_t *common)
{
    double wrong_thresholds = 0, wrong_counts = 0;
    const int64_t segments = s->per_image ? s->images : 1, values = s->pixels * s->images / segments;
    for (int64_t i = 0; i < segments * PERCENTS && !t->s; i++) {
        float want = 0;
        t->s = overlap_ref_threshold(t->c, x + i / PERCENTS * values, values, percents[i % PERCENTS], &want);
        wrong_thresholds += thresholds[i] != want;
    }
    for (int64_t i = 0; i < s->images * PERCENTS && !t->s; i++) {
        const float *own = thresholds + (s->per_image ? i / PERCENTS * PERCENTS : 0);
        wrong_counts += common[i] != overlap_ref_common(x, thresholds[i % PERCENTS], x + i / PERCENTS * s->pixels,
                                                        own[i % PERCENTS], s->pixels);
    }
    selftest_add(t, "overlap_thresholds", wrong_thresholds, 0);
    selftest_add(t, "overlap_common", wrong_counts, 0);
}

void check_overlap(selftest *t, int pixels, int images, bool per_image)
{
    const overlap_shape shape = {
        .pixels = pixels, .images = images, .count = PERCENTS, .percent = percents, .per_image = per_image};
    overlap_masks *m = NULL;
    float *x = selftest_octaves(t, (size_t)pixels * (size_t)images, -9, 13);
    uint32_t(*pairs)[2] = selftest_memory(t, (size_t)images, sizeof *pairs);
    uint32_t *common = selftest_memory(t, (size_t)images * PERCENTS, sizeof *common);
    for (int i = 0; pairs && i < images; i++) pairs[i][1] = (uint32_t)i;
    selftest_size(t, "%d of %d, thresholds per %s", images, pixels, per_image ? "image" : "set");
    selftest_start(t);
    if (!t->s) t->s = overlap_masks_new(t->c, t->d, &shape, x, &m);
    if (!t->s) t->s = overlap_common(t->c, m, m, (const uint32_t(*)[2])pairs, images, common);
    selftest_stop(t);
    if (!t->s) overlap_compare(t, &shape, x, overlap_thresholds(m), common);
    if (!t->s && t->hash) sha256_add(t->hash, common, (size_t)images * PERCENTS * sizeof *common);
    overlap_masks_delete(&m);
    if (!t->s) selftest_release(t);
}

void family_overlap(selftest *t)
{
    check_overlap(t, 1089, 3, false);
    check_overlap(t, 700, 3, true);
    if (selftest_large(t)) check_overlap(t, 128 * 128, 4, false);
}

/* ---- distances between images --------------------------------------------------------------------------------------
 */

void check_distance(selftest *t, int m, int n, int pixels)
{
    const double floor = 0.125, octaves = 4, reach = octaves * log(2);
    float *a = selftest_octaves(t, (size_t)m * (size_t)pixels, -octaves, octaves);
    float *b = selftest_octaves(t, (size_t)n * (size_t)pixels, -octaves, octaves);
    float *got = selftest_memory(t, (size_t)m * (size_t)n, sizeof *got);
    float *near = selftest_memory(t, (size_t)m, sizeof *near);
    double *want = selftest_doubles(t, (size_t)m * (size_t)n), *nearest = selftest_doubles(t, (size_t)m);
    distance_plan *p = NULL;
    selftest_size(t, "%d and %d of %d pixels", m, n, pixels);
    if (t->s) return;
    memcpy(b, a, (size_t)pixels * sizeof *b); /* equal images: exactly 0 */
    selftest_start(t);
    t->s = distance_plan_new(t->c, t->d, m > n ? m : n, pixels, (float)floor, &p);
    if (!t->s) t->s = distance_set(t->c, p, 0, a, m);
    if (!t->s) t->s = distance_set(t->c, p, 1, b, n);
    if (!t->s) t->s = distance_matrix(t->c, p, 0, 1, got);
    if (!t->s) t->s = distance_nearest(t->c, p, 0, 1, nearest, NULL);
    selftest_stop(t);
    distance_plan_delete(&p);
    for (int i = 0; i < m && !t->s; i++) near[i] = (float)nearest[i];
    buffer *out = selftest_upload(t, "distances", got, (size_t)m * (size_t)n);
    for (int i = 0; i < m && !t->s; i++)
        for (int j = 0; j < n; j++)
            want[i * n + j] = distance_ref(a + (size_t)i * pixels, b + (size_t)j * pixels, pixels, floor);
    /* Logarithms to 2 EPS of themselves; sixteen sums of a sixteenth of the squares each, half of whose error the root
     * takes. */
    const double bound = (4 * reach + pixels / 32. + 8) * EPS;
    selftest_compare(t, "distance", out, want, (size_t)m * (size_t)n, -1, bound);
    buffer *least = selftest_upload(t, "nearest distances", near, (size_t)m);
    for (int i = 0; i < m && !t->s; i++) {
        nearest[i] = INFINITY;
        for (int j = 0; j < n; j++) nearest[i] = fmin(nearest[i], want[i * n + j]);
    }
    selftest_compare(t, "distance_nearest", least, nearest, (size_t)m, -1, bound);
    if (!t->s) selftest_release(t);
}

void family_distance(selftest *t)
{
    check_distance(t, 7, 5, 37);
    check_distance(t, 3, 9, 64);
    if (selftest_large(t)) check_distance(t, 40, 40, 64 * 64);
}
