/* Gradients with respect to the weights: kernels/conv_weights.cl, conv_weights_narrow.cl and conv_tree.cl. */
#include "ops/conv_internal.h"

#include <stdio.h>

static int most(int a, int b)
{
    return a > b ? a : b;
}
static void options_write(const conv_plan *p, int lanes, const char *more, char text[CONV_OPTIONS])
{
    const conv_shape *s = &p->s;
    snprintf(text, CONV_OPTIONS, "-DKERNEL=%d -DSTRIDE=%d -DPAD=%d -DVW=%d -DWG=%d %s", s->kernel, s->stride, s->pad,
             lanes, p->tiles.work_group, more);
}

/* Micro-batches that one job adds up (a power of two): those with which the busiest of `jobs` workers, which get the
 * jobs in equal runs, has the least to do; the larger of two alike. Not so few that the partial gradients of the groups
 * take more than the workspace. */
static int group_size(const conv_plan *p, int blocks, int micros)
{
    const size_t partials = workspace_limit(p->d) / (sizeof(float) * conv_weight_count(&p->s));
    int smallest = 1;
    while (smallest < micros && (size_t)divide_up(micros, smallest) > partials) smallest *= 2;
    int group = smallest, best = smallest;
    long long least_work = 0;
    for (;; group *= 2) {
        const long long jobs = (long long)blocks * divide_up(micros, group);
        const long long work = (jobs + p->tiles.jobs - 1) / p->tiles.jobs * least(group, micros);
        if (group == smallest || work <= least_work) least_work = work, best = group;
        if (group >= micros) return best;
    }
}

static int depth_of(int group)
{
    int depth = 1;
    for (; group > 1; group /= 2) depth++;
    return depth;
}

static int blocks_of(const conv_plan *p)
{
    const conv_weights *w = &p->weights;
    return p->ci / w->ci * (p->co / w->co) * divide_up(p->s.kernel * p->s.kernel, w->taps);
}

/* Work-items for `jobs` jobs: whole work-groups. */
static int items_of(const conv_plan *p, int jobs)
{
    return divide_up(least(jobs, p->tiles.items), p->tiles.work_group) * p->tiles.work_group;
}

/* Tile, block and chunk for the plan's geometry. */
static void shape_choose(conv_plan *p)
{
    const conv_tiles *t = &p->tiles;
    const conv_shape *s = &p->s;
    conv_weights *w = &p->weights;
    const int unit = t->panels ? most(t->vector, 1) : 1;
    w->vectors = conv_tuning_vectors(p->co, t->vector, t->weight_vectors);
    w->co = conv_tuning_block(p->co, w->vectors * t->vector, most(t->weight_co, w->vectors * t->vector));
    w->ci = conv_tuning_block(p->ci, unit, most(t->weight_ci, unit));
    w->rows = conv_tuning_block(w->ci, 1, most(t->weight_registers / w->vectors, 1));
    w->taps = t->weight_taps ? least(t->weight_taps, s->kernel * s->kernel) : s->kernel * s->kernel;
    const int pixels = s->oh * s->ow;
    w->chunk_rows = t->weight_pixels ? least(most(divide_up(t->weight_pixels, s->ow), 1), s->oh) : s->oh;
    w->chunk = t->weight_pixels ? (w->chunk_rows < s->oh ? 1 : most(t->weight_pixels / pixels, 1)) : p->max_samples;
    w->chunk = least(w->chunk, p->max_samples);
    const int panel_rows = least((w->chunk_rows - 1) * s->stride + s->kernel, s->h);
    w->panel_floats = t->panels ? w->chunk * (panel_rows * s->w * w->ci + w->chunk_rows * s->ow * w->co) : 0;
}

static status direct_get(context *c, conv_plan *p)
{
    conv_weights *w = &p->weights;
    char more[160], text[CONV_OPTIONS];
    shape_choose(p);
    snprintf(more, sizeof more, "-DMR=%d -DNV=%d -DTB=%d -DPANELS=%d", w->rows, w->vectors, w->taps,
             p->tiles.panels ? 1 : 0);
    options_write(p, p->tiles.vector, more, text);
    return kernel_get(c, p->d, "conv_weights", "conv_weights", text, &w->run);
}

