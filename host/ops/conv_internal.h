/* What the files of the convolution share: the plan, and packing one direction alone (dense layers pack when they run).
 */
#ifndef OPS_CONV_INTERNAL_H
#define OPS_CONV_INTERNAL_H

#include "device/workspace.h"
#include "ops/conv.h"
#include "ops/conv_tuning.h"

static inline int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

/* Of kernels/winograd.h: results of a tile along an axis, products, and products times the phases that each has. */
enum { TILE = 4, PRODUCTS = 36, UNITS = 121 };

/* Which kernel makes a direction follows from the channels alone (one result on every device). */
typedef enum { CONV_GATHER, CONV_NARROW_OUT, CONV_NARROW_IN, CONV_FILTERED } conv_path;

/* Forward or backward data by kernels/winograd.h, in chunks of tiles. */
typedef struct {
    int tiles_y, tiles_x;               /* of a sample */
    int rows, vectors;                  /* of a tile of the products */
    int chunk;                          /* tiles of the image at a time, a multiple of rows */
    int columns;                        /* of the widest product, in tiles */
    int windows_groups, results_groups; /* vectors of channels per work-item */
    kernel *windows, *products, *results;
    size_t v_bytes, m_bytes; /* of the workspace: windows and products of a chunk */
} conv_winograd;

/* Forward or backward data. `in` and `out` are the kernel's input and output: x → y or y → x. */
typedef struct {
    bool backward;
    conv_path path;
    int h, w, in, out_h, out_w, out; /* padded channels */
    int rows, vectors, phases;       /* tile; NR = vectors × lanes */
    int columns;                     /* pixels per work-item of the narrow kernels */
    conv_end end;
    conv_tiles tiles;
    kernel *run, *pack; /* pack NULL: the weights are copied as they are */
    buffer *packed;
    conv_winograd winograd;
} conv_gather;

typedef struct {
    kernel *run, *tree;
    int lanes;       /* narrow kernels: lanes of the wide side */
    int chunk_tiles; /* winograd_weights.cl */
    int rows, vectors, ci, co, taps, chunk_rows, chunk_samples, panel_floats; /* conv_weights.cl */
    int tap_rows;                                                             /* conv_weights_ci1 */
    size_t scratch_bytes, partial_bytes; /* of the workspace; no partial gradients: 0 */
} conv_weights;

struct conv_plan {
    device *d;
    conv_shape s;
    int ci, co; /* padded */
    int directions, max_samples, max_micro;
    conv_tiles tiles; /* of the direction at work: conv.c and conv_gather.c set it before each piece of work */
    conv_gather forward, backward;
    conv_weights weights;
    conv_tiles weights_tiles;
    buffer *zeros;
};

/* conv_plan_new with these tiles for every direction; NULL: those of the device's records. */
status conv_plan_make(context *c, device *d, const conv_shape *s, int directions, int max_samples,
                      int max_micro_batches, const conv_ends *ends, const conv_tiles *tiles, conv_plan **out);

/* "-DKERNEL=5 …": what every kernel of the plan is told. */
enum { CONV_OPTIONS = 512 };

/* Options of kernels/conv_end.h; "" where nothing happens. */
const char *conv_end_options(const conv_end *end, char text[48]);

status conv_gather_new(context *c, conv_plan *p, bool backward, const conv_end *end);
status conv_gather_pack(context *c, conv_plan *p, conv_gather *g, buffer *weights);
status conv_gather_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *bias, buffer *of,
                       buffer *out);
void conv_gather_delete(conv_gather *g);

status conv_winograd_new(context *c, conv_plan *p, conv_gather *g);
status conv_winograd_pack(context *c, conv_plan *p, conv_gather *g, buffer *weights);
status conv_winograd_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *bias, buffer *of,
                         buffer *out);

status conv_weights_new(context *c, conv_plan *p);
status conv_weights_run(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw);

/* For the profile, of n samples: the products that its algorithm makes, and both images and the weights once. */
void conv_work(const conv_plan *p, int n);

/* kernel_run with the plan's work-groups: the first dimension is rounded up to whole ones. */
status conv_launch(context *c, const conv_plan *p, kernel *k, const size_t global[3], int count,
                   const kernel_argument *arguments);

#endif
