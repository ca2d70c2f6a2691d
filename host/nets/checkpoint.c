/* Writing and reading checkpoints. */
#include "nets/checkpoint.h"
#include "base/memory.h"
#include "io/maps_transform.h"
#include "nets/parameters.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OBJECT = CHECKPOINT_NAME };

typedef struct {
    context *c;
    h5_file *file;  /* written or read; NULL: only hashed or compared */
    h5_file *other; /* compared with; may be NULL */
    sha256 hash;
    bool moments;
    char *found; /* CHECKPOINT_NAME bytes: gets the first tensor that differs, or whose gradient is not finite */
} stream;

static void hash_values(stream *t, const parameter *p, const float *values)
{
    sha256_add(&t->hash, p->name, strlen(p->name));
    sha256_add(&t->hash, values, p->elements * sizeof *values);
}

static void hash_integer(stream *t, int64_t x)
{
    char text[32];
    sha256_add(&t->hash, text, (size_t)snprintf(text, sizeof text, "%lld ", (long long)x));
}

static void hash_adam(stream *t, const adam_state *a)
{
    hash_integer(t, a->step);
    sha256_add(&t->hash, &a->beta1_power, sizeof a->beta1_power);
    sha256_add(&t->hash, &a->beta2_power, sizeof a->beta2_power);
}

static void begin_hash(stream *t, const checkpoint *k)
{
    sha256_begin(&t->hash);
    sha256_add(&t->hash, k->chain_before, strlen(k->chain_before));
    hash_integer(t, k->step);
    hash_integer(t, k->epoch);
}

/* "/adam/generator/conv.0.weight.m" */
static void object_name(char object[OBJECT], const char *group, const parameter *p, const char *suffix)
{
    snprintf(object, OBJECT, "%.63s/%.*s%.7s", group, (int)sizeof p->name - 1, p->name, suffix);
}

/* Running statistics, live or averaged; they need no other order outside. */
static buffer *running_of(network *n, const parameter *p, const network_average *instead)
{
    const layer *l = &n->layers[p->layer];
    if (p->part == PART_RUNNING_MEAN) return instead ? instead->running_mean[p->layer] : l->running_mean;
    return instead ? instead->running_var[p->layer] : l->running_var;
}

/* ---- writing and comparing */

/* "/gradient/generator/conv.0.weight" → "generator/conv.0.weight" in `found`, the first time. */
static void find(stream *t, const char *object)
{
    static const char gradient[] = "/gradient/";
    const size_t skip = strncmp(object, gradient, sizeof gradient - 1) == 0 ? sizeof gradient - 1 : 1;
    if (t->found && !t->found[0]) snprintf(t->found, CHECKPOINT_NAME, "%s", object + skip);
}

/* Bits, not numbers. A tensor of another shape differs. */
static status compare(stream *t, const char *object, const parameter *p, const float *values)
{
    int rank = 0;
    uint64_t shape[H5_RANK];
    h5_type stored;
    float *other = NULL;
    status s = h5_shape(t->c, t->other, object, &rank, shape, &stored);
    const bool same_shape = !s && rank == p->rank && !memcmp(shape, p->shape, rank * sizeof *shape);
    if (!s) s = memory_new(t->c, "tensor", p->elements, sizeof *other, &other);
    if (!s && same_shape) s = h5_read(t->c, t->other, object, H5_FLOAT32, p->elements, other);
    if (!s && (!same_shape || memcmp(other, values, p->elements * sizeof *other))) find(t, object);
    memory_delete(&other);
    return s;
}

/* One tensor of a network on its way to wherever the stream goes. */
static status pass_on(stream *t, const char *object, arena a, const parameter *p, const float *values)
{
    status s = STATUS_OK;
    if (t->file) s = h5_write(t->c, t->file, object, H5_FLOAT32, p->rank, p->shape, values);
    if (!s && t->other) s = compare(t, object, p, values);
    for (size_t e = 0; a == ARENA_GRADIENT && e < p->elements; e++)
        if (!isfinite(values[e])) find(t, object);
    hash_values(t, p, values);
    return s;
}

