/* What the training loop takes. */
#include "commands/training_set.h"

#include "base/memory.h"

/* What generated maps inherit from the maps trained on: all but the side, which is the sub-image's. */
static maps describe(const maps *m, const dataset *data)
{
    maps d = *m;
    d.values = NULL;
    d.origin = NULL;
    d.box_mpc_h = m->box_mpc_h * dataset_crop_shape(data)->crop / m->nx;
    return d;
}

status training_set_open(context *c, device *d, const maps *m, const config *cfg, training_set *out)
{
    *out = (training_set){.seed = (uint64_t)config_integer(cfg, "run.seed")};
    status s = dataset_open(c, d, m, cfg, &out->data);
    if (!s) out->trained_on = describe(m, out->data);
    return s;
}

void training_set_delete(training_set *t)
{
    dataset_delete(&t->data);
}

static status order(void *user, context *c, uint32_t epoch, uint32_t *indices)
{
    const training_set *t = user;
    return dataset_epoch_order(c, t->data, t->seed, epoch, indices);
}

training_data training_set_source(const training_set *t)
{
    return (training_data){.crop = *dataset_crop_shape(t->data),
                           .parents = dataset_parents(t->data),
                           .sub_images = dataset_sub_images(t->data),
                           .order = order,
                           .user = (void *)t};
}

status training_set_validation(context *c, const training_set *t, device *d, const maps *m, buffer **images,
                               int64_t *count)
{
    float *host = NULL;
    int side = 0;
    *images = NULL;
    *count = 0;
    if (!dataset_split_used(t->data)->count[DATASET_VALIDATION])
        return context_fail(c, STATUS_USAGE,
                            "dataset.validation = 0 leaves no maps to validate by; train the GAN with "
                            "some held out");
    status s = dataset_test_images(c, m, dataset_split_used(t->data), DATASET_VALIDATION, &host, count, &side);
    const size_t pixels = s ? 0 : (size_t)*count * side * side;
    if (!s) s = buffer_new(c, d, "validation images", pixels * sizeof *host, images);
    if (!s) s = buffer_write(c, *images, 0, host, pixels * sizeof *host);
    if (!s) s = transform_forward(c, d, dataset_transform_shape(t->data), pixels, *images, *images);
    memory_delete(&host);
    return s;
}

static initialisation first_weights(const config *cfg)
{
    return (initialisation)config_choice(cfg, "network.init");
}

status training_gan_new(context *c, device *d, const config *cfg, const training_set *t, gan **out)
{
    gan_options options;
    network_shape shape;
    status s = gan_options_read(c, cfg, &options);
    if (!s) s = network_shape_read(c, cfg, dataset_crop_shape(t->data)->crop, &shape);
    if (!s) s = gan_new(c, d, &options, &shape, out);
    return s ? s : gan_initialise(c, *out, first_weights(cfg));
}

status training_encoder_new(context *c, device *d, const config *cfg, const char *gan_path, autoencoder **out)
{
    encoder_options options;
    checkpoint k;
    status s = encoder_options_read(c, cfg, &options);
    if (!s) s = checkpoint_describe(c, gan_path, &k);
    if (!s) s = autoencoder_new(c, d, &options, &k.shape, out);
    if (s) return s;
    const checkpoint_networks frozen = {.generator = (*out)->generator, .discriminator = (*out)->discriminator};
    s = checkpoint_read(c, gan_path, &k, &frozen, false);
    return s ? s : autoencoder_initialise(c, *out, first_weights(cfg));
}
