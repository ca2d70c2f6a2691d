/* Convolutions in every direction against the float64 oracle on odd geometries; the same bits for every tile, vector
 * width and work-group; plans, padded channels and bad input. The same by columns and CLBlast, but for the bits. */
#include "ops/conv_test.h"
#include "base/memory.h"
#include "device/workspace.h"
#include "ops/conv.h"
#include "ops/ref/conv_ref.h"

enum { ALL = CONV_FORWARD | CONV_BACKWARD_DATA | CONV_BACKWARD_WEIGHTS };

typedef struct {
    conv_shape s;
    batching b;
} geometry;

static const geometry geometries[] = {
    {{8, 8, 32, 4, 4, 64, 5, 2, 2, CONV_AUTO},
     {20, 10, 4}}, /* the networks' layers: two segments, last micro-batch smaller */
    {{16, 16, 1, 8, 8, 32, 5, 2, 2, CONV_AUTO}, {6, 3, 2}},   /* a discriminator's first, a generator's last */
    {{5, 7, 16, 5, 7, 48, 3, 1, 1, CONV_AUTO}, {7, 7, 3}},    /* not square */
    {{9, 4, 24, 5, 2, 33, 3, 2, 1, CONV_AUTO}, {3, 3, 10}},   /* channels that are padded */
    {{1, 1, 3, 1, 1, 3, 1, 1, 0, CONV_AUTO}, {1, 1, 1}},      /* one of everything */
    {{6, 6, 3, 2, 2, 16, 2, 3, 0, CONV_AUTO}, {5, 5, 2}},     /* phases without a tap: kernel < stride */
    {{7, 4, 33, 3, 2, 3, 1, 3, 1, CONV_AUTO}, {11, 11, 4}},   /* kernel 1, stride 3, padding wider than the kernel */
    {{12, 10, 16, 12, 10, 1, 7, 1, 3, CONV_AUTO}, {4, 4, 3}}, /* kernel 7 to one channel */
    {{13, 11, 1, 5, 4, 16, 6, 2, 1, CONV_AUTO}, {9, 3, 2}},   /* kernel 6, one channel in */
    {{8, 8, 1, 3, 3, 1, 4, 3, 2, CONV_AUTO}, {23, 23, 10}},   /* one channel on both sides, output padding 2 */
    {{4, 19, 1, 2, 10, 40, 7, 2, 3, CONV_AUTO}, {2, 2, 1}},   /* kernel wider than the image is high */
    {{3, 4, 80, 1, 2, 112, 4, 2, 1, CONV_AUTO}, {13, 13, 5}}, /* a row of the input never seen */
    {{2, 3, 17, 4, 5, 16, 3, 1, 2, CONV_AUTO}, {23, 23, 7}},  /* output larger than input */
    {{8, 8, 32, 4, 4, 64, 5, 2, 2, CONV_DIRECT}, {20, 10, 4}},
    {{21, 13, 33, 11, 7, 48, 5, 2, 2, CONV_AUTO}, {5, 5, 2}}, /* tiles that hang over, odd sizes */
    {{16, 30, 3, 8, 15, 80, 5, 2, 2, CONV_AUTO}, {7, 7, 3}},
    {{2, 3, 17, 1, 2, 20, 5, 2, 2, CONV_WINOGRAD}, {3, 3, 3}}, /* one tile, mostly outside */
    /* Many channels, few pixels; what blocks of 64 or 128 do not divide; a dense layer. */
    {{8, 8, 512, 4, 4, 256, 5, 2, 2, CONV_AUTO}, {4, 4, 3}},
    {{12, 20, 48, 6, 10, 96, 5, 2, 2, CONV_AUTO}, {7, 7, 3}},
    {{12, 20, 48, 6, 10, 96, 5, 2, 2, CONV_DIRECT}, {7, 7, 3}},
    {{1, 1, 400, 1, 1, 112, 1, 1, 0, CONV_AUTO}, {23, 23, 10}},
};
enum { GEOMETRIES = sizeof geometries / sizeof geometries[0] };

