/* What the files of the device layer share. Nothing outside host/device and its tests includes this. */
#ifndef DEVICE_INTERNAL_H
#define DEVICE_INTERNAL_H

#include "base/embedded.h"
#include "device/kernel.h"
#include "device/tuning.h"
#include "device/workspace.h"
#include "device/opencl.h"

/* ---- errors.c: every call into OpenCL that can fail passes here, so that tests can make the n-th one fail ----------
 */

/* Whether this call is to fail; $COSMOCL_FAIL_OPENCL or opencl_inject say which (base/inject.h). Thread-safe. */
bool opencl_injected(void);
/* The error it then gives, CL_OUT_OF_RESOURCES unless another is named. */
cl_int opencl_injected_error(void);
/* The n-th call from now fails (1: the next); 0: none does. */
void opencl_inject(long n);
/* With this error ("CL_DEVICE_NOT_AVAILABLE"), and with `stay` all later calls too, as on a lost device. */
void opencl_inject_as(long n, bool stay, const char *error);
/* Calls up to that one, with it; 0: it has come. */
long opencl_injection_left(void);
/* For calls that return their error. The call is not made when it is to fail. */
#define OPENCL(call) (opencl_injected() ? opencl_injected_error() : (call))
/* For calls that return an object and store their error in `code`, the second name in the call. */
#define OPENCL_NEW(code, call) (opencl_injected() ? ((code) = opencl_injected_error(), NULL) : (call))
/* For waits, which are made even so: what is released behind one must not be in use any more. */
#define OPENCL_WAIT(call) opencl_waited(call)
cl_int opencl_waited(cl_int code);
#define OPENCL_PLATFORM_NOT_FOUND (-1001)

/* ---- platforms.c ------------------------------------------------------------------------------------------------- */

typedef struct {
    cl_platform_id platform;
    cl_device_id id;
} device_handle;

/* device_list with the handles of the same order (handles may be NULL). */
status platforms_list(context *c, device_record **list, device_handle **handles, int *count);
/* The list as lines "0:0 name (platform, GPU, 16.0 GiB)" for messages; truncated to size. */
void platforms_describe(const device_record *list, int count, char *text, size_t size);

/* ---- quirks.c ---------------------------------------------------------------------------------------------------- */

/* Applies the quirks of INI text to a record: sets the avoid_ fields and appends names to `quirk`. STATUS_DATA for text
 * that is wrong (unknown key or capability). */
status quirks_apply(context *c, const char *text, device_record *r);
/* Whether `key` is one of the patterns that say what a section is for ("vendor", "driver", …), and if so, whether the
 * record fits it. */
bool quirks_pattern(const char *key, const char *pattern, const device_record *r, bool *it_fits);
/* tuning.c: what of the files data/tuning/ among these (ended by a NULL name) holds for a device. */
status tuning_match(context *c, const device_record *r, const tuning_rules *rules, const embedded_file *files,
                    tuning *t);
/* COSMOCL_EMULATE: the record of another kind of device, for tests. */
status emulate_apply(context *c, device_record *r);
/* The embedded file data/quirks/quirks.ini. */
const char *quirks_text(void);
/* Whether `name` is a short vendor name of the text ("amd") that the record's vendor or platform fits. */
bool quirks_vendor_matches(const char *text, const char *name, const device_record *r);
/* A value of a section; "" if there is none. */
void quirks_value(const char *text, const char *section, const char *key, char *value, size_t size);

/* ---- the open device --------------------------------------------------------------------------------------------- */

struct buffer {
    device *d;
    char *label;
    cl_mem memory;
    buffer *root;          /* NULL unless a view */
    buffer *before, *next; /* roots only: the device's list of live buffers */
    size_t offset, bytes;  /* offset in root */
    size_t charged;        /* bytes counted against the budget */
    uint64_t serial;       /* never used again: what cached kernel arguments compare */
    uint64_t last_use;     /* number of the last piece of queued work that uses it */
    void *mapped;          /* for the host to read; NULL unless mapped */
    bool foreign;          /* its handle was given to another library */
};

enum { KERNEL_MAX_ARGUMENTS = 40 };

typedef struct program program;
struct program {
    program *next;
    char *file, *options;
    cl_program handle;
};

struct kernel {
    kernel *next; /* in its hash slot */
    device *d;
    uint64_t hash;
    char *file, *entry, *options;
    cl_kernel handle;
    cl_uint argument_count;
    size_t max_work_group;
    bool launched;
    int row; /* of the profile */
    struct {
        bool set;
        int kind;
        uint64_t value; /* bits of the scalar, serial of the buffer (0: null), size of local memory */
    } last[KERNEL_MAX_ARGUMENTS];
};

typedef struct {
    cl_event event;
    int row;
    double flops, bytes;
} profile_event;

enum { DEVICE_KERNEL_SLOTS = 256, STAGING_BYTES = 1 << 20, STAGING_LARGEST = 1 << 18, PROFILE_DRAIN = 4096 };

struct device {
    device_record record;
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    size_t budget, used, peak, alignment;
    buffer *buffers; /* live roots */
    buffer *workspace[WORKSPACE_PARTS];
    tuning *tuning; /* read when first asked for */
    uint64_t next_serial;
    cl_int late;           /* error of a wait in buffer_delete, reported by the next device_finish or buffer_read */
    uint64_t queued, done; /* pieces of work queued so far; all up to `done` have run */
    uint64_t launches;     /* of kernels */
    kernel *slots[DEVICE_KERNEL_SLOTS];
    program *programs;
    double build_s; /* spent in building so far */
    bool announced; /* that kernels are built was logged */
    char *staging;  /* host copies of small writes until they have run */
    size_t staging_used;
    bool profile, sizes_only;
    device_profile_row *rows;
    int row_count, row_capacity;
    profile_event *events;
    int event_count, event_capacity;
    double work_flops, work_bytes; /* of the next launch */
};

/* Reports and forgets `late`. */
status device_late_error(context *c, device *d);
/* Notes that the next piece of queued work uses b (NULL-safe). */
void buffer_use(buffer *b);

/* ---- program.c --------------------------------------------------------------------------------------------------- */

/* kernels/FILE.cl with its includes in place; released by memory_delete. */
status program_source(context *c, const char *file, char **source);
/* Format of the options that every program is built with: whether for a CPU, whether for a GPU. */
#define PROGRAM_OPTIONS "-cl-std=CL1.2 -DDEVICE_CPU=%d -DDEVICE_GPU=%d"
status program_get(context *c, device *d, const char *file, const char *options, program **out);
void programs_delete(device *d);
void kernels_delete(device *d);

/* ---- program_cache.c --------------------------------------------------------------------------------------------- */

/* Name of the cache file of a program (FILES_PATH bytes); the folder is made. */
status program_cache_path(context *c, const device *d, const char *source, const char *options, char *path);
/* The program from its cache file, built; *out stays NULL if there is none, or if it is damaged or refused. */
status program_cache_load(context *c, const device *d, const char *path, const char *options, cl_program *out);
/* Saves the binary of a built program; what goes wrong is only logged. */
void program_cache_save(context *c, const device *d, const char *path, cl_program p);

/* ---- profile.c --------------------------------------------------------------------------------------------------- */

/* The row of a name, added if need be. */
status profile_row(context *c, device *d, const char *name, int *row);
/* Takes the event over (no-op when the device does not profile); drains when many are held. */
status profile_add(context *c, device *d, int row, cl_event e);
void profile_delete(device *d);

#endif
