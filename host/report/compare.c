/* What the report computes of the numbers itself. */
#include "report/numbers.h"

#include <math.h>

const char *const figure_names[FIGURES] = {"pdf", "mean", "std", "psd", "peaks"};
const char *const figure_subject[FIGURES] = {"the densities of pixels", "the amount of matter",
                                             "the scatter of the amount of matter", "the power spectrum",
                                             "the number of peaks"};
const char *const figure_meaning[FIGURES] = {
    "twice the share of pixels in the wrong bin of density", "ratio of the mean densities",
    "ratio of the scatter of the mean density from image to image", "mean |ln ratio| of the median power spectra",
    "ratio of the numbers of peaks"};
const char *const minkowski_names[MINKOWSKI] = {"area", "perimeter", "euler"};

int figure_perfect(int figure)
{
    return figure == FIGURE_PDF || figure == FIGURE_PSD ? 0 : 1;
}

double numbers_distance(int figure, double v)
{
    return figure_perfect(figure) ? fabs(log(v)) : fabs(v);
}

double numbers_distance_error(int figure, double v, double error)
{
    return figure_perfect(figure) ? error / fabs(v) : error;
}

double numbers_shape(const numbers *n, int which)
{
    const double *truth = n->truth.minkowski[which], *model = n->model.minkowski[which];
    double greatest = 0, height = 0;
    for (int e = 0; truth && model && e <= n->bins; e++) {
        greatest = fmax(greatest, fabs(model[e] - truth[e]));
        height = fmax(height, fabs(truth[e]));
    }
    return height > 0 ? greatest / height : NAN;
}

double numbers_dice_at(const numbers_dice *d, int column, double percent)
{
    for (int i = 0; d->column[column] && i < d->count; i++)
        if (fabs(d->column[DICE_PERCENT][i] - percent) < 1e-6) return d->column[column][i];
    return NAN;
}

double numbers_dice_reach(const numbers_dice *d)
{
    double reach = 0;
    for (int i = 0; d->column[DICE_STD] && d->column[DICE_RANDOM] && d->column[DICE_RANDOM_STD] && i < d->count; i++) {
        if (!(d->column[DICE_MEAN][i] - d->column[DICE_STD][i] >
              d->column[DICE_RANDOM][i] + d->column[DICE_RANDOM_STD][i]))
            break;
        reach = d->column[DICE_PERCENT][i];
    }
    return reach;
}

void numbers_moments(const double *v, int64_t count, int64_t stride, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += v[i * stride];
    *mean = count ? sum / (double)count : NAN;
    for (int64_t i = 0; i < count; i++) squares += (v[i * stride] - *mean) * (v[i * stride] - *mean);
    *deviation = count ? sqrt(squares / (double)count) : NAN;
}

double numbers_power_bias(const numbers *n)
{
    const double *model = n->model.power_median, *truth = n->truth.power_median;
    double sum = 0;
    int count = 0;
    for (int i = 0; model && truth && i < n->rings; i++)
        if (model[i] > 0 && truth[i] > 0) {
            sum += log(model[i] / truth[i]);
            count++;
        }
    return count ? sum / count : NAN;
}
