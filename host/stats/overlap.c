#include "stats/overlap.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "ops/overlap.h"

enum { TILE = 16, CHUNK = 16384 };

void stats_overlap_options_read(const config *cfg, stats_overlap_options *out)
{
    *out = (stats_overlap_options){.per_image = strcmp(config_text(cfg, "stats.threshold_scope"), "image") == 0,
                                   .seed = (uint64_t)config_integer(cfg, "run.seed")};
}

int64_t stats_overlap_pair_count(int64_t n)
{
    return n <= OVERLAP_ALL ? n * (n - 1) / 2 : OVERLAP_PAIRS;
}

void stats_overlap_pairs(int64_t n, uint64_t seed, uint32_t (*pairs)[2])
{
    if (n > OVERLAP_ALL) {
        for (uint64_t k = 0; k < OVERLAP_PAIRS; k++) {
            const uint32_t i = (uint32_t)(rng_uniform(seed, RNG_PAIRS, k, 0) * (double)n);
            uint32_t j = (uint32_t)(rng_uniform(seed, RNG_PAIRS, k, 1) * (double)(n - 1));
            j += j >= i;
            pairs[k][0] = i < j ? i : j;
            pairs[k][1] = i < j ? j : i;
        }
        return;
    }
    /* By tiles, so that masks are met again while they are near. */
    size_t k = 0;
    for (int64_t ti = 0; ti < n; ti += TILE) {
        for (int64_t tj = ti; tj < n; tj += TILE) {
            for (int64_t i = ti; i < ti + TILE && i < n; i++) {
                for (int64_t j = i + 1 > tj ? i + 1 : tj; j < tj + TILE && j < n; j++) {
                    pairs[k][0] = (uint32_t)i;
                    pairs[k++][1] = (uint32_t)j;
                }
            }
        }
    }
}

/* Sums of what is left of the first value, so that equal values have no scatter at all. */
typedef struct {
    double first, sum, squares;
    int64_t n;
} moments;

static inline void add(moments *m, double v)
{
    m->first = m->n++ ? m->first : v;
    const double x = v - m->first;
    m->sum += x;
    m->squares += x * x;
}

static overlap_moments moments_end(const moments *m)
{
    if (!m->n) return (overlap_moments){NAN, NAN};
    const double mean = m->sum / (double)m->n, square = m->squares / (double)m->n - mean * mean;
    return (overlap_moments){m->first + mean, sqrt(fmax(square, 0))};
}

/* Dice and Jaccard of the counts of pairs at each threshold, added to the moments. sizes[][count]: pixels of masks. */
static void add_pairs(int count, const uint32_t (*pairs)[2], int64_t n, const uint32_t *common, const uint32_t *sizes_a,
                      const uint32_t *sizes_b, moments *dice, moments *jaccard)
{
    for (int64_t i = 0; i < n; i++) {
        const uint32_t *a = sizes_a + (size_t)pairs[i][0] * (size_t)count;
        const uint32_t *b = sizes_b + (size_t)pairs[i][1] * (size_t)count;
        for (int t = 0; t < count; t++) {
            const double shared = common[i * count + t], all = (double)a[t] + (double)b[t];
            if (!(all > 0)) continue;
            add(dice + t, 2 * shared / all);
            if (jaccard) add(jaccard + t, shared / (all - shared));
        }
    }
}

/* The masks of some thresholds of both sets, and what comes of them. */
typedef struct {
    context *c;
    int count;
    int64_t n;
    overlap_masks *truth, *model;
    uint32_t *truth_sizes, *model_sizes, *common; /* [n][count], [n][count], [max(n, CHUNK)][count] */
    uint32_t (*same)[2];                          /* [n]: (i, i) */
} part;

static void part_delete(part *p)
{
    overlap_masks_delete(&p->truth);
    overlap_masks_delete(&p->model);
    memory_delete(&p->truth_sizes);
    memory_delete(&p->model_sizes);
    memory_delete(&p->common);
    memory_delete(&p->same);
}

