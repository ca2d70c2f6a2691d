/* `select`: scores every saved epoch of a training run on the validation maps and names the best; beside them two
 * baselines in the same currency, the generator before its training and Gaussian fields of the training maps' densities
 * and spectrum. */
#include <cosmocl/version.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/memory.h"
#include "base/progress.h"
#include "commands/ready.h"
#include "commands/trained.h"
#include "nets/generate.h"
#include "nets/saved.h"
#include "stats/bootstrap.h"
#include "stats/gaussian.h"

typedef struct {
    context *c;
    const command_line *line;
    const char *run;
    device *d;
    trained_maps trained;
    stats_plan *plan;
    stats_set validation, train;
    gaussian *field; /* of the training images */
    sampler *sampler;
    provenance origin; /* of the result */
    int64_t *numbers;  /* of the saved epochs */
    int saved;
    int64_t count; /* images of each */
    float *images;
    json_t *epochs, *baselines, *best;
    double best_score, best_error;
    bool best_collapsed;
} selection;

/* How a set of images compares with the validation images. */
typedef struct {
    score score;
    stats_figures figures;
    bootstrap_errors errors;
    bool collapsed; /* never the best, unless all are */
} judgement;

/* Statistics of the validation images and, as the yardstick, of no more training images than a model has (score.h). */
static status reference_sets(selection *t)
{
    float *validation = NULL, *train = NULL;
    int64_t validations = 0, trains = 0;
    stats_options o;
    const int side = t->trained.split.crop;
    status s = trained_maps_images(t->c, &t->trained, DATASET_VALIDATION, &validation, &validations);
    if (!s) s = trained_maps_images(t->c, &t->trained, DATASET_TRAIN, &train, &trains);
    if (!s) s = stats_options_read(t->c, t->line->cfg, &o);
    if (!s) {
        const int64_t fewer = trains < validations ? trains : validations;
        o.neighbours = stats_neighbours(t->count < fewer ? t->count : fewer);
        s = stats_plan_new(t->c, t->d, &o, side, &t->plan);
    }
    if (!s) s = stats_set_from_host(t->c, t->plan, "validation", validation, validations, &t->validation);
    if (!s) s = gaussian_new(t->c, train, trains, side, &t->field);
    if (!s) trains = stats_thin(train, trains, (int64_t)side * side, t->count);
    if (!s) s = stats_set_from_host(t->c, t->plan, "training", train, trains, &t->train);
    if (!s) t->validation.block = dataset_block(&t->trained.m, &t->trained.split, DATASET_VALIDATION);
    memory_delete(&validation);
    memory_delete(&train);
    return s;
}

static uint64_t seed_of(const selection *t)
{
    return (uint64_t)config_integer(t->trained.cfg, "run.seed");
}

/* Of the images in t->images. */
static status judge(selection *t, const char *what, judgement *out)
{
    stats_set model = {0};
    status s = stats_set_from_host(t->c, t->plan, what, t->images, t->count, &model);
    if (!s) s = score_compute(t->c, &model, &t->validation, &t->train, &out->score);
    if (!s) s = stats_figures_compute(t->c, &model, &t->validation, &out->figures);
    if (!s) out->collapsed = score_collapsed(&model, &t->validation);
    if (!s) s = bootstrap_compute(t->c, &model, &t->validation, &out->score, seed_of(t), &out->errors);
    stats_set_delete(&model);
    return s;
}

/* Adds score, score_error, collapsed, parts and figures to the row. */
static status describe(const selection *t, const judgement *j, json_t *row)
{
    const stats_figures *f = &j->figures;
    json_t *parts = json_object(), *figures = json_object();
    for (int i = 0; i < j->score.count; i++)
        json_object_set_new(parts, j->score.part[i].name, json_real(j->score.part[i].ratio));
    const double values[] = {f->pdf, f->mean, f->std, f->psd, f->peaks};
    static const char *const names[] = {"pdf", "mean", "std", "psd", "peaks"};
    for (int i = 0; i < 5; i++)
        json_object_set_new(figures, names[i], isfinite(values[i]) ? json_real(values[i]) : json_null());
    int bad = json_object_set_new(row, "score", json_real(j->score.value));
    bad |= json_object_set_new(row, "score_error", json_real(j->errors.score));
    bad |= json_object_set_new(row, "collapsed", json_boolean(j->collapsed));
    bad |= json_object_set_new(row, "parts", parts);
    bad |= json_object_set_new(row, "figures", figures);
    return bad ? context_fail(t->c, STATUS_MEMORY, "no memory for the scores") : STATUS_OK;
}

