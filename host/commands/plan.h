/* `pipeline --dry-run`: the stages with their sizes, the memory and the time they will take on this device, measured on
 * a few steps of the very configuration. */
#ifndef COMMANDS_PLAN_H
#define COMMANDS_PLAN_H

#include "commands/command.h"

/* STATUS_USAGE for what a later stage would refuse after hours of the first: 3D boxes, several redshifts. */
status plan_check(context *c, const config *cfg);
status plan_print(context *c, const command_line *line);

#endif
