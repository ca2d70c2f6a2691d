/* What `stats --pairs` says of matched images beside what it says of any two sets. */
#ifndef COMMANDS_STATS_PAIRS_H
#define COMMANDS_STATS_PAIRS_H

#include <jansson.h>
#include "stats/file.h"

/* Adds "dice" and "pairs" to the result; nothing where the images are not matched. */
void stats_pairs_json(json_t *root, const stats_results *r);
void stats_pairs_print(const stats_results *r);

#endif