static status part_new(context *c, device *d, const overlap_shape *shape, const float *truth, const float *model,
                       part *p)
{
    const size_t n = (size_t)shape->images, row = (size_t)shape->count * sizeof(uint32_t);
    *p = (part){.c = c, .count = shape->count, .n = shape->images};
    status s = overlap_masks_new(c, d, shape, truth, &p->truth);
    if (!s) s = overlap_masks_new(c, d, shape, model, &p->model);
    if (!s) s = memory_new(c, "sizes of masks", n, row, &p->truth_sizes);
    if (!s) s = memory_new(c, "sizes of masks", n, row, &p->model_sizes);
    if (!s) s = memory_new(c, "counts of the overlap", n > CHUNK ? n : CHUNK, row, &p->common);
    if (!s) s = memory_new(c, "pairs of the overlap", n, sizeof *p->same, &p->same);
    for (size_t i = 0; !s && i < n; i++) p->same[i][0] = p->same[i][1] = (uint32_t)i;
    if (!s) s = overlap_common(c, p->truth, p->truth, (const uint32_t(*)[2])p->same, p->n, p->truth_sizes);
    if (!s) s = overlap_common(c, p->model, p->model, (const uint32_t(*)[2])p->same, p->n, p->model_sizes);
    return s;
}

static status random_overlap(const part *p, const uint32_t (*pairs)[2], int64_t n, moments *random)
{
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t some = n - first < CHUNK ? n - first : CHUNK;
        const status s = overlap_common(p->c, p->truth, p->truth, pairs + first, some, p->common);
        if (s) return s;
        add_pairs(p->count, pairs + first, some, p->common, p->truth_sizes, p->truth_sizes, random, NULL);
    }
    return STATUS_OK;
}

/* (D − r) / scale of every pair is a line in D. */
static overlap_moments scaled(overlap_moments dice, double random, double scale)
{
    if (!(scale > 0)) return (overlap_moments){NAN, NAN};
    return (overlap_moments){(dice.mean - random) / scale, dice.std / scale};
}

static status compute_part(const part *p, const uint32_t (*pairs)[2], int64_t pair_count, overlap_row *row)
{
    moments dice[OVERLAP_PERCENTS] = {{0}}, jaccard[OVERLAP_PERCENTS] = {{0}}, random[OVERLAP_PERCENTS] = {{0}};
    const uint32_t(*same)[2] = (const uint32_t(*)[2])p->same;
    status s = overlap_common(p->c, p->truth, p->model, same, p->n, p->common);
    if (s) return s;
    add_pairs(p->count, same, p->n, p->common, p->truth_sizes, p->model_sizes, dice, jaccard);
    if ((s = random_overlap(p, pairs, pair_count, random))) return s;
    for (int t = 0; t < p->count; t++) {
        overlap_row *r = row + t;
        r->dice = moments_end(&dice[t]);
        r->jaccard = moments_end(&jaccard[t]);
        r->random = moments_end(&random[t]);
        r->pairs = dice[t].n;
        r->random_pairs = random[t].n;
        r->sem = r->dice.std / sqrt((double)r->pairs);
        r->normalized = scaled(r->dice, r->random.mean, 1 - r->random.mean);
        r->significance = scaled(r->dice, r->random.mean, r->random.std);
    }
    return STATUS_OK;
}

status stats_overlap_compute(context *c, device *d, const stats_overlap_options *o, const float *truth,
                             const float *model, int64_t n, int side, stats_overlap *out)
{
    int percent[OVERLAP_PERCENTS];
    uint32_t(*pairs)[2] = NULL;
    status s = STATUS_OK;
    if (n < 1) return context_fail(c, STATUS_USAGE, "the overlap needs at least one pair of images");
    *out = (stats_overlap){.per_image = o->per_image, .images = n, .random_pairs = stats_overlap_pair_count(n)};
    for (int t = 0; t < OVERLAP_PERCENTS; t++) out->row[t].percent = percent[t] = t ? 5 * t : 1;
    if ((s = memory_new(c, "random pairs", (size_t)out->random_pairs, sizeof *pairs, &pairs))) return s;
    stats_overlap_pairs(n, o->seed, pairs);
    const int fitting = overlap_fitting(d, side * side, n);
    for (int t = 0; !s && t < OVERLAP_PERCENTS; t += fitting) {
        part p;
        const overlap_shape shape = {.pixels = side * side,
                                     .images = n,
                                     .count = OVERLAP_PERCENTS - t < fitting ? OVERLAP_PERCENTS - t : fitting,
                                     .percent = percent + t,
                                     .per_image = o->per_image};
        s = part_new(c, d, &shape, truth, model, &p);
        if (!s) s = compute_part(&p, (const uint32_t(*)[2])pairs, out->random_pairs, out->row + t);
        part_delete(&p);
    }
    memory_delete(&pairs);
    return s;
}
