/* The autoencoder in pictures: originals above what was inferred of them (figure 6), the densest parts of both (figure
 * 8), and where these lie on each other (figure 9). */
#include <string.h>
#include "base/memory.h"
#include "report/colours.h"
#include "report/plots.h"

enum { TILE = 128, GAP = 6, GROUP_GAP = 14 };
const double picture_percent[PICTURE_PERCENTAGES] = {20, 40, 60, 80};

/* Pair i of the n shown, spread evenly over all that were read. */
static int pair_of(const run *r, int i, int n)
{
    return (int)((long)i * r->inferred.count / n);
}

static int fewer(int a, int b)
{
    return a < b ? a : b;
}

static status figure_pairs(context *c, const run *r, const char *folder, plots *p)
{
    const int n = fewer(r->inferred.count, PAIRS_COLUMNS_SHOWN);
    const size_t pixels = (size_t)r->inferred.ny * (size_t)r->inferred.nx;
    sample both = r->originals; /* borrows all but the values */
    picture image = {0};
    both.values = NULL;
    both.count = 2 * n;
    status s = memory_new(c, "images of the pairs", (size_t)both.count * pixels, sizeof(float), &both.values);
    for (int i = 0; i < n && !s; i++) {
        const size_t from = (size_t)pair_of(r, i, n) * pixels;
        memcpy(both.values + (size_t)i * pixels, r->originals.values + from, pixels * sizeof(float));
        memcpy(both.values + (size_t)(n + i) * pixels, r->inferred.values + from, pixels * sizeof(float));
    }
    if (!s) s = gallery_grid(c, &both, &p->pairs_scale, n, 2, gallery_tile(both.nx, TILE), GAP, &image);
    memory_delete(&both.values);
    if (!s) s = picture_save(c, folder, PICTURE_PAIRS, &image);
    p->pictures[PICTURE_PAIRS] = !s;
    return s;
}

/* [originals, inferred][percentage]: of the whole set, or of each pair alone where the overlap was so computed. */
typedef float thresholds[2][PICTURE_PERCENTAGES];

static status thresholds_of(context *c, const run *r, int pair, thresholds t)
{
    const int one = r->pairs.dice.per_image ? pair : -1;
    status s = sample_thresholds(c, &r->originals, one, PICTURE_PERCENTAGES, picture_percent, t[0]);
    return s ? s : sample_thresholds(c, &r->inferred, one, PICTURE_PERCENTAGES, picture_percent, t[1]);
}

/* A picture of see-through gaps. */
static status begin_picture(context *c, int width, int height, picture *p)
{
    status s = picture_new(c, width, height, p);
    if (s) return s;
    colours_fill(p->palette);
    p->transparent = COLOUR_GAP;
    memset(p->pixels, COLOUR_GAP, (size_t)width * (size_t)height);
    return STATUS_OK;
}

/* Colours index[a + 2 b] of the pixels where a = v ≥ t, b = w ≥ u; a tile of whole pixels, for a mask has no values in
 * between. w may be NULL: b = 0. */
static void draw_masks(const sample *m, const float *v, float t, const float *w, float u, const uint8_t index[4],
                       int tile, picture *p, int x0, int y0)
{
    for (int y = 0; y < tile; y++)
        for (int x = 0; x < tile; x++) {
            const size_t i = (size_t)(y * m->ny / tile) * (size_t)m->nx + (size_t)(x * m->nx / tile);
            const int a = v[i] >= t, b = w && w[i] >= u;
            p->pixels[(size_t)(y0 + y) * (size_t)p->width + (size_t)(x0 + x)] = index[a + 2 * b];
        }
}

/* A row a pair: the original, the inferred map, and both again at each percentage: what is dense is light. */
static status figure_thresholds(context *c, const run *r, const char *folder, plots *p)
{
    static const uint8_t light[4] = {0, COLOURS - 30, 0, COLOURS - 30};
    const sample *sets[2] = {&r->originals, &r->inferred};
    const int n = fewer(r->inferred.count, PAIRS_ROWS_SHOWN), tile = gallery_tile(r->inferred.nx, TILE);
    const int group = 2 * tile + GAP + GROUP_GAP;
    const size_t pixels = (size_t)r->inferred.ny * (size_t)r->inferred.nx;
    picture image = {0};
    float *levels = NULL;
    thresholds t;
    status s = begin_picture(c, (PICTURE_PERCENTAGES + 1) * group - GROUP_GAP, n * (tile + GAP) - GAP, &image);
    if (!s) s = memory_new(c, "picture of a map", pixels, sizeof(float), &levels);
    for (int i = 0; i < n && !s; i++) {
        const int pair = pair_of(r, i, n), y = i * (tile + GAP);
        if (!i || r->pairs.dice.per_image) s = thresholds_of(c, r, pair, t);
        for (int k = 0; k < 2 && !s; k++) {
            const float *map = sets[k]->values + (size_t)pair * pixels;
            gallery_draw(sets[k], &p->pairs_scale, pair, tile, levels, &image, k * (tile + GAP), y);
            for (int q = 0; q < PICTURE_PERCENTAGES; q++)
                draw_masks(sets[k], map, t[k][q], NULL, 0, light, tile, &image, (q + 1) * group + k * (tile + GAP), y);
        }
    }
    memory_delete(&levels);
    if (!s) s = picture_save(c, folder, PICTURE_THRESHOLDS, &image);
    picture_delete(&image);
    p->pictures[PICTURE_THRESHOLDS] = !s;
    return s;
}

/* A row a pair, a column a percentage: dense in the original, in the inferred map, in both. */
static status figure_overlap(context *c, const run *r, const char *folder, plots *p)
{
    static const uint8_t index[4] = {0, 1, 2, 3};
    static const uint8_t colours[4][3] = {PICTURE_NEITHER, PICTURE_ORIGINAL, PICTURE_INFERRED, PICTURE_BOTH};
    const int n = fewer(r->inferred.count, PAIRS_ROWS_SHOWN), tile = gallery_tile(r->inferred.nx, TILE);
    const size_t pixels = (size_t)r->inferred.ny * (size_t)r->inferred.nx;
    picture image = {0};
    thresholds t;
    status s = begin_picture(c, PICTURE_PERCENTAGES * (tile + GAP) - GAP, n * (tile + GAP) - GAP, &image);
    if (!s) memcpy(image.palette, colours, sizeof colours);
    for (int i = 0; i < n && !s; i++) {
        const int pair = pair_of(r, i, n);
        const float *original = r->originals.values + (size_t)pair * pixels;
        const float *inferred = r->inferred.values + (size_t)pair * pixels;
        if (!i || r->pairs.dice.per_image) s = thresholds_of(c, r, pair, t);
        for (int q = 0; q < PICTURE_PERCENTAGES && !s; q++)
            draw_masks(&r->originals, original, t[0][q], inferred, t[1][q], index, tile, &image, q * (tile + GAP),
                       i * (tile + GAP));
    }
    if (!s) s = picture_save(c, folder, PICTURE_OVERLAP, &image);
    picture_delete(&image);
    p->pictures[PICTURE_OVERLAP] = !s;
    return s;
}

status pictures_of_pairs(context *c, const run *r, const char *folder, plots *p)
{
    if (!run_has(r, RUN_PAIRS)) return STATUS_OK;
    status s = gallery_scale_of(c, &r->originals, &p->pairs_scale);
    if (!s) s = figure_pairs(c, r, folder, p);
    if (!s) s = figure_thresholds(c, r, folder, p);
    return s ? s : figure_overlap(c, r, folder, p);
}
