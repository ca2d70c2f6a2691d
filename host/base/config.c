#undef NDEBUG /* a key that is not in the table is a mistake of this program, and is caught in every build */
#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"

/* One value of the table; which members count follows from the option's type. The text is kept as it was given, so
 * that what is written reads back to the same bits. */
typedef struct {
    char *text;
    int64_t integer; /* integer, flag (0, 1), choice (index) */
    double real;
    double *list;
    int count;
    bool set;
} value;

struct config {
    value *values; /* options_count of them, in the table's order */
};

static void value_delete(value *v)
{
    memory_delete(&v->text);
    memory_delete(&v->list);
    *v = (value){0};
}

status config_new(context *c, config **out)
{
    *out = NULL;
    config *cfg = NULL;
    status s = memory_new(c, "configuration", 1, sizeof *cfg, &cfg);
    if (s == STATUS_OK) s = memory_new(c, "configuration", (size_t)options_count, sizeof(value), &cfg->values);
    for (int i = 0; s == STATUS_OK && i < options_count; i++) {
        s = config_set(c, cfg, options[i].key, options[i].value, "the default");
        if (s == STATUS_OK) cfg->values[i].set = false;
    }
    if (s == STATUS_OK)
        *out = cfg;
    else
        config_delete(&cfg);
    return s;
}

status config_copy(context *c, const config *from, config **out)
{
    status s = config_new(c, out);
    for (int i = 0; s == STATUS_OK && i < options_count; i++) {
        s = config_set(c, *out, options[i].key, from->values[i].text, "the copy");
        if (s == STATUS_OK) (*out)->values[i].set = from->values[i].set;
    }
    if (s) config_delete(out);
    return s;
}

void config_delete(config **cfg)
{
    if (!cfg || !*cfg) return;
    for (int i = 0; (*cfg)->values && i < options_count; i++) value_delete(&(*cfg)->values[i]);
    memory_delete(&(*cfg)->values);
    memory_delete(cfg);
}

/* ---- one value from its text ---- */

static status wrong(context *c, const option *o, const char *text, const char *origin, const char *what)
{
    return context_fail(c, STATUS_USAGE, "%s: %s = %s: %s", origin, o->key, text, what);
}

static status out_of_range(context *c, const option *o, const char *text, const char *origin)
{
    return context_fail(c, STATUS_USAGE, "%s: %s = %s: must be between %.10g and %.10g%s%s", origin, o->key, text,
                        o->minimum, o->maximum, o->unit[0] ? " " : "", o->unit);
}

static bool blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

/* A decimal number with a point in any locale, from `text` up to *end. false: none there. */
static bool read_real(const char *text, char **end, double *x)
{
    if (!strchr("+-.0123456789", text[0]) || !text[0]) return false;
    if (text[strspn(text, "+-")] == '0' && (text[strspn(text, "+-") + 1] | 32) == 'x') return false;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    *x = plain ? strtod_l(text, end, plain) : strtod(text, end);
    if (plain) freelocale(plain);
    return *end != text && isfinite(*x);
}

static bool read_integer(const char *text, char **end, int64_t *x)
{
    if (!text[0] || !strchr("+-0123456789", text[0])) return false;
    errno = 0;
    long long n = strtoll(text, end, 10);
    *x = n;
    return *end != text && errno == 0;
}

static status parse_number(context *c, const option *o, const char *text, const char *origin, value *v)
{
    char *end = NULL;
    bool good = o->type == OPTION_INTEGER ? read_integer(text, &end, &v->integer) : read_real(text, &end, &v->real);
    if (!good || *end)
        return wrong(c, o, text, origin, o->type == OPTION_INTEGER ? "is not an integer" : "is not a number");
    double x = o->type == OPTION_INTEGER ? (double)v->integer : v->real;
    if (o->type == OPTION_INTEGER) v->real = x;
    return x < o->minimum || x > o->maximum ? out_of_range(c, o, text, origin) : STATUS_OK;
}

static status parse_flag(context *c, const option *o, const char *text, const char *origin, value *v)
{
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(text, yes[i]) == 0) {
            v->integer = 1;
            return STATUS_OK;
        }
        if (strcmp(text, no[i]) == 0) return STATUS_OK;
    }
    return wrong(c, o, text, origin, "is neither true nor false");
}

static status parse_choice(context *c, const option *o, const char *text, const char *origin, value *v)
{
    size_t n = strlen(text);
    int64_t index = 0;
    for (const char *p = o->choices; *p; p += *p == '|', index++) {
        size_t length = strcspn(p, "|");
        if (length == n && memcmp(p, text, n) == 0) {
            v->integer = index;
            return STATUS_OK;
        }
        p += length;
    }
    return context_fail(c, STATUS_USAGE, "%s: %s = %s: must be one of %s", origin, o->key, text, o->choices);
}

/* "0, 0.5, 1" or "0 0.5 1"; at least one number. */
static status parse_list(context *c, const option *o, const char *text, const char *origin, value *v)
{
    size_t most = 1;
    for (const char *p = text; *p; p++) most += *p == ',' || blank(*p);
    status s = memory_new(c, o->key, most, sizeof v->list[0], &v->list);
    if (s != STATUS_OK) return s;
    bool whole = o->type == OPTION_INTEGER_LIST;
    for (const char *p = text; *p;) {
        char *end = NULL;
        int64_t n = 0;
        double x = 0;
        bool good = whole ? read_integer(p, &end, &n) : read_real(p, &end, &x);
        if (!good || (*end && *end != ',' && !blank(*end)))
            return wrong(c, o, text, origin,
                         whole ? "is not a list of integers, as in 32, 64"
                               : "is not a list of numbers, as in 0, 0.5, 1");
        if (whole) x = (double)n;
        if (x < o->minimum || x > o->maximum) return out_of_range(c, o, text, origin);
        v->list[v->count++] = x;
        while (blank(*end)) end++;
        bool comma = *end == ',';
        p = end + comma;
        while (blank(*p)) p++;
        if (comma && !*p) return wrong(c, o, text, origin, "ends in a comma");
    }
    return v->count > 0 ? STATUS_OK : wrong(c, o, text, origin, "is an empty list");
}

