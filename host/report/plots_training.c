/* The course of the training: losses, accuracy of the discriminator, speed, and the score of the saved networks. */
#include <math.h>
#include <stdio.h>
#include "base/memory.h"
#include "report/plots.h"

enum { BINS = 260 };

/* Blocks "step mean least greatest", one a column. *any: some value is finite. */
static void write_courses(page *data, const metrics *m, const int *columns, int count, bool *any)
{
    double steps[BINS], mean[BINS], least[BINS], greatest[BINS];
    int bins = m->count < BINS ? m->count : BINS;
    *any = false;
    for (int k = 0; k < count; k++) {
        metrics_bin(m, columns[k], bins, steps, mean, least, greatest);
        if (k) page_raw(data, "\n\n");
        for (int i = 0; i < bins; i++) {
            if (!isfinite(mean[i])) continue;
            page_format(data, "%.9g %.9g %.9g %.9g\n", steps[i], mean[i], least[i], greatest[i]);
            *any = true;
        }
    }
}

/* One or two lines, each with the band of its least and greatest values within a point. */
static void plot_courses(page *script, const char *name, int count, const char *const colours[],
                         const char *const titles[])
{
    for (int k = 0; k < count; k++)
        page_format(script, "%s'%s.dat' index %d using 1:3:4 with filledcurves fillcolor rgb %s notitle",
                    k ? ", \\\n     " : "plot ", name, k, colours[k]);
    for (int k = 0; k < count; k++)
        page_format(script,
                    ", \\\n     '%s.dat' index %d using 1:2 with lines linewidth 1.8 linecolor rgb %s title '%s'", name,
                    k, colours[k], titles[k]);
    page_raw(script, "\n");
}

static status plot_course(context *c, const run *r, const char *folder, bool *wanted, const char *name,
                          const int *columns, int count, const char *const titles[], const char *title,
                          const char *settings)
{
    static const char *const two[] = {"TRUTH", "MODEL"}, *const one[] = {"MODEL"};
    page data, script;
    *wanted = false;
    if (!run_has(r, RUN_METRICS)) return STATUS_OK;
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, "# step, mean, least, greatest value around it\n");
    write_courses(&data, &r->course, columns, count, wanted);
    plot_head(&script, title);
    page_raw(&script, "set xlabel 'training step'\n"
                      "set autoscale xfix\n");
    page_raw(&script, settings);
    plot_courses(&script, name, count, count == 1 ? one : two, titles);
    if (*wanted) return plot_save(c, folder, name, &data, &script);
    page_delete(&data);
    page_delete(&script);
    return STATUS_OK;
}

status plot_loss(context *c, const run *r, const char *folder, bool *wanted)
{
    static const int columns[] = {METRIC_LOSS_D, METRIC_LOSS_G};
    static const char *const titles[] = {"discriminator", "generator"};
    return plot_course(
        c, r, folder, wanted, "training_loss", columns, 2, titles,
        "Losses (dashed: a discriminator that can only guess)",
        "set ylabel 'loss'\n"
        "set arrow from graph 0, first log(2) to graph 1, first log(2) nohead dashtype 2 linecolor rgb QUIET\n");
}

status plot_accuracy(context *c, const run *r, const char *folder, bool *wanted)
{
    static const int columns[] = {METRIC_ACCURACY_REAL, METRIC_ACCURACY_GENERATED};
    static const char *const titles[] = {"on simulated images", "on generated images"};
    return plot_course(
        c, r, folder, wanted, "training_accuracy", columns, 2, titles, "How often the discriminator is right",
        "set ylabel 'right answers'\n"
        "set yrange [0:1.02]\n"
        "set ytics ('0 %%' 0, '25 %%' 0.25, '50 %%' 0.5, '75 %%' 0.75, '100 %%' 1)\n"
        "set key bottom right\n"
        "set arrow from graph 0, first 0.5 to graph 1, first 0.5 nohead dashtype 2 linecolor rgb QUIET\n");
}

status plot_speed(context *c, const run *r, const char *folder, bool *wanted)
{
    static const int columns[] = {METRIC_SAMPLES_S};
    static const char *const titles[] = {""};
    return plot_course(c, r, folder, wanted, "training_speed", columns, 1, titles, "Speed",
                       "set ylabel 'samples per second'\n"
                       "set yrange [0:*]\n"
                       "unset key\n");
}

static void write_scores(page *data, const run *r, bool steps, double *least, double *greatest, int *count)
{
    int best = run_best(r);
    *least = INFINITY;
    *greatest = -INFINITY;
    *count = 0;
    for (int pass = 0; pass < 2; pass++) {
        page_raw(data, pass ? "\n\n# the best one\n" : "");
        for (int i = 0; i < run_epochs(r); i++) {
            run_epoch e;
            run_epoch_get(r, i, &e);
            double x = steps ? e.step : e.epoch;
            if (!isfinite(x) || !isfinite(e.score) || (pass && i != best)) continue;
            page_format(data, "%.9g %.9g\n", x, e.score);
            *count += !pass;
            *least = fmin(*least, e.score);
            *greatest = fmax(*greatest, e.score);
        }
    }
}

status plot_score(context *c, const run *r, const char *folder, bool *wanted)
{
    page data, script;
    double least, greatest;
    bool steps = true;
    int count;
    *wanted = false;
    if (!run_has(r, RUN_SELECT)) return STATUS_OK;
    for (int i = 0; i < run_epochs(r); i++) {
        run_epoch e;
        run_epoch_get(r, i, &e);
        steps = steps && isfinite(e.step);
    }
    page_begin(&data, c);
    page_begin(&script, c);
    page_format(&data, "# %s, score\n", steps ? "step" : "epoch");
    write_scores(&data, r, steps, &least, &greatest, &count);
    *wanted = count > 0;
    plot_head(&script, "Score of the saved networks");
    page_format(&script,
                "set xlabel '%s'\n"
                "set ylabel 'score, lower is better'\n"
                "%s"
                "set arrow from graph 0, first 1 to graph 1, first 1 nohead dashtype 2 linecolor rgb QUIET\n"
                "plot 'training_score.dat' index 0 using 1:2 with linespoints linewidth 1.8 pointtype 7 pointsize 0.5 "
                "linecolor rgb MODEL notitle",
                steps ? "training step" : "epoch",
                least > 0 && greatest > 12 * least ? "set logscale y\n" : "set yrange [0:*]\n");
    if (run_best(r) >= 0)
        page_raw(
            &script,
            ", \\\n     '' index 1 using 1:2 with points pointtype 6 pointsize 1.8 linewidth 2.2 linecolor rgb TRUTH "
            "title 'the one chosen'");
    page_raw(&script, "\n");
    if (*wanted) return plot_save(c, folder, "training_score", &data, &script);
    page_delete(&data);
    page_delete(&script);
    return STATUS_OK;
}
