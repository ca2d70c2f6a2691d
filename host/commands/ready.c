/* What a command needs before it computes. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/memory.h"
#include "base/options.h"
#include "commands/ready.h"
#include "commands/recorded.h"
#include "nets/checkpoint.h"
#include "nets/saved.h"
#include "ops/selftest.h"

static status ready(context *c, const command_line *line, conv_algorithm algorithm, provenance *origin, device **out)
{
    char verdict[sizeof origin->selftest] = "";
    status s = common_provenance(c, line, NULL, origin);
    if (!s) s = common_open_device(c, line, out);
    if (!s) s = selftest_require(c, *out, algorithm == CONV_CLBLAST, line->force, verdict);
    if (!s) common_provenance_device(origin, *out, verdict);
    return s;
}

status ready_device(context *c, const command_line *line, provenance *origin, device **out)
{
    return ready(c, line, (conv_algorithm)config_choice(line->cfg, "network.algorithm"), origin, out);
}

status ready_trained_device(context *c, const command_line *line, const char *checkpoint_path, provenance *origin,
                            device **out)
{
    checkpoint k;
    const status s = checkpoint_describe(c, checkpoint_path, &k);
    return s ? s : ready(c, line, k.shape.algorithm, origin, out);
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

/* Whether "a, b" holds the word. */
static bool lists(const char *words, const char *word, size_t length)
{
    while (*words) {
        const size_t n = strcspn(words, ",");
        if (n == length && strncmp(words, word, n) == 0) return true;
        words += n;
        words += strspn(words, ", ");
    }
    return false;
}

static bool decides(const char *key, const char *sections, const char *const *free)
{
    for (; *free; free++)
        if (strcmp(*free, key) == 0) return false;
    return strcmp(key, "run.seed") == 0 || lists(sections, key, strcspn(key, ".")) || lists(sections, key, strlen(key));
}

status ready_same_configuration(context *c, const char *path, const config *cfg, const char *sections,
                                const char *const *free)
{
    recorded made = {0};
    status s = recorded_read(c, path, &made);
    if (!s && !made.cfg) s = context_fail(c, STATUS_DATA, "%s: does not say how it was made", path);
    for (int i = 0; i < options_count && !s; i++) {
        const char *key = options[i].key;
        if (decides(key, sections, free) && !recorded_same_value(made.cfg, cfg, key))
            s = context_fail(c, STATUS_USAGE,
                             "%s was made with %s = %s, not %s; give another folder with -o, or --force in place of "
                             "--resume to replace it",
                             path, key, config_text(made.cfg, key), config_text(cfg, key));
    }
    recorded_delete(&made);
    return s;
}

static status same_inputs(context *c, const char *path, const provenance *origin, const char *const *inputs)
{
    recorded made = {0};
    char hash[HASH_TEXT];
    status s = recorded_read(c, path, &made);
    for (int i = 0; inputs[i] && !s; i++)
        if (!recorded_input(&made, i, hash, NULL) || strcmp(hash, origin->input_hash[i]))
            s = context_fail(c, STATUS_USAGE,
                             "%s was made with %s than %s; give those, or another folder with -o, or --force in place "
                             "of --resume to replace it",
                             path, inputs[i], origin->input_path[i]);
    recorded_delete(&made);
    return s;
}

status ready_resume(context *c, const command_line *line, const char *folder, const char *sections,
                    const char *const *free, const provenance *origin, const char *const *inputs)
{
    char path[FILES_PATH];
    for (int i = 0; i < SAVED_STATES && line->resume; i++) {
        status s = saved_state_path(c, folder, i, path);
        if (s || !files_exists(path)) continue;
        s = ready_same_configuration(c, path, line->cfg, sections, free);
        if (!s) s = same_inputs(c, path, origin, inputs);
        if (s != STATUS_DATA) return s; /* a damaged state is said when it is read */
    }
    return STATUS_OK;
}

/* Whether the epoch is of another step than the one that was scored. */
static bool trained_over(context *c, const char *run, long epoch, const json_t *step)
{
    char path[FILES_PATH];
    checkpoint k;
    return json_is_integer(step) && !saved_epoch_path(c, run, epoch, path) && files_exists(path) &&
           !checkpoint_describe(c, path, &k) && k.step != json_integer_value(step);
}

/* The epoch that select.json names best; −1 when there is none, or it was trained over since. */
static long selected_epoch(context *c, const char *run)
{
    char path[FILES_PATH];
    if (snprintf(path, sizeof path, "%s/select.json", run) >= (int)sizeof path) return -1;
    json_t *root = json_load_file(path, 0, NULL);
    const json_t *best = json_object_get(root, "best"), *epoch = json_object_get(best, "epoch");
    long number = json_is_integer(epoch) ? (long)json_integer_value(epoch) : -1;
    if (number >= 0 && trained_over(c, run, number, json_object_get(best, "step"))) {
        log_warning(c, "%s: epoch %ld was trained over since, so its choice is ignored; run select again", path,
                    number);
        number = -1;
    }
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
        s = files_path(c, path, "%s/best.h5", argument);
        if (s || files_exists(path)) return s;
        long selected = selected_epoch(c, argument);
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
