#include "report/plots.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/files.h"
#include "report/gnuplot.h"

/* Sheets have no data of their own and are put together from other figures' scripts. Size 0: that of a panel. */
static const struct {
    const char *name;
    plot_writer *write;
    int width, height;
} table[PLOT_COUNT] = {
    [PLOT_BEFORE] = {"figure1_before", plot_before, 0, 0},
    [PLOT_AFTER] = {"figure1_after", plot_after, 0, 0},
    [PLOT_TRANSFORM] = {"figure1_transform", plot_transform, 0, 0},
    [PLOT_PDF] = {"figure3_pdf", plot_pdf, 0, 0},
    [PLOT_MEAN] = {"figure3_mean", plot_mean, 0, 0},
    [PLOT_POWER] = {"figure3_power", plot_power, 0, 0},
    [PLOT_PEAKS] = {"figure3_peaks", plot_peaks, 0, 0},
    [PLOT_AREA] = {"minkowski_area", plot_minkowski, 0, 0},
    [PLOT_PERIMETER] = {"minkowski_perimeter", plot_minkowski, 0, 0},
    [PLOT_EULER] = {"minkowski_euler", plot_minkowski, 0, 0},
    [PLOT_LOSS] = {"training_loss", plot_loss, 0, 0},
    [PLOT_ACCURACY] = {"training_accuracy", plot_accuracy, 0, 0},
    [PLOT_SPEED] = {"training_speed", plot_speed, 0, 0},
    [PLOT_SCORE] = {"training_score", plot_score, 0, 0},
    [PLOT_PARTS] = {"training_parts", plot_parts, 1280, 560},
    [PLOT_ENCODER] = {"encoder_loss", plot_encoder, 0, 0},
    [PLOT_PAIRS_PDF] = {"figure7_pdf", plot_pdf, 0, 0},
    [PLOT_PAIRS_MEAN] = {"figure7_mean", plot_mean, 0, 0},
    [PLOT_PAIRS_POWER] = {"figure7_power", plot_power, 0, 0},
    [PLOT_PAIRS_PEAKS] = {"figure7_peaks", plot_peaks, 0, 0},
    [PLOT_DICE] = {"figure10_dice", plot_dice, 0, 0},
    [PLOT_NORMALIZED] = {"figure10_normalized", plot_normalized, 0, 0},
    [PLOT_TRANSFER] = {"pairs_transfer", plot_transfer, 0, 0},
    [PLOT_CORRELATION] = {"pairs_correlation", plot_correlation, 0, 0},
    [PLOT_SANITY] = {"sanity_dice", plot_sanity, 0, 0},
    [PLOT_SHEET_GRID] = {"figure2", NULL, 1280, 1390},
    [PLOT_SHEET_STATISTICS] = {"figure3", NULL, 1280, 900},
    [PLOT_SHEET_MINKOWSKI] = {"minkowski", NULL, 1280, 900},
    [PLOT_SHEET_TRAINING] = {"training", NULL, 1280, 900},
    [PLOT_SHEET_PAIRS] = {"figure7", NULL, 1280, 900},
    [PLOT_SHEET_DICE] = {"figure10", NULL, 1280, 480},
};
enum { PANEL_WIDTH = 640, PANEL_HEIGHT = 430 };

const char *plot_name(plot p)
{
    return table[p].name;
}

void plot_size(plot p, int *width, int *height)
{
    *width = table[p].width ? table[p].width : PANEL_WIDTH;
    *height = table[p].height ? table[p].height : PANEL_HEIGHT;
}

static const char style[] =
    "# Common style, loaded by every figure. Change it here and run `gnuplot make.gp` in this folder.\n"
    "reset\n"
    "set encoding utf8\n"
    "TRUTH = '#c0392b'  # simulations\n"
    "MODEL = '#2563a8'  # generated maps\n"
    "if (!exists('TITLE')) { TITLE = ',14' }\n"
    "INK = '#303030'\n"
    "QUIET = '#8a8a8a'\n"
    "GOLD = '#c98a00'   # overlap\n"
    "set border 3 linewidth 1 linecolor rgb '#707070'\n"
    "set tics nomirror out scale 0.6 textcolor rgb INK\n"
    "set mxtics default\n"
    "set grid xtics ytics linewidth 0.6 linecolor rgb '#cfcfcf' dashtype solid\n"
    "set tmargin 2.8\n"
    "set rmargin 2.5\n"
    "set key top right Left reverse samplen 1.8 width 1 spacing 1.25 textcolor rgb INK\n"
    "set xlabel textcolor rgb INK\n"
    "set ylabel textcolor rgb INK\n"
    "set datafile missing 'NaN'\n"
    "set style fill transparent solid 0.20 noborder\n"
    "set samples 500\n";

