/* The command line: shared flags, the command's one or two words, its own flags, positional arguments; then the
 * configuration in the order defaults, preset, files, single values. */
#undef NDEBUG /* a flag that is not in the table is a mistake of this program, and is caught in every build */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "commands/command.h"

const shared_flag shared_flags[] = {
    {"preset", NULL, "NAME", "start from an embedded preset instead of the defaults"},
    {"config", NULL, "FILE", "read a configuration file over it"},
    {"set", NULL, "SECTION.KEY=VALUE", "set one key over both; may be repeated"},
    {"seed", NULL, "N", "seed of all random numbers (run.seed)"},
    {"device", NULL, "SPEC", "OpenCL device: 0:0, amd:gpu, gpu, cpu or a part of its name"},
    {"output", "-o", "OUT", "file or folder to write"},
    {"json", NULL, NULL, "print the result as JSON"},
    {"resume", NULL, NULL, "go on from the last saved state"},
    {"force", NULL, NULL,
     "replace an older training run; go on in spite of a failed self-test, which every output notes"},
    {"quiet", "-q", NULL, "no progress, only warnings and errors"},
    {"verbose", "-v", NULL, "say more"},
    {"help", "-h", NULL, "show help, of the command if one is named"},
    {"version", NULL, NULL, "show the version"},
    {"completion", NULL, "SHELL", "print the completion script for a shell (bash)"},
    {NULL, NULL, NULL, NULL}};

/* A value to be set once preset and files have been read. */
typedef struct {
    const char *origin, *key, *text; /* key NULL: text is a pair */
} setting;

typedef struct {
    command_line *line;
    const char *preset;
    const char **files;
    int file_count;
    setting *settings;
    int setting_count;
    bool no_more_flags;
} parsing;

const command_row *command_find(const char *first, const char *second)
{
    for (const command_row *r = command_rows; r->name; r++) {
        size_t n = strlen(first);
        if (!second && strcmp(r->name, first) == 0) return r;
        if (second && strncmp(r->name, first, n) == 0 && r->name[n] == ' ' && strcmp(r->name + n + 1, second) == 0)
            return r;
    }
    return NULL;
}

