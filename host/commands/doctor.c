/* cosmocl doctor: what is wrong with this machine's OpenCL, and how to mend it. Everything that touches a driver runs
 * in a child process, so that a broken driver is a finding and not the end. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/files.h"
#include "base/memory.h"
#include "commands/command.h"
#include "commands/isolate.h"
#include "device/health.h"

#define VENDORS "/etc/OpenCL/vendors"
#define INSTALL_ANY "install a driver; pocl-opencl-icd (Debian, Ubuntu) or pocl (conda-forge) computes on any CPU"

enum { LIST_TIMEOUT_S = 120, DEVICE_TIMEOUT_S = 600, LOAD_TIMEOUT_S = 60, SPACE_MIB = 200, SLOW_FMA = 3 };

typedef enum { FINE, NOTE, BAD } verdict;
static const char *const verdict_names[] = {"ok", "note", "bad"};

typedef struct {
    context *c;
    bool json;
    json_t *checks;
    int bad;
    int drivers; /* that load */
    device_record *list;
    int count, usable, wrong;
} doctor;

static void find(doctor *d, verdict v, const char *subject, const char *mend, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* One finding: printed at once, or kept for --json. mend NULL: nothing to do. */
static void find(doctor *d, verdict v, const char *subject, const char *mend, const char *format, ...)
{
    char text[2048];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    d->bad += v == BAD;
    if (d->json) {
        json_array_append_new(d->checks, json_pack("{s:s, s:s, s:s, s:s*}", "verdict", verdict_names[v], "subject",
                                                   subject, "text", text, "mend", mend));
        return;
    }
    printf("%-5s %-12s %s\n", verdict_names[v], subject, text);
    if (mend) printf("%-5s %-12s -> %s\n", "", "", mend);
    fflush(stdout);
}

/* ---- drivers as the loader finds them ---------------------------------------------------------------------------- */

static status load_library(context *c, const void *user, void *data, size_t *size)
{
    (void)data;
    (void)size;
    if (dlopen(user, RTLD_NOW | RTLD_LOCAL)) return STATUS_OK;
    const char *why = dlerror();
    return context_fail(c, STATUS_DEVICE, "%s", why ? why : "cannot be loaded");
}

static status check_library(doctor *d, const char *from, const char *library)
{
    isolate_result r;
    char mend[FILES_PATH + 128];
    status s = isolate_run(d->c, load_library, library, LOAD_TIMEOUT_S, NULL, 0, &r);
    if (s) return s;
    if (!r.s) {
        d->drivers++;
        find(d, FINE, "driver", NULL, "%s (%s)", library, from);
        return STATUS_OK;
    }
    snprintf(mend, sizeof mend, "install the driver's package anew (`dpkg -S %s` names it), or remove %s", from, from);
    find(d, BAD, "driver", mend, "%s (%s): %s", library, from, r.reason);
    return STATUS_OK;
}

/* An .icd file holds the name of a library in its first line. */
static status check_icd(doctor *d, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    if (files_read(d->c, path, &text, &size)) {
        find(d, BAD, "driver", "make it readable", "%s", context_message(d->c));
        return STATUS_OK;
    }
    text[strcspn(text, "\r\n")] = 0;
    status s = STATUS_OK;
    if (text[0])
        s = check_library(d, path, text);
    else
        find(d, BAD, "driver", "write the name of the driver's library into it", "%s is empty", path);
    memory_delete(&text);
    return s;
}

static bool ends_with(const char *text, const char *tail)
{
    const size_t n = strlen(text), k = strlen(tail);
    return n >= k && !strcmp(text + n - k, tail);
}

static status check_folder(doctor *d, const char *folder)
{
    struct dirent **names = NULL;
    const int n = scandir(folder, &names, NULL, alphasort);
    status s = STATUS_OK;
    for (int i = 0; i < n; i++) {
        char path[FILES_PATH];
        if (!s && ends_with(names[i]->d_name, ".icd")) {
            s = files_path(d->c, path, "%s/%s", folder, names[i]->d_name);
            if (!s) s = check_icd(d, path);
        }
        free(names[i]);
    }
    free(names);
    return s;
}

/* The loader reads OCL_ICD_VENDORS: a folder, an .icd file (here or in the usual folder), or a library. */
static status check_drivers(doctor *d)
{
    const char *vendors = getenv("OCL_ICD_VENDORS");
    char path[FILES_PATH];
    struct stat info;
    status s = STATUS_OK;
    if (!vendors || !vendors[0]) {
        s = check_folder(d, VENDORS);
    } else {
        find(d, NOTE, "environment", NULL, "OCL_ICD_VENDORS=%s: only the drivers it names are seen", vendors);
        s = files_path(d->c, path, "%s%s", vendors[0] == '/' || files_exists(vendors) ? "" : VENDORS "/", vendors);
        if (!s && ends_with(vendors, ".icd") && files_exists(path))
            s = check_icd(d, path);
        else if (!s && !stat(vendors, &info) && S_ISDIR(info.st_mode))
            s = check_folder(d, vendors);
        else if (!s && strstr(vendors, ".so"))
            s = check_library(d, vendors, vendors);
        else if (!s)
            find(d, BAD, "environment", "unset OCL_ICD_VENDORS, or give it a folder, an .icd file or a library",
                 "%s is not there", vendors);
    }
    if (!s && !d->drivers)
        find(d, BAD, "driver", INSTALL_ANY, "there is no OpenCL driver%s", vendors && vendors[0] ? "" : " in " VENDORS);
    return s;
}

/* ---- devices ----------------------------------------------------------------------------------------------------- */

static status list_devices(context *c, const void *user, void *data, size_t *size)
{
    (void)user;
    device_record *list = NULL;
    int count = 0;
    status s = device_list(c, &list, &count);
    if (s) return s;
    const size_t most = ISOLATE_BYTES / sizeof *list;
    *size = sizeof *list * ((size_t)count < most ? (size_t)count : most);
    memcpy(data, list, *size);
    memory_delete(&list);
    return STATUS_OK;
}

static status check_list(doctor *d)
{
    isolate_result r;
    status s = memory_new(d->c, "list of devices", ISOLATE_BYTES, 1, &d->list);
    if (!s) s = isolate_run(d->c, list_devices, NULL, LIST_TIMEOUT_S, d->list, ISOLATE_BYTES, &r);
    if (s) return s;
    d->count = (int)(r.size / sizeof *d->list);
    if (r.s)
        find(d, BAD, "devices",
             "run again with OCL_ICD_VENDORS=FILE.icd for each driver above to find the one at fault",
             "listing them: %s", r.reason);
    else if (!d->count)
        find(d, BAD, "devices", INSTALL_ANY, "the drivers offer no device%s",
             d->drivers ? " (some need to be asked: rusticl wants RUSTICL_ENABLE=radeonsi, iris or llvmpipe)" : "");
    return STATUS_OK;
}

static status try_device(context *c, const void *user, void *data, size_t *size)
{
    char spec[32];
    const device_record *r = user;
    device *d = NULL;
    health_result result;
    snprintf(spec, sizeof spec, "%d:%d", r->platform, r->index);
    status s = device_open(c, &(device_options){.spec = spec}, &d);
    if (!s) s = health_check(c, d, &result);
    if (!s) {
        memcpy(data, &result, sizeof result);
        *size = sizeof result;
    }
    device_delete(&d);
    return s;
}

static void note_quirks(doctor *d, const device_record *r)
{
    char names[256], why[256], place[32];
    snprintf(names, sizeof names, "%s", r->quirk);
    snprintf(place, sizeof place, "device %d:%d", r->platform, r->index);
    char *rest = names, *name;
    while ((name = strsep(&rest, ", ")))
        if (name[0]) {
            health_quirk_why(name, why, sizeof why);
            find(d, NOTE, place, NULL, "quirk %s: %s", name, why);
        }
    if (r->largest_block_bytes < (size_t)256 << 20)
        find(d, NOTE, place, NULL, "its largest block of memory is %.0f MiB: large networks and batches may not fit",
             (double)r->largest_block_bytes / (1 << 20));
}

static status check_device(doctor *d, const device_record *r)
{
    char place[32];
    isolate_result answer;
    health_result result = {0};
    snprintf(place, sizeof place, "device %d:%d", r->platform, r->index);
    status s = isolate_run(d->c, try_device, r, DEVICE_TIMEOUT_S, &result, sizeof result, &answer);
    if (s) return s;
    if (!answer.s && answer.size == sizeof result) {
        d->usable++;
        find(d, FINE, place, NULL,
             "%s (%s, driver %s): builds kernels (%.1f s) and computes rightly (%d results, fma at %.2f of a product "
             "and a sum)",
             r->name, r->platform_name, r->driver, result.build_s, result.checks, result.fma_cost);
    } else if (answer.s == STATUS_SELFTEST) {
        d->wrong++;
        find(d, BAD, place, "update or replace its driver; do not use it until then", "%s", answer.reason);
    } else {
        find(d, BAD, place, "update or replace its driver, or name another device with --device",
             "%s (%s, driver %s): %s", r->name, r->platform_name, r->driver, answer.reason);
    }
    note_quirks(d, r);
    if (result.fma_cost > SLOW_FMA)
        find(d, NOTE, place, NULL,
             "a fused multiply-add costs %.0f times a product and a sum: right, but training is slow", result.fma_cost);
    return STATUS_OK;
}

/* ---- cards without a driver, and files nobody may open --------------------------------------------------------------
 */

/* First word of a file of sysfs; "" if there is none. */
static void sysfs_word(const char *folder, const char *card, const char *name, char *word, size_t size)
{
    char path[FILES_PATH];
    word[0] = 0;
    if (snprintf(path, sizeof path, "%s/%s/%s", folder, card, name) >= (int)sizeof path) return;
    FILE *f = fopen(path, "r");
    if (f && fgets(word, (int)size, f)) word[strcspn(word, " \r\n")] = 0;
    if (f) fclose(f);
}

/* Display controllers (class 0x03) and processing accelerators (0x12) whose vendor has no GPU in the list.
 * $COSMOCL_PCI_DEVICES stands for the folder in tests. */
static void check_cards(doctor *d)
{
    const char *other = getenv("COSMOCL_PCI_DEVICES"), *folder = other ? other : "/sys/bus/pci/devices";
    struct dirent **names = NULL;
    const int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char class[32], id[32], model[32], vendor[32], package[256], mend[320];
        sysfs_word(folder, names[i]->d_name, "class", class, sizeof class);
        sysfs_word(folder, names[i]->d_name, "vendor", id, sizeof id);
        sysfs_word(folder, names[i]->d_name, "device", model, sizeof model);
        if ((!strncmp(class, "0x03", 4) || !strncmp(class, "0x12", 4)) &&
            health_card(id, vendor, sizeof vendor, package, sizeof package)) {
            bool seen = false;
            for (int k = 0; k < d->count; k++)
                seen = seen || (d->list[k].is_gpu && health_vendor_matches(vendor, &d->list[k]));
            snprintf(mend, sizeof mend, "install its OpenCL driver: %s", package);
            if (!seen)
                find(d, NOTE, "card", mend, "a card of %s (PCI %s, %s:%s) has no OpenCL device", vendor,
                     names[i]->d_name, id, model);
        }
        free(names[i]);
    }
    free(names);
}