static status write_arena(stream *t, network *n, const char *group, arena a, const network_average *instead,
                          const char *suffix)
{
    parameter list[PARAMETERS];
    int count = parameters_list(n, list);
    float *host = NULL, *values = NULL;
    char object[OBJECT];
    status s;
    if (instead) {
        s = memory_new(t->c, "host copy of the average", n->parameters, sizeof *host, &host);
        if (!s) s = buffer_read(t->c, instead->value, 0, host, n->parameters * sizeof *host);
    } else {
        s = parameters_download(t->c, n, a, &host);
    }
    for (int i = 0; i < count && !s; i++) {
        bool trained = parameter_is_trained(&list[i]);
        if (!trained && a != ARENA_VALUE) continue;
        s = memory_new(t->c, "tensor", list[i].elements, sizeof *values, &values);
        if (!s && trained) parameter_take(n, &list[i], host, values);
        if (!s && !trained)
            s = buffer_read(t->c, running_of(n, &list[i], instead), 0, values, list[i].elements * sizeof *values);
        object_name(object, group, &list[i], suffix);
        if (!s) s = pass_on(t, object, a, &list[i], values);
        memory_delete(&values);
    }
    memory_delete(&host);
    return s;
}

static status write_network(stream *t, network *n, const char *name, const network_average *average)
{
    if (!n) return STATUS_OK;
    char group[64], adam[64];
    snprintf(group, sizeof group, "/%s", name);
    snprintf(adam, sizeof adam, "/adam/%s", name);
    status s = write_arena(t, n, group, ARENA_VALUE, t->moments ? NULL : average, "");
    if (s || !t->moments || !n->m) return s;
    s = write_arena(t, n, adam, ARENA_M, NULL, ".m");
    if (!s) s = write_arena(t, n, adam, ARENA_V, NULL, ".v");
    double powers[2] = {n->adam.beta1_power, n->adam.beta2_power};
    hash_adam(t, &n->adam);
    if (!s && t->file) s = h5_attribute_integer(t->c, t->file, adam, "step", n->adam.step);
    if (!s && t->file) s = h5_attribute_reals(t->c, t->file, adam, "beta_powers", 2, powers);
    if (!s && average) s = write_arena(t, n, "/average", ARENA_VALUE, average, "");
    return s;
}

static status write_best(stream *t, const checkpoint_best *best, const char *loss, const char *step)
{
    if (!best->step) return STATUS_OK;
    status s = h5_attribute_real(t->c, t->file, "/progress", loss, best->loss);
    return s ? s : h5_attribute_integer(t->c, t->file, "/progress", step, best->step);
}

