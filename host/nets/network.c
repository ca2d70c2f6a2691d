/* Building networks: geometry of the layers, arenas, activations. */
#include "nets/network.h"
#include "base/memory.h"
#include <stdio.h>
#include <string.h>

status network_shape_read(context *c, const config *cfg, int image, network_shape *s)
{
    *s = (network_shape){.image = image,
                         .latent = (int)config_integer(cfg, "network.latent"),
                         .kernel = (int)config_integer(cfg, "network.kernel"),
                         .groups = (int)config_integer(cfg, "network.groups"),
                         .leak = (float)config_real(cfg, "network.leak"),
                         .norm = (norm_kind)config_choice(cfg, "network.norm"),
                         .algorithm = (conv_algorithm)config_choice(cfg, "network.algorithm")};
    const double *filters = config_list(cfg, "network.filters", &s->count);
    if (s->count < 1 || s->count > NETWORK_LAYERS - 1)
        return context_fail(c, STATUS_USAGE, "network.filters has %d layers; use 1 to %d", s->count,
                            NETWORK_LAYERS - 1);
    for (int i = 0; i < s->count; i++) {
        s->filters[i] = (int)filters[i];
        if (s->filters[i] < 2)
            return context_fail(c, STATUS_USAGE, "network.filters: a layer of %d filters; use at least 2",
                                s->filters[i]);
    }
    if (image < 1 << s->count || image % (1 << s->count))
        return context_fail(
            c, STATUS_USAGE,
            "images of %d² pixels cannot be halved %d times; use a crop that is a multiple of %d or fewer "
            "network.filters",
            image, s->count, 1 << s->count);
    if (s->norm == NORM_GROUP)
        for (int i = 0; i < s->count; i++)
            if (s->filters[i] % s->groups)
                return context_fail(c, STATUS_USAGE, "network.groups = %d does not divide the %d filters of a layer",
                                    s->groups, s->filters[i]);
    return STATUS_OK;
}

/* The convolution between sides of 2·small and small pixels. With an odd kernel pad = (kernel − 1)/2 halves exactly
 * (and doubles exactly, output padding 1); with an even one pad = kernel/2 − 1 does, with output padding 0. */
static conv_shape halving(const network_shape *s, int small, int ci, int co)
{
    return (conv_shape){.h = 2 * small,
                        .w = 2 * small,
                        .ci = ci,
                        .oh = small,
                        .ow = small,
                        .co = co,
                        .kernel = s->kernel,
                        .stride = 2,
                        .pad = (s->kernel - 1) / 2,
                        .algorithm = s->algorithm};
}

static layer *add_layer(network *n, layer_kind kind, int number)
{
    layer *l = &n->layers[n->count++];
    l->kind = kind;
    if (kind == LAYER_DENSE)
        snprintf(l->name, sizeof l->name, "dense");
    else
        snprintf(l->name, sizeof l->name, "conv.%d", number);
    return l;
}

static void finish_layer(const network *n, layer *l, bool normalised, activation f)
{
    l->norm = (norm_shape){.kind = normalised ? n->shape.norm : NORM_NONE,
                           .pixels = l->out_pixels,
                           .channels = l->out_channels,
                           .groups = n->shape.groups,
                           .epsilon = 1e-5f,
                           .f = f,
                           .leak = n->shape.leak};
}

/* Dense to (image / 2^layers)² pixels, then doublings; batch normalisation everywhere but behind the last layer. */
static void lay_generator(network *n)
{
    const network_shape *s = &n->shape;
    int side = s->image >> s->count, channels = s->filters[s->count - 1];
    layer *l = add_layer(n, LAYER_DENSE, 0);
    l->dense = (dense_shape){.in = s->latent, .out = side * side * layout_channels(channels)};
    l->in_pixels = 1, l->in_channels = s->latent;
    l->out_pixels = side * side, l->out_channels = channels;
    finish_layer(n, l, true, ACTIVATION_RELU);
    for (int i = 0; i < s->count; i++, side *= 2) {
        bool last = i == s->count - 1;
        int out = last ? 1 : s->filters[s->count - 2 - i];
        l = add_layer(n, LAYER_TRANSPOSED, i);
        l->conv = halving(s, side, out, channels);
        l->in_pixels = side * side, l->in_channels = channels;
        l->out_pixels = 4 * side * side, l->out_channels = out;
        finish_layer(n, l, !last, last ? ACTIVATION_TANH : ACTIVATION_RELU);
        channels = out;
    }
}

