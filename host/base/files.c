#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inject.h"
#include "base/memory.h"

enum { SLOW_US = 5000 };
static injection failures = {.variable = "COSMOCL_FAIL_WRITE"};

void files_fail_at(long n, bool stay)
{
    injection_set(&failures, n, stay, NULL);
}

void files_fail_as(long n, bool stay, const char *error)
{
    injection_set(&failures, n, stay, error);
}

long files_failure_left(void)
{
    return injection_left(&failures);
}

/* What is no failure: the system takes less than it is given, or its time, as on a disk across a network. */
static bool only_shorter(void)
{
    return failures.error && strcmp(failures.error, "SHORT") == 0;
}

static bool only_slower(void)
{
    return failures.error && strcmp(failures.error, "SLOW") == 0;
}

/* Whether this step of writing is made to fail, with errno as on a full disk unless another error is named. */
static bool injected(void)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {{"EIO", EIO}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"EACCES", EACCES}, {"ESTALE", ESTALE}};
    if (!injection_due(&failures) || only_shorter()) return false;
    if (only_slower()) {
        usleep(SLOW_US);
        return false;
    }
    errno = ENOSPC;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(failures.error, errors[i].name) == 0) errno = errors[i].number;
    return true;
}

/* A file system may tell only here that what was written did not arrive (NFS, quotas). */
static bool close_file(int fd)
{
    const bool failed = injected();
    const int error = errno;
    const bool closed = close(fd) == 0;
    if (failed) errno = error;
    return closed && !failed;
}

static status write_failed(context *c, const char *path, int error)
{
    const char *mend = error == ENOSPC || error == EDQUOT ? "; free some or choose another place with -o"
                       : error == ENOENT                  ? "; make its folder first"
                                                          : "; choose another place with -o";
    return context_fail(c, STATUS_FAILURE, "%s: cannot write: %s%s", path, strerror(error), mend);
}

/* A write that is made to fail leaves half of its data behind, as a disk that fills does. With the error SHORT the
 * system takes only half of what it is given, which is no failure. */
static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const size_t half = size > 1 ? size / 2 : 1;
        const bool shortened = only_shorter() && injection_due(&failures);
        const bool failed = !shortened && injected();
        const int error = errno;
        ssize_t n = write(fd, data, failed || shortened ? half : size);
        if (failed) errno = error;
        if (failed) return false;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/* Length of the folder part of path with its slash; 0: the working folder. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

void files_temporary(const char *path, char *temporary)
{
    static atomic_uint counter;
    /* The name's beginning is kept for whoever finds a left-over, short enough that the whole stays a legal name. */
    size_t folder = folder_length(path);
    unsigned long long t = (unsigned long long)(clock_seconds() * 1e6);
    int n = snprintf(temporary, FILES_PATH, "%.*s.%.100s.%lx-%llx-%x.tmp", (int)folder, path, path + folder,
                     (unsigned long)getpid(), t, atomic_fetch_add(&counter, 1));
    if (n >= FILES_PATH) temporary[0] = 0; /* opening it fails, with the path named */
}

