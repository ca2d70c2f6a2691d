/* The encoder as the training loop takes it. */
#include "nets/encoder_train.h"
#include <stdio.h>

static status update(context *c, void *model)
{
    return autoencoder_step(c, ((encoder_model *)model)->a);
}

/* Adds up the losses of batches first … first + count − 1, which lie in rows 0 … */
static status collect(context *c, const encoder_model *m, int64_t first, int count, double *sum)
{
    float rows[ENCODER_METRIC_ROWS];
    const int64_t batch = m->a->o.batch;
    status s = buffer_read(c, m->a->metrics, 0, rows, sizeof rows);
    for (int i = 0; i < count && !s; i++) {
        int64_t left = m->count - (first + i) * batch;
        *sum += (double)rows[i] * (double)(left < batch ? left : batch);
    }
    return s;
}

static status validate(context *c, void *model, double *loss)
{
    const encoder_model *m = model;
    const int64_t batch = m->a->o.batch, batches = (m->count + batch - 1) / batch;
    const size_t image = (size_t)m->a->encoder->shape.image * m->a->encoder->shape.image * sizeof(float);
    double sum = 0;
    status s = STATUS_OK;
    for (int64_t i = 0; i < batches && !s; i++) {
        int64_t left = m->count - i * batch;
        int n = (int)(left < batch ? left : batch), row = (int)(i % ENCODER_METRIC_ROWS);
        if (m->validation) s = buffer_copy(c, m->validation, i * batch * image, m->a->images, 0, n * image);
        if (!s) s = autoencoder_validate(c, m->a, n, (uint32_t)i, row);
        if (!s && (row == ENCODER_METRIC_ROWS - 1 || i == batches - 1)) s = collect(c, m, i - row, row + 1, &sum);
    }
    *loss = sum / (double)m->count;
    return s;
}

static const training_column columns[] = {{"loss", 0}, {0}};

static void describe(const float *row, char *text, size_t size)
{
    snprintf(text, size, "loss %.4g", row[0]);
}

trainer encoder_trainer(encoder_model *m)
{
    autoencoder *a = m->a;
    const checkpoint_networks weights = {.generator = a->generator, .encoder = a->encoder};
    checkpoint_networks networks = weights;
    networks.discriminator = a->discriminator;
    return (trainer){.name = "train encoder",
                     .batch_key = "encoder.batch",
                     .rate_keys = "encoder.lr",
                     .networks = networks,
                     .weights = weights,
                     .model = m,
                     .step = &a->step,
                     .update = update,
                     .batch = a->o.batch,
                     .images = a->o.loss == ENCODER_Z ? NULL : a->images,
                     .flag = a->flag,
                     .metrics = a->metrics,
                     .rows = ENCODER_METRIC_ROWS,
                     .stride = 1,
                     .columns = columns,
                     .rates = {{"lr", &a->encoder->adam.lr, a->encoder->adam.lr}},
                     .describe = describe,
                     .validate = validate};
}
