#include "maps/dtfe.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "maps/clip.h"
#include "maps/triangulation.h"

/* Positions are rounded to 2^-36 of the box, so that a periodic copy is shifted exactly and the copies tessellate just
 * as the points do (in pixel units too, up to 2^14 pixels). */
#define GRID 68719476736.
/* An empty circle of a periodic set has a radius of at most box / √2, so none that touches the box needs more. */
#define WIDEST_PADDING 1.4143
#define PADDING_SPACINGS 12 /* first guess, in mean distances of particles */
#define MASS_ERROR 1e-6
/* Where points lie so close that qhull's rounding joins them (1e-7 of the box), copies may differ: a small loss. */
#define MENDED_ERROR 1e-3
enum { FANS = 8, FEW = 1000 };

typedef struct {
    int64_t x, y; /* in 1 / GRID of the box */
    double mass;
} particle;

typedef struct {
    particle *own; /* distinct, in order of (y, x) */
    int64_t count;
    double *rho; /* [count], mass per pixel area */
    int pixels;
    /* with periodic copies; the first `count` are the points themselves */
    double padding; /* of the box */
    double *xy;     /* [padded][2] in pixels */
    int32_t *base;  /* [padded], the point a copy is of */
    int64_t padded;
    triangulation cells;
} field;

static int compare_particles(const void *a, const void *b)
{
    const particle *p = a, *q = b;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    return (p->x > q->x) - (p->x < q->x);
}

/* Rounds to the grid, merges equal points (sum of masses). `jitter` (of the box) moves every point by its own fixed
 * amount, an evenly spread sequence (multiples of irrational numbers): for the rare set that defeats qhull. */
static status take_particles(context *c, const double *xy, const double *mass, int64_t n, double box, double jitter,
                             field *f)
{
    static const double irrational[2] = {0.75487766624669276, 0.56984029099805327};
    double total = 0;
    status s = memory_new(c, "particles of a map", (size_t)n, sizeof *f->own, &f->own);
    if (s) return s;
    for (int64_t i = 0; i < n; i++) {
        const double *p = xy + 2 * i, m = mass ? mass[i] : 1;
        int64_t q[2];
        if (!(p[0] >= 0 && p[0] < box && p[1] >= 0 && p[1] < box))
            return context_fail(c, STATUS_DATA, "particle %" PRId64 " at (%g, %g) is outside the box of %g", i, p[0],
                                p[1], box);
        if (!(m > 0 && isfinite(m)))
            return context_fail(c, STATUS_DATA, "particle %" PRId64 " has the mass %g; it must be positive", i, m);
        for (int a = 0; a < 2; a++) {
            double shift = jitter * (fmod((double)(i + 1) * irrational[a], 1) - .5);
            q[a] = (int64_t)rint((p[a] / box + shift) * GRID);
            if (q[a] < 0) q[a] += (int64_t)GRID;
            if (q[a] >= (int64_t)GRID) q[a] -= (int64_t)GRID;
        }
        f->own[i] = (particle){q[0], q[1], m};
        total += m;
    }
    qsort(f->own, (size_t)n, sizeof *f->own, compare_particles);
    for (int64_t i = 0; i < n; i++) {
        f->own[i].mass *= (double)n / total;
        if (f->count > 0 && compare_particles(&f->own[f->count - 1], &f->own[i]) == 0)
            f->own[f->count - 1].mass += f->own[i].mass;
        else
            f->own[f->count++] = f->own[i];
    }
    return STATUS_OK;
}

/* The points, then their copies within the padding. */
static status pad(context *c, field *f)
{
    const int reach = (int)ceil(f->padding);
    const double low = -f->padding * GRID, high = (1 + f->padding) * GRID, scale = f->pixels / GRID;
    for (int pass = 0; pass < 2; pass++) {
        int64_t next = f->count;
        for (int64_t i = 0; i < f->count; i++) {
            if (pass) {
                f->xy[2 * i] = (double)f->own[i].x * scale;
                f->xy[2 * i + 1] = (double)f->own[i].y * scale;
                f->base[i] = (int32_t)i;
            }
            for (int jy = -reach; jy <= reach; jy++) {
                double y = (double)f->own[i].y + jy * GRID;
                if (y < low || y > high) continue;
                for (int jx = -reach; jx <= reach; jx++) {
                    double x = (double)f->own[i].x + jx * GRID;
                    if ((jx == 0 && jy == 0) || x < low || x > high) continue;
                    if (pass) {
                        f->xy[2 * next] = x * scale;
                        f->xy[2 * next + 1] = y * scale;
                        f->base[next] = (int32_t)i;
                    }
                    next++;
                }
            }
        }
        if (pass) break;
        f->padded = next;
        if (next > INT32_MAX) return context_fail(c, STATUS_USAGE, "%" PRId64 " points are too many for one map", next);
        status s = memory_new(c, "points of a map", (size_t)next * 2, sizeof *f->xy, &f->xy);
        if (!s) s = memory_new(c, "points of a map", (size_t)next, sizeof *f->base, &f->base);
        if (s) return s;
    }
    return STATUS_OK;
}

