/* `dataset export`: the sub-images of a maps file as a maps file of their own. Training sub-images are the 72 of each
 * map, crops with all rotations and flips; those of validation and test are the four crops that do not overlap, as the
 * statistics take them. */
#include <jansson.h>
#include <stdio.h>

#include "base/memory.h"
#include "commands/common.h"
#include "dataset/augment.h"
#include "dataset/split.h"

/* The maps file of the sub-images: everything as in the parents but their size. */
static maps describe(const maps *m, float *images, int64_t count, int side)
{
    maps out = *m;
    out.values = images;
    out.origin = NULL;
    out.count = count;
    out.ny = out.nx = side;
    out.box_mpc_h = m->box_mpc_h * side / m->nx;
    return out;
}

static const char *const part_names[] = {"training", "validation", "test"};

static status cut(context *c, const maps *m, const dataset_split *split, int part, float **images, int64_t *count,
                  int *side)
{
    if (!split->count[part])
        return context_fail(c, STATUS_USAGE, "the split leaves no %s maps; raise dataset.%s", part_names[part],
                            part_names[part]);
    if (part == DATASET_TRAIN) return dataset_augmented_images(c, m, split, images, count, side);
    return dataset_test_images(c, m, split, (dataset_part)part, images, count, side);
}

static status print(context *c, const command_line *line, const maps *out, const char *path)
{
    if (!line->json) {
        printf("%lld sub-images of %d × %d pixels: %s\n", (long long)out->count, out->nx, out->nx, path);
        return STATUS_OK;
    }
    json_t *root = json_pack("{s:I, s:i, s:s}", "maps", (json_int_t)out->count, "pixels", out->nx, "file", path);
    if (!root) return context_fail(c, STATUS_MEMORY, "no memory for the result as JSON");
    json_dumpf(root, stdout, 0);
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

status command_dataset_export(context *c, const command_line *line)
{
    maps m = {0}, out = {0};
    dataset_options options;
    dataset_split split = {0};
    provenance origin = {0};
    float *images = NULL;
    int64_t count = 0;
    int part = 0, side = 0;
    const char *path = NULL;
    status s = common_output(c, line, NULL, &path);
    if (!s) s = command_flag_choice(c, line, "split", "train|validation|test", &part);
    if (!s) s = maps_read(c, line->argument[0], &m);
    if (!s) s = common_provenance(c, line, NULL, &origin);
    if (!s) s = provenance_input(c, &origin, line->argument[0]);
    dataset_options_read(line->cfg, &options);
    if (!s) s = dataset_split_new(c, &m, &options, &split);
    if (!s) s = cut(c, &m, &split, part, &images, &count, &side);
    if (!s) {
        out = describe(&m, images, count, side);
        s = maps_write(c, path, &out, &origin);
    }
    if (!s) s = print(c, line, &out, path);
    memory_delete(&images);
    dataset_split_delete(&split);
    provenance_delete(&origin);
    maps_delete(&m);
    return s;
}
