/* Matrix products and the device's peak. */
#include <math.h>
#include <stdio.h>
#include "base/memory.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "device/kernel.h"
#include "ops/gemm.h"
#include "ops/random.h"

typedef struct {
    device *d;
    gemm_backend backend;
    int m, n, k;
    buffer *a, *b, *out;
} product;

static status product_once(context *c, void *user)
{
    product *p = user;
    status s = gemm_run(c, p->d, p->backend, false, false, p->m, p->n, p->k, p->a, p->k, p->b, p->n, p->out, p->n);
    return s ? s : device_finish(c, p->d);
}

/* Largest error of some elements against sums in double, relative to Σ|a||b|. */
static status product_error(context *c, const product *p, double *error)
{
    float *a = NULL, *b = NULL, *out = NULL;
    status s = memory_new(c, "A", (size_t)p->m * p->k, sizeof *a, &a);
    if (!s) s = memory_new(c, "B", (size_t)p->k * p->n, sizeof *b, &b);
    if (!s) s = memory_new(c, "C", (size_t)p->m * p->n, sizeof *out, &out);
    if (!s) s = buffer_read(c, p->a, 0, a, (size_t)p->m * p->k * sizeof *a);
    if (!s) s = buffer_read(c, p->b, 0, b, (size_t)p->k * p->n * sizeof *b);
    if (!s) s = buffer_read(c, p->out, 0, out, (size_t)p->m * p->n * sizeof *out);
    *error = 0;
    for (uint64_t i = 0; i < 1000 && !s; i++) {
        int row = (int)(rng_uniform(1, RNG_TEST, i, 0) * p->m), column = (int)(rng_uniform(1, RNG_TEST, i, 1) * p->n);
        double sum = 0, size = 0;
        for (int k = 0; k < p->k; k++) {
            double x = (double)a[(size_t)row * p->k + k] * b[(size_t)k * p->n + column];
            sum += x;
            size += fabs(x);
        }
        *error = fmax(*error, fabs(out[(size_t)row * p->n + column] - sum) / size);
    }
    memory_delete(&a);
    memory_delete(&b);
    memory_delete(&out);
    return s;
}

static status measure_product(bench *b, product *p, const char *backend)
{
    char name[96];
    double error = NAN;
    size_t a = (size_t)p->m * p->k, bb = (size_t)p->k * p->n, out = (size_t)p->m * p->n;
    status s = buffer_new(b->c, b->d, "A", a * sizeof(float), &p->a);
    if (!s) s = buffer_new(b->c, b->d, "B", bb * sizeof(float), &p->b);
    if (!s) s = buffer_new(b->c, b->d, "C", out * sizeof(float), &p->out);
    if (!s) s = random_normals(b->c, b->d, 1, RNG_TEST, 0, 0, p->m, p->k, p->k, 1.0f, p->a);
    if (!s) s = random_normals(b->c, b->d, 1, RNG_TEST, 1, 0, p->k, p->n, p->n, 1.0f, p->b);
    if (!s) s = product_once(b->c, p);
    if (!s) s = product_error(b->c, p, &error);
    snprintf(name, sizeof name, "gemm %dx%dx%d %s", p->m, p->n, p->k, backend);
    bench_item item = {.name = name,
                       .once = product_once,
                       .user = p,
                       .flops = 2.0 * p->m * p->n * p->k,
                       .validated = error < 4e-7 * sqrt(p->k),
                       .max_error = error};
    if (!s) s = bench_measure(b, &item);
    buffer_delete(&p->a);
    buffer_delete(&p->b);
    buffer_delete(&p->out);
    return s;
}

