/* `dataset info`: what a maps file yields for training. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "commands/command.h"
#include "dataset/dataset.h"
#include "io/maps_transform.h"

typedef struct {
    maps m; /* with the transform that training takes */
    transform_shape transform;
    transform_range range;                /* of all maps */
    transform_range parts[DATASET_PARTS]; /* of those of each part */
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
    if (!s) s = maps_transform_complete(c, line->cfg, &i->m);
    if (!s) s = maps_transform_of(c, &i->m, &i->transform);
    if (s) return context_prefix(c, s, "%s", path);
    const int64_t pixels = (int64_t)i->m.ny * i->m.nx;
    transform_range_add(&i->range, &i->transform, i->m.values, i->m.count * pixels);
    dataset_options_read(line->cfg, &o);
    s = dataset_split_new(c, &i->m, &o, &i->split);
    for (int p = 0; !s && p < DATASET_PARTS; p++)
        for (int64_t k = 0; k < i->split.count[p]; k++)
            transform_range_add(&i->parts[p], &i->transform, i->m.values + i->split.parents[p][k] * pixels, pixels);
    /* What else the file holds is worth saying even where the configuration does not fit it. */
    if (s == STATUS_USAGE) i->problem = context_message(c);
    return s == STATUS_USAGE ? STATUS_OK : s;
}

static int64_t sub_images(const info *i)
{
    return i->split.count[DATASET_TRAIN] * dataset_variants_count(&i->split.variants);
}

static double sub_image_mpc_h(const info *i)
{
    return i->m.box_mpc_h * i->split.crop / i->m.nx;
}

/* What training keeps on the device of the data: the parents of the training part and the order of an epoch. */
static double device_mib(const info *i)
{
    const double pixels = (double)i->m.ny * i->m.nx;
    return ((double)i->split.count[DATASET_TRAIN] * pixels * sizeof(float) + (double)sub_images(i) * sizeof(uint32_t)) /
           (1 << 20);
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
        json_object_set_new(split, part_names[p],
                            json_pack("{s:I, s:I, s:I, s:I}", "boxes", (json_int_t)i->split.boxes[p], "maps",
                                      (json_int_t)i->split.count[p], "below", (json_int_t)i->parts[p].below, "above",
                                      (json_int_t)i->parts[p].above));
    }
    json_object_set_new(split, "crop", json_integer(i->split.crop));
    json_object_set_new(split, "sub_images", json_integer(sub_images(i)));
    json_object_set_new(split, "sub_image_mpc_h", json_real(sub_image_mpc_h(i)));
    json_object_set_new(split, "device_mib", json_real(device_mib(i)));
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
    json_object_set_new(
        root, "transform",
        json_pack("{s:s, s:f, s:f, s:f, s:s}", "kind", m->transform, "a", m->a, "b", m->b, "c", m->c, "unit", m->unit));
    json_object_set_new(root, "split", split_json(i));
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

static void print_part(const info *i, int p)
{
    const transform_range *r = &i->parts[p];
    printf("  %-13s %lld maps of %lld boxes", part_names[p], (long long)i->split.count[p],
           (long long)i->split.boxes[p]);
    if (r->below + r->above > 0)
        printf("; %lld pixels below the bounds, %lld above", (long long)r->below, (long long)r->above);
    printf("\n");
}

static void print_text(const command_line *line, const info *i)
{
    const maps *m = &i->m;
    const char *units = m->units[0] ? m->units : "particles per pixel";
    char text[160];
    maps_transform_text(m, text, sizeof text);
    printf("%s\n", line->argument[0]);
    printf("  maps          %lld of %d × %d pixels, %.6g Mpc/h wide, %dD", (long long)m->count, m->ny, m->nx,
           m->box_mpc_h, m->dims);
    if (isfinite(m->redshift)) printf(", redshift %.4g", m->redshift);
    printf("\n  values        mean %.6g, smallest %.6g, largest %.6g; unit: %s\n", m->mean, i->range.lowest,
           i->range.highest, units);
    printf("  transform     %s\n", text);
    printf("  out of range  %lld pixels below, %lld above, of %lld\n", (long long)i->range.below,
           (long long)i->range.above, (long long)i->range.pixels);
    if (i->problem) {
        printf("  split         none: %s\n", i->problem);
        return;
    }
    for (int p = 0; p < DATASET_PARTS; p++) print_part(i, p);
    printf("  sub-images    %lld to train on: %d of each map, %d × %d pixels, %.6g Mpc/h wide\n",
           (long long)sub_images(i), dataset_variants_count(&i->split.variants), i->split.crop, i->split.crop,
           sub_image_mpc_h(i));
    printf("  device        %.4g MiB for the maps to train on\n", device_mib(i));
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
