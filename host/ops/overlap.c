#include "ops/overlap.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "ops/launch.h"

enum {
    DIGIT = 256,
    LEVELS = 4,        /* digits of 8 bits in a key */
    GROUP_WORDS = 16,  /* words of a mask come in groups (kernels/overlap.cl) */
    PARTS = 32,        /* of a batch, counted apart where the set has one threshold */
    PARTS_MOST = 256,  /* images counted at once where each has its own */
    PAIRS_MOST = 65536 /* pairs of one launch */
};

/* Where the search of one set of values for its thresholds stands. */
typedef struct {
    uint8_t *next; /* in host_next: [LEVELS - 1][slots][DIGIT] */
    uint8_t slot[OVERLAP_MOST];
    uint32_t found[OVERLAP_MOST]; /* digits found so far */
    uint64_t order[OVERLAP_MOST]; /* the order-th largest of those that begin so is wanted */
} search;

struct overlap_masks {
    device *borrowed_device;
    overlap_shape shape; /* percent: NULL once the thresholds are found */
    int64_t segments;    /* sets of values with thresholds of their own: per_image ? images : 1 */
    size_t slots;        /* counts of a part: (count + 1) DIGIT */
    size_t words;        /* of a mask */
    size_t items, pairs_each, vector;
    kernel *digits, *fill, *common;
    buffer *bits;      /* [count][images][words] */
    float *thresholds; /* [segments][count] */
    int32_t *keys;     /* [segments][count] */
    /* Only while the masks are made. */
    const float *borrowed_images;
    int64_t batch, held; /* images on the device at once; the first of those now there, -1: none */
    buffer *images, *next, *counts, *batch_keys;
    search *searches;      /* [per_image ? PARTS_MOST : 1] */
    uint8_t *host_next;    /* [searches][LEVELS - 1][slots] */
    uint32_t *host_counts; /* [parts][slots] */
    uint64_t *totals;      /* [slots] */
};

static int forced_items;

void overlap_items_set(int items)
{
    forced_items = items;
}

static size_t fair_share(const device *d)
{
    const size_t quarter = device_budget(d) / 4, block = device_info(d)->largest_block_bytes;
    return quarter < block ? quarter : block;
}

static uint32_t mask_words(int pixels)
{
    const uint32_t group = 32 * GROUP_WORDS;
    return ((uint32_t)pixels + group - 1) / group * GROUP_WORDS;
}

int overlap_fitting(const device *d, int pixels, int64_t images)
{
    const double each = (double)images * mask_words(pixels) * sizeof(uint32_t), most = (double)fair_share(d) / each;
    return !(most < OVERLAP_MOST) ? OVERLAP_MOST : most < 1 ? 1 : (int)most;
}

static status check_shape(context *c, const overlap_shape *s)
{
    if (s->pixels < 1 || s->pixels > 1 << 24) {
        return context_fail(c, STATUS_USAGE, "overlap of images of %d pixels: from 1 to %d can be used", s->pixels,
                            1 << 24);
    }
    if (s->images < 1 || s->images > UINT32_MAX) {
        return context_fail(c, STATUS_USAGE, "overlap of %lld images: at least one is needed", (long long)s->images);
    }
    if (s->count < 1 || s->count > OVERLAP_MOST) {
        return context_fail(c, STATUS_USAGE, "overlap at %d thresholds: from 1 to %d can be used", s->count,
                            OVERLAP_MOST);
    }
    for (int t = 0; t < s->count; t++) {
        if (s->percent[t] < 1 || s->percent[t] > 100) {
            return context_fail(c, STATUS_USAGE, "overlap of the top %d %%: from 1 to 100 can be used", s->percent[t]);
        }
    }
    return STATUS_OK;
}

static status kernels_get(context *c, overlap_masks *m)
{
    device *d = m->borrowed_device;
    char options[96];
    const bool cpu = device_info(d)->is_cpu;
    m->items = forced_items ? (size_t)forced_items : cpu ? 1 : 32;
    m->pairs_each = cpu ? 16 : 1;
    m->vector = (size_t)launch_vector(d);
    snprintf(options, sizeof options, "-DVW=%zu -DITEMS=%zu -DPAIRS=%zu -DTHRESHOLDS=%d", m->vector, m->items,
             m->pairs_each, m->shape.count);
    status s = kernel_get(c, d, "overlap", "digits", options, &m->digits);
    if (!s) s = kernel_get(c, d, "overlap", "masks", options, &m->fill);
    if (!s) s = kernel_get(c, d, "overlap", "common", options, &m->common);
    return s;
}

