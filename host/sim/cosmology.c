#include "sim/cosmology.h"

#include <math.h>
#include "sim/quadrature.h"

status cosmology_from_config(context *c, const config *cfg, cosmology *out)
{
    *out = (cosmology){.omega_m = config_real(cfg, "cosmology.omega_m"),
                       .omega_lambda = config_real(cfg, "cosmology.omega_lambda"),
                       .h = config_real(cfg, "cosmology.h"),
                       .omega_b = config_real(cfg, "cosmology.omega_b"),
                       .ns = config_real(cfg, "cosmology.ns"),
                       .sigma8 = config_real(cfg, "cosmology.sigma8"),
                       .t_cmb = config_real(cfg, "cosmology.t_cmb")};
    return cosmology_check(c, out);
}

/* a³E² = Ωm + Ωk a + ΩΛ a³ begins at Ωm > 0; over (0, a_end] it is least at the end or where its slope vanishes. */
static double least_expansion(const cosmology *k, double a_end, double *least)
{
    double omega_k = 1 - k->omega_m - k->omega_lambda, at = a_end;
    double turn = k->omega_lambda > 0 && omega_k < 0 ? sqrt(-omega_k / (3 * k->omega_lambda)) : a_end;
    double end = k->omega_m + omega_k * a_end + k->omega_lambda * a_end * a_end * a_end;
    *least = end;
    if (turn < a_end) {
        double value = k->omega_m + omega_k * turn + k->omega_lambda * turn * turn * turn;
        if (value < end) *least = value, at = turn;
    }
    return at;
}

status cosmology_check(context *c, const cosmology *k)
{
    return cosmology_check_until(c, k, 1);
}

status cosmology_check_until(context *c, const cosmology *k, double a_end)
{
    const double values[] = {k->omega_m, k->omega_lambda, k->h, k->omega_b, k->ns, k->sigma8, k->t_cmb};
    const char *names[] = {"omega_m", "omega_lambda", "h", "omega_b", "ns", "sigma8", "t_cmb"};
    for (int i = 0; i < 7; i++)
        if (!isfinite(values[i])) return context_fail(c, STATUS_USAGE, "cosmology.%s is not a finite number", names[i]);
    if (k->omega_m <= 0)
        return context_fail(c, STATUS_USAGE, "cosmology.omega_m is %g; it must be above 0", k->omega_m);
    if (k->h <= 0) return context_fail(c, STATUS_USAGE, "cosmology.h is %g; it must be above 0", k->h);
    if (k->t_cmb <= 0) return context_fail(c, STATUS_USAGE, "cosmology.t_cmb is %g K; it must be above 0", k->t_cmb);
    if (k->omega_b < 0 || k->omega_b > k->omega_m)
        return context_fail(c, STATUS_USAGE, "cosmology.omega_b is %g; it must lie between 0 and omega_m = %g",
                            k->omega_b, k->omega_m);
    double least, a = least_expansion(k, a_end, &least);
    if (least <= 0)
        return context_fail(c, STATUS_USAGE,
                            "cosmology: omega_m = %g with omega_lambda = %g has no expansion from a = 0 to %g (E² <= 0 "
                            "at a = %g); choose another omega_lambda%s",
                            k->omega_m, k->omega_lambda, a_end, a, a_end > 1 ? ", or an earlier end" : "");
    return STATUS_OK;
}

double cosmology_expansion(const cosmology *k, double a)
{
    double omega_k = 1 - k->omega_m - k->omega_lambda;
    return sqrt(k->omega_m / (a * a * a) + omega_k / (a * a) + k->omega_lambda);
}

/* dx/(xE)³ with x = u², where the integrand is a polynomial in u as x → 0. */
static double growth_integrand(double u, const void *user)
{
    const cosmology *k = user;
    double x = u * u, omega_k = 1 - k->omega_m - k->omega_lambda;
    double scaled = k->omega_m + omega_k * x + k->omega_lambda * x * x * x; /* x³E² */
    return 2 * u * x * sqrt(x) / (scaled * sqrt(scaled));
}

static double growth_unnormalised(const cosmology *k, double a)
{
    return 2.5 * k->omega_m * cosmology_expansion(k, a) * quadrature(growth_integrand, k, 0, sqrt(a));
}

double cosmology_growth(const cosmology *k, double a)
{
    return growth_unnormalised(k, a) / growth_unnormalised(k, 1);
}

double cosmology_growth_rate(const cosmology *k, double a)
{
    double e = cosmology_expansion(k, a), omega_k = 1 - k->omega_m - k->omega_lambda;
    double g = growth_unnormalised(k, a);
    return -(3 * k->omega_m / (a * a * a) + 2 * omega_k / (a * a)) / (2 * e * e) +
           2.5 * k->omega_m / (a * a * e * e * g);
}

/* y = (D1, D1', D2, D2') with ' = d/dlna: D1'' = −(2 + dlnE/dlna) D1' + 1.5 Ωm(a) D1, and the same for D2 with the
 * source −1.5 Ωm(a) D1². */
static void growth_slopes(const cosmology *k, double ln_a, const double y[4], double slope[4])
{
    double a = exp(ln_a), e = cosmology_expansion(k, a), omega_k = 1 - k->omega_m - k->omega_lambda;
    double matter = k->omega_m / (a * a * a * e * e);
    double drag = 2 - (3 * k->omega_m / (a * a * a) + 2 * omega_k / (a * a)) / (2 * e * e);
    slope[0] = y[1];
    slope[1] = 1.5 * matter * y[0] - drag * y[1];
    slope[2] = y[3];
    slope[3] = 1.5 * matter * (y[2] - y[0] * y[0]) - drag * y[3];
}

void cosmology_growth_second(const cosmology *k, double a, double *e2, double *de2_dd)
{
    /* Runge–Kutta of order 4 from the matter era, where D1 = a and D2 = −3/7 a². */
    enum { STEPS = 2000 };
    double start = fmin(1e-4, 0.01 * a), step = log(a / start) / STEPS;
    double y[4] = {start, start, -3. / 7 * start * start, -6. / 7 * start * start};
    for (int i = 0; i < STEPS; i++) {
        double x = log(start) + i * step, s[4][4], t[4];
        growth_slopes(k, x, y, s[0]);
        for (int stage = 1; stage < 4; stage++) {
            double part = stage == 3 ? step : 0.5 * step;
            for (int j = 0; j < 4; j++) t[j] = y[j] + part * s[stage - 1][j];
            growth_slopes(k, x + part, t, s[stage]);
        }
        for (int j = 0; j < 4; j++) y[j] += step / 6 * (s[0][j] + 2 * s[1][j] + 2 * s[2][j] + s[3][j]);
    }
    double scale = cosmology_growth(k, a) / y[0]; /* D2 goes with D1² */
    *e2 = y[2] * scale * scale;
    *de2_dd = y[3] / y[1] * scale;
}

static double kick_integrand(double a, const void *user)
{
    return 1 / (a * a * cosmology_expansion(user, a));
}

static double drift_integrand(double a, const void *user)
{
    return 1 / (a * a * a * cosmology_expansion(user, a));
}

double cosmology_kick(const cosmology *k, double a0, double a1)
{
    return quadrature(kick_integrand, k, a0, a1);
}

double cosmology_drift(const cosmology *k, double a0, double a1)
{
    return quadrature(drift_integrand, k, a0, a1);
}
