/* The encoder's training step, with each loss. */
#include <math.h>
#include "bench/bench.h"
#include "nets/autoencoder.h"
#include "ops/random.h"

static status new_autoencoder(bench *b, encoder_loss loss, autoencoder **a)
{
    encoder_options o;
    network_shape s;
    initialisation how = (initialisation)config_choice(b->cfg, "network.init");
    status e = encoder_options_read(b->c, b->cfg, &o);
    o.loss = loss;
    if (!e) e = network_shape_read(b->c, b->cfg, bench_image_side(b->cfg), &s);
    if (!e) e = autoencoder_new(b->c, b->d, &o, &s, a);
    if (!e) e = autoencoder_initialise(b->c, *a, how);
    if (!e) e = parameters_initialise(b->c, (*a)->generator, o.seed, how);
    if (!e && (*a)->discriminator) e = parameters_initialise(b->c, (*a)->discriminator, o.seed, how);
    if (!e)
        e = random_normals(b->c, b->d, 1, 1, 0, 0, o.batch, s.image * s.image, s.image * s.image, 0.3f, (*a)->images);
    return e;
}

static status step_once(context *c, void *user)
{
    autoencoder *a = user;
    status s = autoencoder_step(c, a);
    return s ? s : device_finish(c, a->device);
}

status bench_encoder_step(bench *b)
{
    static const char *const names[] = {"encoder-step latent", "encoder-step pixel", "encoder-step z"};
    status s = STATUS_OK;
    for (int loss = ENCODER_LATENT; loss <= ENCODER_Z && !s; loss++) {
        autoencoder *a = NULL;
        s = new_autoencoder(b, (encoder_loss)loss, &a);
        if (!s) {
            bench_item item = {.name = names[loss],
                               .once = step_once,
                               .user = a,
                               .samples = a->o.batch,
                               .flops = autoencoder_step_flops(&a->o, &a->encoder->shape),
                               .validated = true,
                               .max_error = NAN};
            s = bench_measure(b, &item);
        }
        autoencoder_delete(&a);
    }
    return s;
}
