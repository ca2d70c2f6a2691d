/* The GAN as the training loop takes it. */
#include "nets/gan.h"
#include <stdio.h>

static status update(context *c, void *model)
{
    gan *g = model;
    status s = gan_draw_latents(c, g, 0);
    return s ? s : gan_step(c, g);
}

static const training_column columns[] = {{"loss_d", LOSS_D},
                                          {"loss_g", LOSS_G},
                                          {"accuracy_real", LOSS_ACCURACY_REAL},
                                          {"accuracy_generated", LOSS_ACCURACY_GENERATED},
                                          {0}};

static void describe(const float *row, char *text, size_t size)
{
    snprintf(text, size, "loss D %.3f G %.3f, D right on real %.0f %% generated %.0f %%", row[LOSS_D], row[LOSS_G],
             100 * row[LOSS_ACCURACY_REAL], 100 * row[LOSS_ACCURACY_GENERATED]);
}

trainer gan_trainer(gan *g)
{
    const checkpoint_networks networks = {
        .generator = g->generator, .discriminator = g->discriminator, .average = g->average};
    return (trainer){
        .name = "train gan",
        .batch_key = "gan.batch",
        .rate_keys = "gan.lr_g and gan.lr_d",
        .networks = networks,
        .weights = networks,
        .model = g,
        .step = &g->step,
        .update = update,
        .batch = g->o.batch,
        .images = g->images,
        .flag = g->flag,
        .metrics = g->metrics,
        .rows = GAN_METRIC_ROWS,
        .stride = LOSS_COLUMNS,
        .columns = columns,
        .rates = {{"lr_g", &g->generator->adam.lr, g->o.lr_g}, {"lr_d", &g->discriminator->adam.lr, g->o.lr_d}},
        .decay = g->o.decay,
        .describe = describe};
}

status gan_train(context *c, gan *g, const gan_data *data, const gan_run *run)
{
    const trainer of = gan_trainer(g);
    return training_go(c, &of, data, run, NULL);
}
