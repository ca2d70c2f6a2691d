/* From names to capabilities: data/quirks/quirks.ini, whose head explains its form. */
#include "device/internal.h"

#include <fnmatch.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include "base/embedded.h"

typedef struct {
    const char *name;
    size_t offset; /* of a bool in device_record */
} capability;

#define CAPABILITY(n)                                                                                                  \
    {                                                                                                                  \
#n, offsetof(device_record, n)                                                                                 \
    }
static const capability capabilities[] = {
    CAPABILITY(avoid_clfft),  CAPABILITY(avoid_vkfft),    CAPABILITY(avoid_clblast),
    CAPABILITY(avoid_device), CAPABILITY(avoid_binaries), CAPABILITY(has_fma),
};

const char *quirks_text(void)
{
    const embedded_file *f = embedded_find("data/quirks/quirks.ini");
    return f ? f->data : "";
}

static bool fits(const char *pattern, const char *text)
{
    return !fnmatch(pattern, text, FNM_CASEFOLD);
}

bool quirks_pattern(const char *key, const char *pattern, const device_record *r, bool *it_fits)
{
    if (!strcmp(key, "platform"))
        *it_fits = fits(pattern, r->platform_name) || fits(pattern, r->platform_version);
    else if (!strcmp(key, "vendor"))
        *it_fits = fits(pattern, r->vendor);
    else if (!strcmp(key, "device"))
        *it_fits = fits(pattern, r->name) || fits(pattern, r->version);
    else if (!strcmp(key, "driver"))
        *it_fits = fits(pattern, r->driver);
    else if (!strcmp(key, "type"))
        *it_fits = (!strcmp(pattern, "cpu") && r->is_cpu) || (!strcmp(pattern, "gpu") && r->is_gpu);
    else
        return false;
    return true;
}

/* What the parser has seen of the section it is in. */
typedef struct {
    device_record *r;
    char section[64], set[256], wrong[128];
    bool fits;
} reading;

/* The section is complete: sets its capabilities if its patterns fit. False for an unknown capability. */
static bool close_section(reading *s)
{
    if (strncmp(s->section, "quirk ", 6) || !s->fits || !s->set[0]) return true;
    char *rest = s->set, *word;
    while ((word = strsep(&rest, " ,")))
        if (*word) {
            size_t i = 0;
            while (i < sizeof capabilities / sizeof *capabilities && strcmp(capabilities[i].name, word)) i++;
            if (i == sizeof capabilities / sizeof *capabilities) {
                snprintf(s->wrong, sizeof s->wrong, "unknown capability %s", word);
                return false;
            }
            *(bool *)((char *)s->r + capabilities[i].offset) = true;
        }
    const size_t used = strlen(s->r->quirk);
    snprintf(s->r->quirk + used, sizeof s->r->quirk - used, "%s%s", used ? ", " : "", s->section + 6);
    return true;
}

static int read_quirk(void *user, const char *section, const char *name, const char *value)
{
    reading *s = user;
    device_record *r = s->r;
    if (strcmp(s->section, section)) {
        if (!close_section(s)) return 0;
        strncpy(s->section, section, sizeof s->section - 1); /* zeroed at first, and its last byte stays so */
        s->set[0] = 0;
        s->fits = true;
    }
    if (!strncmp(section, "vendor ", 7) || !strncmp(section, "pci ", 4)) return 1;
    if (strncmp(section, "quirk ", 6)) {
        snprintf(s->wrong, sizeof s->wrong, "unknown section %s", section);
        return 0;
    }
    bool it_fits = true;
    if (quirks_pattern(name, value, r, &it_fits))
        s->fits = s->fits && it_fits;
    else if (!strcmp(name, "set"))
        snprintf(s->set, sizeof s->set, "%s", value);
    else if (strcmp(name, "why")) {
        snprintf(s->wrong, sizeof s->wrong, "unknown key %s", name);
        return 0;
    }
    return 1;
}

status quirks_apply(context *c, const char *text, device_record *r)
{
    reading s = {.r = r};
    const int line = ini_parse_string(text, read_quirk, &s);
    if (line || !close_section(&s))
        return context_fail(c, STATUS_DATA, "quirks.ini:%d: %s", line, s.wrong[0] ? s.wrong : "not understood");
    return STATUS_OK;
}

typedef struct {
    const char *section, *key;
    char value[256];
} lookup;

static int read_value(void *user, const char *section, const char *name, const char *value)
{
    lookup *l = user;
    if (!strcmp(section, l->section) && !strcmp(name, l->key)) snprintf(l->value, sizeof l->value, "%s", value);
    return 1;
}

bool quirks_vendor_matches(const char *text, const char *name, const device_record *r)
{
    char section[64];
    snprintf(section, sizeof section, "vendor %s", name);
    lookup l = {section, "names", ""};
    ini_parse_string(text, read_value, &l);
    char *rest = l.value, *pattern;
    while ((pattern = strsep(&rest, "|")))
        if (*pattern && (fits(pattern, r->vendor) || fits(pattern, r->platform_name))) return true;
    return false;
}

void quirks_value(const char *text, const char *section, const char *key, char *value, size_t size)
{
    lookup l = {section, key, ""};
    ini_parse_string(text, read_value, &l);
    snprintf(value, size, "%s", l.value);
}
