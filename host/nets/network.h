/* Networks of the three kinds that share one geometry (spec section 4): generator, discriminator and encoder.
 *
 * A network owns four arenas of the same layout (parameters, gradients, both moments of Adam), so Adam is one launch,
 * the running statistics of batch normalisation, and the activations of one pass. Tensors are parts of the arenas in
 * layer order. Inside, layouts are those of ops/layout.h; outside (checkpoints, tests) those of PyTorch: parameters.h.
 */
#ifndef NETS_NETWORK_H
#define NETS_NETWORK_H

#include <stdint.h>
#include "base/config.h"
#include "device/workspace.h"
#include "ops/adam.h"
#include "ops/conv.h"
#include "ops/dense.h"
#include "ops/norm.h"

typedef enum { NETWORK_GENERATOR, NETWORK_DISCRIMINATOR, NETWORK_ENCODER } network_kind;
enum { NETWORK_LAYERS = 12, NETWORK_NAME = 48 };

/* What all kinds share: images of `image`² pixels and one channel; `filters` in the discriminator's order, each
 * convolution halving the side; the generator mirrors it. */
typedef struct {
    int image, latent, count;
    int filters[NETWORK_LAYERS];
    int kernel, groups;
    float leak;
    norm_kind norm;
    conv_algorithm algorithm;
} network_shape;

/* From the section [network]; STATUS_USAGE when the image's side is not a multiple of 2^filters. */
status network_shape_read(context *c, const config *cfg, int image, network_shape *s);

typedef enum { LAYER_DENSE, LAYER_CONV, LAYER_TRANSPOSED } layer_kind;

/* A tensor of the arenas: floats from `offset`; 0 floats when the layer has none. */
typedef struct {
    size_t offset, count;
    buffer *value, *gradient; /* views */
} tensor;

typedef struct {
    char name[NETWORK_NAME]; /* "dense", "conv.0": PyTorch's prefix */
    layer_kind kind;
    dense_shape dense;
    conv_shape conv;
    dense_plan *dense_plan;
    conv_plan *conv_plan;
    int in_pixels, in_channels;   /* unpadded channels of the input */
    int out_pixels, out_channels; /* of the output */
    norm_shape norm;              /* kind NORM_NONE: a bias and the activation alone; its f and leak serve both */
    tensor weight, bias, gamma, beta;
    buffer *running_mean, *running_var;
    buffer *mean, *rstd; /* statistics of the pass */
    buffer *before;      /* before normalisation (NULL without one) */
    buffer *after;       /* output of the layer */
    bool activated;      /* its activation is the end of its own convolution, */
    bool sloped;         /* and that activation's slope the end of the next one's backward data */
} layer;

/* TRAIN: normalisation by the batch's statistics; FROZEN: by the running ones. */
typedef enum { PASS_TRAIN, PASS_FROZEN } pass_mode;

typedef struct {
    network_kind kind;
    network_shape shape;
    device *device; /* borrowed */
    int max_samples, max_micro_batches;
    int count;
    layer layers[NETWORK_LAYERS];
    size_t parameters; /* floats in an arena, alignment gaps (always zero) included */
    buffer *value, *gradient, *m, *v;
    adam_state adam;
    pass_mode mode; /* of the last forward pass, */
    int passed;     /* and the layers that it went through */
    buffer *scratch;
} network;

/* trainable: with gradients and moments; without them the network can run forward and backward data only. */
status network_new(context *c, device *d, network_kind kind, const network_shape *s, const batching *largest,
                   bool trainable, network **out);
void network_delete(network **n);
/* Multiply-adds × 2 of one sample's forward pass. */
double network_flops(network_kind kind, const network_shape *s);

/* Where the gradients of the outputs of even and of odd layers go on the way back: of the device's workspace. */
status network_gradients(context *c, network *n, int samples, buffer *gradients[2]);

/* Packs the weights for the kernels; after every change of `value`. */
status network_pack(context *c, network *n);

/* The output is the last layer's `after` (borrowed, until the next pass): images [n][image][image] of a generator,
 * logits [n] of a discriminator, codes [n][padded latent] of an encoder. The input is [n][padded latent] or
 * [n][image][image].
 */
status network_forward(context *c, network *n, pass_mode mode, const batching *b, buffer *input, buffer **output);
/* The same without the last layer: the features [n][pixels][padded channels] in front of the dense layer of a
 * discriminator, network_features floats a sample. */
status network_forward_features(context *c, network *n, pass_mode mode, const batching *b, buffer *input,
                                buffer **features);
int network_features(const network *n);
/* Backward of the last forward pass. doutput: gradient of its output. Gradients of the parameters are written when
 * `weights` is set, which a FROZEN pass through batch normalisation cannot; the gradient of the input goes to dinput
 * unless NULL, and dinput may be doutput. */
status network_backward(context *c, network *n, const batching *b, buffer *input, buffer *doutput, bool weights,
                        buffer *dinput);
/* Running statistics from the last forward pass (momentum 0.1). */
status network_update_running(context *c, network *n, const batching *b);
/* Adam on the arena, then network_pack. For tests, COSMOCL_INJECT_NAN=N makes the first element of the gradient of
 * update N NaN (of a generator or an encoder), whenever that update is done; N:once only the first time. */
status network_update(context *c, network *n, buffer *flag);

#endif
