/* `pipeline`: all stages in order, each a command of its own that reads and writes files in the run's folder. A stage
 * is skipped when its outputs are there and neither its inputs nor its part of the configuration has changed. */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/memory.h"
#include "commands/command.h"
#include "commands/plan.h"
#include "nets/saved.h"

/* One row a stage. Paths are relative to the run's folder. Words of the command line: the command's one or two, then
 * arguments (paths) and flags; a flag's value with a dot in it is a path, {KEY} a number of the configuration. */
typedef struct {
    const char *name;
    const char *line;
    const char *out;
    const char *inputs;
    const char *when; /* a key that must not be 0; NULL: always */
    bool resumes;     /* goes on with what lies in its output folder */
} stage;

#define SANITY "encoder.sanity_steps"

/* clang-format off */
static const stage stages[] = {
    {"simulate", "simulate", "boxes", "", NULL, true},
    {"maps", "maps boxes", "maps.h5", "boxes", NULL, false},
    {"train gan", "train gan maps.h5", "gan", "maps.h5", NULL, true},
    {"select", "select gan --maps maps.h5", "gan/select.json", "gan/epochs maps.h5", NULL, false},
    {"generate", "generate gan", "generated.h5", "gan/select.json", NULL, false},
    {"dataset export", "dataset export maps.h5 --split test", "truth.h5", "maps.h5", NULL, false},
    {"stats", "stats --truth truth.h5 --model generated.h5", "stats.h5", "truth.h5 generated.h5", NULL, false},

    {"untrained baseline", "generate gan --baseline untrained", "baseline_untrained.h5", "gan/select.json", NULL, false},
    {"untrained stats", "stats --truth truth.h5 --model baseline_untrained.h5", "stats_untrained.h5",
     "truth.h5 baseline_untrained.h5", NULL, false},
    {"gaussian baseline", "generate gan --baseline gaussian --maps maps.h5", "baseline_gaussian.h5",
     "gan/select.json maps.h5", NULL, false},
    {"gaussian stats", "stats --truth truth.h5 --model baseline_gaussian.h5", "stats_gaussian.h5",
     "truth.h5 baseline_gaussian.h5", NULL, false},

    {"train encoder", "train encoder maps.h5 gan", "encoder", "maps.h5 gan/select.json", NULL, true},
    {"infer", "infer truth.h5 encoder --split all", "pairs.h5", "truth.h5 encoder/best.h5", NULL, false},
    {"pairs stats", "stats --pairs pairs.h5", "stats_pairs.h5", "pairs.h5", NULL, false},

    {"sanity encoder", "train encoder maps.h5 gan --loss z --steps {" SANITY "}", "sanity", "maps.h5 gan/select.json", SANITY, true},
    {"sanity infer generated", "infer generated.h5 sanity --split all", "pairs_sanity_generated.h5",
     "generated.h5 sanity/best.h5", SANITY, false},
    {"sanity infer real", "infer truth.h5 sanity --split all", "pairs_sanity_real.h5", "truth.h5 sanity/best.h5", SANITY, false},
    {"sanity stats generated", "stats --pairs pairs_sanity_generated.h5", "stats_sanity_generated.h5",
     "pairs_sanity_generated.h5", SANITY, false},
    {"sanity stats real", "stats --pairs pairs_sanity_real.h5", "stats_sanity_real.h5", "pairs_sanity_real.h5", SANITY, false},

    {"report", "report .", "report.html",
     "gan/select.json generated.h5 truth.h5 stats.h5 baseline_untrained.h5 stats_untrained.h5 baseline_gaussian.h5 "
     "stats_gaussian.h5 encoder/best.h5 pairs.h5 stats_pairs.h5 stats_sanity_generated.h5 stats_sanity_real.h5", NULL, false},
};
/* clang-format on */
enum { STAGES = sizeof stages / sizeof *stages, WORDS = 16, WORD = 64 };

typedef struct {
    context *c;
    const command_line *line;
    char folder[FILES_PATH / 2];
    char *configuration;
    json_t *record; /* pipeline.json */
    int wanted;     /* stages of this configuration */
} pipeline;

/* A stage's command line with the run's paths in it, and the configuration that it runs with. */
typedef struct {
    command_line line;
    config *cfg; /* owned */
    char out[FILES_PATH], values[WORDS][FILES_PATH];
    const char *argument[WORDS];
} stage_call;

