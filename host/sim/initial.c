#include "sim/initial.h"

#include <math.h>
#include "base/memory.h"
#include "base/rng.h"
#include "ops/fft_host.h"

struct initial {
    cosmology k;
    initial_options o;
    size_t sites;
    double *amplitude;                     /* √(P(k) n^d/L^d) by m², k = 2π|m|/L; [0] = 0 */
    double growth, momentum;               /* D, a²E f D at a_start */
    double second_growth, second_momentum; /* E2, a²E dE2/dlna */
};

/* Signed wave numbers of mode i of the full complex lattice; returns false at the Nyquist planes, where ψ is zero. */
static bool wave(const initial *in, size_t i, int *m)
{
    int n = in->o.particles;
    bool inside = true;
    for (int d = in->o.dims - 1; d >= 0; d--, i /= (size_t)n) {
        m[d] = (int)(i % (size_t)n);
        inside = inside && 2 * m[d] != n;
        if (2 * m[d] > n) m[d] -= n;
    }
    return inside;
}

static int square(const initial *in, const int *m)
{
    return m[0] * m[0] + m[1] * m[1] + (in->o.dims == 3 ? m[2] * m[2] : 0);
}

static void growth_at_start(initial *in)
{
    double a = in->o.a_start, e = cosmology_expansion(&in->k, a), slope;
    double f = cosmology_growth_rate(&in->k, a);
    in->growth = cosmology_growth(&in->k, a);
    in->momentum = a * a * e * f * in->growth;
    cosmology_growth_second(&in->k, a, &in->second_growth, &slope);
    in->second_momentum = a * a * e * f * in->growth * slope;
}

status initial_new(context *c, const cosmology *k, const spectrum *s, const initial_options *o, initial **out)
{
    initial *in = NULL;
    *out = NULL;
    if (o->lpt == 2 && o->dims != 3)
        return context_fail(c, STATUS_USAGE, "simulate.lpt = 2 is possible with simulate.dims = 3 only; leave it at 1");
    if (o->particles < 2)
        return context_fail(c, STATUS_USAGE, "simulate.particles is %d per side; 2 or more are possible", o->particles);
    if (!(o->a_start > 0) || !(o->box_mpc_h > 0))
        return context_fail(c, STATUS_USAGE, "simulate: a_start = %g and box_mpc_h = %g must be above 0", o->a_start,
                            o->box_mpc_h);
    status result = memory_new(c, "initial conditions", 1, sizeof *in, &in);
    if (result) return result;
    *in = (initial){.k = *k, .o = *o};
    size_t n = (size_t)o->particles, half = n / 2, squares = (size_t)o->dims * half * half + 1;
    in->sites = o->dims == 3 ? n * n * n : n * n;
    result = memory_new(c, "amplitudes of the initial field", squares, sizeof(double), &in->amplitude);
    if (result) {
        initial_delete(&in);
        return result;
    }
    double density = (double)in->sites / pow(o->box_mpc_h, o->dims);
    for (size_t i = 1; i < squares; i++)
        in->amplitude[i] = sqrt(spectrum_power(s, 2 * M_PI * sqrt((double)i) / o->box_mpc_h) * density);
    growth_at_start(in);
    *out = in;
    return STATUS_OK;
}

void initial_delete(initial **i)
{
    if (!i || !*i) return;
    memory_delete(&(*i)->amplitude);
    memory_delete(i);
}

double initial_site(const initial_options *o, int j)
{
    return (j + .5 * o->particles / o->mesh) / o->particles;
}

/* Axes u and v (−1: none) of a vector field i k/k² s as the real and imaginary part of one complex field, in place of
 * `work`. */
static status two_axes(context *c, const initial *in, const double *modes, double sign, int u, int v, double *work,
                       double *out_u, double *out_v)
{
    const int shape[3] = {in->o.particles, in->o.particles, in->o.particles};
    double unit = in->o.box_mpc_h / (2 * M_PI) / (double)in->sites; /* k = 2πm/L; 1/N of the transform */
    for (size_t i = 0; i < in->sites; i++) {
        int m[3] = {0, 0, 0};
        bool inside = wave(in, i, m);
        int m2 = square(in, m);
        double scale = inside && m2 ? sign * unit / m2 : 0;
        double ku = scale * m[u], kv = v < 0 ? 0 : scale * m[v];
        /* i·ku·s + i·(i·kv·s) */
        work[2 * i] = -ku * modes[2 * i + 1] - kv * modes[2 * i];
        work[2 * i + 1] = ku * modes[2 * i] - kv * modes[2 * i + 1];
    }
    status s = fft_host_transform(c, in->o.dims, shape, 1, work);
    for (size_t i = 0; i < in->sites && !s; i++) {
        out_u[i] = work[2 * i];
        if (v >= 0) out_v[i] = work[2 * i + 1];
    }
    return s;
}

static status vector_field(context *c, const initial *in, const double *modes, double sign, double *work, double *field)
{
    status s = two_axes(c, in, modes, sign, 0, 1, work, field, field + in->sites);
    if (!s && in->o.dims == 3) s = two_axes(c, in, modes, sign, 2, -1, work, field + 2 * in->sites, NULL);
    return s;
}

