/* What a generator must beat to be worth its training: another half of the truth sets the goal; the same network before
 * any training and a transformed Gaussian field (stats/gaussian.h) set the floor. */
#include <math.h>
#include <stdio.h>
#include "report/sections.h"

/* The last is no rival: it is what the best generator could reach. */
enum { TRAINED, UNTRAINED, GAUSSIAN, RIVALS, HALF = RIVALS, COLUMNS };

static const char *const titles[COLUMNS] = {"trained network", "untrained network", "transformed Gaussian field",
                                            "simulated, half against half"};

/* One row of the table: a figure, or the score. */
typedef struct {
    const char *name, *meaning, *perfect;
    double value[COLUMNS], error[COLUMNS];
    double distance[COLUMNS], distance_error[COLUMNS]; /* from perfect */
    int best;                                          /* of the rivals, −1 when there is none */
} contest;

static void find_best(contest *t)
{
    t->best = -1;
    for (int k = 0; k < RIVALS; k++)
        if (isfinite(t->value[k]) && (t->best < 0 || t->distance[k] < t->distance[t->best])) t->best = k;
}

/* Rows of the table: the five figures and the three shapes. */
enum { ROWS = FIGURES + MINKOWSKI };

static const char *subject_of(int row)
{
    static const char *const shapes[MINKOWSKI] = {[MINKOWSKI_AREA] = "the area above a density",
                                                  [MINKOWSKI_PERIMETER] = "the length of the boundary",
                                                  [MINKOWSKI_EULER] = "the number of pieces less holes"};
    return row < FIGURES ? figure_subject[row] : shapes[row - FIGURES];
}

static const numbers *rival_of(const run *r, int k)
{
    const numbers *rivals[RIVALS] = {&r->stats, &r->untrained_stats, &r->gaussian_stats};
    const run_part parts[RIVALS] = {RUN_STATS, RUN_UNTRAINED_STATS, RUN_GAUSSIAN_STATS};
    return run_has(r, parts[k]) ? rivals[k] : NULL;
}

/* A Minkowski functional. */
static contest contest_of_shapes(const run *r, int which)
{
    contest t = {.name = minkowski_names[which],
                 .meaning = "greatest distance between the curves of this functional, over its height",
                 .perfect = "0"};
    for (int k = 0; k < COLUMNS; k++) {
        const numbers *n = k < RIVALS ? rival_of(r, k) : NULL;
        t.value[k] = t.distance[k] = n ? numbers_shape(n, which) : NAN;
        t.error[k] = t.distance_error[k] = NAN;
    }
    find_best(&t);
    return t;
}

/* Figure i. */
static contest contest_of(const run *r, int i)
{
    contest t = {.name = figure_names[i], .meaning = figure_meaning[i], .perfect = figure_perfect(i) ? "1" : "0"};
    for (int k = 0; k < RIVALS; k++) {
        const numbers *n = rival_of(r, k);
        t.value[k] = n ? n->figures[i] : NAN;
        t.error[k] = n ? n->errors[i] : NAN;
    }
    t.value[HALF] = run_has(r, RUN_STATS) ? r->stats.halves[i] : NAN;
    t.error[HALF] = run_has(r, RUN_STATS) ? r->stats.halves_errors[i] : NAN;
    for (int k = 0; k < COLUMNS; k++) {
        t.distance[k] = numbers_distance(i, t.value[k]);
        t.distance_error[k] = numbers_distance_error(i, t.value[k], t.error[k]);
    }
    find_best(&t);
    return t;
}

