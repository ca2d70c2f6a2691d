#include "ops/mesh.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include "base/memory.h"
#include "device/kernel.h"

enum { UNIT_BITS = 18, SUMS = 1024 };

struct mesh {
    device *d;
    mesh_options o;
    size_t cells;
    bool atomic;
    uint32_t items, copies; /* work-items of the loops, copies of the count mesh */
    fft_plan *fft;
    buffer *x, *p, *saved_x, *saved_p, *counts, *values, *modes, *sums;
    kernel *deposit, *density, *potential, *move;
    uint64_t deposits; /* since the last reset of sums */
};

static size_t cell_count(const mesh_options *o)
{
    size_t n = (size_t)o->n;
    return o->dims == 3 ? n * n * n : n * n;
}

/* How the work is cut. A CPU of few cores: one work-item and one copy of the count mesh per core, plain additions. More
 * cores, or a mesh whose copies would take more than 1/16 of the memory: fewer copies and atomic additions. A GPU: one
 * work-item per particle or cell block, one copy, atomics. The cut does not change a bit of the result. */
static void cut(const device *d, const mesh_options *o, uint32_t *items, uint32_t *copies, bool *atomic)
{
    const device_record *r = device_info(d);
    size_t bytes = cell_count(o) * sizeof(uint32_t);
    if (!r->is_cpu) {
        *items = 0;
        *copies = 1;
        *atomic = true;
        return;
    }
    uint32_t cores = r->compute_units < 1 ? 1 : r->compute_units > SUMS ? SUMS : (uint32_t)r->compute_units;
    *items = cores;
    *copies = cores > 8 ? 8 : cores;
    while (*copies > 1 && *copies * bytes > device_budget(d) / 16) *copies /= 2;
    *atomic = *copies < *items;
}

static status check_options(context *c, const mesh_options *o)
{
    if (o->dims != 2 && o->dims != 3)
        return context_fail(c, STATUS_USAGE, "mesh: %d dimensions; 2 or 3 are possible", o->dims);
    if (o->n < 8 || o->n % 2 || !fft_size_allowed(o->n))
        return context_fail(
            c, STATUS_USAGE,
            "mesh: %d cells per side is not possible; it must be even, 8 or more, and have no factor but 2, 3 and "
            "5: the next is %d",
            o->n, fft_size_next(o->n < 8 ? 8 : o->n));
    if (o->n > (o->dims == 3 ? 1290 : 32768))
        return context_fail(c, STATUS_USAGE, "mesh: %d cells per side are more than %d, the largest in %dD", o->n,
                            o->dims == 3 ? 1290 : 32768, o->dims);
    if (o->count < 1 || o->count > 1 << 30)
        return context_fail(c, STATUS_USAGE, "mesh: %lld particles; 1 to 2^30 are possible", (long long)o->count);
    if (o->unit_bits < 0 || o->unit_bits > 24)
        return context_fail(c, STATUS_USAGE, "mesh: %d unit bits; 1 to 24 are possible, 0 for the default",
                            o->unit_bits);
    return STATUS_OK;
}

size_t mesh_bytes(const device *d, const mesh_options *o)
{
    uint32_t items, copies;
    bool atomic;
    int shape[3] = {o->n, o->n, o->n};
    cut(d, o, &items, &copies, &atomic);
    return 4 * (size_t)o->dims * (size_t)o->count * sizeof(float) + (copies + 1) * cell_count(o) * sizeof(float) +
           2 * fft_complex_count(o->dims, shape, 1) * sizeof(float) + SUMS * sizeof(uint64_t);
}

static status make_buffers(context *c, mesh *m)
{
    int shape[3] = {m->o.n, m->o.n, m->o.n};
    size_t state = (size_t)m->o.dims * (size_t)m->o.count * sizeof(float);
    status s = fft_plan_new(c, m->d, m->o.dims, shape, 1, &m->fft);
    if (!s) s = buffer_new(c, m->d, "particle positions", state, &m->x);
    if (!s) s = buffer_new(c, m->d, "particle momenta", state, &m->p);
    if (!s) s = buffer_new(c, m->d, "mass units on the mesh", m->cells * sizeof(uint32_t) * m->copies, &m->counts);
    if (!s) s = buffer_new(c, m->d, "density and potential on the mesh", m->cells * sizeof(float), &m->values);
    if (!s)
        s = buffer_new(c, m->d, "Fourier modes of the mesh", 2 * fft_complex_count(m->o.dims, shape, 1) * sizeof(float),
                       &m->modes);
    if (!s) s = buffer_new(c, m->d, "mass sums", SUMS * sizeof(uint64_t), &m->sums);
    if (!s) s = buffer_zero(c, m->counts);
    if (!s) s = buffer_zero(c, m->sums);
    return s;
}

