/* Status of every call that can fail. The numbers are the exit codes of the program and never change. */
#ifndef COSMOCL_STATUS_H
#define COSMOCL_STATUS_H

#define COSMOCL_STATUS_LIST(X)                                                                                         \
    X(OK, 0, "ok")                                                                                                     \
    X(FAILURE, 1, "failure")                                                                                           \
    X(USAGE, 2, "wrong usage or configuration")                                                                        \
    X(DEVICE, 3, "no usable OpenCL device, or the device failed")                                                      \
    X(MEMORY, 4, "out of memory on the host or the device")                                                            \
    X(SELFTEST, 5, "the device computes wrongly")                                                                      \
    X(DATA, 6, "a file is missing, damaged or of the wrong kind")                                                      \
    X(STOPPED, 75, "stopped on request; can be resumed")                                                               \
    X(INTERRUPTED, 130, "interrupted")

typedef enum cosmocl_status {
#define COSMOCL_STATUS_ENUM(name, code, text) COSMOCL_##name = code,
    COSMOCL_STATUS_LIST(COSMOCL_STATUS_ENUM)
#undef COSMOCL_STATUS_ENUM
} cosmocl_status;

/* The list's text for a status ("ok", "failure", …); never NULL. */
const char *cosmocl_status_text(cosmocl_status s);

#endif
