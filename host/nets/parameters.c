/* Parameters between the arenas and PyTorch's order, and their first values. */
#include "nets/parameters.h"
#include "base/memory.h"
#include "base/rng.h"
#include "ops/fingerprint.h"
#include "ops/random.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void add(parameter *list, int *count, const layer *l, int number, parameter_part part, int rank,
                const uint64_t *shape)
{
    static const char *const suffix[] = {"weight",          "bias", "norm.weight", "norm.bias", "norm.running_mean",
                                         "norm.running_var"};
    parameter *p = &list[(*count)++];
    *p = (parameter){.rank = rank, .layer = number, .part = part, .elements = 1};
    snprintf(p->name, sizeof p->name, "%s.%s", l->name, suffix[part]);
    for (int i = 0; i < rank; i++) {
        p->shape[i] = shape[i];
        p->elements *= shape[i];
    }
}

/* Unpadded inputs and outputs of a dense layer, as PyTorch counts them. */
static uint64_t dense_inputs(const layer *l)
{
    return (uint64_t)l->in_pixels * l->in_channels;
}
static uint64_t dense_outputs(const layer *l)
{
    return (uint64_t)l->out_pixels * l->out_channels;
}

int parameters_list(const network *n, parameter list[PARAMETERS])
{
    int count = 0;
    for (int i = 0; i < n->count; i++) {
        const layer *l = &n->layers[i];
        uint64_t channels = l->out_channels, k = l->conv.kernel;
        uint64_t dense[2] = {dense_outputs(l), dense_inputs(l)};
        uint64_t conv[4] = {l->conv.co, l->conv.ci, k, k}; /* co is the input of a transposed convolution */
        add(list, &count, l, i, PART_WEIGHT, l->kind == LAYER_DENSE ? 2 : 4, l->kind == LAYER_DENSE ? dense : conv);
        if (l->bias.count) add(list, &count, l, i, PART_BIAS, 1, l->kind == LAYER_DENSE ? dense : &channels);
        if (l->gamma.count) add(list, &count, l, i, PART_GAMMA, 1, &channels);
        if (l->beta.count) add(list, &count, l, i, PART_BETA, 1, &channels);
        if (l->norm.kind == NORM_BATCH) {
            add(list, &count, l, i, PART_RUNNING_MEAN, 1, &channels);
            add(list, &count, l, i, PART_RUNNING_VAR, 1, &channels);
        }
    }
    return count;
}

/* Place of number i of a flattened (channel, y, x) side in the padded (y, x, channel) order. */
static size_t flat_place(uint64_t i, int pixels, int channels)
{
    return (i % pixels) * layout_channels(channels) + i / pixels;
}

/* Place of element e (in PyTorch's order) within its tensor of the arena. */
static size_t place(const network *n, const parameter *p, size_t e)
{
    const layer *l = &n->layers[p->layer];
    if (p->part == PART_WEIGHT && l->kind == LAYER_DENSE) {
        uint64_t inputs = p->shape[1];
        size_t row = flat_place(e % inputs, l->in_pixels, l->in_channels);
        size_t column = flat_place(e / inputs, l->out_pixels, l->out_channels);
        return row * layout_channels(l->dense.out) + column;
    }
    if (p->part == PART_WEIGHT) {
        size_t k = l->conv.kernel, tap = e % (k * k), pair = e / (k * k);
        return conv_weight_index(&l->conv, (int)(tap / k), (int)(tap % k), (int)(pair % p->shape[1]),
                                 (int)(pair / p->shape[1]));
    }
    if (p->part == PART_BIAS && l->kind == LAYER_DENSE) return flat_place(e, l->out_pixels, l->out_channels);
    return e;
}

static const tensor *tensor_of(const network *n, const parameter *p)
{
    const layer *l = &n->layers[p->layer];
    const tensor *tensors[] = {&l->weight, &l->bias, &l->gamma, &l->beta};
    return tensors[p->part];
}

/* Between the arena and PyTorch's order. A place is a sum of what the first index and what the others say, and first
 * indices are neighbours in the arena: a line of it at a time. */
static void reorder(const network *n, const parameter *p, float *host, float *ordered, bool put)
{
    enum { LINE = 16 };
    const size_t first = p->shape[0], others = p->elements / first;
    float *base = host + tensor_of(n, p)->offset;
    for (size_t a = 0; a < first; a += LINE) {
        const size_t count = first - a < LINE ? first - a : LINE;
        size_t start[LINE];
        for (size_t i = 0; i < count; i++) start[i] = place(n, p, (a + i) * others);
        for (size_t j = 0; j < others; j++) {
            float *at = base + place(n, p, j), *in_order = ordered + a * others + j;
            for (size_t i = 0; i < count; i++)
                if (put)
                    at[start[i]] = in_order[i * others];
                else
                    in_order[i * others] = at[start[i]];
        }
    }
}

void parameter_take(const network *n, const parameter *p, const float *host, float *out)
{
    reorder(n, p, (float *)host, out, false);
}

void parameter_put(const network *n, const parameter *p, float *host, const float *in)
{
    reorder(n, p, host, (float *)in, true);
}

static buffer *arena_buffer(network *n, arena a)
{
    buffer *arenas[] = {n->value, n->gradient, n->m, n->v};
    return arenas[a];
}

status parameters_download(context *c, network *n, arena a, float **host)
{
    status s = memory_new(c, "host copy of the parameters", n->parameters, sizeof(float), host);
    if (!s) s = buffer_read(c, arena_buffer(n, a), 0, *host, n->parameters * sizeof(float));
    if (s) memory_delete(host);
    return s;
}

