/* The Minkowski functionals of the parts of the maps above each density: area, boundary, and pieces less holes. */
#include <math.h>
#include <stdio.h>
#include "report/plots.h"

static const struct {
    const char *title, *ylabel;
    double scale; /* of the axis */
} rows[MINKOWSKI] = {
    [MINKOWSKI_AREA] = {"Area above a density", "share of the pixels", 1},
    [MINKOWSKI_PERIMETER] = {"Length of its boundary", "pixel sides per pixel", 1},
    [MINKOWSKI_EULER] = {"Its pieces less its holes (Euler characteristic)", "per 1000 pixels", 1000},
};

/* "density mean mean−std mean+std" of each edge. */
static void write_set(page *data, const numbers *n, const numbers_set *set, int which)
{
    if (!set->minkowski[which]) page_raw(data, PLOT_NOTHING);
    for (int e = 0; set->minkowski[which] && e <= n->bins; e++) {
        const double m = set->minkowski[which][e] * rows[which].scale;
        const double d = set->minkowski_std[which][e] * rows[which].scale;
        page_format(data, "%.9g %.9g %.9g %.9g\n", n->edges[e], m, m - d, m + d);
    }
}

/* The densities between which not nearly all or nearly none of the pixels lie above. */
static void range_of(const numbers *n, double *low, double *high)
{
    int first = n->bins, last = 0;
    const numbers_set *sets[2] = {&n->truth, &n->model};
    for (int k = 0; k < 2; k++)
        for (int e = 0; sets[k]->minkowski[MINKOWSKI_AREA] && e <= n->bins; e++) {
            const double area = sets[k]->minkowski[MINKOWSKI_AREA][e];
            if (!(area < .9995 && area > 2e-5)) continue;
            first = e < first ? e : first;
            last = e > last ? e : last;
        }
    *low = n->edges[last > first ? first : 0];
    *high = n->edges[last > first ? last : n->bins];
}

status plot_minkowski(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    static const char *const names[2] = {"simulated", "generated"}, *const colours[2] = {"TRUTH", "MODEL"};
    const numbers *n = &r->stats;
    const numbers_set *sets[2] = {&n->truth, &n->model};
    const int which = (int)id - PLOT_AREA;
    page data, script;
    double low, high;
    *wanted = run_has(r, RUN_STATS) && (sets[0]->minkowski[which] || sets[1]->minkowski[which]);
    if (!*wanted) return STATUS_OK;
    range_of(n, &low, &high);
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, "# density in particles per pixel, mean over the maps, less and plus their deviation\n");
    plot_head(&script, rows[which].title);
    page_format(&script,
                "set xlabel 'above a density of  [particles per pixel]'\n"
                "set ylabel '%s'\n"
                "set logscale x\n"
                "set xtics add (0.05, 0.2, 0.5, 2, 5, 20, 50)\n"
                "set xrange [%.6g:%.6g]\n"
                "%s"
                "plot ",
                rows[which].ylabel, low, high,
                which == MINKOWSKI_EULER  ? "set arrow from graph 0, first 0 to graph 1, first 0 nohead dashtype 2 "
                                            "linecolor rgb QUIET\n"
                : which == MINKOWSKI_AREA ? "set yrange [0:1.02]\n"
                                          : "set yrange [0:*]\n");
    for (int k = 0, drawn = 0; k < 2; k++) {
        page_format(&data, "%s# %s\n", k ? "\n\n" : "", names[k]);
        write_set(&data, n, sets[k], which);
        if (!sets[k]->minkowski[which]) continue;
        page_format(&script,
                    "%s'%s.dat' index %d using 1:3:4 with filledcurves fillcolor rgb %s notitle, \\\n"
                    "     '' index %d using 1:2 with lines linewidth 2.4 linecolor rgb %s title '%s'",
                    drawn++ ? ", \\\n     " : "", plot_name(id), k, colours[k], k, colours[k], names[k]);
    }
    page_raw(&script, "\n");
    return plot_save(c, folder, id, &data, &script);
}
