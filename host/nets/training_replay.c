/* A training run over again, compared with what it left. */
#include "base/files.h"
#include "base/memory.h"
#include "nets/saved.h"
#include "nets/training_internal.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* What metrics.jsonl says of a step. */
typedef struct {
    char hash[TRAINING_HASH]; /* "" where the run left none */
    bool rates;               /* whether it left the learning rates */
    double rate[TRAINING_RATES];
} step_row;

typedef struct {
    training t;
    const training_replay_options *o;
    training_verdict *v;
    step_row *recorded; /* of step i + 1 */
    int64_t end;        /* steps that the run did */
    int64_t compared;   /* steps whose fingerprints were compared */
} replay;

/* ---- what the run left */

static void read_step(const replay *r, const json_t *row, step_row *out)
{
    const training_rate *rates = r->t.of->rates;
    const char *hash = json_string_value(json_object_get(row, "hash"));
    snprintf(out->hash, sizeof out->hash, "%s", hash ? hash : "");
    out->rates = true;
    for (int i = 0; i < TRAINING_RATES && rates[i].name; i++) {
        const json_t *rate = json_object_get(row, rates[i].name);
        out->rates = out->rates && json_is_number(rate);
        out->rate[i] = json_number_value(rate);
    }
}

/* The fingerprints and rates in metrics.jsonl, and how far it goes. */
static status read_metrics(replay *r)
{
    context *c = r->t.c;
    char path[FILES_PATH], *text = NULL;
    size_t size = 0, lines = 0;
    status s = training_path(&r->t, path, "metrics.jsonl");
    if (!s) s = files_read(c, path, &text, &size);
    for (size_t i = 0; !s && i < size; i++) lines += text[i] == '\n';
    if (!s) s = memory_new(c, "recorded steps", lines + 1, sizeof *r->recorded, &r->recorded);
    for (char *line = text, *end; !s && (end = strchr(line, '\n')); line = end + 1) {
        json_t *row = json_loadb(line, (size_t)(end - line), 0, NULL);
        const int64_t step = json_integer_value(json_object_get(row, "step"));
        if (!row || step < 1 || (size_t)step > lines)
            s = context_fail(c, STATUS_DATA, "%s: has a line that is no row of steps in order: %.40s", path, line);
        else if (!json_object_get(row, "validation_loss"))
            read_step(r, row, &r->recorded[step - 1]);
        if (!s && step > r->end) r->end = step;
        json_decref(row);
    }
    memory_delete(&text);
    return s;
}

/* Begins at the newest state at or before `from`. */
static status begin(replay *r)
{
    training *t = &r->t;
    char path[FILES_PATH], chosen[FILES_PATH] = "";
    const int64_t most = r->o->from < 0 ? r->end - 1 : r->o->from;
    checkpoint k;
    status s = STATUS_OK;
    for (int i = 0; i < SAVED_STATES && !s; i++) {
        s = saved_state_path(t->c, t->run->folder, i, path);
        if (s || !files_exists(path)) continue;
        s = checkpoint_describe(t->c, path, &k);
        if (s) return context_prefix(t->c, s, "%s", "--from 0 does without the states");
        if (k.step > most || k.step <= r->v->first) continue;
        r->v->first = k.step;
        snprintf(r->v->start, sizeof r->v->start, "%s", saved_states[i]);
        memcpy(chosen, path, sizeof chosen);
    }
    if (s || !chosen[0]) return s;
    s = checkpoint_read(t->c, chosen, &t->state, &t->of->networks, true);
    if (s) return context_prefix(t->c, s, "%s", "--from 0 does without the states");
    *t->of->step = t->state.step;
    if (t->state.step % t->save_every) memcpy(t->state.chain, t->state.chain_before, sizeof t->state.chain);
    return t->state.step % t->per_epoch ? training_enter_epoch(t) : STATUS_OK;
}

/* ---- comparing */

static bool differs(const replay *r)
{
    return r->v->step || r->v->file[0];
}

/* The first file, but one that names a tensor goes before one of which only the chain differs. */
static void note(replay *r, const char *file, const char *found)
{
    if (r->v->file[0] && (r->v->found[0] || !found[0])) return;
    r->v->link = *r->t.of->step;
    snprintf(r->v->file, sizeof r->v->file, "%s", file);
    snprintf(r->v->found, sizeof r->v->found, "%s", found);
}

static status compare_steps(replay *r)
{
    const int64_t done = *r->t.of->step;
    bool finite = true;
    char hash[TRAINING_HASH];
    status s = training_collect(&r->t, &finite);
    if (!s && !finite)
        return context_fail(r->t.c, STATUS_FAILURE,
                            "a gradient was not finite between steps %lld and %lld of the replay",
                            (long long)r->compared + 1, (long long)done);
    for (; !s && r->compared < done; r->compared++) {
        const char *recorded = r->recorded[r->compared].hash;
        if (!recorded[0]) continue;
        training_hash_text(&r->t, r->compared + 1, hash);
        r->v->hashes++;
        if (strcmp(hash, recorded) && !r->v->step) r->v->step = r->compared + 1;
    }
    return s;
}

