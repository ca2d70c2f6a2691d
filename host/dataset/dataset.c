#include "dataset/dataset.h"

#include "base/memory.h"
#include "base/rng.h"
#include "io/maps_transform.h"

struct dataset {
    crop_shape shape;
    transform_shape transform;
    dataset_split split;
    buffer *parents;
    transform_range range;
};

status dataset_transform(context *c, const maps *m, const config *cfg, transform_shape *out)
{
    maps named = *m;
    const status s = maps_transform_complete(c, cfg, &named);
    return s ? s : maps_transform_of(c, &named, out);
}

static void report_range(context *c, const transform_range *r, const transform_shape *t)
{
    const double low = transform_from(t, -1), high = transform_from(t, 1), pixels = (double)r->pixels;
    if (r->below + r->above == 0) {
        log_info(c, "all pixels lie within the transform's bounds: %.4g to %.4g in %.4g to %.4g", r->lowest, r->highest,
                 low, high);
        return;
    }
    log_warning(c,
                "%lld pixels (%.3g %%) lie below and %lld (%.3g %%) above the transform's bounds of %.4g to %.4g "
                "(found: %.4g to %.4g); they are kept, outside [−1, 1]",
                (long long)r->below, 100 * (double)r->below / pixels, (long long)r->above,
                100 * (double)r->above / pixels, low, high, r->lowest, r->highest);
}

static status upload(context *c, dataset *d, const maps *m)
{
    const int64_t pixels = (int64_t)m->ny * m->nx;
    const size_t bytes = (size_t)pixels * sizeof(float);
    for (int64_t i = 0; i < d->split.count[DATASET_TRAIN]; i++) {
        const float *map = m->values + d->split.parents[DATASET_TRAIN][i] * pixels;
        transform_range_add(&d->range, &d->transform, map, pixels);
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
    const size_t pixels = (size_t)parents * (size_t)m->ny * (size_t)m->nx, bytes = pixels * sizeof(float);
    if ((s = dataset_on_host(dev, bytes) ? buffer_new_on_host(c, dev, "training maps", bytes, &d->parents)
                                         : buffer_new(c, dev, "training maps", bytes, &d->parents)))
        goto out;
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

bool dataset_on_host(const device *d, size_t bytes)
{
    return bytes > device_budget(d) / 32;
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
    return (uint32_t)(d->shape.parents * dataset_variants_count(&d->split.variants));
}

const transform_range *dataset_range_found(const dataset *d)
{
    return &d->range;
}

status dataset_epoch_order(context *c, const dataset *d, uint64_t seed, uint32_t epoch, uint32_t *indices)
{
    if (!indices) return context_fail(c, STATUS_USAGE, "the order of an epoch needs room for its indices");
    const uint32_t count = dataset_sub_images(d);
    rng_permutation(seed, RNG_SHUFFLE, epoch, count, indices);
    for (uint32_t i = 0; i < count; i++) indices[i] = dataset_variant_index(&d->split.variants, indices[i]);
    return STATUS_OK;
}
