/* Delaunay tessellation of points in the plane, by qhull (Barber, Dobkin & Huhdanpaa 1996). */
#ifndef MAPS_TRIANGULATION_H
#define MAPS_TRIANGULATION_H

#include <stdint.h>
#include "base/context.h"

/* Cell k has the vertices vertex[first[k]] … vertex[first[k + 1] − 1], counter-clockwise, mostly three. Points on one
 * circle, to rounding, make one cell with more: which of its diagonals to draw is left to the caller, so that no
 * arbitrary choice breaks a symmetry of the points. Cells at the rim of the points belong to the tessellation too. */
typedef struct {
    int64_t cells;
    int32_t *first;  /* owned, [cells + 1] */
    int32_t *vertex; /* owned */
    int32_t *owner;  /* owned, [points]: itself, or for a point too close to another to be told apart that other one */
} triangulation;

/* xy [n][2], no two points equal, at least 4 and not all on a line. STATUS_FAILURE with qhull's own words when it
 * fails. */
status triangulation_new(context *c, const double *xy, int64_t n, triangulation *out);
void triangulation_delete(triangulation *t);

#endif
