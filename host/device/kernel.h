/* Kernels: rows of a registry (name, file, entry), built when first used and cached on disk under a key of source,
 * options, platform, device and driver. Kernel sources are kernels/NAME.cl, embedded in the program; `#include
 * "common.h"` works for files of that folder. */
#ifndef DEVICE_KERNEL_H
#define DEVICE_KERNEL_H

#include "device/buffer.h"

typedef struct kernel kernel; /* owned by its device */

/* The kernel `entry` of kernels/FILE.cl built with these -D options ("-DCI=32 -DCO=64", may be ""). Always added:
 * -cl-std=CL1.2. Kept by the device under (file, entry, options): asking again is cheap (one hash look-up). */
status kernel_get(context *c, device *d, const char *file, const char *entry, const char *options, kernel **out);

/* One argument of a launch. */
typedef struct {
    enum { KERNEL_BUFFER, KERNEL_INT, KERNEL_UINT, KERNEL_FLOAT, KERNEL_ULONG, KERNEL_LOCAL } kind;
    union {
        buffer *b; /* NULL passes a null pointer */
        int32_t i;
        uint32_t u;
        float f;
        uint64_t l;
        size_t local_bytes;
    };
} kernel_argument;

#define ARG_BUFFER(x)                                                                                                  \
    {                                                                                                                  \
        .kind = KERNEL_BUFFER, .b = (x)                                                                                \
    }
#define ARG_INT(x)                                                                                                     \
    {                                                                                                                  \
        .kind = KERNEL_INT, .i = (int32_t)(x)                                                                          \
    }
#define ARG_UINT(x)                                                                                                    \
    {                                                                                                                  \
        .kind = KERNEL_UINT, .u = (uint32_t)(x)                                                                        \
    }
#define ARG_FLOAT(x)                                                                                                   \
    {                                                                                                                  \
        .kind = KERNEL_FLOAT, .f = (x)                                                                                 \
    }
#define ARG_ULONG(x)                                                                                                   \
    {                                                                                                                  \
        .kind = KERNEL_ULONG, .l = (x)                                                                                 \
    }
#define ARG_LOCAL(bytes)                                                                                               \
    {                                                                                                                  \
        .kind = KERNEL_LOCAL, .local_bytes = (bytes)                                                                   \
    }

/* Queues a launch of 1–3 dimensions. local NULL leaves the work-group to the runtime. A global size of 0 is no launch.
 * STATUS_DEVICE names the kernel, the device and the OpenCL error by name. The kernel's arguments are buffers that the
 * queue keeps alive until it has run. */
/* What the next launch does, for the profile: floating point operations, and bytes of buffers, each read or written
 * once.
 */
void kernel_work(device *d, double flops, double bytes);
status kernel_run(context *c, kernel *k, int dimensions, const size_t *global, const size_t *local, int count,
                  const kernel_argument *arguments);
#define KERNEL_ARGUMENTS(...)                                                                                          \
    (int)(sizeof((kernel_argument[]){__VA_ARGS__}) / sizeof(kernel_argument)), (kernel_argument[])                     \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
/* kernel_run(c, k, 1, &n, NULL, KERNEL_ARGUMENTS(ARG_BUFFER(x), ARG_INT(n))) */

/* Largest work-group this kernel can have on its device. */
size_t kernel_max_work_group(const kernel *k);

#endif
