/* What a command needs before it computes: a device that has passed its self-test, and the file that an argument means.
 */
#ifndef COMMANDS_READY_H
#define COMMANDS_READY_H

#include "commands/common.h"

/* Opens the device, requires its self-test (--force goes on without, and says so in the outputs) and fills the
 * provenance of the outputs: command line, configuration, seed, device, verdict. */
status ready_device(context *c, const command_line *line, provenance *origin, device **out);
/* The same for work with the networks of a checkpoint, which knows their algorithm. */
status ready_trained_device(context *c, const command_line *line, const char *checkpoint_path, provenance *origin,
                            device **out);
/* The checkpoint that an argument means: a file as it is; of a training run's folder the epoch given (may be NULL),
 * else the best by its validation (best.h5), else the selected one (select.json), else the last saved. path has
 * FILES_PATH bytes. */
status ready_checkpoint(context *c, const char *argument, const char *epoch, char *path);
/* Whether the file at path, made by this command before, is of the same configuration in the sections and keys "a, b.c"
 * (and the seed) but for the keys in `free` ("section.key", ended by NULL); else STATUS_USAGE that names the first key
 * that differs and how to replace the file. STATUS_DATA when the file says nothing of its configuration. */
status ready_same_configuration(context *c, const char *path, const config *cfg, const char *sections,
                                const char *const *free);
/* Whether a run in the folder may go on: made of the same configuration (as above) and the same inputs, which `inputs`
 * names for the message in the order of origin's ("other maps", ended by NULL). A mixture of two runs no one could
 * repeat. */
status ready_resume(context *c, const command_line *line, const char *folder, const char *sections,
                    const char *const *free, const provenance *origin, const char *const *inputs);
/* The command that goes on with this one, by the name that this program was called by ($COSMOCL_CALLED_AS where a
 * script called it). */
void ready_resume_hint(const command_line *line, const provenance *origin, char *hint, size_t size);

#endif
