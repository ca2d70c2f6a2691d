/* `infer`: maps through a trained autoencoder, to pairs of truth and inference. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/ready.h"
#include "commands/recorded.h"
#include "dataset/split.h"
#include "io/maps_transform.h"
#include "nets/infer.h"

typedef struct {
    const command_line *line;
    const char *maps_path;
    char path[FILES_PATH]; /* of the checkpoint */
    recorded made;
    maps m;
    inferrer *of;
    provenance origin;
    float *truth, *inferred, *latents;
    int64_t count;
} inference;

static const char *const split_keys[] = {"run.seed", "dataset.validation", "dataset.test", NULL};

static bool own_maps(const inference *t)
{
    char hash[HASH_TEXT];
    return recorded_input(&t->made, 0, hash, NULL) && strcmp(hash, t->origin.input_hash[0]) == 0;
}

/* The images of a part of the maps: four corner crops each, or whole maps that have the networks' size. */
static status cut(context *c, inference *t)
{
    int part = DATASET_TEST, side = 0;
    dataset_options options;
    dataset_split split = {0};
    dataset_options_read(t->line->cfg, &options);
    options.crop = t->of->origin.shape.image;
    status s = command_flag_choice(c, t->line, "split", "train|validation|test|all", &part);
    if (!s && part == DATASET_PARTS) return dataset_crops(c, &t->m, NULL, 0, options.crop, &t->truth, &t->count, &side);
    if (!s && !own_maps(t))
        log_warning(c,
                    "%s is not the file that the encoder was trained on, so its split has nothing to do with the "
                    "training; --split all takes every map",
                    t->maps_path);
    else if (!s) /* another split would take images for held out that were trained on */
        s = recorded_adopt(c, &t->made, t->path, "the encoder", split_keys, true, t->line->cfg);
    if (!s) s = dataset_split_new(c, &t->m, &options, &split);
    if (!s && !split.count[part])
        s = context_fail(c, STATUS_USAGE, "%s: the split leaves no maps for --split %s; --split all takes every map",
                         t->maps_path, command_flag(t->line, "split"));
    if (!s) s = dataset_test_images(c, &t->m, &split, (dataset_part)part, &t->truth, &t->count, &side);
    dataset_split_delete(&split);
    return s;
}

/* Maps of another scale or mean are encoded all the same: that is an experiment, and it is said. */
static void compare_scales(context *c, const inference *t)
{
    const maps *m = &t->m, *on = &t->of->origin.trained_on;
    const double pixel = m->box_mpc_h / m->nx, trained = on->box_mpc_h / t->of->origin.shape.image;
    if (fabs(pixel / trained - 1) > 1e-6)
        log_warning(c, "%s: a pixel is %.6g Mpc/h wide, those trained on were %.6g", t->maps_path, pixel, trained);
    if (fabs(m->mean - on->mean) > 1e-3 * fabs(on->mean))
        log_warning(c, "%s: its mean is %.6g, that of the maps trained on %.6g", t->maps_path, m->mean, on->mean);
    if (m->transform[0] && !maps_transform_same(m, on))
        log_warning(c, "%s: names another transform than the maps trained on; theirs is taken", t->maps_path);
}

/* A maps file's description of the inferred maps. */
static maps describe(const inference *t)
{
    const maps *on = &t->of->origin.trained_on;
    maps out = *on;
    out.count = t->count;
    out.ny = out.nx = t->of->origin.shape.image;
    out.box_mpc_h = t->m.box_mpc_h * out.nx / t->m.nx;
    out.mean = t->m.mean;
    out.redshift = t->m.redshift;
    out.dims = t->m.dims;
    memcpy(out.units, t->m.units, sizeof out.units);
    snprintf(out.estimator, sizeof out.estimator, "autoencoder");
    out.values = t->inferred;
    out.origin = NULL;
    return out;
}

static status print(context *c, const inference *t, const char *out)
{
    const checkpoint *k = &t->of->origin;
    if (!t->line->json) {
        printf("%lld pairs of %d² pixels (encoder of step %lld): %s\n", (long long)t->count, k->shape.image,
               (long long)k->step, out);
        return STATUS_OK;
    }
    json_t *root = json_pack("{s:I, s:i, s:i, s:I, s:s}", "maps", (json_int_t)t->count, "pixels", k->shape.image,
                             "latent", k->shape.latent, "step", (json_int_t)k->step, "file", out);
    if (!root) return context_fail(c, STATUS_MEMORY, "no memory for the result as JSON");
    json_dumpf(root, stdout, 0);
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

static status infer(context *c, inference *t, device *d)
{
    const char *out = t->line->out ? t->line->out : "pairs.h5";
    status s = inferrer_new(c, d, t->path, (int)config_integer(t->line->cfg, "encoder.batch"), &t->of);
    if (s) return s;
    compare_scales(c, t);
    const int latent = t->of->origin.shape.latent;
    const size_t pixels = (size_t)t->of->origin.shape.image * t->of->origin.shape.image;
    s = cut(c, t);
    if (!s) s = memory_new(c, "inferred maps", (size_t)t->count * pixels, sizeof *t->inferred, &t->inferred);
    if (!s) s = memory_new(c, "latents", (size_t)t->count * latent, sizeof *t->latents, &t->latents);
    if (!s) s = inferrer_run(c, t->of, t->m.mean, t->truth, t->count, t->inferred, t->latents);
    if (s) return s;
    const maps described = describe(t);
    s = maps_write_pairs(c, out, &described, t->truth, t->latents, latent, &t->origin);
    return s ? s : print(c, t, out);
}

status command_infer(context *c, const command_line *line)
{
    inference t = {.line = line, .maps_path = line->argument[0]};
    device *d = NULL;
    status s = ready_checkpoint(c, line->argument[1], command_flag(line, "epoch"), t.path);
    if (!s) s = maps_read(c, t.maps_path, &t.m);
    if (!s) s = recorded_read(c, t.path, &t.made);
    if (!s) s = recorded_adopt(c, &t.made, t.path, "the encoder", split_keys, false, line->cfg);
    if (!s) s = ready_trained_device(c, line, t.path, &t.origin, &d);
    if (!s) s = provenance_input(c, &t.origin, t.maps_path);
    if (!s) s = provenance_input(c, &t.origin, t.path);
    if (!s) s = infer(c, &t, d);
    float *owned[] = {t.truth, t.inferred, t.latents};
    for (int i = 0; i < 3; i++) memory_delete(&owned[i]);
    inferrer_delete(&t.of);
    recorded_delete(&t.made);
    provenance_delete(&t.origin);
    maps_delete(&t.m);
    device_delete(&d);
    return s;
}
