/* `stats`: all statistics of two sets of maps, and how the model compares with the truth; of pairs also how each map
 * compares with its own truth. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "commands/ready.h"
#include "commands/stats_pairs.h"
#include "dataset/split.h"
#include "stats/bins.h"
#include "stats/file.h"

/* Images of one side of the comparison. */
typedef struct {
    const char *what, *path;
    maps m;
    float *images;
    int64_t count;
    int side;
    int64_t block; /* images of one box */
    stats_set set;
} side;

/* Side of the images: --crop or dataset.crop where one was given, else the smaller of the two files' maps. */
static status choose_crop(context *c, const command_line *line, const side *truth, const side *model, int *crop)
{
    const int64_t wanted = config_integer(line->cfg, "dataset.crop");
    const int own = model->m.nx < model->m.ny ? model->m.nx : model->m.ny;
    const int other = truth->m.nx < truth->m.ny ? truth->m.nx : truth->m.ny;
    *crop = wanted > 0 ? (int)wanted : own < other ? own : other;
    if (*crop <= own && *crop <= other) return STATUS_OK;
    return context_fail(c, STATUS_USAGE,
                        "images of %d × %d pixels do not fit: the maps of %s have %d × %d and those of %s %d × %d; set "
                        "--crop to a size that both hold",
                        *crop, *crop, truth->path, truth->m.ny, truth->m.nx, model->path, model->m.ny, model->m.nx);
}

/* The images of the maps, or of one part of them (--split), and none of the maps themselves. */
static status cut(context *c, const command_line *line, side *s, int crop, const char *part)
{
    static const char *const names[DATASET_PARTS] = {"train", "validation", "test"};
    dataset_split split = {0};
    dataset_options o;
    status e = STATUS_OK;
    if (!part || strcmp(part, "all") == 0) {
        s->block = dataset_block_all(&s->m, crop);
        e = dataset_crops(c, &s->m, NULL, 0, crop, &s->images, &s->count, &s->side);
        goto out;
    }
    int p = 0;
    while (p < DATASET_PARTS && strcmp(names[p], part) != 0) p++;
    if (p == DATASET_PARTS) {
        e = context_fail(c, STATUS_USAGE, "--split %s: choose train, validation, test or all", part);
        goto out;
    }
    dataset_options_read(line->cfg, &o);
    o.crop = crop;
    if ((e = dataset_split_new(c, &s->m, &o, &split))) goto out;
    s->block = dataset_block(&s->m, &split, (dataset_part)p);
    e = dataset_test_images(c, &s->m, &split, (dataset_part)p, &s->images, &s->count, &s->side);
out:
    dataset_split_delete(&split);
    memory_delete(&s->m.values);
    return e ? context_prefix(c, e, "%s", s->path) : e;
}

static void compare_scales(context *c, const side *truth, const side *model)
{
    const double a = truth->m.box_mpc_h / truth->m.nx, b = model->m.box_mpc_h / model->m.nx;
    if (fabs(a / b - 1) > 1e-3) {
        log_warning(c,
                    "pixels of %s are %.4g Mpc/h wide, those of %s %.4g: the spectra are compared in waves per image",
                    truth->path, a, model->path, b);
    }
    if (fabs(truth->m.mean / model->m.mean - 1) > 1e-3) {
        log_warning(c, "%s says %.4g particles per pixel on average, %s %.4g", truth->path, truth->m.mean, model->path,
                    model->m.mean);
    }
}

/* In the words of the report (report/compare.c). */
static const char *const figure_meaning[] = {
    "twice the share of pixels in the wrong bin of density; 0 is perfect", "ratio of the mean densities; 1 is perfect",
    "ratio of the scatter of the mean density from image to image; 1 is perfect",
    "mean |ln ratio| of the median power spectra; 0 is perfect", "ratio of the numbers of peaks; 1 is perfect"};

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *describe(const side *s)
{
    const stats_set *t = &s->set;
    return json_pack("{s:s, s:I, s:i, s:o, s:o, s:I, s:I, s:I}", "file", s->path, "images", (json_int_t)t->images,
                     "side", t->side, "mean_density", number(t->mean), "scatter", number(t->scatter), "underflow",
                     (json_int_t)t->pixel_counts[0], "overflow", (json_int_t)t->pixel_counts[t->bins + 1], "peaks",
                     (json_int_t)t->peaks_total);
}

static json_t *five(const stats_figures *f)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "pdf", number(f->pdf), "mean", number(f->mean), "std", number(f->std),
                     "psd", number(f->psd), "peaks", number(f->peaks));
}

