#include "ops/fft_host.h"

#include <math.h>
#include "base/memory.h"

/* Lines transformed side by side, innermost in the work arrays, so that the compiler's vectors run along them. */
enum { LANES = 16 };

typedef struct {
    int n, sign;
    double *cosine, *sine; /* [n]: exp(sign 2πi j/n) */
    double *re[2], *im[2]; /* [n][LANES] each */
} line_plan;

static void line_delete(line_plan *p)
{
    memory_delete(&p->cosine);
    memory_delete(&p->sine);
    for (int i = 0; i < 2; i++) {
        memory_delete(&p->re[i]);
        memory_delete(&p->im[i]);
    }
}

static status line_new(context *c, int n, int sign, line_plan *p)
{
    *p = (line_plan){.n = n, .sign = sign};
    size_t work = (size_t)n * LANES;
    status s = memory_new(c, "Fourier transform", (size_t)n, sizeof(double), &p->cosine);
    if (!s) s = memory_new(c, "Fourier transform", (size_t)n, sizeof(double), &p->sine);
    for (int i = 0; i < 2 && !s; i++) {
        s = memory_new(c, "Fourier transform", work, sizeof(double), &p->re[i]);
        if (!s) s = memory_new(c, "Fourier transform", work, sizeof(double), &p->im[i]);
    }
    if (s) {
        line_delete(p);
        return s;
    }
    for (int j = 0; j < n; j++) {
        p->cosine[j] = cos(2 * M_PI * j / n);
        p->sine[j] = sign * sin(2 * M_PI * j / n);
    }
    return STATUS_OK;
}

/* Next factor of n: 4 first, then 2, 3, 5, … */
static int factor_of(int n)
{
    if (n % 4 == 0) return 4;
    for (int f = 2; f * f <= n; f++)
        if (n % f == 0) return f;
    return n;
}

/* y = twiddle · (x0 ± x1 …) for `width` adjacent numbers: one butterfly of radix 2 or 4. */
static void butterfly_2(const double *const *xr, const double *const *xi, double *const *yr, double *const *yi,
                        const double *wr, const double *wi, int width)
{
    for (int q = 0; q < width; q++) {
        double dr = xr[0][q] - xr[1][q], di = xi[0][q] - xi[1][q];
        yr[0][q] = xr[0][q] + xr[1][q];
        yi[0][q] = xi[0][q] + xi[1][q];
        yr[1][q] = dr * wr[1] - di * wi[1];
        yi[1][q] = dr * wi[1] + di * wr[1];
    }
}

static void butterfly_4(const double *const *xr, const double *const *xi, double *const *yr, double *const *yi,
                        const double *wr, const double *wi, int width, double sign)
{
    for (int q = 0; q < width; q++) {
        double ar = xr[0][q] + xr[2][q], ai = xi[0][q] + xi[2][q], br = xr[0][q] - xr[2][q], bi = xi[0][q] - xi[2][q];
        double cr = xr[1][q] + xr[3][q], ci = xi[1][q] + xi[3][q];
        double dr = -sign * (xi[1][q] - xi[3][q]), di = sign * (xr[1][q] - xr[3][q]); /* ±i (x1 − x3) */
        double er = ar - cr, ei = ai - ci, fr = br + dr, fi = bi + di, gr = br - dr, gi = bi - di;
        yr[0][q] = ar + cr;
        yi[0][q] = ai + ci;
        yr[1][q] = fr * wr[1] - fi * wi[1];
        yi[1][q] = fr * wi[1] + fi * wr[1];
        yr[2][q] = er * wr[2] - ei * wi[2];
        yi[2][q] = er * wi[2] + ei * wr[2];
        yr[3][q] = gr * wr[3] - gi * wi[3];
        yi[3][q] = gr * wi[3] + gi * wr[3];
    }
}

