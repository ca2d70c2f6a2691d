#include "stats/gaussian.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "ops/fft_host.h"
#include "ops/reduce.h"

enum { CELLS = 4096, ORDERS = 64, ROUNDS = 60, PIXELS_MOST = 1 << 20 };

/* T is tabulated between ±REACH standard deviations: beyond lies one pixel in 10⁹. */
#define REACH 6.0

struct gaussian {
    int side, rings;         /* rings: those of all modes, 0 … round(√2 · side/2) */
    int *ring;               /* [side][side]: of each mode */
    double *modes;           /* [rings]: modes in each */
    double *wanted;          /* [rings]: power per mode as a share of all power, of the images */
    double *power;           /* [rings]: the same of g; its sum over the modes is 1 */
    double misfit;           /* of the spectrum that `power` gives */
    double table[CELLS + 1]; /* T at −REACH … REACH */
    double squares[ORDERS];  /* c_n² / Σ c², n >= 1 at n − 1 */
};

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Value at the rank u in [0, 1] of sorted values, linear between their middles. */
static double quantile(const float *sorted, size_t n, double u)
{
    const double at = fmin(fmax(u * (double)n - .5, 0), (double)n - 1);
    const size_t i = (size_t)at, next = i + 1 < n ? i + 1 : i;
    return sorted[i] + (at - (double)i) * ((double)sorted[next] - sorted[i]);
}

static double cell_at(int i)
{
    return REACH * (2. * i / CELLS - 1);
}

static status tabulate(context *c, gaussian *g, const float *images, size_t pixels)
{
    const size_t stride = (pixels + PIXELS_MOST - 1) / PIXELS_MOST, n = (pixels + stride - 1) / stride;
    float *sorted = NULL;
    const status s = memory_new(c, "sorted pixels", n, sizeof *sorted, &sorted);
    if (s) return s;
    for (size_t i = 0; i < n; i++) sorted[i] = images[i * stride];
    qsort(sorted, n, sizeof *sorted, ascending);
    for (int i = 0; i <= CELLS; i++) g->table[i] = quantile(sorted, n, erfc(-cell_at(i) / M_SQRT2) / 2);
    memory_delete(&sorted);
    return STATUS_OK;
}

/* c_n = ∫ T h_n φ = (1/√n) ∫ h_{n−1} φ dT by parts, h the normalised Hermite polynomials: no difference of large terms
 * where T is steep. */
static void hermite(gaussian *g)
{
    double c[ORDERS] = {0}, sum = 0;
    for (int i = 0; i < CELLS; i++) {
        const double x = (cell_at(i) + cell_at(i + 1)) / 2, step = g->table[i + 1] - g->table[i];
        double before = 0, h = exp(-x * x / 2) / sqrt(2 * M_PI);
        for (int n = 1; n <= ORDERS; n++) {
            c[n - 1] += h * step / sqrt(n);
            const double next = (x * h - sqrt(n - 1) * before) / sqrt(n);
            before = h;
            h = next;
        }
    }
    for (int n = 0; n < ORDERS; n++) sum += c[n] * c[n];
    for (int n = 0; n < ORDERS; n++) g->squares[n] = sum > 0 ? c[n] * c[n] / sum : n == 0;
}

static status lay_rings(context *c, gaussian *g)
{
    const int side = g->side, half = side / 2;
    g->rings = reduce_ring(half, half) + 1;
    const size_t rings = (size_t)g->rings;
    status s = memory_new(c, "rings of the modes", (size_t)side * side, sizeof *g->ring, &g->ring);
    if (!s) s = memory_new(c, "modes of the rings", rings, sizeof(double), &g->modes);
    if (!s) s = memory_new(c, "spectrum", rings, sizeof(double), &g->wanted);
    if (!s) s = memory_new(c, "spectrum", rings, sizeof(double), &g->power);
    for (int i = 0; i < side * side && !s; i++) {
        const int y = i / side, x = i % side;
        g->ring[i] = reduce_ring(y <= half ? y : y - side, x <= half ? x : x - side);
        g->modes[g->ring[i]]++;
    }
    return s;
}

/* Scales the powers so that the modes' sum is 1. */
static void normalise(const gaussian *g, double *power)
{
    double sum = 0;
    for (int r = 0; r < g->rings; r++) sum += power[r] * g->modes[r];
    for (int r = 0; r < g->rings; r++) power[r] = sum > 0 ? power[r] / sum : 0;
}

/* wanted ← the mean spectrum of the images about the mean of all pixels; two images are one complex field, whose power
 * in a ring is the sum of theirs. */
static status measure(context *c, gaussian *g, const float *images, int64_t n, double *field)
{
    const int pixels = g->side * g->side, sides[2] = {g->side, g->side};
    double mean = 0;
    status s = STATUS_OK;
    for (int64_t i = 0; i < n * pixels; i++) mean += images[i];
    mean /= (double)(n * pixels);
    for (int64_t i = 0; i < n && !s; i += 2) {
        for (int p = 0; p < pixels; p++) {
            field[2 * p] = images[i * pixels + p] - mean;
            field[2 * p + 1] = i + 1 < n ? images[(i + 1) * pixels + p] - mean : 0;
        }
        s = fft_host_transform(c, 2, sides, -1, field);
        for (int p = 0; p < pixels && !s; p++)
            g->wanted[g->ring[p]] += (field[2 * p] * field[2 * p] + field[2 * p + 1] * field[2 * p + 1]);
    }
    for (int r = 0; r < g->rings; r++) g->wanted[r] /= g->modes[r];
    normalise(g, g->wanted);
    return s;
}

