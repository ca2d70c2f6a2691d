/* The training loop: when to report and when to save. */
#include "base/clock.h"
#include "base/files.h"
#include "nets/saved.h"
#include "nets/training_internal.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t done(const training *t)
{
    return *t->of->step;
}

/* ---- metrics */

/* Nine digits are all of a float32 loss, and of a learning rate as people write them; the rates must be read back to
 * the bit. */
static int digits(const training *t)
{
    char text[32];
    for (int i = 0; i < TRAINING_RATES && t->of->rates[i].name; i++) {
        snprintf(text, sizeof text, "%.9g", *t->of->rates[i].value);
        if (strtod(text, NULL) != *t->of->rates[i].value) return 17;
    }
    return 9;
}

/* Takes the object; `what` names the row should a number in it be none. */
static status append_row(training *t, json_t *row, bool numbers, const char *what)
{
    char path[FILES_PATH];
    char *line = row && numbers ? json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(digits(t))) : NULL;
    json_decref(row);
    status s = training_path(t, path, "metrics.jsonl");
    if (!s && !line)
        s = context_fail(t->c, STATUS_FAILURE, "%s is not a number; the last good state is %s/%s", what, t->run->folder,
                         saved_states[0]);
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
    char what[64], hash[TRAINING_HASH];
    json_t *row = row_of(t, step);
    bool numbers = true;
    training_set_rates(t, step - 1);
    for (const training_column *column = t->of->columns; column->name; column++)
        numbers = add_real(row, column->name, values[column->column]) && numbers;
    for (int i = 0; i < TRAINING_RATES && t->of->rates[i].name; i++)
        numbers = add_real(row, t->of->rates[i].name, *t->of->rates[i].value) && numbers;
    numbers = add_real(row, "samples_s", samples_s) && numbers;
    numbers = add_real(row, "seconds", clock_seconds() - t->began) && numbers;
    training_hash_text(t, step, hash);
    json_object_set_new(row, "hash", json_string(hash));
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

/* Waits for the queue, writes the metrics of the steps since the last report, checks that all was finite. */
static status report(training *t)
{
    const trainer *of = t->of;
    int64_t steps = done(t) - t->reported;
    if (!steps) return STATUS_OK;
    bool finite = true;
    char text[160];
    status s = training_collect(t, &finite);
    if (!s && !finite) return training_stop_nonfinite(t);
    double now = clock_seconds(), seconds = now - t->reported_at;
    for (int64_t i = t->reported; i < done(t) && !s; i++)
        s = write_step(t, i + 1, t->rows + i % of->rows * of->stride, steps * of->batch / seconds);
    if (!s) {
        of->describe(t->rows + (done(t) - 1) % of->rows * of->stride, text, sizeof text);
        progress_update(&t->progress, done(t), "%s", text);
    }
    /* About a second of work in flight: the queue never runs dry, and a stop request waits no longer than that. */
    int64_t second = (int64_t)(steps / seconds) + 1;
    t->in_flight = second < 1 ? 1 : second > of->rows ? of->rows : second;
    t->reported = done(t);
    t->reported_at = now;
    return s;
}

/* ---- the loop */

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
    status s = done(t) % t->per_epoch ? training_enter_epoch(t) : STATUS_OK;
    if (!s && t->end_unsaved) {
        s = save_point(t);
        if (!s) s = training_save_state(t);
    }
    while (!s && done(t) < t->total) {
        s = training_step(t);
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

status training_go(context *c, const trainer *of, const training_data *data, const training_run *run,
                   checkpoint_best *best)
{
    training t = {.c = c, .of = of, .data = data, .run = run, .decays = true};
    status s = training_prepare(&t);
    if (!s) s = training_begin(&t);
    if (!s) {
        t.reported = done(&t);
        t.began = t.reported_at = clock_seconds();
        progress_begin(&t.progress, c, of->name, "steps", done(&t), t.total);
        if (!run->resume && !done(&t)) s = training_save_state(&t);
        if (!s) s = loop(&t);
        progress_end(&t.progress);
        /* Kernels were being built: the last save stands, at the start of this run if not later. */
        if (s == STATUS_INTERRUPTED)
            s = context_fail(c, STATUS_STOPPED, "stopped after step %lld of %lld; go on with: %s", (long long)done(&t),
                             (long long)t.total, run->resume_hint);
        if (s != STATUS_STOPPED) s = context_prefix(c, s, "%s, after step %lld", of->name, (long long)done(&t));
    }
    if (best) *best = t.state.best;
    training_release(&t);
    return s;
}