static double twice_area(const double *a, const double *b, const double *d)
{
    return (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0]);
}

/* Whether the circle through the cell's corners (its largest triangle from the first corner) ends inside the padding.
 */
static bool circle_inside(const field *f, const int32_t *v, int k)
{
    const double *a = f->xy + 2 * v[0], *b = NULL, *d = NULL;
    double largest = 0, low = -f->padding * f->pixels, high = (1 + f->padding) * f->pixels;
    for (int i = 1; i + 1 < k; i++) {
        const double *p = f->xy + 2 * v[i], *q = f->xy + 2 * v[i + 1];
        double area = twice_area(a, p, q);
        if (area <= largest) continue;
        largest = area;
        b = p;
        d = q;
    }
    if (!b) return true;
    double bx = b[0] - a[0], by = b[1] - a[1], dx = d[0] - a[0], dy = d[1] - a[1];
    double bb = bx * bx + by * by, dd = dx * dx + dy * dy;
    double ux = (dy * bb - by * dd) / (2 * largest), uy = (bx * dd - dx * bb) / (2 * largest);
    double r = sqrt(ux * ux + uy * uy), x = a[0] + ux, y = a[1] + uy;
    return x - r >= low && x + r <= high && y - r >= low && y + r <= high;
}

static bool all_circles_inside(const field *f)
{
    const triangulation *t = &f->cells;
    if (f->padding >= WIDEST_PADDING) return true;
    for (int64_t i = 0; i < t->cells; i++) {
        const int32_t *v = t->vertex + t->first[i];
        int k = t->first[i + 1] - t->first[i];
        bool touches = false;
        for (int j = 0; j < k; j++) touches |= v[j] < f->count;
        if (touches && !circle_inside(f, v, k)) return false;
    }
    return true;
}

/* Tessellates with the first padding that is wide enough. */
static status tessellate(context *c, field *f)
{
    f->padding = f->count < FEW ? WIDEST_PADDING : PADDING_SPACINGS / sqrt((double)f->count);
    for (;;) {
        if (f->padding > WIDEST_PADDING) f->padding = WIDEST_PADDING;
        status s = pad(c, f);
        if (!s) s = triangulation_new(c, f->xy, f->padded, &f->cells);
        if (s) return s;
        if (all_circles_inside(f)) return STATUS_OK;
        f->padding *= 2;
        triangulation_delete(&f->cells);
        memory_delete(&f->xy);
        memory_delete(&f->base);
    }
}

/* Calls `take` for every triangle with its weight. A cell with more than three corners is the mean over fans from each
 * of its corners (from eight of them, if it has more): no diagonal is preferred. */
static void each_triangle(field *f, void (*take)(field *, const int32_t v[3], double weight, double *sums),
                          double *sums)
{
    const triangulation *t = &f->cells;
    for (int64_t i = 0; i < t->cells; i++) {
        const int32_t *v = t->vertex + t->first[i];
        int k = t->first[i + 1] - t->first[i];
        int fans = k == 3 ? 1 : k < FANS ? k : FANS;
        for (int n = 0; n < fans; n++) {
            int from = (int)((int64_t)n * k / fans);
            for (int j = 1; j + 1 < k; j++) {
                const int32_t w[3] = {v[from], v[(from + j) % k], v[(from + j + 1) % k]};
                take(f, w, 1. / fans, sums);
            }
        }
    }
}

static void add_area(field *f, const int32_t v[3], double weight, double *sums)
{
    double area = weight * twice_area(f->xy + 2 * v[0], f->xy + 2 * v[1], f->xy + 2 * v[2]) / 2;
    for (int j = 0; j < 3; j++)
        if (v[j] < f->count) sums[v[j]] += area;
}

static void add_mass(field *f, const int32_t v[3], double weight, double *sums)
{
    double corner[3][2], value[3];
    for (int j = 0; j < 3; j++) {
        corner[j][0] = f->xy[2 * v[j]];
        corner[j][1] = f->xy[2 * v[j] + 1];
        value[j] = weight * f->rho[f->base[v[j]]];
    }
    clip_add_triangle((const double(*)[2])corner, value, f->pixels, sums);
}