static bool is_wanted(const pipeline *p, const stage *g)
{
    return !g->when || config_integer(p->line->cfg, g->when) > 0;
}

/* Splits at spaces; the number of words. */
static int split_words(const char *text, char words[WORDS][WORD])
{
    int n = 0;
    while (n < WORDS && *(text += strspn(text, " "))) {
        const size_t length = strcspn(text, " ");
        snprintf(words[n++], WORD, "%.*s", (int)length, text);
        text += length;
    }
    return n;
}

static status path_of(pipeline *p, const char *name, char *path)
{
    if (strcmp(name, ".") == 0) return files_path(p->c, path, "%s", p->folder);
    return files_path(p->c, path, "%s/%s", p->folder, name);
}

/* ---- the command line of a stage */

static void stage_call_delete(stage_call *call)
{
    config_delete(&call->cfg);
}

static int flag_place(const command_row *row, const char *name)
{
    for (int i = 0; i < COMMAND_FLAGS && row->flags[i].name; i++)
        if (strcmp(row->flags[i].name, name) == 0) return i;
    return -1;
}

/* A flag's word as its value: a path, a number of the configuration, or itself. */
static status flag_value(pipeline *p, const char *word, char value[FILES_PATH])
{
    char key[WORD];
    if (sscanf(word, "{%63[^}]}", key) == 1)
        return files_path(p->c, value, "%lld", (long long)config_integer(p->line->cfg, key));
    return strchr(word, '.') ? path_of(p, word, value) : files_path(p->c, value, "%s", word);
}

static status take_flag(pipeline *p, stage_call *call, const char *name, const char *value)
{
    const command_row *row = call->line.row;
    const int place = flag_place(row, name);
    if (place < 0) return context_fail(p->c, STATUS_FAILURE, "%s --%s is not in this build", row->name, name);
    call->line.flag[place] = value;
    return row->flags[place].key ? config_set(p->c, call->cfg, row->flags[place].key, value, "the pipeline")
                                 : STATUS_OK;
}

/* The command line is the pipeline's own but for what the row of the stage says: device, provenance and the rest stay.
 * The configuration is a copy, since commands take values of their inputs into it; what only the pipeline reads is not
 * in it. */
static status stage_call_make(pipeline *p, const stage *g, stage_call *call)
{
    char words[WORDS][WORD];
    const int n = split_words(g->line, words);
    int i = n > 1 && command_find(words[0], words[1]) ? 2 : 1;
    *call = (stage_call){.line = *p->line};
    call->line.row = command_find(words[0], i == 2 ? words[1] : NULL);
    if (!call->line.row || !call->line.row->run) return context_fail(p->c, STATUS_FAILURE, "is not in this build");
    status s = config_copy(p->c, p->line->cfg, &call->cfg);
    if (!s) s = config_set(p->c, call->cfg, SANITY, "0", "the pipeline");
    if (!s) s = path_of(p, g->out, call->out);
    call->line.cfg = call->cfg;
    call->line.json = false;
    call->line.out = call->out;
    call->line.argument = call->argument;
    call->line.count = 0;
    memset(call->line.flag, 0, sizeof call->line.flag);
    for (; i < n && !s; i++) {
        if (strncmp(words[i], "--", 2) == 0 && i + 1 < n) {
            s = flag_value(p, words[i + 1], call->values[i]);
            if (!s) s = take_flag(p, call, words[i] + 2, call->values[i]);
            i++;
        } else {
            s = path_of(p, words[i], call->values[i]);
            call->argument[call->line.count++] = call->values[i];
        }
    }
    return s;
}

/* ---- what a stage depends on */

/* Adds the lines of the sections that the stage's command reads. */
static void add_configuration(const char *configuration, const char *sections, sha256 *h)
{
    bool wanted = false;
    for (const char *line = configuration; *line;) {
        size_t length = strcspn(line, "\n");
        if (line[0] == '[') {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(line + 1, "]"), line + 1);
            /* where the work is done changes nothing about its result */
            wanted = strcmp(name, "run") != 0 && strstr(sections, name);
        }
        if (wanted || strncmp(line, "seed", 4) == 0) sha256_add(h, line, length);
        line += length + (line[length] == '\n');
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct dirent *const *)a)->d_name, (*(struct dirent *const *)b)->d_name);
}