/* Name ("epochs/0002.h5") and path of a saved epoch, and what it says; false: there is none. */
static status open_epoch(replay *r, int64_t number, char name[32], char *path, checkpoint *k, bool *there)
{
    snprintf(name, 32, "epochs/%04lld.h5", (long long)number);
    status s = saved_epoch_path(r->t.c, r->t.run->folder, number, path);
    *there = !s && files_exists(path);
    return *there ? checkpoint_describe(r->t.c, path, k) : s;
}

/* The weights of the epoch saved here. */
static status compare_epoch(replay *r)
{
    training *t = &r->t;
    const int64_t step = *t->of->step;
    char name[32], path[FILES_PATH], found[CHECKPOINT_NAME] = "";
    bool there = false;
    checkpoint k;
    status s = open_epoch(r, (step + t->save_every - 1) / t->save_every, name, path, &k, &there);
    if (s || !there || k.step != step) return s;
    s = checkpoint_compare(t->c, path, &t->of->weights, false, found);
    r->v->links++;
    if (found[0]) note(r, name, found);
    return s;
}

/* The chain here, as the next saved epoch and states at this step have it; `k` is of this step. */
static status compare_chain(replay *r, const checkpoint *k)
{
    training *t = &r->t;
    char name[32], path[FILES_PATH], found[CHECKPOINT_NAME];
    bool there = false;
    checkpoint other;
    status s = STATUS_OK;
    for (int i = 0; i < SAVED_STATES && !s; i++) {
        s = saved_state_path(t->c, t->run->folder, i, path);
        if (s || !files_exists(path)) continue;
        s = checkpoint_describe(t->c, path, &other);
        if (s || other.step != k->step) continue;
        s = checkpoint_compare(t->c, path, &t->of->networks, true, found);
        r->v->links++;
        if (found[0] || strcmp(other.chain, k->chain)) note(r, saved_states[i], found);
    }
    if (s || k->step % t->save_every) return s;
    s = open_epoch(r, k->step / t->save_every + 1, name, path, &other, &there);
    if (s || !there) return s;
    r->v->links++;
    if (strcmp(other.chain, k->chain)) note(r, name, "");
    return s;
}

/* Where the run saved an epoch or a state. */
static status compare_link(replay *r)
{
    training *t = &r->t;
    t->state.step = *t->of->step;
    t->state.epoch = t->state.step / t->per_epoch;
    checkpoint k = t->state;
    status s = t->state.step ? compare_epoch(r) : STATUS_OK;
    if (!s) s = checkpoint_chain(t->c, &k, &t->of->networks);
    if (!s) s = compare_chain(r, &k);
    if (t->state.step % t->save_every == 0) t->state = k;
    return s;
}

static status set_rates(replay *r)
{
    training *t = &r->t;
    char name[32], path[FILES_PATH];
    bool there = false;
    checkpoint k;
    status s = open_epoch(r, *t->of->step / t->save_every + 1, name, path, &k, &there);
    return s || !r->o->rates ? s : r->o->rates(r->o->user, t->c, there ? path : NULL);
}

/* A rate may have been changed at a stop between two saved epochs, which no file but the metrics tells. */
static void set_recorded_rates(replay *r)
{
    const training_rate *rates = r->t.of->rates;
    const step_row *next = &r->recorded[*r->t.of->step];
    for (int i = 0; next->rates && i < TRAINING_RATES && rates[i].name; i++) *rates[i].value = next->rate[i];
}

static status go(replay *r)
{
    training *t = &r->t;
    const int64_t *step = t->of->step;
    status s = set_rates(r);
    if (!s && !*step) s = compare_link(r);
    while (!s && *step < r->v->last) {
        if (context_stop_requested(t->c)) return context_fail(t->c, STATUS_INTERRUPTED, "verify: interrupted");
        set_recorded_rates(r);
        s = training_step(t);
        const bool link = *step % t->save_every == 0 || *step == r->v->last;
        if (!s && (link || *step - r->compared >= t->of->rows)) s = compare_steps(r);
        if (!s && link) s = compare_link(r);
        progress_update(&t->progress, *step, "%s", differs(r) ? "differs" : "the same so far");
        if (!s && link && differs(r)) break;
        if (!s && *step % t->save_every == 0) s = set_rates(r);
    }
    r->v->last = *step;
    return s;
}

status training_replay(context *c, const trainer *of, const training_data *data, const training_run *run,
                       const training_replay_options *options, training_verdict *verdict)
{
    replay r = {.t = {.c = c, .of = of, .data = data, .run = run}, .o = options, .v = verdict};
    *verdict = (training_verdict){0};
    status s = training_prepare(&r.t);
    if (!s) s = read_metrics(&r);
    const int64_t from = options->from < 0 ? 0 : options->from;
    if (!s && from >= r.end)
        s = context_fail(c, STATUS_USAGE, "--from %lld: %s has %lld steps", (long long)from, run->folder,
                         (long long)r.end);
    if (!s) s = begin(&r);
    if (!s) {
        const int64_t wanted = options->steps ? (options->from < 0 ? verdict->first : from) + options->steps : r.end;
        verdict->last = wanted < r.end ? wanted : r.end;
        r.compared = verdict->first;
        progress_begin(&r.t.progress, c, "verify", "steps", verdict->first, verdict->last);
        s = go(&r);
        progress_end(&r.t.progress);
    }
    memory_delete(&r.recorded);
    training_release(&r.t);
    return s;
}
