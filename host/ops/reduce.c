#include "ops/reduce.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "ops/fft.h"
#include "ops/launch.h"

enum {
    SIDE_MOST = 4096,
    BATCH_MOST = 64,
    BATCH_FLOATS = 1 << 22,
    ROW_FIELDS = 4,
    ELEMENTS = 4, /* pixels, edges, vertices, edges on the border */
    CELL_BITS = 17,
    CELLS = 0x7f800000 >> CELL_BITS
};

/* A set of bins on the device. */
typedef struct {
    int bins;
    buffer *thresholds, *starts; /* int32 [bins + 1], uint32 [CELLS + 1] */
} bin_set;

struct reducer {
    device *borrowed_device;
    int side, batch, rings;
    bin_set bins, coarse, levels; /* levels: the bins, but the last edge in the last level */
    fft_plan *plan;               /* NULL: the plain transform */
    kernel *rows, *centre, *histogram, *peaks, *levels_of, *minkowski, *ring_sums, *dft_rows, *dft_columns;
    size_t items; /* work-items per image in histogram and peaks */
    buffer *images, *centred, *half_planes, *other_planes, *scratch, *twiddles, *modes, *first, *sums, *row_sums,
        *parameters, *counts;
    buffer *levels_in; /* uint32 [batch][side][side] */
    /* Host sides of the small buffers. */
    int32_t *host_rows;     /* [batch][side][ROW_FIELDS] */
    float *host_parameters; /* [batch][2]: scale, shift */
    float *host_sums;       /* [batch][rings] */
    uint32_t *host_counts;  /* [batch][ELEMENTS][most bins + 2] */
    double *host_means;     /* [batch] */
    int *host_exponents;    /* [batch] */
    int *other_exponents;   /* [batch], with other_planes only for the cross spectra */
    double *ring_weights;   /* [rings]: modes in the whole plane */
};

static int forced_items;

void reduce_items_set(int items)
{
    forced_items = items;
}