static const char make_head[] = "# gnuplot make.gp                  draws every figure as SVG and PNG\n"
                                "# gnuplot -c make.gp figure3_pdf   draws one\n";

static const char make_body[] =
    "figures = ARGC > 0 ? ARG1 : all\n"
    "do for [name in figures] {\n"
    "    W = 640; H = 430\n"
    "    do for [k=1:words(sizes)/3] {\n"
    "        if (word(sizes, 3*k-2) eq name) { W = int(word(sizes, 3*k-1)); H = int(word(sizes, 3*k)) }\n"
    "    }\n"
    "    do for [format in 'svg png'] {\n"
    "        if (format eq 'svg') { set terminal svg size W, H enhanced font 'Helvetica,15'; TITLE = ',17' }\n"
    "        if (format eq 'png') { set terminal pngcairo size 2*W, 2*H enhanced font 'sans,11' fontscale 2 linewidth "
    "2 "
    "pointscale 2 background 'white'; TITLE = ',13' }\n"
    "        set output name.'.'.format\n"
    "        load name.'.gp'\n"
    "        unset output\n"
    "    }\n"
    "}\n";

void plot_head(page *script, const char *title)
{
    page_raw(script, "load 'style.gp'\n");
    if (*title)
        page_format(script,
                    "set label 1 '{/:Bold %s}' at graph 0, graph 1 offset 0,1.1 left font TITLE textcolor rgb INK\n",
                    title);
}

status plot_save(context *c, const char *folder, plot id, page *data, page *script)
{
    char path[FILES_PATH];
    status s = files_path(c, path, "%s/%s.dat", folder, table[id].name);
    if (!s) s = page_save(data, path);
    if (!s) s = files_path(c, path, "%s/%s.gp", folder, table[id].name);
    if (!s) s = page_save(script, path);
    page_delete(data);
    page_delete(script);
    return s;
}

void plot_staircase(page *data, const double *edges, const double *heights, int bins)
{
    page_format(data, "%.9g 0\n", edges[0]);
    for (int i = 0; i < bins; i++)
        page_format(data, "%.9g %.9g\n%.9g %.9g\n", edges[i], heights[i], edges[i + 1], heights[i]);
    page_format(data, "%.9g 0\n", edges[bins]);
}

/* A sheet of the panels first … last that there are, two a row. */
static status write_sheet(context *c, const char *folder, plot sheet, plot first, plot last, plots *p)
{
    char path[FILES_PATH];
    page script;
    int panels = 0;
    for (int i = first; i <= (int)last; i++) panels += p->wanted[i];
    p->wanted[sheet] = panels > 0;
    if (!panels) return STATUS_OK;
    page_begin(&script, c);
    page_format(&script, "set multiplot layout %d,%d\n", panels > 2 ? 2 : 1, panels > 1 ? 2 : 1);
    for (int i = first; i <= (int)last; i++)
        if (p->wanted[i]) page_format(&script, "load '%s.gp'\n", table[i].name);
    page_raw(&script, "unset multiplot\n");
    status s = files_path(c, path, "%s/%s.gp", folder, table[sheet].name);
    if (!s) s = page_save(&script, path);
    page_delete(&script);
    return s;
}

