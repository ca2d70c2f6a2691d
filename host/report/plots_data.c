/* Figure 1: the densities before and after the transform, and the transform itself. */
#include <ctype.h>
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

/* An axis label with the unit of a file, of which only what means nothing to gnuplot is kept. */
static void x_label(page *script, const char *what, const char *unit)
{
    char plain[32] = "";
    for (size_t n = 0; *unit && n + 1 < sizeof plain; unit++)
        if (isalnum((unsigned char)*unit) || strchr(" ./*()+-", *unit)) plain[n++] = *unit;
    page_format(script, "set xlabel '%s  [%s]'\n", what, plain);
}

/* From zero, or the least value below it, to the largest; never empty. */
static void extremes(const sample *m, double *low, double *high)
{
    *low = *high = 0;
    for (size_t i = 0; i < pixels(m); i++) {
        *low = fmin(*low, (double)m->values[i]);
        *high = fmax(*high, (double)m->values[i]);
    }
    if (!(*high > *low)) *high = *low + 1;
}

status plot_before(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    double edges[BINS + 1], counts[BINS] = {0};
    page data, script;
    const sample *m = &r->parents;
    *wanted = has_maps(r);
    if (!*wanted) return STATUS_OK;
    double low, high;
    extremes(m, &low, &high);
    for (int i = 0; i <= BINS; i++) edges[i] = low + (high - low) * i / BINS;
    for (size_t i = 0; i < pixels(m); i++) {
        int b = (int)((m->values[i] - low) / (high - low) * BINS);
        counts[b < BINS ? b : BINS - 1]++;
    }
    page_begin(&data, c);
    page_begin(&script, c);
    page_format(&data, "# density in %s, number of pixels (staircase)\n", m->units);
    plot_staircase(&data, edges, counts, BINS);
    plot_head(&script, "Before: a few dense pixels, a sea of empty ones");
    x_label(&script, "density", m->units);
    page_raw(&script, "set ylabel 'pixels'\n"
                      "set logscale y\n"
                      "set format y '10^{%L}'\n"
                      "set yrange [0.7:*]\n"
                      "set autoscale xfix\n"
                      "unset key\n"
                      "plot 'figure1_before.dat' using 1:($2>0.7?$2:0.7) with filledcurves y1=0.7 fillcolor rgb QUIET "
                      "fillstyle solid 0.35, \\\n"
                      "     '' using 1:($2>0.7?$2:0.7) with lines linewidth 1.4 linecolor rgb QUIET\n");
    return plot_save(c, folder, id, &data, &script);
}

status plot_after(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    double edges[BINS + 1], density[BINS] = {0};
    page data, script;
    const sample *m = &r->parents;
    *wanted = has_maps(r);
    if (!*wanted) return STATUS_OK;
    for (int i = 0; i <= BINS; i++) edges[i] = -1 + 2. * i / BINS;
    for (size_t i = 0; i < pixels(m); i++) {
        double x = transform_to(&m->transform, m->values[i]);
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
    return plot_save(c, folder, id, &data, &script);
}

/* Where the offset rules, the curve is flat: a tenth of it is low enough. */
static double lowest_drawn(const transform_shape *t)
{
    return fmax(transform_from(t, -1), .1 * exp(t->a) / t->scale);
}

status plot_transform(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    enum { POINTS = 300 };
    page data, script;
    const sample *m = &r->parents;
    *wanted = has_maps(r);
    if (!*wanted) return STATUS_OK;
    const transform_shape *t = &m->transform;
    const bool linear = t->kind == TRANSFORM_LINEAR;
    const double top = transform_from(t, 1), bottom = linear ? transform_from(t, -1) : log(lowest_drawn(t));
    page_begin(&data, c);
    page_begin(&script, c);
    page_format(&data, "# density in %s, transformed density v'\n", m->units);
    for (int i = 0; i < POINTS; i++) {
        double v = bottom + ((linear ? top : log(top)) - bottom) * i / (POINTS - 1);
        if (!linear) v = exp(v);
        page_format(&data, "%.9g %.9g\n", v, transform_to(t, v));
    }
    plot_head(&script, linear ? "The transform" : "The transform: equal ratios become equal steps");
    x_label(&script, "density  v", m->units);
    page_raw(&script, linear ? "" : "set logscale x\nset format x '10^{%L}'\n");
    page_raw(&script, "set ylabel \"transformed density  v′\"\n"
                      "set yrange [-1.05:1.05]\n"
                      "set ytics 0.5\n"
                      "unset key\n"
                      "plot 'figure1_transform.dat' using 1:2 with lines linewidth 2.4 linecolor rgb MODEL\n");
    return plot_save(c, folder, id, &data, &script);
}
