/* `verify`: an interval of a training run over again on this device, compared with what the run left. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/ready.h"
#include "commands/recorded.h"
#include "commands/training_set.h"
#include "io/maps_transform.h"
#include "nets/encoder_train.h"
#include "nets/gan.h"
#include "nets/saved.h"

typedef struct {
    const command_line *line;
    const char *run;
    char path[FILES_PATH]; /* of a state or an epoch, which says how the run was made */
    char made_on[512], made_selftest[64];
    recorded made;
    checkpoint of;
    bool encoder;
    maps m;
    device *d;
    provenance here;
    gan *g;
    encoder_model e;
    training_verdict verdict;
} verification;

/* ---- how the run was made */

static status find_state(context *c, verification *v)
{
    for (int i = 0; i < SAVED_STATES; i++) {
        status s = saved_state_path(c, v->run, i, v->path);
        if (s || files_exists(v->path)) return s;
    }
    int64_t *numbers = NULL;
    int count = 0;
    status s = saved_epochs(c, v->run, &numbers, &count);
    if (!s && count) s = saved_epoch_path(c, v->run, numbers[count - 1], v->path);
    memory_delete(&numbers);
    if (s || count) return s;
    return context_fail(c, STATUS_DATA, "%s: is no training run (no %s, no epochs/)", v->run, saved_states[0]);
}

static status read_text(context *c, h5_file *f, const char *name, char *out, size_t size)
{
    char *text = NULL;
    status s = h5_read_text(c, f, "/provenance", name, &text);
    if (!s) snprintf(out, size, "%s", text);
    memory_delete(&text);
    return s;
}

static status read_run(context *c, verification *v)
{
    h5_file *f = NULL;
    status s = find_state(c, v);
    if (!s) s = checkpoint_describe(c, v->path, &v->of);
    if (!s) s = recorded_read(c, v->path, &v->made);
    if (!s && !v->made.cfg) s = context_fail(c, STATUS_DATA, "%s: does not say how it was made", v->path);
    if (!s) s = h5_open(c, v->path, &f);
    if (!s) s = read_text(c, f, "device", v->made_on, sizeof v->made_on);
    if (!s) s = read_text(c, f, "selftest", v->made_selftest, sizeof v->made_selftest);
    if (!s) v->encoder = h5_exists(f, "/encoder");
    h5_delete(&f);
    /* Another seed shows that a difference is seen. */
    if (!s && config_is_set(v->line->cfg, "run.seed"))
        s = config_set(c, v->made.cfg, "run.seed", config_text(v->line->cfg, "run.seed"), "--seed");
    return s;
}

static status read_maps(context *c, verification *v)
{
    char path[FILES_PATH];
    status s = recorded_maps(c, &v->made, v->line, v->run, path);
    if (!s) s = maps_read(c, path, &v->m);
    if (s) return s;
    if (!v->encoder) return maps_transform_complete(c, v->made.cfg, &v->m);
    maps_transform_inherit(&v->m, &v->of.trained_on);
    return STATUS_OK;
}

/* ---- the model as it was at first */

static status make_model(context *c, verification *v, const training_set *set, trainer *of)
{
    status s;
    if (!v->encoder) {
        s = training_gan_new(c, v->d, v->made.cfg, set, &v->g);
        if (!s) *of = gan_trainer(v->g);
        return s;
    }
    s = training_encoder_new(c, v->d, v->made.cfg, v->path, &v->e.a);
    if (!s) *of = encoder_trainer(&v->e);
    return s;
}

/* The rates may have been changed where the run went on; where no epoch follows, its last are those of the run. */
static status set_rates(void *user, context *c, const char *epoch_path)
{
    verification *v = user;
    recorded made = {0};
    status s = epoch_path ? recorded_read(c, epoch_path, &made) : STATUS_OK;
    const config *cfg = epoch_path ? made.cfg : v->made.cfg;
    if (!s && cfg && v->encoder) v->e.a->encoder->adam.lr = config_real(cfg, "encoder.lr");
    if (!s && cfg && !v->encoder) {
        v->g->generator->adam.lr = config_real(cfg, "gan.lr_g");
        v->g->discriminator->adam.lr = config_real(cfg, "gan.lr_d");
    }
    recorded_delete(&made);
    return s;
}

