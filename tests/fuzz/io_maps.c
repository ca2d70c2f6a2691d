/* Any bytes as a maps file: refused with a reason, or maps whose every number can be used. */
#include "fuzz.h"
#include "fuzz_hdf5.h"

#include <math.h>
#include "io/maps_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    context *c = fuzz_context();
    const int fd = fuzz_file(data, size, path);
    maps m = {0};
    const status s = maps_read(c, path, &m);
    fuzz_said(c, s);
    if (!s) {
        if (m.count < 1 || m.ny < 1 || m.nx < 1 || !isfinite(m.mean) || !isfinite(m.box_mpc_h)) abort();
        const size_t pixels = (size_t)m.count * (size_t)m.ny * (size_t)m.nx;
        for (size_t i = 0; i < pixels; i++)
            if (!isfinite(m.values[i])) abort();
    }
    maps_delete(&m);
    close(fd);
    fuzz_hdf5_check();
    context_delete(&c);
    return 0;
}