static int32_t float_bits(float v)
{
    int32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static float float_of_bits(int32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

int32_t reduce_key(float v)
{
    const int32_t bits = float_bits(v);
    return bits < 0 ? -(bits & INT32_MAX) : bits;
}

int32_t reduce_threshold(double edge, bool above)
{
    /* Beyond all floats: no finite value has this key. */
    if (edge > 3.4028234663852886e38) return INT32_MAX;
    if (edge < -3.4028234663852886e38) return -INT32_MAX;
    const float nearest = (float)edge;
    int32_t k = reduce_key(nearest);
    if ((double)nearest < edge || (above && (double)nearest == edge)) k++;
    return k;
}

int reduce_ring(int ky, int kx)
{
    /* round √s = r exactly when r (r − 1) < s <= r (r + 1): √s is never half an odd number. */
    const int64_t s = (int64_t)ky * ky + (int64_t)kx * kx;
    int64_t r = (int64_t)sqrt((double)s);
    while (r * (r + 1) < s) r++;
    while (r > 0 && r * (r - 1) >= s) r--;
    return (int)r;
}

static status check_shape(context *c, const reduce_shape *s)
{
    if (s->side < 2 || s->side > SIDE_MOST) {
        return context_fail(c, STATUS_USAGE, "statistics of images of %d × %d pixels: sides from 2 to %d can be used",
                            s->side, s->side, SIDE_MOST);
    }
    const double *edges[] = {s->edges, s->coarse_edges};
    const int bins[] = {s->bins, s->coarse_edges ? s->coarse_bins : 1};
    for (int e = 0; e < 2; e++) {
        if (bins[e] < 1 || bins[e] > (1 << 24)) {
            return context_fail(c, STATUS_USAGE, "%d density bins: from 1 to %d can be used", bins[e], 1 << 24);
        }
        for (int i = 0; edges[e] && i <= bins[e]; i++) {
            if (!(edges[e][i] > 0) || !isfinite(edges[e][i]) || (i > 0 && !(edges[e][i] > edges[e][i - 1]))) {
                return context_fail(c, STATUS_USAGE, "density edge %d is %g: edges must be positive and ascend", i,
                                    edges[e][i]);
            }
        }
    }
    return STATUS_OK;
}

static status upload(context *c, device *d, const char *label, const void *data, size_t bytes, buffer **out)
{
    const status s = buffer_new(c, d, label, bytes, out);
    return s ? s : buffer_write(c, *out, 0, data, bytes);
}

/* `closed`: a value on the last edge is in the last bin. */
static status bin_set_new(context *c, device *d, const double *edges, int bins, bool closed, bin_set *out)
{
    int32_t *t = NULL;
    uint32_t *starts = NULL;
    const size_t size = (size_t)bins + 1;
    status s = STATUS_OK;
    out->bins = bins;
    if ((s = memory_new(c, "density thresholds", size, sizeof *t, &t))) goto out;
    if ((s = memory_new(c, "cells of densities", CELLS + 1, sizeof *starts, &starts))) goto out;
    for (size_t i = 0; i < size; i++) t[i] = reduce_threshold(edges[i], closed && i == size - 1);
    for (uint32_t cell = 0, below = 0; cell <= CELLS; cell++) {
        while (below < size && t[below] < (int64_t)cell << CELL_BITS) below++;
        starts[cell] = below;
    }
    if ((s = upload(c, d, "density thresholds", t, size * sizeof *t, &out->thresholds))) goto out;
    s = upload(c, d, "cells of densities", starts, (CELLS + 1) * sizeof *starts, &out->starts);
out:
    memory_delete(&t);
    memory_delete(&starts);
    return s;
}

/* The modes of the half plane by ring, in the order of the plane, and how many of the whole plane each ring has. */
static status rings_new(context *c, reducer *r)
{
    const int side = r->side, width = side / 2 + 1;
    uint32_t *modes = NULL, *first = NULL, *filled = NULL;
    const size_t plane = (size_t)side * (size_t)width, rings = (size_t)r->rings;
    status s = STATUS_OK;
    if ((s = memory_new(c, "modes of the rings", plane, sizeof *modes, &modes))) goto out;
    if ((s = memory_new(c, "rings", rings + 1, sizeof *first, &first))) goto out;
    if ((s = memory_new(c, "rings", rings + 1, sizeof *filled, &filled))) goto out;
    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < width; x++) {
                const int ring = reduce_ring(y <= side / 2 ? y : side - y, x);
                if (ring < 1 || ring > r->rings) continue;
                const bool twice = x > 0 && 2 * x != side;
                if (pass == 0) {
                    first[ring]++;
                    r->ring_weights[ring - 1] += twice ? 2 : 1;
                } else {
                    const uint32_t at = first[ring - 1] + filled[ring - 1]++;
                    modes[at] = (uint32_t)(y * width + x) | (uint32_t)twice << 31;
                }
            }
        }
        for (size_t i = 1; pass == 0 && i <= rings; i++) first[i] += first[i - 1];
    }
    if ((s = upload(c, r->borrowed_device, "modes of the rings", modes, first[rings] * sizeof *modes, &r->modes)))
        goto out;
    s = upload(c, r->borrowed_device, "rings", first, (rings + 1) * sizeof *first, &r->first);
out:
    memory_delete(&modes);
    memory_delete(&first);
    memory_delete(&filled);
    return s;
}

static status twiddles_new(context *c, reducer *r)
{
    float *w = NULL;
    const size_t side = (size_t)r->side;
    status s = memory_new(c, "twiddles", side, 2 * sizeof *w, &w);
    if (s) return s;
    for (int j = 0; j < r->side; j++) {
        w[2 * j] = (float)cos(2 * M_PI * j / r->side);
        w[2 * j + 1] = (float)sin(2 * M_PI * j / r->side);
    }
    s = upload(c, r->borrowed_device, "twiddles", w, 2 * side * sizeof *w, &r->twiddles);
    memory_delete(&w);
    return s;
}