/* Halvings, then dense to one logit (or to the latent of an encoder); no normalisation in the first layer. */
static void lay_discriminator(network *n)
{
    const network_shape *s = &n->shape;
    int side = s->image, channels = 1;
    for (int i = 0; i < s->count; i++) {
        side /= 2;
        layer *l = add_layer(n, LAYER_CONV, i);
        l->conv = halving(s, side, channels, s->filters[i]);
        l->in_pixels = 4 * side * side, l->in_channels = channels;
        l->out_pixels = side * side, l->out_channels = s->filters[i];
        finish_layer(n, l, i > 0, ACTIVATION_LEAKY);
        channels = s->filters[i];
    }
    layer *l = add_layer(n, LAYER_DENSE, 0);
    int out = n->kind == NETWORK_ENCODER ? s->latent : 1;
    l->dense = (dense_shape){.in = side * side * layout_channels(channels), .out = out};
    l->in_pixels = side * side, l->in_channels = channels;
    l->out_pixels = 1, l->out_channels = out;
    finish_layer(n, l, false, ACTIVATION_NONE);
}

static void lay_out(network *n)
{
    if (n->kind == NETWORK_GENERATOR)
        lay_generator(n);
    else
        lay_discriminator(n);
}

static size_t weight_count(const layer *l)
{
    return l->kind == LAYER_DENSE ? dense_weight_count(&l->dense) : conv_weight_count(&l->conv);
}

/* Floats of a layer's output for one sample. */
static size_t output_floats(const layer *l)
{
    return (size_t)l->out_pixels * layout_channels(l->out_channels);
}

/* The bias of a generator's dense layer is per output number, every other one per channel. */
static size_t bias_count(const layer *l)
{
    return l->kind == LAYER_DENSE ? output_floats(l) : (size_t)layout_channels(l->out_channels);
}

/* Places the tensors in the arena, each aligned for a view of `floats` floats, and returns the arena's floats. */
static size_t place_tensors(network *n, size_t floats)
{
    size_t next = 0;
    for (int i = 0; i < n->count; i++) {
        layer *l = &n->layers[i];
        bool norm = l->norm.kind != NORM_NONE;
        size_t channels = (size_t)layout_channels(l->out_channels);
        tensor *tensors[] = {&l->weight, &l->bias, &l->gamma, &l->beta};
        const size_t counts[] = {weight_count(l), norm ? 0 : bias_count(l), norm ? channels : 0, norm ? channels : 0};
        for (int t = 0; t < 4; t++) {
            tensors[t]->offset = next;
            tensors[t]->count = counts[t];
            next += (counts[t] + floats - 1) / floats * floats;
        }
    }
    return next;
}

static size_t largest_scratch(const network *n, const batching *b)
{
    size_t most = 512;
    for (int i = 0; i < n->count; i++) {
        const layer *l = &n->layers[i];
        size_t bytes = l->norm.kind != NORM_NONE ? norm_scratch_bytes(&l->norm, b)
                       : l->kind == LAYER_DENSE  ? bias_scratch_bytes(b, (int)bias_count(l))
                                                 : bias_scratch_bytes(b, layout_channels(l->out_channels));
        if (bytes > most) most = bytes;
    }
    return most;
}

