/* The autoencoder: how it was trained, what it makes of images it never saw, and how much of each it finds again. */
#include <math.h>
#include "report/sections.h"

/* "The encoder trained for 1,300 steps. …" */
static void say_training(page *h, const run *r)
{
    const metrics *m = &r->encoder;
    const int best = metrics_least(m, METRIC_VALIDATION);
    char text[32];
    piece_count(m->rows[m->count - 1][METRIC_STEP], text);
    page_format(h, "<p>The encoder trained for %s steps. ", text);
    if (best >= 0) {
        int first = 0;
        while (!isfinite(m->rows[first][METRIC_VALIDATION])) first++;
        const double from = m->rows[first][METRIC_VALIDATION], least = m->rows[best][METRIC_VALIDATION];
        piece_count(m->rows[best][METRIC_STEP], text);
        page_format(h, "The weights of step %s are used, where its loss on the validation maps is least: %.4g", text,
                    least);
        if (first < best && from > 0) page_format(h, ", %.0f %% of the %.4g it was at first", 100 * least / from, from);
        page_raw(h, best == m->count - 1 ? "; it was still falling when the training ended.</p>\n" : ".</p>\n");
    } else {
        page_raw(h, "No loss on the validation maps was recorded.</p>\n");
    }
}

static status write_training(page *h, const report_input *in)
{
    const run *r = in->r;
    page_raw(h, "<div class=\"pair\">\n<div>\n<p>The generator turns latent vectors into images. An encoder is now "
                "trained to go the other way: from a simulated image to the vector of which the generator, left as it "
                "is, draws the image most like it. Both together are an autoencoder; what it infers shows how much of "
                "an image the generator can express");
    const double latent = run_setting(r, "network.latent");
    if (isfinite(latent) && run_has(r, RUN_PAIRS))
        page_format(h, " in %.0f numbers in place of %d pixels", latent, r->inferred.nx * r->inferred.ny);
    page_raw(h, ".</p>\n");
    if (run_has(r, RUN_ENCODER))
        say_training(h, r);
    else
        piece_missing(h, in, RUN_ENCODER);
    page_raw(h, "</div>\n");
    status s = piece_plot(h, in, PLOT_ENCODER, "Loss of the encoder on training and validation maps",
                          "How far the discriminator's features of an image are from those of what is inferred of it. "
                          "The circle marks the least loss on the validation maps, whose weights are kept.");
    page_raw(h, "</div>\n");
    return s;
}

static status write_pairs(page *h, const report_input *in)
{
    const run *r = in->r;
    char total[32];
    piece_count((double)r->inferred.total, total);
    page_raw(h, "<h3><span class=\"dot truth\"></span>simulated, above &nbsp; <span class=\"dot\"></span>inferred, "
                "below</h3>\n");
    status s = piece_picture(h, in, PICTURE_PAIRS, "Simulated images above, inferred images below");
    if (!s) s = piece_bar(h, in, &in->p->pairs_scale, &r->originals);
    page_format(h,
                "<figcaption><strong>As figures 6 and 11 of the paper.</strong> %d of %s pairs, taken evenly, none "
                "chosen by eye; both rows share one colour scale.</figcaption>\n",
                r->inferred.count < PAIRS_COLUMNS_SHOWN ? r->inferred.count : PAIRS_COLUMNS_SHOWN, total);
    return s;
}

static void legend(page *h, const int rgb[3], const char *text)
{
    page_format(h, "<span class=\"dot\" style=\"background:rgb(%d,%d,%d)\"></span>%s ", rgb[0], rgb[1], rgb[2], text);
}

static status write_masks(page *h, const report_input *in)
{
    static const int both[3] = PICTURE_BOTH, original[3] = PICTURE_ORIGINAL, inferred[3] = PICTURE_INFERRED;
    const bool own = in->r->pairs.dice.per_image;
    page_raw(h, "<h3>The densest parts of both</h3>\n<div class=\"columns\"><span>densities</span>");
    for (int q = 0; q < PICTURE_PERCENTAGES; q++) page_format(h, "<span>top %.0f %%</span>", picture_percent[q]);
    page_raw(h, "</div>\n");
    status s =
        piece_picture(h, in, PICTURE_THRESHOLDS,
                      "Pairs of simulated and inferred images, thresholded at the top 20, 40, 60 and 80 percent");
    page_format(
        h,
        "<figcaption><strong>As figure 8 of the paper.</strong> In every column the simulated image is at the "
        "left and the inferred one at the right; light are the densest pixels, by a threshold for %s.</figcaption>\n",
        own ? "each image" : "all simulated and one for all inferred images");
    page_raw(h, "<div class=\"pair\">\n<figure><div class=\"columns four\">");
    for (int q = 0; q < PICTURE_PERCENTAGES; q++) page_format(h, "<span>top %.0f %%</span>", picture_percent[q]);
    page_raw(h, "</div>\n");
    if (!s) s = piece_picture(h, in, PICTURE_OVERLAP, "Where the densest pixels of the pairs lie on each other");
    page_raw(h, "<figcaption><strong>As figure 9 of the paper.</strong> Dense in ");
    legend(h, both, "both images,");
    legend(h, original, "the simulated one alone,");
    legend(h, inferred, "the inferred one alone; dark: in neither.");
    page_raw(h, "</figcaption></figure>\n");
    return s;
}

