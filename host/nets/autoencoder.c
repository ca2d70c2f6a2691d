/* One step of the encoder's training, its validation, and its use. */
#include "nets/autoencoder.h"
#include "base/memory.h"
#include "base/rng.h"
#include "ops/loss.h"
#include "ops/random.h"

status encoder_options_read(context *c, const config *cfg, encoder_options *o)
{
    *o = (encoder_options){.loss = (encoder_loss)config_choice(cfg, "encoder.loss"),
                           .batch = (int)config_integer(cfg, "encoder.batch"),
                           .micro_batch = (int)config_integer(cfg, "encoder.micro_batch"),
                           .lr = config_real(cfg, "encoder.lr"),
                           .beta1 = config_real(cfg, "gan.beta1"),
                           .beta2 = config_real(cfg, "gan.beta2"),
                           .epsilon = config_real(cfg, "gan.epsilon"),
                           .seed = (uint64_t)config_integer(cfg, "run.seed")};
    if (o->beta1 >= 1.0 || o->beta2 >= 1.0)
        return context_fail(c, STATUS_USAGE, "gan.beta1 and gan.beta2 must be below 1");
    return STATUS_OK;
}

/* ---- making one */

/* Floats of a sample: an image, a code. */
static int pixels_of(const autoencoder *a)
{
    return a->encoder->shape.image * a->encoder->shape.image;
}

static int code_of(const autoencoder *a)
{
    return layout_channels(a->encoder->shape.latent);
}

static status make_networks(context *c, autoencoder *a, const network_shape *shape)
{
    status s = network_new(c, a->device, NETWORK_ENCODER, shape, &a->one, true, &a->encoder);
    if (!s) s = network_new(c, a->device, NETWORK_GENERATOR, shape, &a->one, false, &a->generator);
    if (!s && a->o.loss == ENCODER_LATENT)
        s = network_new(c, a->device, NETWORK_DISCRIMINATOR, shape, &a->one, false, &a->discriminator);
    if (s) return s;
    a->encoder->adam.lr = a->o.lr;
    a->encoder->adam.beta1 = a->o.beta1;
    a->encoder->adam.beta2 = a->o.beta2;
    a->encoder->adam.epsilon = a->o.epsilon;
    return STATUS_OK;
}

static status make_buffers(context *c, autoencoder *a)
{
    device *d = a->device;
    int pixels = pixels_of(a), code = code_of(a), features = a->discriminator ? network_features(a->discriminator) : 0;
    int widest = features > code ? features : code, compared = pixels > widest ? pixels : widest;
    size_t sample = (size_t)a->o.batch * sizeof(float);
    status s = buffer_new(c, d, "batch of images", sample * pixels, &a->images);
    if (!s && a->o.loss == ENCODER_Z) s = buffer_new(c, d, "latents", sample * code, &a->latents);
    if (!s && features) s = buffer_new(c, d, "features of the images", sample * features, &a->features);
    if (!s) s = buffer_new(c, d, "gradient of the codes or features", sample * widest, &a->dout);
    if (!s) s = buffer_new(c, d, "gradient of the images", sample * pixels, &a->dimages);
    if (!s)
        s = buffer_new(c, d, "partial sums of the loss", loss_squared_scratch_bytes(a->o.batch, compared), &a->scratch);
    if (!s) s = buffer_new(c, d, "metrics", ENCODER_METRIC_ROWS * sizeof(float), &a->metrics);
    if (!s) s = buffer_zero(c, a->metrics);
    if (!s) s = buffer_new(c, d, "finite flag", sizeof(int32_t), &a->flag);
    return s ? s : buffer_zero(c, a->flag);
}

status autoencoder_new(context *c, device *d, const encoder_options *o, const network_shape *shape, autoencoder **out)
{
    autoencoder *a = NULL;
    *out = NULL;
    status s = memory_new(c, "autoencoder", 1, sizeof *a, &a);
    if (s) return s;
    a->o = *o;
    a->device = d;
    a->one = (batching){.n = o->batch, .segment = o->batch, .micro = o->micro_batch};
    s = make_networks(c, a, shape);
    if (!s) s = make_buffers(c, a);
    if (s)
        autoencoder_delete(&a);
    else
        *out = a;
    return s;
}

void autoencoder_delete(autoencoder **pointer)
{
    autoencoder *a = *pointer;
    if (!a) return;
    buffer **buffers[] = {&a->images,  &a->latents, &a->features, &a->dout,
                          &a->dimages, &a->scratch, &a->metrics,  &a->flag};
    for (int i = 0; i < 8; i++) buffer_delete(buffers[i]);
    network_delete(&a->generator);
    network_delete(&a->discriminator);
    network_delete(&a->encoder);
    memory_delete(pointer);
}

status autoencoder_initialise(context *c, autoencoder *a, initialisation how)
{
    return parameters_initialise(c, a->encoder, a->o.seed, how);
}

/* E: forward and two backward. G and D: forward and back to their input, D also forward on the images themselves; with
 * loss z G only makes the images. */
double autoencoder_step_flops(const encoder_options *o, const network_shape *s)
{
    double e = network_flops(NETWORK_ENCODER, s), g = network_flops(NETWORK_GENERATOR, s),
           d = network_flops(NETWORK_DISCRIMINATOR, s);
    if (o->loss == ENCODER_Z) return o->batch * (3 * e + g);
    return o->batch * (3 * e + 2 * g + (o->loss == ENCODER_LATENT ? 3 * d : 0));
}

