#include "maps/triangulation.h"

#include <libqhull_r/qhull_ra.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"

/* d: Delaunay. Qbb: scale the lifted coordinate, against rounding. Qc: keep points that fall together with a facet.
 * Q12: allow wide facets, which many points on one circle make. No Qt: cells with more than three vertices stay whole.
 */
#define QHULL_OPTIONS "qhull d Qbb Qc Q12"

typedef struct {
    double angle;
    int32_t vertex;
} corner;

static int compare_corners(const void *a, const void *b)
{
    double x = ((const corner *)a)->angle, y = ((const corner *)b)->angle;
    return (x > y) - (x < y);
}

static void sort_corners(const double *xy, int32_t *vertex, int count, corner *scratch)
{
    double mx = 0, my = 0;
    for (int i = 0; i < count; i++) {
        mx += xy[2 * vertex[i]] / count;
        my += xy[2 * vertex[i] + 1] / count;
    }
    for (int i = 0; i < count; i++)
        scratch[i] = (corner){atan2(xy[2 * vertex[i] + 1] - my, xy[2 * vertex[i]] - mx), vertex[i]};
    qsort(scratch, (size_t)count, sizeof *scratch, compare_corners);
    for (int i = 0; i < count; i++) vertex[i] = scratch[i].vertex;
}

/* Three vertices counter-clockwise without the cost of angles. */
static void turn_triangle(const double *xy, int32_t *v)
{
    const double *a = xy + 2 * v[0], *b = xy + 2 * v[1], *d = xy + 2 * v[2];
    if ((b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0]) >= 0) return;
    int32_t swap = v[1];
    v[1] = v[2];
    v[2] = swap;
}

/* Sizes of what take_cells fills. */
static void count_cells(qhT *qh, int64_t *cells, int64_t *corners, int *largest)
{
    facetT *facet;
    *cells = *corners = 0;
    *largest = 3;
    FORALLfacets
    {
        if (facet->upperdelaunay) continue;
        int k = qh_setsize(qh, facet->vertices);
        if (k > *largest) *largest = k;
        ++*cells;
        *corners += k;
    }
}

static void take_cells(qhT *qh, const double *xy, triangulation *t, corner *scratch)
{
    facetT *facet;
    vertexT *vertex, **vertexp;
    pointT *point, **pointp;
    int64_t cell = 0;
    int32_t next = 0;
    FORALLfacets
    {
        if (facet->upperdelaunay) continue;
        int32_t *v = t->vertex + next;
        int k = 0;
        FOREACHvertex_(facet->vertices) v[k++] = qh_pointid(qh, vertex->point);
        if (k == 3)
            turn_triangle(xy, v);
        else
            sort_corners(xy, v, k, scratch);
        t->first[cell++] = next;
        next += k;
        FOREACHpoint_(facet->coplanarset)
        {
            realT distance;
            vertexT *near = qh_nearvertex(qh, facet, point, &distance);
            if (near) t->owner[qh_pointid(qh, point)] = qh_pointid(qh, near->point);
        }
    }
    t->first[cell] = next;
}

/* qhull's error text, its first line only. */
static status qhull_failed(context *c, int code, char *text)
{
    if (code == qh_ERRmem) return context_fail(c, STATUS_MEMORY, "Delaunay tessellation: no memory (qhull)");
    if (text) text[strcspn(text, "\n")] = 0;
    return context_fail(c, STATUS_FAILURE, "Delaunay tessellation: qhull says: %s", text && text[0] ? text : "nothing");
}

status triangulation_new(context *c, const double *xy, int64_t n, triangulation *out)
{
    qhT state, *qh = &state;
    double *points = NULL;
    corner *scratch = NULL;
    char *text = NULL, options[] = QHULL_OPTIONS;
    size_t text_size = 0;
    int64_t corners;
    int largest, code = 0, curlong, totlong;
    memset(out, 0, sizeof *out);
    FILE *errors = open_memstream(&text, &text_size);
    if (!errors) return context_fail(c, STATUS_MEMORY, "Delaunay tessellation: no memory for messages");
    qh_zero(qh, errors);
    status s = n > INT32_MAX / 8
                   ? context_fail(c, STATUS_USAGE, "Delaunay tessellation: %lld points are too many", (long long)n)
                   : memory_new(c, "points of a tessellation", (size_t)n * 2, sizeof(double), &points);
    if (s) goto out;
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int64_t i = 0; i < 2 * n; i++) {
        low[i & 1] = fmin(low[i & 1], xy[i]);
        high[i & 1] = fmax(high[i & 1], xy[i]);
    }
    /* About the middle, so that x² + y² is small. */
    for (int64_t i = 0; i < 2 * n; i++) points[i] = xy[i] - (low[i & 1] + high[i & 1]) / 2;
    code = qh_new_qhull(qh, 2, (int)n, points, False, options, NULL, errors);
    if (code) goto out;
    count_cells(qh, &out->cells, &corners, &largest);
    s = memory_new(c, "cells of a tessellation", (size_t)out->cells + 1, sizeof *out->first, &out->first);
    if (!s) s = memory_new(c, "corners of a tessellation", (size_t)corners, sizeof *out->vertex, &out->vertex);
    if (!s) s = memory_new(c, "points of a tessellation", (size_t)n, sizeof *out->owner, &out->owner);
    if (!s) s = memory_new(c, "corners of a cell", (size_t)largest, sizeof *scratch, &scratch);
    if (s) goto out;
    for (int64_t i = 0; i < n; i++) out->owner[i] = (int32_t)i;
    take_cells(qh, xy, out, scratch);
out:
    qh_freeqhull(qh, !qh_ALL);
    qh_memfreeshort(qh, &curlong, &totlong);
    fclose(errors);
    if (code) s = qhull_failed(c, code, text);
    free(text); /* open_memstream's own */
    memory_delete(&scratch);
    memory_delete(&points);
    if (s) triangulation_delete(out);
    return s;
}

void triangulation_delete(triangulation *t)
{
    if (!t) return;
    memory_delete(&t->first);
    memory_delete(&t->vertex);
    memory_delete(&t->owner);
    memset(t, 0, sizeof *t);
}
