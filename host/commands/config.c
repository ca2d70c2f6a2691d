/* `config explain` and `config show`. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "base/memory.h"
#include "base/options.h"
#include "commands/common.h"
#include "io/hdf5.h"
#include "io/provenance.h"

enum { WIDTH = 100 };

/* Prints text in lines of at most WIDTH letters, each after `before`. */
static void print_wrapped(const char *before, const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column && column + 1 + n > WIDTH) {
            putchar('\n');
            column = 0;
        }
        column += (size_t)(column ? printf(" %.*s", (int)n, text) : printf("%s%.*s", before, (int)n, text));
        text += n;
        while (*text == ' ') text++;
    }
    if (column) putchar('\n');
}

/* "integer, images; default 50; 1 to 65536" */
static void facts(const option *o, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "%s%s%s; default %s", options_type_text(o), o->unit[0] ? ", " : "", o->unit,
                                o->value[0] ? o->value : "empty");
    if (o->type == OPTION_CHOICE)
        snprintf(text + n, size - n, "; one of %s", o->choices);
    else if (o->type != OPTION_TEXT && o->type != OPTION_FLAG)
        snprintf(text + n, size - n, "; %.10g to %.10g", o->minimum, o->maximum);
}

static bool in_section(const option *o, const char *section)
{
    size_t n = strlen(section);
    return strncmp(o->key, section, n) == 0 && o->key[n] == '.';
}

static void explain_as_ini(void)
{
    printf("# All keys of the configuration with their defaults, as `cosmocl config explain --ini` prints them.\n");
    for (const option_section *section = option_sections; section->name; section++) {
        printf("\n");
        print_wrapped("# ", section->meaning);
        printf("[%s]\n", section->name);
        for (int i = 0; i < options_count; i++) {
            if (!in_section(&options[i], section->name)) continue;
            char text[256];
            facts(&options[i], text, sizeof text);
            printf("\n");
            print_wrapped("# ", options[i].meaning);
            print_wrapped("# ", text);
            printf("%s =%s%s\n", strchr(options[i].key, '.') + 1, options[i].value[0] ? " " : "", options[i].value);
        }
    }
}

static void explain_one(const option *o)
{
    char text[256];
    facts(o, text, sizeof text);
    printf("%s\n", o->key);
    print_wrapped("    ", o->meaning);
    print_wrapped("    ", text);
}

static json_t *explain_json(const option *o)
{
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s}", "key", o->key, "type", options_type_text(o), "default", o->value,
                          "unit", o->unit, "meaning", o->meaning);
    if (j && o->type == OPTION_CHOICE) json_object_set_new(j, "choices", json_string(o->choices));
    if (j && o->type != OPTION_CHOICE && o->type != OPTION_TEXT && o->type != OPTION_FLAG) {
        json_object_set_new(j, "minimum", json_real(o->minimum));
        json_object_set_new(j, "maximum", json_real(o->maximum));
    }
    return j;
}

status command_config_explain(context *c, const command_line *line)
{
    const char *what = line->count ? line->argument[0] : NULL;
    if (command_flag(line, "ini")) {
        if (what) return context_fail(c, STATUS_USAGE, "config explain: --ini prints all keys, not %s alone", what);
        explain_as_ini();
        return STATUS_OK;
    }
    json_t *all = line->json ? json_array() : NULL;
    int found = 0;
    for (const option_section *section = option_sections; section->name; section++) {
        bool named = !what || strcmp(what, section->name) == 0, headed = false;
        for (int i = 0; i < options_count; i++) {
            const option *o = &options[i];
            if (!in_section(o, section->name) || !(named || strcmp(what, o->key) == 0)) continue;
            if (line->json) {
                json_array_append_new(all, explain_json(o));
            } else {
                if (named && !headed) printf("%s[%s] %s\n\n", found ? "\n" : "", section->name, section->meaning);
                explain_one(o);
            }
            headed = true;
            found++;
        }
    }
    if (found) return line->json ? common_print_json(c, all, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : STATUS_OK;
    json_decref(all);
    const char *near = options_suggest(what);
    if (near) return context_fail(c, STATUS_USAGE, "there is no key or section %s; did you mean %s?", what, near);
    return context_fail(c, STATUS_USAGE, "there is no key or section %s; `cosmocl config explain` lists all", what);
}

static json_t *value_json(const config *cfg, const option *o)
{
    int count = 0;
    switch (o->type) {
    case OPTION_INTEGER:
        return json_integer(config_integer(cfg, o->key));
    case OPTION_REAL:
        return json_real(config_real(cfg, o->key));
    case OPTION_FLAG:
        return json_boolean(config_flag(cfg, o->key));
    case OPTION_TEXT:
    case OPTION_CHOICE:
        return json_string(config_text(cfg, o->key));
    case OPTION_LIST:
    case OPTION_INTEGER_LIST:
        break;
    }
    const double *list = config_list(cfg, o->key, &count);
    json_t *j = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(j, o->type == OPTION_LIST ? json_real(list[i]) : json_integer((json_int_t)list[i]));
    return j;
}

static status show_json(context *c, const config *cfg)
{
    json_t *all = json_object();
    for (const option_section *section = option_sections; section->name; section++) {
        json_t *keys = json_object();
        for (int i = 0; i < options_count; i++)
            if (in_section(&options[i], section->name))
                json_object_set_new(keys, strchr(options[i].key, '.') + 1, value_json(cfg, &options[i]));
        json_object_set_new(all, section->name, keys);
    }
    return common_print_json(c, all, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
}

status command_config_show(context *c, const command_line *line)
{
    char *text = NULL;
    h5_file *f = NULL;
    config *cfg = NULL;
    status s = STATUS_OK;
    if (line->count) {
        s = h5_open(c, line->argument[0], &f);
        if (s == STATUS_OK) s = provenance_read_configuration(c, f, &text);
    } else {
        s = config_write(c, line->cfg, &text);
    }
    if (s != STATUS_OK) goto out;
    if (!line->json) {
        fputs(text, stdout);
        goto out;
    }
    /* Through the parser again: a file of another version may hold keys that this one does not know, and says so. */
    s = config_new(c, &cfg);
    if (s == STATUS_OK) s = config_read(c, cfg, text, line->count ? line->argument[0] : "the configuration");
    if (s == STATUS_OK) s = show_json(c, cfg);
out:
    config_delete(&cfg);
    h5_delete(&f);
    memory_delete(&text);
    return s;
}
