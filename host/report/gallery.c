#include "report/gallery.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "report/colours.h"

static const double DARKEST = 1e-6; /* of the unit: what an empty pixel counts as before the scale is known */

static int ascending(const void *x, const void *y)
{
    float a = *(const float *)x, b = *(const float *)y;
    return (a > b) - (a < b);
}

/* What the colours run over. */
static double place(const gallery_scale *g, double v)
{
    return g->linear ? v / g->unit : log10(fmax(v / g->unit, DARKEST));
}

status gallery_scale_of(context *c, const sample *m, gallery_scale *g)
{
    float *sorted = NULL;
    size_t all = (size_t)m->count * (size_t)m->ny * (size_t)m->nx, step = all / 400000 + 1, n = 0;
    status s = memory_new(c, "colour scale", all / step + 1, sizeof(float), &sorted);
    if (s) return s;
    for (size_t i = 0; i < all; i += step) sorted[n++] = m->values[i];
    qsort(sorted, n, sizeof *sorted, ascending);
    g->linear = m->transform.kind == TRANSFORM_LINEAR;
    g->unit = !g->linear && m->mean > 0 ? m->mean : 1;
    g->high = place(g, sorted[(size_t)(.998 * (double)(n - 1))]);
    g->low = place(g, sorted[(size_t)(.005 * (double)(n - 1))]);
    memory_delete(&sorted);
    if (!g->linear) g->low = fmax(g->low, g->high - 5);
    if (g->high - g->low < (g->linear ? 1e-6 * fabs(g->high) + 1e-30 : .1)) { /* a flat map */
        g->low -= .5;
        g->high += .5;
    }
    return STATUS_OK;
}

int gallery_tile(int n, int target)
{
    int multiple = (target + n / 2) / n * n;
    return multiple > 0 && abs(multiple - target) * 5 <= target ? multiple : target;
}

/* Position in [0, COLOURS − 1] on the scale. */
static double level(const gallery_scale *g, float v)
{
    double x = (place(g, v) - g->low) / (g->high - g->low);
    return (x < 0 ? 0 : x > 1 ? 1 : x) * (COLOURS - 1);
}

/* Pixel centres of the tile fall at (i + ½)/tile of the map; beyond the outermost centres of the map its edge goes on.
 */
static void tile_axis(int i, int tile, int n, int *first, int *second, double *weight)
{
    double x = (i + .5) * n / tile - .5;
    double below = floor(x);
    *weight = x - below;
    *first = below < 0 ? 0 : (int)below;
    *second = below + 1 > n - 1 ? n - 1 : (int)below + 1;
}

void gallery_draw(const sample *m, const gallery_scale *g, int map, int tile, float *levels, picture *p, int x0, int y0)
{
    const float *v = m->values + (size_t)map * (size_t)m->ny * (size_t)m->nx;
    for (size_t i = 0; i < (size_t)m->ny * (size_t)m->nx; i++) levels[i] = (float)level(g, v[i]);
    for (int y = 0; y < tile; y++) {
        int ya, yb, xa, xb;
        double wy, wx;
        tile_axis(y, tile, m->ny, &ya, &yb, &wy);
        const float *above = levels + (size_t)ya * (size_t)m->nx, *below = levels + (size_t)yb * (size_t)m->nx;
        uint8_t *row = p->pixels + (size_t)(y0 + y) * (size_t)p->width + x0;
        for (int x = 0; x < tile; x++) {
            tile_axis(x, tile, m->nx, &xa, &xb, &wx);
            double top = above[xa] + wx * (above[xb] - above[xa]), bottom = below[xa] + wx * (below[xb] - below[xa]);
            row[x] = (uint8_t)lrint(top + wy * (bottom - top));
        }
    }
}

status gallery_grid(context *c, const sample *m, const gallery_scale *g, int columns, int rows, int tile, int gap,
                    picture *out)
{
    float *levels = NULL;
    status s = picture_new(c, columns * tile + (columns - 1) * gap, rows * tile + (rows - 1) * gap, out);
    if (!s) s = memory_new(c, "picture of a map", (size_t)m->ny * (size_t)m->nx, sizeof(float), &levels);
    if (s) goto out;
    colours_fill(out->palette);
    out->transparent = COLOUR_GAP;
    memset(out->pixels, COLOUR_GAP, (size_t)out->width * (size_t)out->height);
    for (int i = 0; i < columns * rows && i < m->count; i++)
        gallery_draw(m, g, i, tile, levels, out, i % columns * (tile + gap), i / columns * (tile + gap));
out:
    memory_delete(&levels);
    if (s) picture_delete(out);
    return s;
}

status gallery_bar(context *c, int width, int height, picture *out)
{
    status s = picture_new(c, width, height, out);
    if (s) return s;
    colours_fill(out->palette);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            out->pixels[(size_t)y * (size_t)width + (size_t)x] =
                (uint8_t)lrint((COLOURS - 1.) * x / (width > 1 ? width - 1 : 1));
    return STATUS_OK;
}
