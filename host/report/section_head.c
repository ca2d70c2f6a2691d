/* Title, a paragraph made from the data, and a row of numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "report/sections.h"

static void fact(page *h, const char *number, const char *label)
{
    page_format(h, "<div class=\"fact\"><b>%s</b><span>%s</span></div>\n", number, label);
}

static void fact_count(page *h, double n, const char *label)
{
    char text[32];
    if (!isfinite(n)) return;
    piece_count(n, text);
    fact(h, text, label);
}

static double last_step(const run *r)
{
    return run_has(r, RUN_METRICS) ? r->course.rows[r->course.count - 1][METRIC_STEP] : NAN;
}

static const char *power_of(int dims)
{
    return dims == 3 ? "³" : "²";
}

/* "116 boxes of 100 Mpc/h with 256² particles each were evolved …" */
static void say_simulations(page *h, const run *r)
{
    double boxes = run_setting(r, "simulate.boxes"), particles = run_setting(r, "simulate.particles");
    double side = run_setting(r, "simulate.box_mpc_h"), steps = run_setting(r, "simulate.steps");
    double dims = run_setting(r, "simulate.dims");
    char text[32];
    if (isfinite(boxes) && isfinite(particles) && isfinite(side)) {
        piece_count(boxes, text);
        page_format(h, "%s simulated box%s of %g Mpc/h a side with %.0f%s particles each %s followed", text,
                    boxes == 1 ? "" : "es", side, particles, power_of((int)dims), boxes == 1 ? "was" : "were");
        if (isfinite(r->parents.redshift) && run_has(r, RUN_PARENTS))
            page_format(h, r->parents.redshift < 1e-6 ? " until today" : " until redshift %.2f", r->parents.redshift);
        if (isfinite(steps)) page_format(h, ", in %.0f steps of a particle mesh", steps);
        page_raw(h, ". ");
    }
    if (run_has(r, RUN_PARENTS)) {
        piece_count((double)r->parents.total, text);
        page_format(h, "They became %s density maps of %d × %d pixels. ", text, r->parents.nx, r->parents.ny);
    }
}

/* Of the stage, which adds up resumed runs; else of the last line of the metrics. */
static double training_seconds(const run *r)
{
    const char *name, *state;
    double seconds;
    for (int i = 0; piece_stage(r, i, &name, &seconds, &state); i++)
        if (!strcmp(name, "train gan") && isfinite(seconds)) return seconds;
    return r->course.rows[r->course.count - 1][METRIC_SECONDS];
}

static void say_training(page *h, const run *r)
{
    char text[32], duration[32];
    double step = last_step(r);
    if (isfinite(step)) {
        piece_count(step, text);
        page_format(h, "A generative adversarial network trained for %s steps", text);
        double seconds = training_seconds(r);
        clock_format(seconds, duration, sizeof duration);
        if (isfinite(seconds) && seconds > 0) page_format(h, " (%s)", duration);
        if (run_has(r, RUN_TRUTH))
            page_format(h, " on images of %d × %d pixels cut from these maps", r->truth.nx, r->truth.ny);
        page_raw(h, ". ");
    }
    int best = run_best(r);
    if (best >= 0) {
        run_epoch e;
        run_epoch_get(r, best, &e);
        page_format(h, "Of its %d saved states, ", run_epochs(r));
        piece_count(isfinite(e.step) ? e.step : e.epoch, text);
        page_format(h, "the one %s %s came nearest to maps kept aside for this choice. ",
                    isfinite(e.step) ? "at step" : "of epoch", text);
    }
    if (run_has(r, RUN_GENERATED)) {
        piece_count((double)r->generated.total, text);
        page_format(h, "It then drew %s new images from random numbers alone", text);
        if (run_has(r, RUN_TRUTH)) {
            piece_count((double)r->truth.total, text);
            page_format(h, ", which are compared here with %s simulated images that the network never saw", text);
        }
        page_raw(h, ". ");
    }
}

