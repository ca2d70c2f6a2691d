/* `maps import`: a maps file of anybody's images. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands/common.h"
#include "io/maps_transform.h"
#include "maps/import.h"

static status read_channel(context *c, const command_line *line, int *channel)
{
    const char *text = command_flag(line, "channel");
    int64_t number = 0;
    *channel = IMPORT_CHANNEL_NONE;
    if (!text) return STATUS_OK;
    *channel = IMPORT_CHANNEL_MEAN;
    if (!strcmp(text, "mean")) return STATUS_OK;
    const status s = command_flag_integer(c, line, "channel", 0, IMAGE_CHANNELS - 1, &number);
    *channel = (int)number;
    return s;
}

static status read_options(context *c, const command_line *line, import_options *o)
{
    static const import_transform kinds[] = {IMPORT_LOG, IMPORT_LOG_OFFSET, IMPORT_LINEAR};
    int kind = 0;
    *o = (import_options){.box_mpc_h = 1, .units = command_flag(line, "unit"), .minimum = NAN, .maximum = NAN};
    status s = read_channel(c, line, &o->channel);
    if (!s) s = command_flag_real(c, line, "box-mpc-h", 1e-9, 1e9, &o->box_mpc_h);
    if (!s) s = command_flag_real(c, line, "minimum", -1e30, 1e30, &o->minimum);
    if (!s) s = command_flag_real(c, line, "maximum", -1e30, 1e30, &o->maximum);
    if (!s && o->units && strlen(o->units) >= sizeof((maps *)0)->units)
        s = context_fail(c, STATUS_USAGE, "--unit %.40s…: at most 31 bytes", o->units);
    if (s || !command_flag(line, "transform")) return s;
    s = command_flag_choice(c, line, "transform", "log|log-offset|linear", &kind);
    o->transform = kinds[kind];
    return s;
}

static void say_notes(context *c, const command_line *line, const import_options *o, const maps *m,
                      const transform_range *r, const char *why)
{
    char text[160];
    maps_transform_text(m, text, sizeof text);
    log_info(c, "transform: %s, since %s%s", text, why,
             isnan(o->minimum) || isnan(o->maximum) ? " (bounds a little outside the values; --transform, --minimum "
                                                      "and --maximum set others)"
                                                    : "");
    if (!command_flag_given(line, "box-mpc-h"))
        log_info(c, "box side: 1 Mpc/h, as none was given (--box-mpc-h); it matters for the scale of spectra only");
    if (r->below + r->above > 0)
        log_warning(c,
                    "%" PRId64 " of %" PRId64 " pixels lie outside the bounds (%" PRId64 " below, %" PRId64
                    " above); none is clipped",
                    r->below + r->above, r->pixels, r->below, r->above);
}

/* Settings with which the preset quick2d trains on these maps: whole images where the networks can halve their side
 * down to a few pixels, else the largest crop of which they can; a share of few images held out. */
static void propose(const maps *m, char *text, size_t size)
{
    enum { PRESET_SIDE = 64, PRESET_HALVINGS = 4, PRESET_HELD_OUT = 64, NARROW = 4, WIDE = 16 };
    static const int filters[] = {32, 64, 128, 256};
    int crop = PRESET_SIDE, halvings = PRESET_HALVINGS;
    size_t n = 0;
    text[0] = 0;
    if (m->nx < 2 * PRESET_SIDE) {
        const int half = m->nx / 2; /* four crops side by side are what the maps are judged by */
        while (halvings > 1 && half >> halvings < NARROW) halvings--;
        crop = half - half % (1 << halvings);
        for (int h = PRESET_HALVINGS; h > 0 && m->nx >> h <= WIDE; h--)
            if (m->nx % (1 << h) == 0 && m->nx >> h >= NARROW) {
                halvings = h;
                crop = m->nx;
                break;
            }
    }
    if (crop != PRESET_SIDE) n += (size_t)snprintf(text + n, size - n, " --set dataset.crop=%d", crop);
    for (int i = 0; i < halvings && halvings != PRESET_HALVINGS; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%d",
                              i ? "," : " --set network.filters=", filters[PRESET_HALVINGS - halvings + i]);
    if (m->count < 4 * PRESET_HELD_OUT)
        snprintf(text + n, size - n, " --set dataset.validation=0.1 --set dataset.test=0.2");
}

static status print_json(context *c, const char *out, const maps *m, const transform_range *r, const char *why,
                         const char *next)
{
    json_t *root =
        json_pack("{s:s, s:I, s:i, s:f, s:s, s:f, s:f, s:f, s:s, s:s, s:f, s:f, s:f, s:I, s:I, s:I, s:s}", "file", out,
                  "maps", (json_int_t)m->count, "pixels_per_side", m->nx, "box_mpc_h", m->box_mpc_h, "units", m->units,
                  "mean", m->mean, "minimum", r->lowest, "maximum", r->highest, "transform", m->transform, "reason",
                  why, "a", m->a, "b", m->b, "c", m->c, "pixels", (json_int_t)r->pixels, "below", (json_int_t)r->below,
                  "above", (json_int_t)r->above, "next", next);
    if (!root) return context_fail(c, STATUS_MEMORY, "no memory for the result as JSON");
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

static status print(context *c, const command_line *line, const char *out, const maps *m, const transform_range *r,
                    const char *why)
{
    char text[160], settings[160], next[512], word[256];
    propose(m, settings, sizeof settings);
    common_word(word, sizeof word, out);
    snprintf(next, sizeof next, "cosmocl train gan %s --preset quick2d%s -o run", word, settings);
    if (line->json) return print_json(c, out, m, r, why, next);
    maps_transform_text(m, text, sizeof text);
    printf("%s\n", out);
    printf("  maps          %" PRId64 " of %d × %d pixels, %.6g Mpc/h wide\n", m->count, m->ny, m->nx, m->box_mpc_h);
    printf("  values        mean %.6g, smallest %.6g, largest %.6g, unit %s\n", m->mean, r->lowest, r->highest,
           m->units);
    printf("  transform     %s\n", text);
    printf("  to train      %s\n", next);
    return STATUS_OK;
}

status command_maps_import(context *c, const command_line *line)
{
    image_file *f = NULL;
    provenance made = {0};
    import_options o;
    maps m = {0};
    transform_range r = {0};
    const char *out = NULL, *why = "", *from = line->argument[0];
    status s = common_output(c, line, "maps.h5", &out);
    if (!s) s = read_options(c, line, &o);
    if (!s) s = image_file_open(c, from, command_flag(line, "dataset"), &f);
    if (!s) s = common_provenance(c, line, NULL, &made);
    if (!s) s = provenance_input(c, &made, from);
    if (!s) s = import_images(c, f, from, out, &o, &made, &m, &r, &why);
    if (!s) say_notes(c, line, &o, &m, &r, why);
    if (!s) s = print(c, line, out, &m, &r, why);
    image_file_delete(&f);
    provenance_delete(&made);
    return s;
}
