#include "ops/ref/mesh_ref.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "ops/ref/fft_ref.h"

static size_t cells(int dims, int n)
{
    return dims == 3 ? (size_t)n * n * n : (size_t)n * n;
}

static int wrap(int i, int n)
{
    return (i % n + n) % n;
}

/* Index of node (i0, i1, i2), each wrapped; i2 is not looked at in two dimensions. */
static size_t node(int dims, int n, const int *i)
{
    size_t at = (size_t)wrap(i[0], n) * n + wrap(i[1], n);
    return dims == 3 ? at * n + wrap(i[2], n) : at;
}

/* Lower node and fraction of particle q on each axis. */
static void place(int dims, int n, int64_t count, const double *x, int64_t q, int *lower, double *fraction)
{
    for (int d = 0; d < dims; d++) {
        double u = x[d * count + q] * n;
        lower[d] = (int)floor(u);
        fraction[d] = u - lower[d];
    }
}

/* Corner b (bit d: the upper node of axis d): its node and its weight. */
static double corner(int dims, const int *lower, const double *fraction, int b, int *at)
{
    double w = 1;
    for (int d = 0; d < dims; d++) {
        int upper = b >> d & 1;
        at[d] = lower[d] + upper;
        w *= upper ? fraction[d] : 1 - fraction[d];
    }
    return w;
}

void mesh_ref_deposit(int dims, int n, int64_t count, const double *x, double *density)
{
    memset(density, 0, cells(dims, n) * sizeof *density);
    double unit = (double)cells(dims, n) / (double)count;
    for (int64_t q = 0; q < count; q++) {
        int lower[3], at[3];
        double fraction[3];
        place(dims, n, count, x, q, lower, fraction);
        for (int b = 0; b < 1 << dims; b++) {
            double w = corner(dims, lower, fraction, b, at);
            density[node(dims, n, at)] += unit * w;
        }
    }
}

status mesh_ref_potential(context *c, int dims, int n, double *field)
{
    int shape[3] = {n, n, n};
    size_t total = cells(dims, n);
    double *modes = NULL;
    status s = memory_new(c, "oracle potential", 2 * total, sizeof(double), &modes);
    if (s) return s;
    for (size_t i = 0; i < total; i++) modes[2 * i] = field[i];
    s = fft_ref_transform(c, dims, shape, -1, modes);
    if (s) goto out;
    for (size_t i = 0; i < total; i++) {
        double square = 0;
        size_t rest = i;
        for (int d = 0; d < dims; d++, rest /= (size_t)n) {
            int m = (int)(rest % n);
            if (m > n / 2) m -= n;
            square += (double)m * m;
        }
        double factor = square > 0 ? -1 / (4 * M_PI * M_PI * square * (double)total) : 0;
        modes[2 * i] *= factor;
        modes[2 * i + 1] *= factor;
    }
    s = fft_ref_transform(c, dims, shape, 1, modes);
    if (s) goto out;
    for (size_t i = 0; i < total; i++) field[i] = modes[2 * i];
out:
    memory_delete(&modes);
    return s;
}

/* −∂φ/∂x_d at a node, box side 1. */
static double slope(int dims, int n, const double *phi, const int *at, int d)
{
    double value[4];
    for (int s = 0; s < 4; s++) {
        int moved[3] = {at[0], at[1], dims == 3 ? at[2] : 0};
        moved[d] += (const int[]){-2, -1, 1, 2}[s];
        value[s] = phi[node(dims, n, moved)];
    }
    return -(8 * (value[2] - value[1]) - (value[3] - value[0])) * n / 12;
}

void mesh_ref_force(int dims, int n, int64_t count, const double *x, const double *phi, double *g)
{
    for (int64_t q = 0; q < count; q++) {
        int lower[3], at[3];
        double fraction[3];
        place(dims, n, count, x, q, lower, fraction);
        for (int d = 0; d < dims; d++) {
            double sum = 0;
            for (int b = 0; b < 1 << dims; b++) {
                double w = corner(dims, lower, fraction, b, at);
                sum += w * slope(dims, n, phi, at, d);
            }
            g[d * count + q] = sum;
        }
    }
}

status mesh_ref_gravity(context *c, int dims, int n, int64_t count, const double *x, double *g)
{
    double *field = NULL;
    status s = memory_new(c, "oracle mesh", cells(dims, n), sizeof(double), &field);
    if (s) return s;
    mesh_ref_deposit(dims, n, count, x, field);
    s = mesh_ref_potential(c, dims, n, field);
    if (!s) mesh_ref_force(dims, n, count, x, field, g);
    memory_delete(&field);
    return s;
}
