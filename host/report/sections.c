/* Figures 1 to 3 and the training, each with what a reader needs to know to read it. */
#include "report/sections.h"

#include <math.h>

/* What the transform is, with its numbers. */
static void say_transform(page *h, const sample *m)
{
    const transform_shape *t = &m->transform;
    const char *unit = t->scale != 1 ? "units of the mean density" : m->units;
    if (t->kind == TRANSFORM_LINEAR) {
        page_format(h,
                    "<p>A network is shown the values brought to the interval from −1 to 1: "
                    "v′ = (2 v − (b + a)) / (b − a) with a = %.4g and b = %.4g, v in ",
                    t->a, t->b);
    } else {
        page_raw(h, "<p>Densities span orders of magnitude: nearly all of a map is close to empty, and a few pixels "
                    "hold clusters. A network would see the clusters only. So it is shown the logarithm, brought to "
                    "the interval from −1 to 1: ");
        if (t->offset > 0)
            page_format(h, "v′ = (2 ln(v + %.4g) − (b + a)) / (b − a)", t->offset);
        else
            page_raw(h, "v′ = (2 ln v − (b + a)) / (b − a)");
        page_format(h, " with a = ln %.4g and b = ln %.4g, v in ", exp(t->a), exp(t->b));
    }
    page_escape(h, unit);
    page_raw(h, ". Everything measured below is measured after going back to densities.</p>\n");
}

status section_data(page *h, const report_input *in)
{
    const run *r = in->r;
    const sample *m = &r->parents;
    status s = STATUS_OK;
    page_raw(h, "<section id=\"data\">\n<h2>The data</h2>\n");
    if (!run_has(r, RUN_PARENTS)) {
        piece_missing(h, in, RUN_PARENTS);
        page_raw(h, "</section>\n");
        return STATUS_OK;
    }
    page_raw(h, "<div class=\"pair\">\n<figure>");
    s = piece_picture(h, in, PICTURE_MAP, "Density map of one simulated box");
    if (!s) s = piece_bar(h, in, &in->p->map_scale, m);
    page_raw(h, "<figcaption><strong>Figure 1, the first map.</strong> ");
    if (m->box_mpc_h > 0) page_format(h, "It is %g Mpc/h wide. ", m->box_mpc_h);
    page_format(h,
                "Bright knots are clusters, joined by filaments around dark voids. (%d × %d "
                "pixels.)</figcaption></figure>\n<div>\n",
                m->nx, m->ny);
    say_transform(h, m);
    if (!s)
        s = piece_plot(h, in, PLOT_TRANSFORM, "Curve of the transform over the logarithm of the density",
                       "The transform from densities to what the network sees.");
    page_raw(h, "</div>\n</div>\n");
    piece_trouble(h, in);
    page_raw(h, "<div class=\"pair\">\n");
    if (!s)
        s = piece_plot(
            h, in, PLOT_BEFORE, "Histogram of the densities before the transform",
            "Pixels before the transform, on a linear scale of density: the counts fall by orders of magnitude.");
    if (!s)
        s = piece_plot(h, in, PLOT_AFTER, "Histogram of the transformed densities",
                       "The same pixels after it: the network can see voids, filaments and clusters alike.");
    page_raw(h, "</div>\n</section>\n");
    return s;
}

static status grid(page *h, const report_input *in, picture_id id, const sample *m, const char *name, const char *dot)
{
    char total[32];
    piece_count((double)m->total, total);
    page_format(h, "<div class=\"panel\"><h3><span class=\"dot %s\"></span>%s</h3>", dot, name);
    status s = piece_picture(h, in, id, name);
    page_format(h, "<figcaption>%d of %s images</figcaption></div>\n",
                m->count < GRID_COLUMNS * GRID_ROWS ? m->count : GRID_COLUMNS * GRID_ROWS, total);
    return s;
}