/* Where the first dimension is `items`, they are a work-group. */
static status run(context *c, const overlap_masks *m, kernel *k, bool shared, const size_t global[3], int count,
                  const kernel_argument *arguments)
{
    const bool cpu = device_info(m->borrowed_device)->is_cpu;
    const size_t local[3] = {shared ? m->items : 1, 1, 1};
    const bool own = (shared || cpu) && local[0] <= kernel_max_work_group(k);
    return kernel_run(c, k, 3, global, own ? local : NULL, count, arguments);
}

static status memory_prepare(context *c, overlap_masks *m)
{
    device *d = m->borrowed_device;
    const size_t image = (size_t)m->shape.pixels * sizeof(float), count = (size_t)m->shape.count;
    const size_t searches = m->shape.per_image ? PARTS_MOST : 1, parts = m->shape.per_image ? PARTS_MOST : PARTS;
    const size_t table = (LEVELS - 1) * m->slots, segments = (size_t)m->segments;
    const int64_t fitting = (int64_t)(fair_share(d) / image);
    m->batch = fitting < 1 ? 1 : fitting < m->shape.images ? fitting : m->shape.images;
    status s = buffer_new(c, d, "slots of densities", searches * table, &m->next);
    if (!s) s = buffer_new(c, d, "digits of densities", parts * m->slots * sizeof(uint32_t), &m->counts);
    if (!s) s = memory_new(c, "searches of thresholds", searches, sizeof *m->searches, &m->searches);
    if (!s) s = memory_new(c, "slots of densities", searches, table, &m->host_next);
    if (!s) s = memory_new(c, "digits of densities", parts, m->slots * sizeof(uint32_t), &m->host_counts);
    if (!s) s = memory_new(c, "digits of densities", m->slots, sizeof(uint64_t), &m->totals);
    if (!s) s = memory_new(c, "thresholds", segments, count * sizeof(int32_t), &m->keys);
    if (!s) s = memory_new(c, "thresholds", segments, count * sizeof(float), &m->thresholds);
    for (size_t i = 0; !s && i < searches; i++) m->searches[i].next = m->host_next + i * table;
    return s;
}

/* What only the making of the masks needs. */
static void memory_release(overlap_masks *m)
{
    buffer_delete(&m->images);
    buffer_delete(&m->next);
    buffer_delete(&m->counts);
    buffer_delete(&m->batch_keys);
    memory_delete(&m->searches);
    memory_delete(&m->host_next);
    memory_delete(&m->host_counts);
    memory_delete(&m->totals);
    memory_delete(&m->keys);
}

/* Brings the images from `first` on to the device, unless they are there; *n gets how many that are. */
static status hold(context *c, overlap_masks *m, int64_t first, int64_t *n)
{
    const size_t pixels = (size_t)m->shape.pixels;
    *n = m->shape.images - first < m->batch ? m->shape.images - first : m->batch;
    if (m->held == first) return STATUS_OK;
    if (context_stop_requested(c)) return context_fail(c, STATUS_INTERRUPTED, "stopped while computing the overlap");
    m->held = -1;
    buffer_delete(&m->images);
    const status s =
        buffer_lend(c, m->borrowed_device, "images of the overlap", m->borrowed_images + (size_t)first * pixels,
                    (size_t)*n * pixels * sizeof(float), &m->images);
    if (!s) m->held = first;
    return s;
}

/* ---- thresholds: radix selection, a digit of all of them at a time */

static void search_begin(search *x, const overlap_shape *s, uint64_t values)
{
    for (int t = 0; t < s->count; t++) {
        const uint64_t k = (values * (uint64_t)s->percent[t] + 50) / 100;
        x->slot[t] = 0;
        x->found[t] = 0;
        x->order[t] = k ? k : 1;
    }
}

/* One digit more of every threshold from the counts [slots]; those that go on alike share a slot of the next level. */
static void search_digit(search *x, int count, int level, const uint64_t *counts)
{
    const size_t slots = (size_t)(count + 1) * DIGIT;
    uint8_t used = 0;
    if (level < LEVELS - 1) memset(x->next + (size_t)level * slots, count, slots);
    for (int t = 0; t < count; t++) {
        const uint64_t *of = counts + (size_t)x->slot[t] * DIGIT;
        int digit = DIGIT - 1;
        while (digit > 0 && of[digit] < x->order[t]) x->order[t] -= of[digit--];
        x->found[t] = x->found[t] << 8 | (uint32_t)digit;
        if (level == LEVELS - 1) continue;
        uint8_t *to = x->next + (size_t)level * slots + (size_t)x->slot[t] * DIGIT + digit;
        if (*to == count) *to = used++;
        x->slot[t] = *to;
    }
}

static void search_end(const search *x, int count, int32_t *keys, float *thresholds)
{
    for (int t = 0; t < count; t++) {
        const int32_t k = (int32_t)(x->found[t] ^ 0x80000000u), bits = k < 0 ? -k | INT32_MIN : k;
        keys[t] = k;
        memcpy(thresholds + t, &bits, sizeof bits);
    }
}

