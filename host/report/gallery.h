/* Density maps as pictures: one, or a grid of them, on a common colour scale: of the logarithm, as the networks see the
 * maps, or of the value itself where their transform is linear. */
#ifndef REPORT_GALLERY_H
#define REPORT_GALLERY_H

#include "io/png.h"
#include "report/sample.h"

/* Colours run over log10 of the density in units of the mean (of particles per pixel where the mean is unknown), or
 * over the values. */
typedef struct {
    double low, high;
    double unit; /* particles per pixel that count as 1 */
    bool linear;
} gallery_scale;

/* From the 0.5 and 99.8 percentiles of the pixels, so that neither empty pixels nor a few cores use up the colours. */
status gallery_scale_of(context *c, const sample *m, gallery_scale *g);

/* Side in picture pixels that brings a map of n pixels to about `target`: a whole multiple of n when that is within a
 * fifth of it, else the target itself. */
int gallery_tile(int n, int target);

/* The first columns × rows maps (fewer: see-through tiles stay), each bilinearly enlarged to tile × tile (on the
 * scale), see-through gaps of `gap` between them. */
status gallery_grid(context *c, const sample *m, const gallery_scale *g, int columns, int rows, int tile, int gap,
                    picture *out);
/* Draws one map of m at the top left corner (x0, y0) of a picture with that palette. `levels` has room for a map. */
void gallery_draw(const sample *m, const gallery_scale *g, int map, int tile, float *levels, picture *p, int x0,
                  int y0);
/* The colour bar, dark at the left, `width` × `height`. */
status gallery_bar(context *c, int width, int height, picture *out);

#endif
