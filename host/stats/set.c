#include "stats/set.h"

#include <math.h>
#include <stdlib.h>
#include "base/memory.h"

struct stats_plan {
    stats_options options;
    int side;
    double *edges;
    reducer *reducer;
};

status stats_options_read(context *c, const config *cfg, stats_options *out)
{
    *out = (stats_options){.density_min = config_real(cfg, "stats.density_min"),
                           .density_max = config_real(cfg, "stats.density_max"),
                           .density_bins = (int)config_integer(cfg, "stats.density_bins")};
    if (out->density_min < out->density_max) return STATUS_OK;
    return context_fail(c, STATUS_USAGE, "stats.density_min = %g is not below stats.density_max = %g", out->density_min,
                        out->density_max);
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
    memory_delete(&(*p)->edges);
    memory_delete(p);
}

reducer *stats_plan_reducer(stats_plan *p)
{
    return p->reducer;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stats_median(double *v, int64_t n)
{
    if (n < 1) return NAN;
    qsort(v, (size_t)n, sizeof *v, ascending);
    return n % 2 ? v[n / 2] : v[n / 2 - 1] + (v[n / 2] - v[n / 2 - 1]) / 2;
}

static status summarise_power(context *c, stats_set *s)
{
    double *column = NULL;
    const status e = memory_new(c, "power of a ring", (size_t)s->images, sizeof *column, &column);
    if (e) return e;
    for (int r = 0; r < s->rings; r++) {
        for (int64_t i = 0; i < s->images; i++) column[i] = s->power[i * s->rings + r];
        s->power_median[r] = stats_median(column, s->images);
        for (int64_t i = 0; i < s->images; i++) column[i] = fabs(column[i] - s->power_median[r]);
        s->power_mad[r] = stats_median(column, s->images);
    }
    memory_delete(&column);
    return STATUS_OK;
}

/* Moments in units of the largest value, so that squares of huge densities do not overflow. */
static void summarise_means(stats_set *s)
{
    double largest = 0, sum = 0, squares = 0;
    for (int64_t i = 0; i < s->images; i++) largest = fmax(largest, fabs(s->mean_density[i]));
    const double unit = largest > 0 ? largest : 1;
    for (int64_t i = 0; i < s->images; i++) sum += s->mean_density[i] / unit;
    const double mean = sum / (double)s->images;
    for (int64_t i = 0; i < s->images; i++) {
        const double d = s->mean_density[i] / unit - mean;
        squares += d * d;
    }
    s->mean = mean * unit;
    s->scatter = sqrt(squares / (double)s->images) * unit;
}

static void summarise_peaks(stats_set *s)
{
    const int columns = s->bins + 2;
    for (int64_t i = 0; i < s->images; i++) {
        for (int b = 0; b < columns; b++) {
            s->peak_means[b] += s->peak_counts[i * columns + b];
            s->peaks_total += s->peak_counts[i * columns + b];
        }
    }
    for (int b = 0; b < columns; b++) s->peak_means[b] /= (double)s->images;
}

status stats_set_from_host(context *c, stats_plan *p, const char *what, const float *images, int64_t n, stats_set *out)
{
    status s = STATUS_OK;
    *out =
        (stats_set){.images = n, .side = p->side, .bins = p->options.density_bins, .rings = reducer_rings(p->reducer)};
    if (n < 1) {
        s = context_fail(c, STATUS_USAGE, "statistics need at least one image");
        goto out;
    }
    const size_t count = (size_t)n, bins = (size_t)out->bins, rings = (size_t)out->rings;
    if ((s = memory_new(c, "density edges", bins + 1, sizeof(double), &out->edges))) goto out;
    if ((s = memory_new(c, "pixel counts", bins + 2, sizeof(uint64_t), &out->pixel_counts))) goto out;
    if ((s = memory_new(c, "mean densities", count, sizeof(double), &out->mean_density))) goto out;
    if ((s = memory_new(c, "power spectra", count, rings * sizeof(double), &out->power))) goto out;
    if ((s = memory_new(c, "median spectrum", rings, sizeof(double), &out->power_median))) goto out;
    if ((s = memory_new(c, "spectrum's scatter", rings, sizeof(double), &out->power_mad))) goto out;
    if ((s = memory_new(c, "peak counts", count, (bins + 2) * sizeof(uint32_t), &out->peak_counts))) goto out;
    if ((s = memory_new(c, "mean peak counts", bins + 2, sizeof(double), &out->peak_means))) goto out;
    for (size_t i = 0; i <= bins; i++) out->edges[i] = p->edges[i];
    const reduce_result r = {.mean = out->mean_density,
                             .power = out->power,
                             .pixel_counts = out->pixel_counts,
                             .coarse_counts = out->coarse_counts,
                             .peak_counts = out->peak_counts};
    s = reduce_host_images(c, p->reducer, images, n, &r);
    if (s) goto out;
    if ((s = summarise_power(c, out))) goto out;
    summarise_means(out);
    summarise_peaks(out);
out:
    if (s) stats_set_delete(out);
    return s ? context_prefix(c, s, "%s", what) : s;
}

void stats_set_delete(stats_set *s)
{
    if (!s) return;
    memory_delete(&s->edges);
    memory_delete(&s->pixel_counts);
    memory_delete(&s->mean_density);
    memory_delete(&s->power);
    memory_delete(&s->power_median);
    memory_delete(&s->power_mad);
    memory_delete(&s->peak_counts);
    memory_delete(&s->peak_means);
    *s = (stats_set){0};
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
