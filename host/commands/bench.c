/* `bench`: measures workloads (bench/) on a device and prints one object. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "base/memory.h"
#include "commands/ready.h"

#ifndef COSMOCL_COMMIT
#define COSMOCL_COMMIT "unknown"
#endif

static const bench_workload *find(const char *name)
{
    for (const bench_workload *w = bench_workloads; w->name; w++)
        if (strcmp(w->name, name) == 0) return w;
    return NULL;
}

static void list(void)
{
    for (const bench_workload *w = bench_workloads; w->name; w++) printf("%-10s %s\n", w->name, w->summary);
}

static double rate(const json_t *results, const char *name, const char *key)
{
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *row = json_array_get(results, i);
        if (!strcmp(json_string_value(json_object_get(row, "name")), name))
            return json_number_value(json_object_get(row, key));
    }
    return 0;
}

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const device_profile_row *)a)->seconds, y = ((const device_profile_row *)b)->seconds;
    return (x < y) - (x > y);
}

/* Where the time went: kernels with their rates and the share of the peak that they reach, of arithmetic or of memory.
 */
static status print_profile(bench *b, const json_t *peak)
{
    const double gflop_s = rate(peak, "peak fma", "gflop_s"), gb_s = rate(peak, "peak copy", "gb_s");
    device_profile_row *rows = NULL;
    int count = 0;
    double all = 0;
    const status s = device_profile(b->c, b->d, &rows, &count);
    if (s) return s;
    qsort(rows, (size_t)count, sizeof *rows, by_seconds);
    for (int i = 0; i < count; i++) all += rows[i].seconds;
    printf("\npeak %.1f GFLOP/s, %.1f GB/s\n%-44s %9s %10s %7s %9s %8s %8s\n", gflop_s, gb_s, "", "launches", "ms",
           "time", "GFLOP/s", "GB/s", "of peak");
    for (int i = 0; i < count; i++) {
        const device_profile_row *r = &rows[i];
        const double flops = r->seconds > 0 ? 1e-9 * r->flops / r->seconds : 0;
        const double bytes = r->seconds > 0 ? 1e-9 * r->bytes / r->seconds : 0;
        const double share = fmax(gflop_s > 0 ? flops / gflop_s : 0, gb_s > 0 ? bytes / gb_s : 0);
        printf("%-44s %9lld %10.2f %5.1f %% %9.1f %8.1f", r->kernel, (long long)r->launches, 1e3 * r->seconds,
               all > 0 ? 100 * r->seconds / all : 0, flops, bytes);
        printf(share > 0 ? " %6.0f %%\n" : "\n", 100 * share);
    }
    memory_delete(&rows);
    return STATUS_OK;
}

/* The device's peaks for print_profile; what was profiled so far is forgotten. */
static status measure_peak(bench *b, json_t **peak)
{
    bench other = *b;
    device_profile_row *rows = NULL;
    int count = 0;
    other.results = json_array();
    other.repeat = 3;
    status s = bench_peak(&other);
    if (!s) s = device_profile(b->c, b->d, &rows, &count);
    memory_delete(&rows);
    *peak = other.results;
    return s;
}

static void print_table(const json_t *results)
{
    size_t i;
    json_t *row;
    printf("%-56s %12s %12s %12s %12s\n", "", "median ms", "samples/s", "GFLOP/s", "GB/s");
    json_array_foreach((json_t *)results, i, row)
    {
        printf("%-56s %12.3f", json_string_value(json_object_get(row, "name")),
               1e3 * json_number_value(json_object_get(row, "median_s")));
        static const char *const columns[] = {"samples_s", "gflop_s", "gb_s"};
        for (int k = 0; k < 3; k++) {
            json_t *x = json_object_get(row, columns[k]);
            if (x)
                printf(" %12.1f", json_number_value(x));
            else
                printf(" %12s", "");
        }
        putchar('\n');
    }
}

static status print_object(bench *b, const provenance *origin)
{
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:O}", "schema", 1, "device", origin->device, "driver",
                             b->d ? device_info(b->d)->driver : "none", "commit", COSMOCL_COMMIT, "selftest",
                             origin->selftest, "repeat", b->repeat, "results", b->results);
    if (!root) return context_fail(b->c, STATUS_MEMORY, "no memory for the results");
    json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

status command_bench(context *c, const command_line *line)
{
    bench b = {.c = c, .cfg = line->cfg, .results = json_array()};
    provenance origin = {0};
    int64_t repeat = 5;
    bool device_needed = false;
    json_t *peak = NULL;
    if (!line->count) {
        list();
        json_decref(b.results);
        return STATUS_OK;
    }
    status s = command_flag_integer(c, line, "repeat", 1, 100000, &repeat);
    b.repeat = (int)repeat;
    for (int i = 0; i < line->count && !s; i++) {
        const bench_workload *w = find(line->argument[i]);
        if (!w)
            s = context_fail(c, STATUS_USAGE, "bench: no workload %s; `cosmocl bench` lists them", line->argument[i]);
        device_needed |= w && w->needs_device;
    }
    if (!s && device_needed) s = ready_device(c, line, &origin, &b.d);
    b.doubtful = b.d && strncmp(origin.selftest, "passed", 6) != 0;
    const bool profile = b.d && command_flag_given(line, "profile");
    if (!s && profile) s = measure_peak(&b, &peak);
    for (int i = 0; i < line->count && !s; i++) s = find(line->argument[i])->run(&b);
    if (!s && line->json) s = print_object(&b, &origin);
    if (!s && !line->json) print_table(b.results);
    if (!s && profile && !line->json) s = print_profile(&b, peak);
    if (!s && b.d) s = common_log_profile(c, line, b.d);
    json_decref(peak);
    json_decref(b.results);
    device_delete(&b.d);
    provenance_delete(&origin);
    return s;
}
