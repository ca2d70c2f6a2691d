/* What every command gets: the parsed command line with the effective configuration. A command is one function in
 * host/commands/NAME.c and one row of the table in main.c. It prints its results to stdout; messages and progress go
 * through the context. */
#ifndef COMMANDS_COMMAND_H
#define COMMANDS_COMMAND_H

#include <stdint.h>
#include "base/config.h"

typedef struct command_line command_line;
typedef status command_function(context *c, const command_line *line);

/* A flag of one command's own: "--name ARGUMENT". */
typedef struct {
    const char *name;     /* "mesh", without the dashes; NULL ends a list */
    const char *argument; /* "N"; NULL: a switch without one */
    const char *help;
    const char *value; /* default, or NULL */
    const char *key;   /* configuration key that it sets too, or NULL */
} command_flag_row;

typedef struct {
    const char *group; /* heading in `cosmocl --help` */
    const char *name;  /* one word or two */
    const char *arguments;
    int least, most; /* of positional arguments; most -1: any number */
    const char *summary;
    command_function *run; /* NULL: not in this build */
    const char *sections;  /* of the configuration that it reads, "run, simulate" */
    const char *example;
    command_flag_row flags[12];
} command_row;

extern const command_row command_rows[]; /* ended by a NULL name */

enum { COMMAND_FLAGS = 12 };

struct command_line {
    const command_row *row;
    config *cfg;        /* effective: defaults, --preset, --config, --set */
    const char *device; /* of --device or run.device; NULL: none given */
    const char *out;    /* of -o; NULL: none given */
    bool json, resume, force, quiet, verbose;
    int count; /* of positional arguments */
    const char **argument;
    const char *flag[COMMAND_FLAGS]; /* values of row->flags as given, NULL: not given; "" of a switch */
    int argc;                        /* the whole command line, for provenance */
    char **argv;
    /* What the program itself answers. */
    bool help, version, completion;
};

/* The text of a flag of this command: as given, else its default, else NULL. A switch: "" or NULL. The name must be in
 * the row (assert). */
const char *command_flag(const command_line *line, const char *name);
/* Whether the user gave it. */
bool command_flag_given(const command_line *line, const char *name);
/* Numbers; *x stays when the flag has no value. STATUS_USAGE "--mesh ten: is not an integer". Bounds are inclusive. */
status command_flag_integer(context *c, const command_line *line, const char *name, int64_t minimum, int64_t maximum,
                            int64_t *x);
status command_flag_real(context *c, const command_line *line, const char *name, double minimum, double maximum,
                         double *x);
/* Index of the flag's text in "a|b|c". */
status command_flag_choice(context *c, const command_line *line, const char *name, const char *choices, int *index);

/* ---- arguments.c, help.c, terminal.c: for main.c ---- */

/* Parses and builds the configuration; command_line_delete also after a failure. */
status command_line_parse(context *c, int argc, char **argv, command_line *line);
void command_line_delete(command_line *line);
/* The row of one or two words, NULL if there is none. */
const command_row *command_find(const char *first, const char *second);

typedef struct {
    const char *name, *letter, *argument, *help;
} shared_flag;
extern const shared_flag shared_flags[]; /* ended by a NULL name */

void help_overview(void);
void help_command(const command_row *row);
void help_completion_bash(void);

/* Sinks on stderr: progress on one line of a terminal, every 10 s elsewhere. */
context_sinks terminal_sinks(log_level level, bool quiet);
void terminal_error(status s, const char *message);
/* SIGINT and SIGTERM ask c to stop; a second SIGINT ends the program with 130. */
void terminal_catch_signals(context *c);

/* ---- the commands; weak, so that a build without one says so when it is called ---- */
#define COMMAND(name) status command_##name(context *c, const command_line *line) __attribute__((weak))
COMMAND(devices);
COMMAND(doctor);
COMMAND(selftest);
COMMAND(tune);
COMMAND(bench);
COMMAND(memory);
COMMAND(cache);
COMMAND(simulate);
COMMAND(snapshot_info);
COMMAND(snapshot_convert);
COMMAND(snapshot_power);
COMMAND(maps);
COMMAND(maps_import);
COMMAND(dataset_info);
COMMAND(dataset_export);
COMMAND(train_gan);
COMMAND(train_encoder);
COMMAND(verify);
COMMAND(select);
COMMAND(generate);
COMMAND(infer);
COMMAND(stats);
COMMAND(report);
COMMAND(export);
COMMAND(import);
COMMAND(pipeline);
COMMAND(config_explain);
COMMAND(config_show);
#undef COMMAND

#endif
