/* The score of the saved networks over the training, and each of its parts. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "report/plots.h"

enum { PANELS = 8 };

static bool has_steps(const run *r)
{
    bool steps = true;
    for (int i = 0; i < run_epochs(r); i++) {
        run_epoch e;
        run_epoch_get(r, i, &e);
        steps = steps && isfinite(e.step);
    }
    return steps;
}

/* Values of one curve: their range and number. */
typedef struct {
    double least, greatest;
    int count;
} extent;

/* Two blocks "x value error": all epochs, then the best alone. part NULL: the score itself. */
static void write_values(page *data, const run *r, const char *part, extent *x)
{
    const bool steps = has_steps(r);
    const int best = run_best(r);
    for (int pass = 0; pass < 2; pass++) {
        page_raw(data, pass ? "\n\n# the best one\n" : "");
        if (pass ? best < 0 : !run_epochs(r)) page_raw(data, PLOT_NOTHING);
        for (int i = 0; i < run_epochs(r); i++) {
            run_epoch e;
            run_epoch_get(r, i, &e);
            const double at = steps ? e.step : e.epoch, value = part ? run_number(e.parts, part) : e.score;
            if (!isfinite(at) || !isfinite(value) || (pass && i != best)) continue;
            page_format(data, "%.9g %.9g %.9g\n", at, value, part || !isfinite(e.error) ? 0 : e.error);
            x->count += !pass;
            x->least = fmin(x->least, value);
            x->greatest = fmax(x->greatest, value);
        }
    }
}

status plot_score(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    page data, script;
    extent x = {INFINITY, -INFINITY, 0};
    *wanted = false;
    if (!run_has(r, RUN_SELECT)) return STATUS_OK;
    page_begin(&data, c);
    page_begin(&script, c);
    page_format(&data, "# %s, score, its error\n", has_steps(r) ? "step" : "epoch");
    write_values(&data, r, NULL, &x);
    *wanted = x.count > 0;
    plot_head(&script, "Score of the saved networks");
    page_format(
        &script,
        "set xlabel '%s'\n"
        "set ylabel 'score, lower is better'\n"
        "%s"
        "set arrow from graph 0, first 1 to graph 1, first 1 nohead dashtype 2 linecolor rgb QUIET\n"
        "plot 'training_score.dat' index 0 using 1:($2-$3):($2+$3) with filledcurves fillcolor rgb MODEL "
        "notitle, \\\n"
        "     '' index 0 using 1:2 with linespoints linewidth 1.8 pointtype 7 pointsize 0.5 linecolor rgb MODEL "
        "notitle",
        has_steps(r) ? "training step" : "epoch",
        x.least > 0 && x.greatest > 12 * x.least ? "set logscale y\n" : "set yrange [0:*]\n");
    if (run_best(r) >= 0)
        page_raw(
            &script,
            ", \\\n     '' index 1 using 1:2 with points pointtype 6 pointsize 1.8 linewidth 2.2 linecolor rgb TRUTH "
            "title 'the one chosen'");
    page_raw(&script, "\n");
    if (*wanted) return plot_save(c, folder, id, &data, &script);
    page_delete(&data);
    page_delete(&script);
    return STATUS_OK;
}

/* What a part is called in a title: words for those known, else the letters of its name. */
static void part_title(const char *name, char title[48])
{
    static const char *const known[][2] = {
        {"pdf", "pixel densities"},  {"mean", "mean density"}, {"scatter", "scatter of the mean density"},
        {"power", "power spectrum"}, {"peaks", "peaks"},       {"minkowski", "Minkowski functionals"},
        {"diversity", "diversity"}};
    size_t k = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i][0], name) == 0) {
            snprintf(title, 48, "%s", known[i][1]);
            return;
        }
    for (; *name && k < 40; name++) title[k++] = (char)(isalnum((unsigned char)*name) ? *name : ' ');
    title[k] = 0;
}

static void part_panel(page *script, int index, const char *name, bool steps)
{
    char title[48];
    part_title(name, title);
    plot_head(script, title);
    page_format(script,
                "set xlabel '%s'\n"
                "set logscale y\n"
                "set yrange [LOW:HIGH]\n"
                "set format y '%%g'\n"
                "set autoscale xfix\n"
                "set xtics autofreq\n"
                "set arrow from graph 0, first 1 to graph 1, first 1 nohead dashtype 2 linecolor rgb QUIET\n"
                "unset key\n"
                "plot 'training_parts.dat' index %d using 1:2 with lines linewidth 1.6 linecolor rgb MODEL, \\\n"
                "     '' index %d using 1:2 with points pointtype 6 pointsize 1.5 linewidth 2.2 linecolor rgb TRUTH\n",
                steps ? "training step" : "epoch", 2 * index, 2 * index + 1);
}

/* A small panel for each part, all with the same axis, so that the part that spoils the score is seen. */
status plot_parts(context *c, const run *r, const char *folder, plot id, bool *wanted)
{
    page data, script, panels;
    extent x = {INFINITY, -INFINITY, 0};
    run_epoch first;
    const char *name;
    json_t *value;
    int n = 0;
    *wanted = false;
    if (!run_has(r, RUN_SELECT) || !run_epochs(r)) return STATUS_OK;
    run_epoch_get(r, 0, &first);
    page_begin(&data, c);
    page_begin(&script, c);
    page_begin(&panels, c);
    page_format(&data, "# %s, model to validation maps over another sample to them; a part after the other\n",
                has_steps(r) ? "step" : "epoch");
    json_object_foreach((json_t *)first.parts, name, value)
    {
        if (n == PANELS || !json_is_number(value)) continue;
        page_raw(&data, n ? "\n\n" : "");
        write_values(&data, r, name, &x);
        part_panel(&panels, n++, name, has_steps(r));
    }
    *wanted = n > 0 && x.count > 0;
    page_format(&script, "LOW = %.6g\nHIGH = %.6g\nset multiplot layout %d,%d\n", fmin(.7, fmax(.8 * x.least, .01)),
                fmax(2, 1.25 * x.greatest), n > 3 ? 2 : 1,
                n > 3   ? (n + 1) / 2
                : n > 0 ? n
                        : 1);
    if (panels.text) page_raw(&script, panels.text);
    page_raw(&script, "unset multiplot\n");
    status s = page_finish(&panels);
    page_delete(&panels);
    if (*wanted && !s) return plot_save(c, folder, id, &data, &script);
    page_delete(&data);
    page_delete(&script);
    return s;
}
