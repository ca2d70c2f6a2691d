#include "ops/ref/overlap_ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"

static int descending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

status overlap_ref_threshold(context *c, const float *values, int64_t n, int percent, float *threshold)
{
    float *sorted = NULL;
    const status s = memory_new(c, "sorted values", (size_t)n, sizeof *sorted, &sorted);
    if (s) return s;
    memcpy(sorted, values, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, descending);
    const int64_t k = (int64_t)fmax(1, floor((double)n * percent / 100 + .5));
    *threshold = sorted[k - 1];
    memory_delete(&sorted);
    return STATUS_OK;
}

uint32_t overlap_ref_common(const float *a, float ta, const float *b, float tb, int pixels)
{
    uint32_t n = 0;
    for (int i = 0; i < pixels; i++) n += a[i] >= ta && b[i] >= tb;
    return n;
}