/* The score of `select`, against the validation maps. */
static contest contest_of_scores(const run *r)
{
    static const char *const names[RIVALS] = {NULL, "untrained", "gaussian"};
    const json_t *given = json_object_get(r->select, "baselines");
    contest t = {.name = "score",
                 .meaning = "as select forms it, against the validation maps, where another "
                            "sample of simulations has 1",
                 .perfect = "0"};
    run_epoch best = {.score = NAN, .error = NAN};
    if (run_best(r) >= 0) run_epoch_get(r, run_best(r), &best);
    for (int k = 0; k < COLUMNS; k++) {
        const json_t *object = k == UNTRAINED || k == GAUSSIAN ? json_object_get(given, names[k]) : NULL;
        t.value[k] = k == TRAINED ? best.score : run_number(object, "score");
        t.error[k] = k == TRAINED ? best.error : run_number(object, "score_error");
    }
    for (int k = 0; k < COLUMNS; k++) {
        t.distance[k] = t.value[k];
        t.distance_error[k] = t.error[k];
    }
    find_best(&t);
    return t;
}

/* How well the Gaussian field's spectrum could be fitted. */
static void say_misfit(page *h, const run *r)
{
    const json_t *fitted = json_object_get(json_object_get(r->select, "baselines"), "gaussian");
    const double misfit = run_number(fitted, "misfit");
    if (isfinite(misfit))
        page_format(
            h,
            "<p>The spectrum of the transformed Gaussian field differs from that of the training maps by %.2g %% "
            "in the mean over scales.</p>\n",
            100 * misfit);
}

static void write_row(page *h, const contest *t)
{
    page_format(h, "<tr><td><strong>%s</strong><small>%s; %s is perfect</small></td>", t->name, t->meaning, t->perfect);
    for (int k = 0; k < COLUMNS; k++) {
        const bool best = k == t->best;
        page_format(h, "<td class=\"n%s\" data-label=\"%s\">%s", best ? " best" : "", titles[k], best ? "● " : "");
        piece_value(h, t->value[k], t->error[k]);
        page_raw(h, "</td>");
    }
    page_raw(h, "</tr>\n");
}

/* Whether the lead of a rival over the network is less than their errors. */
static bool within_errors(const contest *t, int rival)
{
    const double lead = t->distance[TRAINED] - t->distance[rival];
    return lead < hypot(t->distance_error[TRAINED], t->distance_error[rival]);
}

/* "The transformed Gaussian field is nearer in …, because …": what each baseline does better than the network. */
static void say_defeats(page *h, const contest rows[ROWS], int rival)
{
    static const char *const why[COLUMNS][ROWS] = {
        [GAUSSIAN] = {[FIGURE_PDF] = "it is given the densities of the training maps",
                      [FIGURE_MEAN] = "its mean follows from the densities that it is given",
                      [FIGURE_STD] = "the scatter of the mean density is part of the spectrum that it is fitted to",
                      [FIGURE_PSD] = "its spectrum is fitted to that of the training maps",
                      [FIGURES + MINKOWSKI_AREA] = "this is the sum of the densities that it is given"}};
    int n = 0, clear = 0;
    for (int i = 0; i < ROWS; i++) {
        const contest *t = &rows[i];
        const bool close = within_errors(t, rival);
        if (!(t->distance[rival] < t->distance[TRAINED])) continue;
        page_format(h,
                    n++                 ? "; in %s"
                    : rival == GAUSSIAN ? "<p>The transformed Gaussian field is nearer in %s"
                                        : "<p>The untrained network is nearer in %s",
                    subject_of(i));
        page_format(h, " (%.3f against %.3f%s)", t->value[rival], t->value[TRAINED],
                    close ? ", within the errors" : "");
        clear += !close;
        if (why[rival][i] && !close) page_format(h, ", because %s", why[rival][i]);
    }
    if (n) page_raw(h, rival == UNTRAINED && !clear ? ": by chance, for it has learnt nothing.</p>\n" : ".</p>\n");
}

static void say_result(page *h, const contest rows[ROWS])
{
    const char *won[ROWS];
    int n = 0, known = 0;
    for (int i = 0; i < ROWS; i++) {
        known += rows[i].best >= 0;
        if (rows[i].best == TRAINED) won[n++] = subject_of(i);
    }
    if (!known) return;
    page_raw(h, "<p>");
    if (n) {
        page_raw(h, "The trained network comes nearest to the simulations in ");
        piece_list(h, won, n);
        page_format(h, " (%d of %d figures).</p>\n", n, known);
    } else {
        page_format(h, "The trained network comes nearest to the simulations in none of the %d figures.</p>\n", known);
    }
    say_defeats(h, rows, GAUSSIAN);
    say_defeats(h, rows, UNTRAINED);
}