/* host_counts [parts][slots] of the values begin … end − 1 on the device, in parts of `size`. */
static status count_digits(context *c, overlap_masks *m, size_t begin, size_t end, size_t size, size_t parts, int level)
{
    const size_t global[3] = {m->items, parts, 1};
    const size_t stride = m->shape.per_image ? (LEVELS - 1) * m->slots : 0;
    status s = buffer_zero(c, m->counts);
    if (s) return s;
    s = run(c, m, m->digits, true, global,
            KERNEL_ARGUMENTS(ARG_BUFFER(m->images), ARG_ULONG(begin), ARG_ULONG(end), ARG_ULONG(size),
                             ARG_BUFFER(m->next), ARG_UINT(stride), ARG_INT(level), ARG_BUFFER(m->counts)));
    return s ? s : buffer_read(c, m->counts, 0, m->host_counts, parts * m->slots * sizeof(uint32_t));
}

static void add_counts(const overlap_masks *m, size_t part)
{
    for (size_t i = 0; i < m->slots; i++) m->totals[i] += m->host_counts[part * m->slots + i];
}

static status search_set(context *c, overlap_masks *m)
{
    const size_t pixels = (size_t)m->shape.pixels;
    status s = STATUS_OK;
    search_begin(m->searches, &m->shape, (uint64_t)m->shape.images * pixels);
    for (int level = 0; level < LEVELS; level++) {
        memset(m->totals, 0, m->slots * sizeof *m->totals);
        if ((s = buffer_write(c, m->next, 0, m->host_next, (LEVELS - 1) * m->slots))) return s;
        for (int64_t first = 0, n = 0; first < m->shape.images; first += n) {
            if ((s = hold(c, m, first, &n))) return s;
            const size_t values = (size_t)n * pixels, size = (values + PARTS - 1) / PARTS;
            if ((s = count_digits(c, m, 0, values, size, PARTS, level))) return s;
            for (size_t part = 0; part < PARTS; part++) add_counts(m, part);
        }
        search_digit(m->searches, m->shape.count, level, m->totals);
    }
    search_end(m->searches, m->shape.count, m->keys, m->thresholds);
    return STATUS_OK;
}

