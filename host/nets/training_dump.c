/* What is left of a gradient that is not finite. Steps are queued ahead, so the host learns of it some steps late: the
 * steps since the last good state are done again one by one, which finds the step and its gradients, or that they are
 * finite this time and the device computed wrongly once. */
#include "base/files.h"
#include "nets/training_internal.h"
#include <stdio.h>

#define FILE_NAME "nonfinite.h5"

static status dump(training *t, int64_t first, int64_t last, char name[CHECKPOINT_NAME])
{
    char path[FILES_PATH];
    status s = training_path(t, path, FILE_NAME);
    t->state.step = *t->of->step;
    t->state.epoch = t->state.step / t->per_epoch;
    return s ? s : checkpoint_dump(t->c, path, &t->state, &t->of->networks, first, last, t->run->origin, name);
}

void training_forget_nonfinite(training *t)
{
    char path[FILES_PATH];
    checkpoint k;
    if (!training_path(t, path, FILE_NAME) && files_exists(path) && !checkpoint_describe(t->c, path, &k) &&
        k.step <= t->state.step)
        remove(path);
}

/* From the last good state up to step `last`, or to the first step whose gradient is not finite. */
static status repeat(training *t, int64_t last, bool *finite)
{
    char path[FILES_PATH];
    status s = training_read_state(t, path, NULL);
    if (!s) s = buffer_zero(t->c, t->of->flag);
    if (s) return s;
    *t->of->step = t->state.step;
    log_warning(t->c, "a gradient was not finite; repeating the steps from %lld to %lld to find it",
                (long long)t->state.step + 1, (long long)last);
    if (t->state.step % t->per_epoch) s = training_enter_epoch(t);
    while (!s && *finite && *t->of->step < last && !context_stop_requested(t->c)) {
        s = training_step(t);
        if (!s) s = training_collect(t, finite);
        progress_update(&t->progress, *t->of->step, "repeating");
    }
    return s;
}

status training_stop_nonfinite(training *t)
{
    const int64_t first = t->reported + 1, last = *t->of->step;
    const char *folder = t->run->folder;
    char name[CHECKPOINT_NAME] = "";
    bool finite = true;
    status s = dump(t, first, last, name);
    if (!s) s = repeat(t, last, &finite);
    const int64_t step = *t->of->step;
    if (!s && !finite) s = dump(t, step, step, name);
    if (s)
        return context_prefix(t->c, s, "a gradient was not finite between steps %lld and %lld", (long long)first,
                              (long long)last);
    if (!finite)
        return context_fail(t->c, STATUS_FAILURE,
                            "step %lld: the gradient of %s is not finite; networks and gradients of that step are in "
                            "%s/" FILE_NAME ", the last good state is %s/state.h5; go on from it with --resume and a "
                            "smaller %s",
                            (long long)step, name, folder, folder, t->of->rate_keys);
    return context_fail(
        t->c, STATUS_FAILURE,
        "a gradient was not finite between steps %lld and %lld; %s. What was found at first is in %s/" FILE_NAME
        "%s%s, the last good state is %s/state.h5",
        (long long)first, (long long)last,
        step < last ? "the search for the step was stopped"
                    : "repeated, all of them were: the device or its driver computed wrongly once; "
                      "check it with `cosmocl selftest`, then go on with --resume",
        folder, name[0] ? ": the gradient of " : "", name, folder);
}
