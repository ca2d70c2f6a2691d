/* `dataset export`: the sub-images of a maps file as a maps file of their own, with the dataset /labels of where each
 * comes from and the /origin of its map (of maps without one the number of the map), so that images of one box are
 * known as such. Training sub-images are the 72 of each map, crops with all rotations and flips (fewer where the crop
 * is the whole map or dataset.rotate is false); those of validation and test are the four crops that do not overlap, as
 * the statistics take them. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/common.h"
#include "dataset/augment.h"
#include "dataset/split.h"
#include "ops/crop.h"

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

/* Which sub-image each image is: map of the file, y and x of the crop's upper left corner, orientation (bits as in
 * ops/crop.h: 1 flips x, 2 flips y, 4 swaps y and x first). */
enum { LABELS = 4 };

static status make_labels(context *c, const maps *m, const dataset_split *split, int part, int64_t count,
                          int32_t **labels)
{
    const int dy = m->ny - split->crop, dx = m->nx - split->crop;
    const int64_t each = count / split->count[part];
    const status s = memory_new(c, "labels of sub-images", (size_t)count * LABELS, sizeof **labels, labels);
    for (int64_t i = 0; !s && i < count; i++) {
        int32_t *l = *labels + i * LABELS;
        if (part == DATASET_TRAIN) {
            const int sub = (int)(dataset_variant_index(&split->variants, (uint32_t)i) % CROP_PER_PARENT);
            const int position = sub / CROP_SYMMETRIES, row = position / 3, column = position % 3;
            l[1] = row == 2 ? dy : row * (dy / 2);
            l[2] = column == 2 ? dx : column * (dx / 2);
            l[3] = sub % CROP_SYMMETRIES;
        } else {
            l[1] = i % each & 2 ? dy : 0;
            l[2] = i % each & 1 ? dx : 0;
        }
        l[0] = (int32_t)split->parents[part][i / each];
    }
    return s;
}

static status make_origins(context *c, const maps *m, const int32_t *labels, int64_t count, int32_t **origins)
{
    const status s = memory_new(c, "origins of sub-images", (size_t)count * 3, sizeof **origins, origins);
    for (int64_t i = 0; !s && i < count; i++) {
        const int32_t map = labels[i * LABELS];
        if (m->origin) {
            memcpy(*origins + 3 * i, m->origin + 3 * (int64_t)map, 3 * sizeof **origins);
        } else {
            (*origins)[3 * i] = map;
        }
    }
    return s;
}

static status write(context *c, const char *path, const maps *out, const int32_t *labels, const provenance *origin)
{
    h5_file *f = NULL;
    const uint64_t shape[2] = {(uint64_t)out->count, LABELS}, origin_shape[2] = {shape[0], 3};
    status s = maps_write_begin(c, path, out, origin, &f);
    if (!s) s = h5_write_rows(c, f, "/maps", 0, (uint64_t)out->count, H5_FLOAT32, out->values);
    if (!s) s = h5_write(c, f, "/origin", H5_INT32, 2, origin_shape, out->origin);
    if (!s) s = h5_write(c, f, "/labels", H5_INT32, 2, shape, labels);
    if (!s) s = h5_attribute_text(c, f, "/labels", "columns", "map, y, x, orientation");
    if (!s) s = h5_finish(c, &f);
    h5_delete(&f);
    return s;
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
    int32_t *labels = NULL, *origins = NULL;
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
    if (!s) s = make_labels(c, &m, &split, part, count, &labels);
    if (!s) s = make_origins(c, &m, labels, count, &origins);
    if (!s) {
        out = describe(&m, images, count, side);
        out.origin = origins;
        s = write(c, path, &out, labels, &origin);
    }
    if (!s) s = print(c, line, &out, path);
    memory_delete(&images);
    memory_delete(&labels);
    memory_delete(&origins);
    dataset_split_delete(&split);
    provenance_delete(&origin);
    maps_delete(&m);
    return s;
}
