/* What the stages of a configuration have to do (plan.h). */
#include "commands/plan.h"

#include <math.h>
#include <stdio.h>

#include "dataset/dataset.h"
#include "maps/from_snapshots.h"

status plan_check(context *c, const config *cfg)
{
    int count = 0;
    config_list(cfg, "simulate.redshifts", &count);
    if (config_integer(cfg, "simulate.dims") != 2)
        return context_fail(c, STATUS_USAGE,
                            "pipeline: simulate.dims = 3: the maps of 3D boxes are not part of this version; use "
                            "simulate.dims = 2, or the command simulate alone");
    if (count != 1)
        return context_fail(
            c, STATUS_USAGE,
            "pipeline: simulate.redshifts names %d redshifts, and a run trains on the maps of one; name "
            "that one, or use the commands simulate and maps for each",
            count);
    return STATUS_OK;
}

/* Steps of a training of `section`: those asked for, else as many as its epochs have. */
static status training_steps(context *c, const config *cfg, const plan_sizes *p, const char *section, int batch,
                             int64_t *steps, int64_t *per_epoch)
{
    char name[2][32];
    snprintf(name[0], sizeof name[0], "%s.steps", section);
    snprintf(name[1], sizeof name[1], "%s.epochs", section);
    *per_epoch = p->training * p->variants / batch;
    if (*per_epoch < 1)
        return context_fail(c, STATUS_USAGE, "%lld training maps give fewer sub-images than %s.batch = %d",
                            (long long)p->training, section, batch);
    *steps = config_integer(cfg, name[0]);
    if (!*steps) *steps = *per_epoch * config_integer(cfg, name[1]);
    return STATUS_OK;
}

/* The steps and saved epochs of the training, and the maps it is left with. */
static status training_sizes(context *c, const config *cfg, plan_sizes *p)
{
    uint32_t boxes = (uint32_t)p->boxes.boxes, validation = 0, test = 0;
    status s = dataset_held_out(c, "dataset.validation", config_real(cfg, "dataset.validation"), boxes, &validation);
    if (!s) s = dataset_held_out(c, "dataset.test", config_real(cfg, "dataset.test"), boxes, &test);
    if (s) return s;
    p->training = (int64_t)boxes - validation - test;
    if (p->training < 1)
        return context_fail(c, STATUS_USAGE,
                            "of %u boxes none is left to train on; lower dataset.validation and dataset.test", boxes);
    const dataset_variants each =
        dataset_variants_of(p->pixels, p->pixels, p->crop, config_flag(cfg, "dataset.rotate"));
    p->variants = dataset_variants_count(&each);
    p->test = test;
    int64_t per_epoch = 0, save = config_integer(cfg, "gan.save_every");
    s = training_steps(c, cfg, p, "gan", p->gan.batch, &p->steps, &per_epoch);
    if (!s) p->epochs = p->steps / (save ? save : per_epoch);
    p->sanity_steps = config_integer(cfg, "encoder.sanity_steps");
    return s ? s : training_steps(c, cfg, p, "encoder", p->encoder.batch, &p->encoder_steps, &per_epoch);
}

status plan_sizes_read(context *c, const config *cfg, plan_sizes *p)
{
    *p = (plan_sizes){0};
    status s = plan_check(c, cfg);
    if (!s) s = simulation_options_read(c, cfg, &p->boxes);
    if (!s) s = gan_options_read(c, cfg, &p->gan);
    if (!s) s = encoder_options_read(c, cfg, &p->encoder);
    if (s) return s;
    p->sanity = p->encoder;
    p->sanity.loss = ENCODER_Z;
    p->particles = (int64_t)pow(p->boxes.particles, p->boxes.spectrum.dims);
    s = maps_pixels(c, (int)config_integer(cfg, "maps.pixels"), p->particles, &p->pixels);
    p->crop = (int)config_integer(cfg, "dataset.crop");
    if (!p->crop) p->crop = p->pixels / 2;
    if (!s) s = network_shape_read(c, cfg, p->crop, &p->network);
    if (s) return s;
    return training_sizes(c, cfg, p);
}

static size_t maps_bytes(const plan_sizes *p)
{
    return (size_t)p->training * (size_t)p->pixels * p->pixels * sizeof(float);
}

bool plan_maps_on_host(const plan_sizes *p, const device *d)
{
    return dataset_on_host(d, maps_bytes(p));
}

size_t plan_training_bytes(const plan_sizes *p, const device *d)
{
    return (plan_maps_on_host(p, d) ? 0 : maps_bytes(p)) + (size_t)p->training * p->variants * sizeof(uint32_t);
}
