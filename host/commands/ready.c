/* What a command needs before it computes. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/memory.h"
#include "base/options.h"
#include "commands/ready.h"
#include "nets/saved.h"
#include "ops/selftest.h"

status ready_device(context *c, const command_line *line, provenance *origin, device **out)
{
    char verdict[sizeof origin->selftest] = "";
    status s = common_provenance(c, line, NULL, origin);
    if (!s) s = common_open_device(c, line, out);
    if (!s) s = selftest_require(c, *out, line->force, verdict);
    if (!s) common_provenance_device(origin, *out, verdict);
    return s;
}

void ready_resume_hint(const command_line *line, const provenance *origin, char *hint, size_t size)
{
    char program[1200];
    const char *rest = origin->command_line + strcspn(origin->command_line, " ");
    const char *called = getenv("COSMOCL_CALLED_AS"), *flag = line->resume ? "" : " --resume";
    common_word(program, sizeof program, called && *called ? called : line->argv[0]);
    int n = strstr(rest, " -- ") ? 0 : (int)strlen(rest); /* behind "--" it would be an argument */
    snprintf(hint, size, "%s%.*s%s%s", program, n, rest, flag, rest + n);
}

/* Equal as values: "8,16" is "8, 16". */
static bool same_value(const config *a, const config *b, const option *o)
{
    int n = 0, m = 0;
    switch (o->type) {
    case OPTION_INTEGER:
        return config_integer(a, o->key) == config_integer(b, o->key);
    case OPTION_REAL:
        return config_real(a, o->key) == config_real(b, o->key);
    case OPTION_LIST:
    case OPTION_INTEGER_LIST: {
        const double *x = config_list(a, o->key, &n), *y = config_list(b, o->key, &m);
        return n == m && memcmp(x, y, (size_t)n * sizeof *x) == 0;
    }
    case OPTION_FLAG:
        return config_flag(a, o->key) == config_flag(b, o->key);
    default:
        return strcmp(config_text(a, o->key), config_text(b, o->key)) == 0;
    }
}

static bool decides(const char *key, const char *sections, const char *const *free)
{
    char section[64];
    snprintf(section, sizeof section, "%.*s", (int)strcspn(key, "."), key);
    for (; *free; free++)
        if (strcmp(*free, key) == 0) return false;
    return strcmp(key, "run.seed") == 0 || strstr(sections, section);
}

status ready_same_configuration(context *c, const char *path, const config *cfg, const char *sections,
                                const char *const *free, const char *instead)
{
    h5_file *f = NULL;
    config *made = NULL;
    char *stored = NULL;
    status s = h5_open(c, path, &f);
    if (!s) s = provenance_read_configuration(c, f, &stored);
    if (!s) s = config_new(c, &made);
    if (!s) s = config_read(c, made, stored, path);
    if (s == STATUS_USAGE) s = STATUS_DATA; /* keys of another version, not what the user typed */
    for (int i = 0; i < options_count && !s; i++)
        if (decides(options[i].key, sections, free) && !same_value(made, cfg, &options[i]))
            s = context_fail(
                c, STATUS_USAGE, "%s was made with %s = %s, not %s; give another folder with -o, or %s to replace it",
                path, options[i].key, config_text(made, options[i].key), config_text(cfg, options[i].key), instead);
    memory_delete(&stored);
    config_delete(&made);
    h5_delete(&f);
    return s;
}

/* The epoch that select.json names best; −1 when there is none. */
static long selected_epoch(const char *run)
{
    char path[FILES_PATH];
    if (snprintf(path, sizeof path, "%s/select.json", run) >= (int)sizeof path) return -1;
    json_t *root = json_load_file(path, 0, NULL);
    json_t *epoch = json_object_get(json_object_get(root, "best"), "epoch");
    long number = json_is_integer(epoch) ? (long)json_integer_value(epoch) : -1;
    json_decref(root);
    return number;
}

static status last_epoch(context *c, const char *run, char *path)
{
    int64_t *numbers = NULL;
    int count = 0;
    status s = saved_epochs(c, run, &numbers, &count);
    if (!s && count) s = saved_epoch_path(c, run, numbers[count - 1], path);
    memory_delete(&numbers);
    if (s || count) return s;
    return context_fail(c, STATUS_DATA, "%s: no saved epochs in it; train first: cosmocl train gan MAPS -o %s", run,
                        run);
}

status ready_checkpoint(context *c, const char *argument, const char *epoch, char *path)
{
    char folder[FILES_PATH];
    status s = files_path(c, folder, "%s/epochs", argument);
    if (s) return s;
    if (!files_exists(folder)) {
        if (epoch)
            return context_fail(c, STATUS_USAGE, "--epoch chooses within a run's folder, and %s is none", argument);
        return files_path(c, path, "%s", argument);
    }
    if (!epoch) {
        long selected = selected_epoch(argument);
        if (selected < 0) return last_epoch(c, argument, path);
        return saved_epoch_path(c, argument, selected, path);
    }
    char *end = NULL;
    long number = strtol(epoch, &end, 10);
    if (end == epoch || *end || number < 0)
        return context_fail(c, STATUS_USAGE, "--epoch %s: is not the number of a saved epoch", epoch);
    s = saved_epoch_path(c, argument, number, path);
    if (!s && !files_exists(path))
        s = context_fail(c, STATUS_DATA, "%s: there is no such saved epoch; see %s/epochs", path, argument);
    return s;
}