static status write_description(stream *t, const checkpoint *k)
{
    context *c = t->c;
    h5_file *f = t->file;
    const network_shape *n = &k->shape;
    const maps *m = &k->trained_on;
    int64_t filters[NETWORK_LAYERS];
    for (int i = 0; i < n->count; i++) filters[i] = n->filters[i];
    status s = h5_group(c, f, "/progress");
    if (!s) s = h5_attribute_integer(c, f, "/progress", "step", k->step);
    if (!s) s = h5_attribute_integer(c, f, "/progress", "epoch", k->epoch);
    if (!s) s = write_best(t, &k->best, "best_loss", "best_step");
    if (!s) s = write_best(t, &k->best_before, "best_loss_before", "best_step_before");
    if (!s) s = h5_group(c, f, "/network");
    if (!s) s = h5_attribute_integer(c, f, "/network", "image", n->image);
    if (!s) s = h5_attribute_integer(c, f, "/network", "latent", n->latent);
    if (!s) s = h5_attribute_integers(c, f, "/network", "filters", n->count, filters);
    if (!s) s = h5_attribute_integer(c, f, "/network", "kernel", n->kernel);
    if (!s) s = h5_attribute_integer(c, f, "/network", "groups", n->groups);
    if (!s) s = h5_attribute_real(c, f, "/network", "leak", n->leak);
    if (!s) s = h5_attribute_integer(c, f, "/network", "norm", n->norm);
    if (!s) s = h5_attribute_integer(c, f, "/network", "algorithm", n->algorithm);
    if (!s) s = h5_group(c, f, "/trained_on");
    if (!s) s = h5_attribute_real(c, f, "/trained_on", "box_mpc_h", m->box_mpc_h);
    if (!s) s = h5_attribute_real(c, f, "/trained_on", "mean", m->mean);
    if (!s) s = h5_attribute_real(c, f, "/trained_on", "redshift", m->redshift);
    if (!s) s = h5_attribute_integer(c, f, "/trained_on", "dims", m->dims);
    if (!s) s = h5_attribute_text(c, f, "/trained_on", "transform", m->transform);
    if (!s) s = h5_attribute_text(c, f, "/trained_on", "unit", m->unit);
    if (!s && m->units[0]) s = h5_attribute_text(c, f, "/trained_on", "units", m->units);
    const double abc[3] = {m->a, m->b, m->c};
    if (!s) s = h5_attribute_reals(c, f, "/trained_on", "abc", 3, abc);
    return s;
}

static void close_chain(stream *t, checkpoint *k)
{
    unsigned char digest[SHA256_BYTES];
    sha256_end(&t->hash, digest);
    sha256_text(digest, k->chain);
}

/* Bytes before compression, to choose between memory and disk. */
static uint64_t expected_bytes(const checkpoint_networks *n, bool moments)
{
    const network *all[] = {n->generator, n->discriminator, n->encoder};
    uint64_t bytes = 1 << 20;
    for (int i = 0; i < 3; i++)
        if (all[i]) bytes += all[i]->parameters * sizeof(float) * (moments ? 4 : 1);
    return bytes;
}

static status write_networks(stream *t, const checkpoint_networks *n)
{
    status s = write_network(t, n->generator, "generator", n->average);
    if (!s) s = write_network(t, n->discriminator, "discriminator", NULL);
    return s ? s : write_network(t, n->encoder, "encoder", NULL);
}

typedef struct {
    int64_t first, last;
} steps;

static status write_gradients(stream *t, const checkpoint_networks *n, const steps *of)
{
    network *all[] = {n->generator, n->discriminator, n->encoder};
    static const char *const groups[] = {"/gradient/generator", "/gradient/discriminator", "/gradient/encoder"};
    status s = h5_group(t->c, t->file, "/gradient");
    if (!s) s = h5_attribute_integer(t->c, t->file, "/gradient", "first_step", of->first);
    if (!s) s = h5_attribute_integer(t->c, t->file, "/gradient", "last_step", of->last);
    for (int i = 0; i < 3 && !s; i++)
        if (all[i] && all[i]->m) s = write_arena(t, all[i], groups[i], ARENA_GRADIENT, NULL, "");
    return s;
}

/* gradients NULL: none. */
static status write_file(stream *t, const char *path, checkpoint *k, const checkpoint_networks *n,
                         const steps *gradients, const provenance *p)
{
    context *c = t->c;
    if (t->moments) memcpy(k->chain_before, k->chain, sizeof k->chain);
    begin_hash(t, k);
    status s = h5_create(c, path, expected_bytes(n, t->moments), &t->file);
    if (!s) h5_store_plain(t->file);
    if (!s) s = write_description(t, k);
    if (!s) s = write_networks(t, n);
    if (!s && t->moments) {
        close_chain(t, k);
        s = h5_attribute_text(c, t->file, "/progress", "chain_before", k->chain_before);
    }
    if (!s) s = h5_attribute_text(c, t->file, "/progress", "chain", k->chain);
    if (!s && gradients) s = write_gradients(t, n, gradients);
    if (!s) s = provenance_write(c, p, t->file);
    if (!s) s = h5_finish(c, &t->file);
    h5_delete(&t->file);
    return s;
}