status section_images(page *h, const report_input *in)
{
    const run *r = in->r;
    bool truth = run_has(r, RUN_TRUTH), generated = run_has(r, RUN_GENERATED);
    const sample *m = truth ? &r->truth : &r->generated;
    status s = STATUS_OK;
    page_raw(h, "<section id=\"images\">\n<h2>Side by side</h2>\n");
    if (!truth) piece_missing(h, in, RUN_TRUTH);
    if (!generated) piece_missing(h, in, RUN_GENERATED);
    if (truth || generated) {
        page_raw(
            h,
            "<p>Images taken evenly from each set, none chosen by eye. Compare not only the structures in one image "
            "but the "
            "variety between them: a generator that has learnt one good image repeats it.</p>\n<div class=\"pair\">\n");
        if (truth) s = grid(h, in, PICTURE_TRUTH, &r->truth, "simulated", "truth");
        if (!s && generated) s = grid(h, in, PICTURE_GENERATED, &r->generated, "generated", "");
        page_raw(h, "</div>\n");
        if (!s) s = piece_bar(h, in, &in->p->grid_scale, m);
        page_raw(h, "<figcaption><strong>Figure 2.</strong> ");
        if (m->box_mpc_h > 0) page_format(h, "Each image is %g Mpc/h wide", m->box_mpc_h);
        page_format(
            h, "%s%d × %d pixels, drawn enlarged; both sets share the colour scale of the simulations.</figcaption>\n",
            m->box_mpc_h > 0 ? ", " : "", m->nx, m->ny);
    }
    page_raw(h, "</section>\n");
    return s;
}

static status write_minkowski(page *h, const report_input *in)
{
    const numbers *n = &in->r->stats;
    double distance[MINKOWSKI];
    page_raw(h, "<h3>Shapes</h3>\n");
    for (int i = 0; i < MINKOWSKI; i++) distance[i] = 100 * numbers_shape(n, i);
    if (!isfinite(distance[MINKOWSKI_AREA])) {
        page_format(h,
                    "<p class=\"missing\"><strong>The Minkowski functionals</strong> are not in <code>%s</code>.</p>\n",
                    run_file(RUN_STATS));
        return STATUS_OK;
    }
    page_format(
        h,
        "<div class=\"pair\">\n<div>\n<p>A power spectrum does not see whether matter lies in threads or in clumps. "
        "The three Minkowski "
        "functionals of what is denser than a threshold do: its area, the length of its boundary, and the number "
        "of its pieces less that of its holes. Where they differ most, the generated curve is off by %.1f %% of "
        "the simulated one's height in area, %.1f %% in boundary and %.1f %% in pieces less holes.</p>\n</div>\n",
        distance[MINKOWSKI_AREA], distance[MINKOWSKI_PERIMETER], distance[MINKOWSKI_EULER]);
    status s = piece_plot(h, in, PLOT_PERIMETER, "Boundary of what is denser than a threshold, over the threshold",
                          "Long where matter lies in threads. Bands are the scatter of the images.");
    if (!s)
        s = piece_plot(
            h, in, PLOT_EULER, "Euler characteristic over the threshold",
            "Below zero holes prevail, the voids of a connected web; above it separate pieces, the clusters.");
    if (!s)
        s = piece_plot(h, in, PLOT_AREA, "Area of what is denser than a threshold, over the threshold",
                       "The share of the image that is denser; the histogram of densities, added up.");
    page_raw(h, "</div>\n");
    return s;
}

status section_statistics(page *h, const report_input *in)
{
    status s = STATUS_OK;
    page_raw(h, "<section id=\"statistics\">\n<h2>In numbers</h2>\n");
    if (!run_has(in->r, RUN_STATS)) {
        piece_missing(h, in, RUN_STATS);
        page_raw(h, "</section>\n");
        return STATUS_OK;
    }
    page_raw(h, "<p>Eyes forgive; four statistics do not. <span class=\"dot truth\"></span>Red is the truth, "
                "<span class=\"dot\"></span>blue the generator: the closer the two lie, the better it is. "
                "<strong>Figure 3.</strong></p>\n");
    piece_trouble(h, in);
    page_raw(h, "<div class=\"pair\">\n");
    s = piece_plot(
        h, in, PLOT_PDF, "Share of pixels over density for simulated and generated images",
        "How many pixels have which density, over the whole set. Voids are at the left, clusters at the right.");
    if (!s)
        s = piece_plot(h, in, PLOT_MEAN, "Distribution of the mean density of an image",
                       "Some images hold more matter than others. A blue hill narrower than the red one means too "
                       "little variety.");
    if (!s)
        s = piece_plot(h, in, PLOT_POWER, "Power spectra of simulated and generated images",
                       "How much structure there is at which size: large structures at the left, small ones at the "
                       "right. Lines are "
                       "medians over the images, bands the median absolute deviation.");
    if (!s)
        s = piece_plot(h, in, PLOT_PEAKS, "Mean number of peaks over their density",
                       "Local maxima in an average image. The dense ones at the right are the haloes of clusters; the "
                       "faint ones at the "
                       "left are mostly noise of the simulation.");
    page_raw(h, "</div>\n");
    if (!s) s = write_minkowski(h, in);
    page_raw(h, "</section>\n");
    return s;
}

