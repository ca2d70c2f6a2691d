#include "commands/stats_pairs.h"

#include <math.h>
#include <stdio.h>

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *numbers(const double *x, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(list, number(x[i]));
    return list;
}

static json_t *dice(const stats_overlap *o)
{
    json_t *rows = json_array();
    for (int i = 0; i < OVERLAP_PERCENTS; i++) {
        const overlap_row *r = o->row + i;
        json_array_append_new(rows, json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "top_percent",
                                              r->percent, "mean", number(r->dice.mean), "std", number(r->dice.std),
                                              "sem", number(r->sem), "random_mean", number(r->random.mean),
                                              "random_std", number(r->random.std), "normalized_mean",
                                              number(r->normalized.mean), "normalized_std", number(r->normalized.std),
                                              "significance_mean", number(r->significance.mean), "significance_std",
                                              number(r->significance.std), "jaccard_mean", number(r->jaccard.mean)));
    }
    return json_pack("{s:s, s:I, s:I, s:o}", "threshold_scope", o->per_image ? "image" : "set", "images",
                     (json_int_t)o->images, "random_pairs", (json_int_t)o->random_pairs, "rows", rows);
}

void stats_pairs_json(json_t *root, const stats_results *r)
{
    if (r->overlap) json_object_set_new(root, "dice", dice(r->overlap));
    if (!r->pairs) return;
    const int n = r->pairs->rings;
    const stats_curve *t = &r->pairs->transfer, *k = &r->pairs->correlation;
    json_object_set_new(root, "pairs",
                        json_pack("{s:o, s:o, s:o, s:o, s:o}", "transfer_median", numbers(t->median, n), "transfer_mad",
                                  numbers(t->mad, n), "correlation_median", numbers(k->median, n), "correlation_mean",
                                  numbers(k->mean, n), "correlation_std", numbers(k->std, n)));
}

static void print_dice(const stats_overlap *o)
{
    printf("\noverlap of the densest n %% of %s; random: %lld pairs of the truth\n",
           o->per_image ? "each image" : "each set", (long long)o->random_pairs);
    printf("%6s %10s %10s %10s %12s %14s\n", "top %", "Dice", "std", "random", "normalised", "significance");
    for (int i = 0; i < OVERLAP_PERCENTS; i++) {
        const overlap_row *r = o->row + i;
        printf("%6d %10.4f %10.4f %10.4f %12.4f %14.2f\n", r->percent, r->dice.mean, r->dice.std, r->random.mean,
               r->normalized.mean, r->significance.mean);
    }
}

/* At a few scales, from the largest on. */
static void print_curves(const stats_pairs *p)
{
    printf("\n%6s %10s %12s   transfer: sqrt(P_model/P_truth), medians over images; nu in waves per image\n", "nu",
           "transfer", "correlation");
    for (int nu = 1; nu <= p->rings; nu *= 2)
        printf("%6d %10.4f %12.4f\n", nu, p->transfer.median[nu - 1], p->correlation.median[nu - 1]);
}

void stats_pairs_print(const stats_results *r)
{
    if (r->overlap) print_dice(r->overlap);
    if (r->pairs) print_curves(r->pairs);
}
