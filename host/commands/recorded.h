/* How a file was made, as its group /provenance says: the configuration and the inputs. */
#ifndef COMMANDS_RECORDED_H
#define COMMANDS_RECORDED_H

#include "base/files.h"
#include "base/hash.h"
#include "commands/common.h"

typedef struct {
    config *cfg;  /* NULL where none is recorded (a checkpoint of another program's weights) */
    char *inputs; /* lines "HASH  PATH"; may be NULL */
} recorded;

status recorded_read(context *c, const char *path, recorded *out);
void recorded_delete(recorded *r);
/* Input number i (from 0); false: there is none. path has FILES_PATH bytes and may be NULL. */
bool recorded_input(const recorded *r, int i, char hash[HASH_TEXT], char *path);
/* The maps that a run was trained on, its input 0: those of --maps (a flag of the command) where it was given, else
 * those recorded. STATUS_USAGE that names `run` when they are not there or have another hash than the recorded one.
 * path has FILES_PATH bytes. */
status recorded_maps(context *c, const recorded *r, const command_line *line, const char *run, char *path);

/* Takes over the keys ("section.key", ended by NULL) that the user did not give. Those given must agree when `strict`:
 * else STATUS_USAGE that says how `what` (at path) was made. */
status recorded_adopt(context *c, const recorded *r, const char *path, const char *what, const char *const *keys,
                      bool strict, config *cfg);
/* Equal as values: "8,16" is "8, 16". */
bool recorded_same_value(const config *a, const config *b, const char *key);

#endif