/* A block has whole vectors of both sides' channels, all taps, and the tiles of a chunk as panels
 * (kernels/winograd_weights.cl).
 */
static status filtered_get(context *c, conv_plan *p)
{
    const conv_tiles *t = &p->tiles;
    conv_weights *w = &p->weights;
    char more[160], text[CONV_OPTIONS];
    const int tiles_y = divide_up(p->s.oh, TILE), tiles_x = divide_up(p->s.ow, TILE);
    w->vectors = conv_tuning_vectors(p->co, t->vector, t->filtered_vectors);
    w->co = conv_tuning_block(p->co, w->vectors * t->vector, most(t->filtered_co, w->vectors * t->vector));
    w->ci = conv_tuning_block(p->ci, t->vector, most(t->filtered_ci, t->vector));
    w->rows = conv_tuning_block(w->ci, 1, most(t->weight_registers / w->vectors, 1));
    w->taps = p->s.kernel * p->s.kernel;
    w->chunk = least(t->filtered_tiles, p->max_samples * tiles_y * tiles_x);
    w->panel_floats = UNITS * w->chunk * w->ci + PRODUCTS * w->chunk * w->co + UNITS * w->ci * w->co;
    snprintf(more, sizeof more, "-DODD_RESULTS=0 -DWHOLE=%d -DMR=%d -DNV=%d -DNR=%d", conv_winograd_whole(&p->s),
             w->rows, w->vectors, w->vectors * t->vector);
    options_write(p, t->vector, more, text);
    return kernel_get(c, p->d, "winograd_weights", "winograd_weights", text, &w->run);
}

/* Floats of scratch that a work-item needs for groups of this size. */
static size_t item_floats(const conv_weights *w, int group)
{
    return (size_t)w->panel_floats + (size_t)w->taps * (size_t)w->ci * (size_t)w->co * (size_t)depth_of(group);
}

/* The most that any number of micro-batches up to the plan's needs, with fewer work-items where memory is scarce. */
static void sizes(conv_plan *p)
{
    conv_weights *w = &p->weights;
    for (int micros = 1; micros <= p->max_micro; micros++) {
        const int group = group_size(p, blocks_of(p), micros), groups = divide_up(micros, group);
        const size_t item = sizeof(float) * item_floats(w, group), afforded = workspace_limit(p->d) / item;
        if (afforded < (size_t)p->tiles.items) p->tiles.items = afforded ? (int)afforded : 1;
        const size_t bytes = item * (size_t)items_of(p, blocks_of(p) * groups);
        const size_t partial = groups > 1 ? sizeof(float) * (size_t)groups * conv_weight_count(&p->s) : 0;
        if (bytes > w->scratch_bytes) w->scratch_bytes = bytes;
        if (partial > w->partial_bytes) w->partial_bytes = partial;
    }
}

static status wide_new(context *c, conv_plan *p)
{
    status e = conv_weights_blocks_new(c, p);
    if (e || p->weights.block.local_columns) return e;
    e = conv_algorithm_of(&p->s) == CONV_WINOGRAD ? filtered_get(c, p) : direct_get(c, p);
    if (!e) sizes(p);
    return e;
}

static status narrow_new(context *c, conv_plan *p)
{
    conv_weights *w = &p->weights;
    const bool ci1 = p->ci == 1 && p->co > 1;
    char more[32], text[CONV_OPTIONS];
    w->lanes = p->ci == 1 && p->co == 1 ? 1 : p->tiles.vector;
    /* As many rows of taps as 25 sums: all of a 5 × 5 kernel. */
    w->tap_rows = p->tiles.registers >= 20 ? most(least(25 / p->s.kernel, p->s.kernel), 1) : 1;
    snprintf(more, sizeof more, "-DKYB=%d", w->tap_rows);
    options_write(p, w->lanes, more, text);
    w->partial_bytes = sizeof(float) * (size_t)p->max_micro * conv_weight_count(&p->s);
    return kernel_get(c, p->d, "conv_weights_narrow", ci1 ? "conv_weights_ci1" : "conv_weights_co1", text, &w->run);
}

