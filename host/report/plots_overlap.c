/* Pairs of simulated and inferred maps: overlap of the densest pixels (figure 10, and of the sanity experiment), and
 * what they have in common at each scale. */
#include <math.h>
#include <stdio.h>
#include "report/plots.h"

static const char percent_axis[] = "set xlabel 'densest n % of the pixels'\n"
                                   "set xrange [0:100]\n"
                                   "set xtics 20\n";

static double entry(const double *column, int i)
{
    return column ? column[i] : NAN;
}

/* A block of all columns as a line a percentage. */
static void write_dice(page *data, const numbers_dice *d)
{
    for (int i = 0; i < d->count; i++) {
        for (int k = 0; k < DICE_COLUMNS; k++) page_format(data, "%s%.9g", k ? " " : "", entry(d->column[k], i));
        page_raw(data, "\n");
    }
}

static const char dice_columns[] =
    "# 1 top percent, 2 overlap, 3 its deviation over the pairs, 4 its error, 5 random overlap, 6 its deviation,\n"
    "# 7 normalised overlap, 8 its deviation, 9 significance, 10 its deviation\n";

status plot_dice(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    page data, script;
    const numbers_dice *d = &r->pairs.dice;
    *wanted = run_has(r, RUN_PAIRS_STATS) && d->count;
    if (!*wanted) return STATUS_OK;
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, dice_columns);
    write_dice(&data, d);
    plot_head(&script, "Overlap of the densest pixels");
    page_raw(&script, percent_axis);
    page_raw(&script, "set ylabel 'Sørensen–Dice coefficient'\n"
                      "set yrange [0:1]\n"
                      "set key bottom right\n"
                      "D = 'figure10_dice.dat'\n"
                      "plot D using 1:($2-$3):($2+$3) with filledcurves fillcolor rgb GOLD fillstyle solid 0.22 title "
                      "'scatter of the pairs', \\\n"
                      "     D using 1:($5-$6):($5+$6) with filledcurves fillcolor rgb QUIET fillstyle solid 0.35 "
                      "notitle, \\\n"
                      "     D using 1:($2-$4):($2+$4) with filledcurves fillcolor rgb GOLD fillstyle solid 0.65 title "
                      "'error of the mean', \\\n"
                      "     D using 1:2 with linespoints linewidth 1.6 pointtype 7 pointsize 0.4 linecolor rgb "
                      "'#7a5200' title 'simulated and inferred', \\\n"
                      "     D using 1:5 with lines linewidth 1.8 dashtype 2 linecolor rgb INK title 'random pairs'\n");
    return plot_save(c, folder, id, &data, &script);
}

status plot_normalized(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    page data, script;
    const numbers_dice *d = &r->pairs.dice;
    *wanted = run_has(r, RUN_PAIRS_STATS) && d->count && d->column[DICE_NORMALIZED] && d->column[DICE_SIGNIFICANCE];
    if (!*wanted) return STATUS_OK;
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, dice_columns);
    write_dice(&data, d);
    plot_head(&script, "Beyond chance");
    page_raw(&script, percent_axis);
    page_raw(&script, "set ylabel 'normalised (●):  (D − r) / (1 − r)' textcolor rgb MODEL\n"
                      "set y2label 'significance (■):  (D − r) / σ_r' textcolor rgb TRUTH\n"
                      "set ytics textcolor rgb MODEL\n"
                      "set y2tics out textcolor rgb TRUTH\n"
                      "set border 11\n"
                      "set rmargin 9\n"
                      "set yrange [*<0:*]\n"
                      "set y2range [*<0:*]\n"
                      "unset key\n"
                      "D = 'figure10_normalized.dat'\n"
                      "plot D using 1:($7-$8):($7+$8) with filledcurves fillcolor rgb MODEL notitle, \\\n"
                      "     D using 1:($9-$10):($9+$10) axes x1y2 with filledcurves fillcolor rgb TRUTH fillstyle "
                      "solid 0.13 notitle, \\\n"
                      "     D using 1:7 with linespoints linewidth 2.2 pointtype 7 pointsize 0.5 linecolor rgb "
                      "MODEL, \\\n"
                      "     D using 1:9 axes x1y2 with linespoints linewidth 2.2 dashtype 2 pointtype 5 pointsize 0.5 "
                      "linecolor rgb TRUTH\n");
    return plot_save(c, folder, id, &data, &script);
}

