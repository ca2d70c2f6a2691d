#include "ops/fft.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "ops/fft_backend.h"
#include "ops/ref/fft_ref.h"

enum { BACKENDS = 2, TEST_MODES = 12, ROUNDS = 10 };
static const fft_backend_row *const backends[BACKENDS] = {&fft_vkfft, &fft_clfft};

struct fft_plan {
    device *d;
    fft_shape shape;
    const fft_backend_row *backend;
    void *plan;
    double error, seconds;
};

bool fft_size_allowed(int n)
{
    if (n < 1) return false;
    for (int f = 2; f <= 5; f++)
        while (n % f == 0) n /= f;
    return n == 1;
}

int fft_size_next(int n)
{
    n += n & 1;
    while (!fft_size_allowed(n)) n += 2;
    return n;
}

size_t fft_real_count(int dims, const int *n, int batch)
{
    size_t count = (size_t)batch;
    for (int i = 0; i < dims; i++) count *= (size_t)n[i];
    return count;
}

size_t fft_complex_count(int dims, const int *n, int batch)
{
    return fft_real_count(dims, n, batch) / (size_t)n[dims - 1] * (size_t)(n[dims - 1] / 2 + 1);
}

/* "2D 1024x1024" or "50 of 2D 128x128" for messages and keys. */
static void shape_text(const fft_shape *s, char *text, size_t size)
{
    int at = s->batch > 1 ? snprintf(text, size, "%d of ", s->batch) : 0;
    for (int i = 0; i < s->dims; i++) at += snprintf(text + at, size - (size_t)at, "%s%d", i ? "x" : "", s->n[i]);
}

static size_t field_size(const fft_shape *s)
{
    return fft_real_count(s->dims, s->n, 1);
}

/* Largest error allowed by the self-test, relative to the root mean square: float32 transforms err by about
 * 2^-24 √log2 N (Schatzman 1996) in the mean; the worst of the elements looked at is several times that. */
static double error_bound(const fft_shape *s)
{
    return 4 * 0x1p-24 * fmax(4, log2((double)field_size(s)));
}

/* ---- the self-test ----------------------------------------------------------------------------------------------- */

/* Uniform in [−½, ½): four numbers per block, cheap enough for the largest meshes. */
static void random_field(float *x, size_t count)
{
    for (size_t i = 0; i < count; i += 4) {
        uint32_t w[4];
        rng_block(7, RNG_TEST, i / 4, 0, w);
        for (size_t j = 0; j < 4 && i + j < count; j++) x[i + j] = (float)(w[j] >> 8) * 0x1p-24f - .5f;
    }
}

/* Mode number t of the test: the mean, the fundamental and Nyquist modes, then random ones. */
static void test_mode(const fft_shape *s, int t, int *k)
{
    for (int i = 0; i < s->dims; i++) {
        int last = i == s->dims - 1, range = last ? s->n[i] / 2 + 1 : s->n[i];
        if (t == 0)
            k[i] = 0;
        else if (t == 1)
            k[i] = last && range > 1 ? 1 : 0;
        else if (t == 2)
            k[i] = s->n[i] / 2;
        else if (t == 3)
            k[i] = i == 0 && s->n[i] > 1 && !last ? s->n[i] - 1 : 0;
        else
            k[i] = (int)(rng_uniform(8, RNG_TEST, (uint64_t)t, (uint32_t)i) * range);
    }
}

/* Worst relative error of a few modes of the first and the last field, and of the whole energy (Parseval), which sees
 * every mode. */
static status modes_error(context *c, const fft_shape *s, const float *x, const float *modes, double *error)
{
    size_t one = field_size(s), half = fft_complex_count(s->dims, s->n, 1), row = (size_t)(s->n[s->dims - 1] / 2 + 1);
    *error = 0;
    for (int b = 0; b<s->batch; b += s->batch> 1 ? s->batch - 1 : 1) {
        const float *field = x + (size_t)b * one, *got = modes + 2 * (size_t)b * half;
        double square = 0, energy = 0;
        for (size_t i = 0; i < one; i++) square += (double)field[i] * field[i];
        for (size_t i = 0; i < half; i++) {
            size_t column = i % row;
            double weight = column == 0 || 2 * column == (size_t)s->n[s->dims - 1] ? 1 : 2; /* the other half */
            energy += weight * ((double)got[2 * i] * got[2 * i] + (double)got[2 * i + 1] * got[2 * i + 1]);
        }
        double parseval = fabs(energy / ((double)one * square) - 1);
        *error = !(parseval <= *error) ? parseval : *error; /* catches NaN */
        for (int t = 0; t < TEST_MODES; t++) {
            int k[3];
            double exact[2];
            test_mode(s, t, k);
            status result = fft_ref_mode(c, s->dims, s->n, field, k, exact);
            if (result) return result;
            size_t at = 0;
            for (int i = 0; i < s->dims; i++) at = at * (i == s->dims - 1 ? row : (size_t)s->n[i]) + (size_t)k[i];
            double difference = hypot(got[2 * at] - exact[0], got[2 * at + 1] - exact[1]) / sqrt(square);
            *error = !(difference <= *error) ? difference : *error;
        }
    }
    return STATUS_OK;
}