static void check_nodes(doctor *d)
{
    char path[FILES_PATH];
    struct dirent **names = NULL;
    const int n = scandir("/dev/dri", &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "/dev/dri/%s", names[i]->d_name);
        if (!strncmp(names[i]->d_name, "renderD", 7) && access(path, R_OK | W_OK))
            find(d, NOTE, "permission", "sudo usermod -aG render,video $USER, then log in again", "%s: %s", path,
                 strerror(errno));
        free(names[i]);
    }
    free(names);
    if (!access("/dev/kfd", F_OK) && access("/dev/kfd", R_OK | W_OK))
        find(d, NOTE, "permission", "sudo usermod -aG render,video $USER, then log in again", "/dev/kfd: %s",
             strerror(errno));
}

static void check_cache(doctor *d)
{
    char folder[FILES_PATH], path[FILES_PATH];
    struct statvfs space;
    const char *mend = "set COSMOCL_CACHE to a folder of your own on a local disk";
    status s = files_cache_folder(d->c, folder);
    if (!s) s = files_path(d->c, path, "%s/doctor", folder);
    if (!s) s = files_replace(d->c, path, "x", 1);
    if (s) {
        find(d, NOTE, "cache", mend, "built kernels cannot be kept: %s", context_message(d->c));
        return;
    }
    unlink(path);
    const double mib =
        statvfs(folder, &space) ? SPACE_MIB : (double)space.f_bavail * (double)space.f_frsize / (1 << 20);
    if (mib < SPACE_MIB)
        find(d, NOTE, "cache", mend, "%s has only %.0f MiB left", folder, mib);
    else
        find(d, FINE, "cache", NULL, "%s", folder);
}

