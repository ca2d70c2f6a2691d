/* Figure 1: the densities before and after the transform, and the transform itself. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "report/plots.h"

enum { BINS = 96 };

static bool has_maps(const run *r)
{
    return run_has(r, RUN_PARENTS);
}

static size_t pixels(const sample *m)
{
    return (size_t)m->count * (size_t)m->ny * (size_t)m->nx;
}

static double largest(const sample *m)
{
    float v = 0;
    for (size_t i = 0; i < pixels(m); i++) v = fmaxf(v, m->values[i]);
    return v > 0 ? v : 1;
}

status plot_before(context *c, const run *r, const char *folder, bool *wanted)
{
    double edges[BINS + 1], counts[BINS] = {0};
    page data, script;
    const sample *m = &r->parents;
    *wanted = has_maps(r);
    if (!*wanted) return STATUS_OK;
    double top = largest(m);
    for (int i = 0; i <= BINS; i++) edges[i] = top * i / BINS;
    for (size_t i = 0; i < pixels(m); i++) {
        int b = (int)(m->values[i] / top * BINS);
        counts[b < BINS ? b : BINS - 1]++;
    }
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, "# density in particles per pixel, number of pixels (staircase)\n");
    plot_staircase(&data, edges, counts, BINS);
    plot_head(&script, "Before: a few dense pixels, a sea of empty ones");
    page_raw(&script, "set xlabel 'density  [particles per pixel]'\n"
                      "set ylabel 'pixels'\n"
                      "set logscale y\n"
                      "set format y '10^{%L}'\n"
                      "set yrange [0.7:*]\n"
                      "set autoscale xfix\n"
                      "unset key\n"
                      "plot 'figure1_before.dat' using 1:($2>0.7?$2:0.7) with filledcurves y1=0.7 fillcolor rgb QUIET "
                      "fillstyle solid 0.35, \\\n"
                      "     '' using 1:($2>0.7?$2:0.7) with lines linewidth 1.4 linecolor rgb QUIET\n");
    return plot_save(c, folder, "figure1_before", &data, &script);
}

status plot_after(context *c, const run *r, const char *folder, bool *wanted)
{
    double edges[BINS + 1], density[BINS] = {0};
    page data, script;
    const sample *m = &r->parents;
    *wanted = has_maps(r);
    if (!*wanted) return STATUS_OK;
    for (int i = 0; i <= BINS; i++) edges[i] = -1 + 2. * i / BINS;
    for (size_t i = 0; i < pixels(m); i++) {
        double x = sample_transform(m, m->values[i]);
        int b = (int)floor((x + 1) / 2 * BINS);
        if (x >= -1 && x <= 1) density[b < BINS ? b : BINS - 1] += BINS / (2. * (double)pixels(m));
    }
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, "# transformed density v', probability density (staircase)\n");
    plot_staircase(&data, edges, density, BINS);
    plot_head(&script, "After: a smooth hill inside [−1, 1]");
    page_raw(&script,
             "set xlabel \"transformed density  v′\"\n"
             "set ylabel 'probability density'\n"
             "set xrange [-1:1]\n"
             "set yrange [0:*]\n"
             "set xtics 0.5\n"
             "unset key\n"
             "plot 'figure1_after.dat' using 1:2 with filledcurves y1=0 fillcolor rgb MODEL fillstyle solid 0.30, \\\n"
             "     '' using 1:2 with lines linewidth 1.6 linecolor rgb MODEL\n");
    return plot_save(c, folder, "figure1_after", &data, &script);
}

status plot_transform(context *c, const run *r, const char *folder, bool *wanted)
{
    enum { POINTS = 300 };
    page data, script;
    const sample *m = &r->parents;
    *wanted = has_maps(r);
    if (!*wanted) return STATUS_OK;
    double unit = !strcmp(m->unit, "overdensity") && m->mean > 0 ? m->mean : 1;
    double low = log10(fmax(exp(m->a) - m->offset, .1 * exp(m->a))), high = log10(exp(m->b));
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, "# density in particles per pixel, transformed density v'\n");
    for (int i = 0; i < POINTS; i++) {
        double v = unit * pow(10, low + (high - low) * i / (POINTS - 1));
        page_format(&data, "%.9g %.9g\n", v, sample_transform(m, v));
    }
    plot_head(&script, "The transform: equal ratios become equal steps");
    page_raw(&script, "set xlabel 'density  v  [particles per pixel]'\n"
                      "set ylabel \"transformed density  v′\"\n"
                      "set logscale x\n"
                      "set format x '10^{%L}'\n"
                      "set yrange [-1.05:1.05]\n"
                      "set ytics 0.5\n"
                      "unset key\n"
                      "plot 'figure1_transform.dat' using 1:2 with lines linewidth 2.4 linecolor rgb MODEL\n");
    return plot_save(c, folder, "figure1_transform", &data, &script);
}
