/* Whole commands in this process while one thing after the other fails: every allocation, every call into OpenCL, every
 * step of writing. Each time there must be the right exit code, a message that says what failed, nothing half-written,
 * no block, buffer, HDF5 object or file left open, and what was saved must be good to go on from.
 *
 * The device is opened once: device_open and device_delete are wrapped by the linker (cmake/tests.cmake), so that a run
 * takes milliseconds. Opening and building are swept by device_failures.c. Every sweep runs in a child process; one
 * that crashes or hangs is counted and goes on behind the failure that did it. */
#ifndef TESTS_FAULT_SWEEP_H
#define TESTS_FAULT_SWEEP_H

#include <dirent.h>
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/rng.h"
#include "device/internal.h"
#include "io/maps_file.h"
#include "nets/checkpoint.h"

int cosmocl_main(int argc, char **argv);
#define main cosmocl_main
#include "commands/main.c"
#undef main

#define TINY                                                                                                           \
    " --set network.filters=8,16 --set network.latent=8 --set gan.batch=6 --set gan.micro_batch=3"                     \
    " --set dataset.validation=2 --set dataset.test=2"
#define ENCODER " --set encoder.batch=6 --set encoder.micro_batch=3"

enum { MAPS = 12, SIDE = 32, SECONDS_A_RUN = 60, SECONDS_OF_BUILDING = 600, ARGUMENTS = 64, FAR = 1 << 30 };

typedef struct {
    const char *name, *prepare; /* shell commands, in the test's folder */
    const char *arguments;
    const char *out;  /* file that it writes; NULL: none */
    const char *goes; /* of a training run: what goes on after a failure, ending as `arguments` do */
} command_case;

static const command_case cases[] = {
    {"train gan", "rm -rf run", "train gan maps.h5" TINY " --steps 2 --set gan.save_every=1 -o run", NULL,
     "train gan maps.h5" TINY " --steps 2 --set gan.save_every=1 -o run --resume"},
    {"train gan --resume", "rm -rf run; cp -r base run",
     "train gan maps.h5" TINY " --steps 3 --set gan.save_every=1 -o run --resume", NULL,
     "train gan maps.h5" TINY " --steps 3 --set gan.save_every=1 -o run --resume"},
    {"train encoder", "rm -rf code",
     "train encoder maps.h5 base" TINY ENCODER " --steps 2 --set encoder.save_every=1 -o code", NULL,
     "train encoder maps.h5 base" TINY ENCODER " --steps 2 --set encoder.save_every=1 -o code --resume"},
    {"infer", NULL, "infer maps.h5 encoder" TINY " -o out.h5", "out.h5", NULL},
    {"generate", NULL, "generate base --count 3 -o out.h5", "out.h5", NULL},
    {"select", "rm -f base/select.json", "select base --maps maps.h5 --count 8", NULL, NULL},
    {"stats", NULL, "stats --truth maps.h5 --model generated.h5 --crop 16 -o out.h5", "out.h5", NULL},
    {"simulate", "rm -rf boxes",
     "simulate --set simulate.boxes=1 --set simulate.particles=16 --set simulate.mesh=16 --set simulate.steps=2 -o "
     "boxes",
     NULL, NULL},
    {"maps", NULL, "maps box.h5 --pixels 32 -o out.h5", "out.h5", NULL},
};
enum { CASES = sizeof cases / sizeof *cases, ALLOCATIONS = 0, CALLS, WRITES, KINDS };
static const char *const kind_names[KINDS] = {"allocation", "OpenCL call", "write"};

typedef struct {
    long total, failed, clear, harmless, crashes, hangs, leaks, torn, gone_on;
} counts;

/* Shared with the children. */
static struct {
    counts of[CASES][KINDS];
    long at[CASES][KINDS]; /* the failure of the run in progress */
} * shared;

static device *kept;
static char folder[64];
static int errors_fd;
static FILE *report;

status __real_device_open(context *c, const device_options *o, device **out);
status __wrap_device_open(context *c, const device_options *o, device **out);
void __wrap_device_delete(device **d);

status __wrap_device_open(context *c, const device_options *o, device **out)
{
    status s = kept ? STATUS_OK : __real_device_open(c, o, &kept);
    if (kept) kept->late = CL_SUCCESS;
    *out = kept;
    return s;
}

void __wrap_device_delete(device **d)
{
    if (d) *d = NULL;
}

static bool is_built(const command_case *k)
{
    for (const command_row *r = command_rows; r->name; r++)
        if (r->run && strncmp(k->arguments, r->name, strlen(r->name)) == 0 && k->arguments[strlen(r->name)] == ' ')
            return true;
    return false;
}

