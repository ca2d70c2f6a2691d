/* `generate`: new maps from a trained generator, or those of a baseline that it should beat (--baseline). */
#include <jansson.h>
#include <stdio.h>

#include "base/files.h"
#include "base/memory.h"
#include "commands/ready.h"
#include "commands/trained.h"
#include "nets/generate.h"
#include "stats/gaussian.h"

/* Latents of a file: dataset /latent [count][latent]. */
static status read_latents(context *c, const char *path, int latent, float **out, int64_t *count)
{
    h5_file *f = NULL;
    int rank = 0;
    uint64_t shape[H5_RANK];
    h5_type stored;
    status s = h5_open(c, path, &f);
    if (!s) s = h5_shape(c, f, "/latent", &rank, shape, &stored);
    if (!s && (rank != 2 || shape[1] != (uint64_t)latent || !shape[0]))
        s = context_fail(c, STATUS_DATA,
                         "%s: /latent must be [n, %d], the generator's latents; it is of rank %d and ends in %llu",
                         path, latent, rank, (unsigned long long)(rank ? shape[rank - 1] : 0));
    if (!s) s = memory_new(c, "latents", shape[0] * shape[1], sizeof(float), out);
    if (!s) s = h5_read(c, f, "/latent", H5_FLOAT32, shape[0] * shape[1], *out);
    if (!s) *count = (int64_t)shape[0];
    for (uint64_t i = 0; !s && i < shape[0] * shape[1]; i++)
        if (!(*(*out + i) > -1e6f && *(*out + i) < 1e6f))
            s = context_fail(c, STATUS_DATA, "%s: /latent[%llu, %llu] is not a usable number", path,
                             (unsigned long long)(i / shape[1]), (unsigned long long)(i % shape[1]));
    h5_delete(&f);
    return s;
}

static status print(context *c, const command_line *line, const maps *m, int64_t step, const char *path)
{
    if (!line->json) {
        printf("%lld maps of %d² pixels (weights of step %lld): %s\n", (long long)m->count, m->nx, (long long)step,
               path);
        return STATUS_OK;
    }
    json_t *root = json_pack("{s:I, s:i, s:I, s:s}", "maps", (json_int_t)m->count, "pixels", m->nx, "step",
                             (json_int_t)step, "file", path);
    if (!root) return context_fail(c, STATUS_MEMORY, "no memory for the result as JSON");
    json_dumpf(root, stdout, 0);
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

static status new_values(context *c, maps *m)
{
    return memory_new(c, "generated maps", (size_t)m->count * m->ny * m->nx, sizeof *m->values, &m->values);
}

/* The run's generator before its training. */
static status untrained(context *c, const command_line *line, const char *path, maps *m, provenance *origin)
{
    device *d = NULL;
    config *cfg = NULL;
    sampler *g = NULL;
    const uint64_t seed = (uint64_t)config_integer(line->cfg, "run.seed");
    status s = ready_trained_device(c, line, path, origin, &d);
    if (!s) s = trained_configuration(c, path, &cfg);
    if (!s)
        s = sampler_untrained(c, d, path, (int)config_integer(cfg, "gan.batch"),
                              (int)config_integer(cfg, "gan.micro_batch"), (uint64_t)config_integer(cfg, "run.seed"),
                              (initialisation)config_choice(cfg, "network.init"), &g);
    if (!s) {
        sampler_describe(g, config_integer(line->cfg, "generate.count"), m);
        s = new_values(c, m);
    }
    if (!s) s = sampler_run(c, g, NULL, seed, RNG_GENERATE, m->count, m->values);
    sampler_delete(&g);
    config_delete(&cfg);
    device_delete(&d);
    return s;
}

/* Gaussian fields with the densities and the spectrum of the run's training images; needs no device. */
static status gaussian_field(context *c, const command_line *line, const char *path, maps *m, provenance *origin)
{
    trained_maps t = {0};
    checkpoint of;
    gaussian *g = NULL;
    float *images = NULL;
    int64_t n = 0;
    status s = common_provenance(c, line, NULL, origin);
    if (!s) s = checkpoint_describe(c, path, &of);
    if (!s) s = trained_maps_find(c, line, path, &t);
    if (!s) s = provenance_input(c, origin, t.path);
    if (!s) s = trained_maps_images(c, &t, DATASET_TRAIN, &images, &n);
    if (!s) s = gaussian_new(c, images, n, t.split.crop, &g);
    if (!s) {
        log_info(c, "Gaussian fields: their power differs from the training images' by %.2g in the mean over scales",
                 gaussian_misfit(g));
        *m = of.trained_on;
        m->count = config_integer(line->cfg, "generate.count");
        m->ny = m->nx = t.split.crop;
        m->values = NULL;
        m->origin = NULL;
        snprintf(m->estimator, sizeof m->estimator, "gaussian field");
        s = new_values(c, m);
    }
    if (!s) s = gaussian_maps(c, g, (uint64_t)config_integer(line->cfg, "run.seed"), m->count, m->values);
    gaussian_delete(&g);
    memory_delete(&images);
    trained_maps_delete(&t);
    return s;
}

static status baseline(context *c, const command_line *line, const char *path)
{
    const char *out = line->out ? line->out : "baseline.h5";
    provenance origin = {0};
    maps m = {0};
    int which = 0;
    status s = command_flag_choice(c, line, "baseline", "untrained|gaussian", &which);
    if (!s && command_flag(line, "latents"))
        s = context_fail(c, STATUS_USAGE, "--latents FILE: a baseline has latents of its own; leave one of them out");
    if (!s) s = which ? gaussian_field(c, line, path, &m, &origin) : untrained(c, line, path, &m, &origin);
    if (!s) s = provenance_input(c, &origin, path);
    if (!s) s = maps_write(c, out, &m, &origin);
    if (!s) s = print(c, line, &m, 0, out);
    maps_delete(&m);
    provenance_delete(&origin);
    return s;
}

static status generate(context *c, const command_line *line, device *d, const char *path, provenance *origin)
{
    sampler *g = NULL;
    maps m = {0};
    float *latents = NULL;
    const char *file = command_flag(line, "latents");
    const char *out = line->out ? line->out : "generated.h5";
    int64_t count = config_integer(line->cfg, "generate.count");
    status s = sampler_new(c, d, path, (int)config_integer(line->cfg, "gan.batch"), &g);
    if (!s && file) {
        s = read_latents(c, file, g->generator->shape.latent, &latents, &count);
        if (!s) s = provenance_input(c, origin, file);
    }
    if (!s) {
        sampler_describe(g, count, &m);
        s = new_values(c, &m);
    }
    if (!s)
        s = sampler_run(c, g, latents, (uint64_t)config_integer(line->cfg, "run.seed"), RNG_GENERATE, count, m.values);
    if (!s) s = maps_write(c, out, &m, origin);
    if (!s) s = print(c, line, &m, g->origin.step, out);
    memory_delete(&latents);
    maps_delete(&m);
    sampler_delete(&g);
    return s;
}

status command_generate(context *c, const command_line *line)
{
    char path[FILES_PATH];
    device *d = NULL;
    provenance origin = {0};
    status s = ready_checkpoint(c, line->argument[0], command_flag(line, "epoch"), path);
    if (!s && command_flag(line, "baseline")) return baseline(c, line, path);
    if (!s) s = ready_trained_device(c, line, path, &origin, &d);
    if (!s) s = provenance_input(c, &origin, path);
    if (!s) s = generate(c, line, d, path, &origin);
    device_delete(&d);
    provenance_delete(&origin);
    return s;
}
