/* The expanding background (spec section 1): H0 = 1, so times are in 1/H0; the time variable is the scale factor a. */
#ifndef SIM_COSMOLOGY_H
#define SIM_COSMOLOGY_H

#include "base/config.h"

typedef struct {
    double omega_m, omega_lambda, h, omega_b, ns, sigma8, t_cmb; /* t_cmb in K */
} cosmology;

/* From the configuration's section `cosmology`, checked. */
status cosmology_from_config(context *c, const config *cfg, cosmology *out);
/* STATUS_USAGE unless all values are finite, Omega_m > 0, h > 0, 0 <= Omega_b <= Omega_m, and E² stays above 0 on (0,
 * 1]. */
status cosmology_check(context *c, const cosmology *k);
/* The same with E² on (0, a_end], for runs that end after today. */
status cosmology_check_until(context *c, const cosmology *k, double a_end);

/* E(a) = H/H0 = √(Ωm a⁻³ + Ωk a⁻² + ΩΛ). */
double cosmology_expansion(const cosmology *k, double a);
/* D(a) = G(a)/G(1), G(a) = 2.5 Ωm E ∫₀ᵃ dx/(xE)³ (Heath 1977): linear growth, 1 today. */
double cosmology_growth(const cosmology *k, double a);
/* f = dlnD/dlna. */
double cosmology_growth_rate(const cosmology *k, double a);
/* The second-order growth D2 (< 0, about −3/7 D²) in D time: E2(D) and dE2/dD at a, normalised by D(1) = 1
 * (Bouchet et al. 1995, eq. 43; solved as D2'' + … = −(3/2) Ωm(a) D², sign convention x = q + Dψ + E2 ψ2). */
void cosmology_growth_second(const cosmology *k, double a, double *e2, double *de2_dd);

/* ∫ da/(a²E) and ∫ da/(a³E) over [a0, a1]: the exact kick (without 1.5 Ωm) and drift (Quinn et al. 1997), good to
 * 1e-10. */
double cosmology_kick(const cosmology *k, double a0, double a1);
double cosmology_drift(const cosmology *k, double a0, double a1);

#endif