/* ---- one run */

static int call(const char *arguments, unsigned seconds)
{
    char text[1024], *argv[ARGUMENTS] = {"cosmocl"};
    int argc = 1;
    snprintf(text, sizeof text, "%s", arguments);
    for (char *word = strtok(text, " "); word && argc < ARGUMENTS - 1; word = strtok(NULL, " ")) argv[argc++] = word;
    if (ftruncate(errors_fd, 0) || lseek(errors_fd, 0, SEEK_SET)) return -1;
    alarm(seconds);
    const int code = cosmocl_main(argc, argv);
    alarm(0);
    return code;
}

static void errors_read(char *text, size_t size)
{
    ssize_t n = pread(errors_fd, text, size - 1, 0);
    text[n > 0 ? n : 0] = 0;
}

static void set_failure(int kind, long n)
{
    memory_fail_at(kind == ALLOCATIONS ? n : 0);
    opencl_inject(kind == CALLS ? n : 0);
    files_fail_at(kind == WRITES ? n : 0, false);
}

static long failure_left(int kind)
{
    return kind == ALLOCATIONS ? memory_failure_left() : kind == CALLS ? opencl_injection_left() : files_failure_left();
}

/* What a run may not leave behind: blocks, bytes on the device, HDF5 objects, open files, temporaries. */
typedef struct {
    long blocks, bytes, objects, files, temporaries;
} holding;

static long entries(const char *path, const char *end)
{
    long n = 0;
    DIR *d = opendir(path);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        const size_t size = strlen(e->d_name), tail = strlen(end);
        n += size >= tail && strcmp(e->d_name + size - tail, end) == 0;
    }
    if (d) closedir(d);
    return n;
}

static holding held(void)
{
    holding h = {.blocks = memory_live(), .objects = H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL)};
    static const char *const places[] = {".", "run", "run/epochs", "code", "code/epochs", "boxes", "base"};
    if (kept) h.bytes = (long)device_bytes_used(kept);
    h.files = entries("/proc/self/fd", "");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) h.temporaries += entries(places[i], ".tmp");
    return h;
}

static bool same_holding(const holding *a, const holding *b)
{
    return a->blocks == b->blocks && a->bytes == b->bytes && a->objects == b->objects && a->files == b->files &&
           a->temporaries == b->temporaries;
}

static bool is_clear(int kind, int code, const char *errors)
{
    const char *error = strstr(errors, "error: ");
    if (!error || strstr(error + 1, "error: ")) return false;
    switch (kind) {
    case ALLOCATIONS:
        return code == 4 && strstr(error, "no memory for");
    case CALLS: /* the device is not known yet while devices are listed */
        return code == 3 && strstr(error, "CL_OUT_OF_RESOURCES") &&
               (strstr(error, device_info(kept)->name) || strstr(error, "OpenCL"));
    default:
        return code == 1 && strstr(error, "No space left on device; free some") && strstr(error, "cannot write");
    }
}

/* ---- a training run after a failure */

static status chain_of(context *c, const command_case *k, char chain[SHA256_TEXT])
{
    checkpoint state;
    status s = checkpoint_describe(c, strstr(k->arguments, "-o run") ? "run/state.h5" : "code/state.h5", &state);
    if (!s) memcpy(chain, state.chain, SHA256_TEXT);
    return s;
}

/* Goes on with what the failed run left, or from the start where it left nothing, and compares the end. */
static bool goes_on(context *c, const command_case *k, const char *expected)
{
    char chain[SHA256_TEXT] = "";
    const char *run = strstr(k->arguments, "-o run") ? "run" : "code";
    char state[64], previous[64];
    snprintf(state, sizeof state, "%s/state.h5", run);
    snprintf(previous, sizeof previous, "%s/state.previous.h5", run);
    const bool any = files_exists(state) || files_exists(previous);
    if (call(any ? k->goes : k->arguments, SECONDS_A_RUN)) return false;
    return chain_of(c, k, chain) == STATUS_OK && strcmp(chain, expected) == 0;
}

/* ---- the sweep of one command and one kind of failure */

static void begin_run(const command_case *k)
{
    if (k->prepare && system(k->prepare)) fprintf(report, "%s: cannot prepare\n", k->name);
    if (k->out) {
        FILE *f = fopen(k->out, "w");
        fputs("old", f);
        fclose(f);
    }
}

