#include "commands/plan.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "commands/ready.h"
#include "device/workspace.h"
#include "maps/dtfe.h"
#include "maps/from_snapshots.h"
#include "nets/autoencoder.h"
#include "nets/gan.h"
#include "ops/random.h"
#include "sim/simulation.h"

enum { SHORT = 3, LONG = 8, SCORED = 200, DRAWING_S = 40 };

typedef struct {
    context *c;
    const config *cfg;
    device *d;
    plan_sizes z;
    double *positions; /* of a box after a few steps: what a map's time depends on is their number */
    double box_s, map_s, step_s, encoder_s, sanity_s;
    size_t box_bytes, gan_bytes, encoder_bytes, sanity_bytes;
} plan;

static status keep(context *c, void *user, int index, snapshot *s)
{
    plan *p = user;
    (void)c, (void)index;
    memory_delete(&p->positions);
    p->positions = s->positions;
    s->positions = NULL;
    return STATUS_OK;
}

static status time_box(plan *p, int steps, double *seconds)
{
    simulation *box = NULL;
    simulation_options o = p->z.boxes;
    o.steps = steps;
    status s = simulation_new(p->c, p->d, &o, 0, &box);
    for (int i = 0; i < 2 && !s; i++) { /* the first builds kernels */
        double start = clock_seconds();
        s = simulation_run_box(p->c, box, 0, NULL, keep, p);
        *seconds = clock_seconds() - start;
    }
    simulation_delete(&box);
    return s;
}

static status time_boxes(plan *p)
{
    double few = 0, more = 0;
    float *map = NULL;
    status s = time_box(p, SHORT, &few);
    if (!s) s = time_box(p, LONG, &more);
    p->box_s = few + (p->z.boxes.steps - SHORT) * fmax(more - few, 0) / (LONG - SHORT);
    if (!s) s = memory_new(p->c, "map", (size_t)p->z.pixels * p->z.pixels, sizeof *map, &map);
    double start = clock_seconds();
    if (!s) s = dtfe_map(p->c, p->positions, NULL, p->z.particles, p->z.boxes.box_mpc_h, p->z.pixels, map);
    p->map_s = (clock_seconds() - start) / (double)sysconf(_SC_NPROCESSORS_ONLN) *
               (double)config_integer(p->cfg, "maps.members");
    memory_delete(&map);
    return s;
}

/* Networks with first weights will do: the time of a step does not depend on them. */
static status time_encoder(plan *p, const encoder_options *o, double *step_s, size_t *bytes)
{
    autoencoder *a = NULL;
    const initialisation how = (initialisation)config_choice(p->cfg, "network.init");
    const int pixels = p->z.crop * p->z.crop;
    status s = autoencoder_new(p->c, p->d, o, &p->z.network, &a);
    if (!s) s = autoencoder_initialise(p->c, a, how);
    if (!s) s = parameters_initialise(p->c, a->generator, o->seed, how);
    if (!s && a->discriminator) s = parameters_initialise(p->c, a->discriminator, o->seed, how);
    if (!s && o->loss != ENCODER_Z)
        s = random_normals(p->c, p->d, 1, 1, 0, 0, o->batch, pixels, pixels, 0.3f, a->images);
    for (int i = 0; i < SHORT && !s; i++) {
        const double start = clock_seconds();
        s = autoencoder_step(p->c, a);
        if (!s) s = device_finish(p->c, p->d);
        const double seconds = clock_seconds() - start;
        if (i && (i == 1 || seconds < *step_s)) *step_s = seconds;
    }
    *bytes = device_bytes_used(p->d) + plan_training_bytes(&p->z, p->d);
    autoencoder_delete(&a);
    workspace_delete(p->d);
    return s;
}

/* First of all that is measured: the device holds nothing else then. */
static status time_training(plan *p)
{
    gan *g = NULL;
    int pixels = p->z.crop * p->z.crop;
    status s = gan_new(p->c, p->d, &p->z.gan, &p->z.network, &g);
    if (!s) s = gan_initialise(p->c, g, (initialisation)config_choice(p->cfg, "network.init"));
    if (!s) s = random_normals(p->c, p->d, 1, 1, 0, 0, p->z.gan.batch, pixels, pixels, 0.3f, g->images);
    for (int i = 0; i < SHORT && !s; i++) {
        double start = clock_seconds();
        s = gan_draw_latents(p->c, g, 0);
        if (!s) s = gan_step(p->c, g);
        if (!s) s = device_finish(p->c, p->d);
        double seconds = clock_seconds() - start;
        if (i && (i == 1 || seconds < p->step_s)) p->step_s = seconds;
    }
    p->gan_bytes =
        device_bytes_used(p->d) + plan_training_bytes(&p->z, p->d); /* the peak may be of a self-test before */
    gan_delete(&g);
    workspace_delete(p->d);
    if (!s) s = time_encoder(p, &p->z.encoder, &p->encoder_s, &p->encoder_bytes);
    if (!s && p->z.sanity_steps) s = time_encoder(p, &p->z.sanity, &p->sanity_s, &p->sanity_bytes);
    return s;
}

typedef struct {
    const char *stage;
    char what[160];
    double seconds;
    size_t bytes; /* on the device */
} plan_row;

enum { PLAN_ROWS = 12 };

static plan_row *add_row(plan_row *rows, int *n, const char *stage, double seconds, size_t bytes)
{
    rows[*n] = (plan_row){.stage = stage, .seconds = seconds, .bytes = bytes};
    return &rows[(*n)++];
}

