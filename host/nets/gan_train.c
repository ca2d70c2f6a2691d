/* The training loop of the GAN: batches, metrics, saved epochs, resume. */
#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/progress.h"
#include "nets/gan.h"
#include "nets/saved.h"
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    context *c;
    gan *g;
    const gan_data *data;
    const gan_run *run;
    checkpoint state;
    uint32_t *order; /* of the current epoch, on the host */
    buffer *indices; /* the same on the device */
    int64_t per_epoch, total, save_every;
    int64_t reported;  /* steps whose metrics were written */
    int64_t in_flight; /* most steps queued ahead of the host */
    double reported_at, began;
    progress progress;
    const char *folder; /* borrowed */
} training;

static status path_of(training *t, char *path, const char *name)
{
    return files_path(t->c, path, "%s/%s", t->folder, name);
}

/* ---- state */

static checkpoint_networks networks_of(const gan *g)
{
    return (checkpoint_networks){.generator = g->generator, .discriminator = g->discriminator, .average = g->average};
}

static status save_state(training *t)
{
    char path[FILES_PATH], previous[FILES_PATH];
    status s = path_of(t, path, "state.h5");
    if (!s) s = path_of(t, previous, "state.previous.h5");
    if (!s && files_exists(path) && rename(path, previous))
        s = context_fail(t->c, STATUS_FAILURE, "%s: cannot rename to state.previous.h5; check the folder's permissions",
                         path);
    t->state.step = t->g->step;
    t->state.epoch = t->g->step / t->per_epoch;
    checkpoint_networks n = networks_of(t->g);
    return s ? s : checkpoint_write(t->c, path, &t->state, &n, true, t->run->origin);
}

/* Rounded up: what a run ends with has a number of its own, and the whole epoch replaces it when training goes on. */
static status save_epoch(training *t)
{
    char path[FILES_PATH];
    status s = saved_epoch_path(t->c, t->folder, (t->g->step + t->save_every - 1) / t->save_every, path);
    t->state.step = t->g->step;
    t->state.epoch = t->g->step / t->per_epoch;
    checkpoint_networks n = networks_of(t->g);
    return s ? s : checkpoint_write(t->c, path, &t->state, &n, false, t->run->origin);
}

/* Metrics of steps after the state are of work that will be done again: they are cut off. */
static status cut_metrics(training *t)
{
    char path[FILES_PATH], *text = NULL;
    size_t size = 0;
    status s = path_of(t, path, "metrics.jsonl");
    if (s || !files_exists(path)) return s;
    s = files_read(t->c, path, &text, &size);
    size_t keep = 0;
    while (!s && keep < size) {
        char *end = memchr(text + keep, '\n', size - keep);
        json_t *row = end ? json_loadb(text + keep, (size_t)(end - text) - keep, 0, NULL) : NULL;
        bool good = row && json_integer_value(json_object_get(row, "step")) <= t->g->step;
        json_decref(row);
        if (!good) break;
        keep = (size_t)(end - text) + 1;
    }
    if (!s && keep < size) s = files_replace(t->c, path, text, keep);
    memory_delete(&text);
    return s;
}

static status resume(training *t)
{
    static const char *const generations[] = {"state.h5", "state.previous.h5"};
    checkpoint_networks n = networks_of(t->g);
    char path[FILES_PATH], damaged[FILES_PATH];
    status s = path_of(t, damaged, generations[0]), read = STATUS_OK;
    for (int i = 0; i < 2 && !s; i++) {
        s = path_of(t, path, generations[i]);
        if (s || !files_exists(path)) continue;
        read = checkpoint_read(t->c, path, &t->state, &n, true);
        if (!read) {
            t->g->step = t->state.step;
            /* What a stop or an end saved between two saved epochs is no link: the chain is that of a run that never
             * stopped. */
            if (t->g->step % t->save_every) memcpy(t->state.chain, t->state.chain_before, sizeof t->state.chain);
            log_info(t->c, "going on from step %lld of %s", (long long)t->g->step, path);
            /* Else the next save would make the damaged state the previous one, over the good one. */
            if (i) remove(damaged);
            return cut_metrics(t);
        }
        if (read != STATUS_DATA) return read;
        if (!i) log_warning(t->c, "%s; trying the state before it", context_message(t->c));
    }
    if (s) return s;
    if (read)
        return context_prefix(t->c, read,
                              "nothing to go on from; run without --resume, with --force to replace what is there");
    return context_fail(t->c, STATUS_DATA, "%s: nothing to resume (no state.h5); run without --resume", t->folder);
}

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
    status s = path_of(t, folder, name);
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
    status s = saved_any(t->c, t->folder, &any);
    if (!s && any && !t->run->replace)
        return context_fail(t->c, STATUS_USAGE,
                            "%s holds a training run already; go on with it by --resume, choose another folder with "
                            "-o, or replace it with --force",
                            t->folder);
    if (any) log_info(t->c, "%s: removing the run in it", t->folder);
    return s ? s : saved_remove(t->c, t->folder);
}

static status begin(training *t)
{
    char path[FILES_PATH];
    status s = t->run->resume ? resume(t) : begin_afresh(t);
    if (!s) s = path_of(t, path, "epochs");
    if (!s) s = files_make_folder(t->c, path);
    if (!s) s = sweep(t, ".");
    return s ? s : sweep(t, "epochs");
}

/* ---- metrics */

