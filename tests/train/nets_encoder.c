/* The encoder in front of frozen networks. Ten steps against PyTorch in float64 (encoder_vectors.h5, made by
 * make_vectors.py): losses, every tensor, then codes, inferred images and the loss with the encoder frozen too, for
 * each loss and normalisation. Beside them what needs no oracle: the gradient agrees with differences of the loss,
 * frozen networks and padding stay untouched, no setting changes a bit, what is not finite is flagged. */
#include "train/vectors_test.h"
#include "nets/autoencoder.h"
#include "ops/launch.h"

/* As make_vectors.py has them. */
enum { PART = 5, DRAW = 3 };

static const char *const cases[] = {"/latent_batch", "/latent_none", "/latent_group", "/pixel_batch",
                                    "/pixel_none",   "/z_batch",     "/z_none"};
enum { CASES = sizeof cases / sizeof cases[0] };

static float *read_named(const char *group, const char *name, size_t elements)
{
    char object[128];
    snprintf(object, sizeof object, "%s/%s", group, name);
    return read_tensor(object, elements);
}

static float *download(buffer *b, size_t count)
{
    float *x = NULL;
    must(memory_new(c, "download", count, sizeof *x, &x));
    must(buffer_read(c, b, 0, x, count * sizeof *x));
    return x;
}

static int pixels_of(const autoencoder *a)
{
    return a->encoder->shape.image * a->encoder->shape.image;
}

/* The batches of images of a case: STEPS of them, or with loss z the first alone. */
static float *images_of(const char *group, const autoencoder *a)
{
    return read_named(group, "x", (a->o.loss == ENCODER_Z ? 1 : STEPS) * (size_t)a->o.batch * pixels_of(a));
}

/* The case's autoencoder, loaded, with the first batch of images in it. */
static autoencoder *load_case(const char *group)
{
    char loss[16];
    network_shape s;
    autoencoder *a = NULL;
    read_shape(group, &s);
    text_of(group, "loss", loss, sizeof loss);
    encoder_options o = {.loss = *loss == 'l'   ? ENCODER_LATENT
                                 : *loss == 'p' ? ENCODER_PIXEL
                                                : ENCODER_Z,
                         .batch = (int)real_of(group, "batch"),
                         .micro_batch = (int)real_of(group, "micro_batch"),
                         .lr = real_of(group, "lr"),
                         .beta1 = 0.5,
                         .beta2 = 0.999,
                         .epsilon = 1e-8,
                         .seed = (uint64_t)real_of(group, "seed")};
    must(autoencoder_new(c, d, &o, &s, &a));
    load_weights(group, a->generator);
    load_weights(group, a->encoder);
    if (a->discriminator) load_weights(group, a->discriminator);
    float *x = images_of(group, a);
    must(buffer_write(c, a->images, 0, x, (size_t)o.batch * pixels_of(a) * sizeof *x));
    memory_delete(&x);
    return a;
}

static void compare_numbers(const char *group, const char *what, const float *mine, size_t n)
{
    float *theirs = read_named(group, what, n);
    double e = relative(mine, theirs, n);
    ck_assert_msg(e < bound, "%s: relative error of %s %.2e", group, what, e);
    memory_delete(&theirs);
}

/* With everything frozen: codes (padding stays zero), images, and the loss of a part of a batch. */
static void compare_frozen(const char *group, autoencoder *a)
{
    int latent = a->encoder->shape.latent, stride = layout_channels(latent);
    buffer *codes = NULL, *images = NULL;
    float packed[PART * 64], row = 0;
    must(autoencoder_infer(c, a, PART, &codes, &images));
    float *wide = download(codes, (size_t)PART * stride), *made = download(images, (size_t)PART * pixels_of(a));
    for (int i = 0; i < PART * stride; i++)
        if (i % stride < latent)
            packed[i / stride * latent + i % stride] = wide[i];
        else
            ck_assert_msg(wide[i] == 0, "%s: padding of the codes is %g", group, (double)wide[i]);
    compare_numbers(group, "codes", packed, (size_t)PART * latent);
    compare_numbers(group, "inferred", made, (size_t)PART * pixels_of(a));
    must(autoencoder_validate(c, a, PART, DRAW, 7));
    must(buffer_read(c, a->metrics, 7 * sizeof row, &row, sizeof row));
    compare_numbers(group, "validation", &row, 1);
    memory_delete(&wide);
    memory_delete(&made);
}

