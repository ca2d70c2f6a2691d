/* Integrals of smooth functions in float64. */
#ifndef SIM_QUADRATURE_H
#define SIM_QUADRATURE_H

typedef double (*quadrature_function)(double x, const void *user);

/* Integral of f over [a, b] by adaptive Gauss–Kronrod (7, 15), relative error about 1e-12 for smooth f (the estimate of
 * the rule is conservative); a > b gives the negative. No failure: at the deepest level the best estimate is taken. */
double quadrature(quadrature_function f, const void *user, double a, double b);

#endif
