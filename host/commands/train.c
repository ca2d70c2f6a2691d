/* `train gan`: the GAN on a maps file. */
#include "commands/ready.h"
#include "commands/training_set.h"
#include "io/maps_transform.h"
#include "nets/gan.h"

static const char *folder_of(const command_line *line)
{
    return line->out ? line->out : "gan";
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
    training_set set = {0};
    gan *g = NULL;
    char hint[3300];
    status s = training_set_open(c, d, m, cfg, &set);
    if (!s) s = training_gan_new(c, d, cfg, &set, &g);
    if (!s) {
        log_plan(c, g, set.data);
        ready_resume_hint(line, origin, hint, sizeof hint);
        training_data source = training_set_source(&set);
        training_run run = {.folder = folder_of(line),
                            .steps = config_integer(cfg, "gan.steps"),
                            .epochs = config_integer(cfg, "gan.epochs"),
                            .save_every = config_integer(cfg, "gan.save_every"),
                            .trained_on = &set.trained_on,
                            .origin = origin,
                            .resume_hint = hint,
                            .resume = line->resume,
                            .replace = line->force};
        s = gan_train(c, g, &source, &run);
    }
    if (!s) s = common_log_profile(c, line, d);
    gan_delete(&g);
    training_set_delete(&set);
    return s;
}

/* What may change when a run goes on: its length, and the rates (the mend of a run that diverged). */
static const char *const free_keys[] = {"gan.steps", "gan.epochs", "gan.lr_g", "gan.lr_d",
                                        /* how the maps file was made, which the hash of the file decides */
                                        "maps.estimator", "maps.pixels", "maps.members", NULL};
static const char *const inputs[] = {"other maps", NULL};

status command_train_gan(context *c, const command_line *line)
{
    maps m = {0};
    device *d = NULL;
    provenance origin = {0};
    status s = maps_read(c, line->argument[0], &m);
    if (!s) s = maps_transform_complete(c, line->cfg, &m);
    if (!s) s = ready_device(c, line, &origin, &d);
    if (!s) s = provenance_input(c, &origin, line->argument[0]);
    if (!s) s = ready_resume(c, line, folder_of(line), "maps, dataset, network, gan", free_keys, &origin, inputs);
    if (!s) s = train(c, line, d, &m, &origin);
    device_delete(&d);
    provenance_delete(&origin);
    maps_delete(&m);
    return s;
}
