/* The same seed gives the same bits twice; a run stopped at any step and resumed gives the bits of an uninterrupted
 * one; a damaged state falls back to the one before it; a gradient that is not finite stops the run. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/files.h"
#include "base/memory.h"
#include "base/rng.h"
#include "nets/gan.h"
#include "nets/generate.h"

enum { PARENTS = 2, SIDE = 32, CROP = 16, TOTAL = 23, SAVE_EVERY = 4 };

static context *c;
static device *d;
static buffer *parents;
static char folder[64];
static int stop_after; /* steps of progress until a stop is asked for; 0: never */

static void print_line(void *user, log_level level, const char *text)
{
    (void)user, (void)level;
    fprintf(stderr, "%s\n", text);
}

static void must(status s)
{
    ck_assert_msg(s == STATUS_OK, "%s", context_message(c));
}

static gan_options options(float average)
{
    return (gan_options){.loss = LOSS_NON_SATURATING,
                         .update = UPDATE_FRESH_Z,
                         .label_noise = 0.1f,
                         .batch = 7,
                         .micro_batch = 3,
                         .lr_g = 2e-4,
                         .lr_d = 2e-4,
                         .beta1 = 0.5,
                         .beta2 = 0.999,
                         .epsilon = 1e-8,
                         .average = average,
                         .seed = 5};
}

static const network_shape shape = {.image = CROP,
                                    .latent = 6,
                                    .count = 2,
                                    .filters = {8, 24},
                                    .kernel = 5,
                                    .groups = 4,
                                    .leak = 0.2f,
                                    .norm = NORM_BATCH};
static const maps described = {.box_mpc_h = 50,
                               .mean = 4,
                               .redshift = 0,
                               .dims = 2,
                               .transform = "log",
                               .a = -4.6,
                               .b = 6.4,
                               .unit = "overdensity"};

/* Epochs of two steps where a stop is to fall soon. */
static uint32_t sub_images(void)
{
    return stop_after ? 14 : PARENTS * CROP_PER_PARENT;
}

/* Asks for the stop from within, so that it falls at a step that is the same every time. */
static status order(void *user, context *k, uint32_t epoch, uint32_t *indices)
{
    (void)user;
    rng_permutation(5, RNG_SHUFFLE, epoch, sub_images(), indices);
    if (stop_after && epoch == (uint32_t)stop_after) context_request_stop(k);
    return STATUS_OK;
}

static status train(context *k, const char *name, float average, int64_t steps, bool resume, gan **out)
{
    gan *g = NULL;
    char path[128];
    gan_options o = options(average);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    gan_data data = {
        .crop = {PARENTS, SIDE, SIDE, CROP}, .parents = parents, .order = order, .sub_images = sub_images()};
    provenance origin = {.device = "test"};
    gan_run run = {.folder = path,
                   .steps = steps,
                   .save_every = SAVE_EVERY,
                   .trained_on = &described,
                   .origin = &origin,
                   .resume_hint = "again",
                   .resume = resume,
                   .replace = true};
    status s = gan_new(k, d, &o, &shape, &g);
    if (!s) s = gan_initialise(k, g, INIT_DCGAN);
    if (!s) s = gan_train(k, g, &data, &run);
    if (out)
        *out = g;
    else
        gan_delete(&g);
    return s;
}

static void chain_of(const char *name, char chain[SHA256_TEXT])
{
    char path[128];
    checkpoint k;
    snprintf(path, sizeof path, "%s/%s/state.h5", folder, name);
    must(checkpoint_describe(c, path, &k));
    memcpy(chain, k.chain, SHA256_TEXT);
}

static void same_chain(const char *a, const char *b)
{
    char x[SHA256_TEXT], y[SHA256_TEXT];
    chain_of(a, x);
    chain_of(b, y);
    ck_assert_str_eq(x, y);
}

static char *metrics_of(const char *name)
{
    char path[128], *text = NULL;
    size_t size;
    snprintf(path, sizeof path, "%s/%s/metrics.jsonl", folder, name);
    must(files_read(c, path, &text, &size));
    return text;
}

