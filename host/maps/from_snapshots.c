#include "maps/from_snapshots.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "base/progress.h"
#include "maps/queue.h"

/* Files of one run differ in the last digits of their headers at most. */
#define HEADER_TOLERANCE 1e-6

typedef struct {
    const char *path; /* borrowed: of the first snapshot */
    int64_t particles;
    double box_mpc_h, redshift;
} reference;

status maps_pixels(context *c, int wanted, int64_t n, int *pixels)
{
    *pixels = wanted > 0 ? wanted : (int)floor(sqrt((double)n) / 2 + 1e-9);
    if (*pixels >= 1) return STATUS_OK;
    return context_fail(c, STATUS_USAGE,
                        "%" PRId64 " particles give no map of half their number per side; say "
                        "maps.pixels",
                        n);
}

static bool near(double x, double y)
{
    return (isnan(x) && isnan(y)) || fabs(x - y) <= HEADER_TOLERANCE * (1 + fabs(y));
}

static status check_agreement(context *c, const char *path, const snapshot *s, const reference *r)
{
    if (s->count != r->particles)
        return context_fail(c, STATUS_DATA,
                            "%s: has %" PRId64 " particles, %s has %" PRId64
                            "; a maps file has one mean: make files apart",
                            path, s->count, r->path, r->particles);
    if (!near(s->box_mpc_h, r->box_mpc_h))
        return context_fail(c, STATUS_DATA, "%s: its box is %g Mpc/h wide, that of %s %g; make files apart", path,
                            s->box_mpc_h, r->path, r->box_mpc_h);
    if (!near(s->redshift, r->redshift))
        return context_fail(c, STATUS_DATA, "%s: is at redshift %g, %s at %g; name the files of one redshift", path,
                            s->redshift, r->path, r->redshift);
    return STATUS_OK;
}

static status check_kind(context *c, const char *path, const snapshot *s)
{
    if (s->dims == 3)
        return context_fail(c, STATUS_USAGE,
                            "%s: is a 3D box; this version makes maps of 2D boxes ([N, 2] coordinates) "
                            "by DTFE, slices of 3D boxes are not part of it",
                            path);
    if (s->count < 1) return context_fail(c, STATUS_DATA, "%s: has no particles", path);
    return STATUS_OK;
}

/* What the first snapshot decides: pixels, mean, box; and the memory for all maps. */
static status begin(context *c, const snapshot *s, int64_t count, const maps_options *o, dtfe_queue **q, maps *out)
{
    int pixels;
    status e = maps_pixels(c, o->pixels, s->count, &pixels);
    if (e) return e;
    out->count = count;
    out->ny = out->nx = pixels;
    out->box_mpc_h = s->box_mpc_h;
    out->mean = (double)s->count / ((double)pixels * pixels);
    out->redshift = s->redshift;
    out->dims = 2;
    snprintf(out->estimator, sizeof out->estimator, "dtfe");
    if (o->ensemble.members > 1)
        snprintf(out->estimator, sizeof out->estimator, "stochastic dtfe of %d", o->ensemble.members);
    e = memory_new(c, "maps", (size_t)count * (size_t)pixels * (size_t)pixels, sizeof(float), &out->values);
    if (!e) e = memory_new(c, "origins of maps", (size_t)count * 3, sizeof(int32_t), &out->origin);
    if (!e) e = dtfe_queue_new(c, o->threads, pixels, &o->ensemble, out->values, q);
    return e;
}

/* One snapshot: read, compared with the first, given to the queue. */
static status push_snapshot(context *c, const char *path, int64_t i, int64_t count, const maps_options *o, reference *r,
                            dtfe_queue **q, maps *out)
{
    snapshot s = {0};
    status e = snapshot_read_as(c, path, o->length_unit, &s);
    if (!e) e = check_kind(c, path, &s);
    if (!e && i == 0) {
        *r = (reference){path, s.count, s.box_mpc_h, s.redshift};
        e = begin(c, &s, count, o, q, out);
    }
    if (!e) e = check_agreement(c, path, &s, r);
    if (!e) {
        int64_t box = s.box_index >= 0 && s.box_index <= INT32_MAX ? s.box_index : i;
        const int32_t origin[3] = {(int32_t)box, 2, 0};
        memcpy(out->origin + 3 * i, origin, sizeof origin);
        log_debug(c, "tessellating %s", path);
        e = dtfe_queue_push(c, *q, &s.positions, s.count, s.box_mpc_h, i);
    }
    snapshot_delete(&s);
    return e;
}

status maps_from_snapshots(context *c, const char *const *paths, int64_t count, const maps_options *o, provenance *made,
                           maps *out)
{
    dtfe_queue *q = NULL;
    reference r = {0};
    progress p;
    memset(out, 0, sizeof *out);
    if (count < 1) return context_fail(c, STATUS_USAGE, "no snapshots were named");
    progress_begin(&p, c, "maps", "boxes", 0, count);
    status s = STATUS_OK;
    for (int64_t i = 0; !s && i < count; i++) {
        if (made) s = provenance_input(c, made, paths[i]);
        if (!s) s = push_snapshot(c, paths[i], i, count, o, &r, &q, out);
        if (!s) progress_update(&p, dtfe_queue_done(q), NULL);
    }
    if (!s) s = dtfe_queue_finish(c, q);
    if (!s) {
        progress_update(&p, count, NULL);
        progress_end(&p);
    }
    dtfe_queue_delete(&q);
    if (s) maps_delete(out);
    return s;
}
