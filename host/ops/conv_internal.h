/* What the files of the convolution share: the plan, and packing one direction alone (dense layers pack when they run).
 */
#ifndef OPS_CONV_INTERNAL_H
#define OPS_CONV_INTERNAL_H

#include "device/workspace.h"
#include "ops/conv.h"
#include "ops/conv_blocks.h"
#include "ops/conv_tuning.h"
#include "ops/launch.h"

/* Of kernels/winograd.h: results of a tile along an axis, products, products times the phases that each has, and floats
 * between rows of the products' operands. */
enum { TILE = 4, PRODUCTS = 36, UNITS = 121, PADDING = 16 };

/* Which kernel of the direct algorithm makes a direction follows from the channels alone (one result on every device).
 */
typedef enum { CONV_GATHER, CONV_NARROW_OUT, CONV_NARROW_IN } conv_path;

/* Forward or backward data by kernels/winograd.h, in chunks of tiles. */
typedef struct {
    int tiles_y, tiles_x; /* of a sample */
    int rows, vectors;    /* of a tile of the products, or rows of a block */
    int row;              /* NR: columns that they are packed by */
    int lanes;            /* of a vector in the transforms */
    int chunk;            /* tiles of the image at a time, a multiple of rows */
    int columns;          /* of the widest product, in tiles or blocks */
    conv_block block;     /* of the products */
    kernel *windows, *products, *results;
    size_t v_bytes, m_bytes; /* of the workspace: windows and products of a chunk */
} conv_winograd;

/* Every direction by kernels/conv_columns.cl and CLBlast, in chunks of samples. */
typedef struct {
    int samples;                 /* of a chunk */
    size_t bytes, scratch_bytes; /* of the workspace: columns, and what CLBlast copies */
    kernel *of_images;
} conv_columns;

/* Forward or backward data. `in` and `out` are the kernel's input and output: x → y or y → x. */
typedef struct {
    bool backward;
    conv_path path;
    int h, w, in, out_h, out_w, out; /* padded channels */
    int rows, vectors, phases;       /* tile */
    int row;                         /* NR: columns that it is packed by */
    conv_block block;                /* of kernels/conv_gather.cl */
    conv_end end;
    conv_tiles tiles;
    kernel *run, *pack;
    size_t packed_bytes; /* 0: the weights are used as they are */
    buffer *packed;      /* NULL: too large to be kept, made in the workspace for each use */
    buffer *weights;     /* of the last packing; borrowed */
    conv_winograd winograd;
} conv_gather;

typedef struct {
    kernel *run, *tree;
    int lanes;                                     /* narrow kernels: lanes of the wide side */
    int rows, vectors, ci, co, taps, panel_floats; /* conv_weights.cl, winograd_weights.cl */
    int chunk, chunk_rows;                         /* samples and rows, or tiles */
    int tap_rows;                                  /* conv_weights_ci1 */
    size_t scratch_bytes, partial_bytes;           /* of the workspace; no partial gradients: 0 */
    /* conv_weights_blocks.cl, and for Winograd's products winograd_weights_blocks.cl. */
    conv_block block;                      /* of no columns: not by blocks */
    kernel *windows, *gradients, *taps_of; /* before and behind `run` */
    int micros, columns;                   /* micro-batches and channels of y at a time; `chunk`: tiles */
    size_t sums_bytes;                     /* of the workspace, of their sums */
} conv_weights;

struct conv_plan {
    device *d;
    conv_shape s;
    const struct algorithm *algorithm; /* a row of conv.c */
    int ci, co;                        /* padded */
    int directions, max_samples, max_micro;
    conv_tiles tiles; /* of the direction at work: conv.c sets it before each piece of work */
    conv_gather forward, backward;
    conv_weights weights;
    conv_columns columns;
    conv_tiles weights_tiles;
    buffer *zeros;
};