/* By CLBlast, besides those above: the paper's layers, and one of every awkward kind. */
static const geometry by_columns[] = {
    {{128, 128, 1, 64, 64, 32, 5, 2, 2, CONV_CLBLAST}, {2, 2, 1}},
    {{64, 64, 32, 32, 32, 64, 5, 2, 2, CONV_CLBLAST}, {1, 1, 1}},
    {{32, 32, 64, 16, 16, 128, 5, 2, 2, CONV_CLBLAST}, {1, 1, 1}},
    {{16, 16, 128, 8, 8, 256, 5, 2, 2, CONV_CLBLAST}, {1, 1, 1}},
    {{8, 8, 256, 4, 4, 512, 5, 2, 2, CONV_CLBLAST}, {2, 2, 1}},
    {{11, 9, 3, 11, 9, 17, 3, 1, 1, CONV_CLBLAST}, {7, 7, 2}},
    {{13, 17, 17, 6, 8, 33, 4, 2, 1, CONV_CLBLAST}, {7, 7, 7}},
    {{9, 15, 33, 9, 15, 1, 7, 1, 3, CONV_CLBLAST}, {1, 1, 1}},
    {{15, 9, 1, 8, 5, 3, 7, 2, 3, CONV_CLBLAST}, {7, 7, 3}},
};
enum { BY_COLUMNS = sizeof by_columns / sizeof by_columns[0] };

static size_t x_pixels(const conv_shape *s, int n)
{
    return (size_t)n * (size_t)s->h * (size_t)s->w;
}
static size_t y_pixels(const conv_shape *s, int n)
{
    return (size_t)n * (size_t)s->oh * (size_t)s->ow;
}
static size_t taps(const conv_shape *s)
{
    return (size_t)s->kernel * (size_t)s->kernel;
}

typedef struct {
    tensor x, y, w, bias_x, bias_y;                    /* operands */
    tensor forward, forward0, backward, backward0, dw; /* results: with and without bias */
} tensors;

static tensor weights_random(const conv_shape *s, uint32_t sub)
{
    /* Rows of padded input channels are zero too. */
    const size_t ci = (size_t)layout_channels(s->ci), co = (size_t)layout_channels(s->co);
    tensor w = tensor_random(taps(s) * ci, s->co, sub);
    float *f = calloc(w.count, sizeof *f);
    for (size_t i = 0; i < w.count; i++) {
        if (i / co % ci >= (size_t)s->ci) w.v[i] = 0;
        f[i] = (float)w.v[i];
    }
    OK(buffer_write(c, w.b, 0, f, w.count * sizeof *f));
    free(f);
    return w;
}

static tensors tensors_new(const geometry *g)
{
    const conv_shape *s = &g->s;
    const int n = g->b.n;
    tensors t = {.x = tensor_random(x_pixels(s, n), s->ci, 1),
                 .y = tensor_random(y_pixels(s, n), s->co, 2),
                 .w = weights_random(s, 3),
                 .bias_x = tensor_random(1, s->ci, 4),
                 .bias_y = tensor_random(1, s->co, 5)};
    t.forward = tensor_empty(t.y.count), t.forward0 = tensor_empty(t.y.count);
    t.backward = tensor_empty(t.x.count), t.backward0 = tensor_empty(t.x.count);
    t.dw = tensor_empty(t.w.count);
    return t;
}

static void tensors_delete(tensors *t)
{
    tensor *all[] = {&t->x,       &t->y,        &t->w,        &t->bias_x,    &t->bias_y,
                     &t->forward, &t->forward0, &t->backward, &t->backward0, &t->dw};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) tensor_delete(all[i]);
}

static void run_all(const geometry *g, tensors *t)
{
    conv_plan *p = NULL;
    workspace_delete(d);
    OK(conv_plan_new(c, d, &g->s, ALL, g->b.n, batching_count(&g->b), NULL, &p));
    const size_t planned = device_bytes_used(d);
    OK(conv_pack(c, p, t->w.b));
    OK(conv_forward(c, p, g->b.n, t->x.b, t->bias_y.b, NULL, t->forward.b));
    OK(conv_forward(c, p, g->b.n, t->x.b, NULL, NULL, t->forward0.b));
    OK(conv_backward_data(c, p, g->b.n, t->y.b, t->bias_x.b, NULL, t->backward.b));
    OK(conv_backward_data(c, p, g->b.n, t->y.b, NULL, NULL, t->backward0.b));
    OK(conv_backward_weights(c, p, &g->b, t->x.b, t->y.b, t->dw.b));
    OK(device_finish(c, d));
    ck_assert_uint_eq(device_bytes_used(d), planned); /* no workspace but what the plan has asked for */
    conv_plan_delete(&p);
    ck_assert_ptr_null(p);
}

