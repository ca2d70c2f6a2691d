/* The training loop: batches, metrics, when to save. */
#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "nets/training_internal.h"
#include <jansson.h>
#include <stdlib.h>

static int64_t done(const training *t)
{
    return *t->of->step;
}

/* ---- metrics */

/* Takes the object; `what` names the row should a number in it be none. */
static status append_row(training *t, json_t *row, bool numbers, const char *what)
{
    char path[FILES_PATH];
    char *line = row && numbers ? json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(row);
    status s = training_path(t, path, "metrics.jsonl");
    if (!s && !line)
        s = context_fail(t->c, STATUS_FAILURE, "%s is not a number; the last good state is %s/state.h5", what,
                         t->run->folder);
    if (!s) s = files_append_line(t->c, path, line);
    free(line);
    return s;
}

static json_t *row_of(const training *t, int64_t step)
{
    return json_pack("{s:I, s:I}", "step", (json_int_t)step, "epoch", (json_int_t)((step - 1) / t->per_epoch));
}

/* False where it is not finite: JSON has no such numbers. */
static bool add_real(json_t *row, const char *name, double value)
{
    return json_object_set_new(row, name, json_real(value)) == 0;
}

static status write_step(training *t, int64_t step, const float *values, double samples_s)
{
    char what[64];
    json_t *row = row_of(t, step);
    bool numbers = true;
    for (const training_column *column = t->of->columns; column->name; column++)
        numbers = add_real(row, column->name, values[column->column]) && numbers;
    numbers = add_real(row, "samples_s", samples_s) && numbers;
    numbers = add_real(row, "seconds", clock_seconds() - t->began) && numbers;
    snprintf(what, sizeof what, "step %lld: a loss", (long long)step);
    return append_row(t, row, numbers, what);
}

static status write_validation(training *t, double loss)
{
    char what[64];
    json_t *row = row_of(t, done(t));
    bool number = add_real(row, "validation_loss", loss);
    snprintf(what, sizeof what, "step %lld: the validation loss", (long long)done(t));
    return append_row(t, row, number, what);
}

static status check_finite(training *t)
{
    int32_t flag = 0;
    status s = buffer_read(t->c, t->of->flag, 0, &flag, sizeof flag);
    if (s || !flag) return s;
    return context_fail(t->c, STATUS_FAILURE,
                        "a gradient was not finite between steps %lld and %lld; the last good state is %s/state.h5; "
                        "try a smaller %s",
                        (long long)t->reported + 1, (long long)done(t), t->run->folder, t->of->rate_keys);
}

/* Waits for the queue, writes the metrics of the steps since the last report, checks that all was finite. */
static status report(training *t)
{
    const trainer *of = t->of;
    int64_t steps = done(t) - t->reported;
    if (!steps) return STATUS_OK;
    float *rows = NULL;
    size_t count = (size_t)of->rows * of->stride;
    char text[160];
    status s = memory_new(t->c, "metrics", count, sizeof *rows, &rows);
    if (!s) s = check_finite(t);
    if (!s) s = buffer_read(t->c, of->metrics, 0, rows, count * sizeof *rows);
    double now = clock_seconds(), seconds = now - t->reported_at;
    for (int64_t i = t->reported; i < done(t) && !s; i++)
        s = write_step(t, i + 1, rows + i % of->rows * of->stride, steps * of->batch / seconds);
    if (!s) {
        of->describe(rows + (done(t) - 1) % of->rows * of->stride, text, sizeof text);
        progress_update(&t->progress, done(t), "%s", text);
    }
    /* About a second of work in flight: the queue never runs dry, and a stop request waits no longer than that. */
    int64_t second = (int64_t)(steps / seconds) + 1;
    t->in_flight = second < 1 ? 1 : second > of->rows ? of->rows : second;
    t->reported = done(t);
    t->reported_at = now;
    memory_delete(&rows);
    return s;
}

/* ---- the loop */

static status begin_epoch(training *t)
{
    uint32_t epoch = (uint32_t)(done(t) / t->per_epoch);
    if (!t->of->images) return STATUS_OK;
    status s = t->data->order(t->data->user, t->c, epoch, t->order);
    return s ? s : buffer_write(t->c, t->indices, 0, t->order, t->data->sub_images * sizeof *t->order);
}

static status one_step(training *t)
{
    const trainer *of = t->of;
    int64_t within = done(t) % t->per_epoch;
    status s = within ? STATUS_OK : begin_epoch(t);
    if (!s && of->images)
        s = crop_gather(t->c, buffer_device(of->images), &t->data->crop, t->data->parents, t->indices,
                        (int)(within * of->batch), of->batch, of->images);
    return s ? s : of->update(t->c, of->model);
}

static status save_point(training *t)
{
    double loss = 0;
    const bool validated = t->of->validate;
    status s = validated ? t->of->validate(t->c, t->of->model, &loss) : STATUS_OK;
    if (!s && validated) s = write_validation(t, loss);
    if (!s) s = training_save_epoch(t);
    return s || !validated ? s : training_keep_best(t, loss);
}

static status loop(training *t)
{
    status s = done(t) % t->per_epoch ? begin_epoch(t) : STATUS_OK;
    while (!s && done(t) < t->total) {
        s = one_step(t);
        bool save = done(t) % t->save_every == 0 || done(t) == t->total;
        bool stop = context_stop_requested(t->c);
        if (!s && (save || stop || done(t) - t->reported >= t->in_flight)) s = report(t);
        if (!s && save) s = save_point(t);
        if (!s && (save || stop)) s = training_save_state(t);
        if (!s && stop && done(t) < t->total)
            return context_fail(t->c, STATUS_STOPPED, "stopped after step %lld of %lld; go on with: %s",
                                (long long)done(t), (long long)t->total, t->run->resume_hint);
    }
    return s;
}

static status prepare(training *t)
{
    const trainer *of = t->of;
    const uint32_t sub_images = t->data->sub_images;
    t->per_epoch = sub_images / of->batch;
    if (!t->per_epoch)
        return context_fail(t->c, STATUS_USAGE,
                            "%u training sub-images are fewer than one batch of %d; use more maps or a smaller %s",
                            sub_images, of->batch, of->batch_key);
    t->total = t->run->steps ? t->run->steps : t->run->epochs * t->per_epoch;
    t->save_every = t->run->save_every ? t->run->save_every : t->per_epoch;
    t->in_flight = 1;
    t->state.shape = of->networks.generator->shape;
    t->state.trained_on = *t->run->trained_on;
    status s = memory_new(t->c, "order of the sub-images", sub_images, sizeof *t->order, &t->order);
    if (!s)
        s = buffer_new(t->c, of->networks.generator->device, "order of the sub-images", sub_images * sizeof *t->order,
                       &t->indices);
    return s ? s : training_begin(t);
}

status training_go(context *c, const trainer *of, const training_data *data, const training_run *run,
                   checkpoint_best *best)
{
    training t = {.c = c, .of = of, .data = data, .run = run};
    status s = prepare(&t);
    if (!s) {
        t.reported = done(&t);
        t.began = t.reported_at = clock_seconds();
        progress_begin(&t.progress, c, of->name, "steps", done(&t), t.total);
        if (!run->resume && !done(&t)) s = training_save_state(&t);
        if (!s) s = loop(&t);
        progress_end(&t.progress);
    }
    if (best) *best = t.state.best;
    buffer_delete(&t.indices);
    memory_delete(&t.order);
    return s;
}
