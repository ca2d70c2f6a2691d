/* The only user of clFFT. */
#include "ops/fft_backend.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/memory.h"
#include "device/opencl.h"
#include <clFFT.h>

/* clFFT has one global state; set up on first use and torn down at exit. Its plan repository is guarded by its own
 * locks, but plan making is kept to one thread at a time all the same (baking is not documented as thread-safe). */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static clfftStatus setup_code;

static void teardown(void)
{
    clfftTeardown();
}

static void setup(void)
{
    clfftSetupData data;
    clfftInitSetupData(&data);
    setup_code = clfftSetup(&data);
    if (setup_code == CLFFT_SUCCESS) atexit(teardown);
}

typedef struct {
    clfftPlanHandle handle[2]; /* backward, forward */
    bool made[2];
    cl_mem temporary;
} clfft_plans;

static void close_plans(void **plan)
{
    clfft_plans *p = *plan;
    if (!p) return;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < 2; i++)
        if (p->made[i]) clfftDestroyPlan(&p->handle[i]);
    pthread_mutex_unlock(&lock);
    if (p->temporary) clReleaseMemObject(p->temporary);
    memory_delete(&p);
    *plan = NULL;
}

static clfftStatus configure(clfftPlanHandle h, const fft_shape *s, bool forward)
{
    size_t real_stride[3], complex_stride[3], real = 1, complex = 1;
    for (int i = 0; i < s->dims; i++) {
        size_t n = (size_t)s->n[s->dims - 1 - i];
        real_stride[i] = real;
        complex_stride[i] = complex;
        real *= n;
        complex *= i == 0 ? n / 2 + 1 : n;
    }
    clfftStatus e = clfftSetPlanPrecision(h, CLFFT_SINGLE);
    if (!e) e = clfftSetPlanScale(h, CLFFT_FORWARD, 1);
    if (!e) e = clfftSetPlanScale(h, CLFFT_BACKWARD, 1);
    if (!e)
        e = clfftSetLayout(h, forward ? CLFFT_REAL : CLFFT_HERMITIAN_INTERLEAVED,
                           forward ? CLFFT_HERMITIAN_INTERLEAVED : CLFFT_REAL);
    if (!e) e = clfftSetResultLocation(h, CLFFT_OUTOFPLACE);
    if (!e) e = clfftSetPlanInStride(h, (clfftDim)s->dims, forward ? real_stride : complex_stride);
    if (!e) e = clfftSetPlanOutStride(h, (clfftDim)s->dims, forward ? complex_stride : real_stride);
    if (!e) e = clfftSetPlanDistance(h, forward ? real : complex, forward ? complex : real);
    if (!e) e = clfftSetPlanBatchSize(h, (size_t)s->batch);
    return e;
}

static status open_plans(context *c, device *d, const fft_shape *s, void **plan)
{
    clfft_plans *p = NULL;
    status result = memory_new(c, "clFFT plan", 1, sizeof *p, &p);
    if (result) return result;
    pthread_once(&once, setup);
    clfftStatus e = setup_code;
    size_t lengths[3], largest = 0;
    cl_command_queue queue = opencl_queue(d);
    for (int i = 0; i < s->dims; i++) lengths[i] = (size_t)s->n[s->dims - 1 - i];
    pthread_mutex_lock(&lock);
    for (int i = 0; i < 2 && !e; i++) {
        size_t bytes = 0;
        e = clfftCreateDefaultPlan(&p->handle[i], opencl_context(d), (clfftDim)s->dims, lengths);
        if (e) break;
        p->made[i] = true;
        e = configure(p->handle[i], s, i == 1);
        if (!e) e = clfftBakePlan(p->handle[i], 1, &queue, NULL, NULL);
        if (!e) e = clfftGetTmpBufSize(p->handle[i], &bytes);
        if (bytes > largest) largest = bytes;
    }
    pthread_mutex_unlock(&lock);
    if (!e && largest) {
        cl_int code;
        p->temporary = clCreateBuffer(opencl_context(d), CL_MEM_READ_WRITE, largest, NULL, &code);
        if (code) e = (clfftStatus)code;
    }
    if (e) {
        void *all = p;
        close_plans(&all);
        return opencl_fail(c, d, "clFFT: making a plan", (cl_int)e);
    }
    *plan = p;
    return STATUS_OK;
}

static status run_plan(context *c, device *d, void *plan, bool forward, buffer *real, buffer *complex)
{
    clfft_plans *p = plan;
    cl_mem in = opencl_memory(forward ? real : complex), out = opencl_memory(forward ? complex : real);
    cl_command_queue queue = opencl_queue(d);
    clfftStatus e = clfftEnqueueTransform(p->handle[forward], forward ? CLFFT_FORWARD : CLFFT_BACKWARD, 1, &queue, 0,
                                          NULL, NULL, &in, &out, p->temporary);
    return e ? opencl_fail(c, d, "clFFT: transform", (cl_int)e) : STATUS_OK;
}

static int version(void)
{
    return clfftVersionMajor * 10000 + clfftVersionMinor * 100 + clfftVersionPatch;
}

const fft_backend_row fft_clfft = {"clfft", version, open_plans, run_plan, close_plans};