/* ---- all together --------------------------------------------------------------------------------------------------
 */

static status check_all(doctor *d, const char *spec)
{
    int chosen = -1;
    status s = check_drivers(d);
    if (!s) s = check_list(d);
    if (!s && spec && d->count) s = device_choose(d->c, d->list, d->count, spec, &chosen);
    for (int i = 0; i < d->count && !s; i++)
        if (chosen < 0 || chosen == i) s = check_device(d, &d->list[i]);
    if (s) return s;
    check_cards(d);
    check_nodes(d);
    check_cache(d);
    return STATUS_OK;
}

/* STATUS_DEVICE when no device is usable, STATUS_SELFTEST when one computes wrongly. */
status command_doctor(context *c, const command_line *line)
{
    doctor d = {.c = c, .json = line->json, .checks = json_array()};
    status s = check_all(&d, line->device);
    if (!s && line->json) {
        json_t *all = json_pack("{s:i, s:i, s:i, s:O}", "schema", 1, "usable_devices", d.usable, "bad", d.bad, "checks",
                                d.checks);
        char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
        if (text)
            puts(text);
        else
            s = context_fail(c, STATUS_MEMORY, "no memory for the findings");
        free(text);
        json_decref(all);
    }
    json_decref(d.checks);
    memory_delete(&d.list);
    if (s) return s;
    if (d.wrong) return context_fail(c, STATUS_SELFTEST, "of the devices checked, %d computes wrongly", d.wrong);
    if (!d.usable) return context_fail(c, STATUS_DEVICE, "no usable OpenCL device; the findings say what to mend");
    return STATUS_OK;
}
