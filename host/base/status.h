/* The internal spelling of the public status list: `status` is what every function that can fail returns. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <cosmocl/status.h>

typedef cosmocl_status status;

enum {
#define STATUS_ALIAS(name, code, text) STATUS_##name = code,
    COSMOCL_STATUS_LIST(STATUS_ALIAS)
#undef STATUS_ALIAS
};

#endif
