/* Where messages go: stderr. On a terminal, progress is one line that is written over and over; elsewhere (a log file,
 * a batch system) a plain line now and then. Several threads may call. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "commands/command.h"

#define TERMINAL_INTERVAL_S 0.1
#define PLAIN_INTERVAL_S 10.

static struct {
    pthread_mutex_t lock;
    bool terminal, color, open_line; /* open_line: a progress line stands on the terminal */
    double last_s;                   /* of the last progress line */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void clear_line(void)
{
    if (state.open_line) fputs("\r\033[K", stderr);
    state.open_line = false;
}

static void print_line(void *user, log_level level, const char *text)
{
    (void)user;
    static const char *const names[] = {"error: ", "warning: ", "", "debug: "};
    pthread_mutex_lock(&state.lock);
    clear_line();
    const char *color = !state.color || level > LOG_WARNING ? "" : level == LOG_ERROR ? "\033[31m" : "\033[33m";
    fprintf(stderr, "cosmocl: %s%s%s%s\n", color, names[level], color[0] ? "\033[0m" : "", text);
    fflush(stderr);
    pthread_mutex_unlock(&state.lock);
}

/* Bytes of text that fit on one line of the terminal; no UTF-8 letter is cut in two. */
static int fitting(const char *text)
{
    struct winsize size = {0};
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79, bytes = 0;
    for (int letters = 0; text[bytes]; bytes++) {
        bool begins = ((unsigned char)text[bytes] & 0xc0) != 0x80;
        if (begins && letters++ == columns) break;
    }
    return bytes;
}

static void print_progress(void *user, const char *text, bool last)
{
    (void)user;
    pthread_mutex_lock(&state.lock);
    double now = clock_seconds();
    bool due = now - state.last_s >= (state.terminal ? TERMINAL_INTERVAL_S : PLAIN_INTERVAL_S);
    if (last || due) {
        if (state.terminal)
            fprintf(stderr, "\r\033[K%.*s%s", fitting(text), text, last ? "\n" : "");
        else
            fprintf(stderr, "cosmocl: %s\n", text);
        fflush(stderr);
        state.open_line = state.terminal && !last;
        state.last_s = now;
    }
    pthread_mutex_unlock(&state.lock);
}

context_sinks terminal_sinks(log_level level, bool quiet)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    state.terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    state.color = state.terminal && !(no_color && no_color[0]);
    state.last_s = clock_seconds();
    return (context_sinks){.line = print_line, .progress = quiet ? NULL : print_progress, .level = level};
}

void terminal_error(status s, const char *message)
{
    const char *text = message[0] ? message : cosmocl_status_text(s);
    if (s != STATUS_STOPPED && s != STATUS_INTERRUPTED) {
        print_line(NULL, LOG_ERROR, text);
        return;
    }
    pthread_mutex_lock(&state.lock);
    clear_line();
    const char *word = s == STATUS_STOPPED ? "stopped" : "interrupted";
    bool says_so = strncmp(text, word, strlen(word)) == 0;
    fprintf(stderr, "cosmocl: %s%s%s\n", says_so ? "" : word, says_so ? "" : ": ", text);
    pthread_mutex_unlock(&state.lock);
}

static context *signal_context;
static volatile sig_atomic_t interrupts;

static void on_signal(int number)
{
    static const char once[] = "\ncosmocl: stopping as soon as the state is saved; interrupt again to quit at once\n";
    context *c = signal_context;
    if (number == SIGINT && interrupts++ > 0) _exit(STATUS_INTERRUPTED);
    if (c) context_request_stop(c);
    if (number == SIGINT) {
        ssize_t ignored = write(STDERR_FILENO, once, sizeof once - 1);
        (void)ignored;
    }
}

void terminal_catch_signals(context *c)
{
    signal_context = c;
    if (!c) return; /* the handlers stay: a second SIGINT still ends the program */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;
    sigemptyset(&action.sa_mask);
    const int numbers[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        /* Who started the program with a signal ignored (nohup, a background job) wants it so. */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN) continue;
        sigaction(numbers[i], &action, NULL);
    }
}