status parameters_upload(context *c, network *n, arena a, const float *host)
{
    return buffer_write(c, arena_buffer(n, a), 0, host, n->parameters * sizeof(float));
}

static buffer *running_buffer(network *n, const parameter *p)
{
    layer *l = &n->layers[p->layer];
    return p->part == PART_RUNNING_MEAN ? l->running_mean : l->running_var;
}

status parameter_read_running(context *c, network *n, const parameter *p, float *out)
{
    return buffer_read(c, running_buffer(n, p), 0, out, p->elements * sizeof(float));
}

status parameter_write_running(context *c, network *n, const parameter *p, const float *in)
{
    return buffer_write(c, running_buffer(n, p), 0, in, p->elements * sizeof(float));
}

/* Inputs that one output sums over, as PyTorch counts them (a transposed convolution: output channels × kernel²). */
static double fan_in(const layer *l)
{
    return l->kind == LAYER_DENSE ? (double)dense_inputs(l) : (double)l->conv.ci * l->conv.kernel * l->conv.kernel;
}

/* Normals come from the device, whose arithmetic is the same everywhere (the host's logarithm is not). */
static status draw_normals(context *c, network *n, uint64_t seed, uint32_t sub, double sigma, size_t count, float *out)
{
    buffer *b = NULL;
    status s = buffer_new(c, n->device, "initial weights", count * sizeof(float), &b);
    if (!s) s = random_normals(c, n->device, seed, RNG_INIT, sub, 0, 1, (int)count, (int)count, (float)sigma, b);
    if (!s) s = buffer_read(c, b, 0, out, count * sizeof(float));
    buffer_delete(&b);
    return s;
}

static void draw_uniform(uint64_t seed, uint32_t sub, double bound, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = (float)(bound * (2.0 * rng_uniform(seed, RNG_INIT, i, sub) - 1.0));
}

static status first_values(context *c, network *n, const parameter *p, uint64_t seed, initialisation how, uint32_t sub,
                           float *out)
{
    const layer *l = &n->layers[p->layer];
    bool last = p->layer == n->count - 1;
    if (p->part == PART_WEIGHT && how == INIT_DCGAN) return draw_normals(c, n, seed, sub, 0.02, p->elements, out);
    if (p->part == PART_WEIGHT && how == INIT_HE) {
        double fan = fan_in(l);
        if (l->kind == LAYER_TRANSPOSED) fan = (double)l->conv.co * l->conv.kernel * l->conv.kernel / 4.0;
        return draw_normals(c, n, seed, sub, sqrt(2.0 / fan) * (last ? 0.1 : 1.0), p->elements, out);
    }
    status s = STATUS_OK;
    if (how == INIT_PYTORCH && (p->part == PART_WEIGHT || p->part == PART_BIAS))
        draw_uniform(seed, sub, 1.0 / sqrt(fan_in(l)), p->elements, out);
    else if (p->part == PART_GAMMA && how == INIT_DCGAN)
        s = draw_normals(c, n, seed, sub, 0.02, p->elements, out);
    else
        memset(out, 0, p->elements * sizeof *out);
    if (p->part == PART_GAMMA)
        for (size_t i = 0; i < p->elements; i++) out[i] += 1.0f;
    return s;
}

status parameters_initialise(context *c, network *n, uint64_t seed, initialisation how)
{
    parameter list[PARAMETERS];
    int count = parameters_list(n, list);
    float *host = NULL, *values = NULL;
    status s = memory_new(c, "initial weights", n->parameters, sizeof *host, &host);
    for (int i = 0; i < count && !s; i++) {
        if (!parameter_is_trained(&list[i])) continue;
        s = memory_new(c, "initial weights", list[i].elements, sizeof *values, &values);
        if (!s) s = first_values(c, n, &list[i], seed, how, (uint32_t)(n->kind * 256 + i), values);
        if (!s) parameter_put(n, &list[i], host, values);
        memory_delete(&values);
    }
    if (!s) s = parameters_upload(c, n, ARENA_VALUE, host);
    if (!s) s = network_pack(c, n);
    memory_delete(&host);
    return s;
}

/* Numbers of the floats as if every tensor were aligned to 512 bytes, as nearly all devices do; neighbours whose places
 * are equally far from that go in one launch. */
status parameters_fingerprint(context *c, network *n, buffer *out, int row)
{
    enum { ALIGNED = 512 / sizeof(float) };
    const uint32_t base = (uint32_t)n->kind << 30;
    size_t from = 0, number = 0,
           next = 0; /* of the launch under way: its place, its number; number of the next tensor */
    status s = STATUS_OK;
    for (int i = 0; i < n->count && !s; i++) {
        const tensor *tensors[] = {&n->layers[i].weight, &n->layers[i].bias, &n->layers[i].gamma, &n->layers[i].beta};
        for (int t = 0; t < 4 && !s; t++) {
            const size_t place = tensors[t]->offset;
            if (place - from != next - number) {
                s = fingerprint_add(c, n->device, n->value, from, next - number, base + (uint32_t)number, out, row);
                from = place, number = next;
            }
            next += (tensors[t]->count + ALIGNED - 1) / ALIGNED * ALIGNED;
        }
    }
    return s ? s : fingerprint_add(c, n->device, n->value, from, next - number, base + (uint32_t)number, out, row);
}