/* Lists the second words of the commands that begin with this one; false if there are none. */
static bool second_words(const char *first, char *text, size_t size)
{
    size_t n = strlen(first), used = 0;
    text[0] = 0;
    for (const command_row *r = command_rows; r->name; r++)
        if (strncmp(r->name, first, n) == 0 && r->name[n] == ' ' && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", r->name + n + 1);
    return used > 0;
}

static status unknown_command(context *c, const char *first, const char *second)
{
    char words[256], both[128];
    if (second_words(first, words, sizeof words)) {
        if (!second || second[0] == '-')
            return context_fail(c, STATUS_USAGE, "%s: needs a second word: %s", first, words);
        return context_fail(c, STATUS_USAGE, "unknown command %s %s; after %s comes one of: %s", first, second, first,
                            words);
    }
    const char *near = NULL;
    int nearest = INT_MAX;
    snprintf(both, sizeof both, "%s %s", first, second ? second : "");
    for (const command_row *r = command_rows; r->name; r++) {
        int one = options_distance(first, r->name), two = second ? options_distance(both, r->name) : INT_MAX;
        int d = one < two ? one : two;
        if (d < nearest && d <= 1 + (int)strlen(r->name) / 4) nearest = d, near = r->name;
    }
    if (near) return context_fail(c, STATUS_USAGE, "unknown command %s; did you mean %s?", first, near);
    return context_fail(c, STATUS_USAGE, "unknown command %s; `cosmocl --help` lists all commands", first);
}

static status unknown_flag(context *c, const parsing *p, const char *text)
{
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
    const char *bare = name + strspn(name, "-");
    const command_row *row = p->line->row;
    if (strchr(bare, '.') && options_find(bare))
        return context_fail(c, STATUS_USAGE, "unknown flag %s; configuration keys are given as --set %s=VALUE", name,
                            bare);
    const char *near = NULL;
    int nearest = 2 + (int)strlen(bare) / 4;
    for (const shared_flag *f = shared_flags; f->name; f++) {
        int d = options_distance(bare, f->name);
        if (d < nearest) nearest = d, near = f->name;
    }
    for (int i = 0; row && i < COMMAND_FLAGS && row->flags[i].name; i++) {
        int d = options_distance(bare, row->flags[i].name);
        if (d < nearest) nearest = d, near = row->flags[i].name;
    }
    if (near) return context_fail(c, STATUS_USAGE, "unknown flag %s; did you mean --%s?", name, near);
    return context_fail(c, STATUS_USAGE, "unknown flag %s; `cosmocl %s%s--help` lists the flags", name,
                        row ? row->name : "", row ? " " : "");
}

static status take_shared(context *c, parsing *p, const char *name, const char *value)
{
    command_line *line = p->line;
    if (strcmp(name, "preset") == 0)
        p->preset = value;
    else if (strcmp(name, "config") == 0)
        p->files[p->file_count++] = value;
    else if (strcmp(name, "set") == 0)
        p->settings[p->setting_count++] = (setting){"--set", NULL, value};
    else if (strcmp(name, "seed") == 0)
        p->settings[p->setting_count++] = (setting){"--seed", "run.seed", value};
    else if (strcmp(name, "device") == 0)
        p->settings[p->setting_count++] = (setting){"--device", "run.device", value};
    else if (strcmp(name, "output") == 0)
        line->out = value;
    else if (strcmp(name, "json") == 0)
        line->json = true;
    else if (strcmp(name, "resume") == 0)
        line->resume = true;
    else if (strcmp(name, "force") == 0)
        line->force = true;
    else if (strcmp(name, "quiet") == 0)
        line->quiet = true;
    else if (strcmp(name, "verbose") == 0)
        line->verbose = true;
    else if (strcmp(name, "help") == 0)
        line->help = true;
    else if (strcmp(name, "version") == 0)
        line->version = true;
    else if (strcmp(value, "bash") == 0)
        line->completion = true;
    else
        return context_fail(c, STATUS_USAGE, "--completion %s: only bash is known", value);
    return STATUS_OK;
}

/* Whether text ("--mesh", "--mesh=64", "-o", "-oout") is this flag; *value points at a value inside text, or is NULL.
 */
static bool is_flag(const char *text, const char *name, const char *letter, const char **value)
{
    *value = NULL;
    size_t n = strlen(name);
    if (strncmp(text, "--", 2) == 0 && strncmp(text + 2, name, n) == 0 && (!text[2 + n] || text[2 + n] == '=')) {
        if (text[2 + n]) *value = text + 3 + n;
        return true;
    }
    if (!letter || strncmp(text, letter, 2) != 0) return false;
    if (text[2]) *value = text + 2;
    return true;
}

/* Fetches the value of a flag that takes one; *i is moved on when it is the next word. */
static status fetch_value(context *c, const char *argument, int argc, char **argv, int *i, const char **value)
{
    const char *text = argv[*i];
    int length = (int)strcspn(text, "=");
    if (!argument) {
        if (*value) return context_fail(c, STATUS_USAGE, "%.*s: takes no value", length, text);
        *value = "";
        return STATUS_OK;
    }
    if (*value) return STATUS_OK;
    if (*i + 1 >= argc) return context_fail(c, STATUS_USAGE, "%s: needs a value: %s %s", text, text, argument);
    *value = argv[++*i];
    return STATUS_OK;
}

static status take_flag(context *c, parsing *p, int argc, char **argv, int *i)
{
    const char *text = argv[*i], *value = NULL;
    const command_row *row = p->line->row;
    for (int k = 0; row && k < COMMAND_FLAGS && row->flags[k].name; k++) {
        const command_flag_row *f = &row->flags[k];
        if (!is_flag(text, f->name, NULL, &value)) continue;
        status s = fetch_value(c, f->argument, argc, argv, i, &value);
        if (s != STATUS_OK) return s;
        p->line->flag[k] = value;
        if (f->key) p->settings[p->setting_count++] = (setting){text, f->key, f->argument ? value : "true"};
        return STATUS_OK;
    }
    for (const shared_flag *f = shared_flags; f->name; f++) {
        if (!is_flag(text, f->name, f->letter, &value)) continue;
        status s = fetch_value(c, f->argument, argc, argv, i, &value);
        return s == STATUS_OK ? take_shared(c, p, f->name, value) : s;
    }
    return unknown_flag(c, p, text);
}

/* The command itself, or a positional argument of it. */
static status take_word(context *c, parsing *p, int argc, char **argv, int *i)
{
    command_line *line = p->line;
    const char *word = argv[*i], *next = *i + 1 < argc ? argv[*i + 1] : NULL;
    if (line->row) {
        line->argument[line->count++] = word;
        return STATUS_OK;
    }
    if (strcmp(word, "help") == 0 && !line->help) {
        line->help = true;
        return STATUS_OK;
    }
    line->row = next ? command_find(word, next) : NULL;
    if (line->row) {
        ++*i;
        return STATUS_OK;
    }
    line->row = command_find(word, NULL);
    if (line->row) return STATUS_OK;
    /* `cosmocl train --help`, `cosmocl help train`: the overview lists what begins with that word. */
    char words[256];
    bool asked = line->help || (next && (strcmp(next, "--help") == 0 || strcmp(next, "-h") == 0));
    if (asked && second_words(word, words, sizeof words)) {
        line->help = true;
        return STATUS_OK;
    }
    return unknown_command(c, word, next);
}

static status check_count(context *c, const command_line *line)
{
    const command_row *row = line->row;
    if (line->count < row->least)
        return context_fail(c, STATUS_USAGE, "%s: needs %s; see `cosmocl %s --help`", row->name, row->arguments,
                            row->name);
    if (row->most >= 0 && line->count > row->most)
        return context_fail(c, STATUS_USAGE, "%s: %s is one argument too many; see `cosmocl %s --help`", row->name,
                            line->argument[row->most], row->name);
    return STATUS_OK;
}

static status build_configuration(context *c, const parsing *p)
{
    command_line *line = p->line;
    status s = config_new(c, &line->cfg);
    if (s == STATUS_OK && line->row->run && line->row->run == command_pipeline) /* its argument is the preset */
        s = config_read_preset(c, line->cfg, line->argument[0]);
    if (s == STATUS_OK && p->preset) s = config_read_preset(c, line->cfg, p->preset);
    for (int i = 0; s == STATUS_OK && i < p->file_count; i++) s = config_read_file(c, line->cfg, p->files[i]);
    for (int i = 0; s == STATUS_OK && i < p->setting_count; i++) {
        const setting *g = &p->settings[i];
        s = g->key ? config_set(c, line->cfg, g->key, g->text, g->origin)
                   : config_set_pair(c, line->cfg, g->text, g->origin);
    }
    if (s != STATUS_OK) return s;
    const char *device = config_text(line->cfg, "run.device");
    line->device = device[0] ? device : NULL;
    return STATUS_OK;
}

status command_line_parse(context *c, int argc, char **argv, command_line *line)
{
    *line = (command_line){.argc = argc, .argv = argv};
    parsing p = {.line = line};
    size_t most = (size_t)argc + 1; /* of anything on the line */
    status s = memory_new(c, "arguments", most, sizeof line->argument[0], &line->argument);
    if (s == STATUS_OK) s = memory_new(c, "arguments", most, sizeof p.files[0], &p.files);
    if (s == STATUS_OK) s = memory_new(c, "arguments", most, sizeof p.settings[0], &p.settings);
    for (int i = 1; s == STATUS_OK && i < argc; i++) {
        if (!p.no_more_flags && strcmp(argv[i], "--") == 0)
            p.no_more_flags = true;
        else if (!p.no_more_flags && argv[i][0] == '-' && argv[i][1])
            s = take_flag(c, &p, argc, argv, &i);
        else
            s = take_word(c, &p, argc, argv, &i);
    }
    if (s != STATUS_OK || line->help || line->version || line->completion) goto out;
    if (!line->row) {
        s = context_fail(c, STATUS_USAGE, "no command; `cosmocl --help` lists all commands");
        goto out;
    }
    s = check_count(c, line);
    if (s == STATUS_OK) s = build_configuration(c, &p);
out:
    memory_delete(&p.files);
    memory_delete(&p.settings);
    return s;
}

void command_line_delete(command_line *line)
{
    config_delete(&line->cfg);
    memory_delete(&line->argument);
    *line = (command_line){0};
}

static int flag_index(const command_line *line, const char *name)
{
    for (int i = 0; i < COMMAND_FLAGS && line->row->flags[i].name; i++)
        if (strcmp(line->row->flags[i].name, name) == 0) return i;
    assert(!"a flag that is not in the command's row");
    return 0;
}

const char *command_flag(const command_line *line, const char *name)
{
    int i = flag_index(line, name);
    return line->flag[i] ? line->flag[i] : line->row->flags[i].value;
}

bool command_flag_given(const command_line *line, const char *name)
{
    return line->flag[flag_index(line, name)] != NULL;
}

status command_flag_integer(context *c, const command_line *line, const char *name, int64_t minimum, int64_t maximum,
                            int64_t *x)
{
    const char *text = command_flag(line, name);
    if (!text) return STATUS_OK;
    char *end = NULL;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || errno) return context_fail(c, STATUS_USAGE, "--%s %s: is not an integer", name, text);
    if (n < minimum || n > maximum)
        return context_fail(c, STATUS_USAGE, "--%s %s: must be between %lld and %lld", name, text, (long long)minimum,
                            (long long)maximum);
    *x = n;
    return STATUS_OK;
}

status command_flag_real(context *c, const command_line *line, const char *name, double minimum, double maximum,
                         double *x)
{
    const char *text = command_flag(line, name);
    if (!text) return STATUS_OK;
    char *end = NULL;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v))
        return context_fail(c, STATUS_USAGE, "--%s %s: is not a number", name, text);
    if (v < minimum || v > maximum)
        return context_fail(c, STATUS_USAGE, "--%s %s: must be between %.10g and %.10g", name, text, minimum, maximum);
    *x = v;
    return STATUS_OK;
}

status command_flag_choice(context *c, const command_line *line, const char *name, const char *choices, int *index)
{
    const char *text = command_flag(line, name);
    if (!text) return STATUS_OK;
    size_t n = strlen(text);
    int i = 0;
    for (const char *p = choices; *p; p += *p == '|', i++) {
        size_t length = strcspn(p, "|");
        if (length == n && memcmp(p, text, n) == 0) {
            *index = i;
            return STATUS_OK;
        }
        p += length;
    }
    return context_fail(c, STATUS_USAGE, "--%s %s: must be one of %s", name, text, choices);
}
