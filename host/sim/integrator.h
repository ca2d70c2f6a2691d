/* Time steps of the particle mesh: what each kick and drift is multiplied by. */
#ifndef SIM_INTEGRATOR_H
#define SIM_INTEGRATOR_H

#include "sim/cosmology.h"

typedef enum {
    INTEGRATOR_KDK, /* kick, drift, kick with the exact integrals of a point mass in the background (Quinn et al. 1997)
                     */
    INTEGRATOR_FASTPM /* the same order with coefficients exact for linear growth (Feng et al. 2016): few steps suffice
                       */
} integrator_kind;

/* p += kick_open · g(a0), x += drift · p, p += kick_close · g(a1); g = −∇φ with ∇²φ = δ, so 1.5 Ωm is in the kicks. */
typedef struct {
    double kick_open, drift, kick_close;
} integrator_step;

/* The step from a0 to a1, halves meeting at (a0 + a1)/2. */
integrator_step integrator_make(const cosmology *k, integrator_kind kind, double a0, double a1);
/* Edge i of `steps` steps from a_start to a_end, uniform in √a. */
double integrator_edge(double a_start, double a_end, int steps, int i);

#endif