START_TEST(ten_steps_against_pytorch)
{
    const char *group = cases[_i];
    autoencoder *a = load_case(group);
    size_t batch = (size_t)a->o.batch * pixels_of(a);
    float *x = images_of(group, a), losses[STEPS];
    for (int i = 0; i < STEPS; i++) {
        if (a->o.loss != ENCODER_Z) must(buffer_write(c, a->images, 0, x + i * batch, batch * sizeof *x));
        must(autoencoder_step(c, a));
    }
    ck_assert_int_eq(a->step, STEPS);
    must(buffer_read(c, a->metrics, 0, losses, sizeof losses));
    compare_numbers(group, "losses", losses, STEPS);
    compare_weights(group, a->encoder);
    must(buffer_write(c, a->images, 0, x, batch * sizeof *x));
    compare_frozen(group, a);
    memory_delete(&x);
    autoencoder_delete(&a);
}
END_TEST

static float *arena_of(network *n, arena which)
{
    float *host = NULL;
    must(parameters_download(c, n, which, &host));
    return host;
}

/* Parameters moved by h along the direction u. */
static double loss_at(autoencoder *a, const float *start, const float *u, double h)
{
    float *moved = NULL, row = 0;
    size_t n = a->encoder->parameters;
    must(memory_new(c, "moved", n, sizeof *moved, &moved));
    for (size_t i = 0; i < n; i++) moved[i] = (float)(start[i] + h * u[i]);
    must(parameters_upload(c, a->encoder, ARENA_VALUE, moved));
    must(network_pack(c, a->encoder));
    must(autoencoder_validate(c, a, a->o.batch, 0, 0));
    must(buffer_read(c, a->metrics, 0, &row, sizeof row));
    memory_delete(&moved);
    return row;
}

/* The derivative along the gradient g is |g|². Without batch normalisation in E its frozen pass is the trained one. The
 * step changes the loss by 1e-4 of it: differences then err by some 5e-4 from rounding, and little from the kinks of
 * ReLU that it crosses (measured: 3e-4 in all); a lost factor of one layer errs by far more. */
START_TEST(gradient_agrees_with_differences)
{
    const char *group = (const char *const[]){"/latent_none", "/latent_group", "/pixel_none"}[_i];
    autoencoder *a = load_case(group);
    float *start = arena_of(a->encoder, ARENA_VALUE), row = 0;
    must(autoencoder_step(c, a));
    must(buffer_read(c, a->metrics, 0, &row, sizeof row));
    float *g = arena_of(a->encoder, ARENA_GRADIENT);
    double square = 0;
    for (size_t i = 0; i < a->encoder->parameters; i++) square += (double)g[i] * g[i];
    double h = 1e-4 * row / square;
    double slope = (loss_at(a, start, g, h) - loss_at(a, start, g, -h)) / (2 * h);
    ck_assert_msg(fabs(slope / square - 1) < 3e-3, "%s: slope %.8g, gradient %.8g", group, slope, square);
    memory_delete(&start);
    memory_delete(&g);
    autoencoder_delete(&a);
}
END_TEST

