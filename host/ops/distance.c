#include "ops/distance.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include "base/memory.h"
#include "ops/launch.h"

enum { LANES = 16 };

typedef struct {
    int rows, columns, down, across; /* of a tile in registers, and of the tiles that a work-item takes */
} shape;

/* On a CPU the rows of many tiles stay in its cache chunk by chunk; a GPU's work-item has registers for one small tile.
 */
enum { CPU_ROWS = 6, CPU_DOWN = 8 };
static const shape cpu = {CPU_ROWS, 4, CPU_DOWN, 12}, gpu = {2, 2, 1, 1};

/* Times as many pairs as images that are worth comparing one by one on the host, rather than all on the device. */
enum { CANDIDATES_MOST = 4 };

/* Images are taken, and rows of the matrix made and read, in blocks: a launch stays short, and so do the buffers. */
enum { BLOCK_ROWS = 6 * CPU_ROWS * CPU_DOWN };

struct distance_plan {
    device *borrowed_device;
    int64_t most, pixels, stride;
    size_t rows, columns; /* of the matrix that a work-item makes */
    float floor;
    int64_t count[DISTANCE_SETS];
    buffer *logs[DISTANCE_SETS], *sums;      /* [most][stride] */
    const float *mapped_logs[DISTANCE_SETS]; /* for the host */
    double *norms[DISTANCE_SETS];            /* [most]: sums of squared logarithms */
    double deviation[DISTANCE_SETS];
    kernel *log_kernel, *squares, *products;
};

status distance_plan_new(context *c, device *d, int64_t most, int64_t pixels, float floor, distance_plan **out)
{
    distance_plan *p = NULL;
    *out = NULL;
    if (most < 1 || most > INT_MAX / BLOCK_ROWS || pixels < 1 || pixels > INT_MAX - LANES || !(floor > 0) ||
        !isfinite(floor))
        return context_fail(c, STATUS_USAGE, "distances between %lld images of %lld pixels, floor %g: out of range",
                            (long long)most, (long long)pixels, (double)floor);
    status s = memory_new(c, "distances", 1, sizeof *p, &p);
    if (s) return s;
    p->borrowed_device = d;
    p->most = most;
    p->pixels = pixels;
    /* One vector more, so that rows of a power of two do not compete for the same lines of a cache. */
    p->stride = (pixels + LANES - 1) / LANES * LANES + LANES;
    p->floor = floor;
    const shape *z = device_info(d)->is_cpu ? &cpu : &gpu;
    char options[96], products[128];
    snprintf(options, sizeof options, "-DROWS=%d -DCOLUMNS=%d -DDOWN=%d -DACROSS=%d", z->rows, z->columns, z->down,
             z->across);
    snprintf(products, sizeof products, "%s -DPRODUCTS", options);
    p->rows = (size_t)(z->rows * z->down);
    p->columns = (size_t)(z->columns * z->across);
    const size_t bytes = (size_t)most * sizeof(float);
    const size_t rows = (size_t)(most < BLOCK_ROWS ? most : BLOCK_ROWS);
    for (int i = 0; i < DISTANCE_SETS && !s; i++) {
        s = buffer_new(c, d, "logarithms of the images", bytes * (size_t)p->stride, &p->logs[i]);
        if (!s) s = memory_new(c, "squares of the images", (size_t)most, sizeof(double), &p->norms[i]);
    }
    if (!s) s = buffer_new(c, d, "distances", bytes * rows, &p->sums);
    if (!s) s = kernel_get(c, d, "distance", "distance_logs", "", &p->log_kernel);
    if (!s) s = kernel_get(c, d, "distance", "distance_sums", options, &p->squares);
    if (!s) s = kernel_get(c, d, "distance", "distance_sums", products, &p->products);
    if (s)
        distance_plan_delete(&p);
    else
        *out = p;
    return s;
}

void distance_plan_delete(distance_plan **pointer)
{
    if (!pointer || !*pointer) return;
    distance_plan *p = *pointer;
    for (int i = 0; i < DISTANCE_SETS; i++) {
        buffer_delete(&p->logs[i]);
        memory_delete(&p->norms[i]);
    }
    buffer_delete(&p->sums);
    memory_delete(pointer);
}

