/* `snapshot info` and `snapshot convert`. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/common.h"
#include "io/snapshot_file.h"

/* A flag that the command's row may lack: NULL then. */
static const char *optional_flag(const command_line *line, const char *name)
{
    for (int i = 0; i < COMMAND_FLAGS && line->row->flags[i].name; i++)
        if (strcmp(line->row->flags[i].name, name) == 0) return command_flag(line, name);
    return NULL;
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *describe(const char *path, const snapshot *s)
{
    return json_pack("{s:s, s:i, s:I, s:s, s:f, s:o, s:o, s:f, s:f, s:f, s:I, s:b, s:b}", "file", path, "dims", s->dims,
                     "particles", (json_int_t)s->count, "precision", s->precision == H5_FLOAT64 ? "double" : "single",
                     "box_mpc_h", s->box_mpc_h, "redshift", number(s->redshift), "scale_factor",
                     number(s->scale_factor), "omega_m", s->omega_m, "omega_lambda", s->omega_lambda, "h", s->h,
                     "box_index", (json_int_t)s->box_index, "velocities", s->velocities != NULL, "ids", s->ids != NULL);
}

static void print_text(const char *path, const snapshot *s)
{
    printf("%s\n", path);
    printf("  particles     %" PRId64 " of dark matter in %dD, %s positions%s%s\n", s->count, s->dims,
           s->precision == H5_FLOAT64 ? "float64" : "float32", s->velocities ? ", velocities" : "",
           s->ids ? ", ids" : "");
    printf("  box           %.6g Mpc/h wide", s->box_mpc_h);
    if (s->box_index >= 0) printf(", number %" PRId64 " of its run", s->box_index);
    if (isfinite(s->redshift))
        printf("\n  time          redshift %.6g, scale factor %.6g", s->redshift, s->scale_factor);
    if (s->omega_m > 0)
        printf("\n  cosmology     omega_m %.6g, omega_lambda %.6g, h %.6g", s->omega_m, s->omega_lambda, s->h);
    for (int axis = 0; axis < s->dims && s->count > 0; axis++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = 0; i < s->count; i++) {
            low = fmin(low, s->positions[i * s->dims + axis]);
            high = fmax(high, s->positions[i * s->dims + axis]);
        }
        printf("%s%c %.6g … %.6g", axis ? ", " : "\n  positions     ", "xyz"[axis], low, high);
    }
    printf("\n");
}

status command_snapshot_info(context *c, const command_line *line)
{
    json_t *all = line->json ? json_array() : NULL;
    snapshot one = {0};
    status s = STATUS_OK;
    for (int i = 0; !s && i < line->count; i++) {
        s = snapshot_read_as(c, line->argument[i], command_flag(line, "length-unit"), &one);
        if (!s && all && json_array_append_new(all, describe(line->argument[i], &one)))
            s = context_fail(c, STATUS_MEMORY, "no memory for the result as JSON");
        if (!s && !line->json) print_text(line->argument[i], &one);
        snapshot_delete(&one);
    }
    if (!s && all) {
        /* One file: its object; several: the list. */
        json_dumpf(line->count == 1 ? json_array_get(all, 0) : all, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(all);
    return s;
}

/* Velocities, ids and numbers are kept; positions are rounded where float32 is asked for. */
static status set_precision(context *c, const command_line *line, snapshot *s)
{
    const char *precision = optional_flag(line, "precision");
    if (!precision || strcmp(precision, "same") == 0) return STATUS_OK;
    if (strcmp(precision, "single") == 0)
        s->precision = H5_FLOAT32;
    else if (strcmp(precision, "double") == 0)
        s->precision = H5_FLOAT64;
    else
        return context_fail(c, STATUS_USAGE, "--precision %s: say single, double or same", precision);
    return STATUS_OK;
}

status command_snapshot_convert(context *c, const command_line *line)
{
    const char *out = NULL, *format = command_flag(line, "format");
    snapshot s = {0};
    provenance made = {0};
    status e = STATUS_OK;
    if (format && strcmp(format, "hdf5"))
        e = context_fail(c, STATUS_USAGE, "--format %s: this version writes hdf5 only", format);
    if (!e) e = common_output(c, line, NULL, &out);
    if (!e) e = snapshot_read_as(c, line->argument[0], command_flag(line, "length-unit"), &s);
    if (!e) e = set_precision(c, line, &s);
    if (!e) e = common_provenance(c, line, NULL, &made);
    if (!e) e = provenance_input(c, &made, line->argument[0]);
    if (!e) e = snapshot_write(c, out, &s, &made);
    if (!e) printf("%s: %" PRId64 " particles\n", out, s.count);
    provenance_delete(&made);
    snapshot_delete(&s);
    return e;
}
