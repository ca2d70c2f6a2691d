/* `bench`: measures workloads (bench/) on a device and prints one object. */
#include <stdio.h>
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

static void print_table(const json_t *results)
{
    size_t i;
    json_t *row;
    printf("%-56s %12s %12s %12s\n", "", "median ms", "samples/s", "GFLOP/s");
    json_array_foreach((json_t *)results, i, row)
    {
        printf("%-56s %12.3f", json_string_value(json_object_get(row, "name")),
               1e3 * json_number_value(json_object_get(row, "median_s")));
        static const char *const columns[] = {"samples_s", "gflop_s"};
        for (int k = 0; k < 2; k++) {
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
    for (int i = 0; i < line->count && !s; i++) s = find(line->argument[i])->run(&b);
    if (!s && line->json) s = print_object(&b, &origin);
    if (!s && !line->json) print_table(b.results);
    if (!s && b.d) s = common_log_profile(c, line, b.d);
    json_decref(b.results);
    device_delete(&b.d);
    provenance_delete(&origin);
    return s;
}