status network_gradients(context *c, network *n, int samples, buffer *gradients[2])
{
    size_t most[2] = {1, 1};
    for (int i = 0; i < n->count; i++) {
        const size_t floats = output_floats(&n->layers[i]) * (size_t)samples;
        if (floats > most[i & 1]) most[i & 1] = floats;
    }
    const status s = workspace_get(c, n->device, WORKSPACE_EVEN_GRADIENT, most[0] * sizeof(float), &gradients[0]);
    return s ? s : workspace_get(c, n->device, WORKSPACE_ODD_GRADIENT, most[1] * sizeof(float), &gradients[1]);
}

static status label_buffer(context *c, network *n, const char *what, const layer *l, size_t floats, buffer **out)
{
    static const char *const kinds[] = {"generator", "discriminator", "encoder"};
    char label[128];
    snprintf(label, sizeof label, "%s of %s%s%s", what, kinds[n->kind], l ? " " : "", l ? l->name : "");
    status s = buffer_new(c, n->device, label, floats * sizeof(float), out);
    return s ? s : buffer_zero(c, *out);
}

static status view_tensor(context *c, network *n, tensor *t)
{
    if (!t->count) return STATUS_OK;
    size_t at = t->offset * sizeof(float), bytes = t->count * sizeof(float);
    status s = buffer_view(c, n->value, at, bytes, &t->value);
    if (!s && n->gradient) s = buffer_view(c, n->gradient, at, bytes, &t->gradient);
    return s;
}

static status make_arenas(context *c, network *n, bool trainable)
{
    n->parameters = place_tensors(n, buffer_alignment(n->device) / sizeof(float));
    status s = label_buffer(c, n, "parameters", NULL, n->parameters, &n->value);
    if (!s && trainable) s = label_buffer(c, n, "gradients", NULL, n->parameters, &n->gradient);
    if (!s && trainable) s = label_buffer(c, n, "first moments", NULL, n->parameters, &n->m);
    if (!s && trainable) s = label_buffer(c, n, "second moments", NULL, n->parameters, &n->v);
    for (int i = 0; i < n->count && !s; i++) {
        layer *l = &n->layers[i];
        s = view_tensor(c, n, &l->weight);
        if (!s) s = view_tensor(c, n, &l->bias);
        if (!s) s = view_tensor(c, n, &l->gamma);
        if (!s) s = view_tensor(c, n, &l->beta);
    }
    return s;
}

/* Activations and their slopes are made with the convolutions next to them where no normalisation lies between; not of
 * one channel, which a convolution makes number by number, without vectors. */
static void join_activations(network *n)
{
    for (int i = 0; i < n->count; i++) {
        layer *l = &n->layers[i];
        const bool pointwise = l->norm.kind == NORM_NONE && l->norm.f != ACTIVATION_NONE;
        l->activated = pointwise && l->kind != LAYER_DENSE && l->out_channels > 1;
        l->sloped = pointwise && i + 1 < n->count && n->layers[i + 1].kind != LAYER_DENSE;
    }
}

static conv_ends ends_of(const network *n, const layer *l)
{
    const layer *before = l > n->layers ? l - 1 : NULL;
    conv_end there = {ACTIVATION_NONE}, back = {ACTIVATION_NONE};
    if (l->activated) there = (conv_end){l->norm.f, l->norm.leak, false};
    if (before && before->sloped) back = (conv_end){before->norm.f, before->norm.leak, true};
    return l->kind == LAYER_TRANSPOSED ? (conv_ends){back, there} : (conv_ends){there, back};
}

static status make_plan(context *c, network *n, layer *l, bool trainable)
{
    if (l->kind == LAYER_DENSE)
        return dense_plan_new(c, n->device, &l->dense, n->max_samples, n->max_micro_batches, &l->dense_plan);
    const conv_ends ends = ends_of(n, l);
    bool transposed = l->kind == LAYER_TRANSPOSED;
    int there = transposed ? CONV_BACKWARD_DATA : CONV_FORWARD, back = transposed ? CONV_FORWARD : CONV_BACKWARD_DATA;
    return conv_plan_new(c, n->device, &l->conv, there | back | (trainable ? CONV_BACKWARD_WEIGHTS : 0), n->max_samples,
                         n->max_micro_batches, &ends, &l->conv_plan);
}

