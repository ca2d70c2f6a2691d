/* The internal spelling of the public status list: `status` is what every function that can fail returns. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <cosmocl/status.h>

typedef cosmocl_status status;

/* Macros and not a second enum: gcc warns when two enums are mixed. */
#define STATUS_OK COSMOCL_OK
#define STATUS_FAILURE COSMOCL_FAILURE
#define STATUS_USAGE COSMOCL_USAGE
#define STATUS_DEVICE COSMOCL_DEVICE
#define STATUS_MEMORY COSMOCL_MEMORY
#define STATUS_SELFTEST COSMOCL_SELFTEST
#define STATUS_DATA COSMOCL_DATA
#define STATUS_STOPPED COSMOCL_STOPPED
#define STATUS_INTERRUPTED COSMOCL_INTERRUPTED

#endif
