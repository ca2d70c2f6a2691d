/* The five figures in a table, read aloud: what each means, what two samples of the truth give, and where the model is
 * off. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "report/sections.h"

typedef enum { LEVEL_UNKNOWN, LEVEL_CHANCE, LEVEL_NEAR, LEVEL_OFF, LEVEL_FAR } level;

static const struct {
    double near, off; /* distance from perfect */
} limits[FIGURES] = {[FIGURE_PDF] = {.1, .5},
                     [FIGURE_MEAN] = {.05, .25},
                     [FIGURE_STD] = {.15, .5},
                     [FIGURE_PSD] = {.15, .7},
                     [FIGURE_PEAKS] = {.08, .3}};

/* Within two of its own errors of perfect a figure is as good as its images can tell. */
static level level_of(int figure, double v, double error)
{
    if (!isfinite(v)) return LEVEL_UNKNOWN;
    const double d = numbers_distance(figure, v);
    if (d <= 2 * numbers_distance_error(figure, v, error)) return LEVEL_CHANCE;
    return d <= limits[figure].near ? LEVEL_NEAR : d <= limits[figure].off ? LEVEL_OFF : LEVEL_FAR;
}

static void say_level(page *h, level l)
{
    static const char *const words[] = {"unknown", "as good as chance allows", "close", "off", "far off"};
    static const char *const colours[] = {"", "good", "good", "fair", "bad"};
    static const char *const marks[] = {"?", "●", "●", "◐", "○"};
    page_format(h, "<span class=\"verdict %s\">%s %s</span>", colours[l], marks[l], words[l]);
}

/* A ratio in words, with `more` or `less` as the words for its side of 1: "12 % less", "3.4 times as much as it
 * should". */
static void say_ratio(page *h, double ratio, const char *more, const char *less)
{
    const char *side = ratio >= 1 ? more : less;
    if (ratio >= 2)
        page_format(h, "%.2g times %s", ratio, side);
    else
        page_format(h, "%.*f %% %s", fabs(ratio - 1) < .0095 ? 1 : 0, 100 * fabs(ratio - 1), side);
}

/* bias: numbers_power_bias. A spectrum that is off one way all along is said to be so. */
static void say_power(page *h, double v, double bias)
{
    page_raw(h, "at a typical size, structure is ");
    if (fabs(bias) > .8 * v)
        say_ratio(h, exp(bias < 0 ? -v : v), "too strong", "too weak");
    else
        page_format(h, "too strong or too weak by a factor of %.2f", exp(v));
}

static void say_reading(page *h, int figure, double v, double bias)
{
    if (!isfinite(v)) {
        page_raw(h, "cannot be told from what this run holds");
        return;
    }
    switch (figure) {
    case FIGURE_PDF:
        page_format(h, "%.*f %% of the generated pixels would have to change their density to match", v < .19 ? 1 : 0,
                    50 * v);
        break;
    case FIGURE_MEAN:
        page_raw(h, "an average generated image holds ");
        say_ratio(h, v, v >= 2 ? "the matter" : "more matter", "less matter");
        break;
    case FIGURE_STD:
        page_raw(h, "the amount of matter varies ");
        say_ratio(h, v, v >= 2 ? "as much" : "more", "less");
        page_format(h, " from image to image%s", v < .5 ? ": the generator repeats itself" : "");
        break;
    case FIGURE_PSD:
        say_power(h, v, bias);
        break;
    default:
        page_raw(h, "a generated image has ");
        say_ratio(h, v, v >= 2 ? "the peaks" : "more peaks", "fewer peaks");
        break;
    }
}

static void cell(page *h, const char *label, double v, double error)
{
    page_format(h, "<td class=\"n\" data-label=\"%s\">", label);
    piece_value(h, v, error);
    page_raw(h, "</td>");
}

/* Those at the levels from … to. */
static void list_levels(page *h, const level levels[FIGURES], level from, level to)
{
    const char *words[FIGURES];
    int n = 0;
    for (int i = 0; i < FIGURES; i++)
        if (levels[i] >= from && levels[i] <= to) words[n++] = figure_subject[i];
    piece_list(h, words, n);
}

static void say_summary(page *h, const level levels[FIGURES])
{
    int good = 0, off = 0;
    for (int i = 0; i < FIGURES; i++) {
        good += levels[i] == LEVEL_CHANCE || levels[i] == LEVEL_NEAR;
        off += levels[i] >= LEVEL_OFF;
    }
    page_raw(h, "<p class=\"lead\">");
    if (good) {
        page_raw(h, "The generator is right, or nearly so, in ");
        list_levels(h, levels, LEVEL_CHANCE, LEVEL_NEAR);
        page_raw(h, off ? ". " : ".");
    }
    if (off) {
        page_format(h, "It is%s off in ", good ? "" : " still");
        list_levels(h, levels, LEVEL_OFF, LEVEL_FAR);
        page_raw(h, ".");
    }
    if (!good && !off) page_raw(h, "This run does not hold enough to say.");
    page_raw(h, "</p>\n");
}