/* Images first … first + n − 1 of a set into its logarithms. */
static status take(context *c, distance_plan *p, int which, int64_t first, const float *images, int64_t n)
{
    const size_t global[2] = {(size_t)p->stride, (size_t)n};
    buffer *lent = NULL;
    status s = buffer_lend(c, p->borrowed_device, "images to compare", images, (size_t)(n * p->pixels) * sizeof *images,
                           &lent);
    if (!s)
        s = kernel_run(c, p->log_kernel, 2, global, NULL,
                       KERNEL_ARGUMENTS(ARG_BUFFER(lent), ARG_BUFFER(p->logs[which]), ARG_ULONG((uint64_t)first),
                                        ARG_INT((int)p->pixels), ARG_FLOAT(p->floor)));
    buffer_delete(&lent);
    return s;
}

/* Σ (v − shift) and Σ (v − shift)² of n values, in partial sums that need not wait for each other. */
static void moments(const float *v, double shift, int64_t n, double *sum, double *squares)
{
    double sums[LANES] = {0}, parts[LANES] = {0};
    *sum = *squares = 0;
    for (int64_t i = 0; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            const double x = v[i + k] - shift;
            sums[k] += x;
            parts[k] += x * x;
        }
    for (int64_t i = n - n % LANES; i < n; i++) {
        sums[0] += v[i] - shift;
        parts[0] += (v[i] - shift) * (v[i] - shift);
    }
    for (int k = 0; k < LANES; k++) {
        *sum += sums[k];
        *squares += parts[k];
    }
}

/* Norms and deviation, by moments about one of the values: of equal ones the deviation is exactly 0. */
static void measure(distance_plan *p, int which)
{
    const double shift = p->mapped_logs[which][0], pixels = (double)p->pixels;
    const double values = (double)p->count[which] * pixels;
    double sums = 0, squares = 0;
    for (int64_t i = 0; i < p->count[which]; i++) {
        double sum, square;
        moments(p->mapped_logs[which] + i * p->stride, shift, p->pixels, &sum, &square);
        p->norms[which][i] = square + 2 * shift * sum + pixels * shift * shift;
        sums += sum;
        squares += square;
    }
    const double mean = sums / values;
    p->deviation[which] = sqrt(fmax(squares / values - mean * mean, 0));
}

status distance_set(context *c, distance_plan *p, int which, const float *images, int64_t n)
{
    status s = STATUS_OK;
    if (n < 1 || n > p->most)
        return context_fail(c, STATUS_USAGE, "distances between %lld images: from 1 to %lld can be compared",
                            (long long)n, (long long)p->most);
    p->count[which] = n;
    buffer_unmap(p->logs[which]);
    for (int64_t first = 0; first < n && !s; first += BLOCK_ROWS)
        s = take(c, p, which, first, images + first * p->pixels, n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS);
    const void *mapped = NULL;
    if (!s) s = buffer_map(c, p->logs[which], &mapped);
    if (s) return s;
    p->mapped_logs[which] = mapped;
    measure(p, which);
    return STATUS_OK;
}

double distance_deviation(const distance_plan *p, int which)
{
    return p->deviation[which];
}

/* Rows first … first + m − 1 of a matrix of sums. */
static status block(context *c, distance_plan *p, kernel *k, int a, int b, int64_t first, int m, float *out)
{
    const int n = (int)p->count[b];
    const size_t global[2] = {((size_t)n + p->columns - 1) / p->columns, ((size_t)m + p->rows - 1) / p->rows};
    const size_t alone[2] = {1, 1}, *local = device_info(p->borrowed_device)->is_cpu ? alone : NULL;
    const status s = kernel_run(c, k, 2, global, local,
                                KERNEL_ARGUMENTS(ARG_BUFFER(p->logs[a]), ARG_BUFFER(p->logs[b]), ARG_BUFFER(p->sums),
                                                 ARG_ULONG((uint64_t)first), ARG_INT(m), ARG_INT(n),
                                                 ARG_INT((int)p->stride), ARG_INT(a == b)));
    return s ? s : buffer_read(c, p->sums, 0, out, (size_t)m * (size_t)n * sizeof *out);
}

/* out [n of a][n of b]: what the kernel sums for all pairs of rows. */
static status sums(context *c, distance_plan *p, kernel *k, int a, int b, float *out)
{
    status s = STATUS_OK;
    if (!p->count[a] || !p->count[b]) return context_fail(c, STATUS_USAGE, "distances of a set that was not given");
    for (int64_t first = 0; first < p->count[a] && !s; first += BLOCK_ROWS) {
        const int64_t left = p->count[a] - first;
        s = block(c, p, k, a, b, first, (int)(left < BLOCK_ROWS ? left : BLOCK_ROWS), out + first * p->count[b]);
        if (!s && context_stop_requested(c)) s = context_fail(c, STATUS_INTERRUPTED, "stopped while comparing images");
    }
    /* Of a set with itself only the upper half was computed. */
    const int64_t n = a == b && !s ? p->count[a] : 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) out[i * n + j] = out[j * n + i];
    return s;
}

