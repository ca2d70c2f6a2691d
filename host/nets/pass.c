/* Running networks: forward, backward, update. Every call only queues work. */
#include "nets/network.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

status network_pack(context *c, network *n)
{
    status s = STATUS_OK;
    for (int i = 0; i < n->count && !s; i++)
        if (n->layers[i].conv_plan) s = conv_pack(c, n->layers[i].conv_plan, n->layers[i].weight.value);
    return s;
}

static size_t output_count(const layer *l, int n)
{
    return (size_t)n * l->out_pixels * layout_channels(l->out_channels);
}

/* The linear part of a layer: out = bias + W · in. */
static status linear_forward(context *c, layer *l, int n, buffer *in, buffer *out)
{
    buffer *bias = l->bias.value;
    switch (l->kind) {
    case LAYER_DENSE:
        return dense_forward(c, l->dense_plan, n, in, l->weight.value, bias, out);
    case LAYER_CONV:
        return conv_forward(c, l->conv_plan, n, in, bias, NULL, out);
    default:
        return conv_backward_data(c, l->conv_plan, n, in, bias, NULL, out);
    }
}

/* in: the output of the layer before, whose slope din is multiplied by where the two are joined (network.h). */
static status linear_backward_data(context *c, layer *l, int n, buffer *dout, buffer *in, buffer *din)
{
    switch (l->kind) {
    case LAYER_DENSE:
        return dense_backward_data(c, l->dense_plan, n, dout, l->weight.value, din);
    case LAYER_CONV:
        return conv_backward_data(c, l->conv_plan, n, dout, NULL, in, din);
    default:
        return conv_forward(c, l->conv_plan, n, dout, NULL, in, din);
    }
}

static status linear_backward_weights(context *c, layer *l, const batching *b, buffer *in, buffer *dout)
{
    switch (l->kind) {
    case LAYER_DENSE:
        return dense_backward_weights(c, l->dense_plan, b, in, dout, l->weight.gradient);
    case LAYER_CONV:
        return conv_backward_weights(c, l->conv_plan, b, in, dout, l->weight.gradient);
    default:
        return conv_backward_weights(c, l->conv_plan, b, dout, in, l->weight.gradient);
    }
}

static status forward_layer(context *c, network *n, layer *l, pass_mode mode, const batching *b, buffer *in)
{
    bool norm = l->norm.kind != NORM_NONE;
    status s = linear_forward(c, l, b->n, in, norm ? l->before : l->after);
    if (s) return s;
    if (!norm) {
        if (l->activated || l->norm.f == ACTIVATION_NONE) return STATUS_OK;
        return activation_forward(c, n->device, l->norm.f, l->norm.leak, output_count(l, b->n), l->after, l->after);
    }
    if (mode == PASS_FROZEN && l->norm.kind == NORM_BATCH)
        return norm_forward_frozen(c, n->device, &l->norm, b->n, l->before, l->gamma.value, l->beta.value,
                                   l->running_mean, l->running_var, l->after);
    return norm_forward(c, n->device, &l->norm, b, l->before, l->gamma.value, l->beta.value, l->mean, l->rstd,
                        n->scratch, l->after);
}

static status forward(context *c, network *n, int layers, pass_mode mode, const batching *b, buffer *input,
                      buffer **output)
{
    buffer *in = input;
    n->mode = mode;
    n->passed = layers;
    for (int i = 0; i < layers; i++) {
        status s = forward_layer(c, n, &n->layers[i], mode, b, in);
        if (s) return context_prefix(c, s, "layer %s, forward", n->layers[i].name);
        in = n->layers[i].after;
    }
    *output = in;
    return STATUS_OK;
}

status network_forward(context *c, network *n, pass_mode mode, const batching *b, buffer *input, buffer **output)
{
    return forward(c, n, n->count, mode, b, input, output);
}

status network_forward_features(context *c, network *n, pass_mode mode, const batching *b, buffer *input,
                                buffer **features)
{
    return forward(c, n, n->count - 1, mode, b, input, features);
}

