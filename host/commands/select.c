/* `select`: scores every saved epoch of a training run on the validation maps and names the best. */
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
#include "dataset/split.h"
#include "nets/generate.h"
#include "nets/saved.h"
#include "stats/figures.h"
#include "stats/score.h"

typedef struct {
    context *c;
    const command_line *line;
    const char *run;
    device *d;
    config *trained; /* the configuration of the run: its split is the one that was held out */
    char maps_path[FILES_PATH];
    stats_plan *plan;
    stats_set validation, train;
    sampler *sampler;
    provenance origin; /* of the result */
    int64_t *numbers;  /* of the saved epochs */
    int saved;
    int64_t count; /* images of each */
    float *images;
    json_t *epochs, *best;
    double best_score;
} selection;

/* The maps file: --maps, or the input that the run recorded ("HASH  PATH"). */
static status find_maps(selection *t, h5_file *f)
{
    const char *flag = command_flag(t->line, "maps");
    if (flag) return files_path(t->c, t->maps_path, "%s", flag);
    char *inputs = NULL;
    status s = h5_read_text(t->c, f, "/provenance", "input_hashes", &inputs);
    const char *path = s ? NULL : strstr(inputs, "  ");
    if (path) s = files_path(t->c, t->maps_path, "%.*s", (int)strcspn(path + 2, "\n"), path + 2);
    memory_delete(&inputs);
    if (!s && (!path || !files_exists(t->maps_path)))
        s = context_fail(t->c, STATUS_USAGE,
                         "%s: the maps file that the run was trained on is not at %s; say where with --maps", t->run,
                         path ? t->maps_path : "a recorded place");
    return s;
}

static status read_run(selection *t, const char *epoch)
{
    h5_file *f = NULL;
    char *text = NULL;
    status s = h5_open(t->c, epoch, &f);
    if (!s) s = find_maps(t, f);
    if (!s) s = provenance_read_configuration(t->c, f, &text);
    if (!s) s = config_new(t->c, &t->trained);
    if (!s) s = config_read(t->c, t->trained, text, epoch);
    memory_delete(&text);
    h5_delete(&f);
    return s;
}

static status part_set(selection *t, const maps *m, const dataset_split *split, dataset_part part, const char *what,
                       stats_set *out)
{
    float *images = NULL;
    int64_t count = 0;
    int side = 0;
    status s = dataset_test_images(t->c, m, split, part, &images, &count, &side);
    if (!s && count < 2)
        s = context_fail(t->c, STATUS_USAGE,
                         "the run has %lld %s images, too few to score by; train with a larger "
                         "dataset.validation",
                         (long long)count, what);
    if (!s) s = stats_set_from_host(t->c, t->plan, what, images, count, out);
    memory_delete(&images);
    return s;
}

/* Statistics of the validation images and, as the yardstick, of the training images. */
static status reference_sets(selection *t)
{
    maps m = {0};
    dataset_options options;
    dataset_split split = {0};
    stats_options stats;
    status s = maps_read(t->c, t->maps_path, &m);
    dataset_options_read(t->trained, &options);
    if (!s) s = dataset_split_new(t->c, &m, &options, &split);
    if (!s) s = stats_options_read(t->c, t->line->cfg, &stats);
    if (!s) s = stats_plan_new(t->c, t->d, &stats, split.crop, &t->plan);
    if (!s) s = part_set(t, &m, &split, DATASET_VALIDATION, "validation", &t->validation);
    if (!s) s = part_set(t, &m, &split, DATASET_TRAIN, "training", &t->train);
    dataset_split_delete(&split);
    maps_delete(&m);
    return s;
}

static json_t *epoch_row(const selection *t, int64_t number, const score *sc, const stats_figures *f)
{
    char file[64];
    snprintf(file, sizeof file, "epochs/%04lld.h5", (long long)number);
    json_t *parts = json_object();
    for (int i = 0; i < sc->count; i++) json_object_set_new(parts, sc->part[i].name, json_real(sc->part[i].ratio));
    const double values[] = {f->pdf, f->mean, f->std, f->psd, f->peaks};
    static const char *const names[] = {"pdf", "mean", "std", "psd", "peaks"};
    json_t *figures = json_object();
    for (int i = 0; i < 5; i++)
        json_object_set_new(figures, names[i], isfinite(values[i]) ? json_real(values[i]) : json_null());
    return json_pack("{s:I, s:I, s:s, s:f, s:o, s:o}", "epoch", (json_int_t)number, "step",
                     (json_int_t)t->sampler->origin.step, "file", file, "score", sc->value, "parts", parts, "figures",
                     figures);
}