static void same_arena(gan *a, gan *b)
{
    network *pairs[2][2] = {{a->generator, b->generator}, {a->discriminator, b->discriminator}};
    for (int i = 0; i < 2; i++)
        for (int w = ARENA_VALUE; w <= ARENA_V; w++) {
            float *x = NULL, *y = NULL;
            if (w == ARENA_GRADIENT) continue;
            must(parameters_download(c, pairs[i][0], (arena)w, &x));
            must(parameters_download(c, pairs[i][1], (arena)w, &y));
            ck_assert_msg(memcmp(x, y, pairs[i][0]->parameters * sizeof *x) == 0, "network %d, arena %d differs", i, w);
            memory_delete(&x);
            memory_delete(&y);
        }
}

START_TEST(same_seed_same_bits)
{
    gan *a = NULL, *b = NULL;
    must(train(c, "first", 0, TOTAL, false, &a));
    must(train(c, "second", 0, TOTAL, false, &b));
    same_arena(a, b);
    same_chain("first", "second");
    gan_delete(&a);
    gan_delete(&b);
}
END_TEST

/* Runs in two parts, cut at any step: the first ends at the cut (its last state is there), the second goes on. */
START_TEST(resumed_gives_the_same_bits)
{
    gan *whole = NULL, *parts = NULL;
    char name[32];
    int cut = 1 + (int)((unsigned)getpid() * 2654435761u % (TOTAL - 1));
    float average = _i ? 0.9f : 0.0f;
    fprintf(stderr, "cut after step %d\n", cut);
    must(train(c, "whole", average, TOTAL, false, &whole));
    snprintf(name, sizeof name, "cut");
    must(train(c, name, average, cut, false, NULL));
    must(train(c, name, average, TOTAL, true, &parts));
    same_arena(whole, parts);
    same_chain("whole", name);
    int lines = 0;
    char *text = metrics_of(name);
    for (char *p = text; *p; p++) lines += *p == '\n';
    ck_assert_int_eq(lines, TOTAL);
    memory_delete(&text);
    gan_delete(&whole);
    gan_delete(&parts);
}
END_TEST

START_TEST(stop_request_saves_and_resumes)
{
    const context_sinks sinks = {.line = print_line, .level = LOG_WARNING};
    context *k = context_new(&sinks);
    gan *whole = NULL, *parts = NULL;
    stop_after = 3;
    ck_assert_int_eq(train(k, "stopped", 0, TOTAL, false, NULL), STATUS_STOPPED);
    ck_assert_ptr_nonnull(strstr(context_message(k), "again"));
    ck_assert_ptr_nonnull(strstr(context_message(k), "step 7 of"));
    context_delete(&k);
    stop_after = 1000;
    must(train(c, "stopped", 0, TOTAL, true, &parts));
    must(train(c, "unstopped", 0, TOTAL, false, &whole));
    stop_after = 0;
    same_arena(whole, parts);
    same_chain("stopped", "unstopped");
    gan_delete(&whole);
    gan_delete(&parts);
}
END_TEST

START_TEST(damaged_state_falls_back)
{
    gan *whole = NULL, *parts = NULL;
    char path[128];
    must(train(c, "damaged", 0, 10, false, NULL)); /* states at 8 and 10 */
    snprintf(path, sizeof path, "%s/damaged/state.h5", folder);
    ck_assert_int_eq(truncate(path, 5000), 0);
    must(train(c, "damaged", 0, TOTAL, true, &parts));
    must(train(c, "undamaged", 0, TOTAL, false, &whole));
    same_arena(whole, parts);
    same_chain("damaged", "undamaged");
    snprintf(path, sizeof path, "%s/damaged/state.previous.h5", folder);
    ck_assert_int_eq(truncate(path, 5000), 0);
    snprintf(path, sizeof path, "%s/damaged/state.h5", folder);
    ck_assert_int_eq(truncate(path, 5000), 0);
    ck_assert_int_eq(train(c, "damaged", 0, TOTAL, true, NULL), STATUS_DATA);
    ck_assert_int_eq(train(c, "never", 0, TOTAL, true, NULL), STATUS_DATA);
    gan_delete(&whole);
    gan_delete(&parts);
}
END_TEST