/* The percentage at which a column is greatest; the value is NaN where the file has none that is finite. */
static double peak_of(const numbers_dice *d, int column, double *value)
{
    int best = 0; /* a significance is not finite where all random pairs overlap alike */
    *value = NAN;
    for (int i = 0; d->column[column] && i < d->count; i++) {
        const double v = d->column[column][i];
        if (!isfinite(v) || v <= *value) continue;
        *value = v;
        best = i;
    }
    return d->column[DICE_PERCENT][best];
}

static void say_overlap(page *h, const numbers_dice *d)
{
    const double top = numbers_dice_at(d, DICE_MEAN, 20), random = numbers_dice_at(d, DICE_RANDOM, 20);
    const double error = numbers_dice_at(d, DICE_SEM, 20), reach = numbers_dice_reach(d);
    double peak, percent;
    if (isfinite(top)) {
        page_format(h,
                    "<p>The densest 20 %% of the pixels of a simulated and of its inferred image overlap by "
                    "<strong>%.1f %%</strong>",
                    100 * top);
        if (isfinite(error)) page_format(h, " (±&nbsp;%.1f)", 100 * error);
        if (isfinite(random)) page_format(h, "; those of two simulations taken at random by %.1f %%", 100 * random);
        page_raw(h, ". ");
    } else {
        page_raw(h, "<p>");
    }
    if (d->column[DICE_STD] && d->column[DICE_RANDOM_STD])
        page_format(h,
                    reach > 0
                        ? "The scatter of the pairs stays clear of that of random ones up to the top %.0f %% (the "
                          "paper: 60 %%). "
                        : "The scatter of the pairs overlaps with that of random ones even at the top 1 %%. ",
                    reach);
    percent = peak_of(d, DICE_NORMALIZED, &peak);
    if (isfinite(peak)) {
        page_format(h,
                    "Beyond chance, most is found again at the top %.0f %%: %.2f of what there is to find (the paper: "
                    "at 20 %% in 2D, 10 %% in 3D)",
                    percent, peak);
        percent = peak_of(d, DICE_SIGNIFICANCE, &peak);
        if (isfinite(peak))
            page_format(h, "; it stands out most from the scatter of random pairs, by %.1f σ, at the top %.0f %%", peak,
                        percent);
        page_raw(h, ".");
    }
    page_raw(h, "</p>\n");
}

/* Stands beside the picture of the overlap, in the same pair of columns, which it ends. */
static status write_overlap(page *h, const report_input *in, bool in_pair)
{
    const numbers_dice *d = &in->r->pairs.dice;
    char pairs[32], random[32];
    status s = STATUS_OK;
    if (!in_pair) page_raw(h, "<div class=\"pair\">\n");
    page_raw(h, "<div>\n");
    if (!run_has(in->r, RUN_PAIRS_STATS)) {
        piece_missing(h, in, RUN_PAIRS_STATS);
    } else if (d->count) {
        piece_count(d->images, pairs);
        piece_count(d->random_pairs, random);
        page_raw(h, "<h3>How much of it is found again</h3>\n");
        say_overlap(h, d);
        s = piece_plot(h, in, PLOT_DICE, "Overlap of simulated and inferred images over the percentage of pixels",
                       "<strong>As figures 10 and 13 of the paper, left.</strong> 2&thinsp;N(both) / (N + N) of the "
                       "densest n % of the pixels; dashed, with its scatter, the same of random pairs of simulations.");
        if (isfinite(d->images) && isfinite(d->random_pairs))
            page_format(h, "<figcaption>%s pairs; %s random ones.</figcaption>\n", pairs, random);
    } else {
        page_raw(h, "<p class=\"missing\"><strong>The overlap</strong> is not in <code>stats_pairs.h5</code>.</p>\n");
    }
    page_raw(h, "</div>\n</div>\n<div class=\"pair\">\n");
    if (!s)
        s = piece_plot(
            h, in, PLOT_NORMALIZED, "Normalised overlap and its significance",
            "<strong>As figures 10 and 13, right.</strong> With r the random overlap and σ its scatter: 1 on "
            "the left would be all, 0 no more than chance.");
    return s;
}

/* Of the smallest scale: amplitude and correlation. */
static const char *fate_of_small(double amplitude, double correlation)
{
    if (amplitude <= .8) return "small structures are drawn too weak";
    if (amplitude >= 1.25) return "small structures are drawn too strong";
    return correlation < .3   ? "small structures are drawn, though not where they are in the simulation"
           : correlation < .5 ? "small structures are found in part"
                              : "small structures are found as well";
}