/* Winograd's products are of all that a tile sees: an error is measured by the largest sum of magnitudes, and the
 * transforms, which add and take away again what is not an element's own, cost some twenty roundings of that size. */
static void check(const conv_shape *s, const tensor *got, const double *want, const double *magnitude, double k,
                  const char *what)
{
    if (conv_algorithm_of(s) != CONV_WINOGRAD) {
        tensor_check(got, want, magnitude, k, what);
        return;
    }
    double largest = 0, *all = calloc(got->count, sizeof *all);
    for (size_t i = 0; i < got->count; i++) largest = fmax(largest, magnitude[i]);
    for (size_t i = 0; i < got->count; i++) all[i] = largest * (2 * sqrt(k) + 24) / (2 * sqrt(k) + 4);
    tensor_check(got, want, all, k, what);
    free(all);
}

static void check_all(const geometry *g)
{
    const conv_shape *s = &g->s;
    const int n = g->b.n;
    const double k2 = (double)taps(s), pixels = (double)y_pixels(s, n);
    tensors t = tensors_new(g);
    run_all(g, &t);
    double *ax = absolutes(t.x.v, t.x.count), *ay = absolutes(t.y.v, t.y.count), *aw = absolutes(t.w.v, t.w.count);
    double *abx = absolutes(t.bias_x.v, t.bias_x.count), *aby = absolutes(t.bias_y.v, t.bias_y.count);
    double *mx = calloc(t.x.count, sizeof *mx), *my = calloc(t.y.count, sizeof *my),
           *mw = calloc(t.w.count, sizeof *mw);

    conv_ref_forward(s, n, t.x.v, t.w.v, t.bias_y.v, t.forward.v);
    conv_ref_forward(s, n, ax, aw, aby, my);
    check(s, &t.forward, t.forward.v, my, k2 * s->ci, "forward");
    conv_ref_forward(s, n, t.x.v, t.w.v, NULL, t.forward.v);
    check(s, &t.forward0, t.forward.v, my, k2 * s->ci, "forward without bias");

    conv_ref_backward_data(s, n, t.y.v, t.w.v, t.bias_x.v, t.backward.v);
    conv_ref_backward_data(s, n, ay, aw, abx, mx);
    check(s, &t.backward, t.backward.v, mx, k2 * s->co, "backward data");
    conv_ref_backward_data(s, n, t.y.v, t.w.v, NULL, t.backward.v);
    check(s, &t.backward0, t.backward.v, mx, k2 * s->co, "backward data without bias");

    conv_ref_backward_weights(s, n, t.x.v, t.y.v, t.dw.v);
    conv_ref_backward_weights(s, n, ax, ay, mw);
    check(s, &t.dw, t.dw.v, mw, pixels, "backward weights");
    free(ax), free(ay), free(aw), free(abx), free(aby), free(mx), free(my), free(mw);
    tensors_delete(&t);
}

START_TEST(oracle)
{
    check_all(&geometries[_i]);
}
END_TEST

/* A row of geometries, or of by_columns behind them. */
static geometry of_columns(int i)
{
    geometry g = i < GEOMETRIES ? geometries[i] : by_columns[i - GEOMETRIES];
    g.s.algorithm = CONV_CLBLAST;
    return g;
}

START_TEST(oracle_of_columns)
{
    if (device_info(d)->avoid_clblast) return;
    const geometry g = of_columns(_i);
    ck_assert_int_eq(conv_algorithm_of(&g.s), CONV_CLBLAST);
    check_all(&g);
}
END_TEST

