/* cosmocl memory: the device memory of every stage, counted by making its networks on a device that only counts. A step
 * of each is gone through as well, without any work: with --verbose it names all the kernels that training uses. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "commands/common.h"
#include "commands/plan.h"
#include "device/workspace.h"

enum { STAGES = 4 };
static const double MIB = 1048576;

typedef struct {
    const char *stage;
    size_t bytes, largest; /* all, and the largest block; 0: does not use the device */
    device_buffer_row *parts;
    int count;
} stage_row;

typedef struct {
    const device *d;
    stage_row rows[STAGES];
    int count;
    bool maps_on_host;
} table;

/* A stage with what the device holds now, besides `more` bytes of training maps. */
static status add_stage(context *c, table *t, const char *stage, size_t more)
{
    stage_row *r = &t->rows[t->count++];
    *r = (stage_row){.stage = stage, .bytes = device_bytes_used(t->d) + more, .largest = more};
    const status s = device_buffers(c, t->d, &r->parts, &r->count);
    const size_t block = device_largest_buffer(t->d);
    if (block > r->largest) r->largest = block;
    return s;
}

static status count_gan(context *c, device *d, const plan_sizes *z, table *t)
{
    gan *g = NULL;
    status s = gan_new(c, d, &z->gan, &z->network, &g);
    if (!s) s = network_pack(c, g->generator);
    if (!s) s = network_pack(c, g->discriminator);
    if (!s) s = gan_draw_latents(c, g, 0);
    if (!s) s = gan_step(c, g);
    if (!s) s = add_stage(c, t, "train gan", plan_training_bytes(z, d));
    gan_delete(&g);
    workspace_delete(d);
    return s;
}

static status count_encoder(context *c, device *d, const plan_sizes *z, const encoder_options *o, const char *stage,
                            table *t)
{
    autoencoder *a = NULL;
    status s = autoencoder_new(c, d, o, &z->network, &a);
    network *networks[] = {s ? NULL : a->generator, s ? NULL : a->discriminator, s ? NULL : a->encoder};
    for (int i = 0; i < 3 && !s; i++)
        if (networks[i]) s = network_pack(c, networks[i]);
    if (!s) s = autoencoder_step(c, a);
    if (!s) s = add_stage(c, t, stage, o->loss == ENCODER_Z ? 0 : plan_training_bytes(z, d));
    autoencoder_delete(&a);
    workspace_delete(d);
    return s;
}

static status count_all(context *c, device *d, const config *cfg, table *t)
{
    plan_sizes z;
    status s = plan_sizes_read(c, cfg, &z);
    if (s) return s;
    t->maps_on_host = plan_maps_on_host(&z, d);
    t->rows[t->count++] = (stage_row){.stage = "simulate", .bytes = simulation_bytes(d, &z.boxes, z.particles)};
    s = count_gan(c, d, &z, t);
    if (!s) s = count_encoder(c, d, &z, &z.encoder, "train encoder", t);
    if (!s && z.sanity_steps) s = count_encoder(c, d, &z, &z.sanity, "sanity", t);
    return s;
}

static bool fits(const table *t, const stage_row *r)
{
    return r->bytes <= device_budget(t->d) && r->largest <= device_info(t->d)->largest_block_bytes;
}

static void print_text(const table *t)
{
    char name[512];
    device_describe(device_info(t->d), name, sizeof name);
    printf("on %s: %.0f MiB may be used, %.0f MiB in one block\n\n%-48s %12s\n", name,
           (double)device_budget(t->d) / MIB, (double)device_info(t->d)->largest_block_bytes / MIB, "stage",
           "device MiB");
    for (int i = 0; i < t->count; i++) {
        const stage_row *r = &t->rows[i];
        size_t rest = r->bytes;
        printf("%-48s %12.1f%s\n", r->stage, (double)r->bytes / MIB, fits(t, r) ? "" : "   does NOT fit");
        for (int k = 0; k < r->count; k++) {
            printf("    %-44s %12.1f\n", r->parts[k].what, (double)r->parts[k].bytes / MIB);
            rest -= r->parts[k].bytes;
        }
        if (r->count && rest)
            printf("    %-44s %12.1f\n",
                   t->maps_on_host ? "order of the maps, which stay on the host" : "training maps and their order",
                   (double)rest / MIB);
    }
}

static status print_json(context *c, const table *t)
{
    json_t *stages = json_array();
    for (int i = 0; i < t->count; i++) {
        const stage_row *r = &t->rows[i];
        json_t *parts = json_object();
        for (int k = 0; k < r->count; k++)
            json_object_set_new(parts, r->parts[k].what, json_integer((json_int_t)r->parts[k].bytes));
        json_array_append_new(stages, json_pack("{s:s, s:I, s:b, s:o}", "stage", r->stage, "device_bytes",
                                                (json_int_t)r->bytes, "fits", fits(t, r), "parts", parts));
    }
    json_t *all = json_pack("{s:i, s:s, s:I, s:I, s:b, s:o}", "schema", 1, "device", device_info(t->d)->name,
                            "budget_bytes", (json_int_t)device_budget(t->d), "largest_block_bytes",
                            (json_int_t)device_info(t->d)->largest_block_bytes, "maps_on_host", t->maps_on_host,
                            "stages", stages);
    return common_print_json(c, all, JSON_INDENT(1));
}

status command_memory(context *c, const command_line *line)
{
    device *d = NULL;
    table t = {0};
    const device_options o = {.spec = line->device,
                              .budget_bytes = (size_t)config_integer(line->cfg, "run.budget_mib") << 20,
                              .sizes_only = true};
    status s = device_open(c, &o, &d);
    t.d = d;
    if (!s) s = count_all(c, d, line->cfg, &t);
    if (!s && line->json) s = print_json(c, &t);
    if (!s && !line->json) print_text(&t);
    for (int i = 0; i < t.count; i++) {
        const stage_row *r = &t.rows[i];
        if (!s && !line->json && !fits(&t, r))
            log_warning(c,
                        "%s needs %.0f MiB and %.0f MiB in one block, more than the device may use; lower gan.batch, "
                        "encoder.batch, dataset.crop or simulate.mesh, or raise run.budget_mib",
                        r->stage, (double)r->bytes / MIB, (double)r->largest / MIB);
        memory_delete(&t.rows[i].parts);
    }
    device_delete(&d);
    return s;
}
