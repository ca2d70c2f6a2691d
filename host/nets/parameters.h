/* The parameters of a network as PyTorch has them: names, shapes and axis order, for checkpoints, exchange and tests.
 *
 * Names: LAYER.weight, LAYER.bias, LAYER.norm.weight, LAYER.norm.bias, LAYER.norm.running_mean, LAYER.norm.running_var,
 * with LAYER = dense, conv.0, conv.1, … A layer with normalisation has no bias of its own. Shapes: dense [out, in],
 * convolution [out, in, ky, kx], transposed convolution [in, out, ky, kx]; the flattened side of a dense layer runs
 * (channel, y, x). */
#ifndef NETS_PARAMETERS_H
#define NETS_PARAMETERS_H

#include "nets/network.h"

typedef enum { PART_WEIGHT, PART_BIAS, PART_GAMMA, PART_BETA, PART_RUNNING_MEAN, PART_RUNNING_VAR } parameter_part;
enum { PARAMETERS = NETWORK_LAYERS * 4 };

typedef struct {
    char name[NETWORK_NAME + 24];
    int rank;
    uint64_t shape[4];
    size_t elements;
    int layer;
    parameter_part part; /* running statistics have no gradient and no moments */
} parameter;

/* Fills `list` in layer order and returns their number. */
int parameters_list(const network *n, parameter list[PARAMETERS]);

/* Which arena. */
typedef enum { ARENA_VALUE, ARENA_GRADIENT, ARENA_M, ARENA_V } arena;
static inline bool parameter_is_trained(const parameter *p)
{
    return p->part < PART_RUNNING_MEAN;
}

/* The whole arena as the host sees it: floats in the device's layout (memory_delete). */
status parameters_download(context *c, network *n, arena a, float **host);
status parameters_upload(context *c, network *n, arena a, const float *host);
/* Between a host copy of an arena and one tensor in PyTorch's order (elements floats). */
void parameter_take(const network *n, const parameter *p, const float *host, float *out);
void parameter_put(const network *n, const parameter *p, float *host, const float *in);
/* Running statistics live in buffers of their own. */
status parameter_read_running(context *c, network *n, const parameter *p, float *out);
status parameter_write_running(context *c, network *n, const parameter *p, const float *in);

/* Row `row` of out (uint32 [rows][2]) += the fingerprint (ops/fingerprint.h) of all trained parameters: the same for
 * equal parameters on every device, however it aligns tensors. Queues only. */
status parameters_fingerprint(context *c, network *n, buffer *out, int row);

/* Initial weights from (seed, RNG_INIT): `dcgan` N(0, .02) with gamma N(1, .02); `he` N(0, √(2/fan in)) with the last
 * layer at a tenth of it; `pytorch` uniform in ±1/√(fan in), biases too. Index as in the table of options
 * (network.init). Packs. */
typedef enum { INIT_DCGAN, INIT_HE, INIT_PYTORCH } initialisation;
status parameters_initialise(context *c, network *n, uint64_t seed, initialisation how);

#endif
