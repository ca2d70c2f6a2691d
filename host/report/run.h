/* What a run folder holds, as far as the report needs it. Every part may be missing or damaged: the report says so. */
#ifndef REPORT_RUN_H
#define REPORT_RUN_H

#include <jansson.h>
#include "base/config.h"
#include "base/files.h"
#include "report/metrics.h"
#include "report/numbers.h"
#include "report/sample.h"

typedef enum {
    RUN_CONFIG,           /* config.ini; first, for it says what was not asked for */
    RUN_PARENTS,          /* maps.h5 */
    RUN_METRICS,          /* gan/metrics.jsonl */
    RUN_SELECT,           /* gan/select.json */
    RUN_TRUTH,            /* truth.h5 */
    RUN_GENERATED,        /* generated.h5 */
    RUN_STATS,            /* stats.h5 */
    RUN_UNTRAINED,        /* baseline_untrained.h5 */
    RUN_GAUSSIAN,         /* baseline_gaussian.h5 */
    RUN_UNTRAINED_STATS,  /* stats_untrained.h5 */
    RUN_GAUSSIAN_STATS,   /* stats_gaussian.h5 */
    RUN_ENCODER,          /* encoder/metrics.jsonl */
    RUN_PAIRS,            /* pairs.h5 */
    RUN_PAIRS_STATS,      /* stats_pairs.h5 */
    RUN_SANITY_GENERATED, /* stats_sanity_generated.h5 */
    RUN_SANITY_REAL,      /* stats_sanity_real.h5 */
    RUN_PIPELINE,         /* pipeline.json */
    RUN_PARTS
} run_part;

/* Attributes of /provenance of the last output of the run. */
enum { MADE_VERSION, MADE_COMMIT, MADE_DATE, MADE_DEVICE, MADE_SELFTEST, MADE_COMMAND, MADE_COUNT };

typedef struct {
    char folder[FILES_PATH];
    char note[RUN_PARTS][512]; /* why a part is not there; "" when it is */
    sample parents, truth, generated, untrained, gaussian;
    sample inferred, originals; /* pairs: what the autoencoder made of each original */
    metrics course, encoder;
    numbers stats, untrained_stats, gaussian_stats; /* truth against generated images and against the baselines' */
    numbers pairs;                                  /* originals against inferred images */
    numbers sanity_generated, sanity_real;          /* the encoder of the sanity experiment on both kinds of image */
    json_t *select, *pipeline;                      /* owned */
    char *configuration;                            /* owned: text of config.ini */
    config *settings;                               /* owned: the same, parsed; NULL when the text does not parse */
    char *made[MADE_COUNT];                         /* owned, NULL where unknown */
} run;

/* File of a part, relative to the run folder, and what it is to a reader ("the simulated maps"). */
const char *run_file(run_part part);
const char *run_meaning(run_part part);

/* STATUS_DATA when the folder has none of the parts; other troubles with a part end in its note. */
status run_read(context *c, const char *folder, run *r);
void run_delete(run *r);
bool run_has(const run *r, run_part part);
/* false: the configuration says that the run was not to make it, so that it is not missing. */
bool run_asked_for(const run *r, run_part part);
/* A number of the configuration, NaN when there is none. */
double run_setting(const run *r, const char *key);

/* One saved state of the generator in select.json. */
typedef struct {
    double epoch, step, score, error; /* NaN when unknown */
    const json_t *parts, *figures;    /* borrowed, NULL when missing */
} run_epoch;
int run_epochs(const run *r);
void run_epoch_get(const run *r, int i, run_epoch *e);
/* Index of the best epoch, −1 when the file names none. */
int run_best(const run *r);
/* A number of a JSON object, NaN when there is none. */
double run_number(const json_t *object, const char *name);

#endif