/* rho_i from the areas around each point. A point that fell together with another gives it its mass. */
static status find_densities(context *c, field *f)
{
    status s = memory_new(c, "densities of particles", (size_t)f->count, sizeof *f->rho, &f->rho);
    if (s) return s;
    for (int64_t i = 0; i < f->count; i++) {
        int32_t owner = f->cells.owner[i];
        if (owner == i) continue;
        f->own[f->base[owner]].mass += f->own[i].mass;
        f->own[i].mass = 0;
    }
    each_triangle(f, add_area, f->rho);
    for (int64_t i = 0; i < f->count; i++) {
        if (f->own[i].mass > 0 && !(f->rho[i] > 0))
            return context_fail(c, STATUS_FAILURE, "Delaunay tessellation: a point has no area around it");
        f->rho[i] = f->own[i].mass > 0 ? 3 * f->own[i].mass / f->rho[i] : 0;
    }
    return STATUS_OK;
}

static void field_delete(field *f)
{
    memory_delete(&f->own);
    memory_delete(&f->rho);
    memory_delete(&f->xy);
    memory_delete(&f->base);
    triangulation_delete(&f->cells);
    memset(f, 0, sizeof *f);
}

static status make_map(context *c, const double *xy, const double *mass, int64_t n, double box, int pixels,
                       double jitter, field *f, double *sums)
{
    size_t size = (size_t)pixels * (size_t)pixels;
    double total = 0;
    memset(sums, 0, size * sizeof *sums);
    *f = (field){.pixels = pixels};
    status s = take_particles(c, xy, mass, n, box, jitter, f);
    if (!s) s = tessellate(c, f);
    if (!s) s = find_densities(c, f);
    if (s) return s;
    each_triangle(f, add_mass, sums);
    for (size_t i = 0; i < size; i++) total += sums[i];
    double error = fabs(total / (double)n - 1);
    if (!(error <= MENDED_ERROR))
        return context_fail(c, STATUS_FAILURE,
                            "Delaunay tessellation: the map holds %.9g particles instead of %" PRId64, total, n);
    if (error > MASS_ERROR) {
        log_warning(c,
                    "particles are too close together to be told apart: a map held %.9g instead of %" PRId64
                    " and was scaled",
                    total, n);
        for (size_t i = 0; i < size; i++) sums[i] *= (double)n / total;
    }
    return STATUS_OK;
}

/* A map and the field that it is of. */
static status make_map_somehow(context *c, const double *xy, const double *mass, int64_t n, double box, int pixels,
                               field *f, double *sums)
{
    status s = make_map(c, xy, mass, n, box, pixels, 0, f, sums);
    if (s != STATUS_FAILURE) return s;
    /* Rounding can defeat qhull on rare, nearly symmetric sets: a displacement far below a pixel helps. */
    log_warning(c, "%s; again with positions moved by up to 5e-10 of the box", context_message(c));
    field_delete(f);
    return make_map(c, xy, mass, n, box, pixels, 1e-9, f, sums);
}

/* ---- the ensemble ---- */

typedef struct {
    const field *of;
    double *area; /* [count] of the triangles at each point */
    double *seen; /* [count] of those met so far */
    double *xy;   /* [count][2] in boxes: displaced */
    double *mass; /* [count] */
    uint64_t seed;
    uint32_t member;
} displacement;

/* The place in the corner at v[0] of a triangle, evenly: half of a point of the triangle itself. */
static void displace(displacement *d, const int32_t v[3], const uint32_t words[4])
{
    const double *p = d->of->xy + 2 * v[0], *q = d->of->xy + 2 * v[1], *r = d->of->xy + 2 * v[2];
    double s = words[2] * 0x1p-32, t = words[3] * 0x1p-32;
    if (s + t > 1) s = 1 - s, t = 1 - t;
    for (int a = 0; a < 2; a++) {
        double x = (p[a] + (s * (q[a] - p[a]) + t * (r[a] - p[a])) / 2) / d->of->pixels;
        x -= floor(x);
        d->xy[2 * v[0] + a] = x < 1 ? x : 0;
    }
}

/* A point's triangles are those of the fan from it over each of its cells. The one whose share of the area its number
 * falls into is taken. */
static void displace_all(displacement *d)
{
    const triangulation *t = &d->of->cells;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < t->cells; i++) {
            const int32_t *v = t->vertex + t->first[i];
            const int k = t->first[i + 1] - t->first[i];
            for (int j = 0; j < k; j++) {
                if (v[j] >= d->of->count) continue;
                uint32_t words[4];
                if (pass) rng_block(d->seed, RNG_PERTURB, (uint64_t)v[j], d->member, words);
                const double mark = pass ? ((double)words[0] * 0x1p-32 + words[1] * 0x1p-64) * d->area[v[j]] : 0;
                for (int n = 1; n + 1 < k; n++) {
                    const int32_t w[3] = {v[j], v[(j + n) % k], v[(j + n + 1) % k]};
                    const double *a = d->of->xy + 2 * w[0], *b = d->of->xy + 2 * w[1], *e = d->of->xy + 2 * w[2];
                    const double before = d->seen[v[j]];
                    (pass ? d->seen : d->area)[v[j]] += twice_area(a, b, e);
                    if (pass && before <= mark && mark < d->seen[v[j]]) displace(d, w, words);
                }
            }
        }
    }
}