/* ---- the loss and its gradient */

/* What the encoder's result is compared with: z and, as the images to encode, G(z); or TD(x). Nothing with pixels. */
static status make_target(context *c, autoencoder *a, const batching *b, enum rng_stream stream, uint32_t draw)
{
    int latent = a->encoder->shape.latent;
    buffer *made = NULL;
    if (a->o.loss == ENCODER_PIXEL) return STATUS_OK;
    if (a->o.loss == ENCODER_LATENT) {
        status s = network_forward_features(c, a->discriminator, PASS_FROZEN, b, a->images, &made);
        size_t bytes = (size_t)b->n * network_features(a->discriminator) * sizeof(float);
        return s ? s : buffer_copy(c, made, 0, a->features, 0, bytes);
    }
    status s = random_normals(c, a->device, a->o.seed, stream, draw, 0, b->n, latent, layout_channels(latent), 1.0f,
                              a->latents);
    if (!s) s = network_forward(c, a->generator, PASS_FROZEN, b, a->latents, &made);
    return s ? s : buffer_copy(c, made, 0, a->images, 0, (size_t)b->n * pixels_of(a) * sizeof(float));
}

/* The loss of these codes into metrics[row]; with `gradient` that of what is compared: codes or features into dout,
 * pixels into dimages. */
static status compare(context *c, autoencoder *a, const batching *b, buffer *codes, bool gradient, int row)
{
    buffer *images = NULL, *features = NULL, *dout = gradient ? a->dout : NULL;
    if (a->o.loss == ENCODER_Z)
        return loss_squared(c, a->device, b->n, code_of(a), codes, a->latents, a->scratch, dout, a->metrics, row);
    status s = network_forward(c, a->generator, PASS_FROZEN, b, codes, &images);
    if (s) return s;
    if (a->o.loss == ENCODER_PIXEL)
        return loss_squared(c, a->device, b->n, pixels_of(a), images, a->images, a->scratch,
                            gradient ? a->dimages : NULL, a->metrics, row);
    s = network_forward_features(c, a->discriminator, PASS_FROZEN, b, images, &features);
    return s ? s
             : loss_squared(c, a->device, b->n, network_features(a->discriminator), features, a->features, a->scratch,
                            dout, a->metrics, row);
}

/* From the gradient that compare left to that of the codes, in dout. */
static status back_to_codes(context *c, autoencoder *a, buffer *codes)
{
    status s = STATUS_OK;
    if (a->o.loss == ENCODER_Z) return s;
    if (a->o.loss == ENCODER_LATENT)
        s = network_backward(c, a->discriminator, &a->one, a->generator->layers[a->generator->count - 1].after, a->dout,
                             false, a->dimages);
    return s ? s : network_backward(c, a->generator, &a->one, codes, a->dimages, false, a->dout);
}

status autoencoder_step(context *c, autoencoder *a)
{
    buffer *codes = NULL;
    status s = make_target(c, a, &a->one, RNG_ENCODER, (uint32_t)a->step);
    if (!s) s = network_forward(c, a->encoder, PASS_TRAIN, &a->one, a->images, &codes);
    if (!s) s = network_update_running(c, a->encoder, &a->one);
    if (!s) s = compare(c, a, &a->one, codes, true, (int)(a->step % ENCODER_METRIC_ROWS));
    if (!s) s = back_to_codes(c, a, codes);
    if (!s) s = network_backward(c, a->encoder, &a->one, a->images, a->dout, true, NULL);
    if (!s) s = network_update(c, a->encoder, a->flag);
    if (s) return context_prefix(c, s, "encoder step %lld", (long long)a->step + 1);
    a->step++;
    return STATUS_OK;
}

/* ---- without training */

static status part_of_batch(context *c, const autoencoder *a, int n, batching *b)
{
    if (n < 1 || n > a->o.batch)
        return context_fail(c, STATUS_USAGE, "encoder: %d images of a batch of %d", n, a->o.batch);
    *b = (batching){.n = n, .segment = n, .micro = a->o.micro_batch};
    return STATUS_OK;
}

status autoencoder_validate(context *c, autoencoder *a, int n, uint32_t draw, int row)
{
    batching b;
    buffer *codes = NULL;
    status s = part_of_batch(c, a, n, &b);
    if (!s && (row < 0 || row >= ENCODER_METRIC_ROWS))
        s = context_fail(c, STATUS_USAGE, "encoder: row %d of %d metrics", row, ENCODER_METRIC_ROWS);
    if (!s) s = make_target(c, a, &b, RNG_VALIDATE, draw);
    if (!s) s = network_forward(c, a->encoder, PASS_FROZEN, &b, a->images, &codes);
    if (!s) s = compare(c, a, &b, codes, false, row);
    return context_prefix(c, s, "validation of the encoder");
}

status autoencoder_infer(context *c, autoencoder *a, int n, buffer **latents, buffer **images)
{
    batching b;
    status s = part_of_batch(c, a, n, &b);
    if (!s) s = network_forward(c, a->encoder, PASS_FROZEN, &b, a->images, latents);
    if (!s) s = network_forward(c, a->generator, PASS_FROZEN, &b, *latents, images);
    return context_prefix(c, s, "inference");
}
