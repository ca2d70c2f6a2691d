#include "ops/conv_tuning.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* 32 vector registers of 16 floats: 5 × 4 sums. Measured on two AVX-512 cores (PoCL): 5 × 4 runs at 70–90 % of the FMA
 * peak, 6 × 4 and 10 × 2 slightly below; with panels the weight kernel holds 65 % and needs no other tile than 8 × 2.
 */
static const conv_tiles cpu_wide = {.vector = 16,
                                    .work_group = 1,
                                    .registers = 20,
                                    .vectors = 4,
                                    .unroll = 4,
                                    .tiles = 16,
                                    .group = 10,
                                    .winograd_kib = 16384,
                                    .narrow_rows = 8,
                                    .weight_registers = 16,
                                    .weight_vectors = 2,
                                    .weight_ci = 16,
                                    .weight_co = 64,
                                    .weight_pixels = 64,
                                    .filtered_vectors = 4,
                                    .filtered_ci = 16,
                                    .filtered_co = 128,
                                    .filtered_tiles = 20,
                                    .panels = 1};
/* 16 registers: 6 × 2 sums. */
static const conv_tiles cpu_narrow = {.vector = 8,
                                      .work_group = 1,
                                      .registers = 12,
                                      .vectors = 2,
                                      .unroll = 4,
                                      .tiles = 16,
                                      .group = 10,
                                      .winograd_kib = 16384,
                                      .narrow_rows = 4,
                                      .weight_registers = 8,
                                      .weight_vectors = 2,
                                      .weight_ci = 16,
                                      .weight_co = 32,
                                      .weight_pixels = 64,
                                      .filtered_vectors = 2,
                                      .filtered_ci = 16,
                                      .filtered_co = 32,
                                      .filtered_tiles = 16,
                                      .panels = 1};
/* Products of 128 × 128 by 256 work-items of 8 × 8 sums, with panels of 16 KiB in all; transforms, of 36 numbers each,
 * by single lanes. A weight block of a work-item of its own (where memory is too small for blocks) is one tile, whose
 * sums stay in registers for a whole micro-batch. */
static const conv_tiles gpu = {.vector = 4,
                               .work_group = 64,
                               .local_rows = 16,
                               .local_columns = 16,
                               .local_depth = 8,
                               .transform_vector = 1,
                               .registers = 16,
                               .vectors = 2,
                               .unroll = 4,
                               .tiles = 1,
                               .group = 10,
                               .winograd_kib = 65536,
                               .narrow_rows = 4,
                               .weight_registers = 8,
                               .weight_vectors = 2,
                               .weight_ci = 4,
                               .weight_co = 8,
                               .weight_taps = 1,
                               .filtered_vectors = 2,
                               .filtered_ci = 4,
                               .filtered_co = 8,
                               .filtered_tiles = 4};

static const struct {
    const char *name;
    size_t offset;
} names[] = {
#define NAME(x)                                                                                                        \
    {                                                                                                                  \
#x, offsetof(conv_tiles, x)                                                                                    \
    }
    NAME(vector),
    NAME(work_group),
    NAME(registers),
    NAME(vectors),
    NAME(rows),
    NAME(unroll),
    NAME(tiles),
    NAME(group),
    NAME(narrow_rows),
    NAME(local_rows),
    NAME(local_columns),
    NAME(local_depth),
    NAME(transform_vector),
    NAME(winograd_kib),
    NAME(weight_registers),
    NAME(weight_vectors),
    NAME(weight_ci),
    NAME(weight_co),
    NAME(weight_taps),
    NAME(weight_pixels),
    NAME(filtered_vectors),
    NAME(filtered_ci),
    NAME(filtered_co),
    NAME(filtered_tiles),
    NAME(panels),
    NAME(jobs),
    NAME(items)
#undef NAME
};

static status override_one(context *c, conv_tiles *t, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    if (equals)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strlen(names[i].name) == (size_t)(equals - text) &&
                !strncmp(text, names[i].name, (size_t)(equals - text))) {
                char *end = NULL;
                const long value = strtol(equals + 1, &end, 10);
                if (end == equals + 1 || end != text + length || value < 0 || value > 1 << 20) break;
                *(int *)(void *)((char *)t + names[i].offset) = (int)value;
                return STATUS_OK;
            }
    return context_fail(c, STATUS_USAGE, "COSMOCL_CONV_TILE: \"%.*s\" is not NAME=NUMBER with a name of conv_tuning.h",
                        (int)length, text);
}

/* 1 to 16. */
static bool power_of_two(int n)
{
    return n >= 1 && 16 % n == 0;
}

static status override(context *c, conv_tiles *t)
{
    const char *text = getenv("COSMOCL_CONV_TILE");
    for (; text && *text; text += strcspn(text, ","), text += *text == ',') {
        const status s = override_one(c, t, text, strcspn(text, ","));
        if (s) return s;
    }
    if (!power_of_two(t->vector) || !power_of_two(t->unroll) || t->work_group < 1 ||
        !t->local_rows != !t->local_columns || (t->local_rows && !power_of_two(t->local_depth)) ||
        (t->transform_vector && !power_of_two(t->transform_vector)) || t->registers < 1 || t->vectors < 1 ||
        t->tiles < 1 || t->group < 1 || t->narrow_rows < 1 || t->weight_registers < 1 || t->weight_vectors < 1 ||
        t->weight_ci < 1 || t->weight_co < 1 || t->filtered_vectors < 1 || t->filtered_ci < 1 || t->filtered_co < 1 ||
        t->filtered_tiles < 1 || t->jobs < 1 || t->items < 1)
        return context_fail(c, STATUS_USAGE,
                            "COSMOCL_CONV_TILE: vector, unroll, local_depth and transform_vector must be 1, 2, 4, 8 "
                            "or 16, local_rows and local_columns both 0 or not, and the other sizes at least 1");
    return STATUS_OK;
}

status conv_tuning_choose(context *c, const device_record *r, conv_tiles *t)
{
    const int units = r->compute_units > 0 ? r->compute_units : 1;
    *t = !r->is_cpu ? gpu : r->native_vector >= 16 ? cpu_wide : cpu_narrow;
    if (r->is_cpu) {
        if (r->native_vector < 8) t->vector = 4;
        t->jobs = units;
        t->items = units > 8 ? 2 * units : 16;
    } else {
        t->jobs = 256 * units;
        t->items = 1 << 14;
        while (t->work_group > 1 && (size_t)t->work_group > r->max_work_group) t->work_group /= 2;
    }
    return override(c, t);
}

int conv_tuning_vectors(int channels, int vector, int limit)
{
    int n = limit;
    while (n > 1 && channels % (n * vector)) n--;
    return n;
}

int conv_tuning_block(int channels, int unit, int limit)
{
    int best = unit;
    for (int b = unit; b <= limit && b <= channels; b += unit)
        if (channels % b == 0) best = b;
    return best;
}