status checkpoint_write(context *c, const char *path, checkpoint *k, const checkpoint_networks *n, bool moments,
                        const provenance *p)
{
    stream t = {.c = c, .moments = moments};
    return write_file(&t, path, k, n, NULL, p);
}

status checkpoint_dump(context *c, const char *path, const checkpoint *k, const checkpoint_networks *n,
                       int64_t first_step, int64_t last_step, const provenance *p, char found[CHECKPOINT_NAME])
{
    stream t = {.c = c, .moments = true, .found = found};
    const steps gradients = {first_step, last_step};
    checkpoint copy = *k;
    found[0] = 0;
    return write_file(&t, path, &copy, n, &gradients, p);
}

status checkpoint_chain(context *c, checkpoint *k, const checkpoint_networks *n)
{
    stream t = {.c = c, .moments = true};
    memcpy(k->chain_before, k->chain, sizeof k->chain);
    begin_hash(&t, k);
    status s = write_networks(&t, n);
    if (!s) close_chain(&t, k);
    return s;
}

status checkpoint_compare(context *c, const char *path, const checkpoint_networks *n, bool moments,
                          char found[CHECKPOINT_NAME])
{
    stream t = {.c = c, .moments = moments, .found = found};
    found[0] = 0;
    sha256_begin(&t.hash);
    status s = h5_open(c, path, &t.other);
    if (!s) s = write_networks(&t, n);
    h5_delete(&t.other);
    return s;
}

/* ---- reading */

static status read_arena(stream *t, network *n, const char *group, arena a, const network_average *instead,
                         const char *suffix)
{
    parameter list[PARAMETERS];
    int count = parameters_list(n, list);
    float *host = NULL, *values = NULL;
    char object[OBJECT];
    status s = memory_new(t->c, "host copy of the parameters", n->parameters, sizeof *host, &host);
    for (int i = 0; i < count && !s; i++) {
        bool trained = parameter_is_trained(&list[i]);
        if (!trained && a != ARENA_VALUE) continue;
        s = memory_new(t->c, "tensor", list[i].elements, sizeof *values, &values);
        object_name(object, group, &list[i], suffix);
        int rank = 0;
        uint64_t shape[H5_RANK];
        h5_type stored;
        if (!s) s = h5_shape(t->c, t->file, object, &rank, shape, &stored);
        if (!s && (rank != list[i].rank || memcmp(shape, list[i].shape, rank * sizeof *shape)))
            s = context_fail(t->c, STATUS_DATA,
                             "%s: %s has another shape than /network says; the file is damaged or made by "
                             "another program",
                             h5_path(t->file), object);
        if (!s) s = h5_read(t->c, t->file, object, H5_FLOAT32, list[i].elements, values);
        for (size_t e = 0; e < list[i].elements && !s; e++)
            if (!isfinite(values[e]))
                s = context_fail(t->c, STATUS_DATA, "%s: %s holds a number that is not finite (element %zu)",
                                 h5_path(t->file), object, e);
        if (!s) hash_values(t, &list[i], values);
        if (!s && trained) parameter_put(n, &list[i], host, values);
        if (!s && !trained)
            s = buffer_write(t->c, running_of(n, &list[i], instead), 0, values, list[i].elements * sizeof *values);
        memory_delete(&values);
    }
    if (!s)
        s = instead ? buffer_write(t->c, instead->value, 0, host, n->parameters * sizeof *host)
                    : parameters_upload(t->c, n, a, host);
    memory_delete(&host);
    return s;
}