static status score_epoch(selection *t, int64_t number, const char *path)
{
    score sc;
    stats_figures figures;
    stats_set model = {0};
    status s = sampler_load(t->c, t->sampler, path);
    if (!s)
        s = sampler_run(t->c, t->sampler, NULL, (uint64_t)config_integer(t->trained, "run.seed"), RNG_SELECT, t->count,
                        t->images);
    if (!s) s = stats_set_from_host(t->c, t->plan, path, t->images, t->count, &model);
    if (!s) s = score_compute(t->c, &model, &t->validation, &t->train, &sc);
    if (!s) s = stats_figures_compute(t->c, &model, &t->validation, &figures);
    stats_set_delete(&model);
    if (s) return s;
    json_t *row = epoch_row(t, number, &sc, &figures);
    if (!row) return context_fail(t->c, STATUS_MEMORY, "no memory for the scores");
    json_array_append_new(t->epochs, row);
    if (!t->best || sc.value < t->best_score) {
        t->best = row; /* borrowed from the array */
        t->best_score = sc.value;
    }
    if (!t->line->json)
        printf("%5lld %8lld %8.3f %8.3f %6.2f %6.2f %8.3f %6.2f\n", (long long)number,
               (long long)t->sampler->origin.step, sc.value, figures.pdf, figures.mean, figures.std, figures.psd,
               figures.peaks);
    return STATUS_OK;
}

static json_t *made(const selection *t)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "version", COSMOCL_VERSION, "commit", COSMOCL_COMMIT, "device",
                     t->origin.device, "selftest", t->origin.selftest);
}

static status write_result(selection *t)
{
    char path[FILES_PATH];
    status s = files_path(t->c, path, "%s/select.json", t->run);
    json_t *root = json_pack("{s:O, s:I, s:I, s:O, s:o}", "best", t->best, "generated", (json_int_t)t->count,
                             "validation", (json_int_t)t->validation.images, "epochs", t->epochs, "made", made(t));
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    if (!s && !text) s = context_fail(t->c, STATUS_MEMORY, "no memory for the scores");
    if (!s) s = files_replace(t->c, path, text, strlen(text));
    if (!s && t->line->json) printf("%s\n", text);
    if (!s && !t->line->json)
        printf("best: epoch %lld (step %lld), score %.3f: %s/%s\n",
               (long long)json_integer_value(json_object_get(t->best, "epoch")),
               (long long)json_integer_value(json_object_get(t->best, "step")), t->best_score, t->run,
               json_string_value(json_object_get(t->best, "file")));
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
        printf("%5s %8s %8s %8s %6s %6s %8s %6s\n", "epoch", "step", "score", "pdf", "mean", "std", "psd", "peaks");
    progress_begin(&p, t->c, "select", "epochs", 0, t->saved);
    status s = STATUS_OK;
    for (int i = 0; i < t->saved && !s; i++) {
        if (context_stop_requested(t->c)) s = context_fail(t->c, STATUS_INTERRUPTED, "select: interrupted");
        if (!s) s = saved_epoch_path(t->c, t->run, t->numbers[i], path);
        if (!s) s = score_epoch(t, t->numbers[i], path);
        progress_update(&p, i + 1, "best score %.3f", t->best_score);
    }
    progress_end(&p);
    return s;
}

static status prepare(selection *t, const char *first)
{
    t->count = 200;
    status s = command_flag_integer(t->c, t->line, "count", 2, 1000000, &t->count);
    t->epochs = json_array();
    if (!s) s = read_run(t, first);
    if (!s) s = reference_sets(t);
    if (!s) s = sampler_new(t->c, t->d, first, (int)config_integer(t->trained, "gan.batch"), &t->sampler);
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
    config_delete(&t->trained);
    device_delete(&t->d);
}

status command_select(context *c, const command_line *line)
{
    selection t = {.c = c, .line = line, .run = line->argument[0]};
    char first[FILES_PATH];
    status s = list_epochs(&t);
    if (!s) s = ready_device(c, line, &t.origin, &t.d);
    if (!s) s = saved_epoch_path(c, t.run, t.numbers[0], first);
    if (!s) s = prepare(&t, first);
    if (!s) s = score_all(&t);
    if (!s) s = write_result(&t);
    selection_delete(&t);
    return s;
}