typedef struct {
    buffer *real, *complex;
    float *x, *modes, *back;
    size_t real_count, complex_count;
} test_data;

static void test_delete(test_data *t)
{
    buffer_delete(&t->real);
    buffer_delete(&t->complex);
    memory_delete(&t->x);
    memory_delete(&t->modes);
    memory_delete(&t->back);
}

static status test_new(context *c, device *d, const fft_shape *s, test_data *t)
{
    t->real_count = fft_real_count(s->dims, s->n, s->batch);
    t->complex_count = fft_complex_count(s->dims, s->n, s->batch);
    status result = memory_new(c, "self-test of the Fourier transform", t->real_count, sizeof(float), &t->x);
    if (!result)
        result = memory_new(c, "self-test of the Fourier transform", 2 * t->complex_count, sizeof(float), &t->modes);
    if (!result) result = memory_new(c, "self-test of the Fourier transform", t->real_count, sizeof(float), &t->back);
    if (!result)
        result = buffer_new(c, d, "self-test of the Fourier transform", t->real_count * sizeof(float), &t->real);
    if (!result)
        result =
            buffer_new(c, d, "self-test of the Fourier transform", 2 * t->complex_count * sizeof(float), &t->complex);
    if (!result) random_field(t->x, t->real_count);
    return result;
}

/* Runs the plan forward and back: its worst error. */
static status test_plan(context *c, fft_plan *p, test_data *t)
{
    size_t bytes = t->real_count * sizeof(float);
    double n = (double)field_size(&p->shape), square = 0;
    status result = buffer_write(c, t->real, 0, t->x, bytes);
    if (!result) result = fft_forward(c, p, t->real, t->complex);
    if (!result) result = buffer_read(c, t->complex, 0, t->modes, 2 * t->complex_count * sizeof(float));
    if (!result) result = modes_error(c, &p->shape, t->x, t->modes, &p->error);
    if (!result) result = buffer_zero(c, t->real);
    if (!result) result = fft_inverse(c, p, t->complex, t->real);
    if (!result) result = buffer_read(c, t->real, 0, t->back, bytes);
    if (result) return result;
    for (size_t i = 0; i < t->real_count; i++) square += (double)t->x[i] * t->x[i];
    double unit = sqrt(square / (double)t->real_count), sum = 0;
    for (size_t i = 0; i < t->real_count; i++) {
        double difference = (t->back[i] / n - t->x[i]) / unit;
        sum += difference * difference;
    }
    double round_trip = sqrt(sum / (double)t->real_count);
    if (!(round_trip <= p->error)) p->error = round_trip;
    return result;
}

/* Best times of a pair, the candidates taking turns so that what else the machine does meets both: up to ROUNDS rounds,
 * but no more after a second. */
