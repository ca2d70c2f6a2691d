/* The group /provenance of every output. */
#include "io/provenance.h"

#include <stdio.h>
#include <string.h>
#include <cosmocl/version.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"

#define GROUP "/provenance"

void provenance_delete(provenance *p)
{
    if (!p) return;
    memory_delete(&p->configuration);
    memset(p, 0, sizeof *p);
}

status provenance_input(context *c, provenance *p, const char *path)
{
    if (p->inputs < PROVENANCE_INPUTS) {
        status s = hash_file(c, path, p->input_hash[p->inputs]);
        if (s) return s;
        snprintf(p->input_path[p->inputs], sizeof p->input_path[0], "%s", path);
    }
    p->inputs++;
    return STATUS_OK;
}

/* The input lines "HASH  PATH", as xxh128sum prints them. */
static status write_inputs(context *c, const provenance *p, h5_file *f)
{
    char text[PROVENANCE_INPUTS * (sizeof p->input_path[0] + sizeof p->input_hash[0] + 3)];
    int recorded = p->inputs < PROVENANCE_INPUTS ? p->inputs : PROVENANCE_INPUTS;
    size_t n = 0;
    text[0] = 0;
    for (int i = 0; i < recorded; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s  %s", i ? "\n" : "", p->input_hash[i], p->input_path[i]);
    status s = h5_attribute_integer(c, f, GROUP, "inputs", p->inputs);
    if (!s) s = h5_attribute_text(c, f, GROUP, "input_hashes", text);
    return s;
}

status provenance_write(context *c, const provenance *p, h5_file *f)
{
    char date[32];
    clock_utc(date, sizeof date);
    const struct {
        const char *name, *value;
    } texts[] = {
        {"program", "cosmocl"},
        {"version", COSMOCL_VERSION},
        {"commit", COSMOCL_COMMIT},
        {"command_line", p->command_line},
        {"configuration", p->configuration ? p->configuration : ""},
        {"date", date},
        {"device", p->device[0] ? p->device : "none"},
        {"selftest", p->selftest[0] ? p->selftest : "none"},
    };
    status s = h5_group(c, f, GROUP);
    for (size_t i = 0; !s && i < sizeof texts / sizeof *texts; i++)
        s = h5_attribute_text(c, f, GROUP, texts[i].name, texts[i].value);
    if (!s) s = h5_attribute_integer(c, f, GROUP, "seed", p->seed);
    if (!s) s = write_inputs(c, p, f);
    return s;
}

status provenance_read_configuration(context *c, h5_file *f, char **text)
{
    *text = NULL;
    if (!h5_exists(f, GROUP))
        return context_fail(c, STATUS_DATA, "%s: has no %s: it was not written by cosmocl", h5_path(f), GROUP);
    return h5_read_text(c, f, GROUP, "configuration", text);
}