START_TEST(not_finite_stops)
{
    gan *g = NULL;
    char path[128];
    float bad = 0.0f / 0.0f;
    snprintf(path, sizeof path, "%s/nan", folder);
    /* A NaN in a parent map, as if memory had failed: seen, named, and the state before it stays usable. */
    float good;
    must(buffer_read(c, parents, 500, &good, sizeof good));
    must(buffer_write(c, parents, 500, &bad, sizeof bad));
    ck_assert_int_eq(train(c, "nan", 0, TOTAL, false, &g), STATUS_FAILURE);
    ck_assert_msg(strstr(context_message(c), "finite") != NULL, "%s", context_message(c));
    must(buffer_write(c, parents, 500, &good, sizeof good));
    gan_delete(&g);
    must(train(c, "nan", 0, TOTAL, true, NULL));
}
END_TEST

START_TEST(same_latents_same_images)
{
    sampler *s = NULL;
    char path[128];
    float a[5 * CROP * CROP], b[5 * CROP * CROP], one[CROP * CROP];
    must(train(c, "sampled", 0, 8, false, NULL));
    snprintf(path, sizeof path, "%s/sampled/epochs/0002.h5", folder);
    must(sampler_new(c, d, path, 2, &s));
    must(sampler_run(c, s, NULL, 9, RNG_GENERATE, 5, a));
    must(sampler_run(c, s, NULL, 9, RNG_GENERATE, 5, b));
    ck_assert_mem_eq(a, b, sizeof a);
    float latents[6] = {0.5f, -1, 2, 0, 0.25f, 1};
    must(sampler_run(c, s, latents, 0, RNG_GENERATE, 1, one));
    for (int i = 0; i < CROP * CROP; i++) ck_assert(one[i] > 0 && one[i] < 1e6f);
    must(sampler_run(c, s, NULL, 10, RNG_GENERATE, 5, b));
    ck_assert(memcmp(a, b, sizeof a) != 0);
    must(sampler_run(c, s, NULL, 9, RNG_SELECT, 5, b));
    ck_assert(memcmp(a, b, sizeof a) != 0);
    sampler_delete(&s);
}
END_TEST

static status make_parents(void)
{
    static double x[PARENTS * SIDE * SIDE];
    static float y[PARENTS * SIDE * SIDE];
    rng_normals(1, RNG_TEST, 0, 0, PARENTS * SIDE * SIDE, x);
    for (int i = 0; i < PARENTS * SIDE * SIDE; i++) y[i] = (float)(x[i] / 5);
    status s = buffer_new(c, d, "parents", sizeof y, &parents);
    return s ? s : buffer_write(c, parents, 0, y, sizeof y);
}

int main(void)
{
    const context_sinks sinks = {.line = print_line, .level = LOG_WARNING};
    c = context_new(&sinks);
    snprintf(folder, sizeof folder, "/tmp/cosmocl-resume-XXXXXX");
    if (!mkdtemp(folder) || device_open(c, &(device_options){0}, &d) || make_parents()) {
        fprintf(stderr, "%s\n", context_message(c));
        return 1;
    }
    Suite *suite = suite_create("training runs");
    TCase *t = tcase_create("runs");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, same_seed_same_bits);
    tcase_add_loop_test(t, resumed_gives_the_same_bits, 0, 2);
    tcase_add_test(t, stop_request_saves_and_resumes);
    tcase_add_test(t, damaged_state_falls_back);
    tcase_add_test(t, not_finite_stops);
    tcase_add_test(t, same_latents_same_images);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    buffer_delete(&parents);
    device_delete(&d);
    context_delete(&c);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command)) failed++;
    return failed != 0;
}
