/* Length units of snapshots and the wrapping of positions into the box. */
#include "io/snapshot_units.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "base/memory.h"

static const struct {
    const char *name;
    double mpc; /* one unit in Mpc, or Mpc/h */
    bool per_h; /* whether it is per h */
} units[] = {{"Mpc/h", 1, true}, {"kpc/h", 1e-3, true}, {"Mpc", 1, false}, {"kpc", 1e-3, false}};

static int find_unit(const char *name)
{
    for (int i = 0; i < (int)(sizeof units / sizeof *units); i++)
        if (!strcmp(units[i].name, name)) return i;
    return -1;
}

status snapshot_unit(context *c, h5_file *f, const char *object, const char *length_unit, double h, double *factor)
{
    const char *known = "Mpc/h, kpc/h, Mpc or kpc";
    char *text = NULL;
    int unit = find_unit("kpc/h");
    status s = STATUS_OK;
    *factor = 1;
    if (length_unit && length_unit[0]) {
        unit = find_unit(length_unit);
        if (unit < 0) return context_fail(c, STATUS_USAGE, "unknown length unit \"%s\"; say %s", length_unit, known);
    } else if (h5_has_attribute(f, object, "units")) {
        s = h5_read_text(c, f, object, "units", &text);
        if (s) return s;
        unit = find_unit(text);
        if (unit < 0)
            s = context_fail(c, STATUS_DATA, "%s: %s: has the unit \"%.40s\", known are %s; say it with --length-unit",
                             h5_path(f), object, text, known);
        memory_delete(&text);
        if (s) return s;
    } else
        log_info(c, "%s: names no unit of length: taken as kpc/h (--length-unit says another)", h5_path(f));
    if (!units[unit].per_h && !(h > 0))
        return context_fail(c, STATUS_DATA,
                            "%s: lengths are in %s, but /Header has no HubbleParam to turn them into "
                            "Mpc/h",
                            h5_path(f), units[unit].name);
    *factor = units[unit].mpc * (units[unit].per_h ? 1 : h);
    return STATUS_OK;
}

status snapshot_wrap(context *c, const char *path, double factor, snapshot *s)
{
    const double box = s->box_mpc_h;
    const bool single = s->precision == H5_FLOAT32;
    if (box < 1 || box > 1e5)
        log_warning(c, "%s: the box is %g Mpc/h wide; if that is wrong, name the unit with --length-unit", path, box);
    for (int64_t i = 0; i < s->count * s->dims; i++) {
        double x = s->positions[i] * factor;
        if (!(x >= -box && x <= 2 * box))
            return context_fail(c, STATUS_DATA,
                                "%s: /PartType1/Coordinates: particle %" PRId64
                                ", axis %d is at %g, the box ends at %g "
                                "Mpc/h; the file is damaged or its unit of length another (--length-unit)",
                                path, i / s->dims, (int)(i % s->dims), x, box);
        if (x < 0) x += box;
        if (x >= box) x -= box;
        if (single) x = (double)(float)x;
        if (x >= box || x < 0) x = 0; /* a tiny negative number rounds to the box's side */
        s->positions[i] = x;
    }
    return STATUS_OK;
}
