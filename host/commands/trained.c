#include "commands/trained.h"

#include <string.h>
#include "base/memory.h"
#include "io/provenance.h"

/* The recorded input ("HASH  PATH"). */
static status find_path(context *c, const command_line *line, const char *checkpoint, h5_file *f, char *out)
{
    const char *flag = command_flag(line, "maps");
    if (flag) return files_path(c, out, "%s", flag);
    char *inputs = NULL;
    status s = h5_read_text(c, f, "/provenance", "input_hashes", &inputs);
    const char *path = s ? NULL : strstr(inputs, "  ");
    if (path) s = files_path(c, out, "%.*s", (int)strcspn(path + 2, "\n"), path + 2);
    memory_delete(&inputs);
    if (!s && (!path || !files_exists(out)))
        s = context_fail(c, STATUS_USAGE,
                         "%s: the maps file that the run was trained on is not at %s; say where with --maps",
                         checkpoint, path ? out : "a recorded place");
    return s;
}

static status read_configuration(context *c, h5_file *f, const char *checkpoint, config **out)
{
    char *text = NULL;
    status s = provenance_read_configuration(c, f, &text);
    if (!s) s = config_new(c, out);
    if (!s) s = config_read(c, *out, text, checkpoint);
    memory_delete(&text);
    return s;
}

status trained_configuration(context *c, const char *checkpoint, config **out)
{
    h5_file *f = NULL;
    *out = NULL;
    status s = h5_open(c, checkpoint, &f);
    if (!s) s = read_configuration(c, f, checkpoint, out);
    h5_delete(&f);
    if (s) config_delete(out);
    return s;
}

status trained_maps_find(context *c, const command_line *line, const char *checkpoint, trained_maps *out)
{
    h5_file *f = NULL;
    dataset_options options;
    *out = (trained_maps){0};
    status s = h5_open(c, checkpoint, &f);
    if (!s) s = find_path(c, line, checkpoint, f, out->path);
    if (!s) s = read_configuration(c, f, checkpoint, &out->cfg);
    h5_delete(&f);
    if (!s) s = maps_read(c, out->path, &out->m);
    if (!s) {
        dataset_options_read(out->cfg, &options);
        s = dataset_split_new(c, &out->m, &options, &out->split);
    }
    if (s) trained_maps_delete(out);
    return s;
}

void trained_maps_delete(trained_maps *t)
{
    if (!t) return;
    config_delete(&t->cfg);
    maps_delete(&t->m);
    dataset_split_delete(&t->split);
}

status trained_maps_images(context *c, const trained_maps *t, dataset_part part, float **images, int64_t *count)
{
    static const char *const names[DATASET_PARTS] = {"training", "validation", "test"};
    int side = 0;
    status s = dataset_test_images(c, &t->m, &t->split, part, images, count, &side);
    if (!s && *count < 2)
        s = context_fail(c, STATUS_USAGE,
                         "the run has %lld %s images, too few to score by; train with a larger "
                         "dataset.validation",
                         (long long)*count, names[part]);
    return s;
}
