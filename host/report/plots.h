/* The figures: data and gnuplot scripts in RUN/figures, drawn as SVG and PNG beside them, so that a user can restyle
 * them (edit style.gp or a figure's .gp and run `gnuplot make.gp` there). */
#ifndef REPORT_PLOTS_H
#define REPORT_PLOTS_H

#include "report/gallery.h"
#include "report/page.h"
#include "report/run.h"

/* Curves, in the order in which they are drawn. The last three are the same panels (or pictures) put together on one
 * sheet. */
typedef enum {
    PLOT_BEFORE,    /* figure 1: histogram of the densities */
    PLOT_AFTER,     /* figure 1: of the transformed ones */
    PLOT_TRANSFORM, /* figure 1: the transform */
    PLOT_PDF,       /* figure 3 */
    PLOT_MEAN,
    PLOT_POWER,
    PLOT_PEAKS,
    PLOT_LOSS, /* training */
    PLOT_ACCURACY,
    PLOT_SPEED,
    PLOT_SCORE,
    PLOT_SHEET_GRID,       /* figure 2 */
    PLOT_SHEET_STATISTICS, /* figure 3 */
    PLOT_SHEET_TRAINING,
    PLOT_COUNT
} plot;

/* Pictures made without gnuplot. */
typedef enum { PICTURE_MAP, PICTURE_TRUTH, PICTURE_GENERATED, PICTURE_BAR, PICTURE_COUNT } picture_id;

enum { GRID_COLUMNS = 4, GRID_ROWS = 8 };

typedef struct {
    bool wanted[PLOT_COUNT];      /* the run has its data: script written */
    bool drawn[PLOT_COUNT];       /* by gnuplot */
    bool pictures[PICTURE_COUNT]; /* written */
    char trouble[512];            /* why curves are missing; "" when none is */
    gallery_scale map_scale, grid_scale;
} plots;

/* Name of the files without their ending: "figure3_pdf". */
const char *plot_name(plot p);
const char *picture_name(picture_id p);

/* Makes all that the run has data for, in r->folder/figures. Trouble with gnuplot is no failure. */
status plots_make(context *c, const run *r, plots *p);

/* For the writers of data and scripts (plots_*.c). Each writes NAME.dat and NAME.gp into `folder`, and *wanted = false
 * with nothing written when the run lacks the data. */
typedef status plot_writer(context *c, const run *r, const char *folder, bool *wanted);
plot_writer plot_before, plot_after, plot_transform;
plot_writer plot_pdf, plot_mean, plot_power, plot_peaks;
plot_writer plot_loss, plot_accuracy, plot_speed, plot_score;
/* Saves data and script. */
status plot_save(context *c, const char *folder, const char *name, page *data, page *script);
/* Lines "x y" of a histogram as a staircase from zero to zero. */
void plot_staircase(page *data, const double *edges, const double *heights, int bins);
/* The script's first lines: the common style and the title (no _, ^ or quotes in it). */
void plot_head(page *script, const char *title);

status pictures_make(context *c, const run *r, const char *folder, plots *p);
/* The sheet of figure 2 (gnuplot around the pictures). */
status plot_sheet_grid(context *c, const run *r, const char *folder, plots *p);

#endif