/* obtained ← the spectrum of T(g) for g of the spectrum `power`: correlations by a Fourier transform, Mehler's formula,
 * and back. */
static status translate(context *c, const gaussian *g, const double *power, double *field, double *obtained)
{
    const int pixels = g->side * g->side, sides[2] = {g->side, g->side};
    for (int p = 0; p < pixels; p++) {
        field[2 * p] = power[g->ring[p]];
        field[2 * p + 1] = 0;
    }
    status s = fft_host_transform(c, 2, sides, 1, field);
    for (int p = 0; p < pixels && !s; p++) {
        double sum = 0;
        for (int n = ORDERS - 1; n >= 0; n--) sum = (sum + g->squares[n]) * field[2 * p];
        field[2 * p] = sum;
        field[2 * p + 1] = 0;
    }
    if (!s) s = fft_host_transform(c, 2, sides, -1, field);
    memset(obtained, 0, (size_t)g->rings * sizeof *obtained);
    for (int p = 0; p < pixels && !s; p++) obtained[g->ring[p]] += field[2 * p] / g->modes[g->ring[p]];
    normalise(g, obtained);
    return s;
}

static double misfit_of(const gaussian *g, const double *obtained)
{
    double sum = 0;
    int counted = 0;
    for (int r = 1; r < g->rings; r++) {
        if (!(g->wanted[r] > 0) || !(obtained[r] > 0)) continue;
        sum += fabs(log(obtained[r] / g->wanted[r]));
        counted++;
    }
    return counted ? sum / counted : 0;
}

/* The powers of the best round stay. */
static status fit(context *c, gaussian *g, double *field)
{
    double *power = NULL, *obtained = NULL;
    status s = memory_new(c, "spectrum", (size_t)g->rings, sizeof *power, &power);
    if (!s) s = memory_new(c, "spectrum", (size_t)g->rings, sizeof *obtained, &obtained);
    if (!s) memcpy(power, g->wanted, (size_t)g->rings * sizeof *power);
    g->misfit = INFINITY;
    for (int round = 0; round < ROUNDS && !s; round++) {
        if ((s = translate(c, g, power, field, obtained))) break;
        const double misfit = misfit_of(g, obtained);
        if (misfit < g->misfit) {
            g->misfit = misfit;
            memcpy(g->power, power, (size_t)g->rings * sizeof *power);
        }
        for (int r = 0; r < g->rings; r++)
            power[r] *= obtained[r] > 0 ? fmin(fmax(g->wanted[r] / obtained[r], .1), 10) : 1;
        normalise(g, power);
    }
    memory_delete(&power);
    memory_delete(&obtained);
    return s;
}

status gaussian_new(context *c, const float *images, int64_t n, int side, gaussian **out)
{
    gaussian *g = NULL;
    double *field = NULL;
    *out = NULL;
    if (n < 1 || side < 2) return context_fail(c, STATUS_USAGE, "a Gaussian field needs images to be fitted to");
    status s = memory_new(c, "Gaussian field", 1, sizeof *g, &g);
    if (s) return s;
    g->side = side;
    const size_t pixels = (size_t)side * (size_t)side;
    s = lay_rings(c, g);
    if (!s) s = memory_new(c, "field", 2 * pixels, sizeof *field, &field);
    if (!s) s = tabulate(c, g, images, (size_t)n * pixels);
    if (!s) hermite(g);
    if (!s) s = measure(c, g, images, n, field);
    if (!s) s = fit(c, g, field);
    memory_delete(&field);
    if (s)
        gaussian_delete(&g);
    else
        *out = g;
    return s;
}

void gaussian_delete(gaussian **pointer)
{
    if (!pointer || !*pointer) return;
    memory_delete(&(*pointer)->ring);
    memory_delete(&(*pointer)->modes);
    memory_delete(&(*pointer)->wanted);
    memory_delete(&(*pointer)->power);
    memory_delete(pointer);
}

double gaussian_misfit(const gaussian *g)
{
    return g->misfit;
}

static float density_of(const gaussian *g, double x)
{
    const double at = fmin(fmax((x / REACH + 1) / 2 * CELLS, 0), CELLS - 1e-9);
    const int i = (int)at;
    return (float)(g->table[i] + (at - i) * (g->table[i + 1] - g->table[i]));
}

/* Complex white noise of unit variance in both parts, shaped: real and imaginary part of its transform are two fields
 * that know nothing of each other. */
status gaussian_maps(context *c, const gaussian *g, uint64_t seed, int64_t count, float *maps)
{
    const int pixels = g->side * g->side, sides[2] = {g->side, g->side};
    double *field = NULL;
    status s = memory_new(c, "field", 2 * (size_t)pixels, sizeof *field, &field);
    for (int64_t i = 0; i < count && !s; i += 2) {
        rng_normals(seed, RNG_BASELINE, 0, (uint64_t)(i * pixels), 2 * (uint64_t)pixels, field);
        for (int p = 0; p < 2 * pixels; p++) field[p] *= sqrt(g->power[g->ring[p / 2]]);
        s = fft_host_transform(c, 2, sides, 1, field);
        for (int p = 0; p < 2 * pixels && !s; p++)
            if (i + p % 2 < count) maps[(i + p % 2) * pixels + p / 2] = density_of(g, field[p]);
    }
    memory_delete(&field);
    return s;
}
