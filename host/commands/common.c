#include "commands/common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

status common_open_device(context *c, const command_line *line, device **out)
{
    int64_t mib = config_integer(line->cfg, "run.budget_mib");
    device_options o = {
        .spec = line->device, .budget_bytes = (size_t)mib << 20, .profile = config_flag(line->cfg, "run.profile")};
    status s = device_open(c, &o, out);
    if (s != STATUS_OK) return s;
    char text[512];
    device_describe(device_info(*out), text, sizeof text);
    log_info(c, "computing on %s", text);
    return STATUS_OK;
}

status common_print_json(context *c, json_t *j, size_t flags)
{
    char *text = j ? json_dumps(j, flags) : NULL;
    const status s = text ? STATUS_OK : context_fail(c, STATUS_MEMORY, "no memory for the JSON text");
    if (text) puts(text);
    free(text);
    json_decref(j);
    return s;
}

status common_log_profile(context *c, const command_line *line, device *d)
{
    if (!config_flag(line->cfg, "run.profile")) return STATUS_OK;
    device_profile_row *rows = NULL;
    int count = 0;
    status s = device_profile(c, d, &rows, &count);
    double all = 0;
    for (int i = 0; s == STATUS_OK && i < count; i++) all += rows[i].seconds;
    for (int i = 0; s == STATUS_OK && i < count; i++)
        log_info(c, "%-44s %8lld launches %10.4f s %5.1f %% %8.1f GFLOP/s %8.1f GB/s", rows[i].kernel,
                 (long long)rows[i].launches, rows[i].seconds, all > 0 ? 100 * rows[i].seconds / all : 0,
                 rows[i].seconds > 0 ? 1e-9 * rows[i].flops / rows[i].seconds : 0,
                 rows[i].seconds > 0 ? 1e-9 * rows[i].bytes / rows[i].seconds : 0);
    memory_delete(&rows);
    return s;
}

/* Quotes a word for the shell where it needs it, so that the recorded line can be pasted. */
static size_t append_word(char *text, size_t size, size_t n, const char *word)
{
    bool plain = word[0] && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,%@") ==
                                strlen(word);
    if (n && n < size - 1) text[n++] = ' ';
    if (!plain && n < size - 1) text[n++] = '\'';
    for (const char *p = word; *p && n < size - 1; p++) {
        if (*p != '\'') {
            text[n++] = *p;
            continue;
        }
        for (const char *q = "'\\''"; *q && n < size - 1; q++) text[n++] = *q;
    }
    if (!plain && n < size - 1) text[n++] = '\'';
    text[n] = 0;
    return n;
}

void common_word(char *text, size_t size, const char *word)
{
    append_word(text, size, 0, word);
}

status common_provenance(context *c, const command_line *line, const config *cfg, provenance *p)
{
    *p = (provenance){0};
    if (!cfg) cfg = line->cfg;
    size_t n = append_word(p->command_line, sizeof p->command_line, 0, "cosmocl");
    for (int i = 1; i < line->argc; i++) n = append_word(p->command_line, sizeof p->command_line, n, line->argv[i]);
    if (n == sizeof p->command_line - 1) { /* cut: hundreds of input files; their hashes are recorded beside */
        size_t end = n - 4;
        while (end > 0 && ((unsigned char)p->command_line[end] & 0xc0) == 0x80) end--;
        strcpy(p->command_line + end, " ...");
    }
    p->seed = config_integer(cfg, "run.seed");
    return config_write(c, cfg, &p->configuration);
}

void common_provenance_device(provenance *p, const device *d, const char *verdict)
{
    device_describe(device_info(d), p->device, sizeof p->device);
    snprintf(p->selftest, sizeof p->selftest, "%s", verdict);
}

status common_output(context *c, const command_line *line, const char *otherwise, const char **out)
{
    *out = line->out ? line->out : otherwise;
    if (*out) return STATUS_OK;
    return context_fail(c, STATUS_USAGE, "%s: needs -o OUT, the file or folder to write", line->row->name);
}
