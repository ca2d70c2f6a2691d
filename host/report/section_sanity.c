/* The paper's sanity experiment: an encoder that learns from generated images alone, whose latent vectors are known. */
#include <math.h>
#include "report/sections.h"

static const double percentages[] = {1, 5, 20, 60};
enum { ROWS = sizeof percentages / sizeof *percentages };

static void cell(page *h, const char *label, const numbers_dice *d, int column, int error, double percent)
{
    page_format(h, "<td class=\"n\" data-label=\"%s\">", label);
    piece_value(h, numbers_dice_at(d, column, percent), error < 0 ? NAN : numbers_dice_at(d, error, percent));
    page_raw(h, "</td>");
}

static void write_table(page *h, const run *r)
{
    const numbers_dice *generated = &r->sanity_generated.dice, *real = &r->sanity_real.dice;
    page_raw(h,
             "<div class=\"wide\"><table class=\"stack\">\n<thead><tr><th>densest pixels</th>"
             "<th class=\"n\">generated images</th><th class=\"n\">random pairs of them</th>"
             "<th class=\"n\">simulated images</th><th class=\"n\">random pairs of them</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < ROWS; i++) {
        page_format(h, "<tr><td><strong>top&nbsp;%.0f&nbsp;%%</strong></td>", percentages[i]);
        cell(h, "generated images", generated, DICE_MEAN, DICE_SEM, percentages[i]);
        cell(h, "random pairs of generated images", generated, DICE_RANDOM, -1, percentages[i]);
        cell(h, "simulated images", real, DICE_MEAN, DICE_SEM, percentages[i]);
        cell(h, "random pairs of simulated images", real, DICE_RANDOM, -1, percentages[i]);
        page_raw(h, "</tr>\n");
    }
    page_raw(h, "</tbody></table></div>\n");
}

static void say_result(page *h, const run *r)
{
    const double made = numbers_dice_at(&r->sanity_generated.dice, DICE_MEAN, 1);
    const double chance = numbers_dice_at(&r->sanity_generated.dice, DICE_RANDOM, 1);
    const double real = numbers_dice_at(&r->sanity_real.dice, DICE_MEAN, 1);
    const double ours = numbers_dice_at(&r->pairs.dice, DICE_MEAN, 1);
    page_raw(h, "<p>");
    if (isfinite(made)) {
        page_format(
            h,
            "The densest 1 %% of the pixels of a generated image and of what it makes of it overlap by %.0f %% (the "
            "paper: more than 70 %%)",
            100 * made);
        if (isfinite(chance)) page_format(h, ", by chance %.1f %%", 100 * chance);
        page_raw(h, made > .7           ? ": the vector can be read off an image of the generator's own. "
                    : made > 2 * chance ? ": the way back is learnt in part. "
                                        : ": it has not learnt the way back. ");
    }
    if (isfinite(real)) {
        page_format(h, "On simulated images it reaches %.0f %%", 100 * real);
        if (isfinite(ours)) page_format(h, ", the encoder trained on simulations %.0f %%", 100 * ours);
        page_raw(h, isfinite(made) && real < .8 * made
                        ? ": as in the paper, what is learnt from generated images alone does not carry over to "
                          "simulations."
                        : ".");
    }
    page_raw(h, "</p>\n");
}

status section_sanity(page *h, const report_input *in)
{
    const run *r = in->r;
    const bool generated = run_has(r, RUN_SANITY_GENERATED), real = run_has(r, RUN_SANITY_REAL);
    status s = STATUS_OK;
    page_raw(h, "<h3>A check: an encoder that has seen generated images only</h3>\n");
    if (!generated) piece_missing(h, in, RUN_SANITY_GENERATED);
    if (!real) piece_missing(h, in, RUN_SANITY_REAL);
    if (!generated && !real) return s;
    page_raw(h, "<p>For a generated image the latent vector is known. A second encoder, of the same shape, learns to "
                "give it back, and is then asked for generated and for simulated images.</p>\n");
    page_raw(h, "<div class=\"pair\">\n<div>\n");
    say_result(h, r);
    write_table(h, r);
    page_raw(h, "</div>\n");
    s = piece_plot(h, in, PLOT_SANITY, "Overlap of the sanity experiment on generated and simulated images",
                   "Overlap of each image with what this encoder and the generator make of it; bands are the scatter "
                   "of the pairs, thin lines random pairs.");
    page_raw(h, "</div>\n");
    return s;
}
