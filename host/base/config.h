/* The effective configuration of a run: the table of options (options.h) with the values of defaults, preset, file and
 * --set, in this order. Keys are "section.name" and come from the table alone: asking for a key that is not in it is a
 * programming error (assert), a user's unknown key is STATUS_USAGE with a suggestion. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdint.h>
#include "base/context.h"

typedef struct config config;

status config_new(context *c, config **out); /* all defaults */
status config_copy(context *c, const config *from, config **out);
void config_delete(config **cfg);

/* `origin` names where the value came from, for messages ("quick.ini:12", "--set"). Checks type, range and choices. */
status config_set(context *c, config *cfg, const char *key, const char *value, const char *origin);
/* "section.key=value" */
status config_set_pair(context *c, config *cfg, const char *pair, const char *origin);
/* INI text; origin is the file's name. Every error names origin:line. */
status config_read(context *c, config *cfg, const char *text, const char *origin);
status config_read_file(context *c, config *cfg, const char *path);
/* An embedded preset by name (data/presets/NAME.ini). STATUS_USAGE lists those there are. */
status config_read_preset(context *c, config *cfg, const char *name);

int64_t config_integer(const config *cfg, const char *key);
double config_real(const config *cfg, const char *key);
bool config_flag(const config *cfg, const char *key);
/* Text and choice keys; borrowed. */
const char *config_text(const config *cfg, const char *key);
/* Index of a choice key's value in its table row. */
int config_choice(const config *cfg, const char *key);
/* Lists of numbers ("0, 0.5, 1"): count, and the values (borrowed). */
const double *config_list(const config *cfg, const char *key, int *count);
/* Whether the user (preset, file or --set) gave it. */
bool config_is_set(const config *cfg, const char *key);

/* The whole effective configuration as INI text, sections and keys in table order; released by memory_delete. */
status config_write(context *c, const config *cfg, char **text);

#endif
