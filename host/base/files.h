/* Files that are whole or absent: written to a temporary name beside the target, fsynced, renamed, folder fsynced. A
 * failed write (full disk, quota) removes the temporary and leaves the old file. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/context.h"

enum { FILES_PATH = 4096 };

/* Replaces path with size bytes. STATUS_FAILURE "PATH: cannot write: No space left on device; free some or choose
 * another place with -o". Tests make the n-th write fail (COSMOCL_FAIL_WRITE=n). */
status files_replace(context *c, const char *path, const void *data, size_t size);
/* The parts of files_replace for writers that stream: `temporary` gets FILES_PATH bytes. */
void files_temporary(const char *path, char *temporary);
status files_commit(context *c, const char *temporary, const char *path);
/* Whole file, with a terminating NUL behind it; released by memory_delete. STATUS_DATA if it is missing. */
status files_read(context *c, const char *path, char **data, size_t *size);
/* Appends a line (a newline is added) and flushes: metrics. */
status files_append_line(context *c, const char *path, const char *line);
bool files_exists(const char *path);
/* Makes a folder and its parents. */
status files_make_folder(context *c, const char *path);
/* printf into a path of FILES_PATH bytes; STATUS_USAGE when it is too long. */
status files_path(context *c, char *path, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The private cache folder, made with mode 0700: $COSMOCL_CACHE, $XDG_CACHE_HOME/cosmocl, node-local $SLURM_TMPDIR or
 * $TMPDIR under Slurm, ~/.cache/cosmocl. */
status files_cache_folder(context *c, char *path);
/* The same for what must outlive a job, so never a node's: $COSMOCL_CACHE, $XDG_CACHE_HOME/cosmocl, ~/.cache/cosmocl.
 * Its path alone: it is not made. */
status files_own_folder(context *c, char *path);

/* For tests: the n-th step of writing (open, write, close, sync, rename) from now on fails, 0: none. COSMOCL_FAIL_WRITE
 * does it from the start (inject.h). Once unless `stay`, as a full disk would. */
void files_fail_at(long n, bool stay);
/* The same with another error than that of a full disk: EIO, EDQUOT, EROFS, EACCES, ESTALE; and what is no failure,
 * SHORT: the system takes less than it is given, and SLOW: the step takes 5 ms. */
void files_fail_as(long n, bool stay, const char *error);
/* Steps up to that one, with it; 0: it has come. */
long files_failure_left(void);

#endif
