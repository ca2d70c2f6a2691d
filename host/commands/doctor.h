/* What the parts of `cosmocl doctor` share: the findings, and one function per part of the machine. */
#ifndef COMMANDS_DOCTOR_H
#define COMMANDS_DOCTOR_H

#include <jansson.h>
#include "commands/command.h"
#include "device/health.h"

#define DOCTOR_INSTALL "install a driver; pocl-opencl-icd (Debian, Ubuntu) or pocl (conda-forge) computes on any CPU"

typedef enum { FINE, NOTE, BAD } doctor_verdict;

typedef struct {
    context *c;
    bool json;
    json_t *checks;
    int bad;
    const char *container; /* "Docker": what this process runs in; NULL: no container is known */
    int drivers;           /* that load */
    device_record *list;   /* devices of the drivers */
    int count, usable, wrong;
} doctor;

/* One finding: printed at once, or kept for --json. mend NULL: nothing to do. */
void doctor_find(doctor *d, doctor_verdict v, const char *subject, const char *mend, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The drivers that the OpenCL loader finds, each loaded in a child process. */
status doctor_drivers(doctor *d);
/* Cards that have no driver, device files that may not be opened, what a container lacks. Needs d->list. */
status doctor_cards(doctor *d);
/* The cache of kernels and the folder that the command was called in. Needs d->list. */
status doctor_storage(doctor *d);

#endif