static bool same_floats(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* Parameters and running statistics of a frozen network one after the other. */
static float *everything_of(network *n, size_t *count)
{
    float *all = NULL, *value = arena_of(n, ARENA_VALUE);
    *count = n->parameters;
    for (int i = 0; i < n->count; i++)
        if (n->layers[i].running_mean) *count += 2 * buffer_bytes(n->layers[i].running_mean) / sizeof(float);
    must(memory_new(c, "all", *count, sizeof *all, &all));
    memcpy(all, value, n->parameters * sizeof *all);
    float *next = all + n->parameters;
    for (int i = 0; i < n->count; i++) {
        layer *l = &n->layers[i];
        if (!l->running_mean) continue;
        must(buffer_read(c, l->running_mean, 0, next, buffer_bytes(l->running_mean)));
        next += buffer_bytes(l->running_mean) / sizeof(float);
        must(buffer_read(c, l->running_var, 0, next, buffer_bytes(l->running_var)));
        next += buffer_bytes(l->running_var) / sizeof(float);
    }
    memory_delete(&value);
    return all;
}

START_TEST(frozen_networks_stay_as_they_were)
{
    autoencoder *a = load_case("/latent_batch");
    network *frozen[] = {a->generator, a->discriminator};
    float *before[2];
    size_t count;
    for (int i = 0; i < 2; i++) before[i] = everything_of(frozen[i], &count);
    for (int i = 0; i < 2; i++) must(autoencoder_step(c, a));
    must(autoencoder_validate(c, a, 3, 0, 0));
    for (int i = 0; i < 2; i++) {
        float *after = everything_of(frozen[i], &count);
        ck_assert_msg(same_floats(before[i], after, count), "network %d was written to", i);
        ck_assert(!frozen[i]->gradient && !frozen[i]->m && !frozen[i]->v);
        memory_delete(&after);
        memory_delete(&before[i]);
    }
    autoencoder_delete(&a);
}
END_TEST

/* The codes' gradient has none in the padding either, for which the dense layers' padded weights care. */
START_TEST(padding_has_no_gradient)
{
    autoencoder *a = load_case(_i ? "/z_batch" : "/latent_batch");
    int latent = a->encoder->shape.latent, stride = layout_channels(latent);
    must(autoencoder_step(c, a));
    float *gradient = download(a->dout, (size_t)a->o.batch * stride), largest = 0;
    for (int i = 0; i < a->o.batch * stride; i++) {
        if (i % stride >= latent) ck_assert(gradient[i] == 0);
        largest = fmaxf(largest, fabsf(gradient[i]));
    }
    ck_assert(largest > 0);
    memory_delete(&gradient);
    autoencoder_delete(&a);
}
END_TEST

/* Parameters, moments and losses after three steps and a validation. */
static float *run_short(const char *group, size_t *count)
{
    autoencoder *a = load_case(group);
    float *value, *m, *metrics;
    for (int i = 0; i < 3; i++) must(autoencoder_step(c, a));
    must(autoencoder_validate(c, a, 4, 1, 20));
    size_t n = a->encoder->parameters;
    *count = 2 * n + ENCODER_METRIC_ROWS;
    value = arena_of(a->encoder, ARENA_VALUE);
    m = arena_of(a->encoder, ARENA_M);
    metrics = download(a->metrics, ENCODER_METRIC_ROWS);
    must(memory_grow(c, "all", n, *count, sizeof *value, &value));
    memcpy(value + n, m, n * sizeof *value);
    memcpy(value + 2 * n, metrics, ENCODER_METRIC_ROWS * sizeof *value);
    memory_delete(&m);
    memory_delete(&metrics);
    autoencoder_delete(&a);
    return value;
}

START_TEST(no_setting_changes_a_bit)
{
    const char *group = (const char *const[]){"/latent_batch", "/pixel_none", "/z_batch"}[_i];
    size_t count;
    float *first = run_short(group, &count);
    for (int way = 0; way < 2; way++) {
        if (way)
            launch_shape_set(4, 3);
        else
            setenv("COSMOCL_CONV_TILE", "vector=4,rows=3,vectors=1,group=3,weight_pixels=9,jobs=7,items=3", 1);
        float *other = run_short(group, &count);
        launch_shape_set(0, 0);
        unsetenv("COSMOCL_CONV_TILE");
        ck_assert_msg(same_floats(first, other, count), "%s: other bits (%d)", group, way);
        memory_delete(&other);
    }
    memory_delete(&first);
}
END_TEST

/* The validation of n images is that of the same images alone in a smaller autoencoder, and does not train. */
START_TEST(part_of_a_batch)
{
    autoencoder *a = load_case("/latent_batch");
    float *before = arena_of(a->encoder, ARENA_VALUE), rows[4];
    size_t image = (size_t)pixels_of(a) * sizeof(float);
    must(autoencoder_validate(c, a, a->o.batch, 0, 0));
    must(autoencoder_validate(c, a, 3, 0, 1));
    must(buffer_fill_float(c, a->images, 3 * image, (a->o.batch - 3) * image, NAN));
    must(autoencoder_validate(c, a, 3, 0, 2));
    must(buffer_read(c, a->metrics, 0, rows, sizeof rows));
    ck_assert(rows[0] > 0 && rows[0] != rows[1] && rows[1] == rows[2] && rows[3] == 0);
    float *after = arena_of(a->encoder, ARENA_VALUE);
    ck_assert(same_floats(before, after, a->encoder->parameters) && a->step == 0);
    memory_delete(&before);
    memory_delete(&after);
    autoencoder_delete(&a);
}
END_TEST

START_TEST(what_is_not_finite_is_flagged)
{
    autoencoder *a = load_case("/pixel_none");
    int32_t flag = 0;
    must(autoencoder_step(c, a));
    must(buffer_read(c, a->flag, 0, &flag, sizeof flag));
    ck_assert_int_eq(flag, 0);
    must(buffer_fill_float(c, a->images, 64, sizeof(float), NAN));
    must(autoencoder_step(c, a));
    must(buffer_read(c, a->flag, 0, &flag, sizeof flag));
    ck_assert_int_eq(flag, 1);
    float *value = arena_of(a->encoder, ARENA_VALUE);
    for (size_t i = 0; i < a->encoder->parameters; i++) ck_assert(isfinite(value[i]));
    memory_delete(&value);
    autoencoder_delete(&a);
}
END_TEST

START_TEST(wrong_calls_are_refused)
{
    autoencoder *a = load_case("/latent_batch");
    buffer *codes = NULL, *images = NULL;
    ck_assert_int_eq(autoencoder_validate(c, a, 0, 0, 0), STATUS_USAGE);
    ck_assert_int_eq(autoencoder_validate(c, a, a->o.batch + 1, 0, 0), STATUS_USAGE);
    ck_assert_int_eq(autoencoder_validate(c, a, 1, 0, ENCODER_METRIC_ROWS), STATUS_USAGE);
    ck_assert_int_eq(autoencoder_infer(c, a, a->o.batch + 1, &codes, &images), STATUS_USAGE);
    /* A frozen pass through batch normalisation has no gradients of the parameters. */
    must(network_forward(c, a->encoder, PASS_FROZEN, &a->one, a->images, &codes));
    ck_assert_int_eq(network_backward(c, a->encoder, &a->one, a->images, a->dout, true, NULL), STATUS_USAGE);
    autoencoder_delete(&a);
    autoencoder_delete(&a);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, ten_steps_against_pytorch, 0, CASES);
    tcase_add_loop_test(t, gradient_agrees_with_differences, 0, 3);
    tcase_add_test(t, frozen_networks_stay_as_they_were);
    tcase_add_loop_test(t, padding_has_no_gradient, 0, 2);
    tcase_add_loop_test(t, no_setting_changes_a_bit, 0, 3);
    tcase_add_test(t, part_of_a_batch);
    tcase_add_test(t, what_is_not_finite_is_flagged);
    tcase_add_test(t, wrong_calls_are_refused);
}

int main(void)
{
    return vectors_main("encoder_vectors.h5", "encoder", add);
}
