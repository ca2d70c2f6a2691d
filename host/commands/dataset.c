/* `dataset info`: what a maps file yields for training. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "commands/command.h"
#include "dataset/dataset.h"

typedef struct {
    maps m;
    transform_shape transform;
    transform_range range;
    dataset_split split;
    const char *problem; /* why there is no split; NULL: there is one */
} info;

static const char *const part_names[DATASET_PARTS] = {"train", "validation", "test"};

static status gather(context *c, const command_line *line, info *i)
{
    dataset_options o;
    const char *path = line->argument[0];
    status s = maps_read(c, path, &i->m);
    if (s) return s;
    if ((s = dataset_transform(c, &i->m, line->cfg, &i->transform))) return context_prefix(c, s, "%s", path);
    transform_range_add(&i->range, &i->transform, i->m.values, i->m.count * i->m.ny * i->m.nx);
    dataset_options_read(line->cfg, &o);
    s = dataset_split_new(c, &i->m, &o, &i->split);
    /* What else the file holds is worth saying even where the configuration does not fit it. */
    if (s == STATUS_USAGE) i->problem = context_message(c);
    return s == STATUS_USAGE ? STATUS_OK : s;
}

static int64_t sub_images(const info *i)
{
    return i->split.count[DATASET_TRAIN] * dataset_variants_count(&i->split.variants);
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *split_json(const info *i)
{
    if (i->problem) return json_pack("{s:s}", "error", i->problem);
    json_t *split = json_object();
    for (int p = 0; p < DATASET_PARTS; p++) {
        json_object_set_new(
            split, part_names[p],
            json_pack("{s:I, s:I}", "boxes", (json_int_t)i->split.boxes[p], "maps", (json_int_t)i->split.count[p]));
    }
    json_object_set_new(split, "crop", json_integer(i->split.crop));
    json_object_set_new(split, "sub_images", json_integer(sub_images(i)));
    return split;
}

static status print_json(context *c, const command_line *line, const info *i)
{
    const maps *m = &i->m;
    json_t *root = json_pack("{s:s, s:I, s:i, s:i, s:i, s:f, s:f, s:o}", "file", line->argument[0], "maps",
                             (json_int_t)m->count, "ny", m->ny, "nx", m->nx, "dims", m->dims, "box_mpc_h", m->box_mpc_h,
                             "mean", m->mean, "redshift", number(m->redshift));
    json_t *range = json_pack("{s:f, s:f, s:I, s:I, s:I}", "lowest", i->range.lowest, "highest", i->range.highest,
                              "pixels", (json_int_t)i->range.pixels, "below", (json_int_t)i->range.below, "above",
                              (json_int_t)i->range.above);
    if (!root || !range) {
        json_decref(root);
        json_decref(range);
        return context_fail(c, STATUS_MEMORY, "no memory for the result as JSON");
    }
    json_object_set_new(root, "densities", range);
    json_object_set_new(root, "split", split_json(i));
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

static void print_text(const command_line *line, const info *i)
{
    const maps *m = &i->m;
    const transform_shape *t = &i->transform;
    const double low = transform_from(t, -1), high = transform_from(t, 1);
    printf("%s\n", line->argument[0]);
    printf("  maps          %lld of %d × %d pixels, %.6g Mpc/h wide, %dD", (long long)m->count, m->ny, m->nx,
           m->box_mpc_h, m->dims);
    if (isfinite(m->redshift)) printf(", redshift %.4g", m->redshift);
    printf("\n  mean          %.6g particles per pixel\n", m->mean);
    printf("  densities     %.6g to %.6g; the transform takes %.6g … %.6g to [-1, 1]\n", i->range.lowest,
           i->range.highest, low, high);
    printf("  out of range  %lld pixels below, %lld above, of %lld\n", (long long)i->range.below,
           (long long)i->range.above, (long long)i->range.pixels);
    if (i->problem) {
        printf("  split         none: %s\n", i->problem);
        return;
    }
    for (int p = 0; p < DATASET_PARTS; p++) {
        printf("  %-13s %lld boxes, %lld maps\n", part_names[p], (long long)i->split.boxes[p],
               (long long)i->split.count[p]);
    }
    printf("  sub-images    %lld of %d × %d pixels to train on\n", (long long)sub_images(i), i->split.crop,
           i->split.crop);
}

status command_dataset_info(context *c, const command_line *line)
{
    info i = {0};
    status s = gather(c, line, &i);
    if (!s && line->json) {
        s = print_json(c, line, &i);
    } else if (!s) {
        print_text(line, &i);
    }
    dataset_split_delete(&i.split);
    maps_delete(&i.m);
    return s;
}
