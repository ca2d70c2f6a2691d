/* The maps that a run was trained on, divided as the run divided them: what select, generate and others judge by. */
#ifndef COMMANDS_TRAINED_H
#define COMMANDS_TRAINED_H

#include "commands/command.h"
#include "base/files.h"
#include "dataset/split.h"

typedef struct {
    config *cfg; /* of the run, as the checkpoint recorded it: its split is the one that was held out */
    maps m;
    dataset_split split;
    char path[FILES_PATH];
} trained_maps;

/* Of a checkpoint (a saved epoch): the maps file of --maps where the command has it and it was given, else the one that
 * the checkpoint recorded. STATUS_USAGE when that file is gone or is another. */
status trained_maps_find(context *c, const command_line *line, const char *checkpoint, trained_maps *out);
void trained_maps_delete(trained_maps *t); /* NULL-safe; zeroes it */

/* The configuration that made a checkpoint (config_delete). */
status trained_configuration(context *c, const char *checkpoint, config **out);

/* The images of one part (dataset/split.h), owned by the caller; STATUS_USAGE when there are fewer than two. */
status trained_maps_images(context *c, const trained_maps *t, dataset_part part, float **images, int64_t *count);

#endif