/* Other tiles, vectors and work-groups, as other devices would have them. */
static const char *const settings[] = {
    "vector=8,registers=12,vectors=2,weight_registers=8,weight_ci=8,weight_pixels=9,jobs=1,filtered_co=64,filtered_"
    "tiles=1,winograd_kib=1",
    "vector=4,work_group=8,rows=3,vectors=2,tiles=1,group=3,unroll=1,narrow_rows=3,weight_ci=4,weight_co=8,"
    "weight_taps=1,weight_pixels=0,panels=0,weight_registers=8,items=4096,jobs=4096,filtered_vectors=1,filtered_ci=4,"
    "filtered_co=8,filtered_tiles=5,winograd_kib=0",
    "vector=1,rows=2,vectors=1,tiles=3,group=1,unroll=2,narrow_rows=1,weight_ci=3,weight_taps=3,weight_pixels=5,"
    "weight_registers=2,panels=0,items=3,jobs=2,filtered_vectors=3,filtered_ci=3,filtered_co=6,filtered_tiles=2,"
    "winograd_kib=64",
    "vector=2,work_group=2,registers=4,unroll=16,group=64,weight_pixels=1000,jobs=64",
};

/* The same with blocks by work-groups: those of a GPU, and sizes that divide nothing. */
static const char *const blocks[] = {
    "vector=4,work_group=64,local_rows=16,local_columns=16,local_depth=8,transform_vector=1,registers=16,vectors=2,"
    "tiles=1",
    "vector=2,work_group=6,local_rows=3,local_columns=5,local_depth=16,transform_vector=4,rows=5,vectors=3,unroll=2,"
    "group=3",
    "vector=4,work_group=3,local_rows=2,local_columns=3,local_depth=1,transform_vector=2,rows=3,vectors=1,unroll=1,"
    "winograd_kib=1",
};

enum { SETTINGS = sizeof settings / sizeof settings[0], BLOCKS = sizeof blocks / sizeof blocks[0] };

static void check_tiles(const geometry *g, int count, const char *const *tiles)
{
    tensors t = tensors_new(g);
    const tensor *results[] = {&t.forward, &t.forward0, &t.backward, &t.backward0, &t.dw};
    enum { RESULTS = sizeof results / sizeof results[0] };
    float *first[RESULTS];
    run_all(g, &t);
    for (int r = 0; r < RESULTS; r++) first[r] = tensor_values(results[r]);
    for (int k = 0; k < count; k++) {
        setenv("COSMOCL_CONV_TILE", tiles[k], 1);
        run_all(g, &t);
        unsetenv("COSMOCL_CONV_TILE");
        for (int r = 0; r < RESULTS; r++) {
            float *other = tensor_values(results[r]);
            for (size_t i = 0; i < results[r]->count; i++)
                ck_assert_msg(!memcmp(&other[i], &first[r][i], sizeof(float)), "%s: result %d, element %zu: %a, was %a",
                              tiles[k], r, i, other[i], first[r][i]);
            free(other);
        }
    }
    for (int r = 0; r < RESULTS; r++) free(first[r]);
    tensors_delete(&t);
}

START_TEST(same_bits_for_every_tile)
{
    /* Some of the geometries: every setting builds every kernel anew. */
    static const int chosen[] = {0, 1, 3, 5, 8, 10, 13, 14};
    check_tiles(&geometries[chosen[_i]], SETTINGS, settings);
}
END_TEST

START_TEST(same_bits_for_every_block)
{
    static const int chosen[] = {0, 2, 3, 5, 11, 13, 14, 16, 17, 18, 20};
    check_tiles(&geometries[chosen[_i]], BLOCKS, blocks);
}
END_TEST

/* Our kernels around CLBlast's, which does not change. */
START_TEST(same_bits_of_columns)
{
    if (device_info(d)->avoid_clblast) return;
    static const int chosen[] = {0, 1, 3, 5, 9};
    const geometry g = of_columns(chosen[_i]);
    check_tiles(&g, SETTINGS, settings);
}
END_TEST

static void same_values(const tensor *a, const tensor *b, const char *what)
{
    float *x = tensor_values(a), *y = tensor_values(b);
    for (size_t i = 0; i < a->count; i++)
        ck_assert_msg(!memcmp(&x[i], &y[i], sizeof(float)), "%s, element %zu: %a and %a", what, i, x[i], y[i]);
    free(x), free(y);
}

