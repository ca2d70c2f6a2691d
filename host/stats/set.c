#include "stats/set.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "stats/neighbours.h"
#include "stats/summary.h"

struct stats_plan {
    stats_options options;
    int side;
    double *edges;
    reducer *reducer;
    distance_plan *distances; /* NULL: no neighbours */
};

enum { NEIGHBOURS_MOST = 256 };

status stats_options_read(context *c, const config *cfg, stats_options *out)
{
    *out = (stats_options){.density_min = config_real(cfg, "stats.density_min"),
                           .density_max = config_real(cfg, "stats.density_max"),
                           .density_bins = (int)config_integer(cfg, "stats.density_bins")};
    if (out->density_min < out->density_max) return STATUS_OK;
    return context_fail(c, STATUS_USAGE, "stats.density_min = %g is not below stats.density_max = %g", out->density_min,
                        out->density_max);
}

int stats_neighbours(int64_t n)
{
    return n < NEIGHBOURS_MOST ? (int)n : NEIGHBOURS_MOST;
}

void stats_edges(double minimum, double maximum, int bins, double *edges)
{
    const double low = log10(minimum), width = log10(maximum) - low;
    for (int i = 0; i <= bins; i++) edges[i] = pow(10, low + width * i / bins);
    edges[0] = minimum;
    edges[bins] = maximum;
}

status stats_plan_new(context *c, device *d, const stats_options *o, int side, stats_plan **out)
{
    stats_plan *p = NULL;
    double coarse[STATS_COARSE_BINS + 1];
    *out = NULL;
    status s = STATUS_OK;
    if (o->density_bins < 1 || !(o->density_min > 0) || !(o->density_min < o->density_max) ||
        !isfinite(o->density_max)) {
        return context_fail(c, STATUS_USAGE, "%d density bins from %g to %g: give at least one, and ends 0 < min < max",
                            o->density_bins, o->density_min, o->density_max);
    }
    if ((s = memory_new(c, "statistics", 1, sizeof *p, &p))) goto out;
    p->options = *o;
    p->side = side;
    if ((s = memory_new(c, "density edges", (size_t)o->density_bins + 1, sizeof *p->edges, &p->edges))) goto out;
    stats_edges(o->density_min, o->density_max, o->density_bins, p->edges);
    stats_edges(o->density_min, o->density_max, STATS_COARSE_BINS, coarse);
    const reduce_shape shape = {.side = side,
                                .edges = p->edges,
                                .bins = o->density_bins,
                                .coarse_edges = coarse,
                                .coarse_bins = STATS_COARSE_BINS};
    if ((s = reducer_new(c, d, &shape, &p->reducer))) goto out;
    /* The floor of the distances is the first edge, as far as a float can be one. */
    const float floor = (float)fmin(fmax(o->density_min, 1e-30), 1e30);
    if (o->neighbours > 1 && (s = distance_plan_new(c, d, o->neighbours, (int64_t)side * side, floor, &p->distances)))
        goto out;
    *out = p;
    p = NULL;
out:
    stats_plan_delete(&p);
    return s;
}

void stats_plan_delete(stats_plan **p)
{
    if (!p || !*p) return;
    reducer_delete(&(*p)->reducer);
    distance_plan_delete(&(*p)->distances);
    memory_delete(&(*p)->edges);
    memory_delete(p);
}

reducer *stats_plan_reducer(stats_plan *p)
{
    return p->reducer;
}

static status set_new(context *c, const stats_plan *p, int64_t n, stats_set *out)
{
    status s = STATUS_OK;
    const int wanted = p->options.neighbours < n ? p->options.neighbours : (int)n;
    *out = (stats_set){.images = n,
                       .block = 1,
                       .side = p->side,
                       .bins = p->options.density_bins,
                       .rings = reducer_rings(p->reducer),
                       .neighbours = wanted > 1 ? wanted : 0};
    const size_t count = (size_t)n, bins = (size_t)out->bins, rings = (size_t)out->rings;
    const size_t functionals = MINKOWSKI * (bins + 1);
    if ((s = memory_new(c, "density edges", bins + 1, sizeof(double), &out->edges))) return s;
    if ((s = memory_new(c, "pixel counts", bins + 2, sizeof(uint64_t), &out->pixel_counts))) return s;
    if ((s = memory_new(c, "mean densities", count, sizeof(double), &out->mean_density))) return s;
    if ((s = memory_new(c, "power spectra", count, rings * sizeof(double), &out->power))) return s;
    if ((s = memory_new(c, "spectrum's scatter", rings, sizeof(double), &out->power_mad))) return s;
    if ((s = memory_new(c, "pixel counts of the images", count, STATS_COARSE_COLUMNS * sizeof(uint32_t),
                        &out->coarse_all)))
        return s;
    if ((s = memory_new(c, "peak counts", count, (bins + 2) * sizeof(uint32_t), &out->peak_counts))) return s;
    if ((s = memory_new(c, "Minkowski functionals", count, functionals * sizeof(int32_t), &out->minkowski))) return s;
    if ((s = memory_new(c, "scatter of the functionals", functionals, sizeof(double), &out->minkowski_mad))) return s;
    if (out->neighbours &&
        (s = memory_new(c, "nearest distances", (size_t)out->neighbours, sizeof(double), &out->nearest)))
        return s;
    if ((s = memory_new(c, "order of the images", rings + 1, count * sizeof(uint32_t), &out->order))) return s;
    memcpy(out->edges, p->edges, (bins + 1) * sizeof *out->edges);
    return stats_summary_new(c, out);
}

