#include "stats/pairs.h"

#include <math.h>
#include "base/memory.h"
#include "stats/summary.h"

enum { CURVES = 8 };

/* Ring `at` of the curve from its n values, which are lost. */
static void summarise(double *values, int64_t n, const stats_curve *to, int at)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += values[i];
    to->mean[at] = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += (values[i] - to->mean[at]) * (values[i] - to->mean[at]);
    to->std[at] = sqrt(squares / (double)n);
    to->median[at] = stats_median(values, n);
    for (int64_t i = 0; i < n; i++) values[i] = fabs(values[i] - to->median[at]);
    to->mad[at] = stats_median(values, n);
}

/* √(a/b) and c/√(a b) of powers that may be as large as the squares of the largest float. */
static double transfer(double truth, double model)
{
    return truth > 0 ? sqrt(model / truth) : NAN;
}

static double correlation(double truth, double model, double cross)
{
    return truth > 0 && model > 0 ? cross / sqrt(truth) / sqrt(model) : NAN;
}

static void compute_ring(const stats_set *truth, const stats_set *model, const double *cross, int ring, double *column,
                         const stats_pairs *out)
{
    for (int curve = 0; curve < 2; curve++) {
        int64_t n = 0;
        for (int64_t i = 0; i < truth->images; i++) {
            const size_t at = (size_t)i * (size_t)truth->rings + (size_t)ring;
            const double v = curve ? correlation(truth->power[at], model->power[at], cross[at])
                                   : transfer(truth->power[at], model->power[at]);
            if (isfinite(v)) column[n++] = v;
        }
        summarise(column, n, curve ? &out->correlation : &out->transfer, ring);
    }
}

static status pairs_new(context *c, const stats_set *t, stats_pairs *out)
{
    *out = (stats_pairs){.images = t->images, .rings = t->rings};
    const status s = memory_new(c, "curves of the pairs", (size_t)t->rings, CURVES * sizeof *out->memory, &out->memory);
    if (s) return s;
    double **const curves[CURVES] = {&out->transfer.median,  &out->transfer.mad,       &out->transfer.mean,
                                     &out->transfer.std,     &out->correlation.median, &out->correlation.mad,
                                     &out->correlation.mean, &out->correlation.std};
    for (int i = 0; i < CURVES; i++) *curves[i] = out->memory + (size_t)i * (size_t)t->rings;
    return STATUS_OK;
}

status stats_pairs_compute(context *c, const stats_set *truth, const stats_set *model, const double *cross,
                           stats_pairs *out)
{
    double *column = NULL;
    *out = (stats_pairs){0};
    if (truth->images != model->images || truth->side != model->side) {
        return context_fail(c, STATUS_USAGE, "%lld images of %d × %d pixels are no pairs with %lld of %d × %d",
                            (long long)truth->images, truth->side, truth->side, (long long)model->images, model->side,
                            model->side);
    }
    status s = pairs_new(c, truth, out);
    if (!s) s = memory_new(c, "values of a ring", (size_t)truth->images, sizeof *column, &column);
    for (int ring = 0; !s && ring < truth->rings; ring++) compute_ring(truth, model, cross, ring, column, out);
    memory_delete(&column);
    if (s) stats_pairs_delete(out);
    return s;
}

void stats_pairs_delete(stats_pairs *s)
{
    if (!s) return;
    memory_delete(&s->memory);
    *s = (stats_pairs){0};
}
