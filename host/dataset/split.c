#include "dataset/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "ops/crop.h"

void dataset_options_read(const config *cfg, dataset_options *out)
{
    *out = (dataset_options){.crop = (int)config_integer(cfg, "dataset.crop"),
                             .validation = config_real(cfg, "dataset.validation"),
                             .test = config_real(cfg, "dataset.test"),
                             .rotate = config_flag(cfg, "dataset.rotate"),
                             .seed = (uint64_t)config_integer(cfg, "run.seed")};
}

dataset_variants dataset_variants_of(int ny, int nx, int crop, bool rotate)
{
    return (dataset_variants){.positions = ny == crop && nx == crop ? 1 : CROP_POSITIONS,
                              .orientations = rotate ? CROP_SYMMETRIES : 1};
}

int dataset_variants_count(const dataset_variants *v)
{
    return v->positions * v->orientations;
}

uint32_t dataset_variant_index(const dataset_variants *v, uint32_t i)
{
    const uint32_t orientations = (uint32_t)v->orientations, positions = (uint32_t)v->positions;
    const uint32_t orientation = i % orientations, place = i / orientations;
    return (place / positions * CROP_POSITIONS + place % positions) * CROP_SYMMETRIES + orientation;
}

static int compare_int32(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The box of every map as a rank 0 … *boxes − 1 among the box numbers of the file. */
static status rank_boxes(context *c, const maps *m, uint32_t *box, uint32_t *boxes)
{
    if (!m->origin) {
        for (int64_t i = 0; i < m->count; i++) box[i] = (uint32_t)i;
        *boxes = (uint32_t)m->count;
        return STATUS_OK;
    }
    int32_t *sorted = NULL;
    const status s = memory_new(c, "box numbers", (size_t)m->count, sizeof *sorted, &sorted);
    if (s) return s;
    for (int64_t i = 0; i < m->count; i++) sorted[i] = m->origin[3 * i];
    qsort(sorted, (size_t)m->count, sizeof *sorted, compare_int32);
    uint32_t distinct = 0;
    for (int64_t i = 0; i < m->count; i++) {
        if (i == 0 || sorted[i] != sorted[distinct - 1]) sorted[distinct++] = sorted[i];
    }
    for (int64_t i = 0; i < m->count; i++) {
        const int32_t *at = bsearch(&m->origin[3 * i], sorted, distinct, sizeof *sorted, compare_int32);
        box[i] = (uint32_t)(at - sorted);
    }
    *boxes = distinct;
    memory_delete(&sorted);
    return STATUS_OK;
}

status dataset_held_out(context *c, const char *key, double wanted, uint32_t boxes, uint32_t *out)
{
    if (!(wanted >= 0) || wanted > 4e9 || (wanted >= 1 && wanted != floor(wanted))) {
        return context_fail(c, STATUS_USAGE, "%s = %g: give a share below 1 or a whole number of boxes", key, wanted);
    }
    double count = wanted;
    if (wanted < 1) count = floor(wanted * boxes + 0.5);
    if (wanted > 0 && count < 1) count = 1;
    *out = (uint32_t)count;
    return STATUS_OK;
}

/* The statistics take four crops of a map, side by side, or the whole map: what can be trained on can be judged. */
static status resolve_crop(context *c, const maps *m, int crop, int *out)
{
    const int side = m->nx < m->ny ? m->nx : m->ny;
    *out = crop == 0 ? side / 2 : crop;
    if (*out < 1 || *out > side)
        return context_fail(c, STATUS_USAGE,
                            "dataset.crop = %d: the maps have %d × %d pixels; choose a crop from 1 to %d", crop, m->ny,
                            m->nx, side);
    const bool whole = m->nx == *out && m->ny == *out;
    if (whole || *out <= side / 2) return STATUS_OK;
    return context_fail(c, STATUS_USAGE,
                        "four crops of %d × %d pixels overlap in maps of %d × %d; choose a crop of at most half the "
                        "side, or the whole map",
                        *out, *out, m->ny, m->nx);
}

static status check_split(context *c, const maps *m, const dataset_options *o, uint32_t boxes, uint32_t validation,
                          uint32_t test)
{
    if (m->dims == 3 && (validation > 0 || test > 0)) {
        return context_fail(
            c, STATUS_USAGE,
            "the maps are slices of 3D boxes, and slices along three axes of one box share their haloes: "
            "the sub-volume rule that keeps them apart is not part of this version; use 2D maps, or set "
            "dataset.validation=0 and dataset.test=0 and keep separate files of other boxes for them");
    }
    if ((uint64_t)validation + test >= boxes) {
        return context_fail(c, STATUS_USAGE,
                            "dataset.validation = %g and dataset.test = %g hold out %llu of %u boxes and leave none to "
                            "train on; make them smaller, as a share of 0.1 and 0.2 of all, or the maps file larger",
                            o->validation, o->test, (unsigned long long)validation + test, boxes);
    }
    return STATUS_OK;
}

status dataset_split_new(context *c, const maps *m, const dataset_options *o, dataset_split *out)
{
    status s = STATUS_OK;
    uint32_t *box = NULL, *order = NULL, boxes = 0, held[DATASET_PARTS] = {0};
    unsigned char *part = NULL;
    *out = (dataset_split){0};
    if (m->count < 1 || m->count > INT32_MAX) {
        s = context_fail(c, STATUS_DATA, "a data set of %lld maps: 1 to %d can be used", (long long)m->count,
                         INT32_MAX);
        goto out;
    }
    if ((s = resolve_crop(c, m, o->crop, &out->crop))) goto out;
    out->variants = dataset_variants_of(m->ny, m->nx, out->crop, o->rotate);
    if ((s = memory_new(c, "boxes of the maps", (size_t)m->count, sizeof *box, &box))) goto out;
    if ((s = rank_boxes(c, m, box, &boxes))) goto out;
    if ((s = dataset_held_out(c, "dataset.validation", o->validation, boxes, &held[DATASET_VALIDATION]))) goto out;
    if ((s = dataset_held_out(c, "dataset.test", o->test, boxes, &held[DATASET_TEST]))) goto out;
    if ((s = check_split(c, m, o, boxes, held[DATASET_VALIDATION], held[DATASET_TEST]))) goto out;
    held[DATASET_TRAIN] = boxes - held[DATASET_VALIDATION] - held[DATASET_TEST];

    if ((s = memory_new(c, "order of the boxes", boxes, sizeof *order, &order))) goto out;
    if ((s = memory_new(c, "parts of the boxes", boxes, sizeof *part, &part))) goto out;
    rng_permutation(o->seed, RNG_SPLIT, 0, boxes, order);
    for (uint32_t i = 0; i < boxes; i++) {
        const uint32_t reserved = held[DATASET_TEST] + held[DATASET_VALIDATION];
        part[order[i]] = i < held[DATASET_TEST] ? DATASET_TEST : i < reserved ? DATASET_VALIDATION : DATASET_TRAIN;
    }
    for (int64_t i = 0; i < m->count; i++) out->count[part[box[i]]]++;
    for (int p = 0; p < DATASET_PARTS; p++) {
        out->boxes[p] = held[p];
        if ((s = memory_new(c, "parents of a part", (size_t)out->count[p], sizeof(uint32_t), &out->parents[p])))
            goto out;
    }
    int64_t filled[DATASET_PARTS] = {0};
    for (int64_t i = 0; i < m->count; i++) {
        const int p = part[box[i]];
        out->parents[p][filled[p]++] = (uint32_t)i;
    }
out:
    if (s) dataset_split_delete(out);
    memory_delete(&box);
    memory_delete(&order);
    memory_delete(&part);
    return s;
}

void dataset_split_delete(dataset_split *s)
{
    if (!s) return;
    for (int p = 0; p < DATASET_PARTS; p++) memory_delete(&s->parents[p]);
    *s = (dataset_split){0};
}

status dataset_crops(context *c, const maps *m, const uint32_t *indices, int64_t n, int crop, float **images,
                     int64_t *count, int *side)
{
    *images = NULL;
    *count = 0;
    *side = 0;
    int k = 0;
    const status bad = resolve_crop(c, m, crop, &k);
    if (bad) return bad;
    const bool whole = m->nx == k && m->ny == k;
    const int64_t maps_used = indices ? n : m->count, per_map = whole ? 1 : 4;
    float *out = NULL;
    const status s = memory_new(c, "images of the statistics", (size_t)(maps_used * per_map),
                                (size_t)k * (size_t)k * sizeof *out, &out);
    if (s) return s;
    float *to = out;
    for (int64_t i = 0; i < maps_used; i++) {
        const float *map = m->values + (indices ? (int64_t)indices[i] : i) * m->ny * m->nx;
        for (int q = 0; q < per_map; q++) {
            const int y0 = q & 2 ? m->ny - k : 0, x0 = q & 1 ? m->nx - k : 0;
            for (int y = 0; y < k; y++, to += k) {
                memcpy(to, map + (int64_t)(y0 + y) * m->nx + x0, (size_t)k * sizeof *to);
            }
        }
    }
    *images = out;
    *count = maps_used * per_map;
    *side = k;
    return STATUS_OK;
}

static int32_t box_of(const maps *m, const uint32_t *indices, int64_t i)
{
    return m->origin[3 * (indices ? (int64_t)indices[i] : i)];
}

static int64_t block_of(const maps *m, const uint32_t *indices, int64_t n, int crop)
{
    const int64_t per_map = m->nx == crop && m->ny == crop ? 1 : 4;
    int64_t run = 1;
    if (!m->origin) return per_map;
    while (run < n && box_of(m, indices, run) == box_of(m, indices, 0)) run++;
    if (run == n || n % run) return per_map;
    for (int64_t i = 1; i < n; i++) {
        if ((box_of(m, indices, i) == box_of(m, indices, i - 1)) != (i % run != 0)) return per_map;
    }
    return run * per_map;
}

int64_t dataset_block(const maps *m, const dataset_split *s, dataset_part part)
{
    return block_of(m, s->parents[part], s->count[part], s->crop);
}

int64_t dataset_block_all(const maps *m, int crop)
{
    return block_of(m, NULL, m->count, crop);
}

status dataset_test_images(context *c, const maps *m, const dataset_split *s, dataset_part part, float **images,
                           int64_t *count, int *side)
{
    return dataset_crops(c, m, s->parents[part], s->count[part], s->crop, images, count, side);
}