static status read_network(stream *t, network *n, const char *name, const network_average *average)
{
    if (!n) return STATUS_OK;
    char group[64], adam[64];
    snprintf(group, sizeof group, "/%s", name);
    snprintf(adam, sizeof adam, "/adam/%s", name);
    if (!h5_exists(t->file, group))
        return context_fail(t->c, STATUS_DATA, "%s: has no %s; use a checkpoint of a finished stage", h5_path(t->file),
                            group);
    status s = read_arena(t, n, group, ARENA_VALUE, NULL, "");
    if (!s && t->moments && n->m) {
        double powers[2];
        int count = 0;
        s = read_arena(t, n, adam, ARENA_M, NULL, ".m");
        if (!s) s = read_arena(t, n, adam, ARENA_V, NULL, ".v");
        if (!s) s = h5_read_integer(t->c, t->file, adam, "step", &n->adam.step);
        if (!s) s = h5_read_reals(t->c, t->file, adam, "beta_powers", 2, powers, &count);
        if (!s && (n->adam.step < 0 || count != 2 || !(powers[0] >= 0 && powers[0] <= 1) ||
                   !(powers[1] >= 0 && powers[1] <= 1)))
            s = context_fail(t->c, STATUS_DATA, "%s: %s: step or beta_powers are none of Adam's", h5_path(t->file),
                             adam);
        if (s) return s;
        n->adam.beta1_power = powers[0];
        n->adam.beta2_power = powers[1];
        hash_adam(t, &n->adam);
        if (!s && average) s = read_arena(t, n, "/average", ARENA_VALUE, average, "");
    }
    return s ? s : network_pack(t->c, n);
}

static status read_shape(context *c, h5_file *f, network_shape *n)
{
    int64_t image = 0, latent = 0, size = 0, groups = 0, norm = 0, algorithm = CONV_DIRECT;
    double leak = 0, filters[NETWORK_LAYERS];
    int count = 0;
    if (!h5_exists(f, "/network"))
        return context_fail(c, STATUS_DATA, "%s: not a checkpoint (no group /network)", h5_path(f));
    status s = h5_read_integer(c, f, "/network", "image", &image);
    if (!s) s = h5_read_integer(c, f, "/network", "latent", &latent);
    if (!s) s = h5_read_integer(c, f, "/network", "kernel", &size);
    if (!s) s = h5_read_integer(c, f, "/network", "groups", &groups);
    if (!s) s = h5_read_integer(c, f, "/network", "norm", &norm);
    /* Files that do not say are of a time when there was no other. */
    if (!s && h5_has_attribute(f, "/network", "algorithm"))
        s = h5_read_integer(c, f, "/network", "algorithm", &algorithm);
    if (!s) s = h5_read_real(c, f, "/network", "leak", &leak);
    if (!s) s = h5_read_reals(c, f, "/network", "filters", NETWORK_LAYERS, filters, &count);
    if (s) return s;
    bool sane = count >= 1 && count < NETWORK_LAYERS && image >= 1 << count && image <= 4096 &&
                image % (1 << count) == 0 && latent >= 1 && latent <= 65536 && size >= 1 && size <= 31 && norm >= 0 &&
                norm <= 2 && algorithm >= CONV_AUTO && algorithm <= CONV_CLBLAST && groups >= 1 && leak >= 0 &&
                leak <= 1;
    for (int i = 0; i < count && sane; i++) sane = filters[i] >= 2 && filters[i] <= 65536;
    if (!sane) return context_fail(c, STATUS_DATA, "%s: /network describes no network that exists", h5_path(f));
    *n = (network_shape){.image = (int)image,
                         .latent = (int)latent,
                         .count = count,
                         .kernel = (int)size,
                         .groups = (int)groups,
                         .leak = (float)leak,
                         .norm = (norm_kind)norm,
                         .algorithm = (conv_algorithm)algorithm};
    for (int i = 0; i < count; i++) n->filters[i] = (int)filters[i];
    return STATUS_OK;
}

static status read_short_text(context *c, h5_file *f, const char *object, const char *name, char *out, size_t size)
{
    char *text = NULL;
    status s = h5_read_text(c, f, object, name, &text);
    if (!s) snprintf(out, size, "%s", text);
    memory_delete(&text);
    return s;
}

