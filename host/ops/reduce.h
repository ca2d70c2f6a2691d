/* Images reduced to statistics on a device (spec section 5): density histogram, mean density, power spectrum by rings,
 * peaks by density, and Minkowski functionals. Images are float32 [n][side][side], linear densities of any finite
 * value.
 *
 * Bins are [e_i, e_i+1), the last closed, and agree with comparisons of the float32 pixel with the float64 edges.
 * Counts and means are the same on every device; spectra go through ops/fft.h (or, for sides with other factors than 2,
 * 3 and 5, or odd, a plain transform in kernels/spectrum.cl) and agree to about 1e-6 of the image's total power.
 *
 * Each image is scaled by a power of two and freed of its mean before the transform, so that densities near the largest
 * float neither overflow nor drown the rings in the rounding of the DC mode. Oracle: ops/ref/reduce_ref.h. */
#ifndef OPS_REDUCE_H
#define OPS_REDUCE_H

#include "device/kernel.h"

typedef struct reducer reducer;

typedef struct {
    int side; /* 2 … 4096 */
    /* Bins of pixels and peaks: bins + 1 edges (borrowed for reducer_new), positive, ascending. */
    const double *edges;
    int bins;
    /* A second set of bins for the pixels alone; NULL: none. */
    const double *coarse_edges;
    int coarse_bins;
} reduce_shape;

/* What the reductions fill, in host memory that the caller owns; any may be NULL. */
typedef struct {
    double *mean;            /* [n] */
    double *power;           /* [n][reducer_rings]: mean of |DFT|² over the ring ν = 1 … side/2, DFT unnormalised */
    uint64_t *pixel_counts;  /* [bins + 2], sum over the images: underflow, bins, overflow */
    uint32_t *coarse_counts; /* [n][coarse_bins + 2] */
    uint32_t *peak_counts;   /* [n][bins + 2]: peaks by their density */
    int32_t *minkowski;      /* [n][MINKOWSKI][bins + 1]: of the excursion sets v >= edge */
} reduce_result;

/* The Minkowski functionals of the set of pixels at or above an edge: its area in pixels; its perimeter, the edges
 * between a pixel in it and one that is not (the border of the image is no such edge: what lies beyond is unknown); the
 * Euler characteristic of the union of its closed pixels, components less holes where pixels that touch at a corner
 * are connected. */
enum { MINKOWSKI_AREA, MINKOWSKI_PERIMETER, MINKOWSKI_EULER, MINKOWSKI };

/* Buffers and plans for batches of images of one size. The device is borrowed and must outlive it. */
status reducer_new(context *c, device *d, const reduce_shape *s, reducer **out);
void reducer_delete(reducer **r);
/* side / 2 */
int reducer_rings(const reducer *r);

/* STATUS_DATA "map 3, pixel (y 17, x 4) is nan: …" where a value is not finite; *out is then undefined. */
status reduce_host_images(context *c, reducer *r, const float *images, int64_t n, const reduce_result *out);
status reduce_device_images(context *c, reducer *r, buffer *images, int64_t n, const reduce_result *out);
/* Of matched images a[i] and b[i]: what each set gives, and cross[n][reducer_rings], the mean of Re(DFT(a)* DFT(b))
 * over each ring. */
status reduce_host_pairs(context *c, reducer *r, const float *a, const float *b, int64_t n, const reduce_result *of_a,
                         const reduce_result *of_b, double *cross);

/* The integer whose order is that of the floats at or above the edge: a float32 v >= edge exactly when
 * reduce_key(v) >= reduce_threshold(edge). `above`: v > edge. */
int32_t reduce_key(float v);
int32_t reduce_threshold(double edge, bool above);
/* Ring of the mode (ky, kx), round √(ky² + kx²), in integers. */
int reduce_ring(int ky, int kx);

/* For tests, which show that it changes no count: the work-items that share an image from the next reducer on; 0: as
 * the device wants (1 on a CPU, 256 elsewhere). */
void reduce_items_set(int items);

#endif
