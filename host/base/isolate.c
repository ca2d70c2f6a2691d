#include "base/isolate.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

/* What goes through the pipe before the answer. */
typedef struct {
    status s;
    char message[512];
    size_t size;
} head;

static bool write_all(int fd, const void *data, size_t size)
{
    const char *p = data;
    while (size) {
        const ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static void child(context *c, isolate_function *f, const void *user, size_t capacity, int fd)
{
    void *data = NULL;
    head h = {0};
    const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
    for (int i = 0; i < 4; i++)
        signal(fatal[i], SIG_DFL); /* a crash is an answer: no report of a sanitizer's, no core */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    h.s = memory_new(c, "answer", capacity + 1, 1, &data);
    if (!h.s) h.s = f(c, user, data, &h.size);
    if (h.s) {
        h.size = 0;
        snprintf(h.message, sizeof h.message, "%s", context_message(c));
    }
    const bool ok = write_all(fd, &h, sizeof h) && write_all(fd, data, h.size);
    _exit(ok ? 0 : 1); /* not exit: the parent's buffers and handlers are not the child's */
}

/* Reads up to size bytes until the end of the pipe or the deadline; false when the deadline came first. */
static bool read_until(int fd, char *data, size_t size, double deadline_s, size_t *got)
{
    *got = 0;
    for (;;) {
        const double left = deadline_s - clock_seconds();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        const int ready = left > 0 ? poll(&p, 1, (int)(left * 1e3) + 1) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        const ssize_t n = read(fd, data + *got, size - *got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return true;
        *got += (size_t)n;
    }
}

status isolate_run(context *c, isolate_function *f, const void *user, double timeout_s, void *data, size_t capacity,
                   isolate_result *result)
{
    int ends[2], how = 0;
    char *all = NULL;
    head h;
    size_t got = 0;
    const size_t room = sizeof h + capacity + 1;
    *result = (isolate_result){.s = STATUS_FAILURE};
    status s = memory_new(c, "answer of a check", room, 1, &all);
    if (s) return s;
    if (pipe(ends)) {
        memory_delete(&all);
        return context_fail(c, STATUS_FAILURE, "no pipe to a child process: %s", strerror(errno));
    }
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(c, f, user, capacity, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        s = context_fail(c, STATUS_FAILURE, "no child process: %s", strerror(errno));
        goto out;
    }
    const bool in_time = read_until(ends[0], all, room, clock_seconds() + timeout_s, &got);
    if (!in_time) kill(pid, SIGKILL);
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
        ;
    if (!in_time)
        snprintf(result->reason, sizeof result->reason, "did not answer within %.0f s", timeout_s);
    else if (WIFSIGNALED(how))
        snprintf(result->reason, sizeof result->reason, "crashed (%s)", strsignal(WTERMSIG(how)));
    else if (got < sizeof h || (memcpy(&h, all, sizeof h), got != sizeof h + h.size || h.size > capacity))
        snprintf(result->reason, sizeof result->reason, "ended the process (exit code %d)", WEXITSTATUS(how));
    else {
        result->back = true;
        result->s = h.s;
        result->size = h.size;
        snprintf(result->reason, sizeof result->reason, "%s", h.message);
        if (h.size) memcpy(data, all + sizeof h, h.size);
    }
out:
    close(ends[0]);
    memory_delete(&all);
    return s;
}
