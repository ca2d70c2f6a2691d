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

enum { STAGE_PATHS = 4, STAGE_FLAGS = 2 };

/* One row a stage. Paths are relative to the run's folder. */
typedef struct {
    const char *first, *second; /* words of the command */
    const char *out;
    const char *argument;             /* NULL: none */
    const char *flag[STAGE_FLAGS][2]; /* name and value; a value with a dot is a path */
    const char *inputs[STAGE_PATHS];
    const char *resume[2]; /* a stage that was cut off goes on where it was when one of these is there */
} stage;

static const stage stages[] = {
    {"simulate", NULL, "boxes", NULL, {{0}}, {0}, {"boxes"}},
    {"maps", NULL, "maps.h5", "boxes", {{0}}, {"boxes"}, {0}},
    {"train", "gan", "gan", "maps.h5", {{0}}, {"maps.h5"}, {"gan/state.h5", "gan/state.previous.h5"}},
    {"select", NULL, "gan/select.json", "gan", {{"maps", "maps.h5"}}, {"gan/epochs", "maps.h5"}, {0}},
    {"generate", NULL, "generated.h5", "gan", {{0}}, {"gan/select.json"}, {0}},
    {"dataset", "export", "truth.h5", "maps.h5", {{"split", "test"}}, {"maps.h5"}, {0}},
    {"stats",
     NULL,
     "stats.h5",
     NULL,
     {{"truth", "truth.h5"}, {"model", "generated.h5"}},
     {"truth.h5", "generated.h5"},
     {0}},
    {"report", NULL, "report.html", ".", {{0}}, {"stats.h5", "gan/select.json", "generated.h5", "truth.h5"}, {0}},
};
enum { STAGES = sizeof stages / sizeof *stages };

typedef struct {
    context *c;
    const command_line *line;
    char folder[FILES_PATH / 2];
    char *configuration;
    json_t *record; /* pipeline.json */
} pipeline;

static void stage_name(const stage *g, char name[64])
{
    snprintf(name, 64, "%s%s%s", g->first, g->second ? " " : "", g->second ? g->second : "");
}

static status path_of(pipeline *p, const char *name, char *path)
{
    if (strcmp(name, ".") == 0) return files_path(p->c, path, "%s", p->folder);
    return files_path(p->c, path, "%s/%s", p->folder, name);
}

/* ---- what a stage depends on */

