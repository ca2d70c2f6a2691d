/* The course of the training: losses, accuracy of the discriminator, speed; and the loss of the encoder. */
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
        bool none = true;
        for (int i = 0; i < bins; i++) {
            if (!isfinite(mean[i])) continue;
            page_format(data, "%.9g %.9g %.9g %.9g\n", steps[i], mean[i], least[i], greatest[i]);
            none = false;
        }
        *any = *any || !none;
        if (none) page_raw(data, PLOT_NOTHING);
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

static status plot_course(context *c, const run *r, const char *folder, plot id, bool *wanted, const int *columns,
                          int count, const char *const titles[], const char *title, const char *settings)
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
    plot_courses(&script, plot_name(id), count, count == 1 ? one : two, titles);
    if (*wanted) return plot_save(c, folder, id, &data, &script);
    page_delete(&data);
    page_delete(&script);
    return STATUS_OK;
}

status plot_loss(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    static const int columns[] = {METRIC_LOSS_D, METRIC_LOSS_G};
    static const char *const titles[] = {"discriminator", "generator"};
    return plot_course(
        c, r, folder, id, wanted, columns, 2, titles, "Losses (dashed: a discriminator that can only guess)",
        "set ylabel 'loss'\n"
        "set arrow from graph 0, first log(2) to graph 1, first log(2) nohead dashtype 2 linecolor rgb QUIET\n");
}

status plot_accuracy(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    static const int columns[] = {METRIC_ACCURACY_REAL, METRIC_ACCURACY_GENERATED};
    static const char *const titles[] = {"on simulated images", "on generated images"};
    return plot_course(
        c, r, folder, id, wanted, columns, 2, titles, "How often the discriminator is right",
        "set ylabel 'right answers'\n"
        "set yrange [0:1.02]\n"
        "set ytics ('0 %%' 0, '25 %%' 0.25, '50 %%' 0.5, '75 %%' 0.75, '100 %%' 1)\n"
        "set key bottom right\n"
        "set arrow from graph 0, first 0.5 to graph 1, first 0.5 nohead dashtype 2 linecolor rgb QUIET\n");
}

status plot_speed(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    static const int columns[] = {METRIC_SAMPLES_S};
    static const char *const titles[] = {""};
    return plot_course(c, r, folder, id, wanted, columns, 1, titles, "Speed",
                       "set ylabel 'samples per second'\n"
                       "set yrange [0:*]\n"
                       "unset key\n");
}

/* Whether the losses span so much that a linear axis would show the first ones alone. */
static bool steep(const metrics *m)
{
    double least = INFINITY, greatest = 0;
    for (int i = 0; i < m->count; i++) {
        least = fmin(least, fmin(m->rows[i][METRIC_LOSS], m->rows[i][METRIC_VALIDATION]));
        greatest = fmax(greatest, fmax(m->rows[i][METRIC_LOSS], m->rows[i][METRIC_VALIDATION]));
    }
    return least > 0 && greatest > 30 * least;
}

status plot_encoder(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    static const int columns[] = {METRIC_LOSS};
    const metrics *m = &r->encoder;
    const int best = metrics_least(m, METRIC_VALIDATION);
    page data, script;
    *wanted = false;
    if (!run_has(r, RUN_ENCODER)) return STATUS_OK;
    page_begin(&data, c);
    page_begin(&script, c);
    page_raw(&data, "# step, mean loss, least, greatest value around it; then step, loss on the validation maps; then "
                    "the least of these\n");
    write_courses(&data, m, columns, 1, wanted);
    page_raw(&data, "\n\n");
    for (int i = 0; i < m->count; i++)
        if (isfinite(m->rows[i][METRIC_VALIDATION]))
            page_format(&data, "%.9g %.9g\n", m->rows[i][METRIC_STEP], m->rows[i][METRIC_VALIDATION]);
    if (best >= 0) page_format(&data, "\n\n%.9g %.9g\n", m->rows[best][METRIC_STEP], m->rows[best][METRIC_VALIDATION]);
    *wanted = *wanted || best >= 0;
    plot_head(&script, "Loss of the encoder");
    page_raw(&script, "set xlabel 'training step'\n"
                      "set ylabel 'loss'\n"
                      "set autoscale xfix\n");
    page_raw(&script, steep(m) ? "set logscale y\n" : "set yrange [0:*]\n");
    page_raw(&script, "D = 'encoder_loss.dat'\n"
                      "plot D index 0 using 1:3:4 with filledcurves fillcolor rgb MODEL notitle, \\\n"
                      "     D index 0 using 1:2 with lines linewidth 1.8 linecolor rgb MODEL title 'training maps'");
    if (best >= 0)
        page_raw(
            &script,
            ", \\\n     D index 1 using 1:2 with linespoints linewidth 1.8 pointtype 7 pointsize 0.6 linecolor rgb "
            "GOLD title 'validation maps'"
            ", \\\n     D index 2 using 1:2 with points pointtype 6 pointsize 1.8 linewidth 2.2 linecolor rgb TRUTH "
            "title 'the weights kept'");
    page_raw(&script, "\n");
    if (*wanted) return plot_save(c, folder, id, &data, &script);
    page_delete(&data);
    page_delete(&script);
    return STATUS_OK;
}
