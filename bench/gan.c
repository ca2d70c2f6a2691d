/* The training step of the GAN and its layers. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/bench.h"
#include "nets/gan.h"
#include "ops/random.h"

typedef struct {
    gan *g;
    layer *l;
    network *n;
    int direction, samples;
    batching b;
    buffer *x, *y;
} subject;

int bench_image_side(const config *cfg)
{
    int64_t crop = config_integer(cfg, "dataset.crop"), pixels = config_integer(cfg, "maps.pixels");
    if (!pixels) pixels = config_integer(cfg, "simulate.particles") / 2;
    return (int)(crop ? crop : pixels / 2);
}

static status new_gan(bench *b, gan **g)
{
    gan_options o;
    network_shape s;
    status e = gan_options_read(b->c, b->cfg, &o);
    if (!e) e = network_shape_read(b->c, b->cfg, bench_image_side(b->cfg), &s);
    if (!e) e = gan_new(b->c, b->d, &o, &s, g);
    if (!e) e = gan_initialise(b->c, *g, (initialisation)config_choice(b->cfg, "network.init"));
    if (!e)
        e = random_normals(b->c, b->d, 1, 1, 0, 0, o.batch, s.image * s.image, s.image * s.image, 0.3f, (*g)->images);
    return e;
}

static status step_once(context *c, void *user)
{
    gan *g = user;
    status s = gan_draw_latents(c, g, 0);
    if (!s) s = gan_step(c, g);
    return s ? s : device_finish(c, g->device);
}

status bench_gan_step(bench *b)
{
    gan *g = NULL;
    status s = new_gan(b, &g);
    if (!s) {
        bench_item item = {.name = "gan-step",
                           .once = step_once,
                           .user = g,
                           .samples = g->o.batch,
                           .flops = gan_step_flops(&g->o, &g->generator->shape),
                           .validated = true,
                           .max_error = NAN};
        s = bench_measure(b, &item);
    }
    gan_delete(&g);
    return s;
}

static status layer_once(context *c, void *user)
{
    subject *t = user;
    layer *l = t->l;
    status s;
    if (t->direction == CONV_FORWARD)
        s = conv_forward(c, l->conv_plan, t->samples, t->x, NULL, t->y, t->y);
    else if (t->direction == CONV_BACKWARD_DATA)
        s = conv_backward_data(c, l->conv_plan, t->samples, t->y, NULL, t->x, t->x);
    else
        s = conv_backward_weights(c, l->conv_plan, &t->b, t->x, t->y, l->weight.gradient);
    return s ? s : device_finish(c, t->n->device);
}

static status measure_layer(bench *b, network *n, layer *l, const batching *of)
{
    static const struct {
        int direction;
        const char *name;
    } directions[] = {
        {CONV_FORWARD, "forward"}, {CONV_BACKWARD_DATA, "backward data"}, {CONV_BACKWARD_WEIGHTS, "backward weights"}};
    subject t = {.l = l, .n = n, .samples = of->n, .b = *of};
    const conv_shape *s = &l->conv;
    size_t x = (size_t)of->n * s->h * s->w * layout_channels(s->ci),
           y = (size_t)of->n * s->oh * s->ow * layout_channels(s->co);
    status e = buffer_new(b->c, b->d, "x", x * sizeof(float), &t.x);
    if (!e) e = buffer_new(b->c, b->d, "y", y * sizeof(float), &t.y);
    if (!e) e = buffer_fill_float(b->c, t.x, 0, x * sizeof(float), 0.5f);
    if (!e) e = buffer_fill_float(b->c, t.y, 0, y * sizeof(float), 0.25f);
    for (int i = 0; i < 3 && !e; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s %s %dx%dx%d-%d %s",
                 n->kind == NETWORK_GENERATOR ? "generator" : "discriminator", l->name, s->h, s->w, s->ci, s->co,
                 directions[i].name);
        t.direction = directions[i].direction;
        bench_item item = {.name = name,
                           .once = layer_once,
                           .user = &t,
                           .samples = of->n,
                           .validated = true,
                           .max_error = NAN,
                           .flops = 2.0 * of->n * s->oh * s->ow * s->kernel * s->kernel * (double)s->ci * s->co};
        e = bench_measure(b, &item);
    }
    buffer_delete(&t.x);
    buffer_delete(&t.y);
    return e;
}

status bench_layers(bench *b)
{
    gan *g = NULL;
    status s = new_gan(b, &g);
    network *networks[2] = {s ? NULL : g->generator, s ? NULL : g->discriminator};
    for (int i = 0; i < 2 && !s; i++)
        for (int j = 0; j < networks[i]->count && !s; j++)
            if (networks[i]->layers[j].conv_plan) s = measure_layer(b, networks[i], &networks[i]->layers[j], &g->one);
    gan_delete(&g);
    return s;
}
