#include "sim/simulation.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "ops/mesh.h"

/* Units of mass per particle that are tried one after the other: each gives a node room for 16 times as many particles.
 */
static const int unit_bits[] = {18, 14, 10, 6};
enum { UNIT_CHOICES = sizeof unit_bits / sizeof unit_bits[0] };

struct simulation {
    device *d;
    simulation_options o;
    int64_t count;
    size_t elements; /* dims · count */
    spectrum *spectrum;
    initial *initial;
    mesh *mesh;
    int units; /* index of the present choice */
    bool overflow;
    integrator_step *step; /* [steps] */
    uint32_t *x;           /* [dims][count] host copies */
    float *p;
};

/* One run: where its snapshots go. */
typedef struct {
    simulation *s;
    progress *progress;
    int64_t progress_base;
    simulation_take *take;
    void *user;
    uint32_t box;
    int64_t box_index;     /* of the snapshots; −1 unknown */
    const snapshot *start; /* NULL: a box from initial conditions */
    int next;              /* redshift that comes next */
    double close;          /* closing kick that is still owed */
} run;

static status make_mesh(context *c, simulation *s)
{
    mesh_options m = {s->o.spectrum.dims, s->o.mesh, s->count, unit_bits[s->units]};
    mesh_delete(&s->mesh);
    s->overflow = false;
    return mesh_new(c, s->d, &m, &s->mesh);
}

static double edge(const simulation *s, int i)
{
    return integrator_edge(s->o.a_start, 1 / (1 + s->o.redshift[s->o.redshifts - 1]), s->o.steps, i);
}

size_t simulation_bytes(const device *d, const simulation_options *o, int64_t count)
{
    int64_t n = o->particles;
    mesh_options m = {o->spectrum.dims, o->mesh, count ? count : o->spectrum.dims == 3 ? n * n * n : n * n, 0};
    return mesh_bytes(d, &m);
}

status simulation_new(context *c, device *d, const simulation_options *o, int64_t count, simulation **out)
{
    simulation *s = NULL;
    *out = NULL;
    status result = memory_new(c, "simulation", 1, sizeof *s, &s);
    if (result) return result;
    int64_t n = o->particles;
    s->d = d;
    s->o = *o;
    s->count = count ? count : o->spectrum.dims == 3 ? n * n * n : n * n;
    s->elements = (size_t)s->count * (size_t)o->spectrum.dims;
    if (o->particles) {
        initial_options i = {o->spectrum.dims, o->particles, o->mesh, o->box_mpc_h, o->a_start, o->lpt, o->seed};
        result = spectrum_new(c, &o->cosmology, &o->spectrum, &s->spectrum);
        if (!result) result = initial_new(c, &o->cosmology, s->spectrum, &i, &s->initial);
    }
    if (!result) result = memory_new(c, "time steps", (size_t)o->steps, sizeof *s->step, &s->step);
    for (int i = 0; i < o->steps && !result; i++)
        s->step[i] = integrator_make(&o->cosmology, o->integrator, edge(s, i), edge(s, i + 1));
    if (!result) result = memory_new(c, "particles", s->elements, sizeof *s->x, &s->x);
    if (!result) result = memory_new(c, "particles", s->elements, sizeof *s->p, &s->p);
    if (!result) result = make_mesh(c, s);
    if (result) simulation_delete(&s);
    *out = s;
    return result;
}

void simulation_delete(simulation **sp)
{
    if (!sp || !*sp) return;
    simulation *s = *sp;
    mesh_delete(&s->mesh);
    initial_delete(&s->initial);
    spectrum_delete(&s->spectrum);
    memory_delete(&s->step);
    memory_delete(&s->x);
    memory_delete(&s->p);
    memory_delete(sp);
}

const char *simulation_fft_backend(const simulation *s)
{
    return mesh_fft_backend(s->mesh);
}

/* ---- the start -----------------------------------------------------------------------------------------------------
 */