/* The order of the sums as conv.h states it, in float arithmetic on the host, to the bit. */
START_TEST(order_of_sums)
{
    const geometry *g = &geometries[1]; /* 16×16×1 and 8×8×32, kernel 5, stride 2, padding 2 */
    const conv_shape *s = &g->s;
    tensors t = tensors_new(g);
    run_all(g, &t);
    float *f = tensor_values(&t.forward0), *b = tensor_values(&t.backward0);
    for (int o = 0; o < 8; o++)
        for (int k = 0; k < 32; k++) { /* row 0 of sample 0: forward in order of the taps */
            float sum = 0;
            for (int ky = 2; ky < 5; ky++)
                for (int kx = 0; kx < 5; kx++) {
                    const int ix = 2 * o - 2 + kx;
                    if (ix >= 0 && ix < 16)
                        sum = fmaf((float)t.x.v[(ky - 2) * 16 + ix], (float)t.w.v[conv_weight_index(s, ky, kx, 0, k)],
                                   sum);
                }
            ck_assert_msg(f[o * 32 + k] == sum, "forward %d %d: %a, should be %a", o, k, f[o * 32 + k], sum);
        }
    for (int i = 0; i < 16; i++) { /* row 1 of sample 0: backward, 16 partial sums and their tree */
        float lane[16] = {0};
        for (int ky = 1; ky < 5; ky += 2)
            for (int kx = i % 2; kx < 5; kx += 2) {
                const int oy = (1 + 2 - ky) / 2, ox = (i + 2 - kx) / 2;
                if (oy < 0 || i + 2 < kx || ox >= 8) continue;
                for (int k = 0; k < 32; k++)
                    lane[k % 16] = fmaf((float)t.y.v[(oy * 8 + ox) * 32 + k],
                                        (float)t.w.v[conv_weight_index(s, ky, kx, 0, k)], lane[k % 16]);
            }
        for (int half = 8; half > 0; half /= 2)
            for (int l = 0; l < half; l++) lane[l] += lane[l + half];
        ck_assert_msg(b[16 + i] == lane[0], "backward %d: %a, should be %a", i, b[16 + i], lane[0]);
    }
    free(f), free(b);
    tensors_delete(&t);
}
END_TEST

/* Weight gradients by micro-batches: fma from zero within one, then the tree, to the bit; for a wide and a narrow
 * layer. */
START_TEST(order_of_micro_batches)
{
    const int which[] = {13, 8};
    const geometry *g = &geometries[which[_i]];
    const conv_shape *s = &g->s;
    tensors t = tensors_new(g);
    run_all(g, &t);
    float *dw = tensor_values(&t.dw), partial[16];
    const int ci = layout_channels(s->ci), co = layout_channels(s->co), micros = batching_count(&g->b);
    const int per = batching_per_segment(&g->b);
    ck_assert_int_le(micros, 16);
    for (int k = 0; k < 3 * s->kernel * s->kernel; k++) {
        const int tap = k / 3, a = k % ci, b = 5 * k % co, ky = tap / s->kernel, kx = tap % s->kernel;
        for (int m = 0; m < micros; m++) {
            const int start = m % per * g->b.micro, first = m / per * g->b.segment + start;
            const int count = g->b.segment - start < g->b.micro ? g->b.segment - start : g->b.micro;
            float sum = 0;
            for (int o = first * s->oh * s->ow; o < (first + count) * s->oh * s->ow; o++) {
                const int n = o / (s->oh * s->ow), oy = o / s->ow % s->oh, ox = o % s->ow;
                const int iy = oy * s->stride - s->pad + ky, ix = ox * s->stride - s->pad + kx;
                if (iy >= 0 && iy < s->h && ix >= 0 && ix < s->w)
                    sum = fmaf((float)t.x.v[((n * s->h + iy) * s->w + ix) * ci + a], (float)t.y.v[o * co + b], sum);
            }
            partial[m] = sum;
        }
        for (int step = 1; step < micros; step *= 2)
            for (int m = 0; m + step < micros; m += 2 * step) partial[m] += partial[m + step];
        const float got = dw[conv_weight_index(s, ky, kx, a, b)];
        ck_assert_msg(got == partial[0], "tap %d, %d, %d: %a, should be %a", tap, a, b, got, partial[0]);
    }
    free(dw);
    tensors_delete(&t);
}
END_TEST

