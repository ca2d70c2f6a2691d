/* Tuning records: numbers by name for a device, and for single layers of it, from text files. Which names there are and
 * what they mean is the operators' affair (ops/conv_tuning.h); data/tuning/default.ini explains the form.
 *
 * What holds for a device are the values of the default that fits it, then those of the one record that fits best: the
 * user's own, which `cosmocl tune` writes and which stands over the program's best, else that of the exact device, of
 * its architecture, of its vendor. Later values of the same name win. */
#ifndef DEVICE_TUNING_H
#define DEVICE_TUNING_H

#include "base/files.h"
#include "device/device.h"

enum { TUNING_LAYER = 96, TUNING_NAME = 32 };

typedef struct {
    char layer[TUNING_LAYER]; /* "" the device's own */
    char name[TUNING_NAME];
    int value, line;
    int field;          /* what the check made of the name */
    const char *origin; /* the file; borrowed of the tuning */
} tuning_value;

typedef struct {
    tuning_value *values;
    int count, capacity;
    int own;                       /* the first of the user's */
    char matched[FILES_PATH + 32]; /* "default cpu", "architecture cpu-16", "user PATH" */
    char path[FILES_PATH];         /* of the user's record, whether there is one or not; "" without a folder for it */
} tuning;

/* What the operators know of a value: sets its field. STATUS_DATA for an unknown name or a number out of range. */
typedef status tuning_check(context *c, tuning_value *v);
typedef struct {
    tuning_check *check;
    int schema; /* of the names: a user's record of another is not read, which a warning says */
} tuning_rules;

/* All that holds for a device. STATUS_DATA "PATH:7: unknown key …; remove the file, or tune again" for a user's record
 * that is damaged or of another device. */
status tuning_new(context *c, const device_record *r, const tuning_rules *rules, tuning **out);
void tuning_delete(tuning **t);
/* The same of an open device, read once; borrowed. */
status device_tuning(context *c, device *d, const tuning_rules *rules, const tuning **out);

/* The user's record alone, from `path` (NULL: its own place): empty where there is none. */
status tuning_own_new(context *c, const device_record *r, const tuning_rules *rules, const char *path, tuning **out);
/* The same without reading it: to be made anew. */
status tuning_own_empty(context *c, const device_record *r, const char *path, tuning **out);
/* Sets a value of a layer, in place of an older one. */
status tuning_put(context *c, tuning *t, const char *layer, const char *name, int value);
/* The user's value; `otherwise` where it has none. */
int tuning_own_value(const tuning *t, const char *layer, const char *name, int otherwise);
/* Forgets the user's values of a layer. */
void tuning_drop(tuning *t, const char *layer);
/* Writes the user's record to t->path. */
status tuning_save(context *c, const tuning *t, const device_record *r, const tuning_rules *rules);

#endif