static status kernels_get(context *c, reducer *r)
{
    device *d = r->borrowed_device;
    char shared[48];
    int vector = launch_vector(d);
    while (vector > 1 && vector > r->side - 2) vector /= 2; /* peaks are looked for by vectors that fit inside */
    r->items = forced_items ? (size_t)forced_items : device_info(d)->is_cpu ? 1 : 256;
    snprintf(shared, sizeof shared, "-DITEMS=%zu -DVW=%d", r->items, vector);
    const struct {
        const char *file, *entry;
        kernel **to;
    } wanted[] = {{"reduce", "rows", &r->rows},
                  {"reduce", "centre", &r->centre},
                  {"reduce", "histogram", &r->histogram},
                  {"reduce", "peaks", &r->peaks},
                  {"reduce", "levels", &r->levels_of},
                  {"reduce", "minkowski", &r->minkowski},
                  {"spectrum", "rings", &r->ring_sums},
                  {"spectrum", "dft_rows", &r->dft_rows},
                  {"spectrum", "dft_columns", &r->dft_columns}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const char *options = strcmp(wanted[i].file, "reduce") == 0 ? shared : "";
        const status s = kernel_get(c, d, wanted[i].file, wanted[i].entry, options, wanted[i].to);
        if (s) return s;
    }
    return STATUS_OK;
}

static status buffers_new(context *c, reducer *r)
{
    device *d = r->borrowed_device;
    const size_t batch = (size_t)r->batch, side = (size_t)r->side, pixels = batch * side * side;
    const size_t half = 2 * batch * side * (side / 2 + 1), rings = batch * (size_t)r->rings;
    const int most = r->bins.bins > r->coarse.bins ? r->bins.bins : r->coarse.bins;
    const size_t counts = ELEMENTS * batch * (size_t)(most + 2), rows = batch * side * ROW_FIELDS;
    status s = STATUS_OK;
    if ((s = buffer_new(c, d, "images of the statistics", pixels * sizeof(float), &r->images))) return s;
    if ((s = buffer_new(c, d, "centred images", pixels * sizeof(float), &r->centred))) return s;
    if ((s = buffer_new(c, d, "transformed images", half * sizeof(float), &r->half_planes))) return s;
    if (!r->plan && (s = buffer_new(c, d, "transformed rows", half * sizeof(float), &r->scratch))) return s;
    if ((s = buffer_new(c, d, "ring sums", rings * sizeof(float), &r->sums))) return s;
    if ((s = buffer_new(c, d, "row sums", rows * sizeof(int32_t), &r->row_sums))) return s;
    if ((s = buffer_new(c, d, "scales and means", 2 * batch * sizeof(float), &r->parameters))) return s;
    if ((s = buffer_new(c, d, "density counts", counts * sizeof(uint32_t), &r->counts))) return s;
    if ((s = buffer_new(c, d, "levels of the pixels", pixels * sizeof(uint32_t), &r->levels_in))) return s;
    /* The last batch may leave a tail that is transformed and ignored: it should at least hold numbers. */
    if ((s = buffer_zero(c, r->centred))) return s;
    if ((s = memory_new(c, "row sums", rows, sizeof(int32_t), &r->host_rows))) return s;
    if ((s = memory_new(c, "scales and means", 2 * batch, sizeof(float), &r->host_parameters))) return s;
    if ((s = memory_new(c, "ring sums", rings, sizeof(float), &r->host_sums))) return s;
    if ((s = memory_new(c, "density counts", counts, sizeof(uint32_t), &r->host_counts))) return s;
    if ((s = memory_new(c, "means", batch, sizeof(double), &r->host_means))) return s;
    return memory_new(c, "exponents", batch, sizeof(int), &r->host_exponents);
}

