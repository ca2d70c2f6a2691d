#include "commands/trained.h"

#include "commands/recorded.h"

status trained_configuration(context *c, const char *checkpoint, config **out)
{
    recorded made = {0};
    status s = recorded_read(c, checkpoint, &made);
    if (!s && !made.cfg) s = context_fail(c, STATUS_DATA, "%s: does not say how it was made", checkpoint);
    *out = s ? NULL : made.cfg;
    if (!s) made.cfg = NULL;
    recorded_delete(&made);
    return s;
}

status trained_maps_find(context *c, const command_line *line, const char *checkpoint, trained_maps *out)
{
    recorded made = {0};
    dataset_options options;
    *out = (trained_maps){0};
    status s = recorded_read(c, checkpoint, &made);
    if (!s) s = recorded_maps(c, &made, line, checkpoint, out->path);
    if (!s) s = trained_configuration(c, checkpoint, &out->cfg);
    recorded_delete(&made);
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
    static const char *const mends[DATASET_PARTS] = {"more maps or a smaller dataset.validation and dataset.test",
                                                     "a larger dataset.validation", "a larger dataset.test"};
    int side = 0;
    status s = dataset_test_images(c, &t->m, &t->split, part, images, count, &side);
    if (!s && *count < 2)
        s = context_fail(c, STATUS_USAGE, "the run has %lld %s images, too few to score by; train with %s",
                         (long long)*count, names[part], mends[part]);
    return s;
}