static status time_plans(context *c, fft_plan *p, test_data *t)
{
    status result = STATUS_OK;
    double begin = clock_seconds();
    for (int r = 0; r < ROUNDS && !result && (r < 2 || clock_seconds() - begin < 1); r++)
        for (int i = 0; i < BACKENDS && !result; i++) {
            if (!p[i].plan) continue;
            double start = clock_seconds();
            result = fft_forward(c, &p[i], t->real, t->complex);
            if (!result) result = fft_inverse(c, &p[i], t->complex, t->real);
            if (!result) result = device_finish(c, p[i].d);
            double seconds = clock_seconds() - start;
            if (r == 0 || seconds < p[i].seconds) p[i].seconds = seconds;
        }
    return result;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

/* Where the choice for this device, driver, shape and set of candidates is remembered. */
static status choice_path(context *c, const device_record *r, const fft_shape *s, const bool *allowed, char *path)
{
    char folder[FILES_PATH], text[1024], shape[64], key[HASH_TEXT];
    shape_text(s, shape, sizeof shape);
    status result = files_cache_folder(c, folder);
    if (result) return result;
    int size =
        snprintf(text, sizeof text, "%s|%s|%s|%s|%s|%d|%d|%d%d|2", r->platform_name, r->platform_version, r->name,
                 r->driver, shape, backends[0]->version(), backends[1]->version(), allowed[0], allowed[1]);
    hash_bytes(text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1, key);
    return files_path(c, path, "%s/fft-%s", folder, key);
}

/* −1 when nothing (valid) is remembered. */
static int choice_recall(context *c, const char *path, const bool *allowed, double *error, double *seconds)
{
    char *text = NULL, name[16];
    size_t size;
    int found = -1;
    if (!path[0] || !files_exists(path) || files_read(c, path, &text, &size)) return -1;
    if (sscanf(text, "%15s %lf %lf", name, error, seconds) == 3)
        for (int i = 0; i < BACKENDS; i++)
            if (allowed[i] && strcmp(name, backends[i]->name) == 0) found = i;
    memory_delete(&text);
    return found;
}

static void plan_close(fft_plan *p)
{
    if (p->plan) p->backend->close(&p->plan);
}

/* Opens and tests one backend; one that fails or errs is closed again and named in `why`. */
static status try_backend(context *c, fft_plan *p, test_data *t, char *why, size_t size)
{
    double bound = error_bound(&p->shape);
    size_t at = strlen(why);
    const char *between = at ? "; " : "";
    status tried = p->backend->open(c, p->d, &p->shape, &p->plan);
    if (!tried) tried = test_plan(c, p, t);
    if (!tried && p->error <= bound) return STATUS_OK;
    if (tried)
        snprintf(why + at, size - at, "%s%s: %.300s", between, p->backend->name, context_message(c));
    else
        snprintf(why + at, size - at, "%s%s: error %.2g is over the bound %.2g", between, p->backend->name, p->error,
                 bound);
    if (p->plan && device_finish(c, p->d)) log_debug(c, "%s", context_message(c));
    plan_close(p);
    return STATUS_SELFTEST;
}

/* Tests every allowed backend and leaves the fastest right one in p. */
static status choose(context *c, fft_plan *p, const bool *allowed)
{
    test_data t = {0};
    fft_plan candidate[BACKENDS];
    char why[1024] = "", shape[64];
    int best = -1;
    for (int i = 0; i < BACKENDS; i++) {
        candidate[i] = *p;
        candidate[i].backend = backends[i];
    }
    shape_text(&p->shape, shape, sizeof shape);
    status result = test_new(c, p->d, &p->shape, &t);
    if (result) goto out;
    for (int i = 0; i < BACKENDS; i++)
        if (allowed[i]) (void)try_backend(c, &candidate[i], &t, why, sizeof why);
    if (why[0]) log_warning(c, "Fourier transform of %s on %s: %s", shape, device_info(p->d)->name, why);
    result = time_plans(c, candidate, &t);
    for (int i = 0; i < BACKENDS && !result; i++) {
        if (!candidate[i].plan) continue;
        log_debug(c, "Fourier transform of %s: %s errs by %.2g, %.3g ms for a pair", shape, backends[i]->name,
                  candidate[i].error, 1e3 * candidate[i].seconds);
        if (best < 0 || candidate[i].seconds < candidate[best].seconds) best = i;
    }
    if (best >= 0)
        *p = candidate[best];
    else if (!result)
        result = context_fail(c, STATUS_SELFTEST,
                              "Fourier transform of %s on %s: no library is right (%s); choose another device or mesh",
                              shape, device_info(p->d)->name, why[0] ? why : "none is allowed by the quirks");
out:
    for (int i = 0; i < BACKENDS; i++) {
        if (i == best || !candidate[i].plan) continue;
        if (device_finish(c, p->d)) log_debug(c, "%s", context_message(c));
        plan_close(&candidate[i]);
    }
    test_delete(&t);
    return result;
}

static status allowed_backends(context *c, device *d, bool *allowed)
{
    const char *forced = getenv("COSMOCL_FFT");
    allowed[0] = !device_info(d)->avoid_vkfft;
    allowed[1] = !device_info(d)->avoid_clfft;
    if (!forced || !*forced) return STATUS_OK;
    for (int i = 0; i < BACKENDS; i++) {
        allowed[i] = strcmp(forced, backends[i]->name) == 0;
        if (allowed[i]) {
            allowed[1 - i] = false;
            return STATUS_OK;
        }
    }
    return context_fail(c, STATUS_USAGE, "COSMOCL_FFT=%s: unknown; choose clfft or vkfft, or unset it", forced);
}

static status check_shape(context *c, int dims, const int *n, int batch)
{
    if (dims < 1 || dims > 3 || batch < 1)
        return context_fail(c, STATUS_USAGE,
                            "Fourier transform: %d dimensions, batch %d; 1 to 3 and 1 or more are possible", dims,
                            batch);
    for (int i = 0; i < dims; i++) {
        if (!fft_size_allowed(n[i]))
            return context_fail(
                c, STATUS_USAGE,
                "Fourier transform: size %d has a factor other than 2, 3 and 5; the next that works is %d", n[i],
                fft_size_next(n[i] > 0 ? n[i] : 2));
    }
    if (n[dims - 1] % 2)
        return context_fail(c, STATUS_USAGE,
                            "Fourier transform: the fastest axis has the odd size %d; the next that works is %d",
                            n[dims - 1], fft_size_next(n[dims - 1]));
    return STATUS_OK;
}

status fft_plan_new(context *c, device *d, int dims, const int *n, int batch, fft_plan **out)
{
    fft_plan *p = NULL;
    bool allowed[BACKENDS];
    char path[FILES_PATH] = "";
    *out = NULL;
    status result = check_shape(c, dims, n, batch);
    if (!result) result = allowed_backends(c, d, allowed);
    if (!result) result = memory_new(c, "Fourier plan", 1, sizeof *p, &p);
    if (result) goto out;
    p->d = d;
    p->shape = (fft_shape){.dims = dims, .batch = batch, .n = {1, 1, 1}};
    for (int i = 0; i < dims; i++) p->shape.n[i] = n[i];
    /* Without a cache folder all works, only slower. */
    if (choice_path(c, device_info(d), &p->shape, allowed, path)) path[0] = 0;
    int known = choice_recall(c, path, allowed, &p->error, &p->seconds);
    if (known >= 0) {
        p->backend = backends[known];
        if (p->backend->open(c, d, &p->shape, &p->plan)) known = -1; /* choose again, with what is left */
    }
    if (known < 0) {
        char line[128];
        result = choose(c, p, allowed);
        if (result) goto out;
        int size = snprintf(line, sizeof line, "%s %.17g %.17g\n", p->backend->name, p->error, p->seconds);
        if (path[0] && files_replace(c, path, line, (size_t)size)) log_debug(c, "%s", context_message(c));
    }
    *out = p;
    p = NULL;
out:
    fft_plan_delete(&p);
    return result;
}

void fft_plan_delete(fft_plan **plan)
{
    if (!plan || !*plan) return;
    fft_plan *p = *plan;
    if (p->plan) {
        /* The libraries release their tables at once, which must not be in use. */
        context *quiet = context_new(&(context_sinks){0});
        if (quiet) (void)device_finish(quiet, p->d);
        context_delete(&quiet);
        plan_close(p);
    }
    memory_delete(plan);
}

static status check_buffers(context *c, const fft_plan *p, const buffer *real, const buffer *complex)
{
    const fft_shape *s = &p->shape;
    size_t need_real = fft_real_count(s->dims, s->n, s->batch) * sizeof(float);
    size_t need_complex = fft_complex_count(s->dims, s->n, s->batch) * 2 * sizeof(float);
    if (buffer_bytes(real) < need_real || buffer_bytes(complex) < need_complex)
        return context_fail(c, STATUS_FAILURE, "Fourier transform: %s has %zu bytes and %s %zu; it needs %zu and %zu",
                            buffer_label(real), buffer_bytes(real), buffer_label(complex), buffer_bytes(complex),
                            need_real, need_complex);
    return STATUS_OK;
}

status fft_forward(context *c, fft_plan *p, buffer *real, buffer *complex)
{
    status s = check_buffers(c, p, real, complex);
    return s ? s : p->backend->run(c, p->d, p->plan, true, real, complex);
}

status fft_inverse(context *c, fft_plan *p, buffer *complex, buffer *real)
{
    status s = check_buffers(c, p, real, complex);
    return s ? s : p->backend->run(c, p->d, p->plan, false, real, complex);
}

const char *fft_backend(const fft_plan *p)
{
    return p->backend->name;
}

double fft_error(const fft_plan *p)
{
    return p->error;
}

double fft_pair_seconds(const fft_plan *p)
{
    return p->seconds;
}
