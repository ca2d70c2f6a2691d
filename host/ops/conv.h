/* Convolution of any square kernel, stride and padding, and the transposed convolution, which is the same three kernels
 * seen from the other side.
 *
 * Two sides: x [n][h][w][ci] and y [n][oh][ow][co], joined by weights W [ky][kx][ci][co] (channels padded as layout.h):
 *   forward           y[o] = bias + Σ_{ky,kx,ci} x[o·stride − pad + (ky,kx)][ci] W[ky][kx][ci]
 *                     x → y, a convolution
 *   backward data     x[i] = bias + Σ_{ky,kx,co} y[(i + pad − (ky,kx)) / stride][co] W[ky][kx][·][co]
 *                     y → x, a transposed convolution; whole quotients only
 *   backward weights  dW[ky][kx][ci][co] = Σ_{micro-batches, tree} Σ_{samples, oy, ox} x[…][ci] y[…][co]
 * A transposed convolution takes y as its input, x as its output, and its gradient with respect to the weights is
 * backward weights with x = gradient of the output, y = input. oh = ⌊(h + 2 pad − kernel)/stride⌋ + 1 for a
 * convolution; h = (oh − 1) stride − 2 pad + kernel + output padding for a transposed one: conv_plan_new checks that
 * they fit (0 ≤ output padding < stride).
 *
 * Sums: forward and backward data add over (ky, kx, channel) in this order with fma from zero, then the bias; where the
 * output has one channel, 16 partial sums over channels ≡ l mod 16 in the order (ky, kx, block of 16), then the tree of
 * lanes (l, l+8), (l, l+4), (l, l+2), (l, l+1), then the bias. The order follows from the geometry alone. Where the
 * algorithm is Winograd's, forward and backward data add in the order of kernels/winograd.h instead. Where it is
 * CLBlast's, its library decides on the order, by device and size: outside the guarantee of one result. Micro-batches
 * do not matter there: the gradients of all samples are added up in order of the samples. */
#ifndef OPS_CONV_H
#define OPS_CONV_H

#include <stdbool.h>
#include "device/kernel.h"
#include "ops/activation.h"
#include "ops/layout.h"

typedef enum {
    CONV_AUTO,     /* the fastest that covers the shape */
    CONV_DIRECT,   /* as above; covers every shape */
    CONV_WINOGRAD, /* 5 × 5, stride 2, padding 2, more than one channel on both sides */
    CONV_CLBLAST   /* columns (im2col) and CLBlast's GEMM; covers every shape; only where asked for */
} conv_algorithm;

typedef struct {
    int h, w, ci;   /* x side; unpadded channel counts */
    int oh, ow, co; /* y side */
    int kernel, stride, pad;
    conv_algorithm algorithm; /* the direct one where another does not cover the shape */
} conv_shape;

/* The algorithm that a shape gets: never CONV_AUTO. It follows from the shape alone, and the results with it. */
conv_algorithm conv_algorithm_of(const conv_shape *s);

/* What happens to an output (the bias included) before it is written: y = f(y), or with `slope` y = y f′(of), f′ from
 * an output `of` of f, as activation.h has them. ACTIVATION_NONE: nothing. */
typedef struct {
    activation f;
    float leak;
    bool slope;
} conv_end;

typedef struct {
    conv_end forward, backward; /* of forward and of backward data */
} conv_ends;

typedef struct conv_plan conv_plan;

/* Kernels, packed weights and scratch for batches of up to max_samples in at most max_micro_batches. STATUS_USAGE when
 * the geometry does not fit. Plans that are only used one way say so and save memory. ends NULL: nothing happens to
 * the outputs. CONV_PACK_EACH: of weights that are packed anew for each use, nothing is kept. */
enum { CONV_FORWARD = 1, CONV_BACKWARD_DATA = 2, CONV_BACKWARD_WEIGHTS = 4, CONV_PACK_EACH = 8 };
status conv_plan_new(context *c, device *d, const conv_shape *s, int directions, int max_samples, int max_micro_batches,
                     const conv_ends *ends, conv_plan **out);
void conv_plan_delete(conv_plan **p);

/* Floats in W (padded), and the offset of (ky, kx, ci, co). */
size_t conv_weight_count(const conv_shape *s);
size_t conv_weight_index(const conv_shape *s, int ky, int kx, int ci, int co);

/* Packs W for the kernels of the plan's directions: to be called after every change of the weights, which must stay
 * until then. */
status conv_pack(context *c, conv_plan *p, buffer *weights);
/* bias may be NULL; of as the output but not in it, NULL unless the end is a slope; n ≤ max_samples. */
status conv_forward(context *c, conv_plan *p, int n, buffer *x, buffer *bias, buffer *of, buffer *y);
status conv_backward_data(context *c, conv_plan *p, int n, buffer *y, buffer *bias, buffer *of, buffer *x);
status conv_backward_weights(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw);

#endif
