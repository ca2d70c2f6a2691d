#include "stats/neighbours.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"

/* Images i · n / m of n: *chosen, which is `own` (or NULL) where it is not all of them. */
static status choose(context *c, const float *images, int64_t n, int64_t pixels, int64_t m, float **own,
                     const float **chosen)
{
    *own = NULL;
    *chosen = images;
    if (m == n) return STATUS_OK;
    const status s = memory_new(c, "images to compare", (size_t)m, (size_t)pixels * sizeof **own, own);
    for (int64_t i = 0; i < m && !s; i++)
        memcpy(*own + i * pixels, images + i * n / m * pixels, (size_t)pixels * sizeof **own);
    *chosen = *own;
    return s;
}

/* Set `which` of the plan from the chosen images, their contrast, and the nearest other of each. */
static status nearest_others(context *c, distance_plan *p, int which, const float *images, int64_t m, double *nearest,
                             double *contrast)
{
    status s = distance_set(c, p, which, images, m);
    if (!s) *contrast = distance_deviation(p, which);
    return s ? s : distance_nearest(c, p, which, which, nearest, NULL);
}

status neighbours_within(context *c, distance_plan *p, const float *images, int64_t n, int64_t pixels, int m,
                         double *nearest, double *contrast)
{
    float *own = NULL;
    const float *chosen = NULL;
    status s = choose(c, images, n, pixels, m, &own, &chosen);
    if (!s) s = nearest_others(c, p, 0, chosen, m, nearest, contrast);
    memory_delete(&own);
    return s;
}

static double mean_of(const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += v[i];
    return sum / (double)n;
}

/* Distances to the nearest are comparable between equally many images only: the larger set is thinned to the smaller,
 * whose distances are known (contrast of models and truths as from `compare`). */
static status variety(context *c, distance_plan *p, int64_t pixels, const float *models, int64_t n_model,
                      const float *truths, int64_t n_truth, const double contrasts[2], diversity *v)
{
    const int64_t m = v->models < v->truths ? v->models : v->truths;
    double *nearest = NULL, contrast[2] = {contrasts[0], contrasts[1]}, mean[2];
    v->variety = NAN;
    if (m < 2) return STATUS_OK;
    status s = memory_new(c, "nearest distances", (size_t)m, sizeof *nearest, &nearest);
    for (int k = 0; k < 2 && !s; k++) {
        const double *of = k ? v->truth_truth : v->model_model;
        if ((k ? v->truths : v->models) != m) {
            of = nearest;
            s = neighbours_within(c, p, k ? truths : models, k ? n_truth : n_model, pixels, (int)m, nearest,
                                  &contrast[k]);
        }
        if (!s) mean[k] = contrast[k] > 0 ? mean_of(of, m) / contrast[k] : 0;
    }
    if (!s && mean[1] > 0) v->variety = mean[0] / mean[1];
    memory_delete(&nearest);
    return s;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static status count_copies(context *c, diversity *v)
{
    double *sorted = NULL;
    int64_t copies = 0;
    v->copies = NAN;
    if (v->truths < 2) return STATUS_OK;
    const status s = memory_new(c, "sorted distances", (size_t)v->truths, sizeof *sorted, &sorted);
    if (s) return s;
    memcpy(sorted, v->truth_truth, (size_t)v->truths * sizeof *sorted);
    qsort(sorted, (size_t)v->truths, sizeof *sorted, ascending);
    for (int64_t i = 0; i < v->models; i++) copies += v->model_truth[i] <= sorted[v->truths / 100];
    v->copies = (double)copies / (double)v->models;
    memory_delete(&sorted);
    return STATUS_OK;
}

/* contrast: of the models, of the truths. */
static status compare(context *c, distance_plan *p, const float *models, const float *truths, double contrast[2],
                      diversity *v)
{
    status s = nearest_others(c, p, 1, truths, v->truths, v->truth_truth, &contrast[1]);
    if (!s) s = nearest_others(c, p, 0, models, v->models, v->model_model, &contrast[0]);
    return s ? s : distance_nearest(c, p, 0, 1, v->model_truth, v->model_which);
}

status diversity_compute(context *c, device *d, double floor, int64_t pixels, const float *models, int64_t n_model,
                         const float *truths, int64_t n_truth, diversity *out)
{
    distance_plan *p = NULL;
    float *own_models = NULL, *own_truths = NULL;
    const float *some_models = NULL, *some_truths = NULL;
    double contrast[2];
    status s = STATUS_OK;
    *out = (diversity){.floor = floor};
    if (n_model < 1 || n_truth < 1) return context_fail(c, STATUS_USAGE, "diversity needs at least one image");
    out->models = n_model < DIVERSITY_MOST ? n_model : DIVERSITY_MOST;
    out->truths = n_truth < DIVERSITY_MOST ? n_truth : DIVERSITY_MOST;
    const int64_t most = out->models > out->truths ? out->models : out->truths;
    const size_t m = (size_t)out->models, t = (size_t)out->truths;
    if ((s = memory_new(c, "nearest model images", m, sizeof(double), &out->model_model))) goto out;
    if ((s = memory_new(c, "nearest images of the truth", m, sizeof(double), &out->model_truth))) goto out;
    if ((s = memory_new(c, "nearest images of the truth", m, sizeof(uint32_t), &out->model_which))) goto out;
    if ((s = memory_new(c, "nearest distances in the truth", t, sizeof(double), &out->truth_truth))) goto out;
    if ((s = choose(c, models, n_model, pixels, out->models, &own_models, &some_models))) goto out;
    if ((s = choose(c, truths, n_truth, pixels, out->truths, &own_truths, &some_truths))) goto out;
    if ((s = distance_plan_new(c, d, most, pixels, (float)floor, &p))) goto out;
    if ((s = compare(c, p, some_models, some_truths, contrast, out))) goto out;
    if ((s = count_copies(c, out))) goto out;
    s = variety(c, p, pixels, models, n_model, truths, n_truth, contrast, out);
out:
    distance_plan_delete(&p);
    memory_delete(&own_models);
    memory_delete(&own_truths);
    if (s) diversity_delete(out);
    return s;
}

void diversity_delete(diversity *v)
{
    if (!v) return;
    memory_delete(&v->model_model);
    memory_delete(&v->model_truth);
    memory_delete(&v->model_which);
    memory_delete(&v->truth_truth);
    *v = (diversity){0};
}