static void print_row(const selection *t, const char *name, const char *step, const judgement *j)
{
    const stats_figures *f = &j->figures;
    if (t->line->json) return;
    printf("%9s %8s %8.3f ± %-6.2g %8.3f %6.2f %6.2f %8.3f %6.2f%s\n", name, step, j->score.value, j->errors.score,
           f->pdf, f->mean, f->std, f->psd, f->peaks, j->collapsed ? "  collapsed" : "");
}

static status score_epoch(selection *t, int64_t number, const char *path)
{
    judgement j = {0};
    char name[24], step[24], file[64];
    status s = sampler_load(t->c, t->sampler, path);
    if (!s) s = sampler_run(t->c, t->sampler, NULL, seed_of(t), RNG_SELECT, t->count, t->images);
    if (!s) s = judge(t, path, &j);
    if (s) return s;
    snprintf(file, sizeof file, "epochs/%04lld.h5", (long long)number);
    json_t *row = json_pack("{s:I, s:I, s:s}", "epoch", (json_int_t)number, "step", (json_int_t)t->sampler->origin.step,
                            "file", file);
    s = describe(t, &j, row);
    json_array_append_new(t->epochs, row);
    if (s) return s;
    const bool better = j.collapsed == t->best_collapsed ? j.score.value < t->best_score : t->best_collapsed;
    if (!t->best || better) {
        t->best = row; /* borrowed from the array */
        t->best_score = j.score.value;
        t->best_error = j.errors.score;
        t->best_collapsed = j.collapsed;
    }
    snprintf(name, sizeof name, "%lld", (long long)number);
    snprintf(step, sizeof step, "%lld", (long long)t->sampler->origin.step);
    print_row(t, name, step, &j);
    return STATUS_OK;
}

static status add_baseline(selection *t, const char *name)
{
    judgement j = {0};
    json_t *row = json_object();
    status s = judge(t, name, &j);
    if (!s) s = describe(t, &j, row);
    json_object_set_new(t->baselines, name, row);
    if (!s) print_row(t, name, "", &j);
    return s;
}

static status score_baselines(selection *t, const char *path)
{
    const config *cfg = t->trained.cfg;
    sampler *g = NULL;
    status s = sampler_untrained(t->c, t->d, path, (int)config_integer(cfg, "gan.batch"),
                                 (int)config_integer(cfg, "gan.micro_batch"), seed_of(t),
                                 (initialisation)config_choice(cfg, "network.init"), &g);
    if (!s) s = sampler_run(t->c, g, NULL, seed_of(t), RNG_SELECT, t->count, t->images);
    sampler_delete(&g);
    if (!s) s = add_baseline(t, "untrained");
    if (!s) s = gaussian_maps(t->c, t->field, seed_of(t), t->count, t->images);
    if (!s) s = add_baseline(t, "gaussian");
    json_object_set_new(json_object_get(t->baselines, "gaussian"), "misfit", json_real(gaussian_misfit(t->field)));
    return s;
}

static json_t *made(const selection *t)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "version", COSMOCL_VERSION, "commit", COSMOCL_COMMIT, "device",
                     t->origin.device, "selftest", t->origin.selftest);
}

/* Epochs whose score is within one error of the best: the choice among them is chance. */
static int equals(const selection *t)
{
    int n = 0;
    for (size_t i = 0; i < json_array_size(t->epochs); i++) {
        const json_t *row = json_array_get(t->epochs, i);
        n += json_is_true(json_object_get(row, "collapsed")) == t->best_collapsed &&
             json_real_value(json_object_get(row, "score")) <= t->best_score + t->best_error;
    }
    return n;
}

static void print_best(const selection *t)
{
    const int others = equals(t) - 1;
    if (others > 0)
        printf("%d other epoch%s within one error (%.2g) of the best: the choice among them is chance\n", others,
               others > 1 ? "s are" : " is", t->best_error);
    printf("best: epoch %lld (step %lld), score %.3f ± %.2g: %s/%s\n",
           (long long)json_integer_value(json_object_get(t->best, "epoch")),
           (long long)json_integer_value(json_object_get(t->best, "step")), t->best_score, t->best_error, t->run,
           json_string_value(json_object_get(t->best, "file")));
}

