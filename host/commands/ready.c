/* What a command needs before it computes. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "commands/ready.h"
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
    snprintf(hint, size, "%s%s", origin->command_line, line->resume ? "" : " --resume");
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

static status epoch_path(context *c, const char *run, long number, char *path)
{
    return files_path(c, path, "%s/epochs/%04ld.h5", run, number);
}

static status last_epoch(context *c, const char *run, char *path)
{
    for (long n = 9999; n >= 0; n--) {
        status s = epoch_path(c, run, n, path);
        if (s || files_exists(path)) return s;
    }
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
        return epoch_path(c, argument, selected, path);
    }
    char *end = NULL;
    long number = strtol(epoch, &end, 10);
    if (end == epoch || *end || number < 0 || number > 9999)
        return context_fail(c, STATUS_USAGE, "--epoch %s: is not the number of a saved epoch", epoch);
    s = epoch_path(c, argument, number, path);
    if (!s && !files_exists(path))
        s = context_fail(c, STATUS_DATA, "%s: there is no such saved epoch; see %s/epochs", path, argument);
    return s;
}
