/* cosmocl doctor: the drivers as the OpenCL loader finds them. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/isolate.h"
#include "base/memory.h"
#include "commands/doctor.h"

#define VENDORS "/etc/OpenCL/vendors"

enum { LOAD_TIMEOUT_S = 60 };

static status load_library(context *c, const void *user, void *data, size_t *size)
{
    (void)data;
    (void)size;
    if (dlopen(user, RTLD_NOW | RTLD_LOCAL)) return STATUS_OK;
    const char *why = dlerror();
    return context_fail(c, STATUS_DEVICE, "%s", why ? why : "cannot be loaded");
}

/* "libX.so.1: cannot open shared object file: …" of another library than the driver's own: its name, else "". */
static void missing_dependency(const char *reason, const char *library, char *name, size_t size)
{
    const char *end = strstr(reason, ": cannot open shared object file");
    name[0] = 0;
    if (!end || (size_t)(end - reason) >= size) return;
    snprintf(name, size, "%.*s", (int)(end - reason), reason);
    if (strcmp(name, library) == 0) name[0] = 0;
}

static status check_library(doctor *d, const char *from, const char *library)
{
    isolate_result r;
    char mend[FILES_PATH + 256], needed[256];
    status s = isolate_run(d->c, load_library, library, LOAD_TIMEOUT_S, NULL, 0, &r);
    if (s) return s;
    if (!r.s) {
        d->drivers++;
        doctor_find(d, FINE, "driver", NULL, "%s (%s)", library, from);
        return STATUS_OK;
    }
    missing_dependency(r.reason, library, needed, sizeof needed);
    if (needed[0]) {
        snprintf(mend, sizeof mend, "install %s (`apt-file search %s` names its package), or the driver anew", needed,
                 needed);
        doctor_find(d, BAD, "driver", mend, "%s (%s) needs the library %s, which is not there", library, from, needed);
        return STATUS_OK;
    }
    snprintf(mend, sizeof mend, "install the driver's package anew (`dpkg -S %s` names it), or remove %s", from, from);
    doctor_find(d, BAD, "driver", mend, "%s (%s): %s", library, from, r.reason);
    return STATUS_OK;
}

/* An .icd file holds the name of a library in its first line. */
static status check_icd(doctor *d, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    if (files_read(d->c, path, &text, &size)) {
        doctor_find(d, BAD, "driver", "make it readable", "%s", context_message(d->c));
        return STATUS_OK;
    }
    text[strcspn(text, "\r\n")] = 0;
    status s = STATUS_OK;
    if (text[0])
        s = check_library(d, path, text);
    else
        doctor_find(d, BAD, "driver", "write the name of the driver's library into it", "%s is empty", path);
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

/* A container sees the drivers of its own image and not those of the machine around it. */
static void no_driver(doctor *d, const char *where)
{
    char mend[512];
    if (!d->container) {
        doctor_find(d, BAD, "driver", DOCTOR_INSTALL, "there is no OpenCL driver%s", where);
        return;
    }
    snprintf(mend, sizeof mend,
             "install pocl-opencl-icd or the card's driver in the image; for an NVIDIA card start it with %s and write "
             "libnvidia-opencl.so.1 into " VENDORS "/nvidia.icd",
             strcmp(d->container, "Apptainer") == 0 ? "--nv"
                                                    : "--gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,utility");
    doctor_find(d, BAD, "driver", mend,
                "there is no OpenCL driver%s, and this is a container (%s): drivers of the host are not seen in it",
                where, d->container);
}

/* The loader reads OCL_ICD_VENDORS: a folder, an .icd file (here or in the usual folder), or a library. */
status doctor_drivers(doctor *d)
{
    const char *vendors = getenv("OCL_ICD_VENDORS");
    char path[FILES_PATH];
    struct stat info;
    status s = STATUS_OK;
    if (!vendors || !vendors[0]) {
        s = check_folder(d, VENDORS);
    } else {
        doctor_find(d, NOTE, "environment", NULL, "OCL_ICD_VENDORS=%s: only the drivers it names are seen", vendors);
        s = files_path(d->c, path, "%s%s", vendors[0] == '/' || files_exists(vendors) ? "" : VENDORS "/", vendors);
        if (!s && ends_with(vendors, ".icd") && files_exists(path))
            s = check_icd(d, path);
        else if (!s && !stat(vendors, &info) && S_ISDIR(info.st_mode))
            s = check_folder(d, vendors);
        else if (!s && strstr(vendors, ".so"))
            s = check_library(d, vendors, vendors);
        else if (!s)
            doctor_find(d, BAD, "environment", "unset OCL_ICD_VENDORS, or give it a folder, an .icd file or a library",
                        "%s is not there", vendors);
    }
    if (!s && !d->drivers)
        no_driver(d, vendors && vendors[0] ? "" : files_exists(VENDORS) ? " in " VENDORS : " (no folder " VENDORS ")");
    return s;
}