/* Makes a rename in the folder of path last through a power cut. Some file systems cannot sync a folder: no error. */
static bool sync_folder(const char *path)
{
    if (injected()) return false;
    size_t n = folder_length(path);
    char folder[FILES_PATH] = ".";
    if (n > 0) {
        if (n >= sizeof folder) return false;
        memcpy(folder, path, n);
        folder[n] = 0;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES; /* a folder may be writable and not readable */
    bool good = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
    close(fd);
    return good;
}

/* A link is followed, so that the file it names is replaced and not the link. */
static const char *resolve(const char *path, char *resolved)
{
    struct stat about;
    if (lstat(path, &about) == 0 && S_ISLNK(about.st_mode) && realpath(path, resolved)) return resolved;
    return path;
}

status files_commit(context *c, const char *temporary, const char *path)
{
    char resolved[FILES_PATH];
    const char *target = resolve(path, resolved);
    struct stat about;
    int error = 0, fd = -1;
    bool existed = stat(target, &about) == 0;
    if (existed && !S_ISREG(about.st_mode)) {
        error = S_ISDIR(about.st_mode) ? EISDIR : EEXIST;
        goto out;
    }
    fd = injected() ? -1 : open(temporary, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        error = errno;
        goto out;
    }
    if (existed && fchmod(fd, about.st_mode & 07777) != 0 && errno != EPERM) error = errno;
    if (!error && (injected() || fsync(fd) != 0)) error = errno;
    if (!close_file(fd) && !error) error = errno;
    if (!error && (injected() || rename(temporary, target) != 0)) error = errno;
    if (!error && !sync_folder(target)) error = errno;
out:
    if (!error) return STATUS_OK;
    unlink(temporary);
    return write_failed(c, path, error);
}

/* Devices and pipes (-o /dev/stdout) are written to; a rename would replace them. */
static status write_special(context *c, const char *path, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return write_failed(c, path, errno);
    bool good = write_all(fd, data, size);
    int error = errno;
    if (!close_file(fd) && good) {
        good = false;
        error = errno;
    }
    return good ? STATUS_OK : write_failed(c, path, error);
}

status files_replace(context *c, const char *path, const void *data, size_t size)
{
    char resolved[FILES_PATH], temporary[FILES_PATH];
    const char *target = resolve(path, resolved);
    struct stat about;
    if (stat(target, &about) == 0 && !S_ISREG(about.st_mode)) {
        if (S_ISDIR(about.st_mode)) return write_failed(c, path, EISDIR);
        return write_special(c, path, data, size);
    }
    files_temporary(target, temporary);
    if (!temporary[0]) return write_failed(c, path, ENAMETOOLONG);
    int fd = injected() ? -1 : open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return write_failed(c, path, errno);
    bool good = write_all(fd, data, size);
    int error = errno;
    if (!close_file(fd) && good) {
        good = false;
        error = errno;
    }
    if (good) {
        status s = files_commit(c, temporary, target);
        return s == STATUS_OK || target == path ? s : context_prefix(c, s, "%s", path);
    }
    unlink(temporary);
    return write_failed(c, path, error);
}

/* Reads to the end rather than trusting the size: pipes and /proc have none. */
status files_read(context *c, const char *path, char **data, size_t *size)
{
    *data = NULL;
    if (size) *size = 0;
    char *text = NULL;
    size_t held = 0, room = 0;
    struct stat about;
    status s = STATUS_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0) {
        s = context_fail(c, STATUS_DATA, "%s: cannot open: %s", path, strerror(errno));
        goto out;
    }
    if (S_ISDIR(about.st_mode)) {
        s = context_fail(c, STATUS_DATA, "%s: is a folder, not a file", path);
        goto out;
    }
    size_t want = (S_ISREG(about.st_mode) && about.st_size > 0 ? (size_t)about.st_size : 0) + 4096;
    for (;;) {
        if (room - held < 2) {
            size_t more = room ? 2 * room : want;
            s = memory_grow(c, path, room, more, 1, &text);
            if (s != STATUS_OK) goto out;
            room = more;
        }
        ssize_t n = read(fd, text + held, room - held - 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            s = context_fail(c, STATUS_DATA, "%s: cannot read: %s", path, strerror(errno));
            goto out;
        }
        if (n == 0) break;
        held += (size_t)n;
    }
    text[held] = 0;
    *data = text;
    text = NULL;
    if (size) *size = held;
out:
    memory_delete(&text);
    if (fd >= 0) close(fd);
    return s;
}

/* One write call, so that lines of several processes do not mix and a full disk leaves no half line behind unnoticed:
 * what a failed append wrote is cut off again. */
