#include "maps/clip.h"

#include <math.h>

enum { CORNERS = 8 }; /* a triangle cut by four lines has at most seven */

typedef struct {
    int count;
    double at[CORNERS][2];
} polygon;

/* Keeps the part with side * (p[axis] − line) >= 0 (Sutherland & Hodgman 1974). A corner on the line is kept once. */
static void cut(const polygon *in, int axis, double line, double side, polygon *out)
{
    int n = 0;
    for (int i = 0; i < in->count; i++) {
        const double *p = in->at[i], *q = in->at[i + 1 < in->count ? i + 1 : 0];
        double dp = side * (p[axis] - line), dq = side * (q[axis] - line);
        if (dp >= 0) {
            out->at[n][0] = p[0];
            out->at[n++][1] = p[1];
        }
        if ((dp > 0 && dq < 0) || (dp < 0 && dq > 0)) {
            double t = dp / (dp - dq);
            out->at[n][axis] = line;
            out->at[n++][!axis] = p[!axis] + t * (q[!axis] - p[!axis]);
        }
    }
    out->count = n;
}

/* Area, and the integral of value + gradient · p. Fan from the first corner: differences, so no cancellation. */
static double integral(const polygon *p, double value, const double gradient[2])
{
    double sum = 0;
    for (int i = 1; i + 1 < p->count; i++) {
        const double *a = p->at[0], *b = p->at[i], *d = p->at[i + 1];
        double area = ((b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0])) / 2;
        double x = (a[0] + b[0] + d[0]) / 3, y = (a[1] + b[1] + d[1]) / 3;
        sum += area * (value + gradient[0] * x + gradient[1] * y);
    }
    return sum;
}

/* First and last pixel that [low, high] touches, inside the map. */
static void pixel_range(double low, double high, int pixels, int *first, int *last)
{
    *first = low < 0 ? 0 : low >= pixels ? pixels : (int)low;
    *last = high < 0 ? -1 : high >= pixels ? pixels - 1 : (int)high;
}

void clip_add_triangle(const double corner[3][2], const double value[3], int pixels, double *sums)
{
    const double *o = corner[0];
    double bx = corner[1][0] - o[0], by = corner[1][1] - o[1], dx = corner[2][0] - o[0], dy = corner[2][1] - o[1];
    double twice = bx * dy - by * dx;
    if (!(twice > 0)) return;
    int x0, x1, y0, y1;
    pixel_range(o[0] + fmin(0, fmin(bx, dx)), o[0] + fmax(0, fmax(bx, dx)), pixels, &x0, &x1);
    pixel_range(o[1] + fmin(0, fmin(by, dy)), o[1] + fmax(0, fmax(by, dy)), pixels, &y0, &y1);
    if (x0 > x1 || y0 > y1) return;
    const double whole = twice / 2 * (value[0] + value[1] + value[2]) / 3;
    const double inside = fmin(fmin(corner[0][0], corner[1][0]), corner[2][0]);
    const double below = fmin(fmin(corner[0][1], corner[1][1]), corner[2][1]);
    if (x0 == x1 && y0 == y1 && inside >= x0 && below >= y0 &&
        fmax(fmax(corner[0][0], corner[1][0]), corner[2][0]) <= x0 + 1 &&
        fmax(fmax(corner[0][1], corner[1][1]), corner[2][1]) <= y0 + 1) {
        sums[(long)y0 * pixels + x0] += whole;
        return;
    }
    double vb = value[1] - value[0], vd = value[2] - value[0];
    const double gradient[2] = {(vb * dy - vd * by) / twice, (vd * bx - vb * dx) / twice};
    const polygon triangle = {3, {{0, 0}, {bx, by}, {dx, dy}}};
    polygon rest = triangle, row, tail, part;
    for (int y = y0; y <= y1; y++) {
        /* The row's strip, then its pixels one by one from what is right of them. */
        cut(&rest, 1, y - o[1], 1, &tail);
        cut(&tail, 1, y + 1 - o[1], -1, &row);
        rest = tail;
        if (row.count < 3) continue;
        polygon across = row;
        for (int x = x0; x <= x1; x++) {
            polygon right;
            cut(&across, 0, x - o[0], 1, &right);
            if (right.count < 3) break;
            cut(&right, 0, x + 1 - o[0], -1, &part);
            if (part.count >= 3) sums[(long)y * pixels + x] += integral(&part, value[0], gradient);
            across = right;
        }
    }
}