static status make_layer(context *c, network *n, layer *l, const batching *largest, bool trainable)
{
    status s = make_plan(c, n, l, trainable);
    size_t floats = output_floats(l) * n->max_samples;
    if (!s) s = label_buffer(c, n, "output", l, floats, &l->after);
    if (s || l->norm.kind == NORM_NONE) return s;
    size_t statistics = norm_statistics_count(&l->norm, largest), channels = (size_t)layout_channels(l->out_channels);
    s = label_buffer(c, n, "convolution", l, floats, &l->before);
    if (!s) s = label_buffer(c, n, "means", l, statistics, &l->mean);
    if (!s) s = label_buffer(c, n, "scales", l, statistics, &l->rstd);
    if (!s) s = label_buffer(c, n, "running means", l, channels, &l->running_mean);
    if (!s) s = label_buffer(c, n, "running variances", l, channels, &l->running_var);
    if (!s) s = buffer_fill_float(c, l->running_var, 0, channels * sizeof(float), 1.0f);
    return s;
}

status network_new(context *c, device *d, network_kind kind, const network_shape *shape, const batching *largest,
                   bool trainable, network **out)
{
    network *n = NULL;
    *out = NULL;
    status s = memory_new(c, "network", 1, sizeof *n, &n);
    if (s) return s;
    n->kind = kind;
    n->shape = *shape;
    n->device = d;
    n->max_samples = largest->n;
    n->max_micro_batches = batching_count(largest);
    n->adam.beta1_power = n->adam.beta2_power = 1.0;
    lay_out(n);
    join_activations(n);
    s = make_arenas(c, n, trainable);
    for (int i = 0; i < n->count && !s; i++) s = make_layer(c, n, &n->layers[i], largest, trainable);
    buffer *gradients[2];
    if (!s) s = network_gradients(c, n, n->max_samples, gradients);
    if (!s) s = label_buffer(c, n, "scratch", NULL, largest_scratch(n, largest) / sizeof(float) + 1, &n->scratch);
    if (s)
        network_delete(&n);
    else
        *out = n;
    return s;
}

static void delete_layer(layer *l)
{
    tensor *tensors[] = {&l->weight, &l->bias, &l->gamma, &l->beta};
    for (int t = 0; t < 4; t++) {
        buffer_delete(&tensors[t]->value);
        buffer_delete(&tensors[t]->gradient);
    }
    buffer **buffers[] = {&l->running_mean, &l->running_var, &l->mean, &l->rstd, &l->before, &l->after};
    for (int i = 0; i < 6; i++) buffer_delete(buffers[i]);
    conv_plan_delete(&l->conv_plan);
    dense_plan_delete(&l->dense_plan);
}

void network_delete(network **pointer)
{
    network *n = *pointer;
    if (!n) return;
    for (int i = 0; i < n->count; i++) delete_layer(&n->layers[i]);
    buffer **buffers[] = {&n->value, &n->gradient, &n->m, &n->v, &n->scratch};
    for (int i = 0; i < 5; i++) buffer_delete(buffers[i]);
    memory_delete(pointer);
}

double network_flops(network_kind kind, const network_shape *s)
{
    network n = {.kind = kind, .shape = *s};
    lay_out(&n);
    double flops = 0;
    for (int i = 0; i < n.count; i++) {
        const layer *l = &n.layers[i];
        flops += l->kind == LAYER_DENSE ? 2.0 * l->dense.in * l->dense.out
                                        : 2.0 * l->conv.oh * l->conv.ow * l->conv.kernel * l->conv.kernel *
                                              (double)l->conv.ci * l->conv.co;
    }
    return flops;
}
