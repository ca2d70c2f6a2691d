/* OpenCL errors by name, the status they mean, and the one place where tests make a call fail. */
#include "device/internal.h"

#include <stdio.h>
#include <string.h>
#include "base/inject.h"

#define ERROR_LIST(X)                                                                                                  \
    X(CL_SUCCESS)                                                                                                      \
    X(CL_DEVICE_NOT_FOUND)                                                                                             \
    X(CL_DEVICE_NOT_AVAILABLE)                                                                                         \
    X(CL_COMPILER_NOT_AVAILABLE)                                                                                       \
    X(CL_MEM_OBJECT_ALLOCATION_FAILURE)                                                                                \
    X(CL_OUT_OF_RESOURCES)                                                                                             \
    X(CL_OUT_OF_HOST_MEMORY)                                                                                           \
    X(CL_PROFILING_INFO_NOT_AVAILABLE)                                                                                 \
    X(CL_MEM_COPY_OVERLAP)                                                                                             \
    X(CL_IMAGE_FORMAT_MISMATCH)                                                                                        \
    X(CL_IMAGE_FORMAT_NOT_SUPPORTED)                                                                                   \
    X(CL_BUILD_PROGRAM_FAILURE)                                                                                        \
    X(CL_MAP_FAILURE)                                                                                                  \
    X(CL_MISALIGNED_SUB_BUFFER_OFFSET)                                                                                 \
    X(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)                                                                    \
    X(CL_COMPILE_PROGRAM_FAILURE)                                                                                      \
    X(CL_LINKER_NOT_AVAILABLE)                                                                                         \
    X(CL_LINK_PROGRAM_FAILURE)                                                                                         \
    X(CL_DEVICE_PARTITION_FAILED)                                                                                      \
    X(CL_KERNEL_ARG_INFO_NOT_AVAILABLE)                                                                                \
    X(CL_INVALID_VALUE)                                                                                                \
    X(CL_INVALID_DEVICE_TYPE)                                                                                          \
    X(CL_INVALID_PLATFORM)                                                                                             \
    X(CL_INVALID_DEVICE)                                                                                               \
    X(CL_INVALID_CONTEXT)                                                                                              \
    X(CL_INVALID_QUEUE_PROPERTIES)                                                                                     \
    X(CL_INVALID_COMMAND_QUEUE)                                                                                        \
    X(CL_INVALID_HOST_PTR)                                                                                             \
    X(CL_INVALID_MEM_OBJECT)                                                                                           \
    X(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR)                                                                              \
    X(CL_INVALID_IMAGE_SIZE)                                                                                           \
    X(CL_INVALID_SAMPLER)                                                                                              \
    X(CL_INVALID_BINARY)                                                                                               \
    X(CL_INVALID_BUILD_OPTIONS)                                                                                        \
    X(CL_INVALID_PROGRAM)                                                                                              \
    X(CL_INVALID_PROGRAM_EXECUTABLE)                                                                                   \
    X(CL_INVALID_KERNEL_NAME)                                                                                          \
    X(CL_INVALID_KERNEL_DEFINITION)                                                                                    \
    X(CL_INVALID_KERNEL)                                                                                               \
    X(CL_INVALID_ARG_INDEX)                                                                                            \
    X(CL_INVALID_ARG_VALUE)                                                                                            \
    X(CL_INVALID_ARG_SIZE)                                                                                             \
    X(CL_INVALID_KERNEL_ARGS)                                                                                          \
    X(CL_INVALID_WORK_DIMENSION)                                                                                       \
    X(CL_INVALID_WORK_GROUP_SIZE)                                                                                      \
    X(CL_INVALID_WORK_ITEM_SIZE)                                                                                       \
    X(CL_INVALID_GLOBAL_OFFSET)                                                                                        \
    X(CL_INVALID_EVENT_WAIT_LIST)                                                                                      \
    X(CL_INVALID_EVENT)                                                                                                \
    X(CL_INVALID_OPERATION)                                                                                            \
    X(CL_INVALID_GL_OBJECT)                                                                                            \
    X(CL_INVALID_BUFFER_SIZE)                                                                                          \
    X(CL_INVALID_MIP_LEVEL)                                                                                            \
    X(CL_INVALID_GLOBAL_WORK_SIZE)                                                                                     \
    X(CL_INVALID_PROPERTY)                                                                                             \
    X(CL_INVALID_IMAGE_DESCRIPTOR)                                                                                     \
    X(CL_INVALID_COMPILER_OPTIONS)                                                                                     \
    X(CL_INVALID_LINKER_OPTIONS)                                                                                       \
    X(CL_INVALID_DEVICE_PARTITION_COUNT)

const char *opencl_error_name(cl_int code)
{
    switch (code) {
#define ERROR_CASE(name)                                                                                               \
    case name:                                                                                                         \
        return #name;
        ERROR_LIST(ERROR_CASE)
#undef ERROR_CASE
    case OPENCL_PLATFORM_NOT_FOUND:
        return "CL_PLATFORM_NOT_FOUND_KHR";
    case -9999: /* outside the standard, seen on GPUs */
        return "illegal read or write of a buffer (-9999)";
    default:
        return "unknown OpenCL error";
    }
}

status opencl_fail(context *c, const device *d, const char *what, cl_int code)
{
    const bool memory = code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY;
    /* What drivers answer when the device fell off the bus, its driver was restarted or a kernel ran into a fault. */
    const bool lost = code == CL_DEVICE_NOT_AVAILABLE || code == CL_OUT_OF_RESOURCES ||
                      code == CL_INVALID_COMMAND_QUEUE || code == CL_INVALID_CONTEXT;
    const char *name = d ? d->record.name : "OpenCL";
    return context_fail(c, memory ? STATUS_MEMORY : STATUS_DEVICE, "%s: %s failed: %s (%d)%s", name, what,
                        opencl_error_name(code), (int)code,
                        memory      ? "; use a smaller problem or a device with more memory"
                        : d && lost ? "; the device may be lost: see `cosmocl doctor`, or choose another by --device"
                                    : "");
}

static injection failures = {.variable = "COSMOCL_FAIL_OPENCL"};

void opencl_inject(long n)
{
    injection_set(&failures, n, false, NULL);
}

void opencl_inject_as(long n, bool stay, const char *error)
{
    injection_set(&failures, n, stay, error);
}

long opencl_injection_left(void)
{
    return injection_left(&failures);
}

bool opencl_injected(void)
{
    return injection_due(&failures);
}

cl_int opencl_injected_error(void)
{
    static const struct {
        const char *name;
        cl_int code;
    } errors[] = {
#define ERROR_ROW(code) {#code, code},
        ERROR_LIST(ERROR_ROW)
#undef ERROR_ROW
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(errors[i].name, failures.error) == 0) return errors[i].code;
    return CL_OUT_OF_RESOURCES;
}

cl_int opencl_waited(cl_int code)
{
    return opencl_injected() ? opencl_injected_error() : code;
}
