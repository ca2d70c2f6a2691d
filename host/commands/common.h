/* Helpers that most commands need: the device they compute on and what their outputs say of their making. */
#ifndef COMMANDS_COMMON_H
#define COMMANDS_COMMON_H

#include <jansson.h>

#include "commands/command.h"
#include "device/device.h"
#include "io/provenance.h"

/* Opens the device of --device, run.device or COSMOCL_DEVICE, with run.budget_mib and run.profile, and says which. */
status common_open_device(context *c, const command_line *line, device **out);
/* Prints the time per kernel to the log (run.profile = true only; else nothing). */
/* Prints j as text by jansson's flags and releases it; NULL, what jansson gives without memory, is STATUS_MEMORY. */
status common_print_json(context *c, json_t *j, size_t flags);
status common_log_profile(context *c, const command_line *line, device *d);
/* Fills command line, configuration and seed; provenance_delete releases it. cfg NULL: that of the line. */
status common_provenance(context *c, const command_line *line, const config *cfg, provenance *p);
/* Fills the device and its self-test verdict: "passed", "not run", "forced: …". */
void common_provenance_device(provenance *p, const device *d, const char *verdict);
/* A word as a shell takes it: quoted where it needs it. */
void common_word(char *text, size_t size, const char *word);
/* The -o of the line, or the default when none was given; STATUS_USAGE when both are NULL. */
status common_output(context *c, const command_line *line, const char *otherwise, const char **out);

#endif
