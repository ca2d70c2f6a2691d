/* cosmocl devices: what OpenCL devices there are, what they can do, and which one would be taken. */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/common.h"
#include "ops/conv_tuning.h"

static const double GIB = 1024.0 * 1024.0 * 1024.0;
enum { TUNED = FILES_PATH + 1024 };

static const char *type_of(const device_record *r)
{
    return r->is_gpu ? "GPU" : r->is_cpu ? "CPU" : "accelerator";
}

/* Which record the kernel shapes come from; of a damaged one of the user's, what is wrong with it. */
static status tuning_text(context *c, const device_record *r, char text[TUNED])
{
    tuning *t = NULL;
    const status s = tuning_new(c, r, &conv_tuning_rules, &t);
    snprintf(text, TUNED, s == STATUS_DATA ? "damaged: %s" : "%s", t ? t->matched : context_message(c));
    tuning_delete(&t);
    return s == STATUS_DATA ? STATUS_OK : s;
}

static json_t *record_json(const device_record *r, bool chosen, const char *tuned)
{
    char place[32];
    snprintf(place, sizeof place, "%d:%d", r->platform, r->index);
    return json_pack("{s:s, s:i, s:i, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:i, s:I, s:I, s:I, "
                     "s:I, s:I, s:i, s:s, s:b, s:b, "
                     "s:b, s:b, s:b, s:s}",
                     "device", place, "platform", r->platform, "index", r->index, "chosen", chosen, "type", type_of(r),
                     "name", r->name, "vendor", r->vendor, "version", r->version, "driver", r->driver, "platform_name",
                     r->platform_name, "platform_version", r->platform_version, "fma", r->has_fma, "double",
                     r->has_double, "denormals", r->has_denormals, "unified_memory", r->unified_memory, "compute_units",
                     r->compute_units, "max_work_group", (json_int_t)r->max_work_group, "local_bytes",
                     (json_int_t)r->local_bytes, "global_bytes", (json_int_t)r->global_bytes, "largest_block_bytes",
                     (json_int_t)r->largest_block_bytes, "base_align_bytes", (json_int_t)r->base_align_bytes,
                     "native_vector", r->native_vector, "quirks", r->quirk, "avoid_clfft", r->avoid_clfft,
                     "avoid_vkfft", r->avoid_vkfft, "avoid_clblast", r->avoid_clblast, "avoid_device", r->avoid_device,
                     "avoid_binaries", r->avoid_binaries, "tuning", tuned);
}

static status print_json(context *c, const device_record *list, int count, int chosen)
{
    json_t *rows = json_array();
    char tuned[TUNED];
    status s = STATUS_OK;
    for (int i = 0; i < count && !s; i++) {
        s = tuning_text(c, &list[i], tuned);
        if (!s) json_array_append_new(rows, record_json(&list[i], i == chosen, tuned));
    }
    json_t *all = json_pack("{s:i, s:o}", "schema", 1, "devices", rows);
    if (!s) return common_print_json(c, all, JSON_INDENT(2));
    json_decref(all);
    return s;
}

/* Width of a column: its heading or its longest text. */
static int widest(const device_record *list, int count, size_t offset, int least)
{
    for (int i = 0; i < count; i++) {
        const int n = (int)strlen((const char *)&list[i] + offset);
        least = n > least ? n : least;
    }
    return least;
}

static status print_table(context *c, const device_record *list, int count, int chosen, bool verbose)
{
    char tuned[TUNED];
    status s = STATUS_OK;
    const int name = widest(list, count, offsetof(device_record, name), 4),
              driver = widest(list, count, offsetof(device_record, driver), 6);
    printf("  %-5s  %-*s  %-11s  %8s  %8s  %5s  %-3s  %-6s  %-*s  %s\n", "P:I", name, "name", "type", "memory", "block",
           "units", "fma", "double", driver, "driver", "quirks");
    for (int i = 0; i < count && !s; i++) {
        const device_record *r = &list[i];
        char place[32];
        snprintf(place, sizeof place, "%d:%d", r->platform, r->index);
        printf("%c %-5s  %-*s  %-11s  %4.1f GiB  %4.1f GiB  %5d  %-3s  %-6s  %-*s  %s\n", i == chosen ? '*' : ' ',
               place, name, r->name, type_of(r), (double)r->global_bytes / GIB, (double)r->largest_block_bytes / GIB,
               r->compute_units, r->has_fma ? "yes" : "no", r->has_double ? "yes" : "no", driver, r->driver,
               r->quirk[0] ? r->quirk : "-");
        if (!verbose) continue;
        s = tuning_text(c, r, tuned);
        if (!s) printf("        tuning: %s\n", tuned);
    }
    return s;
}

/* STATUS_DEVICE, with what to install, when there is none, and when --device fits none or several. */
status command_devices(context *c, const command_line *line)
{
    device_record *list = NULL;
    int count = 0, chosen = -1;
    status s = device_list(c, &list, &count);
    if (s) return s;
    const status choice = device_choose(c, list, count, line->device, &chosen);
    if (choice) chosen = -1;
    if (line->json)
        s = print_json(c, list, count, chosen);
    else if (count)
        s = print_table(c, list, count, chosen, line->verbose);
    if (!s && !choice && !line->json)
        printf("* is taken %s\n", line->device ? "with this --device"
                                               : "by default; another with --device P:I, a type or a part of the name");
    memory_delete(&list);
    return s ? s : choice;
}