/* A folder counts by the names, sizes and times of its files, a file by its bytes. */
static status add_folder(pipeline *p, const char *path, sha256 *h)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, NULL);
    if (count < 0) return context_fail(p->c, STATUS_DATA, "%s: cannot be read; remove the folder and run again", path);
    qsort(names, (size_t)count, sizeof *names, by_name);
    for (int i = 0; i < count; i++) {
        char file[2 * FILES_PATH], text[512];
        struct stat st;
        snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && stat(file, &st) == 0) {
            int n = snprintf(text, sizeof text, "%s %lld %lld.%09ld\n", names[i]->d_name, (long long)st.st_size,
                             (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
            sha256_add(h, text, (size_t)n);
        }
        free(names[i]);
    }
    free(names);
    return STATUS_OK;
}

static status add_input(pipeline *p, const char *name, sha256 *h)
{
    char path[FILES_PATH], hash[HASH_TEXT];
    struct stat st;
    status s = path_of(p, name, path);
    if (s || stat(path, &st)) return s; /* what is not there is for the command to say */
    if (S_ISDIR(st.st_mode)) return add_folder(p, path, h);
    s = hash_file(p->c, path, hash);
    if (!s) sha256_add(h, hash, strlen(hash));
    return s;
}

/* false: of a stage that this configuration does not want; what an older run left of it is no input. */
static bool is_made(const pipeline *p, const char *name)
{
    for (int i = 0; i < STAGES; i++)
        if (strcmp(stages[i].out, name) == 0) return is_wanted(p, &stages[i]);
    return true;
}

static status stage_key(pipeline *p, const stage *g, const stage_call *call, char key[SHA256_TEXT])
{
    sha256 h;
    unsigned char digest[SHA256_BYTES];
    char inputs[WORDS][WORD], *configuration = NULL;
    const int n = split_words(g->inputs, inputs);
    status s = config_write(p->c, call->cfg, &configuration);
    if (s) return s;
    sha256_begin(&h);
    add_configuration(configuration, call->line.row->sections, &h);
    for (int i = 0; i < n && !s; i++)
        if (is_made(p, inputs[i])) s = add_input(p, inputs[i], &h);
    sha256_end(&h, digest);
    sha256_text(digest, key);
    memory_delete(&configuration);
    return s;
}

/* ---- the record */

static json_t *stage_record(pipeline *p, const char *name)
{
    json_t *list = json_object_get(p->record, "stages"), *row;
    size_t i;
    json_array_foreach(list, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0) return row;
    }
    row = json_pack("{s:s, s:s, s:s, s:f}", "name", name, "state", "new", "key", "", "seconds", 0.0);
    json_array_append_new(list, row);
    return row;
}

static void forget_stage(pipeline *p, const char *name)
{
    json_t *list = json_object_get(p->record, "stages");
    for (size_t i = json_array_size(list); i-- > 0;)
        if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "name")), name) == 0)
            json_array_remove(list, i);
}

static status write_record(pipeline *p)
{
    char path[FILES_PATH];
    status s = path_of(p, "pipeline.json", path);
    char *text = json_dumps(p->record, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    if (!s && !text) s = context_fail(p->c, STATUS_MEMORY, "no memory for pipeline.json");
    if (!s) s = files_replace(p->c, path, text, strlen(text));
    free(text);
    return s;
}

/* A record that is missing or damaged only means that stages run again, or go on from what lies there. */
static status read_record(pipeline *p)
{
    char path[FILES_PATH];
    status s = path_of(p, "pipeline.json", path);
    if (s) return s;
    p->record = json_load_file(path, 0, NULL);
    json_t *list = json_object_get(p->record, "stages"), *row;
    bool good = json_is_array(list);
    size_t i;
    json_array_foreach(list, i, row)
    {
        good &= json_is_string(json_object_get(row, "name")) && json_is_string(json_object_get(row, "key")) &&
                json_is_string(json_object_get(row, "state"));
    }
    if (good) return STATUS_OK;
    json_decref(p->record);
    p->record = json_pack("{s:s, s:[]}", "preset", p->line->argument[0], "stages");
    return p->record ? STATUS_OK : context_fail(p->c, STATUS_MEMORY, "no memory for pipeline.json");
}

/* ---- running */

/* Boxes of another configuration would be taken into the maps; a folder's files that are not boxes stay. */
static status remove_boxes(pipeline *p, const char *folder)
{
    struct dirent **names = NULL;
    char path[FILES_PATH];
    status s = STATUS_OK;
    int count = scandir(folder, &names, NULL, NULL); /* -1: there is none */
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name, *end = strrchr(name, '.');
        if (!s && end && strncmp(name, "box_", 4) == 0 && strcmp(end, ".h5") == 0) {
            s = files_path(p->c, path, "%s/%s", folder, name);
            if (!s && remove(path))
                s = context_fail(p->c, STATUS_FAILURE, "%s: cannot be removed; check the folder's permissions", path);
        }
        free(names[i]);
    }
    free(names);
    return s;
}

