#include "ops/distance.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include "base/memory.h"
#include "ops/launch.h"

enum { LANES = 16, ROWS = 6, COLUMNS = 4 };
/* On a CPU a work-item takes 8 × 12 tiles, whose rows stay in its cache chunk by chunk. */
enum { CPU_DOWN = 8, CPU_ACROSS = 12 };

/* Images are taken, and rows of the matrix made and read, in blocks: a launch stays short, and so do the buffers. */
enum { BLOCK_ROWS = 6 * ROWS * CPU_DOWN };

struct distance_plan {
    device *borrowed_device;
    int64_t most, pixels, stride;
    size_t rows, columns; /* of the matrix that a work-item makes */
    float floor;
    int64_t count[DISTANCE_SETS];
    buffer *images, *logs[DISTANCE_SETS], *squares;
    kernel *log_kernel, *square_kernel;
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
    p->stride = (pixels + LANES - 1) / LANES * LANES;
    p->floor = floor;
    const int down = device_info(d)->is_cpu ? CPU_DOWN : 1, across = device_info(d)->is_cpu ? CPU_ACROSS : 1;
    char options[96];
    snprintf(options, sizeof options, "-DROWS=%d -DCOLUMNS=%d -DDOWN=%d -DACROSS=%d", ROWS, COLUMNS, down, across);
    p->rows = (size_t)(ROWS * down);
    p->columns = (size_t)(COLUMNS * across);
    const size_t bytes = (size_t)most * sizeof(float);
    const size_t rows = (size_t)(most < BLOCK_ROWS ? most : BLOCK_ROWS);
    s = buffer_new(c, d, "images to compare", rows * (size_t)pixels * sizeof(float), &p->images);
    for (int i = 0; i < DISTANCE_SETS && !s; i++)
        s = buffer_new(c, d, "logarithms of the images", bytes * (size_t)p->stride, &p->logs[i]);
    if (!s) s = buffer_new(c, d, "distances", bytes * rows, &p->squares);
    if (!s) s = kernel_get(c, d, "distance", "distance_logs", "", &p->log_kernel);
    if (!s) s = kernel_get(c, d, "distance", "distance_squares", options, &p->square_kernel);
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
    buffer_delete(&p->images);
    for (int i = 0; i < DISTANCE_SETS; i++) buffer_delete(&p->logs[i]);
    buffer_delete(&p->squares);
    memory_delete(pointer);
}

/* Images first … first + n − 1 of a set into its logarithms. */
static status take(context *c, distance_plan *p, int which, int64_t first, const float *images, int64_t n, float *logs)
{
    const size_t global[2] = {(size_t)p->stride, (size_t)n}, row = (size_t)p->pixels * sizeof(float);
    status s = buffer_write(c, p->images, 0, images, (size_t)n * row);
    if (!s)
        s = kernel_run(c, p->log_kernel, 2, global, NULL,
                       KERNEL_ARGUMENTS(ARG_BUFFER(p->images), ARG_BUFFER(p->logs[which]), ARG_ULONG((uint64_t)first),
                                        ARG_INT((int)p->pixels), ARG_FLOAT(p->floor)));
    if (!logs || s) return s;
    const size_t at = (size_t)(first * p->stride) * sizeof *logs;
    if (p->stride == p->pixels) return buffer_read(c, p->logs[which], at, logs, (size_t)n * row);
    for (int64_t i = 0; i < n && !s; i++)
        s = buffer_read(c, p->logs[which], at + (size_t)(i * p->stride) * sizeof *logs, logs + i * p->pixels, row);
    return s;
}

status distance_set(context *c, distance_plan *p, int which, const float *images, int64_t n, float *logs)
{
    status s = STATUS_OK;
    if (n < 1 || n > p->most)
        return context_fail(c, STATUS_USAGE, "distances between %lld images: from 1 to %lld can be compared",
                            (long long)n, (long long)p->most);
    p->count[which] = n;
    for (int64_t first = 0; first < n && !s; first += BLOCK_ROWS) {
        const int64_t at = first * p->pixels, part = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;
        s = take(c, p, which, first, images + at, part, logs ? logs + at : NULL);
    }
    return s;
}

/* Rows first … first + m − 1 of the matrix. */
static status block(context *c, distance_plan *p, int a, int b, int64_t first, int m, float *out)
{
    const int n = (int)p->count[b];
    const size_t global[2] = {((size_t)n + p->columns - 1) / p->columns, ((size_t)m + p->rows - 1) / p->rows};
    const size_t alone[2] = {1, 1}, *local = p->rows > ROWS ? alone : NULL;
    const size_t size = (size_t)m * (size_t)n;
    status s = kernel_run(c, p->square_kernel, 2, global, local,
                          KERNEL_ARGUMENTS(ARG_BUFFER(p->logs[a]), ARG_BUFFER(p->logs[b]), ARG_BUFFER(p->squares),
                                           ARG_ULONG((uint64_t)first), ARG_INT(m), ARG_INT(n), ARG_INT((int)p->stride),
                                           ARG_INT(a == b)));
    if (!s) s = buffer_read(c, p->squares, 0, out, size * sizeof *out);
    for (size_t i = 0; i < size && !s; i++) out[i] = (float)sqrt((double)out[i] / (double)p->pixels);
    return s;
}

status distance_matrix(context *c, distance_plan *p, int a, int b, float *out)
{
    status s = STATUS_OK;
    if (!p->count[a] || !p->count[b]) return context_fail(c, STATUS_USAGE, "distances of a set that was not given");
    for (int64_t first = 0; first < p->count[a] && !s; first += BLOCK_ROWS) {
        const int64_t left = p->count[a] - first;
        s = block(c, p, a, b, first, (int)(left < BLOCK_ROWS ? left : BLOCK_ROWS), out + first * p->count[b]);
        if (!s && context_stop_requested(c)) s = context_fail(c, STATUS_INTERRUPTED, "stopped while comparing images");
    }
    /* Of a set with itself only the upper half was computed. */
    const int64_t n = a == b && !s ? p->count[a] : 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) out[i * n + j] = out[j * n + i];
    return s;
}