/* Particles of a file in the mesh's units: p = a^1.5 u/100 (u = peculiar velocity/√a in km/s). */
static status load_snapshot(context *c, simulation *s, const snapshot *start)
{
    int dims = s->o.spectrum.dims;
    double speed = pow(start->scale_factor, 1.5) / 100 / start->box_mpc_h;
    for (int64_t q = 0; q < s->count; q++)
        for (int d = 0; d < dims; d++) {
            double x = start->positions[q * dims + d] / start->box_mpc_h;
            double u = start->velocities ? start->velocities[q * dims + d] : 0;
            if (!isfinite(x) || !isfinite(u))
                return context_fail(c, STATUS_DATA, "particle %lld: position or velocity is not a finite number",
                                    (long long)q);
            x -= floor(x);
            s->x[(size_t)d * (size_t)s->count + (size_t)q] = (uint32_t)(uint64_t)(x * 0x1p32 + .5);
            s->p[(size_t)d * (size_t)s->count + (size_t)q] = (float)(u * speed);
        }
    return STATUS_OK;
}

static status load(context *c, run *r)
{
    simulation *s = r->s;
    status result = r->start ? load_snapshot(c, s, r->start) : initial_state(c, s->initial, r->box, s->x, s->p);
    return result ? result : mesh_write(c, s->mesh, s->x, s->p);
}

/* ---- snapshots -----------------------------------------------------------------------------------------------------
 */

static status fill_snapshot(context *c, run *r, double a, snapshot *out)
{
    simulation *s = r->s;
    int dims = s->o.spectrum.dims;
    size_t count = (size_t)s->count;
    *out = (snapshot){.dims = dims,
                      .count = s->count,
                      .precision = H5_FLOAT64,
                      .box_mpc_h = s->o.box_mpc_h,
                      .scale_factor = a,
                      .redshift = s->o.redshift[r->next],
                      .omega_m = s->o.cosmology.omega_m,
                      .omega_lambda = s->o.cosmology.omega_lambda,
                      .h = s->o.cosmology.h,
                      .box_index = r->box_index};
    status result = mesh_read(c, s->mesh, s->x, s->p);
    if (!result) result = memory_new(c, "snapshot positions", s->elements, sizeof(double), &out->positions);
    if (!result) result = memory_new(c, "snapshot velocities", s->elements, sizeof(float), &out->velocities);
    if (!result) result = memory_new(c, "snapshot ids", count, sizeof(uint64_t), &out->ids);
    if (result) return result;
    double length = s->o.box_mpc_h * 0x1p-32, speed = s->o.box_mpc_h * 100 / pow(a, 1.5);
    for (size_t q = 0; q < count; q++) {
        for (int d = 0; d < dims; d++) {
            out->positions[q * (size_t)dims + (size_t)d] = s->x[(size_t)d * count + q] * length;
            out->velocities[q * (size_t)dims + (size_t)d] = (float)(s->p[(size_t)d * count + q] * speed);
        }
        out->ids[q] = r->start && r->start->ids ? r->start->ids[q] : q;
    }
    return STATUS_OK;
}

/* Hands out the state of the device, whose momenta are those of a, as the next redshift. */
static status hand_out(context *c, run *r, double a)
{
    snapshot out = {0};
    bool exact;
    status result = mesh_exact(c, r->s->mesh, &exact);
    if (!result && !exact) {
        r->s->overflow = true;
        return context_fail(c, STATUS_FAILURE, "box %u: more than %g particles met on one node of the mesh", r->box,
                            ldexp(1, 32 - mesh_unit_bits(r->s->mesh)));
    }
    if (!result && r->take) result = fill_snapshot(c, r, a, &out);
    if (!result && r->take) result = r->take(c, r->user, r->next, &out);
    snapshot_delete(&out);
    r->next++;
    return result;
}

static bool wanted(const run *r, double before)
{
    return r->next < r->s->o.redshifts && 1 / (1 + r->s->o.redshift[r->next]) < before;
}