/* "old", or an HDF5 file. */
static bool out_is_whole(const command_case *k, int code)
{
    char text[9] = "";
    FILE *f = k->out ? fopen(k->out, "r") : NULL;
    if (!k->out) return true;
    const size_t n = f ? fread(text, 1, 8, f) : 0;
    if (f) fclose(f);
    return code ? n == 3 && strcmp(text, "old") == 0 : n == 8 && memcmp(text, "\x89HDF", 4) == 0;
}

static void complain(const command_case *k, int kind, long n, int code, const char *why)
{
    char errors[4096];
    errors_read(errors, sizeof errors);
    fprintf(report, "%s, %s %ld: exit code %d, %s:\n%s", k->name, kind_names[kind], n, code, why, errors);
    fflush(report);
}

static void one_failure(context *c, const command_case *k, int kind, long n, const char *chain, counts *t)
{
    char errors[8192];
    begin_run(k);
    const holding before = held();
    set_failure(kind, n);
    const int code = call(k->arguments, SECONDS_A_RUN);
    set_failure(kind, 0);
    const holding after = held();
    errors_read(errors, sizeof errors);
    t->failed++;
    if (code == 0)
        t->harmless++;
    else if (is_clear(kind, code, errors))
        t->clear++;
    else
        complain(k, kind, n, code, "not clear");
    if (!out_is_whole(k, code)) {
        /* The last step of writing, the sync of the folder, comes when the new file is in place. */
        if (kind != WRITES || !out_is_whole(k, 0)) {
            t->torn++;
            complain(k, kind, n, code, "the output is neither old nor new");
        }
    }
    if (!same_holding(&before, &after)) {
        t->leaks++;
        complain(k, kind, n, code, "leaks");
        fprintf(report, "blocks %+ld, device bytes %+ld, HDF5 objects %+ld, files %+ld, temporaries %+ld\n",
                after.blocks - before.blocks, after.bytes - before.bytes, after.objects - before.objects,
                after.files - before.files, after.temporaries - before.temporaries);
    }
    if (!k->goes || code == 0) return;
    if (goes_on(c, k, chain))
        t->gone_on++;
    else
        complain(k, kind, n, code, "cannot go on to the same end");
}

static void child(int which, int kind, long from, int runs)
{
    const command_case *k = &cases[which];
    counts *t = &shared->of[which][kind];
    char chain[SHA256_TEXT] = "";
    context *c = context_new(NULL);
    int quiet = open("/dev/null", O_WRONLY);
    errors_fd = open("errors", O_RDWR | O_CREAT | O_TRUNC, 0666);
    dup2(quiet, STDOUT_FILENO);
    dup2(errors_fd, STDERR_FILENO);
    for (int i = 0; i < 2; i++) { /* the first one builds the kernels */
        begin_run(k);
        set_failure(kind, i ? FAR : 0);
        if (call(k->arguments, SECONDS_OF_BUILDING)) {
            complain(k, kind, 0, 0, "fails by itself");
            _exit(2);
        }
    }
    t->total = FAR - failure_left(kind);
    set_failure(kind, 0);
    if (k->goes && chain_of(c, k, chain)) _exit(2);
    const double stride = runs ? fmax(1, (double)t->total / runs) : 1;
    for (double x = 1; x <= (double)t->total + .5; x += stride) {
        const long n = (long)x;
        if (n <= from) continue;
        shared->at[which][kind] = n;
        one_failure(c, k, kind, n, chain, t);
    }
    fflush(report);
    _exit(0);
}

static void sweep(int which, int kind, int runs)
{
    long from = 0;
    for (;;) {
        int how = 0;
        counts *t = &shared->of[which][kind];
        shared->at[which][kind] = 0;
        const pid_t pid = fork();
        if (pid == 0) child(which, kind, from, runs);
        waitpid(pid, &how, 0);
        if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return;
        const bool hung = WIFSIGNALED(how) && WTERMSIG(how) == SIGALRM;
        t->crashes += !hung;
        t->hangs += hung;
        fprintf(report, "%s, %s %ld: %s\n", cases[which].name, kind_names[kind], shared->at[which][kind],
                hung ? "hung" : "ended the process");
        if (shared->at[which][kind] <= from) return; /* it does not even run undisturbed */
        from = shared->at[which][kind];
    }
}

/* ---- what the commands work on */

