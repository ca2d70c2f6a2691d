/* cosmocl doctor: what is wrong with this machine's OpenCL, and how to mend it. Everything that touches a driver runs
 * in a child process, so that a broken driver is a finding and not the end. */
#include "commands/common.h"
#include "commands/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/isolate.h"
#include "base/memory.h"
#include "ops/conv_tuning.h"

enum { DEVICES = 128, LIST_TIMEOUT_S = 120, DEVICE_TIMEOUT_S = 600, SLOW_FMA = 3 };

static const char *const verdict_names[] = {"ok", "note", "bad"};

void doctor_find(doctor *d, doctor_verdict v, const char *subject, const char *mend, const char *format, ...)
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

/* ---- devices */

static status list_devices(context *c, const void *user, void *data, size_t *size)
{
    (void)user;
    device_record *list = NULL;
    int count = 0;
    status s = device_list(c, &list, &count);
    if (s) return s;
    *size = sizeof *list * (size_t)(count < DEVICES ? count : DEVICES);
    memcpy(data, list, *size);
    memory_delete(&list);
    return STATUS_OK;
}

static status check_list(doctor *d)
{
    isolate_result r;
    status s = memory_new(d->c, "list of devices", DEVICES, sizeof *d->list, &d->list);
    if (!s) s = isolate_run(d->c, list_devices, NULL, LIST_TIMEOUT_S, d->list, DEVICES * sizeof *d->list, &r);
    if (s) return s;
    d->count = (int)(r.size / sizeof *d->list);
    if (r.s)
        doctor_find(d, BAD, "devices",
                    "run again with OCL_ICD_VENDORS=FILE.icd for each driver above to find the one at fault",
                    "listing them: %s", r.reason);
    else if (!d->count)
        doctor_find(d, BAD, "devices", DOCTOR_INSTALL, "the drivers offer no device%s",
                    d->drivers ? " (some need to be asked: rusticl wants RUSTICL_ENABLE=radeonsi, iris or llvmpipe)"
                               : "");
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
            doctor_find(d, NOTE, place, NULL, "quirk %s: %s", name, why);
        }
    if (r->largest_block_bytes < (size_t)256 << 20)
        doctor_find(d, NOTE, place, NULL,
                    "its largest block of memory is %.0f MiB: large networks and batches may not fit",
                    (double)r->largest_block_bytes / (1 << 20));
}

/* Where the kernel shapes come from. A damaged record of the user's stops every command that trains. */
static status check_tuning(doctor *d, const device_record *r, const char *place)
{
    tuning *t = NULL;
    const status s = tuning_new(d->c, r, &conv_tuning_rules, &t);
    if (!s) doctor_find(d, FINE, place, NULL, "kernel shapes: %s", t->matched);
    if (s == STATUS_DATA) doctor_find(d, BAD, place, "cosmocl tune", "%s", context_message(d->c));
    tuning_delete(&t);
    return s == STATUS_DATA ? STATUS_OK : s;
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
        doctor_find(
            d, FINE, place, NULL,
            "%s (%s, driver %s): builds kernels (%.1f s) and computes rightly (%d results, fma at %.2f of a product "
            "and a sum)",
            r->name, r->platform_name, r->driver, result.build_s, result.checks, result.fma_cost);
    } else if (answer.s == STATUS_SELFTEST) {
        d->wrong++;
        doctor_find(d, BAD, place, "update or replace its driver; do not use it until then", "%s", answer.reason);
    } else {
        doctor_find(d, BAD, place, "update or replace its driver, or name another device with --device",
                    "%s (%s, driver %s): %s", r->name, r->platform_name, r->driver, answer.reason);
    }
    note_quirks(d, r);
    if (result.fma_cost > SLOW_FMA)
        doctor_find(d, NOTE, place, NULL,
                    "a fused multiply-add costs %.0f times a product and a sum: right, but training is slow",
                    result.fma_cost);
    return check_tuning(d, r, place);
}

/* ---- all together */

/* By what the container runtimes leave to be seen. */
static const char *container(void)
{
    const char *name = getenv("container"); /* set by Podman, systemd-nspawn and LXC */
    if (getenv("APPTAINER_CONTAINER") || getenv("SINGULARITY_CONTAINER")) return "Apptainer";
    if (name && name[0]) return name;
    if (files_exists("/.dockerenv")) return "Docker";
    return files_exists("/run/.containerenv") ? "Podman" : NULL;
}

static status check_all(doctor *d, const char *spec)
{
    int chosen = -1;
    status s = doctor_drivers(d);
    if (!s) s = check_list(d);
    if (!s && spec && d->count) s = device_choose(d->c, d->list, d->count, spec, &chosen);
    for (int i = 0; i < d->count && !s; i++)
        if (chosen < 0 || chosen == i) s = check_device(d, &d->list[i]);
    if (!s) s = doctor_cards(d);
    return s ? s : doctor_storage(d);
}

/* STATUS_DEVICE when no device is usable, STATUS_SELFTEST when one computes wrongly. */
status command_doctor(context *c, const command_line *line)
{
    doctor d = {.c = c, .json = line->json, .checks = json_array(), .container = container()};
    status s = check_all(&d, line->device);
    if (!s && line->json) {
        json_t *all = json_pack("{s:i, s:i, s:i, s:O}", "schema", 1, "usable_devices", d.usable, "bad", d.bad, "checks",
                                d.checks);
        s = common_print_json(c, all, JSON_INDENT(2));
    }
    json_decref(d.checks);
    memory_delete(&d.list);
    if (s) return s;
    if (d.wrong) return context_fail(c, STATUS_SELFTEST, "of the devices checked, %d computes wrongly", d.wrong);
    if (!d.usable) return context_fail(c, STATUS_DEVICE, "no usable OpenCL device; the findings say what to mend");
    return STATUS_OK;
}
