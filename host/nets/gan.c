/* One step of the GAN. */
#include "nets/gan.h"
#include "base/memory.h"
#include "base/rng.h"
#include "ops/random.h"

status gan_options_read(context *c, const config *cfg, gan_options *o)
{
    *o = (gan_options){.loss = (gan_loss)config_choice(cfg, "gan.loss"),
                       .update = (gan_update)config_choice(cfg, "gan.update"),
                       .label_noise = (float)config_real(cfg, "gan.label_noise"),
                       .batch = (int)config_integer(cfg, "gan.batch"),
                       .micro_batch = (int)config_integer(cfg, "gan.micro_batch"),
                       .lr_g = config_real(cfg, "gan.lr_g"),
                       .lr_d = config_real(cfg, "gan.lr_d"),
                       .decay = config_real(cfg, "gan.decay"),
                       .beta1 = config_real(cfg, "gan.beta1"),
                       .beta2 = config_real(cfg, "gan.beta2"),
                       .epsilon = config_real(cfg, "gan.epsilon"),
                       .average = (float)config_real(cfg, "gan.average"),
                       .seed = (uint64_t)config_integer(cfg, "run.seed")};
    if (o->beta1 >= 1.0 || o->beta2 >= 1.0)
        return context_fail(c, STATUS_USAGE, "gan.beta1 and gan.beta2 must be below 1");
    return STATUS_OK;
}

static void batchings(const gan_options *o, batching *both, batching *one)
{
    *both = (batching){.n = 2 * o->batch, .segment = o->batch, .micro = o->micro_batch};
    *one = (batching){.n = o->batch, .segment = o->batch, .micro = o->micro_batch};
}

static void set_adam(const gan_options *o, network *n, double lr)
{
    n->adam.lr = lr;
    n->adam.beta1 = o->beta1;
    n->adam.beta2 = o->beta2;
    n->adam.epsilon = o->epsilon;
}

static status make_buffers(context *c, gan *g)
{
    const gan_options *o = &g->o;
    size_t image = (size_t)g->generator->shape.image * g->generator->shape.image * sizeof(float);
    size_t latent = layout_channels(g->generator->shape.latent) * sizeof(float), batch = (size_t)o->batch;
    status s = buffer_new(c, g->device, "batch of images", 2 * batch * image, &g->images);
    g->copied = batch * image % buffer_alignment(g->device) != 0;
    if (!s)
        s = g->copied ? buffer_new(c, g->device, "generated images", batch * image, &g->generated)
                      : buffer_view(c, g->images, batch * image, batch * image, &g->generated);
    if (!s) s = buffer_new(c, g->device, "latents", batch * latent, &g->latents);
    if (!s) s = buffer_new(c, g->device, "gradient of the logits", 2 * batch * sizeof(float), &g->dlogits);
    if (!s) s = buffer_new(c, g->device, "gradient of the images", batch * image, &g->dimages);
    if (!s) s = buffer_new(c, g->device, "metrics", GAN_METRIC_ROWS * LOSS_COLUMNS * sizeof(float), &g->metrics);
    if (!s) s = buffer_zero(c, g->metrics);
    if (!s) s = buffer_new(c, g->device, "finite flag", sizeof(int32_t), &g->flag);
    if (!s) s = buffer_zero(c, g->flag);
    if (!s && o->average > 0) s = network_average_new(c, g->generator, o->average, &g->average);
    return s;
}

status gan_new(context *c, device *d, const gan_options *o, const network_shape *shape, gan **out)
{
    gan *g = NULL;
    *out = NULL;
    status s = memory_new(c, "GAN", 1, sizeof *g, &g);
    if (s) return s;
    g->o = *o;
    g->device = d;
    batchings(o, &g->both, &g->one);
    s = network_new(c, d, NETWORK_GENERATOR, shape, &g->one, true, &g->generator);
    if (!s) s = network_new(c, d, NETWORK_DISCRIMINATOR, shape, &g->both, true, &g->discriminator);
    if (!s) s = make_buffers(c, g);
    if (s) {
        gan_delete(&g);
        return s;
    }
    set_adam(o, g->generator, o->lr_g);
    set_adam(o, g->discriminator, o->lr_d);
    *out = g;
    return STATUS_OK;
}

