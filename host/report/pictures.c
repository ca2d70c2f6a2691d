/* Figure 1's map, figure 2's two grids and the strips of the baselines: made without gnuplot; the sheet around the
 * grids is gnuplot's. */
#include <math.h>
#include <stdio.h>
#include "base/memory.h"
#include "report/plots.h"

enum { MAP_SIDE = 768, TILE_SIDE = 150, STRIP_SIDE = 128, GAP = 6, BAR_WIDTH = 512, BAR_HEIGHT = 12 };

static const char *const names[PICTURE_COUNT] = {
    [PICTURE_MAP] = "figure1_map",
    [PICTURE_TRUTH] = "figure2_simulated",
    [PICTURE_GENERATED] = "figure2_generated",
    [PICTURE_PAIRS] = "figure6",
    [PICTURE_THRESHOLDS] = "figure8",
    [PICTURE_OVERLAP] = "figure9",
    [PICTURE_STRIP_TRUTH] = "strip_simulated",
    [PICTURE_STRIP_GENERATED] = "strip_generated",
    [PICTURE_STRIP_UNTRAINED] = "strip_untrained",
    [PICTURE_STRIP_GAUSSIAN] = "strip_gaussian",
    [PICTURE_BAR] = "colour_bar",
};

const char *picture_name(picture_id p)
{
    return names[p];
}

status picture_save(context *c, const char *folder, picture_id id, picture *p)
{
    char path[FILES_PATH], *data = NULL;
    size_t size = 0;
    status s = picture_encode(c, p, &data, &size);
    if (!s) s = files_path(c, path, "%s/%s.png", folder, names[id]);
    if (!s) s = files_replace(c, path, data, size);
    memory_delete(&data);
    picture_delete(p);
    return s;
}

/* At most `most` rows of maps spread evenly over those read. */
static status save_grid(context *c, const sample *m, const gallery_scale *g, int columns, int most, int target,
                        const char *folder, picture_id id, plots *p)
{
    picture image = {0};
    int side = m->ny > m->nx ? m->ny : m->nx;
    int rows = m->count < columns * most ? (m->count + columns - 1) / columns : most;
    sample spread = *m; /* borrows the values */
    float *chosen = NULL;
    int count = columns * rows < m->count ? columns * rows : m->count;
    size_t pixels = (size_t)m->ny * (size_t)m->nx;
    status s = memory_new(c, "images of the grid", (size_t)count * pixels, sizeof(float), &chosen);
    for (int i = 0; !s && i < count; i++) {
        const float *from = m->values + (size_t)((long)i * m->count / count) * pixels;
        for (size_t k = 0; k < pixels; k++) chosen[(size_t)i * pixels + k] = from[k];
    }
    spread.values = chosen;
    spread.count = count;
    if (!s) s = gallery_grid(c, &spread, g, columns, rows, gallery_tile(side, target), GAP, &image);
    if (!s) s = picture_save(c, folder, id, &image);
    p->pictures[id] = !s;
    memory_delete(&chosen);
    return s;
}

/* A row of simulated, generated and baseline images each, where there is a baseline. */
static status save_strips(context *c, const run *r, const char *folder, plots *p)
{
    static const struct {
        run_part part;
        picture_id id;
    } rows[] = {{RUN_TRUTH, PICTURE_STRIP_TRUTH},
                {RUN_GENERATED, PICTURE_STRIP_GENERATED},
                {RUN_UNTRAINED, PICTURE_STRIP_UNTRAINED},
                {RUN_GAUSSIAN, PICTURE_STRIP_GAUSSIAN}};
    const sample *sets[] = {&r->truth, &r->generated, &r->untrained, &r->gaussian};
    status s = STATUS_OK;
    if (!run_has(r, RUN_UNTRAINED) && !run_has(r, RUN_GAUSSIAN)) return s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !s; i++)
        if (run_has(r, rows[i].part))
            s = save_grid(c, sets[i], &p->grid_scale, STRIP_COLUMNS, 1, STRIP_SIDE, folder, rows[i].id, p);
    return s;
}