status plot_sanity(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    page data, script;
    const numbers_dice *sets[2] = {&r->sanity_generated.dice, &r->sanity_real.dice};
    const bool there[2] = {run_has(r, RUN_SANITY_GENERATED) && sets[0]->count,
                           run_has(r, RUN_SANITY_REAL) && sets[1]->count};
    static const char *const titles[2] = {"generated images", "simulated images"};
    static const char *const colours[2] = {"MODEL", "TRUTH"};
    *wanted = there[0] || there[1];
    if (!*wanted) return STATUS_OK;
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, dice_columns);
    plot_head(&script, "Overlap where the encoder learnt from generated images alone");
    page_raw(&script, percent_axis);
    page_raw(&script, "set ylabel 'Sørensen–Dice coefficient'\n"
                      "set yrange [0:1]\n"
                      "set key bottom right\n"
                      "D = 'sanity_dice.dat'\n"
                      "plot ");
    for (int i = 0, drawn = 0; i < 2; i++) {
        page_format(&data, "%s# %s\n", i ? "\n\n" : "", titles[i]);
        if (!there[i]) page_raw(&data, PLOT_NOTHING);
        if (!there[i]) continue;
        write_dice(&data, sets[i]);
        page_format(&script,
                    "%sD index %d using 1:($2-$3):($2+$3) with filledcurves fillcolor rgb %s notitle, \\\n"
                    "     D index %d using 1:2 with linespoints linewidth 2.2 pointtype %d pointsize 0.5 linecolor rgb "
                    "%s title '%s', \\\n"
                    "     D index %d using 1:5 with lines linewidth 1.4 dashtype %d linecolor rgb %s title 'random "
                    "pairs of them'",
                    drawn++ ? ", \\\n     " : "", i, colours[i], i, i ? 5 : 7, colours[i], titles[i], i, i ? 3 : 2,
                    colours[i]);
    }
    page_raw(&script, "\n");
    return plot_save(c, folder, id, &data, &script);
}

/* One curve with its band over the wavenumber: k, value, value − width, value + width. */
static status plot_scale(context *c, const run *r, const char *folder, plot id, const double *value,
                         const double *width, const char *title, const char *settings, bool *wanted)
{
    page data, script;
    const numbers *n = &r->pairs;
    const double side = run_has(r, RUN_PAIRS) ? r->inferred.box_mpc_h : r->truth.box_mpc_h;
    const double unit = side > 0 ? 2 * acos(-1) / side : 1;
    *wanted = run_has(r, RUN_PAIRS_STATS) && value;
    if (!*wanted) return STATUS_OK;
    page_begin(&data, c);
    page_begin(&script, c);
    page_format(&data, "# %s, value, lower and upper end of its band\n", side > 0 ? "k in h/Mpc" : "ring nu");
    for (int i = 0; i < n->rings; i++) {
        const double band = width ? width[i] : 0;
        page_format(&data, "%.9g %.9g %.9g %.9g\n", unit * (n->nu ? n->nu[i] : i + 1), value[i], value[i] - band,
                    value[i] + band);
    }
    plot_head(&script, title);
    page_format(&script,
                "set xlabel '%s'\n"
                "set logscale x\n"
                "set autoscale xfix\n"
                "%s"
                "unset key\n"
                "%s"
                "plot '%s.dat' using 1:3:4 with filledcurves fillcolor rgb MODEL notitle, \\\n"
                "     '' using 1:2 with lines linewidth 2.4 linecolor rgb MODEL notitle\n",
                side > 0 ? "wavenumber  k  [h/Mpc]" : "frequency  ν",
                side > 0 ? "set xtics add (0.2, 0.5, 2, 5)\n" : "", settings, plot_name(id));
    return plot_save(c, folder, id, &data, &script);
}

status plot_transfer(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    return plot_scale(c, r, folder, id, r->pairs.pairs[PAIRS_TRANSFER], r->pairs.pairs[PAIRS_TRANSFER_MAD],
                      "Transfer: amplitude, inferred over simulated",
                      "set ylabel 'T(k) = √(P_{inferred} / P_{simulated})'\n"
                      "set yrange [0:*]\n"
                      "set arrow from graph 0, first 1 to graph 1, first 1 nohead dashtype 2 linecolor rgb QUIET\n",
                      wanted);
}

status plot_correlation(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    return plot_scale(c, r, folder, id, r->pairs.pairs[PAIRS_CORRELATION], r->pairs.pairs[PAIRS_CORRELATION_STD],
                      "Correlation: the same structures in the same places",
                      "set ylabel 'r(k)'\n"
                      "set yrange [*<-0.1:1.02]\n"
                      "set arrow from graph 0, first 0 to graph 1, first 0 nohead dashtype 2 linecolor rgb QUIET\n",
                      wanted);
}