static status read_best(context *c, h5_file *f, checkpoint_best *best, const char *loss, const char *step)
{
    *best = (checkpoint_best){0};
    if (!h5_has_attribute(f, "/progress", step)) return STATUS_OK;
    status s = h5_read_real(c, f, "/progress", loss, &best->loss);
    return s ? s : h5_read_integer(c, f, "/progress", step, &best->step);
}

static status read_description(context *c, h5_file *f, checkpoint *k)
{
    maps *m = &k->trained_on;
    double abc[3] = {0, 0, 0};
    transform_shape t;
    int count = 0;
    int64_t dims = 2;
    status s = read_shape(c, f, &k->shape);
    if (!s) s = h5_read_integer(c, f, "/progress", "step", &k->step);
    if (!s) s = h5_read_integer(c, f, "/progress", "epoch", &k->epoch);
    if (!s) s = read_short_text(c, f, "/progress", "chain", k->chain, sizeof k->chain);
    if (!s) s = read_best(c, f, &k->best, "best_loss", "best_step");
    if (!s) s = read_best(c, f, &k->best_before, "best_loss_before", "best_step_before");
    if (!s) s = h5_read_real(c, f, "/trained_on", "box_mpc_h", &m->box_mpc_h);
    if (!s) s = h5_read_real(c, f, "/trained_on", "mean", &m->mean);
    if (!s) s = h5_read_real(c, f, "/trained_on", "redshift", &m->redshift);
    if (!s) s = h5_read_integer(c, f, "/trained_on", "dims", &dims);
    if (!s) s = read_short_text(c, f, "/trained_on", "transform", m->transform, sizeof m->transform);
    if (!s) s = read_short_text(c, f, "/trained_on", "unit", m->unit, sizeof m->unit);
    if (!s && h5_has_attribute(f, "/trained_on", "units"))
        s = read_short_text(c, f, "/trained_on", "units", m->units, sizeof m->units);
    if (!s) s = h5_read_reals(c, f, "/trained_on", "abc", 3, abc, &count);
    m->dims = (int)dims;
    m->a = abc[0], m->b = abc[1], m->c = abc[2];
    if (s) return s;
    if ((s = maps_transform_of(c, m, &t))) return context_prefix(c, s, "%s: /trained_on", h5_path(f));
    if (!maps_transform_is_linear(m) && !(m->mean > 0))
        s = context_fail(c, STATUS_DATA, "%s: /trained_on: the mean is %g; it must be positive", h5_path(f), m->mean);
    return s;
}

status checkpoint_describe(context *c, const char *path, checkpoint *k)
{
    h5_file *f = NULL;
    *k = (checkpoint){0};
    status s = h5_open(c, path, &f);
    if (!s) s = read_description(c, f, k);
    h5_delete(&f);
    return s;
}

status checkpoint_read(context *c, const char *path, checkpoint *k, const checkpoint_networks *n, bool moments)
{
    stream t = {.c = c, .moments = moments};
    char stored[SHA256_TEXT];
    *k = (checkpoint){0};
    status s = h5_open(c, path, &t.file);
    if (!s) s = read_description(c, t.file, k);
    if (!s && moments)
        s = read_short_text(c, t.file, "/progress", "chain_before", k->chain_before, sizeof k->chain_before);
    begin_hash(&t, k);
    if (!s) s = read_network(&t, n->generator, "generator", n->average);
    if (!s) s = read_network(&t, n->discriminator, "discriminator", NULL);
    if (!s) s = read_network(&t, n->encoder, "encoder", NULL);
    if (!s && moments) {
        memcpy(stored, k->chain, sizeof stored);
        close_chain(&t, k);
        if (memcmp(stored, k->chain, sizeof stored))
            s = context_fail(c, STATUS_DATA,
                             "%s: the parameters do not have the hash that was stored with them; the file is "
                             "damaged",
                             path);
    }
    h5_delete(&t.file);
    return s;
}
