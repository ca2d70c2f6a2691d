/* The list of workloads and the clock. */
#include "bench/bench.h"
#include <math.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/memory.h"

const bench_workload bench_workloads[] = {
    {"gan-step", "one update of discriminator and generator on a full batch", bench_gan_step, true},
    {"encoder-step", "one update of the encoder with each of its losses", bench_encoder_step, true},
    {"layers", "each layer of both networks, forward, backward data, backward weights", bench_layers, true},
    {"simulate", "steps of the particle mesh", bench_simulate, true},
    {"maps", "DTFE of a box, and boxes from start to map with all cores", bench_maps, true},
    {"stats", "all statistics of 1000 matched maps, together and one by one", bench_stats, true},
    {"fft", "pairs of Fourier transforms of the mesh and of batches of images", bench_fft, true},
    {"gemm", "matrix products by our kernel and by CLBlast", bench_gemm, true},
    {"peak", "fused multiply-adds in registers and copies in memory: what the device can do at most", bench_peak, true},
    {0}};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

status bench_record(bench *b, const bench_item *item, int count, double *seconds)
{
    qsort(seconds, (size_t)count, sizeof *seconds, ascending);
    int middle = count / 2;
    double median = count % 2 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
    json_t *row = json_pack("{s:s, s:f, s:f, s:f}", "name", item->name, "median_s", median, "min_s", seconds[0],
                            "max_s", seconds[count - 1]);
    if (item->samples > 0) json_object_set_new(row, "samples_s", json_real(item->samples / median));
    if (item->flops > 0) json_object_set_new(row, "gflop_s", json_real(item->flops / median * 1e-9));
    if (item->bytes > 0) json_object_set_new(row, "gb_s", json_real(item->bytes / median * 1e-9));
    json_object_set_new(row, "validated", json_boolean(item->validated && !b->doubtful));
    json_object_set_new(row, "max_error", isfinite(item->max_error) ? json_real(item->max_error) : json_null());
    if (json_array_append_new(b->results, row)) return context_fail(b->c, STATUS_MEMORY, "no memory for the results");
    return STATUS_OK;
}

status bench_measure(bench *b, const bench_item *item)
{
    double *seconds = NULL;
    status s = memory_new(b->c, "times", (size_t)b->repeat, sizeof *seconds, &seconds);
    if (!s) s = item->once(b->c, item->user);
    for (int i = 0; i < b->repeat && !s; i++) {
        double start = clock_seconds();
        s = item->once(b->c, item->user);
        seconds[i] = clock_seconds() - start;
        if (!s && context_stop_requested(b->c)) s = context_fail(b->c, STATUS_INTERRUPTED, "interrupted");
    }
    if (!s) s = bench_record(b, item, b->repeat, seconds);
    memory_delete(&seconds);
    return context_prefix(b->c, s, "bench %s", item->name);
}
