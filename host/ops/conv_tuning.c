#include "ops/conv_tuning.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_LARGEST = 1 << 20 };

/* What a value may be. */
typedef enum { POWER, POWER_OR_NONE, POSITIVE, COUNT } range;

static const struct {
    const char *name;
    size_t offset;
    range range;
} fields[] = {
#define FIELD(x, r)                                                                                                    \
    {                                                                                                                  \
#x, offsetof(conv_tiles, x), r                                                                                 \
    }
    FIELD(vector, POWER),
    FIELD(work_group, POSITIVE),
    FIELD(registers, POSITIVE),
    FIELD(vectors, POSITIVE),
    FIELD(rows, COUNT),
    FIELD(unroll, POWER),
    FIELD(tiles, POSITIVE),
    FIELD(group, POSITIVE),
    FIELD(narrow_rows, POSITIVE),
    FIELD(local_rows, COUNT),
    FIELD(local_columns, COUNT),
    FIELD(local_depth, POWER_OR_NONE),
    FIELD(transform_vector, POWER_OR_NONE),
    FIELD(winograd_kib, COUNT),
    FIELD(weight_registers, POSITIVE),
    FIELD(weight_vectors, POSITIVE),
    FIELD(weight_ci, POSITIVE),
    FIELD(weight_co, POSITIVE),
    FIELD(weight_taps, COUNT),
    FIELD(weight_pixels, COUNT),
    FIELD(filtered_vectors, POSITIVE),
    FIELD(filtered_ci, POSITIVE),
    FIELD(filtered_co, POSITIVE),
    FIELD(filtered_tiles, POSITIVE),
    FIELD(panels, COUNT),
    FIELD(jobs, COUNT),
    FIELD(items, COUNT)
#undef FIELD
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* What tune says of a layer beside its shape: conv_tune.h. */
static const char *const remarks[] = {"before_us", "after_us", "tried", "next", "finished"};

static int field_find(const char *name, size_t length)
{
    for (int i = 0; i < FIELDS; i++)
        if (strlen(fields[i].name) == length && !strncmp(fields[i].name, name, length)) return i;
    return -1;
}

static int *field_of(conv_tiles *t, int i)
{
    return (int *)(void *)((char *)t + fields[i].offset);
}

static bool field_allows(int i, int value)
{
    const bool power = value == 1 || value == 2 || value == 4 || value == 8 || value == 16;
    if (fields[i].range == POWER) return power;
    if (fields[i].range == POWER_OR_NONE) return power || !value;
    return value >= (fields[i].range == POSITIVE) && value <= FIELD_LARGEST;
}

int conv_tuning_value(const conv_tiles *t, const char *name)
{
    const int i = field_find(name, strlen(name));
    return i < 0 ? -1 : *(const int *)(const void *)((const char *)t + fields[i].offset);
}

/* ---- text: NAME=NUMBER,… ---- */

static status set_one(context *c, conv_tiles *t, const char *origin, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    const int i = equals ? field_find(text, (size_t)(equals - text)) : -1;
    char *end = NULL;
    const long value = i < 0 ? 0 : strtol(equals + 1, &end, 10);
    if (i < 0 || end == equals + 1 || end != text + length || value < 0 || value > FIELD_LARGEST)
        return context_fail(c, STATUS_USAGE, "%s: \"%.*s\" is not NAME=NUMBER with a name of conv_tuning.h", origin,
                            (int)length, text);
    *field_of(t, i) = (int)value;
    return STATUS_OK;
}

status conv_tuning_set(context *c, conv_tiles *t, const char *origin, const char *text)
{
    for (; text && *text; text += strcspn(text, ","), text += *text == ',') {
        const status s = set_one(c, t, origin, text, strcspn(text, ","));
        if (s) return s;
    }
    for (int i = 0; i < FIELDS; i++)
        if (!field_allows(i, *field_of(t, i)) || t->jobs < 1 || t->items < 1 || !t->local_rows != !t->local_columns ||
            (t->local_rows && !t->local_depth))
            return context_fail(c, STATUS_USAGE,
                                "%s: vector, unroll, local_depth and transform_vector must be 1, 2, 4, 8 or 16, "
                                "local_rows and local_columns both 0 or not, and the other sizes at least 1",
                                origin);
    return STATUS_OK;
}

/* ---- records ---- */

static const char *const directions[] = {"forward", "backward_data", "backward_weights"};

static bool is_layer(const char *name)
{
    const size_t word = strcspn(name, " ");
    for (int i = 0; i < 3; i++)
        if (strlen(directions[i]) == word && !strncmp(name, directions[i], word)) return true;
    return false;
}

static status check_value(context *c, tuning_value *v)
{
    if (v->layer[0] && !is_layer(v->layer))
        return context_fail(c, STATUS_DATA, "%s:%d: %s is in [%s], which is neither a record nor a layer", v->origin,
                            v->line, v->name, v->layer);
    v->field = field_find(v->name, strlen(v->name));
    if (v->field >= 0 && !field_allows(v->field, v->value))
        return context_fail(c, STATUS_DATA, "%s:%d: %s = %d: must be %s", v->origin, v->line, v->name, v->value,
                            fields[v->field].range == POWER           ? "1, 2, 4, 8 or 16"
                            : fields[v->field].range == POWER_OR_NONE ? "0, 1, 2, 4, 8 or 16"
                            : fields[v->field].range == POSITIVE      ? "from 1 to 1048576"
                                                                      : "from 0 to 1048576");
    bool known = v->field >= 0;
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++)
        known = known || (v->layer[0] && !strcmp(v->name, remarks[i]));
    return known ? STATUS_OK : context_fail(c, STATUS_DATA, "%s:%d: unknown key %s", v->origin, v->line, v->name);
}