/* What the inferred images have in common with their originals scale by scale; in words its two ends. */
static status write_scales(page *h, const report_input *in)
{
    const numbers *n = &in->r->pairs;
    const double side = run_has(in->r, RUN_PAIRS) ? in->r->inferred.box_mpc_h : 0;
    const double *t = n->pairs[PAIRS_TRANSFER], *k = n->pairs[PAIRS_CORRELATION];
    status s = piece_plot(h, in, PLOT_CORRELATION, "Correlation of simulated and inferred images over wavenumber",
                          "1: every wave of the simulated image is in the inferred one, in its place; 0: none is. The "
                          "band is the scatter of the pairs.");
    if (!s)
        s = piece_plot(h, in, PLOT_TRANSFER, "Transfer function of the inferred images over wavenumber",
                       "Whether waves are as strong as in the simulations, wherever they lie; median and median "
                       "absolute deviation over the pairs.");
    if (!run_has(in->r, RUN_PAIRS_STATS) || !k || !t || n->rings < 2) return s;
    const int last = n->rings - 1;
    if (!isfinite(k[0]) || !isfinite(k[last]) || !isfinite(t[0]) || !isfinite(t[last])) return s;
    int half = 0;
    while (half < n->rings && !(k[half] < .5)) half++;
    page_format(h, "<div>\n<h3>Scale by scale</h3>\n<p>At the largest scale the correlation is %.2f", k[0]);
    if (half == 0)
        page_raw(h, "; it is below one half at every scale");
    else if (half == n->rings)
        page_raw(h, " and stays above one half at every scale");
    else if (side > 0)
        page_format(h, " and falls below one half for structures smaller than %.2g Mpc/h",
                    side / (n->nu ? n->nu[half] : half + 1));
    else
        page_format(h, " and falls below one half at frequency %d", half + 1);
    page_format(h,
                ". The amplitude is %.2f times that of the simulations at the largest and %.2f times at the smallest "
                "scale: %s.</p>\n</div>\n",
                t[0], t[last], fate_of_small(t[last], k[last]));
    return s;
}

static void say_statistics(page *h, const numbers *n)
{
    int known = 0;
    for (int i = 0; i < FIGURES; i++) known += isfinite(n->figures[i]);
    if (!known) return;
    page_raw(h, "<p>Inferred against simulated: ");
    for (int i = 0, k = 0; i < FIGURES; i++) {
        if (!isfinite(n->figures[i])) continue;
        page_format(h, "%s%s ", k++ ? ", " : "", figure_names[i]);
        piece_value(h, n->figures[i], n->errors[i]);
    }
    page_raw(h, ". The vectors come from the encoder, not from a normal distribution, so these images need not be "
                "distributed as those generated above");
    if (isfinite(n->figures[FIGURE_MEAN]))
        page_format(h, "; here they hold %.1f %% %s matter", 100 * fabs(n->figures[FIGURE_MEAN] - 1),
                    n->figures[FIGURE_MEAN] < 1 ? "less" : "more");
    page_raw(h, " (the paper: more dense pixels, higher mean and power in 2D).</p>\n");
}

static status write_statistics(page *h, const report_input *in)
{
    page_raw(h, "<h3>Statistics of the inferred images</h3>\n");
    say_statistics(h, &in->r->pairs);
    page_raw(h, "<div class=\"pair\">\n");
    status s = piece_plot(h, in, PLOT_PAIRS_PDF, "Share of pixels over density for simulated and inferred images",
                          "<strong>As figure 7 of the paper.</strong> Pixel densities.");
    if (!s)
        s = piece_plot(h, in, PLOT_PAIRS_MEAN, "Distribution of the mean density of an inferred image",
                       "Mean density of an image.");
    if (!s)
        s = piece_plot(h, in, PLOT_PAIRS_POWER, "Power spectra of simulated and inferred images",
                       "Power spectra: medians and median absolute deviations.");
    if (!s)
        s = piece_plot(h, in, PLOT_PAIRS_PEAKS, "Mean number of peaks over their density, inferred images",
                       "Peaks of an average image.");
    page_raw(h, "</div>\n");
    return s;
}

status section_autoencoder(page *h, const report_input *in)
{
    const run *r = in->r;
    status s = STATUS_OK;
    const bool masks = in->p->pictures[PICTURE_OVERLAP];
    page_raw(h, "<section id=\"autoencoder\">\n<h2>The autoencoder</h2>\n");
    if (!run_has(r, RUN_ENCODER) && !run_has(r, RUN_PAIRS) && !run_has(r, RUN_PAIRS_STATS)) {
        piece_missing(h, in, RUN_ENCODER);
        piece_missing(h, in, RUN_PAIRS);
        piece_missing(h, in, RUN_PAIRS_STATS);
    } else {
        s = write_training(h, in);
        if (!run_has(r, RUN_PAIRS)) piece_missing(h, in, RUN_PAIRS);
        if (!s && in->p->pictures[PICTURE_PAIRS]) s = write_pairs(h, in);
        if (!s && masks) s = write_masks(h, in);
        if (!s) s = write_overlap(h, in, masks);
        if (!s) s = write_scales(h, in);
        page_raw(h, "</div>\n");
        if (!s && run_has(r, RUN_PAIRS_STATS)) s = write_statistics(h, in);
    }
    if (!s) s = section_sanity(h, in);
    page_raw(h, "</section>\n");
    return s;
}