/* Which part of the chosen network's score is worst, and the panel of all of them. */
static status write_parts(page *h, const report_input *in)
{
    const char *name, *worst = NULL;
    json_t *value;
    run_epoch e;
    double most = -INFINITY;
    if (!in->p->drawn[PLOT_PARTS]) return STATUS_OK;
    if (run_best(in->r) >= 0) {
        run_epoch_get(in->r, run_best(in->r), &e);
        json_object_foreach((json_t *)e.parts, name, value)
        {
            if (!json_is_number(value) || !(json_number_value(value) > most)) continue;
            most = json_number_value(value);
            worst = name;
        }
    }
    page_raw(h,
             "<h3>Part by part</h3>\n<p>The score is exp(mean&nbsp;ln(1&nbsp;+&nbsp;r))&nbsp;−&nbsp;1 of its parts r, "
             "each the distance from the validation maps over that of another sample of simulations.");
    if (worst) {
        page_raw(h, " In the chosen network the part furthest from its goal is <em>");
        page_escape(h, worst);
        page_format(h, "</em>, at %.2f.", most);
    }
    page_raw(h, "</p>\n");
    return piece_plot(h, in, PLOT_PARTS, "Each part of the score over the training",
                      "One axis for all; dashed is another sample of simulations, the circle the network chosen.");
}

status section_training(page *h, const report_input *in)
{
    const run *r = in->r;
    status s = STATUS_OK;
    page_raw(h, "<section id=\"training\">\n<h2>The training</h2>\n");
    if (!run_has(r, RUN_METRICS)) piece_missing(h, in, RUN_METRICS);
    if (!run_has(r, RUN_SELECT)) piece_missing(h, in, RUN_SELECT);
    if (run_has(r, RUN_METRICS) || run_has(r, RUN_SELECT)) {
        page_raw(h, "<p>Two networks play against each other: the generator draws images, the discriminator tells them "
                    "from simulations. "
                    "Their losses do not say how good the images are, so every saved state is scored against "
                    "simulations kept aside, and "
                    "the best one is used.</p>\n");
        if (!run_has(r, RUN_STATS)) piece_trouble(h, in);
    }
    if (r->course.skipped)
        page_format(h, "<p class=\"missing\">%d line%s of <code>%s</code> could not be read and %s left out.</p>\n",
                    r->course.skipped, r->course.skipped == 1 ? "" : "s", run_file(RUN_METRICS),
                    r->course.skipped == 1 ? "is" : "are");
    page_raw(h, "<div class=\"pair\">\n");
    s = piece_plot(h, in, PLOT_SCORE, "Score of the saved networks over the training",
                   "The lower, the nearer to simulations; dashed is what another sample of simulations gives. "
                   "It swings from state to state, which is why many are saved. The band is the score's error.");
    if (!s)
        s = piece_plot(h, in, PLOT_LOSS, "Losses of discriminator and generator",
                       "Lines are means over neighbouring steps, bands their extremes.");
    if (!s)
        s = piece_plot(h, in, PLOT_ACCURACY, "Accuracy of the discriminator",
                       "At 50 % it can only guess; at 100 % the generator learns little from it.");
    if (!s)
        s = piece_plot(
            h, in, PLOT_SPEED, "Training speed in samples per second",
            "Simulated images a second. Dips are pauses in which states are saved, or other work on the machine.");
    page_raw(h, "</div>\n");
    if (!s) s = write_parts(h, in);
    page_raw(h, "</section>\n");
    return s;
}
