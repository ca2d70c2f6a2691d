/* What the tests of the simulation share: a device, and a float64 particle mesh with the same steps as the oracle. */
#ifndef TESTS_SCIENCE_SIM_TEST_H
#define TESTS_SCIENCE_SIM_TEST_H

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "ops/ref/mesh_ref.h"
#include "sim/simulation.h"

static context *c;
static device *d;

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))

static inline void sim_setup(void)
{
    c = context_new(NULL);
    setenv("COSMOCL_FFT", "vkfft", 1); /* building one library's kernels per size is enough here */
    const device_options o = {0};
    ck_assert_msg(device_open(c, &o, &d) == STATUS_OK, "%s", context_message(c));
}

static inline void sim_teardown(void)
{
    device_delete(&d);
    context_delete(&c);
}

static const cosmology planck = {.31, .69, .68, .049, .9665, .8102, 2.7255};
static const cosmology einstein_de_sitter = {1, 0, .68, .049, .9665, .8102, 2.7255};

static inline double *doubles(size_t count)
{
    double *x;
    OK(memory_new(c, "test", count, sizeof *x, &x));
    return x;
}

/* Kick, drift, kick of positions and momenta [dims][count] in box sides, in float64, edges uniform in √a. */
static inline void oracle_evolve(const cosmology *k, int dims, int n, int64_t count, double a0, double a1, int steps,
                                 double *x, double *p)
{
    size_t elements = (size_t)dims * (size_t)count;
    double *g = doubles(elements);
    OK(mesh_ref_gravity(c, dims, n, count, x, g));
    for (int i = 0; i < steps; i++) {
        double r0 = sqrt(a0) + (sqrt(a1) - sqrt(a0)) * i / steps,
               r1 = sqrt(a0) + (sqrt(a1) - sqrt(a0)) * (i + 1) / steps;
        double from = r0 * r0, to = r1 * r1, middle = .5 * (from + to);
        double open = 1.5 * k->omega_m * cosmology_kick(k, from, middle);
        double drift = cosmology_drift(k, from, to), close = 1.5 * k->omega_m * cosmology_kick(k, middle, to);
        for (size_t j = 0; j < elements; j++) {
            p[j] += open * g[j];
            x[j] += drift * p[j];
            x[j] -= floor(x[j]);
        }
        OK(mesh_ref_gravity(c, dims, n, count, x, g));
        for (size_t j = 0; j < elements; j++) p[j] += close * g[j];
    }
    memory_delete(&g);
}

/* The particles of a plane wave along axis 0: x = q + D·shift·sin(2πm q), box side 1, mid-cell lattice; p likewise. */
typedef struct {
    int dims, side, mesh, waves;
    size_t count;
    double *q, *x, *p; /* [dims][count] */
} wave;

static inline wave wave_new(const cosmology *k, int dims, int side, int mesh, int waves, double shift, double a)
{
    wave w = {dims, side, mesh, waves, (size_t)pow(side, dims), NULL, NULL, NULL};
    double growth = cosmology_growth(k, a);
    double speed = a * a * cosmology_expansion(k, a) * cosmology_growth_rate(k, a) * growth;
    w.q = doubles(w.count * (size_t)dims);
    w.x = doubles(w.count * (size_t)dims);
    w.p = doubles(w.count * (size_t)dims);
    for (size_t i = 0; i < w.count; i++) {
        size_t rest = i;
        for (int axis = dims - 1; axis >= 0; rest /= (size_t)side, axis--) {
            double q = ((double)(rest % (size_t)side) + .5 * side / mesh) / side;
            double psi = axis == 0 ? shift * sin(2 * M_PI * waves * q) : 0;
            size_t at = (size_t)axis * w.count + i;
            w.q[at] = q;
            w.x[at] = q + growth * psi - floor(q + growth * psi);
            w.p[at] = speed * psi;
        }
    }
    return w;
}

static inline void wave_delete(wave *w)
{
    memory_delete(&w->q);
    memory_delete(&w->x);
    memory_delete(&w->p);
}

/* a − b on the circle of circumference 1. */
static inline double apart(double a, double b)
{
    return a - b - rint(a - b);
}

/* Amplitude of x − q along sin(2πm q) on axis 0. */
static inline double wave_amplitude(const wave *w, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < w->count; i++) sum += 2 * apart(x[i], w->q[i]) * sin(2 * M_PI * w->waves * w->q[i]);
    return sum / (double)w->count;
}

/* Keeps the last snapshot of a run (user: snapshot *). */
static inline status keep_last(context *unused, void *user, int index, snapshot *s)
{
    (void)unused;
    (void)index;
    snapshot_delete(user);
    *(snapshot *)user = *s;
    *s = (snapshot){0};
    return STATUS_OK;
}

/* Positions [dims][count] in box sides and momenta p/L of a snapshot. */
static inline void state_of(const snapshot *s, double *x, double *p)
{
    for (int64_t i = 0; i < s->count; i++)
        for (int axis = 0; axis < s->dims; axis++) {
            x[axis * s->count + i] = s->positions[i * s->dims + axis] / s->box_mpc_h;
            if (p)
                p[axis * s->count + i] =
                    s->velocities[i * s->dims + axis] * pow(s->scale_factor, 1.5) / 100 / s->box_mpc_h;
        }
}

/* The same state as a snapshot of a box of 100 Mpc/h. */
static inline snapshot snapshot_of(const cosmology *k, int dims, size_t count, double a, const double *x,
                                   const double *p)
{
    snapshot s = {.dims = dims,
                  .count = (int64_t)count,
                  .box_mpc_h = 100,
                  .scale_factor = a,
                  .redshift = 1 / a - 1,
                  .omega_m = k->omega_m,
                  .omega_lambda = k->omega_lambda,
                  .h = k->h,
                  .box_index = -1};
    s.positions = doubles(count * (size_t)dims);
    OK(memory_new(c, "velocities", count * (size_t)dims, sizeof(float), &s.velocities));
    for (size_t i = 0; i < count; i++)
        for (int axis = 0; axis < dims; axis++) {
            s.positions[i * (size_t)dims + (size_t)axis] = x[(size_t)axis * count + i] * s.box_mpc_h;
            s.velocities[i * (size_t)dims + (size_t)axis] =
                (float)(p[(size_t)axis * count + i] * s.box_mpc_h * 100 / pow(a, 1.5));
        }
    return s;
}

/* A wave evolved on the device from a0 to a1: positions and momenta in its arrays. */
static inline void device_evolve(const cosmology *k, wave *w, double a0, double a1, int steps,
                                 integrator_kind integrator)
{
    snapshot start = snapshot_of(k, w->dims, w->count, a0, w->x, w->p), end = {0};
    simulation_options o = {.cosmology = *k,
                            .spectrum = {.dims = w->dims},
                            .boxes = 1,
                            .mesh = w->mesh,
                            .steps = steps,
                            .integrator = integrator,
                            .box_mpc_h = 100,
                            .a_start = a0,
                            .redshifts = 1,
                            .redshift = {1 / a1 - 1}};
    simulation *s;
    OK(simulation_new(c, d, &o, start.count, &s));
    OK(simulation_run_snapshot(c, s, &start, NULL, keep_last, &end));
    state_of(&end, w->x, w->p);
    simulation_delete(&s);
    snapshot_delete(&start);
    snapshot_delete(&end);
}

#endif