static void write_table(page *h, const run *r, const contest rows[ROWS])
{
    const contest scores = contest_of_scores(r);
    page_raw(h, "<div class=\"wide\"><table class=\"stack\">\n<thead><tr><th>figure</th>");
    for (int k = 0; k < COLUMNS; k++) page_format(h, "<th class=\"n\">%s</th>", titles[k]);
    page_raw(h, "</tr></thead>\n<tbody>\n");
    for (int i = 0; i < ROWS; i++)
        if (rows[i].best >= 0) write_row(h, &rows[i]);
    if (isfinite(scores.value[UNTRAINED]) || isfinite(scores.value[GAUSSIAN])) write_row(h, &scores);
    page_raw(h, "</tbody></table></div>\n"
                "<p>● marks the best of the first three columns, whichever it is; errors are one standard deviation, "
                "found by drawing the images anew with replacement. The last column is no rival but the goal: it is "
                "what two samples of the truth differ by.</p>\n");
}

static status write_strips(page *h, const report_input *in)
{
    static const struct {
        picture_id id;
        const char *title, *dot;
    } rows[] = {{PICTURE_STRIP_TRUTH, "simulated", "dot truth"},
                {PICTURE_STRIP_GENERATED, "trained network", "dot"},
                {PICTURE_STRIP_UNTRAINED, "untrained network", "dot none"},
                {PICTURE_STRIP_GAUSSIAN, "transformed Gaussian field", "dot none"}};
    status s = STATUS_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !s; i++) {
        if (!in->p->pictures[rows[i].id]) continue;
        page_format(h, "<div class=\"panel strip\"><h3><span class=\"%s\"></span>%s</h3>", rows[i].dot, rows[i].title);
        s = piece_picture(h, in, rows[i].id, rows[i].title);
        page_raw(h, "</div>\n");
    }
    if (!s && in->p->pictures[PICTURE_STRIP_TRUTH])
        page_raw(h, "<figcaption>Images taken evenly from each set, on the colour scale of the simulations. The "
                    "transformed Gaussian field has the right densities and, as far as the two go together, the right "
                    "amount of structure at each size; what it lacks is how structures of different sizes are "
                    "tied to each other, and with it filaments.</figcaption>\n");
    return s;
}

status section_baselines(page *h, const report_input *in)
{
    static const run_part parts[] = {RUN_UNTRAINED, RUN_GAUSSIAN, RUN_UNTRAINED_STATS, RUN_GAUSSIAN_STATS};
    contest rows[ROWS];
    page_raw(h, "<section id=\"baselines\">\n<h2>Against simpler means</h2>\n"
                "<p>Is a network worth its training? Two sets of images that cost next to nothing are judged alike: "
                "those of the same network before its first step, and Gaussian random fields whose values are mapped, "
                "pixel by pixel, to the densities of the training maps, with a spectrum fitted so that the result has "
                "that of the training maps. These know two statistics and nothing else.</p>\n");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!run_has(in->r, parts[i])) piece_missing(h, in, parts[i]);
    for (int i = 0; i < FIGURES; i++) rows[i] = contest_of(in->r, i);
    for (int i = 0; i < MINKOWSKI; i++) rows[FIGURES + i] = contest_of_shapes(in->r, i);
    if (run_has(in->r, RUN_UNTRAINED_STATS) || run_has(in->r, RUN_GAUSSIAN_STATS)) {
        write_table(h, in->r, rows);
        say_misfit(h, in->r);
        say_result(h, rows);
    }
    status s = write_strips(h, in);
    page_raw(h, "</section>\n");
    return s;
}
