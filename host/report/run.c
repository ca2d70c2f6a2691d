#include "report/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "base/options.h"
#include "io/hdf5.h"

enum { PARENTS_READ = 48, IMAGES_READ = 512 };

static const struct {
    const char *file, *meaning;
} parts[RUN_PARTS] = {
    [RUN_PARENTS] = {"maps.h5", "the simulated maps"},
    [RUN_METRICS] = {"gan/metrics.jsonl", "the course of the training"},
    [RUN_SELECT] = {"gan/select.json", "the scores of the saved networks"},
    [RUN_TRUTH] = {"truth.h5", "the simulated test images"},
    [RUN_GENERATED] = {"generated.h5", "the generated images"},
    [RUN_STATS] = {"stats.h5", "the statistics of both"},
    [RUN_UNTRAINED] = {"baseline_untrained.h5", "the images of an untrained network"},
    [RUN_GAUSSIAN] = {"baseline_gaussian.h5", "the images of the transformed Gaussian field"},
    [RUN_UNTRAINED_STATS] = {"stats_untrained.h5", "the statistics of the untrained network"},
    [RUN_GAUSSIAN_STATS] = {"stats_gaussian.h5", "the statistics of the transformed Gaussian field"},
    [RUN_ENCODER] = {"encoder/metrics.jsonl", "the course of the encoder's training"},
    [RUN_PAIRS] = {"pairs.h5", "the test images and what the autoencoder infers"},
    [RUN_PAIRS_STATS] = {"stats_pairs.h5", "the statistics of the pairs"},
    [RUN_SANITY_GENERATED] = {"stats_sanity_generated.h5", "the sanity experiment on generated images"},
    [RUN_SANITY_REAL] = {"stats_sanity_real.h5", "the sanity experiment on simulated images"},
    [RUN_PIPELINE] = {"pipeline.json", "the record of the stages"},
    [RUN_CONFIG] = {"config.ini", "the effective configuration"},
};

const char *run_file(run_part part)
{
    return parts[part].file;
}
const char *run_meaning(run_part part)
{
    return parts[part].meaning;
}
bool run_has(const run *r, run_part part)
{
    return !r->note[part][0];
}

void run_delete(run *r)
{
    if (!r) return;
    sample_delete(&r->parents);
    sample_delete(&r->truth);
    sample_delete(&r->generated);
    sample_delete(&r->untrained);
    sample_delete(&r->gaussian);
    sample_delete(&r->inferred);
    sample_delete(&r->originals);
    metrics_delete(&r->course);
    metrics_delete(&r->encoder);
    numbers_delete(&r->stats);
    numbers_delete(&r->untrained_stats);
    numbers_delete(&r->gaussian_stats);
    numbers_delete(&r->pairs);
    numbers_delete(&r->sanity_generated);
    numbers_delete(&r->sanity_real);
    json_decref(r->select);
    json_decref(r->pipeline);
    config_delete(&r->settings);
    memory_delete(&r->configuration);
    for (int i = 0; i < MADE_COUNT; i++) memory_delete(&r->made[i]);
    memset(r, 0, sizeof *r);
}

static status read_json(context *c, const char *path, json_t **out)
{
    char *text = NULL;
    size_t size = 0;
    json_error_t e;
    status s = files_read(c, path, &text, &size);
    if (s) return s;
    json_t *root = json_loadb(text, size, 0, &e);
    if (!json_is_object(root)) {
        s = root ? context_fail(c, STATUS_DATA, "%s: holds no JSON object", path)
                 : context_fail(c, STATUS_DATA, "%s:%d: %s", path, e.line, e.text);
        json_decref(root);
        root = NULL;
    }
    memory_delete(&text);
    *out = root;
    return s;
}

/* A configuration that does not parse (another version's) is still shown as text. */
static status read_config(context *c, const char *path, run *r)
{
    size_t size = 0;
    status s = files_read(c, path, &r->configuration, &size);
    if (s) return s;
    context *quiet = context_child(c);
    if (!quiet || config_new(quiet, &r->settings) || config_read(quiet, r->settings, r->configuration, "config.ini")) {
        if (quiet) log_info(c, "%s: %s; shown as it is", path, context_message(quiet));
        config_delete(&r->settings);
    }
    context_delete(&quiet);
    return STATUS_OK;
}

static status read_pairs(context *c, const char *path, run *r)
{
    status s = sample_read(c, path, IMAGES_READ, &r->inferred);
    if (!s) s = sample_read_dataset(c, path, "/truth", IMAGES_READ, &r->originals);
    if (!s && (r->inferred.total != r->originals.total || r->inferred.ny != r->originals.ny ||
               r->inferred.nx != r->originals.nx))
        s = context_fail(c, STATUS_DATA, "%s: /truth has another shape than /maps", path);
    if (!s) return s;
    sample_delete(&r->inferred);
    sample_delete(&r->originals);
    return s;
}

