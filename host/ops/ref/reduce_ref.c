#include "ops/ref/reduce_ref.h"

#include <math.h>
#include <stdbool.h>
#include "base/memory.h"

double reduce_ref_mean(const float *image, int side)
{
    const int pixels = side * side;
    double sum = 0;
    for (int i = 0; i < pixels; i++) sum += image[i];
    return sum / pixels;
}

static int bin_of(double v, const double *edges, int bins)
{
    if (v < edges[0]) return 0;
    if (v > edges[bins]) return bins + 1;
    for (int i = 0; i < bins; i++) {
        if (v >= edges[i] && v < edges[i + 1]) return i + 1;
    }
    return bins;
}

void reduce_ref_histogram(const float *image, int side, const double *edges, int bins, unsigned *counts)
{
    const int pixels = side * side;
    for (int i = 0; i < pixels; i++) counts[bin_of(image[i], edges, bins)]++;
}

static bool is_peak(const float *image, int side, int y, int x)
{
    const float v = image[y * side + x];
    for (int dy = -1; dy <= 1; dy++) {
        for (int dx = -1; dx <= 1; dx++) {
            if ((dy || dx) && !(v > image[(y + dy) * side + x + dx])) return false;
        }
    }
    return true;
}

void reduce_ref_peaks(const float *image, int side, const double *edges, int bins, unsigned *counts)
{
    for (int y = 1; y < side - 1; y++) {
        for (int x = 1; x < side - 1; x++) {
            if (is_peak(image, side, y, x)) counts[bin_of(image[y * side + x], edges, bins)]++;
        }
    }
}

/* Whether the pixel is in the set; beyond the image nothing is. */
static bool is_in(const float *image, int side, double edge, int y, int x)
{
    return y >= 0 && x >= 0 && y < side && x < side && image[y * side + x] >= edge;
}

void reduce_ref_minkowski(const float *image, int side, double edge, int *out)
{
    int faces = 0, edges = 0, vertices = 0, bounds = 0;
    for (int y = 0; y <= side; y++) {
        for (int x = 0; x <= side; x++) {
            const bool here = is_in(image, side, edge, y, x), left = is_in(image, side, edge, y, x - 1),
                       up = is_in(image, side, edge, y - 1, x), corner = is_in(image, side, edge, y - 1, x - 1);
            faces += here;
            edges += (here || left) + (here || up);
            vertices += here || left || up || corner;
            if (y < side && x > 0 && x < side) bounds += here != left;
            if (x < side && y > 0 && y < side) bounds += here != up;
        }
    }
    out[0] = faces;
    out[1] = bounds;
    out[2] = vertices - edges + faces;
}

/* One axis of the DFT of a complex plane: element (line, j) is at line · line_step + j · step. */
static void transform_axis(double (*plane)[2], double (*line_out)[2], const double (*w)[2], int side, int line_step,
                           int step)
{
    for (int line = 0; line < side; line++) {
        double(*p)[2] = plane + (size_t)line * (size_t)line_step;
        for (int k = 0; k < side; k++) {
            double re = 0, im = 0;
            for (int j = 0; j < side; j++) {
                const double *t = w[(long)j * k % side], *v = p[(size_t)j * (size_t)step];
                re += v[0] * t[0] + v[1] * t[1];
                im += v[1] * t[0] - v[0] * t[1];
            }
            line_out[k][0] = re;
            line_out[k][1] = im;
        }
        for (int k = 0; k < side; k++) {
            p[(size_t)k * (size_t)step][0] = line_out[k][0];
            p[(size_t)k * (size_t)step][1] = line_out[k][1];
        }
    }
}

/* The unnormalised DFT of an image, [side][side] complex. */
static status transform_image(context *c, const float *image, int side, double (**plane)[2])
{
    double(*line)[2] = NULL, (*w)[2] = NULL;
    const size_t n = (size_t)side;
    status s = STATUS_OK;
    if ((s = memory_new(c, "reference spectrum", n * n, sizeof **plane, plane))) goto out;
    if ((s = memory_new(c, "reference spectrum", n, sizeof *line, &line))) goto out;
    if ((s = memory_new(c, "reference spectrum", n, sizeof *w, &w))) goto out;
    for (int j = 0; j < side; j++) {
        w[j][0] = cos(2 * M_PI * j / side);
        w[j][1] = sin(2 * M_PI * j / side);
    }
    for (size_t i = 0; i < n * n; i++) (*plane)[i][0] = image[i];
    transform_axis(*plane, line, (const double(*)[2])w, side, side, 1);
    transform_axis(*plane, line, (const double(*)[2])w, side, 1, side);
out:
    memory_delete(&line);
    memory_delete(&w);
    return s;
}

status reduce_ref_cross(context *c, const float *a, const float *b, int side, double *cross)
{
    double(*x)[2] = NULL, (*y)[2] = NULL;
    long *modes = NULL;
    const size_t n = (size_t)side;
    status s = memory_new(c, "reference spectrum", n, sizeof *modes, &modes);
    if (!s) s = transform_image(c, a, side, &x);
    if (!s && b != a) s = transform_image(c, b, side, &y);
    for (int r = 0; !s && r < side / 2; r++) cross[r] = 0;
    for (size_t i = 0; !s && i < n * n; i++) {
        const int row = (int)(i / n), column = (int)(i % n);
        const int ky = row <= side / 2 ? row : row - side, kx = column <= side / 2 ? column : column - side;
        const long ring = lround(sqrt((double)ky * ky + (double)kx * kx));
        if (ring < 1 || ring > side / 2) continue;
        const double *v = x[i], *u = y ? y[i] : v;
        cross[ring - 1] += v[0] * u[0] + v[1] * u[1];
        modes[ring - 1]++;
    }
    for (int r = 0; !s && r < side / 2; r++) cross[r] /= (double)modes[r];
    memory_delete(&x);
    memory_delete(&y);
    memory_delete(&modes);
    return s;
}

status reduce_ref_power(context *c, const float *image, int side, double *power)
{
    return reduce_ref_cross(c, image, image, side, power);
}
