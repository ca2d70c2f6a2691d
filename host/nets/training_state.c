/* The files of a training run under way: states, saved epochs, the best of them, and how a run begins or goes on. */
#include "base/files.h"
#include "base/memory.h"
#include "nets/saved.h"
#include "nets/training_internal.h"
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

status training_path(training *t, char *path, const char *name)
{
    return files_path(t->c, path, "%s/%s", t->run->folder, name);
}

/* What a stop or an end saved between two saved epochs is no link of the run: it leaves no trace when training goes on.
 */
static bool between_epochs(const training *t)
{
    return t->state.step % t->save_every != 0;
}

static void stand(training *t)
{
    t->state.step = *t->of->step;
    t->state.epoch = t->state.step / t->per_epoch;
}

/* ---- saving */

status training_save_state(training *t)
{
    char path[FILES_PATH], previous[FILES_PATH];
    status s = saved_state_path(t->c, t->run->folder, 0, path);
    if (!s) s = saved_state_path(t->c, t->run->folder, 1, previous);
    if (!s && files_exists(path) && rename(path, previous))
        s = context_fail(t->c, STATUS_FAILURE, "%s: cannot rename to %s; check the folder's permissions", path,
                         saved_states[1]);
    stand(t);
    if (!s) s = checkpoint_write(t->c, path, &t->state, &t->of->networks, true, t->run->origin);
    t->state.best_before = t->state.best;
    if (!s) training_forget_nonfinite(t);
    return s;
}

/* Rounded up: what a run ends with has a number of its own, and the whole epoch replaces it when training goes on. */
static status epoch_path(training *t, int64_t step, char *path)
{
    return saved_epoch_path(t->c, t->run->folder, (step + t->save_every - 1) / t->save_every, path);
}

status training_save_epoch(training *t)
{
    char path[FILES_PATH];
    stand(t);
    status s = epoch_path(t, t->state.step, path);
    return s ? s : checkpoint_write(t->c, path, &t->state, &t->of->weights, false, t->run->origin);
}

/* best.h5 ← the saved epoch of state.best. */
static status copy_best(training *t)
{
    char path[FILES_PATH], best[FILES_PATH], *data = NULL;
    size_t size = 0;
    status s = epoch_path(t, t->state.best.step, path);
    if (!s) s = training_path(t, best, "best.h5");
    if (!s) s = files_read(t->c, path, &data, &size);
    if (!s) s = files_replace(t->c, best, data, size);
    memory_delete(&data);
    return s;
}

status training_keep_best(training *t, double loss)
{
    if (t->state.best.step && !(loss < t->state.best.loss)) return STATUS_OK;
    t->state.best = (checkpoint_best){.step = *t->of->step, .loss = loss};
    return copy_best(t);
}

/* ---- going on */

/* Whether a line of the metrics is of work that stays done: a step's, and a validation's unless it is undone. */
static bool stays(const training *t, const char *line, size_t size, bool undo)
{
    json_t *row = json_loadb(line, size, 0, NULL);
    json_int_t step = json_integer_value(json_object_get(row, "step"));
    bool undone = undo && step == t->state.step && json_object_get(row, "validation_loss");
    bool good = row && step <= t->state.step && !undone;
    json_decref(row);
    return good;
}

/* Metrics of what will be done again are cut off. */
static status cut_metrics(training *t, bool undo)
{
    char path[FILES_PATH], *text = NULL;
    size_t size = 0;
    status s = training_path(t, path, "metrics.jsonl");
    if (s || !files_exists(path)) return s;
    s = files_read(t->c, path, &text, &size);
    size_t keep = 0;
    while (!s && keep < size) {
        char *end = memchr(text + keep, '\n', size - keep);
        if (!end || !stays(t, text + keep, (size_t)(end - text) - keep, undo)) break;
        keep = (size_t)(end - text) + 1;
    }
    if (!s && keep < size) s = files_replace(t->c, path, text, keep);
    memory_delete(&text);
    return s;
}

/* best.h5 may be of work that is done again: then the best before it takes its place. */
static status restore_best(training *t)
{
    char path[FILES_PATH];
    checkpoint found = {0};
    status s = training_path(t, path, "best.h5");
    if (s || !t->of->validate) return s;
    bool there = files_exists(path);
    if (!t->state.best.step) {
        if (there) remove(path);
        return STATUS_OK;
    }
    if (there && !checkpoint_describe(t->c, path, &found) && found.step == t->state.best.step) return STATUS_OK;
    return copy_best(t);
}

