/* The workloads that `cosmocl bench` runs: one list (workloads.c), one function each. Every workload works on data of
 * its own making in the sizes of the configuration (--preset), repeats what it measures, and says whether its result
 * was checked against an oracle. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <jansson.h>
#include "base/config.h"
#include "device/device.h"

typedef struct {
    context *c;
    device *d;
    const config *cfg;
    int repeat;
    bool doubtful;   /* the device did not pass its self-test (--force): nothing counts as validated */
    json_t *results; /* list of {name, median_s, min_s, max_s, samples_s, gflop_s, gb_s, validated, max_error} */
} bench;

typedef struct {
    const char *name, *summary;
    status (*run)(bench *b);
    bool needs_device;
} bench_workload;

extern const bench_workload bench_workloads[]; /* ended by a NULL name */

/* One measured thing. `once` does the work and waits for it; called once before the clock starts and `repeat` times
 * under it. */
typedef struct {
    const char *name;
    status (*once)(context *c, void *user);
    void *user;
    double samples; /* per call; 0: says nothing of samples */
    double flops;   /* per call; 0: unknown */
    double bytes;   /* read and written, per call; 0: unknown */
    bool validated;
    double max_error; /* relative, against the oracle; NaN: not compared */
} bench_item;

/* The side of the configuration's sub-images. */
int bench_image_side(const config *cfg);

status bench_measure(bench *b, const bench_item *item);
/* The row of an item whose times (count of them, sorted here) were taken elsewhere. */
status bench_record(bench *b, const bench_item *item, int count, double *seconds);

status bench_gan_step(bench *b);
status bench_encoder_step(bench *b);
status bench_layers(bench *b);
status bench_gemm(bench *b);
status bench_peak(bench *b);
status bench_fft(bench *b);
status bench_simulate(bench *b);
status bench_maps(bench *b);
status bench_stats(bench *b);

#endif