static void check_ends(const geometry *g, activation f)
{
    tensors t = tensors_new(g);
    const int n = g->b.n;
    for (int slope = 0; slope < 2; slope++) {
        const conv_ends ends = {{f, .3f, slope}, {f, .3f, !slope}};
        conv_plan *p = NULL;
        run_all(g, &t);
        buffer *y = t.forward.b, *x = t.backward.b;
        OK(conv_plan_new(c, d, &g->s, CONV_FORWARD | CONV_BACKWARD_DATA, n, 1, &ends, &p));
        OK(conv_pack(c, p, t.w.b));
        OK(conv_forward(c, p, n, t.x.b, t.bias_y.b, slope ? t.y.b : NULL, t.forward0.b));
        OK(conv_backward_data(c, p, n, t.y.b, t.bias_x.b, slope ? NULL : t.x.b, t.backward0.b));
        if (slope) {
            ck_assert_int_eq(conv_forward(c, p, n, t.x.b, NULL, NULL, t.forward0.b), STATUS_USAGE);
            OK(activation_backward(c, d, f, .3f, t.y.count, t.y.b, y, y));
            OK(activation_forward(c, d, f, .3f, t.x.count, x, x));
        } else {
            OK(activation_forward(c, d, f, .3f, t.y.count, y, y));
            OK(activation_backward(c, d, f, .3f, t.x.count, t.x.b, x, x));
        }
        same_values(&t.forward, &t.forward0, "forward");
        same_values(&t.backward, &t.backward0, "backward data");
        conv_plan_delete(&p);
    }
    tensors_delete(&t);
}

/* Every end on every kernel: the bits of the convolution and of the pointwise operator after it. */
static const int with_ends[] = {0, 1, 3, 9, 14};
static const activation functions[] = {ACTIVATION_RELU, ACTIVATION_LEAKY, ACTIVATION_TANH, ACTIVATION_SIGMOID};

START_TEST(end_of_an_output)
{
    check_ends(&geometries[with_ends[_i]], functions[_i % 4]);
}
END_TEST

START_TEST(end_of_columns)
{
    if (device_info(d)->avoid_clblast) return;
    const geometry g = of_columns(with_ends[_i]);
    check_ends(&g, functions[_i % 4]);
}
END_TEST

/* Fewer samples than the plan is for, and padded channels that stay zero. */
START_TEST(parts_and_padding)
{
    const geometry *g = &geometries[3];
    const conv_shape *s = &g->s;
    tensors t = tensors_new(g);
    run_all(g, &t);
    float *whole = tensor_values(&t.forward);
    conv_plan *p = NULL;
    OK(conv_plan_new(c, d, s, CONV_FORWARD, 50, 1, NULL, &p));
    OK(conv_pack(c, p, t.w.b));
    OK(buffer_fill_float(c, t.forward.b, 0, t.forward.count * sizeof(float), NAN));
    OK(conv_forward(c, p, 2, t.x.b, t.bias_y.b, NULL, t.forward.b));
    float *part = tensor_values(&t.forward);
    const size_t co = (size_t)layout_channels(s->co), two = 2 * y_pixels(s, 1) * co;
    ck_assert(!memcmp(part, whole, two * sizeof(float)));
    for (size_t i = two; i < t.forward.count; i++) ck_assert_msg(isnan(part[i]), "element %zu was written", i);
    for (size_t i = 0; i < t.forward.count; i++)
        ck_assert_msg(i % co < (size_t)s->co || whole[i] == 0, "padded element %zu is %g", i, whole[i]);
    conv_plan_delete(&p);
    free(whole), free(part);
    tensors_delete(&t);
}
END_TEST

static void refuse(const conv_shape *s, int directions, int n, int micro, const char *says)
{
    conv_plan *p = NULL;
    ck_assert_int_eq(conv_plan_new(c, d, s, directions, n, micro, NULL, &p), STATUS_USAGE);
    ck_assert_ptr_null(p);
    ck_assert_msg(strstr(context_message(c), says), "\"%s\" does not say \"%s\"", context_message(c), says);
}

