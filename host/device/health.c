#include "device/health.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/memory.h"
#include "device/internal.h"

enum {
    N = 10007,
    ROUNDS = 5,
    GROUP = 4,
    CHAINS = 256,
    CHAIN_ROUNDS = 2000
}; /* N is prime: no vector width divides it */

typedef struct {
    float x[N], y[N], z[N], out[N];
    uint32_t words[N];
    buffer *bx, *by, *bz, *bw;
} bench;

/* Products whose low half shows only in a fused sum, sums that round, words that overflow. */
static void fill_inputs(bench *b)
{
    for (uint32_t i = 0; i < N; i++) {
        const uint32_t h = i * 2654435761u;
        b->x[i] = 1.0f + (float)(h >> 9) / 8388608.0f;
        b->y[i] = (float)((h * 40503u) >> 9) / 4194304.0f - 1.0f;
        b->z[i] = -b->x[i] * b->y[i];
    }
}

static status compare_floats(context *c, const device *d, const char *what, const bench *b, int width,
                             float (*f)(float, float, float))
{
    for (int i = 0; i < N; i++) {
        const float right = f(b->x[i], b->y[i], b->z[i]);
        if (memcmp(&b->out[i], &right, sizeof right))
            return context_fail(c, STATUS_SELFTEST,
                                "%s (driver %s) computes wrongly: %s[%d] with vectors of %d is %a, not %a",
                                d->record.name, d->record.driver, what, i, width, (double)b->out[i], (double)right);
    }
    return STATUS_OK;
}

static float sum_of(float x, float y, float z)
{
    (void)z;
    return x + y;
}

static float fused_of(float x, float y, float z)
{
    return fmaf(x, y, z);
}

static status compare_words(context *c, const device *d, const bench *b, int width)
{
    for (uint32_t i = 0; i < N; i++) {
        uint32_t right = i * 77u + 5u;
        for (int r = 0; r < ROUNDS; r++) right = right * 1664525u + 1013904223u;
        if (b->words[i] != right)
            return context_fail(c, STATUS_SELFTEST,
                                "%s (driver %s) computes wrongly: lcg[%u] with vectors of %d is %u, not %u",
                                d->record.name, d->record.driver, i, width, b->words[i], right);
    }
    return STATUS_OK;
}

static status check_reverse(context *c, device *d, bench *b)
{
    kernel *k = NULL;
    const size_t global = N / GROUP * GROUP, local = GROUP;
    status s = kernel_get(c, d, "selfcheck", "reverse", "-DVW=1", &k);
    if (s || kernel_max_work_group(k) < GROUP) return s;
    s = buffer_write(c, b->bz, 0, b->x, sizeof b->x);
    if (!s)
        s = kernel_run(c, k, 1, &global, &local, KERNEL_ARGUMENTS(ARG_BUFFER(b->bz), ARG_LOCAL(GROUP * sizeof(float))));
    if (!s) s = buffer_read(c, b->bz, 0, b->out, sizeof b->out);
    for (size_t i = 0; i < global && !s; i++)
        if (b->out[i] != b->x[i / GROUP * GROUP + GROUP - 1 - i % GROUP])
            s = context_fail(c, STATUS_SELFTEST,
                             "%s (driver %s) computes wrongly: barriers or local memory fail at element %zu",
                             d->record.name, d->record.driver, i);
    return s;
}

static status check_width(context *c, device *d, bench *b, int width)
{
    char options[32];
    kernel *add = NULL, *fused = NULL, *pattern = NULL, *lcg = NULL;
    const size_t global = (N + (size_t)width - 1) / (size_t)width;
    snprintf(options, sizeof options, "-DVW=%d", width);
    status s = kernel_get(c, d, "selfcheck", "add", options, &add);
    if (!s) s = kernel_get(c, d, "selfcheck", "fused", options, &fused);
    if (!s) s = kernel_get(c, d, "selfcheck", "pattern", options, &pattern);
    if (!s) s = kernel_get(c, d, "selfcheck", "lcg", options, &lcg);
    const kernel_argument floats[] = {ARG_BUFFER(b->bx), ARG_BUFFER(b->by), ARG_BUFFER(b->bz), ARG_UINT(N)};
    if (!s) s = buffer_zero(c, b->bz);
    if (!s) s = kernel_run(c, add, 1, &global, NULL, 4, floats);
    if (!s) s = buffer_read(c, b->bz, 0, b->out, sizeof b->out);
    if (!s) s = compare_floats(c, d, "add", b, width, sum_of);
    if (!s) s = buffer_write(c, b->bz, 0, b->z, sizeof b->z);
    if (!s) s = kernel_run(c, fused, 1, &global, NULL, 4, floats);
    if (!s) s = buffer_read(c, b->bz, 0, b->out, sizeof b->out);
    if (!s) s = compare_floats(c, d, "fma", b, width, fused_of);
    if (!s)
        s = kernel_run(c, pattern, 1, &global, NULL,
                       KERNEL_ARGUMENTS(ARG_BUFFER(b->bw), ARG_UINT(5), ARG_UINT(77), ARG_UINT(N)));
    if (!s)
        s = kernel_run(c, lcg, 1, &global, NULL, KERNEL_ARGUMENTS(ARG_BUFFER(b->bw), ARG_UINT(ROUNDS), ARG_UINT(N)));
    if (!s) s = buffer_read(c, b->bw, 0, b->words, sizeof b->words);
    return s ? s : compare_words(c, d, b, width);
}