static status replay(context *c, verification *v)
{
    const config *cfg = v->made.cfg;
    training_set set = {0};
    trainer of;
    training_replay_options options = {.from = -1, .rates = set_rates, .user = v};
    status s = command_flag_integer(c, v->line, "from", 0, INT64_MAX / 2, &options.from);
    if (!s) s = command_flag_integer(c, v->line, "steps", 1, INT64_MAX / 2, &options.steps);
    if (!s) s = training_set_open(c, v->d, &v->m, cfg, &set);
    if (!s) s = make_model(c, v, &set, &of);
    if (!s) {
        const training_data source = training_set_source(&set);
        const training_run run = {.folder = v->run,
                                  .epochs = 1,
                                  .save_every =
                                      config_integer(cfg, v->encoder ? "encoder.save_every" : "gan.save_every"),
                                  .trained_on = &set.trained_on,
                                  .origin = &v->here};
        s = training_replay(c, &of, &source, &run, &options, &v->verdict);
    }
    if (!s && options.from > v->verdict.first)
        log_info(c, "no state is kept between steps %lld and %lld, so the replay began at %lld",
                 (long long)v->verdict.first + 1, (long long)options.from, (long long)v->verdict.first);
    gan_delete(&v->g);
    autoencoder_delete(&v->e.a);
    training_set_delete(&set);
    return s;
}

/* ---- what came of it */

static status print_json(context *c, const verification *v, bool same)
{
    const training_verdict *r = &v->verdict;
    json_t *root = json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:{s:s, s:s}, s:{s:s, s:s}, s:s}", "run", v->run,
                             "trained", v->encoder ? "encoder" : "gan", "first_step", (json_int_t)r->first + 1,
                             "last_step", (json_int_t)r->last, "start", r->start[0] ? r->start : "first weights",
                             "fingerprints", (json_int_t)r->hashes, "links", (json_int_t)r->links, "made", "device",
                             v->made_on, "selftest", v->made_selftest, "replayed", "device", v->here.device, "selftest",
                             v->here.selftest, "verdict", same ? "same" : "different");
    if (r->step) json_object_set_new(root, "first_differing_step", json_integer(r->step));
    if (r->file[0]) json_object_set_new(root, "differing_file", json_string(r->file));
    if (r->found[0]) json_object_set_new(root, "differing_tensor", json_string(r->found));
    if (!root) return context_fail(c, STATUS_MEMORY, "no memory for the result as JSON");
    json_dumpf(root, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

static void print_text(const verification *v, bool same)
{
    const training_verdict *r = &v->verdict;
    printf("steps         %lld to %lld, from %s\n", (long long)r->first + 1, (long long)r->last,
           r->start[0] ? r->start : "the first weights");
    printf("fingerprints  %lld compared%s\n", (long long)r->hashes, r->hashes ? "" : " (the run has none)");
    printf("links         %lld compared (saved epochs and states)\n", (long long)r->links);
    printf("made on       %s (self-test %s)\n", v->made_on, v->made_selftest);
    printf("replayed on   %s (self-test %s)\n", v->here.device, v->here.selftest);
    printf("verdict       %s\n", same ? "same" : "different");
}

/* Where the difference is. */
static status locate(context *c, const verification *v)
{
    const training_verdict *r = &v->verdict;
    const char *of = r->found[0] ? r->found : "the hash chain";
    if (r->step && r->file[0])
        return context_fail(c, STATUS_FAILURE,
                            "%s: the first step that differs is %lld; at step %lld the first difference of %s is %s",
                            v->run, (long long)r->step, (long long)r->link, r->file, of);
    if (r->step)
        return context_fail(c, STATUS_FAILURE,
                            "%s/metrics.jsonl: the first step that differs is %lld, but all saved weights up to step "
                            "%lld are the same: the recorded hash is not the run's",
                            v->run, (long long)r->step, (long long)r->last);
    return context_fail(c, STATUS_FAILURE,
                        "%s/%s: %s differs at step %lld, but the fingerprints of the %lld steps compared are the same: "
                        "the file or what no fingerprint holds (moments, running statistics) was changed",
                        v->run, r->file, of, (long long)r->link, (long long)r->hashes);
}

/* What a difference means. */
static status judge(context *c, const verification *v)
{
    char where[1024];
    const status s = locate(c, v);
    if (v->of.shape.algorithm != CONV_CLBLAST) return s;
    snprintf(where, sizeof where, "%s", context_message(c));
    return context_fail(
        c, s,
        "%s. The run was trained with network.algorithm = clblast, whose sums depend on the device "
        "and on CLBlast's version: it repeats where it was made (%s), elsewhere a difference is no fault",
        where, v->made_on);
}

status command_verify(context *c, const command_line *line)
{
    verification v = {.line = line, .run = line->argument[0]};
    status s = read_run(c, &v);
    if (!s) s = read_maps(c, &v);
    if (!s) s = ready_trained_device(c, line, v.path, &v.here, &v.d);
    if (!s) s = replay(c, &v);
    if (!s) {
        const bool same = !v.verdict.step && !v.verdict.file[0];
        if (line->json)
            s = print_json(c, &v, same);
        else
            print_text(&v, same);
        if (!s && !same) s = judge(c, &v);
    }
    device_delete(&v.d);
    recorded_delete(&v.made);
    provenance_delete(&v.here);
    maps_delete(&v.m);
    return s;
}