status pictures_make(context *c, const run *r, const char *folder, plots *p)
{
    status s = STATUS_OK;
    picture image = {0};
    bool truth = run_has(r, RUN_TRUTH), generated = run_has(r, RUN_GENERATED);
    if (run_has(r, RUN_PARENTS)) {
        int side = r->parents.ny > r->parents.nx ? r->parents.ny : r->parents.nx;
        s = gallery_scale_of(c, &r->parents, &p->map_scale);
        if (!s) s = gallery_grid(c, &r->parents, &p->map_scale, 1, 1, gallery_tile(side, MAP_SIDE), 0, &image);
        if (!s) s = picture_save(c, folder, PICTURE_MAP, &image);
        p->pictures[PICTURE_MAP] = !s;
    }
    /* One scale for both grids, the simulations': too dark or too bright generated images must look it. */
    if (!s && (truth || generated)) s = gallery_scale_of(c, truth ? &r->truth : &r->generated, &p->grid_scale);
    if (!s && truth)
        s = save_grid(c, &r->truth, &p->grid_scale, GRID_COLUMNS, GRID_ROWS, TILE_SIDE, folder, PICTURE_TRUTH, p);
    if (!s && generated)
        s = save_grid(c, &r->generated, &p->grid_scale, GRID_COLUMNS, GRID_ROWS, TILE_SIDE, folder, PICTURE_GENERATED,
                      p);
    if (!s && (truth || generated)) s = save_strips(c, r, folder, p);
    if (!s) s = pictures_of_pairs(c, r, folder, p);
    if (!s) s = gallery_bar(c, BAR_WIDTH, BAR_HEIGHT, &image);
    if (!s) s = picture_save(c, folder, PICTURE_BAR, &image);
    p->pictures[PICTURE_BAR] = !s;
    picture_delete(&image);
    return s;
}

static void grid_panel(page *script, const char *title, const char *name, double left, double right)
{
    page_format(script,
                "set lmargin at screen %.3f\nset rmargin at screen %.3f\n"
                "set title '{/:Bold %s}' font TITLE\n"
                "plot '%s.png' binary filetype=png with rgbimage notitle\n",
                left, right, title, name);
}

status plot_sheet_grid(context *c, const run *r, const char *folder, plots *p)
{
    char path[FILES_PATH];
    page script;
    const gallery_scale *g = &p->grid_scale;
    (void)r;
    p->wanted[PLOT_SHEET_GRID] = p->pictures[PICTURE_TRUTH] && p->pictures[PICTURE_GENERATED];
    if (!p->wanted[PLOT_SHEET_GRID]) return STATUS_OK;
    page_begin(&script, c);
    plot_head(&script, "");
    page_raw(&script, "set multiplot\nunset border\nunset tics\nunset grid\nset size ratio -1\n"
                      "set tmargin at screen 0.960\nset bmargin at screen 0.085\nset autoscale fix\n");
    grid_panel(&script, "simulated", names[PICTURE_TRUTH], .015, .490);
    grid_panel(&script, "generated", names[PICTURE_GENERATED], .510, .985);
    page_format(
        &script,
        "unset title\nset size noratio\nset border 1\nset tmargin at screen 0.070\nset bmargin at screen 0.057\n"
        "set lmargin at screen 0.25\nset rmargin at screen 0.75\n"
        "set xrange [%.6g:%.6g]\nset yrange [0:1]\n"
        "set format x '%%g'\nset xtics out nomirror\nset xlabel '%s' offset 0,0.4\n"
        "plot '%s.png' binary filetype=png origin=(%.9g,%.9g) dx=%.9g dy=%.9g with rgbimage notitle\n"
        "unset multiplot\n",
        g->low, g->high, r->truth.mean > 0 ? "log_{10} (density / mean)" : "log_{10} (particles per pixel)",
        names[PICTURE_BAR], g->low + .5 * (g->high - g->low) / BAR_WIDTH, .5 / BAR_HEIGHT,
        (g->high - g->low) / BAR_WIDTH, 1. / BAR_HEIGHT);
    status s = files_path(c, path, "%s/%s.gp", folder, plot_name(PLOT_SHEET_GRID));
    if (!s) s = page_save(&script, path);
    page_delete(&script);
    return s;
}
