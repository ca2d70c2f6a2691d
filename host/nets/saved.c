/* The files of a training run. */
#include "nets/saved.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/files.h"
#include "base/memory.h"

const char *const saved_states[SAVED_STATES] = {"state.h5", "state.previous.h5"};

status saved_state_path(context *c, const char *run, int generation, char *path)
{
    return files_path(c, path, "%s/%s", run, saved_states[generation]);
}

/* "0012.h5" → 12; −1: no saved epoch. */
static int64_t epoch_number(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return digits >= 4 && digits <= 18 && strcmp(name + digits, ".h5") == 0 ? strtoll(name, NULL, 10) : -1;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

status saved_epochs(context *c, const char *run, int64_t **numbers, int *count)
{
    char folder[FILES_PATH];
    int room = 0;
    *numbers = NULL;
    *count = 0;
    status s = files_path(c, folder, "%s/epochs", run);
    DIR *d = s ? NULL : opendir(folder);
    for (struct dirent *e = d ? readdir(d) : NULL; e && !s; e = readdir(d)) {
        int64_t number = epoch_number(e->d_name);
        if (number < 0) continue;
        if (*count == room) {
            s = memory_grow(c, "numbers of the epochs", (size_t)room, 2 * (size_t)room + 64, sizeof **numbers, numbers);
            room = 2 * room + 64;
        }
        if (!s) (*numbers)[(*count)++] = number;
    }
    if (d) closedir(d);
    if (!s && *count) qsort(*numbers, (size_t)*count, sizeof **numbers, ascending);
    if (s) memory_delete(numbers);
    return s;
}

status saved_epoch_path(context *c, const char *run, int64_t number, char *path)
{
    return files_path(c, path, "%s/epochs/%04lld.h5", run, (long long)number);
}

status saved_any(context *c, const char *run, bool *any)
{
    char path[FILES_PATH];
    int64_t *numbers = NULL;
    int count = 0;
    status s = saved_epochs(c, run, &numbers, &count);
    *any = count > 0;
    for (int i = 0; i < SAVED_STATES && !s; i++) {
        s = saved_state_path(c, run, i, path);
        *any = *any || (!s && files_exists(path));
    }
    if (!s) s = files_path(c, path, "%s/best.h5", run);
    *any = *any || (!s && files_exists(path));
    memory_delete(&numbers);
    return s;
}

static status remove_file(context *c, const char *path)
{
    if (!files_exists(path) || remove(path) == 0) return STATUS_OK;
    return context_fail(c, STATUS_FAILURE, "%s: cannot be removed; check the folder's permissions", path);
}

status saved_remove(context *c, const char *run)
{
    static const char *const own[] = {"metrics.jsonl", "select.json", "nonfinite.h5", "best.h5"};
    char path[FILES_PATH];
    int64_t *numbers = NULL;
    int count = 0;
    status s = saved_epochs(c, run, &numbers, &count);
    for (int i = 0; i < SAVED_STATES && !s; i++) {
        s = saved_state_path(c, run, i, path);
        if (!s) s = remove_file(c, path);
    }
    for (int i = 0; i < (int)(sizeof own / sizeof *own) && !s; i++) {
        s = files_path(c, path, "%s/%s", run, own[i]);
        if (!s) s = remove_file(c, path);
    }
    for (int i = 0; i < count && !s; i++) {
        s = saved_epoch_path(c, run, numbers[i], path);
        if (!s) s = remove_file(c, path);
    }
    memory_delete(&numbers);
    return s;
}
