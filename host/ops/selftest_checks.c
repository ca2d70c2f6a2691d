/* The machinery of the checks: arrays, comparisons, rows. */
#include "ops/selftest_checks.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/memory.h"
#include "base/rng.h"

void selftest_begin(selftest *t, context *c, device *d)
{
    memset(t, 0, sizeof *t);
    t->c = c;
    t->d = d;
    const char *broken = getenv("COSMOCL_BREAK_KERNEL");
    if (broken && broken[0]) t->broken = broken;
}

void selftest_release(selftest *t)
{
    for (int i = 0; i < t->buffer_count; i++) buffer_delete(&t->buffers[i]);
    for (int i = 0; i < t->memory_count; i++) memory_delete(&t->memory[i]);
    t->buffer_count = t->memory_count = 0;
    t->drawn = 0;
}

void selftest_end(selftest *t)
{
    selftest_release(t);
    t->hash = NULL;
}

void selftest_size(selftest *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(t->size, sizeof t->size, format, arguments);
    va_end(arguments);
}

void *selftest_memory(selftest *t, size_t count, size_t size)
{
    if (t->s) return NULL;
    if (t->memory_count == SELFTEST_POOL) {
        t->s = context_fail(t->c, STATUS_FAILURE, "self-test: a check needs more than %d arrays", SELFTEST_POOL);
        return NULL;
    }
    void *p = NULL;
    t->s = memory_new(t->c, "self-test", count, size, &p);
    if (!t->s) t->memory[t->memory_count++] = p;
    return p;
}

double *selftest_doubles(selftest *t, size_t n)
{
    return selftest_memory(t, n, sizeof(double));
}

float *selftest_values(selftest *t, size_t n, double low, double high)
{
    float *x = selftest_memory(t, n, sizeof *x);
    uint32_t w[4] = {0};
    const uint32_t sub = t->drawn++;
    for (size_t i = 0; x && i < n; i++) {
        if (!(i & 3)) rng_block(2020, RNG_TEST, i >> 2, sub, w);
        x[i] = (float)(low + (high - low) * ((double)w[i & 3] * 0x1p-32));
    }
    return x;
}

float *selftest_octaves(selftest *t, size_t n, double low, double high)
{
    float *x = selftest_values(t, n, low, high);
    for (size_t i = 0; x && i < n; i++) {
        const float whole = floorf(x[i]);
        x[i] = ldexpf(1 + (x[i] - whole), (int)whole);
    }
    return x;
}

float *selftest_padded(selftest *t, size_t rows, int channels, double low, double high)
{
    const size_t padded = (size_t)layout_channels(channels);
    float *x = selftest_values(t, rows * padded, low, high);
    for (size_t i = 0; x && i < rows; i++)
        for (size_t k = (size_t)channels; k < padded; k++) x[i * padded + k] = 0;
    return x;
}

double *selftest_widen(selftest *t, const float *x, size_t n)
{
    double *y = selftest_doubles(t, n);
    for (size_t i = 0; y && x && i < n; i++) y[i] = x[i];
    return y;
}

static buffer *buffer_add(selftest *t, const char *label, size_t bytes)
{
    buffer *b = NULL;
    if (t->s) return NULL;
    if (t->buffer_count == SELFTEST_POOL) {
        t->s = context_fail(t->c, STATUS_FAILURE, "self-test: a check needs more than %d buffers", SELFTEST_POOL);
        return NULL;
    }
    t->s = buffer_new(t->c, t->d, label, bytes, &b);
    if (!t->s) t->buffers[t->buffer_count++] = b;
    return b;
}

buffer *selftest_upload(selftest *t, const char *label, const void *x, size_t n)
{
    buffer *b = buffer_add(t, label, n * 4);
    if (!t->s) t->s = buffer_write(t->c, b, 0, x, n * 4);
    return b;
}

buffer *selftest_output(selftest *t, const char *label, size_t n)
{
    buffer *b = buffer_add(t, label, n * 4);
    if (!t->s) t->s = buffer_fill_float(t->c, b, 0, n * 4, NAN);
    return b;
}

float *selftest_download(selftest *t, buffer *b, size_t n)
{
    float *x = selftest_memory(t, n, sizeof *x);
    if (!t->s) t->s = buffer_read(t->c, b, 0, x, n * sizeof *x);
    return t->s ? NULL : x;
}

void selftest_start(selftest *t)
{
    if (!t->s) t->s = device_finish(t->c, t->d);
    t->begun_s = clock_seconds();
}

void selftest_stop(selftest *t)
{
    if (!t->s) t->s = device_finish(t->c, t->d);
    t->elapsed_s = clock_seconds() - t->begun_s;
}

void selftest_add(selftest *t, const char *operator_name, double error, double bound)
{
    if (t->s) return;
    if (t->count == t->capacity) {
        const int capacity = 2 * t->capacity + 64;
        t->s = memory_grow(t->c, "self-test table", (size_t)t->capacity, (size_t)capacity, sizeof *t->rows, &t->rows);
        if (t->s) return;
        t->capacity = capacity;
    }
    if (t->broken && !strcmp(t->broken, operator_name) && error <= bound) error = INFINITY;
    selftest_row *r = &t->rows[t->count++];
    memset(r, 0, sizeof *r);
    snprintf(r->operator_name, sizeof r->operator_name, "%s", operator_name);
    snprintf(r->size, sizeof r->size, "%s", t->size);
    r->error = error;
    r->bound = bound;
    r->seconds = t->elapsed_s;
    r->passed = error <= bound;
    t->elapsed_s = 0; /* several outputs of one launch: the first row has its time */
}

static double largest_of(const double *want, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(want[i]));
    return largest;
}

double selftest_error(const float *got, const double *want, size_t n, double floor)
{
    const double largest = floor < 0 ? largest_of(want, n) : 0;
    double error = 0;
    for (size_t i = 0; i < n; i++) {
        const double difference = fabs(got[i] - want[i]), scale = floor < 0 ? largest : fabs(want[i]) + floor;
        if (difference == 0) continue;
        const double e = difference / scale;
        if (!(e <= error)) error = isnan(e) ? INFINITY : e;
    }
    return error;
}

void selftest_compare(selftest *t, const char *operator_name, buffer *got, const double *want, size_t n, double floor,
                      double bound)
{
    float *x = selftest_download(t, got, n);
    if (!x) return;
    if (t->hash) sha256_add(t->hash, x, n * sizeof *x);
    if (t->broken && !strcmp(t->broken, operator_name)) x[n / 2] += 1 + (float)largest_of(want, n);
    selftest_add(t, operator_name, selftest_error(x, want, n, floor), bound);
}

bool selftest_large(selftest *t)
{
    t->hash = NULL;
    return !t->quick && !t->s;
}