static status parse(context *c, const option *o, const char *text, const char *origin, value *v)
{
    switch (o->type) {
    case OPTION_INTEGER:
    case OPTION_REAL:
        return parse_number(c, o, text, origin, v);
    case OPTION_FLAG:
        return parse_flag(c, o, text, origin, v);
    case OPTION_CHOICE:
        return parse_choice(c, o, text, origin, v);
    case OPTION_LIST:
    case OPTION_INTEGER_LIST:
        return parse_list(c, o, text, origin, v);
    case OPTION_TEXT:
        break;
    }
    /* A text must survive being written to and read from an INI file. */
    if (strpbrk(text, "\n\r")) return wrong(c, o, text, origin, "holds a line break");
    if (strstr(text, " ;")) return wrong(c, o, text, origin, "holds ' ;', which begins a comment");
    return STATUS_OK;
}

/* ---- setting ---- */

static status unknown_key(context *c, const char *key, const char *origin)
{
    const char *near = options_suggest(key);
    if (near) return context_fail(c, STATUS_USAGE, "%s: unknown key %s; did you mean %s?", origin, key, near);
    return context_fail(c, STATUS_USAGE, "%s: unknown key %s; `cosmocl config explain` lists all keys", origin, key);
}

status config_set(context *c, config *cfg, const char *key, const char *text, const char *origin)
{
    const option *o = options_find(key);
    if (!o) return unknown_key(c, key, origin);
    value v = {.set = true};
    status s = memory_copy_string(c, text, &v.text);
    if (s == STATUS_OK) {
        size_t skip = 0, n = strlen(text);
        while (blank(text[skip])) skip++;
        while (n > skip && blank(text[n - 1])) n--;
        memmove(v.text, v.text + skip, n - skip);
        v.text[n - skip] = 0;
        s = parse(c, o, v.text, origin, &v);
    }
    if (s != STATUS_OK) {
        value_delete(&v);
        return s;
    }
    value_delete(&cfg->values[o - options]);
    cfg->values[o - options] = v;
    return STATUS_OK;
}

status config_set_pair(context *c, config *cfg, const char *pair, const char *origin)
{
    const char *equals = strchr(pair, '=');
    if (!equals || equals == pair)
        return context_fail(c, STATUS_USAGE, "%s: %s: must be section.key=value, as in gan.batch=25", origin, pair);
    char *key = NULL;
    status s = memory_copy_string(c, pair, &key);
    if (s != STATUS_OK) return s;
    size_t n = (size_t)(equals - pair);
    while (n > 0 && blank(key[n - 1])) n--;
    key[n] = 0;
    s = config_set(c, cfg, key, equals + 1, origin);
    memory_delete(&key);
    return s;
}

/* ---- asking ---- */

static const value *find(const config *cfg, const char *key)
{
    const option *o = options_find(key);
    assert(o && "a key that is not in the table of options");
    return &cfg->values[o - options];
}

int64_t config_integer(const config *cfg, const char *key)
{
    assert(options_find(key)->type == OPTION_INTEGER);
    return find(cfg, key)->integer;
}

double config_real(const config *cfg, const char *key)
{
    assert(options_find(key)->type == OPTION_REAL || options_find(key)->type == OPTION_INTEGER);
    return find(cfg, key)->real;
}

bool config_flag(const config *cfg, const char *key)
{
    assert(options_find(key)->type == OPTION_FLAG);
    return find(cfg, key)->integer != 0;
}

const char *config_text(const config *cfg, const char *key)
{
    return find(cfg, key)->text;
}

int config_choice(const config *cfg, const char *key)
{
    assert(options_find(key)->type == OPTION_CHOICE);
    return (int)find(cfg, key)->integer;
}

const double *config_list(const config *cfg, const char *key, int *count)
{
    const value *v = find(cfg, key);
    assert(v->list && "not a list");
    *count = v->count;
    return v->list;
}

bool config_is_set(const config *cfg, const char *key)
{
    return find(cfg, key)->set;
}

/* ---- writing ---- */

status config_write(context *c, const config *cfg, char **text)
{
    size_t size = 1;
    for (int i = 0; i < options_count; i++) size += 2 * strlen(options[i].key) + strlen(cfg->values[i].text) + 16;
    *text = NULL;
    status s = memory_new(c, "configuration as text", size, 1, text);
    if (s != STATUS_OK) return s;
    size_t n = 0;
    const char *section = "";
    for (int i = 0; i < options_count; i++) {
        const char *key = options[i].key, *dot = strchr(key, '.');
        size_t length = (size_t)(dot - key);
        if (strncmp(section, key, length + 1) != 0)
            n += (size_t)snprintf(*text + n, size - n, "%s[%.*s]\n", n ? "\n" : "", (int)length, key);
        section = key;
        n += (size_t)snprintf(*text + n, size - n, "%s = %s\n", dot + 1, cfg->values[i].text);
    }
    return STATUS_OK;
}