/* Adds the lines of the sections that the stage's command reads. */
static void add_configuration(const pipeline *p, const char *sections, sha256 *h)
{
    bool wanted = strcmp(sections, "all") == 0;
    for (const char *line = p->configuration; *line;) {
        size_t length = strcspn(line, "\n");
        if (line[0] == '[') {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(line + 1, "]"), line + 1);
            /* where the work is done changes nothing about its result */
            wanted = strcmp(name, "run") != 0 && (strcmp(sections, "all") == 0 || strstr(sections, name));
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

static status stage_key(pipeline *p, const stage *g, char key[SHA256_TEXT])
{
    sha256 h;
    unsigned char digest[SHA256_BYTES];
    char path[FILES_PATH], hash[HASH_TEXT];
    status s = STATUS_OK;
    sha256_begin(&h);
    add_configuration(p, command_find(g->first, g->second)->sections, &h);
    for (int i = 0; i < STAGE_PATHS && g->inputs[i] && !s; i++) {
        struct stat st;
        s = path_of(p, g->inputs[i], path);
        if (!s && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            s = add_folder(p, path, &h);
        } else if (!s) {
            s = hash_file(p->c, path, hash);
            if (!s) sha256_add(&h, hash, strlen(hash));
        }
    }
    sha256_end(&h, digest);
    sha256_text(digest, key);
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

/* A record that is missing or damaged only means that stages run again. */
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

static int flag_place(const command_row *row, const char *name)
{
    for (int i = 0; i < COMMAND_FLAGS && row->flags[i].name; i++)
        if (strcmp(row->flags[i].name, name) == 0) return i;
    return -1;
}

static status call_stage(pipeline *p, const stage *g, bool resume)
{
    char out[FILES_PATH], argument[FILES_PATH], values[STAGE_FLAGS][FILES_PATH];
    const char *arguments[1] = {argument};
    command_line line = *p->line;
    line.row = command_find(g->first, g->second);
    line.resume = resume;
    line.json = false;
    line.out = out;
    line.argument = arguments;
    line.count = g->argument ? 1 : 0;
    memset(line.flag, 0, sizeof line.flag);
    if (!line.row || !line.row->run) return context_fail(p->c, STATUS_FAILURE, "is not in this build");
    status s = path_of(p, g->out, out);
    if (!s && g->argument) s = path_of(p, g->argument, argument);
    for (int i = 0; i < STAGE_FLAGS && g->flag[i][0] && !s; i++) {
        bool path = strchr(g->flag[i][1], '.') != NULL;
        s = path ? path_of(p, g->flag[i][1], values[i]) : files_path(p->c, values[i], "%s", g->flag[i][1]);
        line.flag[flag_place(line.row, g->flag[i][0])] = values[i];
    }
    return s ? s : line.row->run(p->c, &line);
}

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

/* What a stage left that was made otherwise and that its command would keep. */
static status remove_older(pipeline *p, const stage *g, const char *out)
{
    bool any = false;
    status s = STATUS_OK;
    if (strcmp(g->out, "boxes") == 0) return remove_boxes(p, out);
    if (strcmp(g->out, "gan") == 0) s = saved_any(p->c, out, &any);
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

static status can_resume(pipeline *p, const stage *g, bool *resume)
{
    char path[FILES_PATH];
    status s = STATUS_OK;
    *resume = false;
    for (int i = 0; i < 2 && g->resume[i] && !s && !*resume; i++) {
        s = path_of(p, g->resume[i], path);
        *resume = !s && files_exists(path);
    }
    return s;
}

static status run_stage(pipeline *p, const stage *g, int number)
{
    char name[64], key[SHA256_TEXT], out[FILES_PATH];
    stage_name(g, name);
    json_t *row = stage_record(p, name);
    status s = stage_key(p, g, key);
    bool resume = false;
    if (!s) s = path_of(p, g->out, out);
    if (!s) s = can_resume(p, g, &resume);
    if (s) return context_prefix(p->c, s, "stage %s", name);
    bool same = strcmp(json_string_value(json_object_get(row, "key")), key) == 0;
    bool done = strcmp(json_string_value(json_object_get(row, "state")), "done") == 0;
    if (same && done && is_there(row, out)) {
        log_info(p->c, "%d/%d %s: up to date", number, STAGES, name);
        return STATUS_OK;
    }
    resume = resume && same;
    log_info(p->c, "%d/%d %s%s", number, STAGES, name, resume ? ": goes on" : "");
    json_object_set_new(row, "key", json_string(key));
    json_object_set_new(row, "state", json_string("running"));
    s = write_record(p);
    double before = resume ? json_number_value(json_object_get(row, "seconds")) : 0, start = clock_seconds();
    if (!s && !resume) s = remove_older(p, g, out);
    if (!s) s = call_stage(p, g, resume);
    json_object_set_new(row, "seconds", json_real(before + clock_seconds() - start));
    if (s == STATUS_OK) {
        json_object_set_new(row, "state", json_string("done"));
        json_object_set_new(row, "files", json_integer(files_in(out)));
        return write_record(p);
    }
    char message[1024];
    snprintf(message, sizeof message, "%s", context_message(p->c));
    write_record(p);             /* the stage's own failure is what is reported */
    if (s == STATUS_INTERRUPTED) /* the stage itself begins anew, the pipeline goes on */
        return context_fail(p->c, STATUS_STOPPED, "stopped in stage %s; the same command goes on", name);
    return context_fail(p->c, s, "stage %s: %s", name, message);
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
    static const char *const keys[] = {"simulate.boxes", "dataset.validation", "dataset.test",  "gan.steps",
                                       "gan.epochs",     "gan.save_every",     "generate.count"};
    double scale = 1;
    status s = command_flag_real(c, line, "scale", 1e-3, 1e3, &scale);
    for (int i = 0; i < 7 && !s && scale != 1; i++) {
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
    for (int i = 0; i < STAGES && !s; i++) {
        s = run_stage(&p, &stages[i], i + 1);
        if (!s && context_stop_requested(c))
            s = context_fail(c, STATUS_STOPPED, "stopped between two stages; the same command goes on");
    }
    if (!s) {
        char took[64];
        clock_format(clock_seconds() - start, took, sizeof took);
        printf("%s/report.html (%s)\n", p.folder, took);
    }
    memory_delete(&p.configuration);
    json_decref(p.record);
    return s;
}
