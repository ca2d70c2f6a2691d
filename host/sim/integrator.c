#include "sim/integrator.h"

#include <math.h>

/* p/ψ of linear growth, a³E dD/da; its derivative is 1.5 Ωm D/(a²E). */
static double linear_momentum(const cosmology *k, double a)
{
    return a * a * cosmology_expansion(k, a) * cosmology_growth_rate(k, a) * cosmology_growth(k, a);
}

integrator_step integrator_make(const cosmology *k, integrator_kind kind, double a0, double a1)
{
    double middle = .5 * (a0 + a1), unit = 1.5 * k->omega_m;
    if (kind == INTEGRATOR_KDK)
        return (integrator_step){unit * cosmology_kick(k, a0, middle), cosmology_drift(k, a0, a1),
                                 unit * cosmology_kick(k, middle, a1)};
    double d0 = cosmology_growth(k, a0), d1 = cosmology_growth(k, a1);
    double p0 = linear_momentum(k, a0), pm = linear_momentum(k, middle), p1 = linear_momentum(k, a1);
    return (integrator_step){(pm - p0) / d0, (d1 - d0) / pm, (p1 - pm) / d1};
}

double integrator_edge(double a_start, double a_end, int steps, int i)
{
    if (i == 0) return a_start;
    if (i == steps) return a_end;
    double r = sqrt(a_start) + (sqrt(a_end) - sqrt(a_start)) * i / steps;
    return r * r;
}
