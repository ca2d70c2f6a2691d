#include "ops/ref/fft_ref.h"

#include <math.h>
#include <stdint.h>
#include "base/memory.h"

/* One axis: every line of n numbers, `step` apart, by the plain sum. turns[n] = exp(sign·2πi j/n), work[n] complex. */
static void axis(int n, size_t step, size_t total, const double *turns, double *work, double *data)
{
    for (size_t line = 0; line < total / (size_t)n; line++) {
        double *x = data + 2 * (line / step * step * (size_t)n + line % step);
        for (int k = 0; k < n; k++) {
            double re = 0, im = 0;
            for (int j = 0, turn = 0; j < n; j++) {
                const double *v = x + 2 * (size_t)j * step, *w = turns + 2 * turn;
                re += v[0] * w[0] - v[1] * w[1];
                im += v[0] * w[1] + v[1] * w[0];
                turn += k;
                if (turn >= n) turn -= n;
            }
            work[2 * k] = re;
            work[2 * k + 1] = im;
        }
        for (int k = 0; k < n; k++) {
            x[2 * (size_t)k * step] = work[2 * k];
            x[2 * (size_t)k * step + 1] = work[2 * k + 1];
        }
    }
}

status fft_ref_transform(context *c, int dims, const int *n, int sign, double *data)
{
    size_t total = 1, step = 1;
    status s = STATUS_OK;
    for (int d = 0; d < dims; d++) total *= (size_t)n[d];
    for (int d = dims - 1; d >= 0 && !s; step *= (size_t)n[d--]) {
        double *turns = NULL;
        s = memory_new(c, "Fourier sums", (size_t)n[d] * 4, sizeof(double), &turns);
        if (s) break;
        for (int j = 0; j < n[d]; j++) {
            turns[2 * j] = cos(2 * M_PI * j / n[d]);
            turns[2 * j + 1] = sign * sin(2 * M_PI * j / n[d]);
        }
        axis(n[d], step, total, turns, turns + 2 * n[d], data);
        memory_delete(&turns);
    }
    return s;
}

status fft_ref_mode(context *c, int dims, const int *n, const float *x, const int *k, double out[2])
{
    int last = n[dims - 1];
    double *cosine = NULL, *sine = NULL;
    size_t rows = 1;
    for (int d = 0; d < dims - 1; d++) rows *= (size_t)n[d];
    out[0] = out[1] = 0;
    status s = memory_new(c, "Fourier mode", (size_t)last, sizeof(double), &cosine);
    if (!s) s = memory_new(c, "Fourier mode", (size_t)last, sizeof(double), &sine);
    if (s) goto out;
    for (int j = 0; j < last; j++) {
        double turn = (double)((int64_t)j * k[dims - 1] % last) / last;
        cosine[j] = cos(2 * M_PI * turn);
        sine[j] = -sin(2 * M_PI * turn);
    }
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * last;
        double re = 0, im = 0, turn = 0;
        for (int j = 0; j < last; j++) {
            re += row[j] * cosine[j];
            im += row[j] * sine[j];
        }
        size_t rest = r;
        for (int d = dims - 2; d >= 0; rest /= (size_t)n[d--])
            turn += (double)((int64_t)(rest % n[d]) * k[d] % n[d]) / n[d];
        double wr = cos(2 * M_PI * turn), wi = -sin(2 * M_PI * turn);
        out[0] += re * wr - im * wi;
        out[1] += re * wi + im * wr;
    }
out:
    memory_delete(&cosine);
    memory_delete(&sine);
    return s;
}
