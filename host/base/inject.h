/* Failures made on purpose, for tests: the n-th occasion of a kind (an allocation, a step of writing, a call into
 * OpenCL) fails. An environment variable says so from the start of the program, a test by injection_set:
 *
 *     COSMOCL_FAIL_WRITE=5          the fifth occasion fails, once
 *     COSMOCL_FAIL_WRITE=5+         the fifth and all later ones fail, as on a full disk or a lost device
 *     COSMOCL_FAIL_WRITE=5+:EIO     with this error, whose name is read where the occasions are */
#ifndef BASE_INJECT_H
#define BASE_INJECT_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct {
    const char *variable; /* of the environment */
    const char *error;    /* text behind ':' of it, "" if none */
    bool stay;            /* not once, but from the n-th on */
    atomic_int asked;     /* 0: the environment was not read yet, 1: it is being read, 2: it was */
    atomic_long left;     /* occasions up to the one that fails; 0: none does, -1: all do */
} injection;

/* Counts an occasion; true when it is to fail. Thread-safe. */
bool injection_due(injection *i);
/* The n-th occasion from now on fails (1: the next), and with `stay` all later ones; 0: none does. */
void injection_set(injection *i, long n, bool stay, const char *error);
/* Occasions up to the one that is to fail, with it; 0: it has come, or none is to fail. */
long injection_left(injection *i);

#endif