int network_features(const network *n)
{
    return (int)output_count(&n->layers[n->count - 2], 1);
}

/* Through the activation and the normalisation or bias of a layer: the gradient of the linear part's output, in place.
 * sloped: dy has the slope of the activation already, and is dx. */
static status backward_pointwise(context *c, network *n, layer *l, const batching *b, buffer *dy, buffer *dx,
                                 bool sloped, bool weights)
{
    if (l->norm.kind == NORM_BATCH && n->mode == PASS_FROZEN) {
        if (weights)
            return context_fail(
                c, STATUS_USAGE,
                "a pass with running statistics has no gradients of the parameters of its normalisation");
        return norm_backward_frozen(c, n->device, &l->norm, b->n, l->after, dy, l->gamma.value, l->running_var, dx);
    }
    if (l->norm.kind != NORM_NONE)
        return norm_backward(c, n->device, &l->norm, b, l->before, l->after, dy, l->gamma.value, l->beta.value, l->mean,
                             l->rstd, n->scratch, dx, l->gamma.gradient, l->beta.gradient);
    status s = STATUS_OK;
    if (!sloped)
        s = activation_backward(c, n->device, l->norm.f, l->norm.leak, output_count(l, b->n), l->after, dy, dx);
    if (s || !weights) return s;
    if (l->kind == LAYER_DENSE)
        return bias_backward(c, n->device, b, 1, l->out_pixels * layout_channels(l->out_channels), dx, n->scratch,
                             l->bias.gradient);
    return bias_backward(c, n->device, b, l->out_pixels, layout_channels(l->out_channels), dx, n->scratch,
                         l->bias.gradient);
}

status network_backward(context *c, network *n, const batching *b, buffer *input, buffer *doutput, bool weights,
                        buffer *dinput)
{
    buffer *dy = doutput, *gradients[2];
    status s = network_gradients(c, n, b->n, gradients);
    for (int i = n->passed - 1; i >= 0 && !s; i--) {
        layer *l = &n->layers[i];
        buffer *in = i ? n->layers[i - 1].after : input;
        buffer *dx = gradients[i & 1];
        s = backward_pointwise(c, n, l, b, dy, dx, l->sloped && i < n->passed - 1, weights);
        if (!s && weights) s = linear_backward_weights(c, l, b, in, dx);
        buffer *din = i ? gradients[(i & 1) ^ 1] : dinput;
        if (!s && din) s = linear_backward_data(c, l, b->n, dx, in, din);
        if (s) return context_prefix(c, s, "layer %s, backward", l->name);
        dy = din;
    }
    return s;
}

status network_update_running(context *c, network *n, const batching *b)
{
    status s = STATUS_OK;
    for (int i = 0; i < n->count && !s; i++) {
        layer *l = &n->layers[i];
        if (l->norm.kind == NORM_BATCH)
            s = norm_running_update(c, n->device, &l->norm, b, 0.1f, l->mean, l->rstd, l->running_mean, l->running_var);
    }
    return s;
}

/* Whether the gradient of this update is to be falsified (network.h). */
static bool poisoned(const network *n)
{
    static bool once;
    const char *text = getenv("COSMOCL_INJECT_NAN");
    char *end = NULL;
    if (!text || n->kind == NETWORK_DISCRIMINATOR || strtoll(text, &end, 10) != n->adam.step + 1) return false;
    if (strcmp(end, ":once")) return true;
    const bool first = !once;
    once = true;
    return first;
}

status network_update(context *c, network *n, buffer *flag)
{
    status s = poisoned(n) ? buffer_fill_float(c, n->gradient, 0, sizeof(float), NAN) : STATUS_OK;
    if (!s) s = adam_step(c, n->device, &n->adam, n->parameters, n->value, n->gradient, n->m, n->v, flag);
    return s ? s : network_pack(c, n);
}