status distance_matrix(context *c, distance_plan *p, int a, int b, float *out)
{
    const status s = sums(c, p, p->squares, a, b, out);
    const int64_t size = s ? 0 : p->count[a] * p->count[b];
    for (int64_t i = 0; i < size; i++) out[i] = (float)sqrt((double)out[i] / (double)p->pixels);
    return s;
}

/* ---- the nearest: |a|² + |b|² − 2 a·b costs half of the differences but is uncertain by the rounding of a·b, so it
 * only chooses the pairs that are then compared in float64. */

typedef struct {
    distance_plan *p;
    int a, b;
    float *matrix; /* products */
    int64_t left;  /* pairs that may still be compared */
    double *nearest;
    uint32_t *which; /* or NULL */
} nearest_search;

/* The products' error is at most this of (|a|² + |b|²) / 2 ≥ Σ |a b|. */
static double rounding(const distance_plan *p)
{
    return ((double)(p->stride / LANES) + 5) * ldexp(1, -24);
}

/* Of n values, a multiple of LANES. */
static double sum_squared_differences(const float *a, const float *b, int64_t n)
{
    double parts[LANES] = {0}, sum = 0;
    for (int64_t i = 0; i < n; i += LANES)
        for (int k = 0; k < LANES; k++) parts[k] += ((double)a[i + k] - b[i + k]) * ((double)a[i + k] - b[i + k]);
    for (int k = 0; k < LANES; k++) sum += parts[k];
    return sum;
}

static void nearest_of_row(nearest_search *x, int64_t i)
{
    const distance_plan *p = x->p;
    const int64_t columns = p->count[x->b];
    const float *row = x->matrix + i * columns;
    const double share = rounding(p), own = p->norms[x->a][i], *others = p->norms[x->b];
    double ceiling = INFINITY, best = INFINITY;
    int64_t at = -1;
    for (int64_t j = 0; j < columns; j++) {
        if (x->a != x->b || i != j) ceiling = fmin(ceiling, (own + others[j]) * (1 + share) - 2 * (double)row[j]);
    }
    for (int64_t j = 0; j < columns && best > 0 && x->left >= 0; j++) {
        const double least = (own + others[j]) * (1 - share) - 2 * (double)row[j];
        if ((x->a == x->b && i == j) || least > ceiling) continue;
        const double squares = sum_squared_differences(p->mapped_logs[x->a] + i * p->stride,
                                                       p->mapped_logs[x->b] + j * p->stride, p->stride);
        x->left--;
        if (squares >= best) continue;
        best = squares;
        at = j;
    }
    x->nearest[i] = at < 0 ? NAN : sqrt(best / (double)p->pixels);
    if (x->which && at >= 0) x->which[i] = (uint32_t)at;
}

/* From all distances: where the images are too much alike for the products to tell them apart. */
static status nearest_from_all(context *c, nearest_search *x)
{
    const int64_t columns = x->p->count[x->b];
    const status s = distance_matrix(c, x->p, x->a, x->b, x->matrix);
    for (int64_t i = 0; i < x->p->count[x->a] && !s; i++) {
        const float *row = x->matrix + i * columns;
        x->nearest[i] = NAN;
        for (int64_t j = 0; j < columns; j++) {
            if ((x->a == x->b && i == j) || x->nearest[i] <= row[j]) continue;
            x->nearest[i] = row[j];
            if (x->which) x->which[i] = (uint32_t)j;
        }
    }
    return s;
}

status distance_nearest(context *c, distance_plan *p, int a, int b, double *nearest, uint32_t *which)
{
    const size_t rows = (size_t)p->count[a], columns = (size_t)p->count[b];
    nearest_search x = {
        .p = p, .a = a, .b = b, .left = CANDIDATES_MOST * p->count[a], .nearest = nearest, .which = which};
    status s = memory_new(c, "distances", rows, columns * sizeof *x.matrix, &x.matrix);
    if (!s) s = sums(c, p, p->products, a, b, x.matrix);
    for (int64_t i = 0; i < p->count[a] && !s && x.left >= 0; i++) nearest_of_row(&x, i);
    if (!s && x.left < 0) s = nearest_from_all(c, &x);
    memory_delete(&x.matrix);
    return s;
}