/* The points of one member; those that qhull joined with others have given them their mass and are left out. */
static status perturb(context *c, const field *f, const dtfe_ensemble *e, int member, double **xy, double **mass,
                      int64_t *n)
{
    const size_t count = (size_t)f->count;
    displacement d = {.of = f, .seed = e->seed, .member = (uint32_t)member};
    status s = memory_new(c, "displaced particles", 2 * count, sizeof *d.xy, &d.xy);
    if (!s) s = memory_new(c, "displaced particles", count, sizeof *d.mass, &d.mass);
    if (!s) s = memory_new(c, "areas around particles", count, sizeof *d.area, &d.area);
    if (!s) s = memory_new(c, "areas around particles", count, sizeof *d.seen, &d.seen);
    if (!s) {
        for (size_t i = 0; i < count; i++) {
            d.xy[2 * i] = (double)f->own[i].x / GRID;
            d.xy[2 * i + 1] = (double)f->own[i].y / GRID;
        }
        displace_all(&d);
        *n = 0;
        for (size_t i = 0; i < count; i++) {
            if (!(f->own[i].mass > 0)) continue;
            d.xy[2 * *n] = d.xy[2 * i];
            d.xy[2 * *n + 1] = d.xy[2 * i + 1];
            d.mass[(*n)++] = f->own[i].mass;
        }
        *xy = d.xy;
        *mass = d.mass;
        d.xy = d.mass = NULL;
    }
    memory_delete(&d.xy);
    memory_delete(&d.mass);
    memory_delete(&d.area);
    memory_delete(&d.seen);
    return s;
}

/* Adds the maps of members 1 … to sums, which holds that of member 0, and takes the mean. */
static status add_members(context *c, const field *f, int64_t n, const dtfe_ensemble *e, double *sums)
{
    const size_t size = (size_t)f->pixels * (size_t)f->pixels;
    double *one = NULL;
    status s = memory_new(c, "sums of a map", size, sizeof *one, &one);
    for (int m = 1; !s && m < e->members; m++) {
        double *xy = NULL, *mass = NULL;
        int64_t count = 0;
        field g = {0};
        if (context_stop_requested(c)) {
            s = context_fail(c, STATUS_INTERRUPTED, "stopped on request");
            break;
        }
        s = perturb(c, f, e, m, &xy, &mass, &count);
        if (!s) s = make_map_somehow(c, xy, mass, count, 1, f->pixels, &g, one);
        for (size_t i = 0; !s && i < size; i++) sums[i] += one[i] * (double)n / (double)count;
        field_delete(&g);
        memory_delete(&xy);
        memory_delete(&mass);
    }
    for (size_t i = 0; !s && i < size; i++) sums[i] /= e->members;
    memory_delete(&one);
    return s;
}

status dtfe_map_ensemble(context *c, const double *xy, const double *mass, int64_t n, double box, int pixels,
                         const dtfe_ensemble *e, float *out)
{
    double *sums = NULL;
    field f = {0};
    if (n < 1) return context_fail(c, STATUS_DATA, "there are no particles to make a map of");
    if (n > INT32_MAX / 32 || pixels < 1 || pixels > 16384 || !(box > 0) || e->members < 1)
        return context_fail(c, STATUS_USAGE,
                            "a map of %" PRId64 " particles in a box of %g on %d² pixels, %d members, is not possible",
                            n, box, pixels, e->members);
    size_t size = (size_t)pixels * (size_t)pixels;
    status s = memory_new(c, "sums of a map", size, sizeof *sums, &sums);
    if (s) return s;
    s = make_map_somehow(c, xy, mass, n, box, pixels, &f, sums);
    if (!s && e->members > 1) s = add_members(c, &f, n, e, sums);
    for (size_t i = 0; !s && i < size; i++) out[i] = (float)sums[i];
    field_delete(&f);
    memory_delete(&sums);
    return s;
}

status dtfe_map(context *c, const double *xy, const double *mass, int64_t n, double box, int pixels, float *out)
{
    const dtfe_ensemble plain = {.members = 1};
    return dtfe_map_ensemble(c, xy, mass, n, box, pixels, &plain, out);
}
