/* What the tests against PyTorch share: the open file of vectors and device, a case's configuration, its weights put
 * into a network and compared with those after training. */
#ifndef TESTS_VECTORS_TEST_H
#define TESTS_VECTORS_TEST_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "io/hdf5.h"
#include "nets/parameters.h"

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

static void read_shape(const char *group, network_shape *s)
{
    char norm[16];
    double filters[NETWORK_LAYERS];
    text_of(group, "norm", norm, sizeof norm);
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
    static const char *const kinds[] = {"generator", "discriminator", "encoder"};
    snprintf(object, size, "%s/%s/%s/%.*s", group, when, kinds[n->kind], (int)sizeof p->name - 1, p->name);
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

/* Opens tests/train/FILE and a device, runs the suite and closes them. */
static int vectors_main(const char *file, const char *name, void (*add)(TCase *))
{
    char path[4096];
    const context_sinks sinks = {.line = print_line, .level = LOG_WARNING};
    const char *source = getenv("COSMOCL_SOURCE");
    c = context_new(&sinks);
    snprintf(path, sizeof path, "%s/tests/train/%s", source ? source : ".", file);
    if (h5_open(c, path, &vectors) || device_open(c, &(device_options){0}, &d)) {
        fprintf(stderr, "%s\n", context_message(c));
        return 1;
    }
    Suite *suite = suite_create(name);
    TCase *t = tcase_create("cases");
    tcase_set_timeout(t, 300);
    add(t);
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

#endif
