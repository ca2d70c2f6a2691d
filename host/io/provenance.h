/* What every output says of its making, as attributes of the group /provenance: version, commit, command line,
 * effective configuration (INI text), date, device, driver, self-test verdict, seed, hashes of the inputs. */
#ifndef IO_PROVENANCE_H
#define IO_PROVENANCE_H

#include "base/config.h"
#include "io/hdf5.h"

enum { PROVENANCE_INPUTS = 64 };

typedef struct {
    char command_line[2048];
    char device[512];    /* "none" where no device was opened */
    char selftest[64];   /* "passed", "forced: FAILED conv_forward", "none" */
    char *configuration; /* owned: INI text */
    int64_t seed;
    int inputs;
    char input_path[PROVENANCE_INPUTS][256];
    char input_hash[PROVENANCE_INPUTS][33];
} provenance;

void provenance_delete(provenance *p); /* releases what it owns and zeroes it */
/* Adds an input by hashing the file; beyond PROVENANCE_INPUTS only counted. */
status provenance_input(context *c, provenance *p, const char *path);
status provenance_write(context *c, const provenance *p, h5_file *f);
/* The effective configuration stored in a file; memory_delete. */
status provenance_read_configuration(context *c, h5_file *f, char **text);

#endif