status reducer_new(context *c, device *d, const reduce_shape *shape, reducer **out)
{
    reducer *r = NULL;
    *out = NULL;
    status s = check_shape(c, shape);
    if (s) return s;
    if ((s = memory_new(c, "statistics", 1, sizeof *r, &r))) return s;
    r->borrowed_device = d;
    r->side = shape->side;
    r->rings = shape->side / 2;
    const int fitting = BATCH_FLOATS / (shape->side * shape->side);
    r->batch = fitting < 1 ? 1 : fitting > BATCH_MOST ? BATCH_MOST : fitting;
    if ((s = memory_new(c, "weights of the rings", (size_t)r->rings, sizeof(double), &r->ring_weights))) goto out;
    if ((s = bin_set_new(c, d, shape->edges, shape->bins, true, &r->bins))) goto out;
    if ((s = bin_set_new(c, d, shape->edges, shape->bins, false, &r->levels))) goto out;
    if (shape->coarse_edges && (s = bin_set_new(c, d, shape->coarse_edges, shape->coarse_bins, true, &r->coarse)))
        goto out;
    if ((s = rings_new(c, r))) goto out;
    if ((s = kernels_get(c, r))) goto out;
    if (shape->side % 2 == 0 && fft_size_allowed(shape->side)) {
        if ((s = fft_plan_new(c, d, 2, (int[]){shape->side, shape->side}, r->batch, &r->plan))) goto out;
    } else {
        if ((s = twiddles_new(c, r))) goto out;
    }
    if ((s = buffers_new(c, r))) goto out;
    *out = r;
    r = NULL;
out:
    reducer_delete(&r);
    return s;
}

void reducer_delete(reducer **pointer)
{
    if (!pointer || !*pointer) return;
    reducer *r = *pointer;
    fft_plan_delete(&r->plan);
    buffer **buffers[] = {&r->images,
                          &r->centred,
                          &r->half_planes,
                          &r->other_planes,
                          &r->scratch,
                          &r->twiddles,
                          &r->modes,
                          &r->first,
                          &r->sums,
                          &r->row_sums,
                          &r->counts,
                          &r->bins.thresholds,
                          &r->coarse.thresholds,
                          &r->bins.starts,
                          &r->coarse.starts,
                          &r->parameters,
                          &r->levels.thresholds,
                          &r->levels.starts,
                          &r->levels_in};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) buffer_delete(buffers[i]);
    memory_delete(&r->host_rows);
    memory_delete(&r->host_parameters);
    memory_delete(&r->host_sums);
    memory_delete(&r->host_counts);
    memory_delete(&r->host_means);
    memory_delete(&r->host_exponents);
    memory_delete(&r->other_exponents);
    memory_delete(&r->ring_weights);
    memory_delete(pointer);
}

int reducer_rings(const reducer *r)
{
    return r->rings;
}

static status fail_not_finite(context *c, reducer *r, int64_t first, int image, int y, int x)
{
    float v = 0;
    const size_t pixel = ((size_t)image * (size_t)r->side + (size_t)y) * (size_t)r->side + (size_t)x;
    const status s = buffer_read(c, r->images, pixel * sizeof v, &v, sizeof v);
    if (s) return s;
    return context_fail(c, STATUS_DATA, "map %lld, pixel (y %d, x %d) is %s: statistics need finite densities",
                        (long long)first + image, y, x,
                        isnan(v) ? "nan"
                        : v < 0  ? "-inf"
                                 : "inf");
}

/* Means, scales and the check for values that are not finite, from the row sums. */
static status means(context *c, reducer *r, int64_t first, int n)
{
    const size_t side = (size_t)r->side;
    const size_t global[2] = {side, (size_t)n};
    status s = kernel_run(c, r->rows, 2, global, NULL,
                          KERNEL_ARGUMENTS(ARG_BUFFER(r->images), ARG_BUFFER(r->row_sums), ARG_INT(r->side)));
    if (s) return s;
    s = buffer_read(c, r->row_sums, 0, r->host_rows, (size_t)n * side * ROW_FIELDS * sizeof(int32_t));
    if (s) return s;
    for (int i = 0; i < n; i++) {
        const int32_t *rows = r->host_rows + (size_t)i * side * ROW_FIELDS;
        int exponent = -126;
        double sum = 0;
        for (int y = 0; y < r->side; y++, rows += ROW_FIELDS) {
            if (rows[3] >= 0) return fail_not_finite(c, r, first, i, y, rows[3]);
            if (rows[0] > exponent) exponent = rows[0];
            sum += ldexp((double)float_of_bits(rows[1]) + (double)float_of_bits(rows[2]), rows[0]);
        }
        r->host_means[i] = sum / ((double)side * (double)side);
        r->host_exponents[i] = exponent;
        r->host_parameters[2 * i] = ldexpf(1, -exponent);
        r->host_parameters[2 * i + 1] = (float)ldexp(r->host_means[i], -exponent);
    }
    return STATUS_OK;
}

