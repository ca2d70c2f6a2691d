/* `train gan`: the GAN on a maps file. */
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "base/memory.h"
#include "commands/ready.h"
#include "dataset/dataset.h"
#include "io/maps_transform.h"
#include "nets/gan.h"

typedef struct {
    const dataset *data; /* borrowed */
    uint64_t seed;
} order_source;

static status epoch_order(void *user, context *c, uint32_t epoch, uint32_t *indices)
{
    const order_source *o = user;
    return dataset_epoch_order(c, o->data, o->seed, epoch, indices);
}

/* What generated maps inherit from the maps trained on: all but the side, which is the sub-image's. */
static maps describe(const maps *m, const dataset *data)
{
    maps d = *m;
    d.values = NULL;
    d.origin = NULL;
    d.box_mpc_h = m->box_mpc_h * dataset_crop_shape(data)->crop / m->nx;
    return d;
}

static void log_plan(context *c, const gan *g, const dataset *data)
{
    const network_shape *s = &g->generator->shape;
    log_info(c,
             "%lld training maps give %u sub-images of %d x %d; generator %.1f M, discriminator %.1f M parameters; "
             "%.1f GFLOP a step",
             (long long)dataset_split_used(data)->count[DATASET_TRAIN], dataset_sub_images(data), s->image, s->image,
             g->generator->parameters * 1e-6, g->discriminator->parameters * 1e-6, gan_step_flops(&g->o, s) * 1e-9);
}

static status train(context *c, const command_line *line, device *d, const maps *m, const provenance *origin)
{
    const config *cfg = line->cfg;
    dataset *data = NULL;
    gan *g = NULL;
    gan_options options;
    network_shape shape;
    char hint[3300];
    status s = gan_options_read(c, cfg, &options);
    if (!s) s = dataset_open(c, d, m, cfg, &data);
    if (!s) s = network_shape_read(c, cfg, dataset_crop_shape(data)->crop, &shape);
    if (!s) s = gan_new(c, d, &options, &shape, &g);
    if (!s) s = gan_initialise(c, g, (initialisation)config_choice(cfg, "network.init"));
    if (!s) {
        log_plan(c, g, data);
        ready_resume_hint(line, origin, hint, sizeof hint);
        order_source order = {.data = data, .seed = options.seed};
        maps trained_on = describe(m, data);
        gan_data source = {.crop = *dataset_crop_shape(data),
                           .parents = dataset_parents(data),
                           .sub_images = dataset_sub_images(data),
                           .order = epoch_order,
                           .user = &order};
        gan_run run = {.folder = line->out ? line->out : "gan",
                       .steps = config_integer(cfg, "gan.steps"),
                       .epochs = config_integer(cfg, "gan.epochs"),
                       .save_every = config_integer(cfg, "gan.save_every"),
                       .trained_on = &trained_on,
                       .origin = origin,
                       .resume_hint = hint,
                       .resume = line->resume,
                       .replace = line->force};
        s = gan_train(c, g, &source, &run);
    }
    if (!s) s = common_log_profile(c, line, d);
    gan_delete(&g);
    dataset_delete(&data);
    return s;
}

static status check_inputs(context *c, const char *path, const char *maps_path, const provenance *origin)
{
    h5_file *f = NULL;
    char *inputs = NULL;
    status s = h5_open(c, path, &f);
    if (!s) s = h5_read_text(c, f, "/provenance", "input_hashes", &inputs);
    if (!s && strncmp(inputs, origin->input_hash[0], strlen(origin->input_hash[0])) != 0)
        s = context_fail(c, STATUS_USAGE,
                         "%s was made with other maps than %s; give those, or another folder with -o, or --force in "
                         "place of --resume to replace it",
                         path, maps_path);
    memory_delete(&inputs);
    h5_delete(&f);
    return s;
}

/* What may change when a run goes on: its length, and the rates (the mend of a run that diverged). Anything else would
 * make a mixture of two runs that no one could repeat. */
static status check_resume(context *c, const command_line *line, const provenance *origin)
{
    static const char *const generations[] = {"state.h5", "state.previous.h5"};
    static const char *const free[] = {"gan.steps", "gan.epochs", "gan.lr_g", "gan.lr_d",
                                       /* how the maps file was made, which the hash of the file decides */
                                       "maps.estimator", "maps.pixels", "maps.members", NULL};
    char path[FILES_PATH];
    for (int i = 0; i < 2 && line->resume; i++) {
        status s = files_path(c, path, "%s/%s", line->out ? line->out : "gan", generations[i]);
        if (s || !files_exists(path)) continue;
        s = ready_same_configuration(c, path, line->cfg, "maps, dataset, network, gan", free,
                                     "--force in place of --resume");
        if (!s) s = check_inputs(c, path, line->argument[0], origin);
        if (s != STATUS_DATA) return s; /* a damaged state is said when it is read */
    }
    return STATUS_OK;
}

status command_train_gan(context *c, const command_line *line)
{
    maps m = {0};
    device *d = NULL;
    provenance origin = {0};
    status s = maps_read(c, line->argument[0], &m);
    if (!s) s = maps_transform_complete(c, line->cfg, &m);
    if (!s) s = ready_device(c, line, &origin, &d);
    if (!s) s = provenance_input(c, &origin, line->argument[0]);
    if (!s) s = check_resume(c, line, &origin);
    if (!s) s = train(c, line, d, &m, &origin);
    device_delete(&d);
    provenance_delete(&origin);
    maps_delete(&m);
    return s;
}