/* Whether the weights here are a saved epoch. */
static bool is_saved(training *t)
{
    char path[FILES_PATH];
    checkpoint found = {0};
    return !epoch_path(t, t->state.step, path) && files_exists(path) && !checkpoint_describe(t->c, path, &found) &&
           found.step == t->state.step;
}

/* Scores are of epochs that are trained over now. */
static status forget_scores(training *t)
{
    char path[FILES_PATH];
    status s = training_path(t, path, "select.json");
    if (s || !files_exists(path) || remove(path) == 0) return s;
    return context_fail(t->c, STATUS_FAILURE, "%s: cannot be removed; check the folder's permissions", path);
}

static status go_on(training *t, const char *path)
{
    *t->of->step = t->state.step;
    log_info(t->c, "going on from step %lld of %s", (long long)t->state.step, path);
    const bool more = t->state.step < t->total;
    t->end_unsaved = !more && between_epochs(t) && !is_saved(t);
    const bool undo = t->end_unsaved || (more && between_epochs(t));
    if (undo) {
        memcpy(t->state.chain, t->state.chain_before, sizeof t->state.chain);
        t->state.best = t->state.best_before;
    }
    status s = cut_metrics(t, undo);
    if (!s && (more || undo)) s = forget_scores(t);
    if (!s) s = restore_best(t);
    t->state.best_before = t->state.best;
    return s;
}

status training_read_state(training *t, char *path, bool *older)
{
    status s = STATUS_OK, read = STATUS_OK;
    for (int i = 0; i < SAVED_STATES && !s; i++) {
        s = saved_state_path(t->c, t->run->folder, i, path);
        if (s || !files_exists(path)) continue;
        if (older) *older = i == 1;
        read = checkpoint_read(t->c, path, &t->state, &t->of->networks, true);
        if (read != STATUS_DATA) return read;
        if (!i) log_warning(t->c, "%s; trying the state before it", context_message(t->c));
    }
    if (s) return s;
    if (read)
        return context_prefix(t->c, read,
                              "nothing to go on from; run without --resume, with --force to replace what is there");
    return context_fail(t->c, STATUS_DATA, "%s: nothing to resume (no %s); run without --resume", t->run->folder,
                        saved_states[0]);
}

static status resume(training *t)
{
    char path[FILES_PATH], damaged[FILES_PATH];
    bool older = false;
    status s = saved_state_path(t->c, t->run->folder, 0, damaged);
    if (!s) s = training_read_state(t, path, &older);
    if (s) return s;
    /* Else the next save would make the damaged state the previous one, over the good one. */
    if (older) remove(damaged);
    return go_on(t, path);
}

/* ---- beginning */

/* What a process left that was killed while it wrote: ".state.h5.4d2-….tmp". */
static bool is_temporary(const char *name)
{
    size_t n = strlen(name);
    return name[0] == '.' && n > 4 && strcmp(name + n - 4, ".tmp") == 0 &&
           (strstr(name, ".h5.") || strncmp(name, ".metrics.jsonl.", 15) == 0);
}

static status sweep(training *t, const char *name)
{
    char folder[FILES_PATH], path[FILES_PATH];
    status s = training_path(t, folder, name);
    DIR *d = s ? NULL : opendir(folder);
    for (struct dirent *e = d ? readdir(d) : NULL; e && !s; e = readdir(d)) {
        if (!is_temporary(e->d_name)) continue;
        s = files_path(t->c, path, "%s/%s", folder, e->d_name);
        if (!s) remove(path);
    }
    if (d) closedir(d);
    return s;
}

/* A run never mixes with an older one, and never destroys one unasked. */
static status begin_afresh(training *t)
{
    bool any = false;
    const char *folder = t->run->folder;
    status s = saved_any(t->c, folder, &any);
    if (!s && any && !t->run->replace)
        return context_fail(t->c, STATUS_USAGE,
                            "%s holds a training run already; go on with it by --resume, choose another folder with "
                            "-o, or replace it with --force",
                            folder);
    if (any) log_info(t->c, "%s: removing the run in it", folder);
    return s ? s : saved_remove(t->c, folder);
}

status training_begin(training *t)
{
    char path[FILES_PATH];
    status s = t->run->resume ? resume(t) : begin_afresh(t);
    if (!s) s = training_path(t, path, "epochs");
    if (!s) s = files_make_folder(t->c, path);
    if (!s) s = sweep(t, ".");
    return s ? s : sweep(t, "epochs");
}