/* One Stockham stage: from x viewed as [r][m][stride] to y as [m][r][stride], n_now = r·m, stride = n / n_now. */
static void stage(const line_plan *p, int from, int n_now, int r, int lanes)
{
    int m = n_now / r, stride = p->n / n_now, width = stride * lanes, unit = p->n / n_now;
    const double *x_re = p->re[from], *x_im = p->im[from];
    double *y_re = p->re[1 - from], *y_im = p->im[1 - from];
    for (int i = 0; i < m; i++) {
        if (r == 2 || r == 4) {
            const double *xr[4], *xi[4];
            double *yr[4], *yi[4], wr[4], wi[4];
            for (int j = 0; j < r; j++) {
                xr[j] = x_re + (size_t)(i + m * j) * width;
                xi[j] = x_im + (size_t)(i + m * j) * width;
                yr[j] = y_re + (size_t)(r * i + j) * width;
                yi[j] = y_im + (size_t)(r * i + j) * width;
                wr[j] = p->cosine[(size_t)unit * i * j];
                wi[j] = p->sine[(size_t)unit * i * j];
            }
            if (r == 2)
                butterfly_2(xr, xi, yr, yi, wr, wi, width);
            else
                butterfly_4(xr, xi, yr, yi, wr, wi, width, p->sign);
            continue;
        }
        for (int k = 0; k < r; k++) {
            double *yr = y_re + (size_t)(r * i + k) * width, *yi = y_im + (size_t)(r * i + k) * width;
            for (int q = 0; q < width; q++) yr[q] = yi[q] = 0;
            for (int j = 0; j < r; j++) {
                /* exp over j·k/r of the butterfly and i·k/n_now of the twiddle at once */
                size_t turn = ((size_t)(p->n / r) * ((size_t)j * k % r) + (size_t)unit * i * k) % p->n;
                double wr = p->cosine[turn], wi = p->sine[turn];
                const double *xr = x_re + (size_t)(i + m * j) * width, *xi = x_im + (size_t)(i + m * j) * width;
                for (int q = 0; q < width; q++) {
                    yr[q] += xr[q] * wr - xi[q] * wi;
                    yi[q] += xr[q] * wi + xi[q] * wr;
                }
            }
        }
    }
}

/* `lanes` lines: element e of lane l at data[2·(base[l] + e·step)]. */
static void lines(const line_plan *p, double *data, const size_t *base, int count, size_t step)
{
    int from = 0;
    for (int e = 0; e < p->n; e++)
        for (int l = 0; l < count; l++) {
            p->re[0][(size_t)e * count + l] = data[2 * (base[l] + e * step)];
            p->im[0][(size_t)e * count + l] = data[2 * (base[l] + e * step) + 1];
        }
    for (int n_now = p->n; n_now > 1;) {
        int r = factor_of(n_now);
        stage(p, from, n_now, r, count);
        n_now /= r;
        from = 1 - from;
    }
    for (int e = 0; e < p->n; e++)
        for (int l = 0; l < count; l++) {
            data[2 * (base[l] + e * step)] = p->re[from][(size_t)e * count + l];
            data[2 * (base[l] + e * step) + 1] = p->im[from][(size_t)e * count + l];
        }
}

status fft_host_transform(context *c, int dims, const int *n, int sign, double *data)
{
    size_t total = 1, step = 1;
    for (int d = 0; d < dims; d++) total *= (size_t)n[d];
    for (int d = dims - 1; d >= 0; step *= (size_t)n[d--]) {
        line_plan p;
        status s = line_new(c, n[d], sign, &p);
        if (s) return s;
        size_t count = total / (size_t)n[d], base[LANES];
        for (size_t first = 0; first < count; first += LANES) {
            int here = count - first < LANES ? (int)(count - first) : LANES;
            for (int l = 0; l < here; l++) {
                size_t line = first + l;
                base[l] = line / step * step * n[d] + line % step;
            }
            lines(&p, data, base, here, step);
        }
        line_delete(&p);
    }
    return STATUS_OK;
}