/* conv_plan_new with these tiles for every direction; NULL: those of the device's records. */
status conv_plan_make(context *c, device *d, const conv_shape *s, int directions, int max_samples,
                      int max_micro_batches, const conv_ends *ends, const conv_tiles *tiles, conv_plan **out);

/* Room for "-DKERNEL=5 …": what every kernel of the plan is told when it is built. */
enum { CONV_OPTIONS = 512 };

/* kernels/conv_sizes.h of a plan. */
#define CONV_SIZES(p)                                                                                                  \
    ARG_INT((p)->s.h), ARG_INT((p)->s.w), ARG_INT((p)->ci), ARG_INT((p)->s.oh), ARG_INT((p)->s.ow), ARG_INT((p)->co)

/* Whether all of Winograd's tiles lie inside the images (-DWHOLE). */
bool conv_winograd_whole(const conv_shape *s);

/* Options of kernels/conv_end.h; "" where nothing happens. */
const char *conv_end_options(const conv_end *end, char text[48]);

/* Packs W for one direction. */
status conv_pack_direction(context *c, conv_plan *p, conv_gather *g, buffer *weights);

/* The algorithms, rows of the registry in conv.c. `suits`: whether a shape that asks for this algorithm, or for any,
 * gets it; none: it covers every shape. `make` makes the kernels, the packed weights and the workspace of a direction,
 * whose sides and end are known. */
status conv_gather_new(context *c, conv_plan *p, conv_gather *g);
status conv_gather_pack(context *c, conv_plan *p, conv_gather *g, buffer *weights, buffer *packed);
status conv_gather_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *packed, buffer *bias,
                       buffer *of, buffer *out);

bool conv_winograd_suits(const conv_shape *s);
status conv_winograd_new(context *c, conv_plan *p, conv_gather *g);
status conv_winograd_pack(context *c, conv_plan *p, conv_gather *g, buffer *weights, buffer *packed);
status conv_winograd_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *packed, buffer *bias,
                         buffer *of, buffer *out);

bool conv_columns_suits(const conv_shape *s);
status conv_columns_new(context *c, conv_plan *p, conv_gather *g);
status conv_columns_run(context *c, conv_plan *p, conv_gather *g, int n, buffer *in, buffer *packed, buffer *bias,
                        buffer *of, buffer *out);
status conv_columns_weights_new(context *c, conv_plan *p);
status conv_columns_weights_run(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw);

/* Memory for `floats` of packed weights: small ones are kept from one use to the next, and of a device with little
 * memory few are small. */
status conv_packed_new(context *c, conv_plan *p, conv_gather *g, const char *label, size_t floats);

/* The direct algorithm's and Winograd's. */
status conv_weights_new(context *c, conv_plan *p);
status conv_weights_run(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw);

/* The same by blocks with panels in local memory. `conv_weights_blocks_new` says whether the plan has them: where the
 * tuning or the memory has no room for them its weights have no block. */
status conv_weights_blocks_new(context *c, conv_plan *p);
status conv_weights_blocks_run(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw);
/* dw = the tree over `parts` partial gradients. */
status conv_weights_tree(context *c, conv_plan *p, int parts, int lanes, buffer *partial, buffer *dw);

/* For the profile, of n samples: the products that its algorithm makes, and both images and the weights once. */
void conv_work(const conv_plan *p, int n);

/* Work-items of a work-group of a kernel whose first dimension is vectors of channels, `lanes` of them for each item of
 * the second, and its options: where they are few, some items go together. */
const char *conv_group_options(const conv_plan *p, int lanes, size_t local[3], char text[32]);

/* kernel_run with these work-groups, every dimension rounded up to whole ones. */
status conv_launch_groups(context *c, kernel *k, const size_t local[3], const size_t global[3], int count,
                          const kernel_argument *arguments);
/* The same with the plan's work-groups along the first dimension. */
status conv_launch(context *c, const conv_plan *p, kernel *k, const size_t global[3], int count,
                   const kernel_argument *arguments);

#endif