void gan_delete(gan **pointer)
{
    gan *g = *pointer;
    if (!g) return;
    buffer **buffers[] = {&g->generated, &g->images, &g->latents, &g->dlogits, &g->dimages, &g->metrics, &g->flag};
    for (int i = 0; i < 7; i++) buffer_delete(buffers[i]);
    network_average_delete(&g->average);
    network_delete(&g->generator);
    network_delete(&g->discriminator);
    memory_delete(pointer);
}

status gan_initialise(context *c, gan *g, initialisation how)
{
    status s = parameters_initialise(c, g->generator, g->o.seed, how);
    if (!s) s = parameters_initialise(c, g->discriminator, g->o.seed, how);
    if (!s && g->average) s = network_average_reset(c, g->generator, g->average);
    return s;
}

double gan_step_flops(const gan_options *o, const network_shape *s)
{
    double g = network_flops(NETWORK_GENERATOR, s), d = network_flops(NETWORK_DISCRIMINATOR, s);
    return o->batch *
           (3 * g + 8 * d); /* G: forward, two backward; D: the same on twice the batch, then forward and back */
}

status gan_draw_latents(context *c, gan *g, int draw)
{
    int latent = g->generator->shape.latent;
    return random_normals(c, g->device, g->o.seed, RNG_LATENT, (uint32_t)(2 * g->step + draw), 0, g->o.batch, latent,
                          layout_channels(latent), 1.0f, g->latents);
}

static status generate(context *c, gan *g)
{
    buffer *images = NULL;
    status s = network_forward(c, g->generator, PASS_TRAIN, &g->one, g->latents, &images);
    if (!s) s = network_update_running(c, g->generator, &g->one);
    if (!s) s = buffer_copy(c, images, 0, g->generated, 0, buffer_bytes(g->generated));
    if (!s && g->copied)
        s = buffer_copy(c, g->generated, 0, g->images, buffer_bytes(g->generated), buffer_bytes(g->generated));
    return s;
}

static int metrics_row(const gan *g)
{
    return (int)(g->step % GAN_METRIC_ROWS);
}

/* Gradients of the discriminator on real and generated images. */
static status discriminator_gradients(context *c, gan *g)
{
    buffer *logits = NULL;
    status s = network_forward(c, g->discriminator, PASS_TRAIN, &g->both, g->images, &logits);
    if (!s) s = network_update_running(c, g->discriminator, &g->both);
    if (!s)
        s = loss_discriminator(c, g->device, g->o.batch, g->o.label_noise, g->o.seed, (uint64_t)g->step, logits,
                               g->dlogits, g->metrics, metrics_row(g));
    if (!s) s = network_backward(c, g->discriminator, &g->both, g->images, g->dlogits, true, NULL);
    return context_prefix(c, s, "discriminator");
}

/* Gradients of the generator through the discriminator as it stands. */
static status generator_gradients(context *c, gan *g)
{
    buffer *logits = NULL;
    status s = network_forward(c, g->discriminator, PASS_TRAIN, &g->one, g->generated, &logits);
    if (!s)
        s = loss_generator(c, g->device, g->o.batch, g->o.loss == LOSS_MINIMAX, logits, g->dlogits, g->metrics,
                           metrics_row(g));
    if (!s) s = network_backward(c, g->discriminator, &g->one, g->generated, g->dlogits, false, g->dimages);
    if (!s) s = network_backward(c, g->generator, &g->one, g->latents, g->dimages, true, NULL);
    return context_prefix(c, s, "generator");
}

status gan_step(context *c, gan *g)
{
    status s = generate(c, g);
    if (g->o.update == UPDATE_SIMULTANEOUS) {
        /* G's gradients first: the pass through D for them would overwrite D's normalisation gradients. */
        if (!s) s = generator_gradients(c, g);
        if (!s) s = discriminator_gradients(c, g);
        if (!s) s = network_update(c, g->discriminator, g->flag);
    } else {
        if (!s) s = discriminator_gradients(c, g);
        if (!s) s = network_update(c, g->discriminator, g->flag);
        if (!s && g->o.update == UPDATE_FRESH_Z) {
            s = gan_draw_latents(c, g, 1);
            if (!s) s = generate(c, g);
        }
        if (!s) s = generator_gradients(c, g);
    }
    if (!s) s = network_update(c, g->generator, g->flag);
    if (!s && g->average) s = network_average_update(c, g->generator, g->average);
    if (s) return context_prefix(c, s, "GAN step %lld", (long long)g->step + 1);
    g->step++;
    return STATUS_OK;
}