/* Modes δ_k of the box. */
static status field_modes(context *c, const initial *in, uint32_t box, double *modes, double *noise)
{
    const int shape[3] = {in->o.particles, in->o.particles, in->o.particles};
    rng_normals(in->o.seed, RNG_WHITE_NOISE, box, 0, in->sites, noise);
    for (size_t i = 0; i < in->sites; i++) {
        modes[2 * i] = noise[i];
        modes[2 * i + 1] = 0;
    }
    status s = fft_host_transform(c, in->o.dims, shape, -1, modes);
    for (size_t i = 0; i < in->sites && !s; i++) {
        int m[3] = {0, 0, 0};
        wave(in, i, m);
        double a = in->amplitude[square(in, m)];
        modes[2 * i] *= a;
        modes[2 * i + 1] *= a;
    }
    return s;
}

/* The source of ψ2, Σ_{i<j} (ψ_i,i ψ_j,j − ψ_i,j²) with ψ_i,j = −k_i k_j/k² δ (Bouchet et al. 1995), as modes in `out`.
 */
static status second_source(context *c, const initial *in, const double *modes, double *work, double *out)
{
    static const int pair[3][4] = {{0, 0, 1, 1}, {2, 2, 0, 1}, {0, 2, 1, 2}}; /* two derivatives per transform */
    const int shape[3] = {in->o.particles, in->o.particles, in->o.particles};
    double *diagonal = NULL;
    status s = memory_new(c, "second-order displacement", 2 * in->sites, sizeof(double), &diagonal);
    for (int t = 0; t < 3 && !s; t++) {
        for (size_t i = 0; i < in->sites; i++) {
            int m[3] = {0, 0, 0};
            bool inside = wave(in, i, m);
            int m2 = square(in, m);
            double scale = inside && m2 ? -1. / m2 / (double)in->sites : 0;
            double a = scale * m[pair[t][0]] * m[pair[t][1]], b = scale * m[pair[t][2]] * m[pair[t][3]];
            work[2 * i] = a * modes[2 * i] - b * modes[2 * i + 1];
            work[2 * i + 1] = a * modes[2 * i + 1] + b * modes[2 * i];
        }
        s = fft_host_transform(c, 3, shape, 1, work);
        for (size_t i = 0; i < in->sites && !s; i++) {
            double a = work[2 * i], b = work[2 * i + 1];
            if (t == 0) {
                diagonal[2 * i] = a + b; /* ψ_xx + ψ_yy, to meet ψ_zz */
                out[2 * i] = a * b;
                out[2 * i + 1] = 0;
            } else if (t == 1)
                out[2 * i] += diagonal[2 * i] * a - b * b;
            else
                out[2 * i] -= a * a + b * b;
        }
    }
    if (!s) s = fft_host_transform(c, 3, shape, -1, out);
    memory_delete(&diagonal);
    return s;
}

status initial_displacement(context *c, initial *in, uint32_t box, double *psi, double *second)
{
    double *modes = NULL, *work = NULL, *source = NULL;
    status s = memory_new(c, "initial field", 2 * in->sites, sizeof(double), &modes);
    if (!s) s = memory_new(c, "initial field", 2 * in->sites, sizeof(double), &work);
    if (!s) s = field_modes(c, in, box, modes, work);
    if (!s) s = vector_field(c, in, modes, 1, work, psi);
    if (!s && second) {
        s = memory_new(c, "second-order displacement", 2 * in->sites, sizeof(double), &source);
        if (!s) s = second_source(c, in, modes, work, source);
        /* ∇·ψ2 = source, so ψ2 = −i k/k² source. */
        if (!s) s = vector_field(c, in, source, -1, work, second);
    }
    memory_delete(&modes);
    memory_delete(&work);
    memory_delete(&source);
    return s;
}

status initial_state(context *c, initial *in, uint32_t box, uint32_t *x, float *p)
{
    double *psi = NULL, *second = NULL;
    size_t elements = in->sites * (size_t)in->o.dims, n = (size_t)in->o.particles;
    status s = memory_new(c, "initial displacement", elements, sizeof(double), &psi);
    if (!s && in->o.lpt == 2) s = memory_new(c, "second-order displacement", elements, sizeof(double), &second);
    if (!s) s = initial_displacement(c, in, box, psi, second);
    for (int d = 0; d < in->o.dims && !s; d++) {
        size_t step = 1;
        for (int e = in->o.dims - 1; e > d; e--) step *= n;
        for (size_t q = 0; q < in->sites; q++) {
            size_t at = (size_t)d * in->sites + q;
            double move = in->growth * psi[at], speed = in->momentum * psi[at];
            if (second) {
                move += in->second_growth * second[at];
                speed += in->second_momentum * second[at];
            }
            double place = initial_site(&in->o, (int)(q / step % n)) + move / in->o.box_mpc_h;
            place -= floor(place);
            x[at] = (uint32_t)(uint64_t)(place * 0x1p32 + .5);
            p[at] = (float)(speed / in->o.box_mpc_h);
        }
    }
    memory_delete(&psi);
    memory_delete(&second);
    return s;
}
