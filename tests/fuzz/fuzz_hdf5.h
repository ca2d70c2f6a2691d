/* For targets that read HDF5 files: changes that leave a file HDF5's enough to get past its first check, and a check
 * that no HDF5 object stays open whatever an input does. */
#ifndef TESTS_FUZZ_HDF5_H
#define TESTS_FUZZ_HDF5_H

#include <hdf5.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

static inline uint64_t fuzz_next(uint64_t *r)
{
    *r = *r * 6364136223846793005ull + 1442695040888963407ull;
    return *r >> 31;
}

/* One to four numbers of 1, 2, 4 or 8 bytes become another: sizes, counts and addresses are such numbers, and HDF5
 * itself gives the fuzzer no coverage to learn from. One change in eight is the fuzzer's own. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    static const uint64_t telling[] = {0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, ~0ull >> 1, ~0ull};
    enum { SIGNATURE = 8, TELLING = sizeof telling / sizeof *telling };
    uint64_t r = seed * 0x9e3779b97f4a7c15ull + 1;
    if (size < 64 || fuzz_next(&r) % 8 == 0) return LLVMFuzzerMutate(data, size, most);
    for (uint64_t n = 1 + fuzz_next(&r) % 4; n; n--) {
        const size_t width = (size_t)1 << fuzz_next(&r) % 4, at = SIGNATURE + fuzz_next(&r) % (size - SIGNATURE - 8);
        uint64_t value = telling[fuzz_next(&r) % TELLING];
        if (fuzz_next(&r) % 2) value = fuzz_next(&r) * fuzz_next(&r);
        if (fuzz_next(&r) % 4 == 0) {
            memcpy(&value, data + at, sizeof value);
            value += fuzz_next(&r) % 3 - 1;
        }
        memcpy(data + at, &value, width);
    }
    return size;
}

static inline int64_t fuzz_hdf5_open(void)
{
    static const H5I_type_t types[] = {H5I_FILE,    H5I_GROUP, H5I_DATATYPE,    H5I_DATASPACE,
                                       H5I_DATASET, H5I_ATTR,  H5I_GENPROP_LST, H5I_ERROR_STACK};
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        hsize_t n = 0;
        if (H5Inmembers(types[i], &n) >= 0) sum += (int64_t)n;
    }
    return sum;
}

/* Of every input but the first, which sets the library up. */
static inline void fuzz_hdf5_check(void)
{
    static int64_t before = -1;
    const int64_t now = fuzz_hdf5_open();
    if (before >= 0 && now > before) abort();
    before = now;
}

#endif