/* Runs a counting kernel; host_counts [n][bins + 2] has the counts. */
static status count(context *c, reducer *r, kernel *k, const bin_set *b, int n)
{
    const size_t bytes = (size_t)n * (size_t)(b->bins + 2) * sizeof(uint32_t), global[2] = {r->items, (size_t)n};
    const size_t local[2] = {r->items, 1};
    status s = buffer_zero(c, r->counts);
    if (s) return s;
    s = kernel_run(c, k, 2, global, r->items <= kernel_max_work_group(k) ? local : NULL,
                   KERNEL_ARGUMENTS(ARG_BUFFER(r->images), ARG_BUFFER(b->thresholds), ARG_BUFFER(b->starts),
                                    ARG_INT(b->bins), ARG_INT(r->side), ARG_BUFFER(r->counts)));
    return s ? s : buffer_read(c, r->counts, 0, r->host_counts, bytes);
}

static void add_counts(uint64_t *to, const uint32_t *counts, int bins, int n)
{
    for (int i = 0; i < n; i++, counts += bins + 2) {
        for (int b = 0; b < bins + 2; b++) to[b] += counts[b];
    }
}

static void keep_counts(uint32_t *to, const reducer *r, const bin_set *b, int64_t first, int n)
{
    const size_t per_image = (size_t)b->bins + 2;
    memcpy(to + (size_t)first * per_image, r->host_counts, (size_t)n * per_image * sizeof *to);
}

/* Functionals at the edges: the sets gain at each level its pixels, edges and vertices, and an edge is lost to the
 * perimeter when the second of its pixels comes. counts: [ELEMENTS][bins + 2] of kernels/reduce.cl. */
static void functionals(const uint32_t *counts, int bins, int32_t *out)
{
    const uint32_t *pixels = counts, *edges = pixels + bins + 2, *vertices = edges + bins + 2;
    const uint32_t *border = vertices + bins + 2;
    int64_t area = 0, perimeter = 0, euler = 0;
    for (int i = bins; i >= 0; i--) {
        const int64_t faces = pixels[i + 1], sides = edges[i + 1];
        area += faces;
        perimeter += 2 * sides - 4 * faces - border[i + 1];
        euler += faces - sides + vertices[i + 1];
        out[MINKOWSKI_AREA * (bins + 1) + i] = (int32_t)area;
        out[MINKOWSKI_PERIMETER * (bins + 1) + i] = (int32_t)perimeter;
        out[MINKOWSKI_EULER * (bins + 1) + i] = (int32_t)euler;
    }
}

static status minkowski(context *c, reducer *r, int n, int32_t *out)
{
    const size_t pixels = (size_t)r->side * (size_t)r->side, levels = (size_t)r->bins.bins + 2;
    const size_t all[2] = {pixels, (size_t)n}, global[2] = {r->items, (size_t)n};
    const size_t local[2] = {r->items, 1};
    status s = kernel_run(c, r->levels_of, 2, all, NULL,
                          KERNEL_ARGUMENTS(ARG_BUFFER(r->images), ARG_BUFFER(r->levels.thresholds),
                                           ARG_BUFFER(r->levels.starts), ARG_BUFFER(r->levels_in)));
    if (!s) s = buffer_zero(c, r->counts);
    if (!s)
        s = kernel_run(
            c, r->minkowski, 2, global, r->items <= kernel_max_work_group(r->minkowski) ? local : NULL,
            KERNEL_ARGUMENTS(ARG_BUFFER(r->levels_in), ARG_INT(r->bins.bins), ARG_INT(r->side), ARG_BUFFER(r->counts)));
    if (!s) s = buffer_read(c, r->counts, 0, r->host_counts, (size_t)n * ELEMENTS * levels * sizeof(uint32_t));
    for (size_t i = 0; i < (size_t)n && !s; i++)
        functionals(r->host_counts + i * ELEMENTS * levels, r->bins.bins, out + i * MINKOWSKI * (levels - 1));
    return s;
}