/* Redshifts inside the step from a0 to a1: each by a shorter step from a0, after which the state goes back to a0. */
static status branch(context *c, run *r, double a0, double a1)
{
    simulation *s = r->s;
    status result = mesh_save(c, s->mesh);
    while (!result && wanted(r, a1 * (1 - 1e-9))) {
        double a = 1 / (1 + s->o.redshift[r->next]);
        integrator_step part = integrator_make(&s->o.cosmology, s->o.integrator, a0, a);
        result = mesh_move(c, s->mesh, 1, r->close, part.kick_open, part.drift);
        if (!result) result = mesh_field(c, s->mesh);
        if (!result) result = mesh_move(c, s->mesh, 1, part.kick_close, 0, 0);
        if (!result) result = hand_out(c, r, a);
        if (!result) result = mesh_restore(c, s->mesh);
        if (!result) result = mesh_field(c, s->mesh);
    }
    return result;
}

/* Redshifts at the edge a itself: the momenta are brought there by the kick that is owed, which gives the same bits as
 * if it were made with the next. */
static status at_edge(context *c, run *r, double a)
{
    status result = STATUS_OK;
    if (wanted(r, a * (1 + 1e-9))) {
        result = mesh_move(c, r->s->mesh, 1, r->close, 0, 0);
        r->close = 0;
    }
    while (!result && wanted(r, a * (1 + 1e-9))) result = hand_out(c, r, a);
    return result;
}

static status evolve(context *c, run *r)
{
    simulation *s = r->s;
    r->next = 0;
    r->close = 0;
    status result = load(c, r);
    if (!result) result = mesh_field(c, s->mesh);
    for (int i = 0; i < s->o.steps && !result; i++) {
        double a0 = edge(s, i), a1 = edge(s, i + 1);
        if (context_stop_requested(c))
            return context_fail(c, STATUS_STOPPED, "stopped in box %u at step %d of %d", r->box, i, s->o.steps);
        result = at_edge(c, r, a0);
        if (!result && wanted(r, a1 * (1 - 1e-9))) result = branch(c, r, a0, a1);
        if (!result) result = mesh_move(c, s->mesh, 1, r->close, s->step[i].kick_open, s->step[i].drift);
        if (!result) result = mesh_field(c, s->mesh);
        if (!result) result = device_finish(c, s->d);
        r->close = s->step[i].kick_close;
        if (!result && r->progress)
            progress_update(r->progress, r->progress_base + i + 1, "box %u, z = %.2f", r->box, 1 / a1 - 1);
    }
    if (!result) result = at_edge(c, r, edge(s, s->o.steps));
    return result;
}

/* Evolves, with coarser units of mass should a node overflow. */
static status evolve_safely(context *c, run *r)
{
    simulation *s = r->s;
    if (r->progress) r->progress_base = r->progress->done;
    status result = evolve(c, r);
    while (result && s->overflow && s->units + 1 < UNIT_CHOICES) {
        log_info(c, "%s; starting over with coarser units of mass", context_message(c));
        s->units++;
        result = make_mesh(c, s);
        if (!result) result = evolve(c, r);
    }
    if (s->units) {
        /* The next box must not depend on this one. */
        s->units = 0;
        status made = make_mesh(c, s);
        if (!result) result = made;
    }
    return result;
}

status simulation_run_box(context *c, simulation *s, uint32_t box, progress *p, simulation_take *take, void *user)
{
    run r = {.s = s, .progress = p, .take = take, .user = user, .box = box, .box_index = box};
    if (!s->initial)
        return context_fail(c, STATUS_USAGE, "this simulation has no initial conditions; its particles are given");
    return evolve_safely(c, &r);
}

status simulation_run_snapshot(context *c, simulation *s, const snapshot *start, progress *p, simulation_take *take,
                               void *user)
{
    run r = {.s = s,
             .progress = p,
             .take = take,
             .user = user,
             .start = start,
             .box = start->box_index < 0 ? 0 : (uint32_t)start->box_index,
             .box_index = start->box_index};
    if (start->count != s->count || start->dims != s->o.spectrum.dims)
        return context_fail(c, STATUS_USAGE,
                            "the simulation is for %lld particles in %dD, the snapshot has %lld in %dD",
                            (long long)s->count, s->o.spectrum.dims, (long long)start->count, start->dims);
    return evolve_safely(c, &r);
}