static status write_result(selection *t)
{
    char path[FILES_PATH];
    status s = files_path(t->c, path, "%s/select.json", t->run);
    json_t *root = json_pack("{s:O, s:I, s:I, s:I, s:O, s:O, s:o}", "best", t->best, "generated", (json_int_t)t->count,
                             "training", (json_int_t)t->train.images, "validation", (json_int_t)t->validation.images,
                             "epochs", t->epochs, "baselines", t->baselines, "made", made(t));
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    if (!s && !text) s = context_fail(t->c, STATUS_MEMORY, "no memory for the scores");
    if (!s) s = files_replace(t->c, path, text, strlen(text));
    if (!s && t->line->json) printf("%s\n", text);
    if (!s && !t->line->json) print_best(t);
    free(text);
    json_decref(root);
    return s;
}

static status list_epochs(selection *t)
{
    status s = saved_epochs(t->c, t->run, &t->numbers, &t->saved);
    if (s || t->saved) return s;
    return context_fail(t->c, STATUS_DATA,
                        "%s: no saved epochs in it (epochs/NNNN.h5); give the folder of a training run", t->run);
}

static status score_all(selection *t)
{
    char path[FILES_PATH];
    progress p;
    if (!t->line->json)
        printf("%9s %8s %8s ± %-6s %8s %6s %6s %8s %6s\n", "epoch", "step", "score", "error", "pdf", "mean", "std",
               "psd", "peaks");
    progress_begin(&p, t->c, "select", "epochs", 0, t->saved);
    status s = STATUS_OK;
    for (int i = 0; i < t->saved && !s; i++) {
        if (context_stop_requested(t->c)) s = context_fail(t->c, STATUS_INTERRUPTED, "select: interrupted");
        if (!s) s = saved_epoch_path(t->c, t->run, t->numbers[i], path);
        if (!s) s = score_epoch(t, t->numbers[i], path);
        progress_update(&p, i + 1, "best score %.3f", t->best_score);
    }
    progress_end(&p);
    if (!s && t->best_collapsed)
        log_warning(t->c,
                    "%s: every epoch makes nearly one image again and again (its images differ by less than %g of what "
                    "the validation images do); the least score is chosen, but train anew",
                    t->run, SCORE_COLLAPSED);
    return s;
}

static status prepare(selection *t, const char *first)
{
    t->count = 200;
    status s = command_flag_integer(t->c, t->line, "count", 2, 1000000, &t->count);
    t->epochs = json_array();
    t->baselines = json_object();
    if (!s) s = trained_maps_find(t->c, t->line, first, &t->trained);
    if (!s) s = reference_sets(t);
    if (!s) s = sampler_new(t->c, t->d, first, (int)config_integer(t->trained.cfg, "gan.batch"), &t->sampler);
    size_t pixels = s ? 0 : (size_t)t->sampler->origin.shape.image * t->sampler->origin.shape.image;
    if (!s) s = memory_new(t->c, "generated images", (size_t)t->count * pixels, sizeof(float), &t->images);
    return s;
}

static void selection_delete(selection *t)
{
    sampler_delete(&t->sampler);
    stats_set_delete(&t->validation);
    stats_set_delete(&t->train);
    stats_plan_delete(&t->plan);
    memory_delete(&t->images);
    memory_delete(&t->numbers);
    provenance_delete(&t->origin);
    json_decref(t->epochs);
    json_decref(t->baselines);
    gaussian_delete(&t->field);
    trained_maps_delete(&t->trained);
    device_delete(&t->d);
}

status command_select(context *c, const command_line *line)
{
    selection t = {.c = c, .line = line, .run = line->argument[0]};
    char first[FILES_PATH];
    status s = list_epochs(&t);
    if (!s) s = saved_epoch_path(c, t.run, t.numbers[0], first);
    if (!s) s = ready_trained_device(c, line, first, &t.origin, &t.d);
    if (!s) s = prepare(&t, first);
    if (!s) s = score_all(&t);
    if (!s) s = score_baselines(&t, first);
    if (!s) s = write_result(&t);
    selection_delete(&t);
    return s;
}