/* Whether the record says how what the stage left was made. */
static bool is_recorded(const json_t *row)
{
    return *json_string_value(json_object_get(row, "key"));
}

/* What a stage left that was made otherwise and that its command would keep; of what is not the pipeline's, its command
 * says that --force is needed. */
static status remove_older(pipeline *p, const stage *g, const json_t *row, const char *out)
{
    bool any = false;
    status s = STATUS_OK;
    if (!is_recorded(row) && !p->line->force) return STATUS_OK;
    if (strcmp(g->out, "boxes") == 0) return remove_boxes(p, out);
    if (g->resumes) s = saved_any(p->c, out, &any);
    if (any) log_info(p->c, "%s: removing the older run in it, to train anew", out);
    return s || !any ? s : saved_remove(p->c, out);
}

/* Files in a folder; 0 where there is none. */
static int files_in(const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, NULL), files = 0;
    for (int i = 0; i < count; i++) {
        files += names[i]->d_name[0] != '.';
        free(names[i]);
    }
    free(names);
    return files;
}

/* Whether what the stage left is all there: a file, or a folder with no fewer files than it left in it. */
static bool is_there(const json_t *row, const char *out)
{
    return files_exists(out) && files_in(out) >= json_integer_value(json_object_get(row, "files"));
}

/* Whether a stage that was cut off finds what it went on from: boxes one by one, a training by its state. */
static status can_resume(pipeline *p, const stage *g, const char *out, bool *resume)
{
    char path[FILES_PATH];
    status s = STATUS_OK;
    *resume = g->resumes && strcmp(g->out, "boxes") == 0 && files_exists(out);
    for (int i = 0; i < SAVED_STATES && g->resumes && !*resume && !s; i++) {
        s = saved_state_path(p->c, out, i, path);
        *resume = !s && files_exists(path);
    }
    return s;
}

/* Runs the stage and records it. */
static status run_call(pipeline *p, const stage *g, stage_call *call, json_t *row, const char *key, bool resume)
{
    const bool recorded = is_recorded(row);
    const double before = resume ? json_number_value(json_object_get(row, "seconds")) : 0, start = clock_seconds();
    /* First, for a record of the new key beside an older state would make the next call go on from that. */
    status s = resume ? STATUS_OK : remove_older(p, g, row, call->out);
    json_object_set_new(row, "key", json_string(key));
    json_object_set_new(row, "state", json_string("running"));
    if (!s) s = write_record(p);
    call->line.resume = resume;
    if (!s) s = call->line.row->run(p->c, &call->line);
    json_object_set_new(row, "seconds", json_real(before + clock_seconds() - start));
    if (s == STATUS_OK) {
        json_object_set_new(row, "state", json_string("done"));
        json_object_set_new(row, "files", json_integer(files_in(call->out)));
        return write_record(p);
    }
    char message[1024];
    snprintf(message, sizeof message, "%s", context_message(p->c));
    if (!recorded && s == STATUS_USAGE) json_object_set_new(row, "key", json_string("")); /* still not the pipeline's */
    write_record(p);             /* the stage's own failure is what is reported */
    if (s == STATUS_INTERRUPTED) /* the stage itself begins anew, the pipeline goes on */
        return context_fail(p->c, STATUS_STOPPED, "stopped in stage %s; the same command goes on", g->name);
    return context_fail(p->c, s, "stage %s: %s", g->name, message);
}

