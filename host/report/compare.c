/* What the report computes of the numbers itself. */
#include "report/numbers.h"

#include <math.h>

const char *const figure_names[FIGURES] = {"pdf", "mean", "std", "psd", "peaks"};

void numbers_moments(const double *v, int64_t count, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += v[i];
    *mean = count ? sum / (double)count : NAN;
    for (int64_t i = 0; i < count; i++) squares += (v[i] - *mean) * (v[i] - *mean);
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