START_TEST(bad_input)
{
    const conv_shape good = {8, 8, 16, 4, 4, 32, 5, 2, 2, CONV_AUTO};
    conv_shape s = good;
    s.oh = 3;
    refuse(&s, ALL, 4, 1, "do not fit");
    s = good, s.h = 9; /* output padding 2 = stride */
    refuse(&s, ALL, 4, 1, "do not fit");
    s = good, s.stride = 0;
    refuse(&s, ALL, 4, 1, "at least 1");
    refuse(&good, 0, 4, 1, "at least 1");
    refuse(&good, ALL, 0, 1, "at least 1");
    refuse(&good, ALL, 1 << 22, 1, "2^31");
    setenv("COSMOCL_CONV_TILE", "rows=3,nonsense=4", 1);
    refuse(&good, ALL, 4, 1, "nonsense=4");
    setenv("COSMOCL_CONV_TILE", "vector=3", 1);
    refuse(&good, ALL, 4, 1, "COSMOCL_CONV_TILE");
    setenv("COSMOCL_CONV_TILE", "local_rows=3,local_columns=0", 1);
    refuse(&good, ALL, 4, 1, "local_columns");
    setenv("COSMOCL_CONV_TILE", "local_rows=3,local_columns=3,local_depth=3", 1);
    refuse(&good, ALL, 4, 1, "local_depth");
    unsetenv("COSMOCL_CONV_TILE");

    conv_plan *p = NULL;
    OK(conv_plan_new(c, d, &good, CONV_FORWARD, 4, 1, NULL, &p));
    tensor x = tensor_random(4 * 64, 16, 1), y = tensor_random(4 * 16, 32, 2), dw = tensor_empty(25 * 16 * 32);
    ck_assert_int_eq(conv_forward(c, p, 5, x.b, NULL, NULL, y.b), STATUS_USAGE);
    ck_assert_int_eq(conv_backward_data(c, p, 4, y.b, NULL, NULL, x.b), STATUS_USAGE);
    ck_assert_int_eq(conv_backward_weights(c, p, &(batching){4, 4, 4}, x.b, y.b, dw.b), STATUS_USAGE);
    ck_assert_int_eq(conv_forward(c, p, 4, y.b, NULL, NULL, y.b), STATUS_USAGE); /* x too small */
    ck_assert_msg(strstr(context_message(c), "conv_forward"), "%s", context_message(c));
    conv_plan_delete(&p);
    conv_plan_delete(&p);
    OK(conv_plan_new(c, d, &good, ALL, 4, 1, NULL, &p));
    ck_assert_int_eq(conv_backward_weights(c, p, &(batching){4, 4, 2}, x.b, y.b, dw.b), STATUS_USAGE);
    ck_assert_int_eq(conv_backward_weights(c, p, &(batching){4, 3, 3}, x.b, y.b, dw.b), STATUS_USAGE);
    conv_plan_delete(&p);
    tensor_delete(&x), tensor_delete(&y), tensor_delete(&dw);
}
END_TEST

/* A device with little memory works in smaller chunks, to the same bits; blocks of weights in parts of a micro-batch
 * and of the channels. */
START_TEST(little_memory)
{
    static const geometry parts = {{16, 16, 16, 8, 8, 64, 5, 2, 2, CONV_AUTO}, {6, 6, 4}};
    const geometry *g = _i == 2 ? &parts : &geometries[_i ? 3 : 14];
    device *whole = d;
    tensors t = tensors_new(g), u;
    run_all(g, &t);
    OK(device_open(c, &(device_options){.budget_bytes = 8 << 20}, &d));
    u = tensors_new(g);
    if (_i == 2) setenv("COSMOCL_CONV_TILE", "vector=4,local_rows=2,local_columns=2,local_depth=8,vectors=2", 1);
    run_all(g, &u);
    unsetenv("COSMOCL_CONV_TILE");
    ck_assert_uint_le(device_bytes_peak(d), 8 << 20);
    same_values(&t.forward, &u.forward, "forward");
    same_values(&t.backward, &u.backward, "backward data");
    same_values(&t.dw, &u.dw, "backward weights");
    tensors_delete(&u);
    device_delete(&d);
    d = whole;
    tensors_delete(&t);
}
END_TEST

