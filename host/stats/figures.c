#include "stats/figures.h"

#include <math.h>
#include <string.h>

status stats_same_shape(context *c, const stats_set *a, const stats_set *b)
{
    if (a->side != b->side) {
        return context_fail(c, STATUS_USAGE, "images of %d × %d pixels cannot be compared with images of %d × %d",
                            a->side, a->side, b->side, b->side);
    }
    if (a->bins != b->bins || memcmp(a->edges, b->edges, (size_t)(a->bins + 1) * sizeof *a->edges) != 0) {
        return context_fail(c, STATUS_USAGE, "the two sets have different density bins (%d and %d)", a->bins, b->bins);
    }
    return STATUS_OK;
}

double stats_pdf_distance(const stats_set *a, const stats_set *b)
{
    double sum = 0;
    for (int i = 0; i < STATS_COARSE_COLUMNS; i++) {
        sum +=
            fabs((double)a->coarse_counts[i] / stats_set_pixels(a) - (double)b->coarse_counts[i] / stats_set_pixels(b));
    }
    return sum;
}

double stats_log_ratio(double a, double b)
{
    const double most = log(1e12);
    if (!(a > 0) && !(b > 0)) return 0;
    if (!(a > 0) || !(b > 0)) return most;
    return fmin(fabs(log(a) - log(b)), most);
}

double stats_power_distance(const stats_set *a, const stats_set *b)
{
    double sum = 0;
    for (int r = 0; r < a->rings; r++) sum += stats_log_ratio(a->power_median[r], b->power_median[r]);
    return sum / a->rings;
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

status stats_figures_compute(context *c, const stats_set *model, const stats_set *truth, stats_figures *out)
{
    const status s = stats_same_shape(c, model, truth);
    if (s) return s;
    *out = (stats_figures){.pdf = stats_pdf_distance(model, truth),
                           .mean = ratio(model->mean, truth->mean),
                           .std = ratio(model->scatter, truth->scatter),
                           .psd = stats_power_distance(model, truth),
                           .peaks = ratio((double)model->peaks_total / (double)model->images,
                                          (double)truth->peaks_total / (double)truth->images)};
    return STATUS_OK;
}