static status print_json(context *c, const side *truth, const side *model, const stats_results *r, const char *out)
{
    json_t *root = json_pack("{s:s, s:o, s:o, s:o, s:o, s:{s:o, s:o}}", "file", out, "truth", describe(truth), "model",
                             describe(model), "figures", five(r->figures), "errors", five(r->errors), "diversity",
                             "variety", number(r->diversity->variety), "copies", number(r->diversity->copies));
    if (!root) return context_fail(c, STATUS_MEMORY, "no memory for the result as JSON");
    stats_pairs_json(root, r);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

static void print_text(const side *truth, const side *model, const stats_results *r, const char *out)
{
    const stats_figures *f = r->figures, *e = r->errors;
    const double values[] = {f->pdf, f->mean, f->std, f->psd, f->peaks};
    const double errors[] = {e->pdf, e->mean, e->std, e->psd, e->peaks};
    static const char *const names[] = {"pdf", "mean", "std", "psd", "peaks"};
    const side *const sides[] = {truth, model};
    printf("%-6s %8s %6s %14s %12s %12s %12s\n", "", "images", "side", "mean density", "underflow", "overflow",
           "peaks/image");
    for (int i = 0; i < 2; i++) {
        const stats_set *t = &sides[i]->set;
        printf("%-6s %8lld %6d %14.6g %12llu %12llu %12.6g\n", sides[i]->what, (long long)t->images, t->side, t->mean,
               (unsigned long long)t->pixel_counts[0], (unsigned long long)t->pixel_counts[t->bins + 1],
               (double)t->peaks_total / (double)t->images);
    }
    putchar('\n');
    for (int i = 0; i < 5; i++) printf("%-6s %10.4f ± %-8.2g %s\n", names[i], values[i], errors[i], figure_meaning[i]);
    printf("\nvariety %.3f (of the distances between images, over the truth's), copies of the truth %.1f %%\n",
           r->diversity->variety, 100 * r->diversity->copies);
    stats_pairs_print(r);
    printf("\n%s\n", out);
}

/* The two files, or with --pairs both sides of one, whose images then belong to each other one by one. */
static status read_files(context *c, const command_line *line, side *truth, side *model)
{
    const char *pairs = command_flag(line, "pairs");
    truth->path = pairs ? pairs : command_flag(line, "truth");
    model->path = pairs ? pairs : command_flag(line, "model");
    if (pairs) {
        static const char *const others[] = {"truth", "model", "split"};
        for (int i = 0; i < 3; i++) {
            if (command_flag_given(line, others[i]))
                return context_fail(c, STATUS_USAGE, "stats: --pairs takes all of one file; --%s does not go with it",
                                    others[i]);
        }
        return maps_read_pairs(c, pairs, &model->m, &truth->m);
    }
    if (!truth->path || !model->path) {
        return context_fail(c, STATUS_USAGE,
                            "stats: needs --truth MAPS and --model MAPS, the two sets to compare, or --pairs FILE");
    }
    const status s = maps_read(c, truth->path, &truth->m);
    return s ? s : maps_read(c, model->path, &model->m);
}

static status read_sides(context *c, const command_line *line, side *truth, side *model)
{
    int crop = 0;
    status s = read_files(c, line, truth, model);
    if (s) return s;
    if ((s = choose_crop(c, line, truth, model, &crop))) return s;
    compare_scales(c, truth, model);
    if ((s = cut(c, line, truth, crop, command_flag(line, "split")))) return s;
    return cut(c, line, model, crop, NULL);
}

/* The first half of the truth's boxes against the rest; NaN where a half is no set. */
static status compare_halves(context *c, stats_plan *plan, const side *truth, uint64_t seed, stats_figures *halves,
                             bootstrap_errors *errors)
{
    const int64_t n = truth->count, half = n / truth->block / 2 * truth->block;
    const size_t pixels = (size_t)truth->side * (size_t)truth->side;
    stats_set first = {0}, rest = {0};
    *halves = (stats_figures){NAN, NAN, NAN, NAN, NAN};
    errors->figures = *halves;
    if (half < 2) return STATUS_OK;
    status s = stats_set_from_host(c, plan, truth->path, truth->images, half, &first);
    if (!s) s = stats_set_from_host(c, plan, truth->path, truth->images + (size_t)half * pixels, n - half, &rest);
    first.block = rest.block = truth->block;
    if (!s) s = stats_figures_compute(c, &first, &rest, halves);
    if (!s) s = bootstrap_compute(c, &first, &rest, NULL, seed, errors);
    stats_set_delete(&first);
    stats_set_delete(&rest);
    return s;
}

/* What the comparison gives beside the two sets; overlap and pairs only of matched images. */
typedef struct {
    stats_figures figures, halves;
    bootstrap_errors errors, halves_errors;
    diversity diversity;
    stats_overlap overlap;
    stats_pairs pairs;
} comparison;

static status compare_pairs(context *c, const command_line *line, device *d, stats_plan *plan, side *truth, side *model,
                            comparison *r)
{
    stats_overlap_options o;
    double *cross = NULL;
    stats_overlap_options_read(line->cfg, &o);
    status s = stats_sets_from_pairs(c, plan, truth->path, truth->images, model->images, truth->count, &truth->set,
                                     &model->set, &cross);
    if (!s) s = stats_pairs_compute(c, &truth->set, &model->set, cross, &r->pairs);
    if (!s) s = stats_overlap_compute(c, d, &o, truth->images, model->images, truth->count, truth->side, &r->overlap);
    memory_delete(&cross);
    return s;
}

static status compute_sets(context *c, stats_plan *plan, side *truth, side *model)
{
    const status s = stats_set_from_host(c, plan, truth->path, truth->images, truth->count, &truth->set);
    return s ? s : stats_set_from_host(c, plan, model->path, model->images, model->count, &model->set);
}

static status compute(context *c, const command_line *line, const stats_options *o, device *d, side *truth, side *model,
                      comparison *r)
{
    const int64_t pixels = (int64_t)truth->side * truth->side;
    const uint64_t seed = (uint64_t)config_integer(line->cfg, "run.seed");
    stats_plan *plan = NULL;
    const double start = clock_seconds();
    status s = stats_plan_new(c, d, o, truth->side, &plan);
    if (!s)
        s = command_flag(line, "pairs") ? compare_pairs(c, line, d, plan, truth, model, r)
                                        : compute_sets(c, plan, truth, model);
    truth->set.block = truth->block;
    model->set.block = model->block;
    if (!s) stats_say_outside(c, truth->path, &truth->set, truth->images);
    if (!s) stats_say_outside(c, model->path, &model->set, model->images);
    if (!s) s = compare_halves(c, plan, truth, seed, &r->halves, &r->halves_errors);
    stats_plan_delete(&plan);
    if (!s) s = stats_figures_compute(c, &model->set, &truth->set, &r->figures);
    if (!s) s = bootstrap_compute(c, &model->set, &truth->set, NULL, seed, &r->errors);
    if (!s)
        s = diversity_compute(c, d, o->density_min, pixels, model->images, model->count, truth->images, truth->count,
                              &r->diversity);
    if (!s) {
        log_info(c, "statistics of %lld + %lld images in %.2f s", (long long)truth->count, (long long)model->count,
                 clock_seconds() - start);
    }
    return s;
}

static void side_delete(side *s)
{
    maps_delete(&s->m);
    memory_delete(&s->images);
    stats_set_delete(&s->set);
}

status command_stats(context *c, const command_line *line)
{
    side truth = {.what = "truth"}, model = {.what = "model"};
    stats_options o;
    comparison r = {0};
    provenance p = {0};
    device *d = NULL;
    const char *out = NULL;
    const bool pairs = command_flag(line, "pairs");
    status s = common_output(c, line, pairs ? "stats_pairs.h5" : NULL, &out);
    if (s) goto out;
    if ((s = stats_options_read(c, line->cfg, &o))) goto out;
    if ((s = read_sides(c, line, &truth, &model))) goto out;
    if ((s = ready_device(c, line, &p, &d))) goto out;
    if ((s = provenance_input(c, &p, truth.path))) goto out;
    if (!pairs && (s = provenance_input(c, &p, model.path))) goto out;
    if ((s = compute(c, line, &o, d, &truth, &model, &r))) goto out;
    const stats_results results = {.truth = &truth.set,
                                   .model = &model.set,
                                   .figures = &r.figures,
                                   .halves = &r.halves,
                                   .errors = &r.errors.figures,
                                   .halves_errors = &r.halves_errors.figures,
                                   .diversity = &r.diversity,
                                   .overlap = pairs ? &r.overlap : NULL,
                                   .pairs = pairs ? &r.pairs : NULL};
    if ((s = stats_file_write(c, out, &results, &p))) goto out;
    if ((s = common_log_profile(c, line, d))) goto out;
    if (line->json) {
        s = print_json(c, &truth, &model, &results, out);
    } else {
        print_text(&truth, &model, &results, out);
    }
out:
    side_delete(&truth);
    side_delete(&model);
    diversity_delete(&r.diversity);
    stats_pairs_delete(&r.pairs);
    provenance_delete(&p);
    device_delete(&d);
    return s;
}
