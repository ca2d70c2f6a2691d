/* The figures: data and gnuplot scripts in RUN/figures, drawn as SVG and PNG beside them, so that a user can restyle
 * them (edit style.gp or a figure's .gp and run `gnuplot make.gp` there). */
#ifndef REPORT_PLOTS_H
#define REPORT_PLOTS_H

#include "report/gallery.h"
#include "report/page.h"
#include "report/run.h"

/* Curves, in the order in which they are drawn. The sheets are the same panels (or pictures) put together. */
typedef enum {
    PLOT_BEFORE,    /* figure 1: histogram of the densities */
    PLOT_AFTER,     /* figure 1: of the transformed ones */
    PLOT_TRANSFORM, /* figure 1: the transform */
    PLOT_PDF,       /* figure 3 */
    PLOT_MEAN,
    PLOT_POWER,
    PLOT_PEAKS,
    PLOT_AREA, /* Minkowski functionals */
    PLOT_PERIMETER,
    PLOT_EULER,
    PLOT_LOSS, /* training */
    PLOT_ACCURACY,
    PLOT_SPEED,
    PLOT_SCORE,
    PLOT_PARTS,     /* parts of the score */
    PLOT_ENCODER,   /* loss of the encoder */
    PLOT_PAIRS_PDF, /* figure 7: as figure 3, of inferred images */
    PLOT_PAIRS_MEAN,
    PLOT_PAIRS_POWER,
    PLOT_PAIRS_PEAKS,
    PLOT_DICE, /* figure 10 */
    PLOT_NORMALIZED,
    PLOT_TRANSFER,
    PLOT_CORRELATION,
    PLOT_SANITY,           /* the overlap of the sanity experiment */
    PLOT_SHEET_GRID,       /* figure 2 */
    PLOT_SHEET_STATISTICS, /* figure 3 */
    PLOT_SHEET_MINKOWSKI,
    PLOT_SHEET_TRAINING,
    PLOT_SHEET_PAIRS, /* figure 7 */
    PLOT_SHEET_DICE,  /* figure 10 */
    PLOT_COUNT
} plot;

/* Pictures made without gnuplot. */
typedef enum {
    PICTURE_MAP,
    PICTURE_TRUTH,
    PICTURE_GENERATED,
    PICTURE_PAIRS,       /* figure 6: originals above, inferred below */
    PICTURE_THRESHOLDS,  /* figure 8 */
    PICTURE_OVERLAP,     /* figure 9 */
    PICTURE_STRIP_TRUTH, /* a row of each: truth, generated, the two baselines */
    PICTURE_STRIP_GENERATED,
    PICTURE_STRIP_UNTRAINED,
    PICTURE_STRIP_GAUSSIAN,
    PICTURE_BAR,
    PICTURE_COUNT
} picture_id;

enum { GRID_COLUMNS = 4, GRID_ROWS = 8, STRIP_COLUMNS = 8, PAIRS_COLUMNS_SHOWN = 8, PAIRS_ROWS_SHOWN = 4 };

/* Figures 8 and 9: the densest 20, 40, 60 and 80 % of the pixels; and the colours of figure 9, red, green, blue. */
enum { PICTURE_PERCENTAGES = 4 };
extern const double picture_percent[PICTURE_PERCENTAGES];
#define PICTURE_NEITHER                                                                                                \
    {                                                                                                                  \
        22, 24, 34                                                                                                     \
    }
#define PICTURE_ORIGINAL                                                                                               \
    {                                                                                                                  \
        213, 94, 0                                                                                                     \
    }
#define PICTURE_INFERRED                                                                                               \
    {                                                                                                                  \
        86, 180, 233                                                                                                   \
    }
#define PICTURE_BOTH                                                                                                   \
    {                                                                                                                  \
        246, 232, 150                                                                                                  \
    }

typedef struct {
    bool wanted[PLOT_COUNT];      /* the run has its data: script written */
    bool drawn[PLOT_COUNT];       /* by gnuplot */
    bool pictures[PICTURE_COUNT]; /* written */
    char trouble[512];            /* why curves are missing; "" when none is */
    gallery_scale map_scale, grid_scale, pairs_scale;
} plots;

/* Name of the files without their ending: "figure3_pdf"; width and height of the drawing. */
const char *plot_name(plot p);
void plot_size(plot p, int *width, int *height);
const char *picture_name(picture_id p);

/* Makes all that the run has data for, in r->folder/figures. Trouble with gnuplot is no failure. */
status plots_make(context *c, const run *r, plots *p);

/* For the writers of data and scripts (plots_*.c). Each writes NAME.dat and NAME.gp into `folder`, and *wanted = false
 * with nothing written when the run lacks the data. */
typedef status plot_writer(context *c, const run *r, const char *folder, plot id, bool *wanted);
plot_writer plot_before, plot_after, plot_transform;
plot_writer plot_pdf, plot_mean, plot_power, plot_peaks; /* of figures 3 and 7 */
plot_writer plot_minkowski;                              /* of all three */
plot_writer plot_loss, plot_accuracy, plot_speed, plot_score, plot_parts, plot_encoder;
plot_writer plot_dice, plot_normalized, plot_sanity, plot_transfer, plot_correlation;
/* Saves data and script. */
status plot_save(context *c, const char *folder, plot id, page *data, page *script);
/* Gnuplot counts no empty block of data: one without a value gets this line. */
#define PLOT_NOTHING "NaN NaN NaN NaN\n"
/* Lines "x y" of a histogram as a staircase from zero to zero. */
void plot_staircase(page *data, const double *edges, const double *heights, int bins);
/* The script's first lines: the common style and the title (no _, ^ or quotes in it). */
void plot_head(page *script, const char *title);

status pictures_make(context *c, const run *r, const char *folder, plots *p);
/* Encodes and releases it. */
status picture_save(context *c, const char *folder, picture_id id, picture *image);
/* Of the autoencoder: figures 6, 8 and 9. */
status pictures_of_pairs(context *c, const run *r, const char *folder, plots *p);
/* The sheet of figure 2 (gnuplot around the pictures). */
status plot_sheet_grid(context *c, const run *r, const char *folder, plots *p);

#endif
