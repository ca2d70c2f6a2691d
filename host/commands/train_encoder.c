/* `train encoder`: the encoder of the autoencoder, in front of a trained GAN. */
#include <math.h>
#include <string.h>

#include "commands/ready.h"
#include "commands/recorded.h"
#include "commands/training_set.h"
#include "io/maps_transform.h"
#include "nets/encoder_train.h"

typedef struct {
    const command_line *line;
    char gan_path[FILES_PATH];
    recorded gan_made; /* how the GAN was made */
    checkpoint gan;
    maps m;
    device *d;
    provenance origin;
} job;

static const char *folder_of(const command_line *line)
{
    return line->out ? line->out : "encoder";
}

/* ---- what the GAN decides */

/* The GAN and its encoder hold out the same maps and have the same shape. */
static const char *const same_keys[] = {"run.seed",       "dataset.crop",    "dataset.validation", "dataset.test",
                                        "network.latent", "network.filters", "network.kernel",     "network.leak",
                                        "network.norm",   "network.groups",  "network.algorithm",  NULL};
static const char *const like_keys[] = {"dataset.rotate", "network.init", "gan.beta1",
                                        "gan.beta2",      "gan.epsilon",  NULL};

static status read_gan(context *c, job *j)
{
    const command_line *line = j->line;
    status s = ready_checkpoint(c, line->argument[1], command_flag(line, "epoch"), j->gan_path);
    if (!s) s = checkpoint_describe(c, j->gan_path, &j->gan);
    if (!s) s = recorded_read(c, j->gan_path, &j->gan_made);
    if (!s) s = recorded_adopt(c, &j->gan_made, j->gan_path, "the GAN", same_keys, true, line->cfg);
    return s ? s : recorded_adopt(c, &j->gan_made, j->gan_path, "the GAN", like_keys, false, line->cfg);
}

/* The maps must mean to the networks what those did that the GAN was trained on. */
static status match_maps(context *c, job *j)
{
    maps *m = &j->m;
    const maps *t = &j->gan.trained_on;
    const char *path = j->line->argument[0];
    char hash[HASH_TEXT];
    maps_transform_inherit(m, t);
    if (!maps_transform_same(m, t))
        return context_fail(c, STATUS_USAGE,
                            "%s: its transform (%s of %s, a = %g, b = %g, c = %g) is not that of the GAN's maps (%s of "
                            "%s, a = %g, b = %g, c = %g); give the maps that %s was trained on",
                            path, m->transform, m->unit, m->a, m->b, m->c, t->transform, t->unit, t->a, t->b, t->c,
                            j->gan_path);
    if (recorded_input(&j->gan_made, 0, hash, NULL) && strcmp(hash, j->origin.input_hash[0]))
        log_warning(c,
                    "%s is not the file that the GAN was trained on: what is held out of it may be among the maps that "
                    "the GAN has seen",
                    path);
    return STATUS_OK;
}

static status match_images(context *c, const job *j, const training_set *set)
{
    const maps *t = &j->gan.trained_on;
    const int crop = dataset_crop_shape(set->data)->crop, image = j->gan.shape.image;
    if (crop != image)
        return context_fail(c, STATUS_USAGE,
                            "%s: its sub-images have %d × %d pixels, the GAN's images %d × %d; set dataset.crop=%d",
                            j->line->argument[0], crop, crop, image, image, image);
    if (fabs(set->trained_on.box_mpc_h / t->box_mpc_h - 1) > 1e-6)
        log_warning(c, "%s: a sub-image is %.6g Mpc/h wide, the GAN was trained on %.6g", j->line->argument[0],
                    set->trained_on.box_mpc_h, t->box_mpc_h);
    if (fabs(set->trained_on.mean - t->mean) > 1e-3 * fabs(t->mean))
        log_warning(c, "%s: its mean is %.6g, that of the GAN's maps %.6g", j->line->argument[0], set->trained_on.mean,
                    t->mean);
    return STATUS_OK;
}