static status workspace(context *c, const conv_plan *p, buffer **scratch, buffer **partial)
{
    const status e = workspace_get(c, p->d, WORKSPACE_FIRST, p->weights.scratch_bytes, scratch);
    return e ? e : workspace_get(c, p->d, WORKSPACE_SECOND, p->weights.partial_bytes, partial);
}

status conv_weights_new(context *c, conv_plan *p)
{
    const bool narrow = p->ci == 1 || p->co == 1;
    char text[32];
    buffer *scratch, *partial, *sums;
    status e = narrow ? narrow_new(c, p) : wide_new(c, p);
    if (!e) e = workspace(c, p, &scratch, &partial);
    if (!e && p->weights.sums_bytes) e = workspace_get(c, p->d, WORKSPACE_WEIGHTS, p->weights.sums_bytes, &sums);
    if (e || !p->weights.partial_bytes) return e;
    snprintf(text, sizeof text, "-DVW=%d -DWG=%d", narrow ? p->weights.lanes : p->tiles.vector, p->tiles.work_group);
    return kernel_get(c, p->d, "conv_tree", "conv_tree", text, &p->weights.tree);
}

status conv_weights_tree(context *c, conv_plan *p, int parts, int lanes, buffer *partial, buffer *dw)
{
    const size_t count = conv_weight_count(&p->s), global[3] = {count / (size_t)lanes, 1, 1};
    return conv_launch(c, p, p->weights.tree, global,
                       KERNEL_ARGUMENTS(ARG_INT(parts), ARG_ULONG(count), ARG_BUFFER(partial), ARG_BUFFER(dw)));
}

static status narrow_run(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *partial, buffer *dw)
{
    const conv_weights *w = &p->weights;
    const int micros = batching_count(b);
    const bool ci1 = p->ci == 1 && p->co > 1;
    const size_t taps = (size_t)p->s.kernel * (size_t)p->s.kernel;
    const size_t narrow_x[3] = {(size_t)(p->co / w->lanes), (size_t)divide_up(p->s.kernel, w->tap_rows),
                                (size_t)micros};
    const size_t narrow_y[3] = {(size_t)(p->ci / w->lanes), taps, (size_t)micros};
    const status e =
        ci1 ? conv_launch(c, p, w->run, narrow_x,
                          KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_INT(b->segment), ARG_INT(b->micro), ARG_BUFFER(x),
                                           ARG_BUFFER(y), ARG_BUFFER(p->zeros), ARG_BUFFER(partial)))
            : conv_launch(c, p, w->run, narrow_y,
                          KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_INT(b->segment), ARG_INT(b->micro), ARG_BUFFER(x),
                                           ARG_BUFFER(y), ARG_BUFFER(partial)));
    return e ? e : conv_weights_tree(c, p, micros, w->lanes, partial, dw);
}

status conv_weights_run(context *c, conv_plan *p, const batching *b, buffer *x, buffer *y, buffer *dw)
{
    const conv_weights *w = &p->weights;
    buffer *scratch, *partial;
    if (w->block.local_columns) return conv_weights_blocks_run(c, p, b, x, y, dw);
    status e = workspace(c, p, &scratch, &partial);
    if (e) return e;
    conv_work(p, b->n);
    if (p->ci == 1 || p->co == 1) return narrow_run(c, p, b, x, y, partial, dw);
    const int micros = batching_count(b), blocks = blocks_of(p), group = group_size(p, blocks, micros);
    const int groups = divide_up(micros, group);
    const size_t global[3] = {(size_t)items_of(p, blocks * groups), 1, 1};
    e = conv_launch(c, p, w->run, global,
                    KERNEL_ARGUMENTS(CONV_SIZES(p), ARG_INT(w->ci), ARG_INT(w->co), ARG_INT(w->chunk),
                                     ARG_INT(w->chunk_rows), ARG_INT(b->n), ARG_INT(b->segment), ARG_INT(b->micro),
                                     ARG_INT(group), ARG_INT(groups), ARG_INT(depth_of(group)), ARG_BUFFER(x),
                                     ARG_BUFFER(y), ARG_BUFFER(scratch), ARG_BUFFER(groups > 1 ? partial : dw)));
    return e || groups == 1 ? e : conv_weights_tree(c, p, groups, p->tiles.vector, partial, dw);
}