const tuning_rules conv_tuning_rules = {check_value, CONV_TUNING_SCHEMA};

void conv_tuning_name(const conv_shape *s, int direction, char name[TUNING_LAYER])
{
    snprintf(name, TUNING_LAYER, "%s %dx%dx%d-%dx%dx%d k%ds%dp%d %s",
             directions[direction == CONV_FORWARD         ? 0
                        : direction == CONV_BACKWARD_DATA ? 1
                                                          : 2],
             s->h, s->w, s->ci, s->oh, s->ow, s->co, s->kernel, s->stride, s->pad,
             conv_algorithm_of(s) == CONV_WINOGRAD ? "winograd" : "direct");
}

/* The device's own values, then those of the layer (NULL: of none), of the first `count`. */
static void apply(const tuning *from, int count, const char *layer, conv_tiles *t)
{
    for (int pass = 0; pass < (layer ? 2 : 1); pass++)
        for (int i = 0; i < count; i++) {
            const tuning_value *v = &from->values[i];
            if (v->field >= 0 && !strcmp(v->layer, pass ? layer : "")) *field_of(t, v->field) = v->value;
        }
}

static status choose(context *c, device *d, const char *layer, bool own, conv_tiles *t)
{
    const tuning *from;
    const device_record *r = device_info(d);
    const int units = r->compute_units > 0 ? r->compute_units : 1;
    const status s = device_tuning(c, d, &conv_tuning_rules, &from);
    if (s) return s;
    *t = (conv_tiles){0};
    apply(from, own ? from->count : from->own, layer, t);
    if (!t->jobs) t->jobs = r->is_cpu ? units : 256 * units;
    if (!t->items) t->items = !r->is_cpu ? 1 << 14 : units > 8 ? 2 * units : 16;
    while (t->work_group > 1 && (size_t)t->work_group > r->max_work_group) t->work_group /= 2;
    return conv_tuning_set(c, t, "COSMOCL_CONV_TILE", getenv("COSMOCL_CONV_TILE"));
}

status conv_tuning_choose(context *c, device *d, conv_tiles *t)
{
    return choose(c, d, NULL, true, t);
}

status conv_tuning_layer(context *c, device *d, const conv_shape *s, int direction, bool own, conv_tiles *t)
{
    char name[TUNING_LAYER];
    conv_tuning_name(s, direction, name);
    return choose(c, d, name, own, t);
}

int conv_tuning_vectors(int channels, int vector, int limit)
{
    int n = limit;
    while (n > 1 && channels % (n * vector)) n--;
    return n;
}

int conv_tuning_rows(const conv_tiles *t, int vectors, int most)
{
    const int rows = t->registers / vectors;
    return t->rows ? t->rows : rows < 1 ? 1 : rows < most ? rows : most;
}

int conv_tuning_block(int channels, int unit, int limit)
{
    int best = unit;
    for (int b = unit; b <= limit && b <= channels; b += unit)
        if (channels % b == 0) best = b;
    return best;
}