static void write_some_maps(void)
{
    context *c = context_new(NULL);
    maps m = {.count = MAPS, .ny = SIDE, .nx = SIDE, .box_mpc_h = 100, .mean = 4, .dims = 2};
    status s = memory_new(c, "maps", MAPS * SIDE * SIDE, sizeof(float), &m.values);
    for (int i = 0; i < MAPS * SIDE * SIDE && !s; i++) {
        uint32_t words[4];
        rng_block(1, RNG_TEST, (uint32_t)i, 0, words);
        m.values[i] = expf((float)words[0] * 0x1p-31f) * 1.5f;
    }
    if (!s) s = maps_write(c, "maps.h5", &m, NULL);
    if (s) fprintf(stderr, "%s\n", context_message(c));
    maps_delete(&m);
    context_delete(&c);
    if (s) _exit(1);
}

static int prepare(void)
{
    static const char *const steps[] = {
        "train gan maps.h5" TINY " --steps 2 --set gan.save_every=1 -o base", "generate base --count 8 -o generated.h5",
        "simulate --set simulate.boxes=1 --set simulate.particles=16 --set simulate.mesh=16 --set simulate.steps=2 -o "
        "first",
        "train encoder maps.h5 base" TINY ENCODER " --steps 2 -o encoder"};
    write_some_maps();
    errors_fd = open("errors", O_RDWR | O_CREAT | O_TRUNC, 0666);
    dup2(errors_fd, STDERR_FILENO);
    dup2(errors_fd, STDOUT_FILENO);
    for (int i = 0; i < (is_built(&cases[2]) ? 4 : 3); i++)
        if (call(steps[i], SECONDS_OF_BUILDING)) {
            char errors[4096];
            errors_read(errors, sizeof errors);
            fprintf(report, "%s: %s\n", steps[i], errors);
            fflush(report);
            return 1;
        }
    return system("cp first/*z0.00.h5 box.h5") != 0;
}

static void print_row(const char *name, const char *kind, const counts *t)
{
    printf("%-20s %-12s %6ld %6ld %6ld %8ld %7ld %5ld %5ld %5ld %7ld\n", name, kind, t->total, t->failed, t->clear,
           t->harmless, t->crashes, t->hangs, t->leaks, t->torn, t->gone_on);
}

/* One of the processes that share the sweeps, in a folder of its own. */
static int work(int worker, int workers, int runs)
{
    char clean[96];
    int how = 0;
    snprintf(folder, sizeof folder, "/tmp/cosmocl-sweep-XXXXXX");
    if (!mkdtemp(folder) || chdir(folder)) return 1;
    const pid_t pid = fork();
    if (pid == 0) _exit(prepare());
    waitpid(pid, &how, 0);
    for (int i = 0; i < CASES * KINDS && how == 0; i++)
        if (i % workers == worker && is_built(&cases[i / KINDS])) sweep(i / KINDS, i % KINDS, runs);
    snprintf(clean, sizeof clean, "rm -rf %s", folder);
    fflush(report);
    return chdir("/") || system(clean) || how != 0;
}

/* Whether it calls OpenCL at all. */
static bool uses_device(const command_case *k)
{
    return strcmp(k->name, "maps") != 0;
}

static bool is_good(const command_case *k, int kind, const counts *t)
{
    if (!t->failed) return kind == CALLS && !uses_device(k) && !t->crashes && !t->hangs;
    if (k->goes && t->gone_on != t->failed - t->harmless) return false;
    return !t->crashes && !t->hangs && !t->leaks && !t->torn && t->clear + t->harmless == t->failed;
}

/* runs: of each command and kind, spread evenly; 0: every single one. Returns the exit code of the test. */
static int sweep_all(int runs)
{
    const int workers = (int)sysconf(_SC_NPROCESSORS_ONLN) < 8 ? (int)sysconf(_SC_NPROCESSORS_ONLN) : 8;
    int how = 0, bad = 0;
    counts sum = {0};
    report = fdopen(dup(STDERR_FILENO), "w");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 1;
    for (int i = 0; i < workers; i++)
        if (fork() == 0) _exit(work(i, workers, runs));
    while (wait(&how) > 0) bad = bad || how != 0;
    printf("%-20s %-12s %6s %6s %6s %8s %7s %5s %5s %5s %7s\n", "", "", "in all", "failed", "clear", "harmless",
           "crashes", "hangs", "leaks", "torn", "gone on");
    for (int i = 0; i < CASES; i++)
        for (int kind = 0; kind < KINDS && is_built(&cases[i]); kind++) {
            const counts *t = &shared->of[i][kind];
            const long *from = (const long *)t;
            print_row(cases[i].name, kind_names[kind], t);
            for (size_t f = 0; f < sizeof *t / sizeof(long); f++) ((long *)&sum)[f] += from[f];
            bad = bad || !is_good(&cases[i], kind, t);
        }
    print_row("all", "", &sum);
    return bad || sum.clear <= sum.failed / 2;
}

#endif