static status write_row(training *t, int64_t step, const float *row, double samples_s)
{
    char path[FILES_PATH];
    status s = path_of(t, path, "metrics.jsonl");
    json_t *o =
        json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "step", (json_int_t)step, "epoch",
                  (json_int_t)((step - 1) / t->per_epoch), "loss_d", (double)row[LOSS_D], "loss_g", (double)row[LOSS_G],
                  "accuracy_real", (double)row[LOSS_ACCURACY_REAL], "accuracy_generated",
                  (double)row[LOSS_ACCURACY_GENERATED], "samples_s", samples_s, "seconds", clock_seconds() - t->began);
    char *line = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(o);
    if (!s && !line)
        s = context_fail(t->c, STATUS_FAILURE, "step %lld: a loss is not a number; the last good state is %s/state.h5",
                         (long long)step, t->folder);
    if (!s) s = files_append_line(t->c, path, line);
    free(line);
    return s;
}

/* Waits for the queue, writes the metrics of the steps since the last report, checks that all was finite. */
static status report(training *t)
{
    gan *g = t->g;
    int64_t steps = g->step - t->reported;
    if (!steps) return STATUS_OK;
    float rows[GAN_METRIC_ROWS][LOSS_COLUMNS];
    int32_t flag = 0;
    status s = buffer_read(t->c, g->flag, 0, &flag, sizeof flag);
    if (!s) s = buffer_read(t->c, g->metrics, 0, rows, sizeof rows);
    if (!s && flag)
        s = context_fail(
            t->c, STATUS_FAILURE,
            "a gradient was not finite between steps %lld and %lld; the last good state is %s/state.h5; try a "
            "smaller gan.lr_g and gan.lr_d",
            (long long)t->reported + 1, (long long)g->step, t->folder);
    double now = clock_seconds(), seconds = now - t->reported_at;
    for (int64_t i = t->reported; i < g->step && !s; i++)
        s = write_row(t, i + 1, rows[i % GAN_METRIC_ROWS], steps * g->o.batch / seconds);
    const float *last = rows[(g->step - 1) % GAN_METRIC_ROWS];
    if (!s)
        progress_update(&t->progress, g->step, "loss D %.3f G %.3f, D right on real %.0f %% generated %.0f %%",
                        last[LOSS_D], last[LOSS_G], 100 * last[LOSS_ACCURACY_REAL],
                        100 * last[LOSS_ACCURACY_GENERATED]);
    /* About a second of work in flight: the queue never runs dry, and a stop request waits no longer than that. */
    int64_t second = (int64_t)(steps / seconds) + 1;
    t->in_flight = second < 1 ? 1 : second > GAN_METRIC_ROWS ? GAN_METRIC_ROWS : second;
    t->reported = g->step;
    t->reported_at = now;
    return s;
}

/* ---- the loop */

static status begin_epoch(training *t)
{
    uint32_t epoch = (uint32_t)(t->g->step / t->per_epoch);
    status s = t->data->order(t->data->user, t->c, epoch, t->order);
    return s ? s : buffer_write(t->c, t->indices, 0, t->order, t->data->sub_images * sizeof *t->order);
}

static status one_step(training *t)
{
    gan *g = t->g;
    int64_t within = g->step % t->per_epoch;
    status s = within ? STATUS_OK : begin_epoch(t);
    if (!s)
        s = crop_gather(t->c, g->device, &t->data->crop, t->data->parents, t->indices, (int)(within * g->o.batch),
                        g->o.batch, g->images);
    if (!s) s = gan_draw_latents(t->c, g, 0);
    return s ? s : gan_step(t->c, g);
}

static status loop(training *t)
{
    gan *g = t->g;
    status s = g->step % t->per_epoch ? begin_epoch(t) : STATUS_OK;
    while (!s && g->step < t->total) {
        s = one_step(t);
        bool save = g->step % t->save_every == 0 || g->step == t->total;
        bool stop = context_stop_requested(t->c);
        if (!s && (save || stop || g->step - t->reported >= t->in_flight)) s = report(t);
        if (!s && save) s = save_epoch(t);
        if (!s && (save || stop)) s = save_state(t);
        if (!s && stop && g->step < t->total)
            return context_fail(t->c, STATUS_STOPPED, "stopped after step %lld of %lld; go on with: %s",
                                (long long)g->step, (long long)t->total, t->run->resume_hint);
    }
    return s;
}

static status prepare(training *t)
{
    gan *g = t->g;
    t->per_epoch = t->data->sub_images / g->o.batch;
    if (!t->per_epoch)
        return context_fail(t->c, STATUS_USAGE,
                            "%u training sub-images are fewer than one batch of %d; use more maps or a "
                            "smaller gan.batch",
                            t->data->sub_images, g->o.batch);
    t->total = t->run->steps ? t->run->steps : t->run->epochs * t->per_epoch;
    t->save_every = t->run->save_every ? t->run->save_every : t->per_epoch;
    t->in_flight = 1;
    t->folder = t->run->folder;
    t->state.shape = g->generator->shape;
    t->state.trained_on = *t->run->trained_on;
    status s = memory_new(t->c, "order of the sub-images", t->data->sub_images, sizeof *t->order, &t->order);
    if (!s)
        s = buffer_new(t->c, g->device, "order of the sub-images", t->data->sub_images * sizeof *t->order, &t->indices);
    return s ? s : begin(t);
}

status gan_train(context *c, gan *g, const gan_data *data, const gan_run *run)
{
    training t = {.c = c, .g = g, .data = data, .run = run};
    status s = prepare(&t);
    if (!s) {
        t.reported = g->step;
        t.began = t.reported_at = clock_seconds();
        progress_begin(&t.progress, c, "train gan", "steps", g->step, t.total);
        if (!run->resume && !g->step) s = save_state(&t);
        if (!s) s = loop(&t);
        progress_end(&t.progress);
    }
    buffer_delete(&t.indices);
    memory_delete(&t.order);
    return s;
}
