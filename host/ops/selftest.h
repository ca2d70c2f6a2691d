/* The self-test of a device: every operator against its C oracle at small odd sizes and at sizes of the presets, and
 * the hash of everything whose order of sums is fixed, against the known one ("one result").
 *
 * A device that fails is refused (STATUS_SELFTEST) unless the user forces it. A pass is remembered in the cache folder
 * under device, driver and kernel sources. COSMOCL_BREAK_KERNEL=NAME (an operator's name) falsifies that operator's
 * result, to show that the refusal works. */
#ifndef OPS_SELFTEST_H
#define OPS_SELFTEST_H

#include "device/device.h"

typedef struct {
    char operator_name[32]; /* "conv_forward" */
    char size[64];          /* "n 3, 7 × 5, 3 → 5" */
    double error, bound;    /* relative, as the check defines them; passed means error <= bound */
    double seconds;         /* with the building of kernels */
    bool passed;
    char why[256]; /* a family that does not run: the error; else "" */
} selftest_row;

/* SHA-256 over the outputs of a family of operators on fixed inputs. */
typedef struct {
    char family[16];
    char hash[65];
    bool known; /* equal to the one in selftest_known.c */
} selftest_hash;

typedef struct {
    selftest_row *rows;
    int count;
    selftest_hash *hashes; /* of the families whose order of sums is fixed */
    int hash_count;
} selftest_result;

/* What to run. SELFTEST_QUICK: the small sizes of our kernels, which are hashed; SELFTEST_NEEDED, what selftest_require
 * runs: also sizes of the presets; SELFTEST_CLBLAST, where CLBlast is asked for: also that; SELFTEST_ALL, what the
 * command runs: also the Fourier libraries, whose kernels take longest to build (a Fourier plan tests itself when it is
 * made, at its very size). */
typedef enum { SELFTEST_QUICK, SELFTEST_NEEDED, SELFTEST_CLBLAST, SELFTEST_ALL } selftest_extent;

/* A row that fails is no error, nor is a kernel that does not run: it
 * gives a row with an infinite error and a warning. */
status selftest_run_all(context *c, device *d, selftest_extent extent, selftest_result *result);
void selftest_result_delete(selftest_result *result);

enum { SELFTEST_VERDICT = 64 };
/* To be called before work on a device. Remembered or run now: verdict "passed, one result: yes"/"no". When an operator
 * fails: STATUS_SELFTEST naming it, the device, error and bound; with `force` STATUS_OK, a warning and the verdict
 * "forced: FAILED conv_forward", which goes into the outputs. A warning for "one result: no". Work with `clblast` has
 * CLBlast tested too; its verdict at best is "passed, one result: no (CLBlast)". */
status selftest_require(context *c, device *d, bool clblast, bool force, char verdict[SELFTEST_VERDICT]);
/* "passed, one result: yes" or "FAILED conv_forward" (the first row that failed). */
void selftest_verdict(const selftest_result *result, char verdict[SELFTEST_VERDICT]);
/* The first row that failed; NULL if none did. */
/* "conv_forward computes wrongly on DEVICE: error …" or "conv does not run on DEVICE: …". */
void selftest_describe(const selftest_row *bad, const device *d, char *text, size_t size);
const selftest_row *selftest_failed(const selftest_result *result);

#endif
