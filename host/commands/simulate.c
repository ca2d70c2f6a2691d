/* `simulate`: N-body boxes from initial conditions, or given particles (--initial), to snapshots. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "commands/ready.h"
#include "sim/simulation.h"

typedef struct {
    context *c;
    const command_line *line;
    const char *out;
    bool folder;  /* -o is a folder of many snapshots */
    int decimals; /* of the redshifts in file names */
    simulation_options o;
    provenance made;
    device *d;
    simulation *sim;
    int64_t box;     /* the present one */
    json_t *written; /* paths */
    int64_t snapshots, skipped;
} job;

static status check_flags(context *c, const command_line *line)
{
    if (!command_flag_given(line, "initial") && command_flag_given(line, "a-end"))
        return context_fail(c, STATUS_USAGE,
                            "--a-end goes with --initial; the end of a box is the last of simulate.redshifts");
    return STATUS_OK;
}

/* One snapshot may go to a file; several need a folder, which is made. */
static status check_output(job *j)
{
    context *c = j->c;
    struct stat st;
    size_t n = strlen(j->out);
    int64_t outputs = j->o.boxes * j->o.redshifts;
    bool named_file = n > 3 && strcasecmp(j->out + n - 3, ".h5") == 0;
    bool is_folder = stat(j->out, &st) == 0 && S_ISDIR(st.st_mode);
    if (named_file && !is_folder && outputs > 1)
        return context_fail(c, STATUS_USAGE,
                            "-o %s: %" PRId64
                            " snapshots need a folder, and this name is that of one file; leave out .h5",
                            j->out, outputs);
    j->folder = !named_file || is_folder;
    for (j->decimals = 2; j->decimals < 6; j->decimals++) {
        bool distinct = true;
        for (int i = 1; i < j->o.redshifts; i++) {
            char a[32], b[32];
            snprintf(a, sizeof a, "%.*f", j->decimals, j->o.redshift[i - 1]);
            snprintf(b, sizeof b, "%.*f", j->decimals, j->o.redshift[i]);
            distinct = distinct && strcmp(a, b) != 0;
        }
        if (distinct) break;
    }
    return j->folder ? files_make_folder(c, j->out) : STATUS_OK;
}

static status path_of(job *j, int64_t box, int index, char *path)
{
    if (!j->folder) return files_path(j->c, path, "%s", j->out);
    return files_path(j->c, path, "%s/box_%04" PRId64 "_z%.*f.h5", j->out, box, j->decimals,
                      fabs(j->o.redshift[index]));
}

static status write_snapshot(context *c, void *user, int index, snapshot *s)
{
    job *j = user;
    char path[FILES_PATH];
    status result = path_of(j, j->box, index, path);
    if (!result) result = snapshot_write(c, path, s, &j->made);
    if (!result && json_array_append_new(j->written, json_string(path)))
        result = context_fail(c, STATUS_MEMORY, "no memory for the list of snapshots");
    if (!result) j->snapshots++;
    return result;
}

/* ---- resuming ---------------------------------------------------------------------------------------------------- */

/* Whether path is a whole snapshot of this configuration, but for the number of boxes and the redshifts. A file of
 * another one is STATUS_USAGE: it must not be mixed in. */
static status is_done(job *j, const char *path, bool *done)
{
    static const char *const free[] = {"simulate.boxes", "simulate.redshifts", NULL};
    *done = false;
    if (!files_exists(path)) return STATUS_OK;
    status s = ready_same_configuration(j->c, path, j->line->cfg, "cosmology, simulate", free);
    *done = !s;
    if (s != STATUS_DATA) return s;
    log_warning(j->c, "%s; made again", context_message(j->c));
    return STATUS_OK;
}

/* First box that is not complete: a stopped run goes on there. */
static status first_missing(job *j, int64_t *box)
{
    *box = 0;
    if (!j->line->resume) return STATUS_OK;
    for (; *box < j->o.boxes; ++*box)
        for (int i = 0; i < j->o.redshifts; i++) {
            char path[FILES_PATH];
            bool done;
            status s = path_of(j, *box, i, path);
            if (!s) s = is_done(j, path, &done);
            if (s || !done) return s;
        }
    return STATUS_OK;
}

/* ---- running -------------------------------------------------------------------------------------------------------
 */

static status stopped(job *j, status s)
{
    char hint[3300];
    if (s != STATUS_STOPPED) return s;
    ready_resume_hint(j->line, &j->made, hint, sizeof hint);
    return context_fail(j->c, s, "stopped after %" PRId64 " of %" PRId64 " boxes; go on with: %s", j->box, j->o.boxes,
                        hint);
}