static status write_common(context *c, const char *folder, const plots *p)
{
    char path[FILES_PATH];
    page text;
    page_begin(&text, c);
    page_raw(&text, style);
    status s = files_path(c, path, "%s/style.gp", folder);
    if (!s) s = page_save(&text, path);
    page_raw(&text, make_head);
    page_raw(&text, "all = '");
    for (int i = 0, n = 0; i < PLOT_COUNT; i++)
        if (p->wanted[i]) page_format(&text, "%s%s", n++ ? " " : "", table[i].name);
    page_raw(&text, "'\nsizes = '"); /* of those that are no panels: name, width, height */
    for (int i = 0, n = 0; i < PLOT_COUNT; i++)
        if (p->wanted[i] && table[i].width)
            page_format(&text, "%s%s %d %d", n++ ? " " : "", table[i].name, table[i].width, table[i].height);
    page_raw(&text, "'\n");
    page_raw(&text, make_body);
    if (!s) s = files_path(c, path, "%s/make.gp", folder);
    if (!s) s = page_save(&text, path);
    page_delete(&text);
    return s;
}

/* An older report's drawings must not pass for this one's. */
static status remove_drawings(context *c, const char *folder)
{
    static const char *const endings[] = {"svg", "png"};
    char path[FILES_PATH];
    status s = STATUS_OK;
    for (int i = 0; !s && i < PLOT_COUNT * 2; i++) {
        s = files_path(c, path, "%s/%s.%s", folder, table[i / 2].name, endings[i % 2]);
        if (!s) unlink(path);
    }
    for (int i = 0; !s && i < PICTURE_COUNT; i++) {
        s = files_path(c, path, "%s/%s.png", folder, picture_name(i));
        if (!s) unlink(path);
    }
    return s;
}

static bool drawn(context *c, const char *folder, const char *name, const char *ending)
{
    char path[FILES_PATH];
    return !files_path(c, path, "%s/%s.%s", folder, name, ending) && files_exists(path);
}

/* Figure by figure, so that trouble with one leaves the others. */
static status draw(context *c, const char *folder, plots *p)
{
    if (!gnuplot_available(p->trouble, sizeof p->trouble)) {
        log_warning(c, "%s", p->trouble);
        return STATUS_OK;
    }
    for (int i = 0; i < PLOT_COUNT; i++) {
        if (!p->wanted[i]) continue;
        if (context_stop_requested(c)) return context_fail(c, STATUS_INTERRUPTED, "report: interrupted");
        status s = gnuplot_run(c, folder, "make.gp", table[i].name);
        p->drawn[i] = !s && drawn(c, folder, table[i].name, "svg") && drawn(c, folder, table[i].name, "png");
        if (p->drawn[i]) continue;
        const char *why = s ? context_message(c) : "gnuplot wrote no picture";
        if (!p->trouble[0]) log_warning(c, "figure %s: %s", table[i].name, why); /* the others fail alike */
        if (!p->trouble[0]) snprintf(p->trouble, sizeof p->trouble, "%s", why);
    }
    return STATUS_OK;
}

status plots_make(context *c, const run *r, plots *p)
{
    char folder[FILES_PATH];
    memset(p, 0, sizeof *p);
    status s = files_path(c, folder, "%s/figures", r->folder);
    if (!s) s = files_make_folder(c, folder);
    if (!s) s = remove_drawings(c, folder);
    if (!s) s = pictures_make(c, r, folder, p);
    for (int i = 0; !s && i < PLOT_COUNT; i++)
        if (table[i].write) s = table[i].write(c, r, folder, i, &p->wanted[i]);
    if (!s) s = plot_sheet_grid(c, r, folder, p);
    if (!s) s = write_sheet(c, folder, PLOT_SHEET_STATISTICS, PLOT_PDF, PLOT_PEAKS, p);
    if (!s) s = write_sheet(c, folder, PLOT_SHEET_MINKOWSKI, PLOT_AREA, PLOT_EULER, p);
    if (!s) s = write_sheet(c, folder, PLOT_SHEET_TRAINING, PLOT_LOSS, PLOT_SCORE, p);
    if (!s) s = write_sheet(c, folder, PLOT_SHEET_PAIRS, PLOT_PAIRS_PDF, PLOT_PAIRS_PEAKS, p);
    if (!s) s = write_sheet(c, folder, PLOT_SHEET_DICE, PLOT_DICE, PLOT_NORMALIZED, p);
    if (!s) s = write_common(c, folder, p);
    if (!s) s = draw(c, folder, p);
    return s;
}
