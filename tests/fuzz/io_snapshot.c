/* Any bytes as a snapshot: refused with a reason, or particles inside their box. */
#include "fuzz.h"
#include "fuzz_hdf5.h"

#include "io/snapshot_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    context *c = fuzz_context();
    const int fd = fuzz_file(data, size, path);
    snapshot p = {0};
    const status s = snapshot_read(c, path, &p);
    fuzz_said(c, s);
    if (!s) {
        if (p.dims < 2 || p.dims > 3 || p.count < 0 || !(p.box_mpc_h > 0)) abort();
        for (int64_t i = 0; i < p.count * p.dims; i++)
            if (!(p.positions[i] >= 0 && p.positions[i] < p.box_mpc_h)) abort();
    }
    snapshot_delete(&p);
    close(fd);
    fuzz_hdf5_check();
    context_delete(&c);
    return 0;
}
