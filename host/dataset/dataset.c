#include "dataset/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"

struct dataset {
    crop_shape shape;
    transform_shape transform;
    dataset_split split;
    buffer *parents;
    dataset_range range;
};

/* Of maps that name no transform: that of the configuration, as the command maps gives it. */
static status chosen_transform(context *c, const maps *m, const config *cfg, maps *out)
{
    const bool offset = m->dims == 3;
    double low = config_real(cfg, offset ? "maps.offset" : "maps.minimum"), high = config_real(cfg, "maps.maximum");
    if (offset && !config_is_set(cfg, "maps.maximum")) high = 2632;
    if (!(low > 0) || !(high > low)) {
        return context_fail(c, STATUS_USAGE, "maps.maximum = %g must exceed %s = %g, which must be positive", high,
                            offset ? "maps.offset" : "maps.minimum", low);
    }
    out->a = log(low);
    out->b = log(high);
    out->c = offset ? low : 0;
    snprintf(out->transform, sizeof out->transform, offset ? "log-offset" : "log");
    snprintf(out->unit, sizeof out->unit, "%s", offset ? "particles" : config_text(cfg, "maps.unit"));
    log_info(c, "the maps name no transform: taking %s of %s, %g to %g", out->transform,
             strcmp(out->unit, "overdensity") ? "particles per pixel" : "overdensities", low, high);
    return STATUS_OK;
}

status dataset_transform(context *c, const maps *m, const config *cfg, transform_shape *out)
{
    maps t = *m;
    if (!t.transform[0]) {
        const status s = chosen_transform(c, m, cfg, &t);
        if (s) return s;
    }
    const bool offset = !strcmp(t.transform, "log-offset"), overdensity = !strcmp(t.unit, "overdensity");
    const double shift = offset ? t.c : 0;
    if (!offset && strcmp(t.transform, "log") != 0) {
        return context_fail(c, STATUS_DATA, "the maps name the transform \"%s\"; known are \"log\" and \"log-offset\"",
                            t.transform);
    }
    if (!overdensity && t.unit[0] != '\0' && strcmp(t.unit, "particles") != 0) {
        return context_fail(c, STATUS_DATA,
                            "the maps' transform takes \"%s\"; known are \"overdensity\" and \"particles\"", t.unit);
    }
    if (!isfinite(t.a) || !isfinite(t.b) || !isfinite(shift) || !(t.a < t.b)) {
        return context_fail(c, STATUS_DATA, "the maps' transform has a = %g, b = %g, c = %g; a must be below b", t.a,
                            t.b, shift);
    }
    if (overdensity && !(m->mean > 0 && isfinite(m->mean))) {
        return context_fail(c, STATUS_DATA, "the maps' mean is %g particles per pixel; it must be positive", m->mean);
    }
    *out = (transform_shape){
        .a = (float)t.a, .b = (float)t.b, .offset = (float)shift, .scale = (float)(overdensity ? 1 / m->mean : 1)};
    return STATUS_OK;
}

void dataset_range_add(dataset_range *r, const transform_shape *t, const float *values, int64_t count)
{
    /* A hair more than rounding: v = 0 gives −1 exactly where there is an offset. */
    const double low = exp((double)t->a) * (1 - 1e-6), high = exp((double)t->b) * (1 + 1e-6);
    const double scale = t->scale, offset = t->offset;
    if (r->pixels == 0 && count > 0) r->lowest = r->highest = values[0];
    for (int64_t i = 0; i < count; i++) {
        const double v = values[i] * scale + offset;
        r->below += v < low;
        r->above += v > high;
        r->lowest = fminf(r->lowest, values[i]);
        r->highest = fmaxf(r->highest, values[i]);
    }
    r->pixels += count;
}