static status make_kernels(context *c, mesh *m)
{
    char options[96];
    snprintf(options, sizeof options, "-DDIMS=%d -DUNIT_BITS=%d -DATOMIC=%d", m->o.dims, m->o.unit_bits,
             (int)m->atomic);
    status s = kernel_get(c, m->d, "mesh", "mesh_deposit", options, &m->deposit);
    if (!s) s = kernel_get(c, m->d, "mesh", "mesh_density", options, &m->density);
    if (!s) s = kernel_get(c, m->d, "mesh", "mesh_potential", options, &m->potential);
    if (!s) s = kernel_get(c, m->d, "mesh", "mesh_move", options, &m->move);
    return s;
}

status mesh_new(context *c, device *d, const mesh_options *o, mesh **out)
{
    mesh *m = NULL;
    *out = NULL;
    status s = check_options(c, o);
    if (!s) s = memory_new(c, "mesh", 1, sizeof *m, &m);
    if (s) return s;
    m->d = d;
    m->o = *o;
    if (m->o.unit_bits == 0) m->o.unit_bits = UNIT_BITS;
    m->cells = cell_count(o);
    cut(d, o, &m->items, &m->copies, &m->atomic);
    s = make_buffers(c, m);
    if (!s) s = make_kernels(c, m);
    if (s) mesh_delete(&m);
    *out = m;
    return s;
}

void mesh_delete(mesh **mp)
{
    if (!mp || !*mp) return;
    mesh *m = *mp;
    fft_plan_delete(&m->fft);
    buffer_delete(&m->x);
    buffer_delete(&m->p);
    buffer_delete(&m->saved_x);
    buffer_delete(&m->saved_p);
    buffer_delete(&m->counts);
    buffer_delete(&m->values);
    buffer_delete(&m->modes);
    buffer_delete(&m->sums);
    memory_delete(mp);
}

status mesh_write(context *c, mesh *m, const uint32_t *x, const float *p)
{
    status s = buffer_write(c, m->x, 0, x, buffer_bytes(m->x));
    return s ? s : buffer_write(c, m->p, 0, p, buffer_bytes(m->p));
}

status mesh_read(context *c, mesh *m, uint32_t *x, float *p)
{
    status s = buffer_read(c, m->x, 0, x, buffer_bytes(m->x));
    return s ? s : buffer_read(c, m->p, 0, p, buffer_bytes(m->p));
}

status mesh_save(context *c, mesh *m)
{
    status s = STATUS_OK;
    size_t bytes = buffer_bytes(m->x);
    if (!m->saved_x) s = buffer_new(c, m->d, "particle positions kept aside", bytes, &m->saved_x);
    if (!s && !m->saved_p) s = buffer_new(c, m->d, "particle momenta kept aside", bytes, &m->saved_p);
    if (!s) s = buffer_copy(c, m->x, 0, m->saved_x, 0, bytes);
    if (!s) s = buffer_copy(c, m->p, 0, m->saved_p, 0, bytes);
    return s;
}

status mesh_restore(context *c, mesh *m)
{
    size_t bytes = buffer_bytes(m->x);
    if (!m->saved_x || !m->saved_p) return context_fail(c, STATUS_FAILURE, "mesh: nothing was kept aside");
    status s = buffer_copy(c, m->saved_x, 0, m->x, 0, bytes);
    return s ? s : buffer_copy(c, m->saved_p, 0, m->p, 0, bytes);
}

/* Launch over `elements` in contiguous parts, each a multiple of `block`: m->items of them, or (GPU) one block per
 * work-item but at most `most` work-items. Fills *per_item; returns the global size. */