static status transform(context *c, reducer *r, int n)
{
    if (r->plan) return fft_forward(c, r->plan, r->centred, r->half_planes);
    const size_t global[3] = {(size_t)(r->side / 2 + 1), (size_t)r->side, (size_t)n};
    const status s = kernel_run(
        c, r->dft_rows, 3, global, NULL,
        KERNEL_ARGUMENTS(ARG_BUFFER(r->centred), ARG_BUFFER(r->twiddles), ARG_INT(r->side), ARG_BUFFER(r->scratch)));
    if (s) return s;
    return kernel_run(c, r->dft_columns, 3, global, NULL,
                      KERNEL_ARGUMENTS(ARG_BUFFER(r->scratch), ARG_BUFFER(r->twiddles), ARG_INT(r->side),
                                       ARG_BUFFER(r->half_planes)));
}

/* half_planes of the n images in r->images, of which means() has been taken. */
static status transform_images(context *c, reducer *r, int n)
{
    const size_t pixels = (size_t)r->side * (size_t)r->side, all[2] = {pixels, (size_t)n};
    status s = buffer_write(c, r->parameters, 0, r->host_parameters, 2 * (size_t)n * sizeof(float));
    if (s) return s;
    s = kernel_run(c, r->centre, 2, all, NULL,
                   KERNEL_ARGUMENTS(ARG_BUFFER(r->images), ARG_BUFFER(r->parameters), ARG_BUFFER(r->centred)));
    return s ? s : transform(c, r, n);
}

/* Means over rings of products of transformed images, which were scaled by 2^-exponents[i] and 2^-other_exponents[i].
 */
static status ring_means(context *c, reducer *r, buffer *planes, const int *exponents, buffer *other_planes,
                         const int *other_exponents, int n, double *out)
{
    const size_t rings = (size_t)r->rings, global[2] = {rings, (size_t)n};
    const uint32_t plane = (uint32_t)r->side * (uint32_t)(r->side / 2 + 1);
    status s = kernel_run(c, r->ring_sums, 2, global, NULL,
                          KERNEL_ARGUMENTS(ARG_BUFFER(planes), ARG_BUFFER(other_planes), ARG_BUFFER(r->modes),
                                           ARG_BUFFER(r->first), ARG_UINT(plane), ARG_BUFFER(r->sums)));
    if (!s) s = buffer_read(c, r->sums, 0, r->host_sums, (size_t)n * rings * sizeof(float));
    if (s) return s;
    for (size_t i = 0; i < (size_t)n * rings; i++) {
        out[i] = ldexp(r->host_sums[i] / r->ring_weights[i % rings], exponents[i / rings] + other_exponents[i / rings]);
    }
    return STATUS_OK;
}

/* The statistics of the n images in r->images, numbers first … of the set, which also leave their transforms in
 * half_planes where the power or `transformed` is wanted. */
static status reduce_batch(context *c, reducer *r, int64_t first, int n, bool transformed, const reduce_result *out)
{
    status s = means(c, r, first, n);
    if (s) return s;
    if (out->mean) memcpy(out->mean + first, r->host_means, (size_t)n * sizeof *out->mean);
    if (out->pixel_counts) {
        if ((s = count(c, r, r->histogram, &r->bins, n))) return s;
        add_counts(out->pixel_counts, r->host_counts, r->bins.bins, n);
    }
    if (out->coarse_counts && r->coarse.thresholds) {
        if ((s = count(c, r, r->histogram, &r->coarse, n))) return s;
        keep_counts(out->coarse_counts, r, &r->coarse, first, n);
    }
    if (out->peak_counts) {
        if ((s = count(c, r, r->peaks, &r->bins, n))) return s;
        keep_counts(out->peak_counts, r, &r->bins, first, n);
    }
    if (out->minkowski) {
        const size_t per_image = MINKOWSKI * ((size_t)r->bins.bins + 1);
        if ((s = minkowski(c, r, n, out->minkowski + (size_t)first * per_image))) return s;
    }
    if ((out->power || transformed) && (s = transform_images(c, r, n))) return s;
    if (!out->power) return STATUS_OK;
    return ring_means(c, r, r->half_planes, r->host_exponents, r->half_planes, r->host_exponents, n,
                      out->power + (size_t)first * (size_t)r->rings);
}

