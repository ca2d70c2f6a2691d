/* `maps`: density maps of snapshots. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/memory.h"
#include "commands/common.h"
#include "io/maps_transform.h"
#include "maps/from_snapshots.h"

typedef struct {
    char **path; /* owned, as are the strings */
    int64_t count, room;
} path_list;

static void paths_delete(path_list *l)
{
    for (int64_t i = 0; i < l->count; i++) memory_delete(&l->path[i]);
    memory_delete(&l->path);
}

static status paths_add(context *c, path_list *l, const char *path)
{
    status s = STATUS_OK;
    if (l->count == l->room) {
        int64_t room = 2 * l->room + 16;
        s = memory_grow(c, "names of snapshots", (size_t)l->room, (size_t)room, sizeof *l->path, &l->path);
        if (s) return s;
        l->room = room;
    }
    s = memory_copy_string(c, path, &l->path[l->count]);
    if (!s) l->count++;
    return s;
}

static int is_snapshot_name(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return e->d_name[0] != '.' && n > 3 && strcmp(e->d_name + n - 3, ".h5") == 0;
}

/* A folder stands for all *.h5 in it, in name order. */
static status paths_add_argument(context *c, path_list *l, const char *argument)
{
    struct stat st;
    struct dirent **entries = NULL;
    char path[FILES_PATH];
    if (stat(argument, &st) || !S_ISDIR(st.st_mode)) return paths_add(c, l, argument); /* reading says what is wrong */
    int n = scandir(argument, &entries, is_snapshot_name, alphasort);
    if (n < 0) return context_fail(c, STATUS_DATA, "%s: cannot read the folder: %s", argument, strerror(errno));
    status s = n ? STATUS_OK : context_fail(c, STATUS_DATA, "%s: there is no *.h5 in this folder", argument);
    for (int i = 0; i < n; i++) {
        if (!s) s = files_path(c, path, "%s/%s", argument, entries[i]->d_name);
        if (!s) s = paths_add(c, l, path);
        free(entries[i]);
    }
    free(entries);
    return s;
}

/* Hours of work must not end at a folder that was never there. */
static status check_output(context *c, const char *out)
{
    char copy[FILES_PATH];
    struct stat st;
    if (strlen(out) >= sizeof copy) return context_fail(c, STATUS_USAGE, "%.60s…: the path is too long", out);
    if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
        return context_fail(c, STATUS_USAGE, "%s: is a folder; -o names the maps file to write", out);
    snprintf(copy, sizeof copy, "%s", out);
    if (access(dirname(copy), W_OK))
        return context_fail(c, STATUS_FAILURE,
                            "%s: cannot write there: %s; make the folder or choose another place "
                            "with -o",
                            out, strerror(errno));
    return STATUS_OK;
}

static status print_json(context *c, const char *out, const maps *m, const transform_range *r)
{
    json_t *root = json_pack("{s:s, s:I, s:i, s:i, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "file", out, "maps",
                             (json_int_t)m->count, "ny", m->ny, "nx", m->nx, "box_mpc_h", m->box_mpc_h, "mean",
                             r->sum / (double)r->pixels, "minimum", r->lowest, "maximum", r->highest, "pixels",
                             (json_int_t)r->pixels, "below", (json_int_t)r->below, "above", (json_int_t)r->above);
    if (!root) return context_fail(c, STATUS_MEMORY, "no memory for the result as JSON");
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

static void print_text(const char *out, const maps *m, const transform_range *r)
{
    char text[160];
    maps_transform_text(m, text, sizeof text);
    printf("%s\n", out);
    printf("  maps          %" PRId64 " of %d × %d pixels, %.6g Mpc/h wide", m->count, m->ny, m->nx, m->box_mpc_h);
    if (isfinite(m->redshift)) printf(", redshift %.4g", m->redshift);
    printf("\n  densities     mean %.9g, smallest %.6g, largest %.6g particles per pixel\n", r->sum / (double)r->pixels,
           r->lowest, r->highest);
    printf("  transform     %s\n", text);
    printf("  out of range  %" PRId64 " pixels below, %" PRId64 " above, of %" PRId64 "\n", r->below, r->above,
           r->pixels);
}

static status report(context *c, const command_line *line, const char *out, const maps *m)
{
    transform_shape t;
    transform_range r = {0};
    status s = maps_transform_of(c, m, &t);
    if (s) return s;
    transform_range_add(&r, &t, m->values, m->count * m->ny * m->nx);
    if (r.below + r.above > 0)
        log_warning(c,
                    "%" PRId64 " of %" PRId64 " pixels lie outside the transform's [-1, 1] (%" PRId64 " below, %" PRId64
                    " above); none is clipped, maps.minimum and maps.maximum set the bounds",
                    r.below + r.above, r.pixels, r.below, r.above);
    if (line->json) return print_json(c, out, m, &r);
    print_text(out, m, &r);
    return STATUS_OK;
}

status command_maps(context *c, const command_line *line)
{
    path_list paths = {0};
    provenance made = {0};
    maps m = {0}, choice = {.dims = 2};
    const char *out = NULL;
    status s = common_output(c, line, NULL, &out);
    if (!s) s = check_output(c, out);
    if (!s) s = maps_transform_choose(c, line->cfg, &choice);
    for (int i = 0; !s && i < line->count; i++) s = paths_add_argument(c, &paths, line->argument[i]);
    if (!s) s = common_provenance(c, line, NULL, &made);
    const maps_options o = {.pixels = (int)config_integer(line->cfg, "maps.pixels"),
                            .ensemble = {.members = (int)config_integer(line->cfg, "maps.members"),
                                         .seed = (uint64_t)config_integer(line->cfg, "run.seed")},
                            .length_unit = command_flag(line, "length-unit")};
    if (!s) s = maps_from_snapshots(c, (const char *const *)paths.path, paths.count, &o, &made, &m);
    if (!s) s = maps_transform_choose(c, line->cfg, &m);
    if (!s) s = maps_write(c, out, &m, &made);
    if (!s) s = report(c, line, out, &m);
    maps_delete(&m);
    provenance_delete(&made);
    paths_delete(&paths);
    return s;
}
