/* Moving averages of networks. */
#include "nets/average.h"
#include "base/memory.h"

static size_t channels_of(const network *n, int i)
{
    return (size_t)layout_channels(n->layers[i].out_channels);
}

status network_average_new(context *c, const network *n, float decay, network_average **out)
{
    network_average *a = NULL;
    *out = NULL;
    status s = memory_new(c, "moving average", 1, sizeof *a, &a);
    if (s) return s;
    a->decay = decay;
    s = buffer_new(c, n->device, "average of the parameters", n->parameters * sizeof(float), &a->value);
    for (int i = 0; i < n->count && !s; i++) {
        if (n->layers[i].norm.kind != NORM_BATCH) continue;
        size_t bytes = channels_of(n, i) * sizeof(float);
        s = buffer_new(c, n->device, "average of the running means", bytes, &a->running_mean[i]);
        if (!s) s = buffer_new(c, n->device, "average of the running variances", bytes, &a->running_var[i]);
    }
    if (!s) s = network_average_reset(c, n, a);
    if (s)
        network_average_delete(&a);
    else
        *out = a;
    return s;
}

void network_average_delete(network_average **pointer)
{
    network_average *a = *pointer;
    if (!a) return;
    buffer_delete(&a->value);
    for (int i = 0; i < NETWORK_LAYERS; i++) {
        buffer_delete(&a->running_mean[i]);
        buffer_delete(&a->running_var[i]);
    }
    memory_delete(pointer);
}

status network_average_reset(context *c, const network *n, network_average *a)
{
    status s = buffer_copy(c, n->value, 0, a->value, 0, n->parameters * sizeof(float));
    for (int i = 0; i < n->count && !s; i++) {
        const layer *l = &n->layers[i];
        size_t bytes = channels_of(n, i) * sizeof(float);
        if (!a->running_mean[i]) continue;
        s = buffer_copy(c, l->running_mean, 0, a->running_mean[i], 0, bytes);
        if (!s) s = buffer_copy(c, l->running_var, 0, a->running_var[i], 0, bytes);
    }
    return s;
}

status network_average_update(context *c, const network *n, network_average *a)
{
    status s = adam_average(c, n->device, n->parameters, a->decay, n->value, a->value);
    for (int i = 0; i < n->count && !s; i++) {
        const layer *l = &n->layers[i];
        if (!a->running_mean[i]) continue;
        s = adam_average(c, n->device, channels_of(n, i), a->decay, l->running_mean, a->running_mean[i]);
        if (!s) s = adam_average(c, n->device, channels_of(n, i), a->decay, l->running_var, a->running_var[i]);
    }
    return s;
}
