/* What the self-test and the tests of the operators share: checks against the oracles at any size. A check puts rows
 * into the table; the first error of a call sticks in `s` and turns the rest into nothing. */
#ifndef OPS_SELFTEST_CHECKS_H
#define OPS_SELFTEST_CHECKS_H

#include "base/hash.h"
#include "ops/conv.h"
#include "ops/crop.h"
#include "ops/dense.h"
#include "ops/norm.h"
#include "ops/selftest.h"

enum { SELFTEST_POOL = 96 };

typedef struct {
    context *c;
    device *d;
    status s;
    bool quick, clblast, library; /* small sizes only; also CLBlast's kernels; also those of clFFT and VkFFT */
    const char *broken;           /* operator whose results are falsified; NULL: none */
    selftest_row *rows;
    int count, capacity;
    char size[64];  /* of the check that runs */
    uint32_t drawn; /* arrays drawn so far in this check: number of the next stream of values */
    double begun_s, elapsed_s;
    void *memory[SELFTEST_POOL]; /* released after each check */
    buffer *buffers[SELFTEST_POOL];
    int memory_count, buffer_count;
    sha256 *hash; /* gets every compared output of exact order, unless NULL */
} selftest;

void selftest_begin(selftest *t, context *c, device *d);
void selftest_end(selftest *t);     /* releases everything but the rows */
void selftest_release(selftest *t); /* arrays and buffers of a check */
/* Names the sizes of the check that begins. */
void selftest_size(selftest *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Arrays that live until the check ends; NULL once t->s is set. */
void *selftest_memory(selftest *t, size_t count, size_t size);
/* Uniform in [low, high), the same for every run. */
float *selftest_values(selftest *t, size_t n, double low, double high);
/* 2^x of such x but with the mantissa linear in between: exact on every host, as no C library's exp2f is. */
float *selftest_octaves(selftest *t, size_t n, double low, double high);
/* [rows][channels] of the same with zeros in the padding behind the real channels. */
float *selftest_padded(selftest *t, size_t rows, int channels, double low, double high);
double *selftest_widen(selftest *t, const float *x, size_t n);
double *selftest_doubles(selftest *t, size_t n);
buffer *selftest_upload(selftest *t, const char *label, const void *x, size_t n); /* n words of 4 bytes */
buffer *selftest_output(selftest *t, const char *label, size_t n);                /* n floats, NaN */
float *selftest_download(selftest *t, buffer *b, size_t n);

/* The time of what is queued between the two goes into the rows that follow. */
void selftest_start(selftest *t);
void selftest_stop(selftest *t);

/* Adds a row: the largest |got − want| / (|want| + floor) against the bound; floor < 0 means relative to the largest
 * |want| of the array instead. NaN where `want` is a number is an infinite error. */
void selftest_compare(selftest *t, const char *operator_name, buffer *got, const double *want, size_t n, double floor,
                      double bound);
/* A row with an error measured elsewhere; a broken operator's error is made infinite. */
void selftest_add(selftest *t, const char *operator_name, double error, double bound);

/* The largest error of a comparison, as above. */
double selftest_error(const float *got, const double *want, size_t n, double floor);

/* Operands of a convolution of n samples, uniform in −1 … 1, as doubles and on the device. */
typedef struct {
    size_t nx, ny, nw;
    double *x, *y, *w, *bias_y, *bias_x;
    buffer *bx, *by, *bw, *bbias_y, *bbias_x;
} conv_arrays;
conv_arrays selftest_conv_arrays(selftest *t, const conv_shape *s, int n);
/* What a direction's error on them may be, with a floor of .58. */
double selftest_conv_bound(const conv_shape *s, int direction, int n);

/* The checks. Each is run with selftest_release behind it. */
void check_explicit(selftest *t, size_t n);
void check_activation(selftest *t, activation f, size_t n);
void check_bias(selftest *t, const batching *b, int pixels, int channels);
void check_norm(selftest *t, const norm_shape *s, const batching *b);
void check_norm_frozen(selftest *t, const norm_shape *s, int n);
void check_loss(selftest *t, int batch, float noise);
void check_loss_squared(selftest *t, int n, int features);
void check_adam(selftest *t, size_t n);
void check_fingerprint(selftest *t, size_t n);
void check_random(selftest *t, int rows, int columns, int stride, uint64_t first);
void check_crop(selftest *t, const crop_shape *s);
void check_transform(selftest *t, const transform_shape *f, size_t n);
void check_linear(selftest *t, const transform_shape *f, size_t n);
void check_conv(selftest *t, const conv_shape *s, const batching *b, const conv_ends *ends);
void check_dense(selftest *t, const dense_shape *s, const batching *b);
void check_gemm(selftest *t, bool clblast, bool ta, bool tb, int m, int n, int k);
void check_fft(selftest *t, int dims, const int *n);
void check_mesh(selftest *t, int dims, int n, int64_t count);
void check_reduce(selftest *t, int side, int images);
void check_overlap(selftest *t, int pixels, int images, bool per_image);
void check_distance(selftest *t, int m, int n, int pixels);

/* One function per family runs its checks: small odd sizes, then, where selftest_large says so, sizes of the presets.
 */
void family_explicit(selftest *t);
void family_activation(selftest *t);
void family_norm(selftest *t);
void family_loss(selftest *t);
void family_adam(selftest *t);
void family_fingerprint(selftest *t);
void family_random(selftest *t);
void family_crop(selftest *t);
void family_transform(selftest *t);
void family_conv(selftest *t);
void family_dense(selftest *t);
void family_gemm(selftest *t);
void family_clblast(selftest *t);
void family_fft(selftest *t);
void family_mesh(selftest *t);
void family_reduce(selftest *t);
void family_overlap(selftest *t);
void family_distance(selftest *t);

/* Ends the part of a family that is hashed; whether the large sizes are to be run. */
bool selftest_large(selftest *t);

/* The known hash of a family; NULL if there is none (selftest_known.c). */
const char *selftest_known(const char *family);

#endif
