/* The raw handles, for the libraries that need them (CLBlast in ops/gemm.c, clFFT and VkFFT in ops/fft.c) and for the
 * device layer itself. Nothing else includes this. */
#ifndef DEVICE_OPENCL_H
#define DEVICE_OPENCL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include "device/buffer.h"

cl_context opencl_context(const device *d);
cl_device_id opencl_device(const device *d);
cl_platform_id opencl_platform(const device *d);
cl_command_queue opencl_queue(const device *d);
cl_mem opencl_memory(const buffer *b);
/* "CL_OUT_OF_RESOURCES" for −5. */
const char *opencl_error_name(cl_int code);
/* Sets a message that names what was called, the device and the error; returns STATUS_MEMORY for allocation errors,
 * else STATUS_DEVICE. */
status opencl_fail(context *c, const device *d, const char *what, cl_int code);

/* For libraries whose kernels the profile is to hold: where a call puts its event, &e or NULL when the device does not
 * profile; and the row that the event then counts for, with what kernel_work said (no-op without an event). */
cl_event *profile_slot(device *d, cl_event *e);
status profile_add_named(context *c, device *d, const char *name, cl_event e);

#endif