static status run_boxes(job *j)
{
    progress p;
    int64_t first;
    status s = simulation_options_read(j->c, j->line->cfg, &j->o);
    if (!s) s = check_output(j);
    if (!s) s = common_provenance(j->c, j->line, NULL, &j->made);
    if (!s) s = first_missing(j, &first);
    if (s) return s;
    j->skipped = first;
    if (first) log_info(j->c, "%" PRId64 " of %" PRId64 " boxes are there already", first, j->o.boxes);
    if (first == j->o.boxes) return STATUS_OK;
    provenance_delete(&j->made);
    s = ready_device(j->c, j->line, &j->made, &j->d);
    if (!s && j->o.spectrum.table && *j->o.spectrum.table) s = provenance_input(j->c, &j->made, j->o.spectrum.table);
    if (!s) s = simulation_new(j->c, j->d, &j->o, 0, &j->sim);
    if (s) return s;
    log_info(j->c,
             "%" PRId64 " boxes of %d particles per side on a mesh of %d, %.6g Mpc/h wide, in %d steps from a = %g",
             j->o.boxes, j->o.particles, j->o.mesh, j->o.box_mpc_h, j->o.steps, j->o.a_start);
    progress_begin(&p, j->c, "simulate", "steps", first * j->o.steps, j->o.boxes * j->o.steps);
    for (j->box = first; j->box < j->o.boxes && !s; j->box += !s)
        s = simulation_run_box(j->c, j->sim, (uint32_t)j->box, &p, write_snapshot, j);
    progress_end(&p);
    return stopped(j, s);
}

static status run_initial(job *j, const char *path)
{
    progress p;
    snapshot start = {0};
    double a_end = 1;
    status s = command_flag_real(j->c, j->line, "a-end", 1e-6, 1e6, &a_end);
    if (!s) s = snapshot_read_as(j->c, path, command_flag(j->line, "length-unit"), &start);
    bool read = !s;
    if (!s) s = simulation_options_initial(j->c, j->line->cfg, &start, a_end, &j->o);
    if (!s) s = check_output(j);
    if (!s) s = ready_device(j->c, j->line, &j->made, &j->d);
    if (!s) s = provenance_input(j->c, &j->made, path);
    if (!s) s = simulation_new(j->c, j->d, &j->o, start.count, &j->sim);
    if (s) goto out;
    if (j->o.cosmology_assumed)
        log_warning(j->c,
                    "%s: no cosmology in its header; taking omega_m = %g, omega_lambda = %g from the configuration",
                    path, j->o.cosmology.omega_m, j->o.cosmology.omega_lambda);
    if (!start.velocities) log_warning(j->c, "%s: no velocities; starting from rest", path);
    log_info(j->c, "%" PRId64 " particles in %dD, %.6g Mpc/h, from a = %g to %g on a mesh of %d in %d steps",
             start.count, start.dims, j->o.box_mpc_h, j->o.a_start, a_end, j->o.mesh, j->o.steps);
    j->box = start.box_index < 0 ? 0 : start.box_index;
    progress_begin(&p, j->c, "simulate", "steps", 0, j->o.steps);
    s = simulation_run_snapshot(j->c, j->sim, &start, &p, write_snapshot, j);
    progress_end(&p);
    if (s == STATUS_STOPPED)
        s = context_fail(j->c, s, "stopped before the end; nothing was written: start again with the same command");
out:
    /* What is wrong with the particles themselves does not know their file yet. */
    if (read && s == STATUS_DATA) context_prefix(j->c, s, "%s", path);
    snapshot_delete(&start);
    return s;
}

static status report(job *j, double seconds)
{
    if (!j->line->json) {
        int64_t all = j->snapshots + j->skipped * j->o.redshifts;
        printf("%s: %" PRId64 " snapshot%s\n", j->out, all, all == 1 ? "" : "s");
        return STATUS_OK;
    }
    json_t *root = json_pack("{s:s, s:O, s:I, s:I, s:f, s:s}", "output", j->out, "snapshots", j->written, "boxes",
                             (json_int_t)j->o.boxes, "skipped", (json_int_t)j->skipped, "seconds", seconds, "fft",
                             j->sim ? simulation_fft_backend(j->sim) : "none");
    if (!root) return context_fail(j->c, STATUS_MEMORY, "no memory for the result as JSON");
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
    return STATUS_OK;
}

status command_simulate(context *c, const command_line *line)
{
    job j = {.c = c, .line = line, .written = json_array()};
    double start = clock_seconds();
    const char *given = command_flag(line, "initial");
    status s = j.written ? STATUS_OK : context_fail(c, STATUS_MEMORY, "no memory for the list of snapshots");
    if (!s) s = common_output(c, line, NULL, &j.out);
    if (!s) s = check_flags(c, line);
    if (!s) s = given ? run_initial(&j, given) : run_boxes(&j);
    if (!s) s = report(&j, clock_seconds() - start);
    if (!s && j.d) s = common_log_profile(c, line, j.d);
    simulation_delete(&j.sim);
    device_delete(&j.d);
    provenance_delete(&j.made);
    json_decref(j.written);
    return s;
}