static void report_range(context *c, const dataset_range *r, const transform_shape *t)
{
    const double low = (exp((double)t->a) - t->offset) / t->scale, high = (exp((double)t->b) - t->offset) / t->scale;
    const double pixels = (double)r->pixels, lowest = r->lowest, highest = r->highest;
    if (r->below + r->above == 0) {
        log_info(c, "all pixels lie within the transform's bounds: %.4g to %.4g in %.4g to %.4g particles per pixel",
                 lowest, highest, low, high);
        return;
    }
    log_warning(
        c,
        "%lld pixels (%.3g %%) lie below and %lld (%.3g %%) above the transform's bounds of %.4g to %.4g particles "
        "per pixel (found: %.4g to %.4g); they are kept, outside [−1, 1]",
        (long long)r->below, 100 * (double)r->below / pixels, (long long)r->above, 100 * (double)r->above / pixels, low,
        high, lowest, highest);
}

static status upload(context *c, dataset *d, const maps *m)
{
    const int64_t pixels = (int64_t)m->ny * m->nx;
    const size_t bytes = (size_t)pixels * sizeof(float);
    for (int64_t i = 0; i < d->split.count[DATASET_TRAIN]; i++) {
        const float *map = m->values + d->split.parents[DATASET_TRAIN][i] * pixels;
        dataset_range_add(&d->range, &d->transform, map, pixels);
        const status s = buffer_write(c, d->parents, (size_t)i * bytes, map, bytes);
        if (s) return s;
        if (context_stop_requested(c)) return context_fail(c, STATUS_INTERRUPTED, "stopped while uploading the maps");
    }
    report_range(c, &d->range, &d->transform);
    return STATUS_OK;
}

status dataset_open(context *c, device *dev, const maps *m, const config *cfg, dataset **out)
{
    status s = STATUS_OK;
    dataset *d = NULL;
    dataset_options o;
    *out = NULL;
    dataset_options_read(cfg, &o);
    if ((s = memory_new(c, "data set", 1, sizeof *d, &d))) goto out;
    if ((s = dataset_transform(c, m, cfg, &d->transform))) goto out;
    if ((s = dataset_split_new(c, m, &o, &d->split))) goto out;
    const int64_t parents = d->split.count[DATASET_TRAIN];
    if (parents > UINT32_MAX / CROP_PER_PARENT) {
        s = context_fail(c, STATUS_USAGE, "%lld training maps: at most %u can be indexed", (long long)parents,
                         UINT32_MAX / CROP_PER_PARENT);
        goto out;
    }
    d->shape = (crop_shape){.parents = (int)parents, .ny = m->ny, .nx = m->nx, .crop = d->split.crop};
    const size_t pixels = (size_t)parents * (size_t)m->ny * (size_t)m->nx;
    if ((s = buffer_new(c, dev, "training maps", pixels * sizeof(float), &d->parents))) goto out;
    if ((s = upload(c, d, m))) goto out;
    if ((s = transform_forward(c, dev, &d->transform, pixels, d->parents, d->parents))) goto out;
    *out = d;
    d = NULL;
out:
    dataset_delete(&d);
    return s;
}

void dataset_delete(dataset **d)
{
    if (!d || !*d) return;
    buffer_delete(&(*d)->parents);
    dataset_split_delete(&(*d)->split);
    memory_delete(d);
}

const crop_shape *dataset_crop_shape(const dataset *d)
{
    return &d->shape;
}

buffer *dataset_parents(const dataset *d)
{
    return d->parents;
}

const transform_shape *dataset_transform_shape(const dataset *d)
{
    return &d->transform;
}

const dataset_split *dataset_split_used(const dataset *d)
{
    return &d->split;
}

uint32_t dataset_sub_images(const dataset *d)
{
    return (uint32_t)d->shape.parents * CROP_PER_PARENT;
}

const dataset_range *dataset_range_found(const dataset *d)
{
    return &d->range;
}

status dataset_epoch_order(context *c, const dataset *d, uint64_t seed, uint32_t epoch, uint32_t *indices)
{
    if (!indices) return context_fail(c, STATUS_USAGE, "the order of an epoch needs room for its indices");
    rng_permutation(seed, RNG_SHUFFLE, epoch, dataset_sub_images(d), indices);
    return STATUS_OK;
}