status bench_gemm(bench *b)
{
    static const int sizes[][3] = {{3360, 384, 1600}, {1024, 1024, 1024}, {50, 8192, 100}};
    status s = STATUS_OK;
    for (int i = 0; i < 3 && !s; i++)
        for (int backend = GEMM_OURS; backend <= GEMM_CLBLAST && !s; backend++) {
            product p = {
                .d = b->d, .backend = (gemm_backend)backend, .m = sizes[i][0], .n = sizes[i][1], .k = sizes[i][2]};
            if (backend == GEMM_CLBLAST && device_info(b->d)->avoid_clblast) continue;
            s = measure_product(b, &p, backend == GEMM_OURS ? "ours" : "CLBlast");
        }
    return s;
}

typedef struct {
    device *d;
    kernel *k;
    buffer *out;
    size_t items;
    int rounds;
} chains;

static status chains_once(context *c, void *user)
{
    chains *t = user;
    status s =
        kernel_run(c, t->k, 1, &t->items, NULL,
                   KERNEL_ARGUMENTS(ARG_BUFFER(t->out), ARG_FLOAT(0.999f), ARG_FLOAT(0.001f), ARG_INT(t->rounds)));
    return s ? s : device_finish(c, t->d);
}

typedef struct {
    device *d;
    kernel *k;
    buffer *x, *y;
    int vectors, batch;
} copying;

static status copy_once(context *c, void *user)
{
    copying *t = user;
    const size_t items = ((size_t)t->vectors + t->batch - 1) / t->batch;
    status s =
        kernel_run(c, t->k, 1, &items, NULL, KERNEL_ARGUMENTS(ARG_BUFFER(t->x), ARG_BUFFER(t->y), ARG_INT(t->vectors)));
    return s ? s : device_finish(c, t->d);
}

/* Two buffers of 256 MiB, beyond every cache, or less where the budget or a block is smaller. */
static status peak_copy(bench *b, int width)
{
    const device_record *r = device_info(b->d);
    const size_t room = (device_budget(b->d) - device_bytes_used(b->d)) / 4;
    size_t bytes = (size_t)256 << 20;
    while (bytes > room || bytes > r->largest_block_bytes) bytes /= 2;
    copying t = {.d = b->d, .vectors = (int)(bytes / sizeof(float) / (size_t)width), .batch = r->is_cpu ? 4096 : 4};
    char options[48];
    snprintf(options, sizeof options, "-DVW=%d -DBATCH=%d", width, t.batch);
    status s = kernel_get(b->c, b->d, "peak", "peak_copy", options, &t.k);
    if (!s) s = buffer_new(b->c, b->d, "peak", bytes, &t.x);
    if (!s) s = buffer_new(b->c, b->d, "peak", bytes, &t.y);
    if (!s) s = buffer_zero(b->c, t.x);
    bench_item item = {
        .name = "peak copy", .once = copy_once, .user = &t, .max_error = NAN, .bytes = 2. * (double)bytes};
    if (!s) s = bench_measure(b, &item);
    buffer_delete(&t.x);
    buffer_delete(&t.y);
    return s;
}

status bench_peak(bench *b)
{
    const device_record *r = device_info(b->d);
    int width = r->is_cpu ? (r->native_vector >= 8 ? r->native_vector : 8) : 1;
    if (width > 16) width = 16;
    char options[48];
    chains t = {
        .d = b->d, .items = (size_t)r->compute_units * (r->is_cpu ? 64 : 8192), .rounds = r->is_cpu ? 400000 : 4000};
    snprintf(options, sizeof options, "-DVW=%d", width);
    status s = kernel_get(b->c, b->d, "peak", "peak", options, &t.k);
    if (!s) s = buffer_new(b->c, b->d, "peak", t.items * sizeof(float), &t.out);
    bench_item item = {.name = "peak fma",
                       .once = chains_once,
                       .user = &t,
                       .validated = false,
                       .max_error = NAN,
                       .flops = (double)t.items * t.rounds * 16 * width * 2};
    if (!s) s = bench_measure(b, &item);
    buffer_delete(&t.out);
    return s ? s : peak_copy(b, r->is_cpu ? width : 4);
}
