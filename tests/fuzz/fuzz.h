/* What the libFuzzer targets share: a quiet context, and the input as a file that readers can open. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A context for one input; messages go nowhere. */
static inline context *fuzz_context(void)
{
    context *c = context_new(&(context_sinks){0});
    if (!c) abort();
    return c;
}

/* Puts the input into a file in memory and its path into `path`; returns a descriptor to close. */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[64])
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0) abort();
    for (size_t done = 0; done < size;) {
        const ssize_t n = write(fd, data + done, size - done);
        if (n <= 0) abort();
        done += (size_t)n;
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/* A failure must say why. */
static inline void fuzz_said(const context *c, status s)
{
    if (s && !context_message(c)[0]) abort();
}

#endif
