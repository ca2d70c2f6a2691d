/* The context of a piece of work: the error message that grows as it travels up, where logs and progress go, and
 * whether someone asked to stop. Every function that can fail takes one first and returns a status. The library itself
 * never prints and never exits: the sinks do what the program wants.
 *
 * One context belongs to one thread. Threads that work side by side take a child each (context_child), which shares the
 * sinks and the stop flag; the parent takes over the first child's message with context_take. */
#ifndef BASE_CONTEXT_H
#define BASE_CONTEXT_H

#include <stdbool.h>
#include "base/status.h"

typedef struct context context;

typedef enum { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG } log_level;

/* Where logs and progress go. `line` gets whole lines without a newline. `progress` gets the one-line state of a
 * running stage (`last` marks its final line). Either may be NULL. May be called from several threads at once. */
typedef struct {
    void (*line)(void *user, log_level level, const char *text);
    void (*progress)(void *user, const char *text, bool last);
    void *user;
    log_level level; /* lines above it are dropped */
} context_sinks;

/* NULL if memory is out. */
context *context_new(const context_sinks *sinks);
context *context_child(context *parent);
void context_delete(context **c);

/* Sets the message, replacing an older one, and returns s: `return context_fail(c, STATUS_DATA, "%s: …", path)`. */
status context_fail(context *c, status s, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts "format: " before the message on its way up and returns s unchanged. */
status context_prefix(context *c, status s, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The message of the last failure; "" when there was none. Valid until the next call on c. */
const char *context_message(const context *c);
/* Takes the message of a child (NULL-safe) and returns s. */
status context_take(context *c, const context *child, status s);

void context_log(context *c, log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
#define log_info(c, ...) context_log(c, LOG_INFO, __VA_ARGS__)
#define log_warning(c, ...) context_log(c, LOG_WARNING, __VA_ARGS__)
#define log_debug(c, ...) context_log(c, LOG_DEBUG, __VA_ARGS__)

/* Hands the one-line state of a running stage to the sink; progress.h makes the text. */
void context_progress(context *c, const char *text, bool last);

/* Stop requests. SIGINT and SIGTERM handlers call context_request_stop (async-signal-safe); long loops poll
 * context_stop_requested between steps, save, and return STATUS_STOPPED (where they can resume) or STATUS_INTERRUPTED.
 */
void context_request_stop(context *c);
bool context_stop_requested(const context *c);

#endif