static void say_autoencoder(page *h, const run *r)
{
    const double overlap = numbers_dice_at(&r->pairs.dice, DICE_MEAN, 20);
    if (!isfinite(overlap)) return;
    page_format(
        h,
        "An encoder then learnt the way back from images to the generator's random numbers: the densest 20 %% of "
        "the pixels of an image and of what it infers from it overlap by %.0f %%. ",
        100 * overlap);
}

static void say_machine(page *h, const run *r)
{
    char text[32];
    double total = piece_total_seconds(r);
    const char *device = json_string_value(json_object_get(r->pipeline, "device"));
    if (!device && r->made[MADE_DEVICE] && strcmp(r->made[MADE_DEVICE], "none")) device = r->made[MADE_DEVICE];
    clock_format(total, text, sizeof text);
    if (isfinite(total) && device) {
        page_format(h, "All of it took %s on ", text);
        page_escape(h, device);
        page_raw(h, ".");
    } else if (isfinite(total)) {
        page_format(h, "All of it took %s.", text);
    } else if (device) {
        page_raw(h, "It ran on ");
        page_escape(h, device);
        page_raw(h, ".");
    }
}

static void write_facts(page *h, const run *r)
{
    char text[32];
    double total = piece_total_seconds(r);
    page_raw(h, "<div class=\"facts\">\n");
    fact_count(h, run_setting(r, "simulate.boxes"), "simulated boxes");
    double particles = run_setting(r, "simulate.particles"), dims = run_setting(r, "simulate.dims");
    snprintf(text, sizeof text, "%.0f%s", particles, power_of((int)dims));
    if (isfinite(particles)) fact(h, text, "particles in each");
    if (run_has(r, RUN_PARENTS)) fact_count(h, (double)r->parents.total, "density maps");
    fact_count(h, last_step(r), "training steps");
    if (run_has(r, RUN_GENERATED)) fact_count(h, (double)r->generated.total, "generated images");
    int best = run_best(r);
    if (best >= 0) {
        run_epoch e;
        run_epoch_get(r, best, &e);
        snprintf(text, sizeof text, "%.2f", e.score);
        if (isfinite(e.score)) fact(h, text, "score of the chosen network; 1 is another sample of simulations");
    }
    snprintf(text, sizeof text, "%.2f", numbers_dice_at(&r->pairs.dice, DICE_MEAN, 20));
    if (isfinite(numbers_dice_at(&r->pairs.dice, DICE_MEAN, 20)))
        fact(h, text, "overlap of the autoencoder's pairs, top 20 %");
    if (total < 60)
        snprintf(text, sizeof text, "%.0f s", total);
    else
        snprintf(text, sizeof text, total < 5400 ? "%.0f min" : "%.1f h", total < 5400 ? total / 60 : total / 3600);
    if (isfinite(total)) fact(h, text, "in all");
    page_raw(h, "</div>\n");
}

void section_head(page *h, const report_input *in)
{
    const run *r = in->r;
    page_raw(h, "<header>\n<p class=\"kicker\">cosmocl report</p>\n<h1>Cosmic webs, simulated");
    page_raw(h, run_has(r, RUN_GENERATED) ? " and generated</h1>\n<p class=\"lead\">" : "</h1>\n<p class=\"lead\">");
    say_simulations(h, r);
    say_training(h, r);
    say_autoencoder(h, r);
    say_machine(h, r);
    page_raw(h, "</p>\n");
    write_facts(h, r);
    page_raw(
        h,
        "<nav><a href=\"#data\">The data</a><a href=\"#images\">Side by side</a><a href=\"#statistics\">In numbers</a>"
        "<a href=\"#training\">The training</a><a href=\"#figures\">How good is it?</a>"
        "<a href=\"#baselines\">Simpler means</a><a href=\"#autoencoder\">The autoencoder</a>"
        "<a href=\"#making\">How it was made</a></nav>\n</header>\n");
}