/* The thresholds of each of the images at … at + n − 1 of those on the device. */
static status search_images(context *c, overlap_masks *m, int64_t at, int64_t n)
{
    const size_t pixels = (size_t)m->shape.pixels, begin = (size_t)at * pixels, end = begin + (size_t)n * pixels;
    for (int64_t i = 0; i < n; i++) search_begin(m->searches + i, &m->shape, pixels);
    for (int level = 0; level < LEVELS; level++) {
        status s = buffer_write(c, m->next, 0, m->host_next, (size_t)n * (LEVELS - 1) * m->slots);
        if (!s) s = count_digits(c, m, begin, end, pixels, (size_t)n, level);
        if (s) return s;
        for (int64_t i = 0; i < n; i++) {
            memset(m->totals, 0, m->slots * sizeof *m->totals);
            add_counts(m, (size_t)i);
            search_digit(m->searches + i, m->shape.count, level, m->totals);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        const size_t to = (size_t)(m->held + at + i) * (size_t)m->shape.count;
        search_end(m->searches + i, m->shape.count, m->keys + to, m->thresholds + to);
    }
    return STATUS_OK;
}

static status search_each(context *c, overlap_masks *m)
{
    status s = STATUS_OK;
    for (int64_t first = 0, n = 0; first < m->shape.images; first += n) {
        if ((s = hold(c, m, first, &n))) return s;
        for (int64_t at = 0; at < n; at += PARTS_MOST) {
            if ((s = search_images(c, m, at, n - at < PARTS_MOST ? n - at : PARTS_MOST))) return s;
        }
    }
    return s;
}

/* ---- masks */

static status fill_masks(context *c, overlap_masks *m)
{
    const size_t count = (size_t)m->shape.count, stride = m->shape.per_image ? count : 0;
    const size_t segments = m->shape.per_image ? (size_t)m->batch : 1;
    const size_t bytes = count * (size_t)m->shape.images * m->words * sizeof(uint32_t);
    status s = buffer_new(c, m->borrowed_device, "masks of the overlap", bytes, &m->bits);
    if (!s) s = buffer_new(c, m->borrowed_device, "thresholds", segments * count * sizeof(int32_t), &m->batch_keys);
    for (int64_t first = 0, n = 0; !s && first < m->shape.images; first += n) {
        if ((s = hold(c, m, first, &n))) break;
        const size_t global[3] = {m->words / m->vector, (size_t)n, 1}, keys = stride ? (size_t)n * count : count;
        s = buffer_write(c, m->batch_keys, 0, m->keys + (size_t)first * stride, keys * sizeof(int32_t));
        if (!s)
            s = run(c, m, m->fill, false, global,
                    KERNEL_ARGUMENTS(ARG_BUFFER(m->images), ARG_UINT(m->shape.pixels), ARG_BUFFER(m->batch_keys),
                                     ARG_UINT(stride), ARG_UINT(m->words), ARG_ULONG(first), ARG_ULONG(m->shape.images),
                                     ARG_BUFFER(m->bits)));
    }
    return s;
}

status overlap_masks_new(context *c, device *d, const overlap_shape *shape, const float *images, overlap_masks **out)
{
    overlap_masks *m = NULL;
    *out = NULL;
    status s = check_shape(c, shape);
    if (s) return s;
    if ((s = memory_new(c, "masks of the overlap", 1, sizeof *m, &m))) return s;
    m->borrowed_device = d;
    m->borrowed_images = images;
    m->shape = *shape;
    m->segments = shape->per_image ? shape->images : 1;
    m->slots = (size_t)(shape->count + 1) * DIGIT;
    m->words = mask_words(shape->pixels);
    m->held = -1;
    s = kernels_get(c, m);
    if (!s) s = memory_prepare(c, m);
    if (!s) s = shape->per_image ? search_each(c, m) : search_set(c, m);
    if (!s) s = fill_masks(c, m);
    if (!s) s = device_finish(c, d);
    memory_release(m);
    m->borrowed_images = NULL;
    m->shape.percent = NULL;
    if (s)
        overlap_masks_delete(&m);
    else
        *out = m;
    return s;
}

void overlap_masks_delete(overlap_masks **m)
{
    if (!m || !*m) return;
    memory_release(*m);
    buffer_delete(&(*m)->bits);
    memory_delete(&(*m)->thresholds);
    memory_delete(m);
}

const float *overlap_thresholds(const overlap_masks *m)
{
    return m->thresholds;
}

/* ---- pairs */

static status check_pairs(context *c, const overlap_masks *a, const overlap_masks *b, const uint32_t (*pairs)[2],
                          int64_t n)
{
    if (a->shape.pixels != b->shape.pixels || a->shape.count != b->shape.count || a->vector != b->vector ||
        a->items != b->items) {
        return context_fail(c, STATUS_USAGE, "overlap of masks of %d pixels at %d thresholds with %d at %d",
                            a->shape.pixels, a->shape.count, b->shape.pixels, b->shape.count);
    }
    for (int64_t i = 0; i < n; i++) {
        if (pairs[i][0] >= a->shape.images || pairs[i][1] >= b->shape.images) {
            return context_fail(c, STATUS_USAGE, "overlap of the images %u and %u: there are %lld and %lld",
                                pairs[i][0], pairs[i][1], (long long)a->shape.images, (long long)b->shape.images);
        }
    }
    return STATUS_OK;
}

status overlap_common(context *c, overlap_masks *a, overlap_masks *b, const uint32_t (*pairs)[2], int64_t n,
                      uint32_t *common)
{
    device *d = a->borrowed_device;
    buffer *list = NULL, *out = NULL;
    const size_t most = n < PAIRS_MOST ? (size_t)(n > 0 ? n : 1) : PAIRS_MOST, count = (size_t)a->shape.count;
    status s = check_pairs(c, a, b, pairs, n);
    if (!s) s = buffer_new(c, d, "pairs of the overlap", most * sizeof *pairs, &list);
    if (!s) s = buffer_new(c, d, "counts of the overlap", most * count * sizeof *common, &out);
    for (int64_t first = 0; !s && first < n; first += PAIRS_MOST) {
        const size_t part = n - first < PAIRS_MOST ? (size_t)(n - first) : PAIRS_MOST;
        const size_t global[3] = {a->items, (part + a->pairs_each - 1) / a->pairs_each, count};
        s = buffer_write(c, list, 0, pairs + first, part * sizeof *pairs);
        if (!s) s = buffer_zero(c, out);
        if (!s)
            s = run(c, a, a->common, true, global,
                    KERNEL_ARGUMENTS(ARG_BUFFER(a->bits), ARG_ULONG(a->shape.images), ARG_BUFFER(b->bits),
                                     ARG_ULONG(b->shape.images), ARG_UINT(a->words), ARG_BUFFER(list), ARG_UINT(part),
                                     ARG_BUFFER(out)));
        if (!s) s = buffer_read(c, out, 0, common + (size_t)first * count, part * count * sizeof *common);
        if (!s && context_stop_requested(c))
            s = context_fail(c, STATUS_INTERRUPTED, "stopped while computing the overlap");
    }
    buffer_delete(&list);
    buffer_delete(&out);
    return s;
}
