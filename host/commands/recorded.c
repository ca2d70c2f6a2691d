/* How a file was made. */
#include "commands/recorded.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"

status recorded_read(context *c, const char *path, recorded *out)
{
    h5_file *f = NULL;
    char *text = NULL;
    *out = (recorded){0};
    status s = h5_open(c, path, &f);
    if (!s && h5_has_attribute(f, "/provenance", "input_hashes"))
        s = h5_read_text(c, f, "/provenance", "input_hashes", &out->inputs);
    if (!s && h5_has_attribute(f, "/provenance", "configuration")) {
        s = provenance_read_configuration(c, f, &text);
        if (!s) s = config_new(c, &out->cfg);
        if (!s) s = config_read(c, out->cfg, text, path);
        if (s == STATUS_USAGE) s = STATUS_DATA; /* keys of another version, not what the user typed */
    }
    memory_delete(&text);
    h5_delete(&f);
    if (s) recorded_delete(out);
    return s;
}

void recorded_delete(recorded *r)
{
    config_delete(&r->cfg);
    memory_delete(&r->inputs);
}

bool recorded_input(const recorded *r, int i, char hash[HASH_TEXT], char *path)
{
    const char *line = r->inputs;
    for (; line && *line && i > 0; i--) {
        line = strchr(line, '\n');
        if (line) line++;
    }
    if (!line || !*line || strcspn(line, " \n") != HASH_TEXT - 1 || strncmp(line + HASH_TEXT - 1, "  ", 2))
        return false;
    const char *name = line + HASH_TEXT + 1;
    const size_t length = strcspn(name, "\n");
    if (length >= FILES_PATH) return false;
    snprintf(hash, HASH_TEXT, "%s", line);
    if (path) snprintf(path, FILES_PATH, "%.*s", (int)length, name);
    return true;
}

status recorded_maps(context *c, const recorded *r, const command_line *line, const char *run, char *path)
{
    const char *flag = command_flag(line, "maps");
    char hash[HASH_TEXT], found[HASH_TEXT];
    const bool known = recorded_input(r, 0, hash, path);
    if (!known && !flag)
        return context_fail(c, STATUS_USAGE, "%s: does not say which maps it was trained on; say with --maps", run);
    status s = flag ? files_path(c, path, "%s", flag) : STATUS_OK;
    if (!s && !flag && !files_exists(path))
        s = context_fail(c, STATUS_USAGE,
                         "%s: the maps file that the run was trained on is not at %s; say where with --maps", run,
                         path);
    if (!s && known) s = hash_file(c, path, found);
    if (!s && known && strcmp(hash, found))
        s = context_fail(c, STATUS_USAGE, "%s: is not the file that %s was trained on; say where that is with --maps",
                         path, run);
    return s;
}

bool recorded_same_value(const config *a, const config *b, const char *key)
{
    int n = 0, m = 0;
    switch (options_find(key)->type) {
    case OPTION_INTEGER:
        return config_integer(a, key) == config_integer(b, key);
    case OPTION_REAL:
        return config_real(a, key) == config_real(b, key);
    case OPTION_LIST:
    case OPTION_INTEGER_LIST: {
        const double *x = config_list(a, key, &n), *y = config_list(b, key, &m);
        return n == m && memcmp(x, y, (size_t)n * sizeof *x) == 0;
    }
    case OPTION_FLAG:
        return config_flag(a, key) == config_flag(b, key);
    default:
        return strcmp(config_text(a, key), config_text(b, key)) == 0;
    }
}

status recorded_adopt(context *c, const recorded *r, const char *path, const char *what, const char *const *keys,
                      bool strict, config *cfg)
{
    for (; r->cfg && *keys; keys++) {
        if (recorded_same_value(r->cfg, cfg, *keys)) continue;
        if (!config_is_set(cfg, *keys)) {
            status s = config_set(c, cfg, *keys, config_text(r->cfg, *keys), path);
            if (s) return s;
        } else if (strict) {
            return context_fail(c, STATUS_USAGE,
                                "%s: %s was made with %s = %s, not %s; leave the key out to take its "
                                "value over",
                                path, what, *keys, config_text(r->cfg, *keys), config_text(cfg, *keys));
        }
    }
    return STATUS_OK;
}
