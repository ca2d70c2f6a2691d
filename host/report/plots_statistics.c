/* Figures 3 and 7: what simulated maps (truth, red) and generated or inferred ones (model, blue) have in common, four
 * times; and their Minkowski functionals. */
#include <math.h>
#include <stdio.h>
#include "base/memory.h"
#include "report/plots.h"

enum { MEAN_BINS = 26 };
static const char truth_name[] = "simulated";

/* Two sets of maps that are compared. */
typedef struct {
    bool there;
    const numbers *n;
    const char *model_name; /* "generated" */
    double box_mpc_h;       /* side of a map, 0 when unknown */
} comparison;

static comparison comparison_of(const run *r, plot id)
{
    if (id >= PLOT_PAIRS_PDF && id <= PLOT_PAIRS_PEAKS) {
        const double side = run_has(r, RUN_PAIRS) ? r->inferred.box_mpc_h : r->truth.box_mpc_h;
        return (comparison){run_has(r, RUN_PAIRS_STATS), &r->pairs, "inferred", side};
    }
    const double side = run_has(r, RUN_TRUTH)       ? r->truth.box_mpc_h
                        : run_has(r, RUN_GENERATED) ? r->generated.box_mpc_h
                                                    : 0;
    return (comparison){run_has(r, RUN_STATS), &r->stats, "generated", side};
}

/* Two blocks "x y", truth then model, at the bins' geometric centres; zeros become NaN for a logarithmic axis. */
static void write_bins(page *data, const comparison *t, const double *truth, const double *model)
{
    const numbers *n = t->n;
    for (int which = 0; which < 2; which++) {
        const double *y = which ? model : truth;
        page_format(data, "%s# %s\n", which ? "\n\n" : "", which ? t->model_name : truth_name);
        for (int i = 0; i < n->bins; i++)
            page_format(data, "%.9g %.9g\n", sqrt(n->edges[i] * n->edges[i + 1]), y && y[i] > 0 ? y[i] : NAN);
        if (!y) page_raw(data, "# not in this run\n");
    }
}

/* The ends of the part of the axis that holds anything, a bin wider at both sides. */
static void occupied(const numbers *n, const double *truth, const double *model, double *low, double *high)
{
    int first = n->bins, last = -1;
    for (int i = 0; i < n->bins; i++) {
        if (!((truth && truth[i] > 0) || (model && model[i] > 0))) continue;
        if (first == n->bins) first = i;
        last = i;
    }
    *low = n->edges[first >= n->bins ? 0 : first > 0 ? first - 1 : 0];
    *high = n->edges[last < 0 ? n->bins : last + 2 > n->bins ? n->bins : last + 2];
}

static void two_lines(page *script, const comparison *t, const char *name, bool truth, bool model)
{
    page_raw(script, "plot ");
    if (truth)
        page_format(script, "'%s.dat' index 0 using 1:2 with lines linewidth 2.4 linecolor rgb TRUTH title '%s'", name,
                    truth_name);
    if (truth && model) page_raw(script, ", \\\n     ");
    if (model)
        page_format(script, "'%s.dat' index 1 using 1:2 with lines linewidth 2.4 linecolor rgb MODEL title '%s'", name,
                    t->model_name);
    page_raw(script, "\n");
}

/* What is drawn against the density bins: a curve of each set, both axes logarithmic. */
typedef struct {
    const char *columns, *title, *xlabel, *ylabel;
    const double *truth, *model; /* [bins]; either may be NULL */
} bins_plot;

static status plot_bins(context *c, const comparison *t, const char *folder, plot id, const bins_plot *p, bool *wanted)
{
    const numbers *n = t->n;
    page data, script;
    double low, high;
    *wanted = t->there && (p->truth || p->model);
    if (!*wanted) return STATUS_OK;
    page_begin(&data, c);
    page_begin(&script, c);
    page_format(&data, "# %s\n", p->columns);
    write_bins(&data, t, p->truth, p->model);
    occupied(n, p->truth, p->model, &low, &high);
    plot_head(&script, p->title);
    page_format(&script,
                "set xlabel '%s'\n"
                "set ylabel '%s'\n"
                "set logscale xy\n"
                "set format xy '10^{%%L}'\n"
                "set xrange [%.6g:%.6g]\n"
                "set key bottom center\n",
                p->xlabel, p->ylabel, low, high);
    two_lines(&script, t, plot_name(id), p->truth, p->model);
    return plot_save(c, folder, id, &data, &script);
}

status plot_pdf(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    const comparison both = comparison_of(r, id), *t = &both;
    const bins_plot p = {.columns = "density in particles per pixel, share of the pixels per dex",
                         .title = "Pixel densities",
                         .xlabel = "density  [particles per pixel]",
                         .ylabel = "share of pixels per dex",
                         .truth = t->n->truth.pixel_pdf,
                         .model = t->n->model.pixel_pdf};
    return plot_bins(c, t, folder, id, &p, wanted);
}

status plot_peaks(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    const comparison both = comparison_of(r, id), *t = &both;
    const bins_plot p = {.columns = "density of the peak in particles per pixel, mean number of such peaks in a map",
                         .title = "Peaks: pixels above all eight neighbours",
                         .xlabel = "density of the peak  [particles per pixel]",
                         .ylabel = "peaks per map and bin",
                         .truth = t->n->truth.peaks,
                         .model = t->n->model.peaks};
    return plot_bins(c, t, folder, id, &p, wanted);
}

/* Edges over the means of both sets, from the 0th to the 99.5th part of a thousand, so that one odd map does not
 * squeeze the rest together: the last bin takes what lies beyond. */