static size_t parts(const mesh *m, size_t elements, size_t block, size_t most, uint32_t *per_item)
{
    size_t blocks = (elements + block - 1) / block, items = m->items ? m->items : most;
    size_t each = blocks / items + (blocks % items != 0); /* items may be the largest number there is */
    *per_item = (uint32_t)(each * block);
    return (blocks + each - 1) / each;
}

/* CPUs: a work-group of one, so that each core takes one part. GPUs: the runtime's choice. */
static const size_t *group(const mesh *m)
{
    static const size_t one = 1;
    return m->items ? &one : NULL;
}

status mesh_deposit(context *c, mesh *m)
{
    uint32_t per_item;
    size_t items = parts(m, (size_t)m->o.count, 1, SIZE_MAX, &per_item);
    status s =
        kernel_run(c, m->deposit, 1, &items, group(m),
                   KERNEL_ARGUMENTS(ARG_BUFFER(m->x), ARG_BUFFER(m->counts), ARG_UINT(m->o.count), ARG_UINT(m->o.n),
                                    ARG_UINT(per_item), ARG_UINT(m->copies), ARG_UINT(m->cells)));
    if (s) return s;
    float scale = (float)((double)m->cells / ((double)m->o.count * ldexp(1, m->o.unit_bits)));
    items = parts(m, m->cells, 16, SUMS, &per_item);
    s = kernel_run(c, m->density, 1, &items, group(m),
                   KERNEL_ARGUMENTS(ARG_BUFFER(m->counts), ARG_BUFFER(m->values), ARG_BUFFER(m->sums),
                                    ARG_UINT(m->cells), ARG_UINT(per_item), ARG_UINT(m->copies), ARG_FLOAT(scale)));
    if (!s) m->deposits++;
    return s;
}

status mesh_solve(context *c, mesh *m)
{
    uint32_t per_item;
    size_t rows = m->cells / (size_t)m->o.n, items = parts(m, rows, 1, SIZE_MAX, &per_item);
    /* 1/N^dims of the transform pair and 1/(2π)² of k. */
    float scale = (float)(1 / (4 * M_PI * M_PI * (double)m->cells));
    status s = fft_forward(c, m->fft, m->values, m->modes);
    if (!s)
        s = kernel_run(c, m->potential, 1, &items, group(m),
                       KERNEL_ARGUMENTS(ARG_BUFFER(m->modes), ARG_UINT(m->o.n), ARG_UINT(rows), ARG_UINT(per_item),
                                        ARG_FLOAT(scale)));
    return s ? s : fft_inverse(c, m->fft, m->modes, m->values);
}

status mesh_field(context *c, mesh *m)
{
    status s = mesh_deposit(c, m);
    return s ? s : mesh_solve(c, m);
}

buffer *mesh_values(mesh *m)
{
    return m->values;
}

status mesh_move(context *c, mesh *m, double keep, double kick_a, double kick_b, double drift)
{
    uint32_t per_item;
    size_t items = parts(m, (size_t)m->o.count, 1, SIZE_MAX, &per_item);
    double unit = m->o.n / 12.; /* 1/(12 h) of the difference */
    return kernel_run(c, m->move, 1, &items, group(m),
                      KERNEL_ARGUMENTS(ARG_BUFFER(m->x), ARG_BUFFER(m->p), ARG_BUFFER(m->values), ARG_UINT(m->o.count),
                                       ARG_UINT(m->o.n), ARG_UINT(per_item), ARG_FLOAT((float)keep),
                                       ARG_FLOAT((float)(kick_a * unit)), ARG_FLOAT((float)(kick_b * unit)),
                                       ARG_FLOAT((float)drift)));
}

status mesh_exact(context *c, mesh *m, bool *exact)
{
    uint64_t sums[SUMS], total = 0;
    status s = buffer_read(c, m->sums, 0, sums, sizeof sums);
    for (int i = 0; i < SUMS && !s; i++) total += sums[i];
    /* A node that passes 2^32 loses that much; nothing can make up for it. */
    *exact = !s && total == (m->deposits * (uint64_t)m->o.count) << m->o.unit_bits;
    return s;
}

int mesh_unit_bits(const mesh *m)
{
    return m->o.unit_bits;
}

const char *mesh_fft_backend(const mesh *m)
{
    return fft_backend(m->fft);
}