static status run_stage(pipeline *p, const stage *g, int number)
{
    char key[SHA256_TEXT];
    json_t *row = stage_record(p, g->name);
    stage_call call;
    bool resume = false;
    status s = stage_call_make(p, g, &call);
    if (!s) s = stage_key(p, g, &call, key);
    if (!s) s = can_resume(p, g, call.out, &resume);
    if (s) {
        s = context_prefix(p->c, s, "stage %s", g->name);
        goto out;
    }
    const bool same = strcmp(json_string_value(json_object_get(row, "key")), key) == 0;
    const bool done = strcmp(json_string_value(json_object_get(row, "state")), "done") == 0;
    if (same && done && is_there(row, call.out)) {
        log_info(p->c, "%d/%d %s: up to date", number, p->wanted, g->name);
        goto out;
    }
    resume = resume && (same || (!is_recorded(row) && !p->line->force));
    log_info(p->c, "%d/%d %s%s", number, p->wanted, g->name, resume ? ": goes on" : "");
    s = run_call(p, g, &call, row, key, resume);
out:
    stage_call_delete(&call);
    return s;
}

/* All stages in order; the record keeps no row of one that this configuration does not want. */
static status run_stages(pipeline *p)
{
    status s = STATUS_OK;
    int number = 0;
    for (int i = 0; i < STAGES; i++) p->wanted += is_wanted(p, &stages[i]);
    for (int i = 0; i < STAGES && !s; i++) {
        if (!is_wanted(p, &stages[i])) {
            forget_stage(p, stages[i].name);
            continue;
        }
        s = run_stage(p, &stages[i], ++number);
        if (!s && context_stop_requested(p->c))
            s = context_fail(p->c, STATUS_STOPPED, "stopped between two stages; the same command goes on");
    }
    return s;
}

static status write_configuration(pipeline *p)
{
    char path[FILES_PATH];
    status s = config_write(p->c, p->line->cfg, &p->configuration);
    if (!s) s = path_of(p, "config.ini", path);
    return s ? s : files_replace(p->c, path, p->configuration, strlen(p->configuration));
}

/* --scale F: this share of the boxes and of the steps, of the held-out maps too. */
static status apply_scale(context *c, const command_line *line)
{
    static const char *const keys[] = {
        "simulate.boxes", "dataset.validation", "dataset.test",       "gan.steps", "gan.epochs",    "gan.save_every",
        "encoder.steps",  "encoder.epochs",     "encoder.save_every", SANITY,      "generate.count"};
    enum { KEYS = sizeof keys / sizeof *keys };
    double scale = 1;
    status s = command_flag_real(c, line, "scale", 1e-3, 1e3, &scale);
    for (int i = 0; i < KEYS && !s && scale != 1; i++) {
        char value[32];
        bool real = strncmp(keys[i], "dataset", 7) == 0;
        double x = real ? config_real(line->cfg, keys[i]) : (double)config_integer(line->cfg, keys[i]);
        if (x == 0 || (real && x < 1)) continue;
        double scaled = x * scale < 1 ? 1 : x * scale + 0.5;
        snprintf(value, sizeof value, "%lld", (long long)scaled);
        s = config_set(c, line->cfg, keys[i], value, "--scale");
    }
    return s;
}

status command_pipeline(context *c, const command_line *line)
{
    pipeline p = {.c = c, .line = line};
    double start = clock_seconds();
    int length = snprintf(p.folder, sizeof p.folder, "%s%s", line->out ? line->out : "runs/",
                          line->out ? "" : line->argument[0]);
    status s = apply_scale(c, line);
    if (!s && length >= (int)sizeof p.folder)
        s = context_fail(c, STATUS_USAGE, "%.60s…: the path is longer than %zu characters", p.folder,
                         sizeof p.folder - 1);
    if (!s) s = plan_check(c, line->cfg);
    if (s) return s;
    if (command_flag(line, "dry-run")) return plan_print(c, line);
    s = files_make_folder(c, p.folder);
    if (!s) s = write_configuration(&p);
    if (!s) s = read_record(&p);
    if (!s) s = run_stages(&p);
    if (!s) {
        char took[64];
        clock_format(clock_seconds() - start, took, sizeof took);
        printf("%s/report.html (%s)\n", p.folder, took);
    }
    memory_delete(&p.configuration);
    json_decref(p.record);
    return s;
}