static void mean_edges(const numbers *n, double edges[MEAN_BINS + 1])
{
    const numbers_set *sets[2] = {&n->truth, &n->model};
    double low = INFINITY, high = -INFINITY;
    for (int which = 0; which < 2; which++) {
        double mean, deviation;
        if (!sets[which]->mean_density) continue;
        numbers_moments(sets[which]->mean_density, sets[which]->maps, 1, &mean, &deviation);
        double least = INFINITY, most = -INFINITY;
        for (int64_t i = 0; i < sets[which]->maps; i++) {
            least = fmin(least, sets[which]->mean_density[i]);
            most = fmax(most, sets[which]->mean_density[i]);
        }
        low = fmin(low, fmax(least, mean - 5 * deviation));
        high = fmax(high, fmin(most, mean + 5 * deviation));
    }
    if (!(high > low)) {
        low = isfinite(low) ? low - .5 : 0;
        high = low + 1;
    }
    for (int i = 0; i <= MEAN_BINS; i++) edges[i] = low + (high - low) * i / MEAN_BINS;
}

status plot_mean(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    const comparison both = comparison_of(r, id), *t = &both;
    const numbers *n = t->n;
    const numbers_set *sets[2] = {&n->truth, &n->model};
    double edges[MEAN_BINS + 1];
    page data, script;
    *wanted = t->there && (n->truth.mean_density || n->model.mean_density);
    if (!*wanted) return STATUS_OK;
    mean_edges(n, edges);
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, "# mean density of a map in particles per pixel, share of the maps (staircase)\n");
    plot_head(&script, "Mean density of a map");
    page_raw(&script, "set xlabel 'mean density  [particles per pixel]'\n"
                      "set ylabel 'share of maps'\n"
                      "set yrange [0:*]\n"
                      "plot ");
    for (int which = 0, drawn = 0; which < 2; which++) {
        double shares[MEAN_BINS] = {0};
        for (int64_t i = 0; sets[which]->mean_density && i < sets[which]->maps; i++) {
            double x = (sets[which]->mean_density[i] - edges[0]) / (edges[MEAN_BINS] - edges[0]) * MEAN_BINS;
            int b = !(x > 0) ? 0 : x >= MEAN_BINS ? MEAN_BINS - 1 : (int)x;
            shares[b] += 1. / (double)sets[which]->maps;
        }
        page_format(&data, "%s# %s\n", which ? "\n\n" : "", which ? t->model_name : truth_name);
        plot_staircase(&data, edges, shares, MEAN_BINS);
        if (!sets[which]->mean_density) continue;
        const char *colour = which ? "MODEL" : "TRUTH";
        page_format(&script,
                    "%s'%s.dat' index %d using 1:2 with filledcurves y1=0 fillcolor rgb %s notitle, \\\n"
                    "     '' index %d using 1:2 with lines linewidth 2 linecolor rgb %s title '%s'",
                    drawn++ ? ", \\\n     " : "", plot_name(id), which, colour, which, colour,
                    which ? t->model_name : truth_name);
    }
    page_raw(&script, "\n");
    return plot_save(c, folder, id, &data, &script);
}

/* k, median, median − MAD, median + MAD; the lower end stays above a hundredth of the median for the logarithmic axis.
 */
static void write_power(page *data, const numbers *n, const numbers_set *set, double unit)
{
    if (!set->power_median) page_raw(data, PLOT_NOTHING);
    for (int i = 0; set->power_median && i < n->rings; i++) {
        double m = set->power_median[i], mad = set->power_mad ? set->power_mad[i] : 0;
        double nu = n->nu ? n->nu[i] : i + 1;
        if (m > 0) page_format(data, "%.9g %.9g %.9g %.9g\n", nu * unit, m, fmax(m - mad, .01 * m), m + mad);
    }
}

status plot_power(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    const comparison both = comparison_of(r, id), *t = &both;
    const numbers *n = t->n;
    const numbers_set *sets[2] = {&n->truth, &n->model};
    page data, script;
    double side = t->box_mpc_h, unit = side > 0 ? 2 * acos(-1) / side : 1;
    *wanted = t->there && (n->truth.power_median || n->model.power_median);
    if (!*wanted) return STATUS_OK;
    page_begin(&data, c);
    page_begin(&script, c);
    page_format(&data, "# %s, median of the ring mean of |DFT|^2, median - MAD, median + MAD\n",
                side > 0 ? "k in h/Mpc" : "ring nu");
    plot_head(&script, "Power spectrum  (bands: scatter between maps)");
    page_format(&script,
                "set xlabel '%s'\n"
                "set ylabel 'P(k)  [(particles per pixel)^2]'\n"
                "set logscale xy\n"
                "set format y '10^{%%L}'\n"
                "%s"
                "set autoscale xfix\n"
                "set key bottom left\n"
                "plot ",
                side > 0 ? "wavenumber  k  [h/Mpc]" : "frequency  ν",
                side > 0 ? "set xtics add (0.2, 0.5, 2, 5)\n" : "");
    for (int which = 0, drawn = 0; which < 2; which++) {
        page_format(&data, "%s# %s\n", which ? "\n\n" : "", which ? t->model_name : truth_name);
        write_power(&data, n, sets[which], unit);
        if (!sets[which]->power_median) continue;
        const char *colour = which ? "MODEL" : "TRUTH";
        page_format(&script,
                    "%s'%s.dat' index %d using 1:3:4 with filledcurves fillcolor rgb %s notitle, \\\n"
                    "     '' index %d using 1:2 with lines linewidth 2.4 linecolor rgb %s title '%s'",
                    drawn++ ? ", \\\n     " : "", plot_name(id), which, colour, which, colour,
                    which ? t->model_name : truth_name);
    }
    page_raw(&script, "\n");
    return plot_save(c, folder, id, &data, &script);
}