static reduce_result results(const stats_set *s)
{
    return (reduce_result){.mean = s->mean_density,
                           .power = s->power,
                           .pixel_counts = s->pixel_counts,
                           .coarse_counts = s->coarse_all,
                           .peak_counts = s->peak_counts,
                           .minkowski = s->minkowski};
}

static status begin(context *c, const stats_plan *p, int64_t n, stats_set *out)
{
    *out = (stats_set){0};
    if (n < 1 || n > UINT32_MAX)
        return context_fail(c, STATUS_USAGE, n < 1 ? "statistics need at least one image" : "too many images");
    return set_new(c, p, n, out);
}

/* What comes of the statistics of the single images. */
static status finish(context *c, stats_plan *p, const float *images, stats_set *s)
{
    status e = STATUS_OK;
    if (s->neighbours)
        e = neighbours_within(c, p->distances, images, s->images, (int64_t)p->side * p->side, s->neighbours, s->nearest,
                              &s->contrast);
    if (e) return e;
    stats_summary_sort(s);
    stats_summarise(s, NULL);
    return stats_summary_spreads(c, s);
}

status stats_set_from_host(context *c, stats_plan *p, const char *what, const float *images, int64_t n, stats_set *out)
{
    status s = begin(c, p, n, out);
    const reduce_result r = results(out);
    if (!s) s = reduce_host_images(c, p->reducer, images, n, &r);
    if (!s) s = finish(c, p, images, out);
    if (s) stats_set_delete(out);
    return s ? context_prefix(c, s, "%s", what) : s;
}

status stats_sets_from_pairs(context *c, stats_plan *p, const char *what, const float *truths, const float *models,
                             int64_t n, stats_set *truth, stats_set *model, double **cross)
{
    *cross = NULL;
    *model = (stats_set){0};
    status s = begin(c, p, n, truth);
    if (!s) s = begin(c, p, n, model);
    if (!s) s = memory_new(c, "cross spectra", (size_t)n, (size_t)truth->rings * sizeof **cross, cross);
    const reduce_result of_truth = results(truth), of_model = results(model);
    if (!s) s = reduce_host_pairs(c, p->reducer, truths, models, n, &of_truth, &of_model, *cross);
    if (!s) s = finish(c, p, truths, truth);
    if (!s) s = finish(c, p, models, model);
    if (!s) return s;
    stats_set_delete(truth);
    stats_set_delete(model);
    memory_delete(cross);
    return context_prefix(c, s, "%s", what);
}

void stats_set_delete(stats_set *s)
{
    if (!s) return;
    stats_summary_delete(s);
    memory_delete(&s->edges);
    memory_delete(&s->pixel_counts);
    memory_delete(&s->mean_density);
    memory_delete(&s->power);
    memory_delete(&s->power_mad);
    memory_delete(&s->coarse_all);
    memory_delete(&s->peak_counts);
    memory_delete(&s->minkowski);
    memory_delete(&s->minkowski_mad);
    memory_delete(&s->nearest);
    memory_delete(&s->order);
    *s = (stats_set){0};
}

int64_t stats_thin(float *images, int64_t n, int64_t pixels, int64_t most)
{
    if (n <= most) return n;
    for (int64_t i = 0; i < most; i++)
        memmove(images + i * pixels, images + i * n / most * pixels, (size_t)pixels * sizeof *images);
    return most;
}

double stats_set_pixels(const stats_set *s)
{
    return (double)s->images * s->side * s->side;
}

void stats_set_pdf(const stats_set *s, double *pdf)
{
    const double pixels = stats_set_pixels(s);
    for (int b = 0; b < s->bins; b++) {
        pdf[b] = (double)s->pixel_counts[b + 1] / pixels / log10(s->edges[b + 1] / s->edges[b]);
    }
}
