#include "base/status.h"

const char *cosmocl_status_text(cosmocl_status s)
{
    switch (s) {
#define STATUS_CASE(name, code, text)                                                                                  \
    case COSMOCL_##name:                                                                                               \
        return text;
        COSMOCL_STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}