static status check_all(context *c, device *d, bench *b)
{
    static const int widths[] = {1, 4, 16};
    status s = STATUS_OK;
    for (int i = 0; i < 3 && !s; i++) s = check_width(c, d, b, widths[i]);
    return s ? s : check_reverse(c, d, b);
}

/* Seconds of the fastest of three launches of the chains. */
static status time_chain(context *c, device *d, bench *b, bool is_fused, double *seconds)
{
    kernel *k = NULL;
    const size_t global = CHAINS;
    status s = kernel_get(c, d, "selfcheck", "chain", d->record.is_cpu ? "-DVW=16" : "-DVW=4", &k);
    for (int i = 0; i < 4 && !s; i++) { /* the first one builds */
        s = buffer_write(c, b->bz, 0, b->x, sizeof b->x);
        if (!s) s = device_finish(c, d);
        const double begin = clock_seconds();
        if (!s)
            s = kernel_run(c, k, 1, &global, NULL,
                           KERNEL_ARGUMENTS(ARG_BUFFER(b->bz), ARG_FLOAT(0.999f), ARG_FLOAT(0.001f),
                                            ARG_UINT(CHAIN_ROUNDS), ARG_UINT(is_fused)));
        if (!s) s = device_finish(c, d);
        const double took = clock_seconds() - begin;
        if (i == 1 || (i > 1 && took < *seconds)) *seconds = took;
    }
    return s;
}

status health_check(context *c, device *d, health_result *r)
{
    bench *b = NULL;
    *r = (health_result){0};
    status s = memory_new(c, "device check", 1, sizeof *b, &b);
    if (s) return s;
    fill_inputs(b);
    s = buffer_new(c, d, "device check", sizeof b->x, &b->bx);
    if (!s) s = buffer_new(c, d, "device check", sizeof b->y, &b->by);
    if (!s) s = buffer_new(c, d, "device check", sizeof b->z, &b->bz);
    if (!s) s = buffer_new(c, d, "device check", sizeof b->words, &b->bw);
    if (!s) s = buffer_write(c, b->bx, 0, b->x, sizeof b->x);
    if (!s) s = buffer_write(c, b->by, 0, b->y, sizeof b->y);
    const double begin = clock_seconds();
    if (!s) s = check_all(c, d, b);
    const double middle = clock_seconds();
    if (!s) s = check_all(c, d, b);
    r->build_s = middle - begin;
    r->run_s = clock_seconds() - middle;
    r->checks = s ? 0 : 10 * N;
    double apart = 0, fused = 0;
    if (!s) s = time_chain(c, d, b, false, &apart);
    if (!s) s = time_chain(c, d, b, true, &fused);
    r->fma_cost = apart > 0 ? fused / apart : 0;
    buffer_delete(&b->bx);
    buffer_delete(&b->by);
    buffer_delete(&b->bz);
    buffer_delete(&b->bw);
    memory_delete(&b);
    return s;
}

void health_quirk_why(const char *quirk, char *why, size_t size)
{
    char section[80];
    snprintf(section, sizeof section, "quirk %s", quirk);
    quirks_value(quirks_text(), section, "why", why, size);
}

bool health_card(const char *pci_vendor, char *vendor, size_t vendor_size, char *package, size_t package_size)
{
    char section[80];
    snprintf(section, sizeof section, "pci %s", pci_vendor);
    quirks_value(quirks_text(), section, "vendor", vendor, vendor_size);
    quirks_value(quirks_text(), section, "package", package, package_size);
    return vendor[0] != 0;
}

bool health_vendor_matches(const char *vendor, const device_record *r)
{
    return quirks_vendor_matches(quirks_text(), vendor, r);
}
