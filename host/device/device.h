/* Devices: what there is, the choice of one, and the open device that everything computes on.
 *
 * An open device owns one context, one in-order queue, and every kernel built for it. All work is queued; nothing waits
 * but buffer_read and device_finish. A device belongs to one thread. */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/context.h"

typedef struct device device;

/* The capability record: measured or asked once when the device is listed; quirks are applied already. Operators test
 * these and never names. */
typedef struct {
    int platform, index; /* as in --device P:I */
    char platform_name[128], platform_version[128], vendor[128], name[128], version[128], driver[128];
    bool is_cpu, is_gpu;
    bool has_fma;       /* correctly rounded and fast fma in float32 */
    bool has_double;    /* cl_khr_fp64 */
    bool has_denormals; /* as the device says; not to be trusted */
    bool unified_memory;
    int compute_units;
    size_t max_work_group;
    size_t local_bytes, global_bytes, largest_block_bytes;
    size_t base_align_bytes; /* of sub-buffers */
    int native_vector;       /* preferred float vector width; of a CPU the native one if that is wider */
    /* From the quirks file (data/quirks/quirks.ini), as named capabilities. */
    bool avoid_clfft, avoid_vkfft, avoid_clblast, avoid_device, avoid_binaries;
    char quirk[256]; /* names of the quirks that matched, for `devices`; "" if none */
} device_record;

/* All devices of all platforms; released by memory_delete. No platform at all: STATUS_OK and count 0. */
status device_list(context *c, device_record **list, int *count);
/* Index in the list of the device that spec means: "P:I", "amd:gpu", "gpu", "cpu", a fragment of a name; NULL or ""
 * takes $COSMOCL_DEVICE, else the GPU if there is one, else the CPU. STATUS_DEVICE, with the list in the message, when
 * nothing or more than one matches; a GPU that was asked for is never replaced by a CPU. */
status device_choose(context *c, const device_record *list, int count, const char *spec, int *index);

typedef struct {
    const char *spec;
    size_t budget_bytes; /* largest sum of buffers; 0: 90 % of the device's memory */
    bool profile;        /* time every kernel (device_profile) */
    bool sizes_only;     /* count buffers, beyond the budget too, but make none and do no work */
} device_options;

status device_open(context *c, const device_options *o, device **out);
void device_delete(device **d);
const device_record *device_info(const device *d);

/* Waits for all queued work and reports its errors. */
status device_finish(context *c, device *d);
/* Hands queued work to the device without waiting. */
status device_flush(context *c, device *d);

/* Bytes of buffers now and at most so far. */
size_t device_bytes_used(const device *d);
size_t device_bytes_peak(const device *d);
size_t device_budget(const device *d);

/* What the buffers hold, largest first: labels up to " of ", "first moments". Released by memory_delete. */
typedef struct {
    char what[64];
    size_t bytes;
} device_buffer_row;
status device_buffers(context *c, const device *d, device_buffer_row **rows, int *count);
size_t device_largest_buffer(const device *d);

/* Time spent per kernel since the last call (profile devices only); released by memory_delete. */
typedef struct {
    char kernel[64];
    int64_t launches;
    double seconds;
    double flops, bytes; /* as far as kernel_work said; 0: unknown */
} device_profile_row;
status device_profile(context *c, device *d, device_profile_row **rows, int *count);

/* "platform name, device name, driver": what outputs record as provenance. */
void device_describe(const device_record *r, char *text, size_t size);

#endif
