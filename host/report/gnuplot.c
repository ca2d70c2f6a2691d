#include "report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/files.h"
#include "base/memory.h"

enum { GNUPLOT_SECONDS = 120 };

static const char *program(void)
{
    const char *p = getenv("COSMOCL_GNUPLOT");
    return p && *p ? p : "gnuplot";
}

static bool runnable(const char *path)
{
    struct stat st;
    return !access(path, X_OK) && !stat(path, &st) && S_ISREG(st.st_mode);
}

bool gnuplot_available(char *why, size_t size)
{
    const char *name = program(), *path = getenv("PATH");
    bool found = strchr(name, '/') && runnable(name);
    while (!found && !strchr(name, '/') && path && *path) {
        char file[FILES_PATH];
        size_t n = strcspn(path, ":");
        int length = snprintf(file, sizeof file, "%.*s%s%s", (int)n, path, n ? "/" : "", name);
        found = length > 0 && length < (int)sizeof file && runnable(file);
        path += n + (path[n] == ':');
    }
    if (!found)
        snprintf(why, size,
                 "the program %s was not found, so there are no curves; install the package gnuplot-nox "
                 "(Debian, Ubuntu) or gnuplot (Fedora, conda-forge, Homebrew) and make the report again",
                 name);
    return found;
}

/* Only async-signal-safe calls between fork and exec: other threads may hold locks. */
static void child_runs(const char *folder, char *const arguments[])
{
    int log = chdir(folder) ? -1 : open("gnuplot.log", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int nothing = open("/dev/null", O_RDONLY);
    if (log < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(126);
    signal(SIGALRM, SIG_DFL);
    alarm(GNUPLOT_SECONDS); /* survives the exec */
    execvp(arguments[0], arguments);
    _exit(127);
}

/* The last bytes of gnuplot.log, on one line. */
static void log_end(context *c, const char *folder, char *text, size_t size)
{
    char path[FILES_PATH], *log = NULL;
    size_t n = 0;
    context *quiet = context_child(c);
    text[0] = 0;
    if (quiet && !files_path(quiet, path, "%s/gnuplot.log", folder) && !files_read(quiet, path, &log, &n)) {
        snprintf(text, size, "%s", log + (n >= size ? n - size + 1 : 0));
        for (char *p = text; *p; p++)
            if (*p == '\n' || *p == '\r') *p = ' ';
    }
    memory_delete(&log);
    context_delete(&quiet);
}

status gnuplot_run(context *c, const char *folder, const char *script, const char *argument)
{
    char name[FILES_PATH], file[256], figure[256], text[300];
    char flags[] = "-d", call[] = "-c";
    snprintf(name, sizeof name, "%s", program());
    snprintf(file, sizeof file, "%s", script);
    snprintf(figure, sizeof figure, "%s", argument);
    char *const arguments[] = {name, flags, call, file, figure, NULL};
    int state = 0;
    pid_t pid = fork();
    if (pid < 0) return context_fail(c, STATUS_FAILURE, "gnuplot: cannot start: %s", strerror(errno));
    if (pid == 0) child_runs(folder, arguments);
    while (waitpid(pid, &state, 0) < 0)
        if (errno != EINTR) return context_fail(c, STATUS_FAILURE, "gnuplot: cannot wait: %s", strerror(errno));
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return STATUS_OK;
    if (WIFSIGNALED(state))
        return context_fail(c, STATUS_FAILURE, "gnuplot %s %s: ended by signal %d%s", script, argument, WTERMSIG(state),
                            WTERMSIG(state) == SIGALRM ? " (it took too long)" : "");
    log_end(c, folder, text, sizeof text);
    return context_fail(c, STATUS_FAILURE, "gnuplot %s %s: failed with code %d: %s", script, argument,
                        WEXITSTATUS(state), text);
}