static status read_part(context *c, run_part part, const char *path, run *r)
{
    switch (part) {
    case RUN_PARENTS:
        return sample_read(c, path, PARENTS_READ, &r->parents);
    case RUN_METRICS:
        return metrics_read(c, path, &r->course);
    case RUN_SELECT:
        return read_json(c, path, &r->select);
    case RUN_TRUTH:
        return sample_read(c, path, IMAGES_READ, &r->truth);
    case RUN_GENERATED:
        return sample_read(c, path, IMAGES_READ, &r->generated);
    case RUN_STATS:
        return numbers_read(c, path, &r->stats);
    case RUN_UNTRAINED:
        return sample_read(c, path, IMAGES_READ, &r->untrained);
    case RUN_GAUSSIAN:
        return sample_read(c, path, IMAGES_READ, &r->gaussian);
    case RUN_UNTRAINED_STATS:
        return numbers_read(c, path, &r->untrained_stats);
    case RUN_GAUSSIAN_STATS:
        return numbers_read(c, path, &r->gaussian_stats);
    case RUN_ENCODER:
        return metrics_read(c, path, &r->encoder);
    case RUN_PAIRS:
        return read_pairs(c, path, r);
    case RUN_PAIRS_STATS:
        return numbers_read(c, path, &r->pairs);
    case RUN_SANITY_GENERATED:
        return numbers_read(c, path, &r->sanity_generated);
    case RUN_SANITY_REAL:
        return numbers_read(c, path, &r->sanity_real);
    case RUN_PIPELINE:
        return read_json(c, path, &r->pipeline);
    case RUN_CONFIG:
        return read_config(c, path, r);
    default:
        return STATUS_OK;
    }
}

static void read_made(context *c, const char *path, run *r)
{
    static const char *const names[MADE_COUNT] = {"version", "commit", "date", "device", "selftest", "command_line"};
    h5_file *f = NULL;
    if (h5_open(c, path, &f)) return;
    for (int i = 0; i < MADE_COUNT; i++)
        if (h5_has_attribute(f, "/provenance", names[i]))
            (void)h5_read_text(c, f, "/provenance", names[i], &r->made[i]); /* stays NULL on failure */
    h5_delete(&f);
}

/* generated.h5 was made by the device that trained; the others may need none. */
static status read_provenance(context *c, run *r)
{
    static const run_part order[] = {RUN_GENERATED, RUN_STATS, RUN_PARENTS};
    context *quiet = context_child(c);
    if (!quiet) return context_fail(c, STATUS_MEMORY, "report: no memory");
    for (size_t i = 0; i < sizeof order / sizeof *order && !r->made[MADE_VERSION]; i++) {
        char path[FILES_PATH];
        if (!run_has(r, order[i]) || files_path(quiet, path, "%s/%s", r->folder, run_file(order[i]))) continue;
        read_made(quiet, path, r);
    }
    context_delete(&quiet);
    return STATUS_OK;
}

/* Files of a part that was not asked for are of an older run. */
bool run_asked_for(const run *r, run_part part)
{
    const bool sanity = part == RUN_SANITY_GENERATED || part == RUN_SANITY_REAL;
    return !sanity || !r->settings || config_integer(r->settings, "encoder.sanity_steps") > 0;
}

status run_read(context *c, const char *folder, run *r)
{
    struct stat st;
    int found = 0;
    memset(r, 0, sizeof *r);
    if (stat(folder, &st) || !S_ISDIR(st.st_mode))
        return context_fail(c, STATUS_DATA, "%s: is not a folder; name the folder of a pipeline run", folder);
    status s = files_path(c, r->folder, "%s", folder);
    for (int part = 0; !s && part < RUN_PARTS; part++) {
        char path[FILES_PATH];
        s = files_path(c, path, "%s/%s", folder, run_file(part));
        if (s) break;
        if (!run_asked_for(r, part)) {
            snprintf(r->note[part], sizeof r->note[part], "not asked for (encoder.sanity_steps = 0)");
            continue;
        }
        if (!files_exists(path)) {
            snprintf(r->note[part], sizeof r->note[part], "not in this run");
            continue;
        }
        status read = read_part(c, part, path, r);
        if (read == STATUS_MEMORY) s = read;
        if (!read) found++;
        if (read) {
            snprintf(r->note[part], sizeof r->note[part], "could not be read: %s", context_message(c));
            log_warning(c, "%s", context_message(c));
        }
    }
    if (!s && !found)
        s = context_fail(c, STATUS_DATA,
                         "%s: holds nothing of a pipeline run (maps.h5, gan/metrics.jsonl, truth.h5, "
                         "generated.h5, stats.h5, …)",
                         folder);
    if (!s) s = read_provenance(c, r);
    if (s) run_delete(r);
    return s;
}

double run_setting(const run *r, const char *key)
{
    const option *o = r->settings ? options_find(key) : NULL;
    if (o && o->type == OPTION_INTEGER) return (double)config_integer(r->settings, key);
    return o && o->type == OPTION_REAL ? config_real(r->settings, key) : NAN;
}

double run_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

int run_epochs(const run *r)
{
    size_t n = json_array_size(json_object_get(r->select, "epochs"));
    return n > 100000 ? 100000 : (int)n;
}

void run_epoch_get(const run *r, int i, run_epoch *e)
{
    const json_t *object = json_array_get(json_object_get(r->select, "epochs"), (size_t)i);
    e->epoch = run_number(object, "epoch");
    e->step = run_number(object, "step");
    e->score = run_number(object, "score");
    e->error = run_number(object, "score_error");
    e->parts = json_object_get(object, "parts");
    e->figures = json_object_get(object, "figures");
}

int run_best(const run *r)
{
    double best = run_number(json_object_get(r->select, "best"), "epoch");
    for (int i = 0; i < run_epochs(r); i++) {
        run_epoch e;
        run_epoch_get(r, i, &e);
        if (e.epoch == best) return i;
    }
    return -1;
}
