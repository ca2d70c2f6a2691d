#include "stats/bootstrap.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "stats/summary.h"

enum { VALUES = 6 }; /* five figures and the score */

/* A set whose summaries are of a draw; what is per image is borrowed from the original. */
typedef struct {
    stats_set set;
    uint32_t *weights;
} replica;

static status replica_new(context *c, const stats_set *of, replica *r)
{
    r->set = *of;
    const status s = stats_summary_new(c, &r->set);
    return s ? s : memory_new(c, "draws", (size_t)of->images, sizeof *r->weights, &r->weights);
}

static void replica_delete(replica *r)
{
    stats_summary_delete(&r->set);
    memory_delete(&r->weights);
}

static void draw(replica *r, uint64_t seed, uint32_t sub)
{
    const int64_t n = r->set.images, block = r->set.block, blocks = n / block;
    memset(r->weights, 0, (size_t)n * sizeof *r->weights);
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t k = (int64_t)(rng_uniform(seed, RNG_BOOTSTRAP, (uint64_t)i, sub) * (double)blocks);
        for (int64_t j = 0; j < block; j++) r->weights[k * block + j]++;
    }
    stats_summarise(&r->set, r->weights);
}

/* Standard deviation of each value over the replicas. */
static void deviations(double (*v)[VALUES], double *out)
{
    for (int k = 0; k < VALUES; k++) {
        double mean = 0, squares = 0;
        for (int i = 0; i < BOOTSTRAP_REPLICAS; i++) mean += v[i][k];
        mean /= BOOTSTRAP_REPLICAS;
        for (int i = 0; i < BOOTSTRAP_REPLICAS; i++) squares += (v[i][k] - mean) * (v[i][k] - mean);
        out[k] = sqrt(squares / (BOOTSTRAP_REPLICAS - 1));
    }
}

status bootstrap_compute(context *c, const stats_set *model, const stats_set *truth, const score *of, uint64_t seed,
                         bootstrap_errors *out)
{
    replica m = {0}, t = {0};
    double(*v)[VALUES] = NULL, error[VALUES];
    status s = stats_same_shape(c, model, truth);
    if (s) return s;
    s = replica_new(c, model, &m);
    if (!s) s = replica_new(c, truth, &t);
    if (!s) s = memory_new(c, "figures of the draws", BOOTSTRAP_REPLICAS, sizeof *v, &v);
    for (uint32_t i = 0; i < BOOTSTRAP_REPLICAS && !s; i++) {
        stats_figures f;
        draw(&m, seed, 2 * i);
        draw(&t, seed, 2 * i + 1);
        s = stats_figures_compute(c, &m.set, &t.set, &f);
        const double values[VALUES] = {f.pdf, f.mean,  f.std,
                                       f.psd, f.peaks, of ? score_again(of, &m.set, &t.set) : NAN};
        memcpy(v[i], values, sizeof values);
    }
    if (!s) {
        deviations(v, error);
        out->figures = (stats_figures){error[0], error[1], error[2], error[3], error[4]};
        out->score = error[5];
    }
    memory_delete(&v);
    replica_delete(&m);
    replica_delete(&t);
    return s;
}
