/* The parts of the page, in the order in which they stand. */
#ifndef REPORT_SECTIONS_H
#define REPORT_SECTIONS_H

#include "report/page.h"
#include "report/plots.h"
#include "report/run.h"

typedef struct {
    context *c;
    const run *r;
    const plots *p;
    char folder[FILES_PATH]; /* of the figures */
} report_input;

extern const char page_style[]; /* CSS */

void section_head(page *h, const report_input *in);
status section_data(page *h, const report_input *in);
status section_images(page *h, const report_input *in);
status section_statistics(page *h, const report_input *in);
status section_training(page *h, const report_input *in);
status section_figures(page *h, const report_input *in);
status section_baselines(page *h, const report_input *in);
status section_autoencoder(page *h, const report_input *in);
/* The last part of the former: the encoder that learnt from generated images. */
status section_sanity(page *h, const report_input *in);
void section_making(page *h, const report_input *in);

/* ---- pieces.c: what the sections share ---- */

/* "<p class=missing>": a part that is not in this run or could not be read. */
void piece_missing(page *h, const report_input *in, run_part part);
/* A figure: the drawing as a data URI with its caption (HTML of ours). Nothing where it was not drawn. */
status piece_plot(page *h, const report_input *in, plot p, const char *alt, const char *caption);
/* The picture as <img> alone. */
status piece_picture(page *h, const report_input *in, picture_id id, const char *alt);
/* The colour bar of pictures of m, with its labels. */
status piece_bar(page *h, const report_input *in, const gallery_scale *g, const sample *m);
/* "0.432", "–" when not finite. */
void piece_number(page *h, double v);
/* "0.432 ± 0.011"; without the error where it is not known. */
void piece_value(page *h, double v, double error);
/* "pdf, mean and peaks" */
void piece_list(page *h, const char *const words[], int count);
/* A line that says why curves are missing; nothing when all were drawn. */
void piece_trouble(page *h, const report_input *in);
/* "12,345"; up to four digits stay as they are. "?" when not finite. */
void piece_count(double n, char text[32]);
/* Seconds of all stages in pipeline.json; NaN when it has none. */
double piece_total_seconds(const run *r);
/* Name and seconds of stage i of pipeline.json; false behind the last. `state` (may be NULL in the file) is borrowed
 * text. */
bool piece_stage(const run *r, int i, const char **name, double *seconds, const char **state);

#endif
