/* The choice of a device from what the user wrote. */
#include "device/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPEC = 256, LISTING = 4096 };

/* "0:1" and nothing else. */
static bool parse_indices(const char *spec, int *platform, int *index)
{
    char rest;
    return isdigit((unsigned char)spec[0]) && sscanf(spec, "%9d:%9d%c", platform, index, &rest) == 2;
}

/* One part of a spec: a type, a short vendor name, or a fragment of the device's or platform's names. */
static bool part_fits(const char *part, const device_record *r)
{
    if (!strcasecmp(part, "gpu")) return r->is_gpu;
    if (!strcasecmp(part, "cpu")) return r->is_cpu;
    return quirks_vendor_matches(quirks_text(), part, r) || strcasestr(r->name, part) || strcasestr(r->vendor, part) ||
           strcasestr(r->platform_name, part);
}

/* All parts between colons fit. Names may hold colons themselves: the whole is tried as a fragment, too. */
static bool spec_fits(const char *spec, const device_record *r)
{
    char copy[SPEC];
    snprintf(copy, sizeof copy, "%s", spec);
    char *rest = copy, *part;
    bool all = true;
    while ((part = strsep(&rest, ":"))) all = all && part_fits(part, r);
    return all || (strchr(spec, ':') && part_fits(spec, r));
}

/* Whether a is the better default: a GPU before a CPU before the rest, then own memory before the host's, then more
 * memory; the earlier one stays on a tie. */
static bool better(const device_record *a, const device_record *b)
{
    const int rank_a = a->is_gpu ? 2 : a->is_cpu, rank_b = b->is_gpu ? 2 : b->is_cpu;
    if (rank_a != rank_b) return rank_a > rank_b;
    if (!a->is_gpu) return false;
    if (a->unified_memory != b->unified_memory) return b->unified_memory;
    return a->global_bytes > b->global_bytes;
}

static status choose_default(context *c, const device_record *list, int count, int *index)
{
    char text[LISTING];
    int best = -1;
    for (int i = 0; i < count; i++)
        if (!list[i].avoid_device && (list[i].is_gpu || list[i].is_cpu) && (best < 0 || better(&list[i], &list[best])))
            best = i;
    if (best < 0) {
        platforms_describe(list, count, text, sizeof text);
        return context_fail(c, STATUS_DEVICE, "no OpenCL device to choose by itself; name one with --device P:I:%s",
                            text);
    }
    *index = best;
    return STATUS_OK;
}

status device_choose(context *c, const device_record *list, int count, const char *spec, int *index)
{
    char text[LISTING];
    int platform = 0, at = 0, found = 0;
    const char *from = "--device";
    if (!spec || !spec[0]) {
        spec = getenv("COSMOCL_DEVICE");
        from = "COSMOCL_DEVICE";
    }
    if (!count)
        return context_fail(c, STATUS_DEVICE,
                            "there is no OpenCL device on this machine%s%s; install a driver (on Debian and Ubuntu "
                            "pocl-opencl-icd computes on any CPU); `cosmocl doctor` says what is missing",
                            spec && spec[0] ? " that could be " : "", spec && spec[0] ? spec : "");
    if (!spec || !spec[0]) return choose_default(c, list, count, index);
    if (strlen(spec) >= SPEC) return context_fail(c, STATUS_USAGE, "%s: longer than %d characters", from, SPEC - 1);
    if (parse_indices(spec, &platform, &at)) {
        for (int i = 0; i < count; i++)
            if (list[i].platform == platform && list[i].index == at) {
                *index = i;
                return STATUS_OK;
            }
    } else {
        for (int i = 0; i < count; i++)
            if (!list[i].avoid_device && spec_fits(spec, &list[i])) {
                *index = i;
                found++;
            }
    }
    if (found == 1) return STATUS_OK;
    platforms_describe(list, count, text, sizeof text);
    if (found)
        return context_fail(c, STATUS_DEVICE, "%s %s: %d devices match; give one of them as P:I:%s", from, spec, found,
                            text);
    return context_fail(c, STATUS_DEVICE, "%s %s: no such device here%s; there is:%s", from, spec,
                        strcasestr(spec, "gpu") ? " (a GPU that was asked for is never replaced by a CPU)" : "", text);
}