static status begin(context *c, const reducer *r, int64_t n, const reduce_result *out)
{
    if (n < 1) return context_fail(c, STATUS_USAGE, "statistics need at least one image");
    if (out->pixel_counts) memset(out->pixel_counts, 0, (size_t)(r->bins.bins + 2) * sizeof(uint64_t));
    return STATUS_OK;
}

static int batch_at(const reducer *r, int64_t first, int64_t n)
{
    return n - first < r->batch ? (int)(n - first) : r->batch;
}

static status stop(context *c)
{
    return context_stop_requested(c) ? context_fail(c, STATUS_INTERRUPTED, "stopped while computing statistics")
                                     : STATUS_OK;
}

static status write_batch(context *c, reducer *r, const float *images, int64_t first, int n)
{
    const size_t pixels = (size_t)r->side * (size_t)r->side;
    return buffer_write(c, r->images, 0, images + (size_t)first * pixels, (size_t)n * pixels * sizeof *images);
}

status reduce_host_images(context *c, reducer *r, const float *images, int64_t n, const reduce_result *out)
{
    status s = begin(c, r, n, out);
    for (int64_t first = 0; !s && first < n; first += r->batch) {
        const int part = batch_at(r, first, n);
        s = write_batch(c, r, images, first, part);
        if (!s) s = reduce_batch(c, r, first, part, false, out);
        if (!s) s = stop(c);
    }
    return s;
}

status reduce_device_images(context *c, reducer *r, buffer *images, int64_t n, const reduce_result *out)
{
    const size_t pixels = (size_t)r->side * (size_t)r->side, bytes = pixels * sizeof(float);
    status s = launch_check(c, "reduce_device_images", "images", images, n > 0 ? (size_t)n * pixels : 0);
    if (!s) s = begin(c, r, n, out);
    for (int64_t first = 0; !s && first < n; first += r->batch) {
        const int part = batch_at(r, first, n);
        s = buffer_copy(c, images, (size_t)first * bytes, r->images, 0, (size_t)part * bytes);
        if (!s) s = reduce_batch(c, r, first, part, false, out);
        if (!s) s = stop(c);
    }
    return s;
}

/* Puts the transforms of a batch aside: they are the other ones. */
static status put_aside(context *c, reducer *r)
{
    status s = STATUS_OK;
    if (!r->other_planes) {
        const size_t bytes = buffer_bytes(r->half_planes);
        s = buffer_new(c, r->borrowed_device, "other transformed images", bytes, &r->other_planes);
    }
    if (!s && !r->other_exponents) s = memory_new(c, "exponents", (size_t)r->batch, sizeof(int), &r->other_exponents);
    if (s) return s;
    buffer *planes = r->half_planes;
    int *exponents = r->host_exponents;
    r->half_planes = r->other_planes;
    r->host_exponents = r->other_exponents;
    r->other_planes = planes;
    r->other_exponents = exponents;
    return STATUS_OK;
}

status reduce_host_pairs(context *c, reducer *r, const float *a, const float *b, int64_t n, const reduce_result *of_a,
                         const reduce_result *of_b, double *cross)
{
    status s = begin(c, r, n, of_a);
    if (!s) s = begin(c, r, n, of_b);
    for (int64_t first = 0; !s && first < n; first += r->batch) {
        const int part = batch_at(r, first, n);
        s = write_batch(c, r, a, first, part);
        if (!s) s = reduce_batch(c, r, first, part, true, of_a);
        if (!s) s = put_aside(c, r);
        if (!s) s = write_batch(c, r, b, first, part);
        if (!s) s = reduce_batch(c, r, first, part, true, of_b);
        if (!s)
            s = ring_means(c, r, r->other_planes, r->other_exponents, r->half_planes, r->host_exponents, part,
                           cross + (size_t)first * (size_t)r->rings);
        if (!s) s = stop(c);
    }
    return s;
}