/* Training of an encoder and the pairs made with it. */
static void encoder_rows(const plan *p, double image_s, plan_row *rows, int *n)
{
    const int64_t truth = (p->z.crop < p->z.pixels ? 4 : 1) * p->z.test,
                  generated = config_integer(p->cfg, "generate.count");
    plan_row *r = add_row(rows, n, "train encoder", (double)p->z.encoder_steps * p->encoder_s, p->encoder_bytes);
    snprintf(r->what, sizeof r->what, "%lld steps of %d images, %.1f GFLOP each", (long long)p->z.encoder_steps,
             p->z.encoder.batch, autoencoder_step_flops(&p->z.encoder, &p->z.network) * 1e-9);
    r = add_row(rows, n, "infer", (double)truth * 2 * image_s, 0);
    snprintf(r->what, sizeof r->what, "%lld pairs", (long long)truth);
    if (!p->z.sanity_steps) return;
    r = add_row(rows, n, "sanity", (double)p->z.sanity_steps * p->sanity_s + (double)(truth + generated) * 2 * image_s,
                p->sanity_bytes);
    snprintf(r->what, sizeof r->what, "%lld steps of %d images, %lld pairs", (long long)p->z.sanity_steps,
             p->z.sanity.batch, (long long)(truth + generated));
}

static int rows_of(const plan *p, plan_row *rows)
{
    const double image_s =
        p->step_s * network_flops(NETWORK_GENERATOR, &p->z.network) / gan_step_flops(&p->z.gan, &p->z.network);
    const int64_t generated = config_integer(p->cfg, "generate.count"),
                  images = p->z.boxes.boxes * p->z.boxes.redshifts;
    int n = 0;
    plan_row *r = add_row(rows, &n, "simulate", (double)p->z.boxes.boxes * p->box_s, p->box_bytes);
    snprintf(r->what, sizeof r->what, "%lld boxes of %lld particles, mesh %d, %d steps", (long long)p->z.boxes.boxes,
             (long long)p->z.particles, p->z.boxes.mesh, p->z.boxes.steps);
    r = add_row(rows, &n, "maps", (double)images * p->map_s, 0);
    snprintf(r->what, sizeof r->what, "%lld maps of %d x %d pixels", (long long)images, p->z.pixels, p->z.pixels);
    r = add_row(rows, &n, "train gan", (double)p->z.steps * p->step_s, p->gan_bytes);
    snprintf(r->what, sizeof r->what, "%lld steps of %d images of %d x %d, %.1f GFLOP each", (long long)p->z.steps,
             p->z.gan.batch, p->z.crop, p->z.crop, gan_step_flops(&p->z.gan, &p->z.network) * 1e-9);
    r = add_row(rows, &n, "select", (double)(p->z.epochs * SCORED) * image_s * 3, 0);
    snprintf(r->what, sizeof r->what, "%lld saved epochs, %d images each", (long long)p->z.epochs, SCORED);
    r = add_row(rows, &n, "generate", (double)generated * image_s, 0);
    snprintf(r->what, sizeof r->what, "%lld maps", (long long)generated);
    r = add_row(rows, &n, "baselines", (double)generated * image_s, 0);
    snprintf(r->what, sizeof r->what, "2 sets of %lld maps", (long long)generated);
    encoder_rows(p, image_s, rows, &n);
    add_row(rows, &n, "stats, report", DRAWING_S, 0);
    return n;
}

static status print(plan *p, bool json)
{
    plan_row rows[PLAN_ROWS];
    int n = rows_of(p, rows);
    double seconds = 0;
    size_t bytes = 0;
    char text[64], name[512];
    json_t *list = json_array();
    device_describe(device_info(p->d), name, sizeof name);
    if (!json) printf("on %s\n\n%-14s %-62s %14s %12s\n", name, "stage", "", "time", "device MiB");
    for (int i = 0; i < n; i++) {
        seconds += rows[i].seconds;
        if (rows[i].bytes > bytes) bytes = rows[i].bytes;
        clock_format(rows[i].seconds, text, sizeof text);
        if (!json)
            printf("%-14s %-62s %14s %12.0f\n", rows[i].stage, rows[i].what, text, (double)rows[i].bytes / 1048576);
        json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:I}", "stage", rows[i].stage, "what", rows[i].what,
                                              "seconds", rows[i].seconds, "device_bytes", (json_int_t)rows[i].bytes));
    }
    clock_format(seconds, text, sizeof text);
    bool fits = bytes <= device_budget(p->d);
    if (!json)
        printf("%-14s %-62s %14s %12.0f\n\n%s of the device's budget of %.0f MiB; a step takes %.3f s (the encoder's "
               "%.3f s), a "
               "box %.2f s, a map %.2f s of all cores\n",
               "all", "", text, (double)bytes / 1048576, fits ? "fits the memory" : "needs MORE than the memory",
               (double)device_budget(p->d) / 1048576, p->step_s, p->encoder_s, p->box_s, p->map_s);
    else
        json_dumpf(list, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    if (json) putchar('\n');
    json_decref(list);
    return STATUS_OK;
}

status plan_print(context *c, const command_line *line)
{
    plan p = {.c = c, .cfg = line->cfg};
    provenance origin = {0};
    status s = ready_device(c, line, &origin, &p.d);
    if (!s) s = plan_sizes_read(c, line->cfg, &p.z);
    if (!s) p.box_bytes = simulation_bytes(p.d, &p.z.boxes, p.z.particles);
    if (!s) log_info(c, "measuring a few steps of each stage");
    if (!s) s = time_training(&p);
    if (!s) s = time_boxes(&p);
    if (!s) s = print(&p, line->json);
    memory_delete(&p.positions);
    device_delete(&p.d);
    provenance_delete(&origin);
    return s;
}
