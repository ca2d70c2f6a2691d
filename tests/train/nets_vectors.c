/* Ten training steps against PyTorch in float64 (vectors.h5, made by make_vectors.py): every parameter tensor and the
 * losses within a relative L2 error of 1e-3, for each case of loss, normalisation, update and odd sizes. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "io/hdf5.h"
#include "nets/gan.h"

enum { STEPS = 10 };
static const double bound = 1e-3;

static context *c;
static device *d;
static h5_file *vectors;

static void print_line(void *user, log_level level, const char *text)
{
    (void)user, (void)level;
    fprintf(stderr, "%s\n", text);
}

static void must(status s)
{
    ck_assert_msg(s == STATUS_OK, "%s", context_message(c));
}

static double real_of(const char *group, const char *name)
{
    double x = 0;
    must(h5_read_real(c, vectors, group, name, &x));
    return x;
}

static void text_of(const char *group, const char *name, char *out, size_t size)
{
    char *text = NULL;
    must(h5_read_text(c, vectors, group, name, &text));
    snprintf(out, size, "%s", text);
    memory_delete(&text);
}

static void read_case(const char *group, gan_options *o, network_shape *s)
{
    char norm[16], loss[32], update[32];
    double filters[NETWORK_LAYERS];
    text_of(group, "norm", norm, sizeof norm);
    text_of(group, "loss", loss, sizeof loss);
    text_of(group, "update", update, sizeof update);
    *o = (gan_options){.loss = strcmp(loss, "minimax") ? LOSS_NON_SATURATING : LOSS_MINIMAX,
                       .update = strcmp(update, "simultaneous") ? UPDATE_SAME_Z : UPDATE_SIMULTANEOUS,
                       .batch = (int)real_of(group, "batch"),
                       .micro_batch = (int)real_of(group, "micro_batch"),
                       .lr_g = real_of(group, "lr"),
                       .lr_d = real_of(group, "lr"),
                       .beta1 = 0.5,
                       .beta2 = 0.999,
                       .epsilon = 1e-8,
                       .seed = 1};
    *s = (network_shape){.image = (int)real_of(group, "image"),
                         .latent = (int)real_of(group, "latent"),
                         .kernel = (int)real_of(group, "kernel"),
                         .groups = (int)real_of(group, "groups"),
                         .leak = 0.2f,
                         .norm = strcmp(norm, "none") == 0 ? NORM_NONE
                                 : strcmp(norm, "batch")   ? NORM_GROUP
                                                           : NORM_BATCH};
    must(h5_read_reals(c, vectors, group, "filters", NETWORK_LAYERS, filters, &s->count));
    for (int i = 0; i < s->count; i++) s->filters[i] = (int)filters[i];
}

static float *read_tensor(const char *object, size_t elements)
{
    float *x = NULL;
    must(memory_new(c, "tensor", elements, sizeof *x, &x));
    must(h5_read(c, vectors, object, H5_FLOAT32, elements, x));
    return x;
}

static void object_of(char *object, size_t size, const char *group, const char *when, const network *n,
                      const parameter *p)
{
    snprintf(object, size, "%s/%s/%s/%.*s", group, when, n->kind == NETWORK_GENERATOR ? "generator" : "discriminator",
             (int)sizeof p->name - 1, p->name);
}

static void load_weights(const char *group, network *n)
{
    parameter list[PARAMETERS];
    int count = parameters_list(n, list);
    float *host = NULL;
    char object[256];
    must(memory_new(c, "host", n->parameters, sizeof *host, &host));
    for (int i = 0; i < count; i++) {
        object_of(object, sizeof object, group, "before", n, &list[i]);
        float *x = read_tensor(object, list[i].elements);
        if (parameter_is_trained(&list[i]))
            parameter_put(n, &list[i], host, x);
        else
            must(parameter_write_running(c, n, &list[i], x));
        memory_delete(&x);
    }
    must(parameters_upload(c, n, ARENA_VALUE, host));
    must(network_pack(c, n));
    memory_delete(&host);
}

static double relative(const float *a, const float *b, size_t n)
{
    double difference = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    return sqrt(difference / (norm > 0 ? norm : 1));
}

static void compare_weights(const char *group, network *n)
{
    parameter list[PARAMETERS];
    int count = parameters_list(n, list);
    float *host = NULL, *mine = NULL;
    char object[256];
    must(parameters_download(c, n, ARENA_VALUE, &host));
    for (int i = 0; i < count; i++) {
        object_of(object, sizeof object, group, "after", n, &list[i]);
        float *theirs = read_tensor(object, list[i].elements);
        must(memory_new(c, "tensor", list[i].elements, sizeof *mine, &mine));
        if (parameter_is_trained(&list[i]))
            parameter_take(n, &list[i], host, mine);
        else
            must(parameter_read_running(c, n, &list[i], mine));
        double e = relative(mine, theirs, list[i].elements);
        ck_assert_msg(e < bound, "%s: relative L2 error %.2e", object, e);
        object_of(object, sizeof object, group, "before", n, &list[i]);
        float *before = read_tensor(object, list[i].elements);
        double moved = relative(before, theirs, list[i].elements);
        ck_assert_msg(e < 0.1 * moved, "%s: relative error %.2e of what training moved by %.2e", object, e, moved);
        memory_delete(&before);
        memory_delete(&theirs);
        memory_delete(&mine);
    }
    memory_delete(&host);
}

static void write_batch(gan *g, const float *x, const float *z)
{
    int latent = g->generator->shape.latent, stride = layout_channels(latent), batch = g->o.batch;
    float *padded = NULL;
    must(memory_new(c, "latents", (size_t)batch * stride, sizeof *padded, &padded));
    for (int i = 0; i < batch; i++) memcpy(padded + i * stride, z + i * latent, latent * sizeof *z);
    must(buffer_write(c, g->latents, 0, padded, (size_t)batch * stride * sizeof *padded));
    must(buffer_write(c, g->images, 0, x, buffer_bytes(g->generated)));
    memory_delete(&padded);
}

static void run_case(const char *group)
{
    gan_options o;
    network_shape s;
    gan *g = NULL;
    char object[64];
    read_case(group, &o, &s);
    must(gan_new(c, d, &o, &s, &g));
    load_weights(group, g->generator);
    load_weights(group, g->discriminator);
    size_t images = (size_t)o.batch * s.image * s.image, latents = (size_t)o.batch * s.latent;
    snprintf(object, sizeof object, "%s/x", group);
    float *x = read_tensor(object, STEPS * images);
    snprintf(object, sizeof object, "%s/z", group);
    float *z = read_tensor(object, STEPS * latents);
    snprintf(object, sizeof object, "%s/losses", group);
    float *losses = read_tensor(object, STEPS * 2), rows[STEPS][LOSS_COLUMNS], mine[2 * STEPS];
    for (int i = 0; i < STEPS; i++) {
        write_batch(g, x + i * images, z + i * latents);
        must(gan_step(c, g));
    }
    must(buffer_read(c, g->metrics, 0, rows, sizeof rows));
    for (int i = 0; i < STEPS; i++) mine[2 * i] = rows[i][LOSS_D], mine[2 * i + 1] = rows[i][LOSS_G];
    double e = relative(mine, losses, 2 * STEPS);
    ck_assert_msg(e < bound, "%s: relative error of the losses %.2e", group, e);
    compare_weights(group, g->generator);
    compare_weights(group, g->discriminator);
    memory_delete(&x);
    memory_delete(&z);
    memory_delete(&losses);
    gan_delete(&g);
}

START_TEST(minimax_without_normalisation)
{
    run_case("/minimax");
}
END_TEST
START_TEST(batch_normalisation)
{
    run_case("/batch_norm");
}
END_TEST
START_TEST(group_normalisation)
{
    run_case("/group_norm");
}
END_TEST
START_TEST(simultaneous_updates)
{
    run_case("/simultaneous");
}
END_TEST

int main(void)
{
    char path[4096];
    const context_sinks sinks = {.line = print_line, .level = LOG_WARNING};
    const char *source = getenv("COSMOCL_SOURCE");
    c = context_new(&sinks);
    snprintf(path, sizeof path, "%s/tests/train/vectors.h5", source ? source : ".");
    if (h5_open(c, path, &vectors) || device_open(c, &(device_options){0}, &d)) {
        fprintf(stderr, "%s\n", context_message(c));
        return 1;
    }
    Suite *suite = suite_create("ten steps against PyTorch");
    TCase *t = tcase_create("cases");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, minimax_without_normalisation);
    tcase_add_test(t, batch_normalisation);
    tcase_add_test(t, group_normalisation);
    tcase_add_test(t, simultaneous_updates);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    h5_delete(&vectors);
    device_delete(&d);
    context_delete(&c);
    return failed != 0;
}