/* CLBlast adds up in an order of its own, which another chunk may change: with little memory the oracle is met, and
 * twice the same bits come out. */
START_TEST(little_memory_of_columns)
{
    if (device_info(d)->avoid_clblast) return;
    const geometry g = of_columns(_i ? 3 : 0);
    device *whole = d;
    OK(device_open(c, &(device_options){.budget_bytes = 8 << 20}, &d));
    tensors t = tensors_new(&g), u = tensors_new(&g);
    run_all(&g, &t);
    run_all(&g, &u);
    ck_assert_uint_le(device_bytes_peak(d), 8 << 20);
    same_values(&t.forward, &u.forward, "forward");
    same_values(&t.backward, &u.backward, "backward data");
    same_values(&t.dw, &u.dw, "backward weights");
    tensors_delete(&t), tensors_delete(&u);
    check_all(&g);
    device_delete(&d);
    d = whole;
}
END_TEST

static size_t bytes_without_workspace(device *of)
{
    workspace_delete(of);
    return device_bytes_used(of);
}

/* Out of memory, of the device or the host, wherever it happens: a status that says for what, and nothing left behind.
 */
START_TEST(out_of_memory)
{
    if (_i && device_info(d)->avoid_clblast) return;
    const conv_shape s = {8, 8, 128, 4, 4, 256, 5, 2, 2, _i ? CONV_CLBLAST : CONV_AUTO};
    device *small = NULL;
    conv_plan *p = NULL;
    OK(device_open(c, &(device_options){.budget_bytes = 1 << 20}, &small));
    ck_assert_int_eq(conv_plan_new(c, small, &s, ALL, 50, 5, NULL, &p), STATUS_MEMORY);
    ck_assert_ptr_null(p);
    ck_assert_msg(strstr(context_message(c), _i ? "workspace" : "of a convolution"), "%s", context_message(c));
    ck_assert_uint_eq(bytes_without_workspace(small), 0);
    device_delete(&small);
    const size_t before = bytes_without_workspace(d);
    status e = STATUS_MEMORY;
    int failures = 0;
    while (e == STATUS_MEMORY) {
        memory_fail_at(failures + 1);
        e = conv_plan_new(c, d, &s, ALL, 50, 5, NULL, &p);
        if (e == STATUS_MEMORY) {
            ck_assert_ptr_null(p);
            ck_assert_uint_eq(bytes_without_workspace(d), before);
            failures++;
        }
    }
    memory_fail_at(0);
    OK(e);
    ck_assert_int_ge(failures, 4); /* the plan and its buffers */
    conv_plan_delete(&p);
    ck_assert_uint_eq(bytes_without_workspace(d), before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conv");
    TCase *t = tcase_create("conv");
    tcase_set_timeout(t, 300);
    tcase_add_unchecked_fixture(t, device_setup, device_teardown);
    tcase_add_loop_test(t, oracle, 0, GEOMETRIES);
    tcase_add_loop_test(t, same_bits_for_every_tile, 0, 8);
    tcase_add_loop_test(t, end_of_an_output, 0, 5);
    tcase_add_loop_test(t, same_bits_for_every_block, 0, 11);
    tcase_add_loop_test(t, little_memory, 0, 3);
    tcase_add_test(t, order_of_sums);
    tcase_add_loop_test(t, order_of_micro_batches, 0, 2);
    tcase_add_test(t, parts_and_padding);
    tcase_add_test(t, bad_input);
    tcase_add_loop_test(t, out_of_memory, 0, 1);
    suite_add_tcase(suite, t);
    t = tcase_create("columns");
    tcase_set_timeout(t, 300);
    tcase_add_unchecked_fixture(t, device_setup, device_teardown);
    tcase_add_loop_test(t, oracle_of_columns, 0, GEOMETRIES + BY_COLUMNS);
    tcase_add_loop_test(t, same_bits_of_columns, 0, 5);
    tcase_add_loop_test(t, end_of_columns, 0, 5);
    tcase_add_loop_test(t, little_memory_of_columns, 0, 2);
    tcase_add_loop_test(t, out_of_memory, 1, 2);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
