/* The only user of VkFFT (a header of static functions, OpenCL as its backend 3). */
#include "ops/fft_backend.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "device/opencl.h"

/* VkFFT prints build logs to stdout, which belongs to the results of the program: they are dropped here, and the error
 * code is reported. */
__attribute__((format(printf, 1, 2))) static int drop(const char *format, ...)
{
    return format[0] == 0;
}
#define printf drop
#define VKFFT_BACKEND 3
#include <vkFFT.h>
#undef printf

typedef struct {
    VkFFTApplication app;
    bool made;
    cl_platform_id platform; /* VkFFT keeps pointers to the handles */
    cl_device_id device;
    cl_context context;
    uint64_t real_bytes, complex_bytes;
} vkfft_plan;

static void close_plan(void **plan)
{
    vkfft_plan *p = *plan;
    if (!p) return;
    if (p->made) deleteVkFFT(&p->app);
    memory_delete(&p);
    *plan = NULL;
}

static status open_plan(context *c, device *d, const fft_shape *s, void **plan)
{
    vkfft_plan *p = NULL;
    status result = memory_new(c, "VkFFT plan", 1, sizeof *p, &p);
    if (result) return result;
    p->platform = opencl_platform(d);
    p->device = opencl_device(d);
    p->context = opencl_context(d);
    VkFFTConfiguration f = {0};
    f.FFTdim = (uint64_t)s->dims;
    uint64_t real = 1, complex = 1;
    for (int i = 0; i < s->dims; i++) {
        uint64_t n = (uint64_t)s->n[s->dims - 1 - i];
        f.size[i] = n;
        real *= n;
        complex *= i == 0 ? n / 2 + 1 : n;
        f.inputBufferStride[i] = real; /* of the next axis, the last one of the batch */
        f.bufferStride[i] = complex;
    }
    p->real_bytes = real * sizeof(float) * (uint64_t)s->batch;
    p->complex_bytes = complex * 2 * sizeof(float) * (uint64_t)s->batch;
    f.platform = &p->platform;
    f.device = &p->device;
    f.context = &p->context;
    f.numberBatches = (uint64_t)s->batch;
    f.performR2C = 1;
    f.isInputFormatted = 1;
    f.inverseReturnToInputBuffer = 1;
    f.useLUT = 1; /* tables from float64, not the device's sine */
    f.inputBufferSize = &p->real_bytes;
    f.bufferSize = &p->complex_bytes;
    VkFFTResult e = initializeVkFFT(&p->app, f);
    if (e != VKFFT_SUCCESS) {
        /* A failed initialisation has released its own parts. */
        memory_delete(&p);
        return context_fail(c, STATUS_DEVICE, "VkFFT: making a plan on %s failed with its error %d",
                            device_info(d)->name, (int)e);
    }
    p->made = true;
    *plan = p;
    return STATUS_OK;
}

static status run_plan(context *c, device *d, void *plan, bool forward, buffer *real, buffer *complex)
{
    vkfft_plan *p = plan;
    cl_mem in = opencl_memory(real), work = opencl_memory(complex);
    cl_command_queue queue = opencl_queue(d);
    VkFFTLaunchParams launch = {0};
    launch.commandQueue = &queue;
    launch.inputBuffer = &in;
    launch.buffer = &work;
    VkFFTResult e = VkFFTAppend(&p->app, forward ? -1 : 1, &launch);
    if (e != VKFFT_SUCCESS)
        return context_fail(c, STATUS_DEVICE, "VkFFT: a transform on %s failed with its error %d", device_info(d)->name,
                            (int)e);
    return STATUS_OK;
}

static int version(void)
{
    return VkFFTGetVersion();
}

const fft_backend_row fft_vkfft = {"vkfft", version, open_plan, run_plan, close_plan};
