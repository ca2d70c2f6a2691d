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
    int tiles_y, tiles_x; /* of a sample */
    int rows, vectors;    /* of a tile of the products */
    int chunk;            /* tiles of the image at a time, a multiple of rows */
    int columns;          /* of the widest product, in tiles */
    kernel *windows, *products, *results;
    size_t v_bytes, m_bytes; /* of the workspace: windows and products of a chunk */
} conv_winograd;

/* Forward or backward data. `in` and `out` are the kernel's input and output: x → y or y → x. */
typedef struct {
    bool backward;
    conv_path path;
    int h, w, in, out_h, out_w, out; /* padded channels */
    int rows, vectors, phases;       /* tile; NR = vectors × lanes */
    conv_end end;
    kernel *run, *pack; /* pack NULL: the weights are copied as they are */
    size_t packed_bytes;
    buffer *packed;  /* NULL: too large to be kept, made in the workspace for each use */
    buffer *weights; /* of the last packing; borrowed */
    conv_winograd winograd;
} conv_gather;

typedef struct {
    kernel *run, *tree;
    int lanes;                                     /* narrow kernels: lanes of the wide side */
    int rows, vectors, ci, co, taps, panel_floats; /* conv_weights.cl, winograd_weights.cl */
    int chunk, chunk_rows;                         /* samples and rows, or tiles */
    int tap_rows;                                  /* conv_weights_ci1 */
    size_t scratch_bytes, partial_bytes;           /* of the workspace; no partial gradients: 0 */
} conv_weights;

struct conv_plan {
    device *d;
    conv_shape s;
    int ci, co; /* padded */
    int directions, max_samples, max_micro;
    conv_tiles tiles;
    conv_gather forward, backward;
    conv_weights weights;
    buffer *zeros;
};

/* Room for "-DKERNEL=5 …": what every kernel of the plan is told when it is built. */
enum { CONV_OPTIONS = 512 };

/* kernels/conv_sizes.h of a plan. */
#define CONV_SIZES(p)                                                                                                  \
    ARG_INT((p)->s.h), ARG_INT((p)->s.w), ARG_INT((p)->ci), ARG_INT((p)->s.oh), ARG_INT((p)->s.ow), ARG_INT((p)->co)

/* Whether all of Winograd's tiles lie inside the images (-DWHOLE). */
bool conv_winograd_whole(const conv_shape *s);

/* Options of kernels/conv_end.h; "" where nothing happens. */
const char *conv_end_options(const conv_end *end, char text[48]);

status conv_gather_new(context *c, conv_plan *p, bool backward, const conv_end *end);
status conv_gather_pack(context *c, conv_plan *p, conv_gather *g, buffer *weights);
status conv_gather_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *bias, buffer *of,
                       buffer *out);
void conv_gather_delete(conv_gather *g);
/* Memory for `floats` of packed weights, kept or in the workspace. */
status conv_packed_new(context *c, conv_plan *p, conv_gather *g, const char *label, size_t floats);

status conv_winograd_new(context *c, conv_plan *p, conv_gather *g);
status conv_winograd_pack(context *c, conv_plan *p, conv_gather *g, buffer *weights, buffer *packed);
status conv_winograd_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *packed, buffer *bias,
                         buffer *of, buffer *out);

status conv_weights_new(context *c, conv_plan *p);
status conv_weights_run(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw);

/* For the profile, of n samples: the products that its algorithm makes, and both images and the weights once. */
void conv_work(const conv_plan *p, int n);

/* kernel_run with the plan's work-groups: the first dimension is rounded up to whole ones. */
status conv_launch(context *c, const conv_plan *p, kernel *k, const size_t global[3], int count,
                   const kernel_argument *arguments);

#endif