/* ---- training */

/* Latents that the loss z is validated by. */
enum { VALIDATION_LATENTS = 256 };

static status make_model(context *c, const job *j, const training_set *set, encoder_model *model)
{
    status s = training_encoder_new(c, j->d, j->line->cfg, j->gan_path, &model->a);
    model->count = VALIDATION_LATENTS;
    if (s || model->a->o.loss == ENCODER_Z) return s;
    return training_set_validation(c, set, j->d, &j->m, &model->validation, &model->count);
}

static void log_plan(context *c, const job *j, const encoder_model *m, const training_set *set)
{
    const network_shape *s = &j->gan.shape;
    log_info(c,
             "encoder of %.1f M parameters for the generator of %s (step %lld): %u training sub-images of %d x %d, "
             "%lld validation %s; %.1f GFLOP a step",
             m->a->encoder->parameters * 1e-6, j->gan_path, (long long)j->gan.step, dataset_sub_images(set->data),
             s->image, s->image, (long long)m->count, m->validation ? "images" : "latents",
             autoencoder_step_flops(&m->a->o, s) * 1e-9);
}

static status go(context *c, job *j, training_set *set, encoder_model *model)
{
    const config *cfg = j->line->cfg;
    const char *folder = folder_of(j->line);
    char hint[3300];
    log_plan(c, j, model, set);
    ready_resume_hint(j->line, &j->origin, hint, sizeof hint);
    const training_data source = training_set_source(set);
    const training_run run = {.folder = folder,
                              .steps = config_integer(cfg, "encoder.steps"),
                              .epochs = config_integer(cfg, "encoder.epochs"),
                              .save_every = config_integer(cfg, "encoder.save_every"),
                              .trained_on = &set->trained_on,
                              .origin = &j->origin,
                              .resume_hint = hint,
                              .resume = j->line->resume,
                              .replace = j->line->force};
    const trainer of = encoder_trainer(model);
    checkpoint_best best = {0};
    status s = training_go(c, &of, &source, &run, &best);
    if (!s && best.step)
        log_info(c, "best: %s/best.h5, of step %lld, validation loss %.6g", folder, (long long)best.step, best.loss);
    return s;
}

static status train(context *c, job *j)
{
    training_set set = {0};
    encoder_model model = {0};
    status s = training_set_open(c, j->d, &j->m, j->line->cfg, &set);
    if (!s) s = match_images(c, j, &set);
    if (!s) s = make_model(c, j, &set, &model);
    if (!s) s = go(c, j, &set, &model);
    if (!s) s = common_log_profile(c, j->line, j->d);
    buffer_delete(&model.validation);
    autoencoder_delete(&model.a);
    training_set_delete(&set);
    return s;
}

/* What may change when a run goes on: its length and the rate, and keys of other commands. */
static const char *const free_keys[] = {"encoder.steps",  "encoder.epochs", "encoder.lr",   "encoder.sanity_steps",
                                        "maps.estimator", "maps.pixels",    "maps.members", NULL};
static const char *const inputs[] = {"other maps", "another GAN", NULL};

status command_train_encoder(context *c, const command_line *line)
{
    job j = {.line = line};
    status s = maps_read(c, line->argument[0], &j.m);
    if (!s) s = read_gan(c, &j);
    if (!s) s = ready_device(c, line, &j.origin, &j.d);
    if (!s) s = provenance_input(c, &j.origin, line->argument[0]);
    if (!s) s = provenance_input(c, &j.origin, j.gan_path);
    if (!s) s = match_maps(c, &j);
    if (!s)
        s = ready_resume(c, line, folder_of(line), "maps, dataset, network, encoder, gan.beta1, gan.beta2, gan.epsilon",
                         free_keys, &j.origin, inputs);
    if (!s) s = train(c, &j);
    device_delete(&j.d);
    recorded_delete(&j.gan_made);
    provenance_delete(&j.origin);
    maps_delete(&j.m);
    return s;
}