static void write_table(page *h, const numbers *n, const level levels[FIGURES])
{
    const double bias = numbers_power_bias(n);
    page_raw(h, "<div class=\"wide\"><table class=\"stack\">\n<thead><tr><th>figure</th><th "
                "class=\"n\">perfect</th><th class=\"n\">simulated, half<br>against half</th>"
                "<th class=\"n\">generated</th><th>in words</th><th></th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < FIGURES; i++) {
        page_format(h,
                    "<tr><td><strong>%s</strong><small>%s</small></td><td class=\"n\" data-label=\"perfect\">%d</td>",
                    figure_names[i], figure_meaning[i], figure_perfect(i));
        cell(h, "half against half", n->halves[i], n->halves_errors[i]);
        cell(h, "generated", n->figures[i], n->errors[i]);
        page_raw(h, "<td>");
        say_reading(h, i, n->figures[i], bias);
        page_raw(h, "</td><td>");
        say_level(h, levels[i]);
        page_raw(h, "</td></tr>\n");
    }
    page_raw(h, "</tbody></table></div>\n"
                "<p>No finite set of simulations agrees with another one exactly: <em>half against half</em> shows by "
                "how much two samples of the truth differ, each of half the images. A figure is called as good as "
                "chance allows where it is perfect within two of its own errors.</p>\n");
}

/* Does it make ever the same images, or the truth's? */
static void say_diversity(page *h, const numbers *n)
{
    if (!isfinite(n->variety)) return;
    page_format(
        h,
        "<p>Measured image by image, a generated one is %.2f times as far from the generated image most like it "
        "as a simulated one is from its own nearest: %s",
        n->variety,
        n->variety < .7    ? "the generator repeats itself"
        : n->variety < .9  ? "somewhat less variety than in the simulations"
        : n->variety < 1.1 ? "as much variety as in the simulations"
                           : "more variety than in the simulations");
    if (isfinite(n->copies))
        page_format(h,
                    ". %.1f %% of them lie as near to a simulated test image as the nearest hundredth of these do to "
                    "each other",
                    100 * n->copies);
    page_raw(h, ".</p>\n");
}

static void write_epochs(page *h, const run *r)
{
    int best = run_best(r), n = run_epochs(r), step = n / 300 + 1;
    page_format(h, "<details><summary>All saved states and their figures on the validation maps</summary>\n<div "
                   "class=\"wide\"><table>\n"
                   "<thead><tr><th class=\"n\">state</th><th class=\"n\">step</th><th class=\"n\">score</th>");
    for (int i = 0; i < FIGURES; i++) page_format(h, "<th class=\"n\">%s</th>", figure_names[i]);
    page_raw(h, "<th></th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < n; i++) {
        run_epoch e;
        char text[32];
        if (i % step && i != best) continue;
        run_epoch_get(r, i, &e);
        piece_count(e.epoch, text);
        page_format(h, "<tr><td class=\"n\">%s</td>", text);
        piece_count(e.step, text);
        page_format(h, "<td class=\"n\">%s</td>", text);
        cell(h, "score", e.score, e.error);
        for (int k = 0; k < FIGURES; k++) cell(h, figure_names[k], run_number(e.figures, figure_names[k]), NAN);
        page_format(h, "<td>%s</td></tr>\n", i == best ? "<span class=\"verdict good\">● chosen</span>" : "");
    }
    page_raw(h, "</tbody></table></div></details>\n");
}

static void say_best(page *h, const run *r)
{
    run_epoch e;
    const char *name;
    json_t *value;
    int best = run_best(r), n = 0;
    if (best < 0) return;
    run_epoch_get(r, best, &e);
    if (isfinite(e.score)) {
        page_format(h, "<p>The chosen state scored <strong>%.2f</strong>", e.score);
        if (isfinite(e.error)) page_format(h, " (±&nbsp;%.2g)", e.error);
        page_format(h,
                    " against the validation maps: its statistics lie some %.2g times as far from them as those "
                    "of another sample of simulations do",
                    e.score);
    }
    json_object_foreach((json_t *)e.parts, name, value)
    {
        if (!json_is_number(value)) continue;
        page_raw(h, n++ ? ", " : " (");
        page_escape(h, name);
        page_format(h, " %.2f", json_number_value(value));
    }
    if (isfinite(e.score)) page_format(h, "%s.</p>\n", n ? ")" : "");
    write_epochs(h, r);
}

status section_figures(page *h, const report_input *in)
{
    const numbers *n = &in->r->stats;
    level levels[FIGURES];
    page_raw(h, "<section id=\"figures\">\n<h2>How good is it?</h2>\n");
    if (run_has(in->r, RUN_STATS)) {
        for (int i = 0; i < FIGURES; i++) levels[i] = level_of(i, n->figures[i], n->errors[i]);
        say_summary(h, levels);
        write_table(h, n, levels);
        say_diversity(h, n);
    } else {
        piece_missing(h, in, RUN_STATS);
    }
    if (run_has(in->r, RUN_SELECT))
        say_best(h, in->r);
    else
        piece_missing(h, in, RUN_SELECT);
    page_raw(h, "</section>\n");
    return STATUS_OK;
}
