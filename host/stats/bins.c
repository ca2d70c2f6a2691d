#include "stats/bins.h"

#include <math.h>
#include <stdio.h>

/* Below this share nothing is said: the tails of a distribution lie outside any bins. */
static const double SHARE = .01;

void stats_say_outside(context *c, const char *what, const stats_set *s, const float *images)
{
    const double pixels = stats_set_pixels(s);
    const double outside = (double)(s->pixel_counts[0] + s->pixel_counts[s->bins + 1]) / pixels;
    float low = INFINITY, high = -INFINITY;
    int64_t none = 0;
    char nothing[200] = "";
    if (outside <= SHARE) return;
    for (int64_t i = 0; i < (int64_t)pixels; i++) {
        low = fminf(low, images[i]);
        high = fmaxf(high, images[i]);
        none += images[i] <= 0;
    }
    if (none > 0)
        snprintf(
            nothing, sizeof nothing,
            "; %.3g %% are zero or less, which logarithmic bins never hold: judge those by mean, scatter and spectrum",
            100 * (double)none / pixels);
    log_warning(
        c,
        "%s: %.3g %% of the pixels (%.4g to %.4g) lie outside the density bins of %.4g to %.4g, so the histogram "
        "and the peaks by density show only the rest; set --density-min and --density-max%s",
        what, 100 * outside, (double)low, (double)high, s->edges[0], s->edges[s->bins], nothing);
}