status files_append_line(context *c, const char *path, const char *line)
{
    size_t size = strlen(line);
    char *text = NULL;
    status s = memory_new(c, "a line of a file", size + 2, 1, &text);
    if (s != STATUS_OK) return s;
    memcpy(text, line, size);
    text[size++] = '\n';
    int error = 0;
    int fd = injected() ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) {
        error = errno;
        goto out;
    }
    struct stat before;
    bool known = fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
    if (!write_all(fd, text, size)) {
        error = errno;
        if (known && ftruncate(fd, before.st_size) != 0) error = errno;
    }
    if (!close_file(fd) && !error) error = errno;
out:
    memory_delete(&text);
    return error ? write_failed(c, path, error) : STATUS_OK;
}

bool files_exists(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0;
}

static status make_folders(context *c, const char *path, mode_t last_mode)
{
    char part[FILES_PATH];
    status s = files_path(c, part, "%s", path);
    if (s != STATUS_OK) return s;
    size_t n = strlen(part);
    while (n > 1 && part[n - 1] == '/') part[--n] = 0;
    if (n == 0) return STATUS_OK;
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != 0) continue;
        char kept = *p;
        *p = 0;
        if (mkdir(part, kept ? 0777 : last_mode) != 0 && errno != EEXIST) {
            int error = errno;
            struct stat about; /* an existing folder under a read-only one answers EROFS */
            if (stat(part, &about) != 0 || !S_ISDIR(about.st_mode))
                return context_fail(c, STATUS_FAILURE, "%s: cannot make the folder: %s", part, strerror(error));
        }
        *p = kept;
        if (!kept) break;
    }
    struct stat about;
    if (stat(part, &about) != 0 || !S_ISDIR(about.st_mode))
        return context_fail(c, STATUS_FAILURE, "%s: cannot make the folder: a file has that name", part);
    return STATUS_OK;
}

status files_make_folder(context *c, const char *path)
{
    return make_folders(c, path, 0777);
}

status files_path(context *c, char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(path, FILES_PATH, format, arguments);
    va_end(arguments);
    if (n >= 0 && n < FILES_PATH) return STATUS_OK;
    return context_fail(c, STATUS_USAGE, "%.60s…: the path is longer than %d characters", path, FILES_PATH - 1);
}

static status cache_path(context *c, bool outlives_job, char *path)
{
    const char *own = getenv("COSMOCL_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const char *node = outlives_job ? NULL : getenv("SLURM_TMPDIR");
    if (!outlives_job && !node && getenv("SLURM_JOB_ID")) node = getenv("TMPDIR");
    if (!home || !home[0]) {
        struct passwd *me = getpwuid(geteuid());
        home = me ? me->pw_dir : NULL;
    }
    if (own && own[0]) return files_path(c, path, "%s", own);
    if (xdg && xdg[0]) return files_path(c, path, "%s/cosmocl", xdg);
    if (node && node[0]) return files_path(c, path, "%s/cosmocl-%lu", node, (unsigned long)geteuid());
    if (home && home[0]) return files_path(c, path, "%s/.cache/cosmocl", home);
    return files_path(c, path, "/tmp/cosmocl-%lu", (unsigned long)geteuid());
}

status files_own_folder(context *c, char *path)
{
    return context_prefix(c, cache_path(c, true, path), "cache folder");
}

status files_cache_folder(context *c, char *path)
{
    status s = cache_path(c, false, path);
    if (s == STATUS_OK) s = make_folders(c, path, 0700);
    if (s != STATUS_OK) return context_prefix(c, s, "cache folder");
    /* It holds programs that the driver runs: nobody else may put some there. */
    struct stat about;
    if (stat(path, &about) == 0 && about.st_uid != geteuid() && about.st_uid != 0 && geteuid() != 0)
        return context_fail(c, STATUS_FAILURE,
                            "cache folder %s: belongs to somebody else; set COSMOCL_CACHE to a folder of your own",
                            path);
    return STATUS_OK;
}
