#include "io/npy.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/files.h"
#include "base/memory.h"

enum { HEADER_BYTES = 65536, PIECE_BYTES = 1 << 20 };
static const char MAGIC[] = "\x93NUMPY";

struct npy_file {
    char path[FILES_PATH];
    int descriptor;
    int rank;
    uint64_t shape[H5_RANK], elements, start; /* start: of the data, in bytes */
    char type;                                /* b, i, u, f as in NumPy's codes */
    int size;                                 /* bytes of a number */
    bool swapped, fortran;
    unsigned char *piece; /* PIECE_BYTES: what was read last */
};

bool npy_is(const unsigned char *head, size_t size)
{
    return size >= sizeof MAGIC - 1 && !memcmp(head, MAGIC, sizeof MAGIC - 1);
}

static status read_bytes(context *c, const npy_file *f, uint64_t offset, size_t size, void *out)
{
    unsigned char *to = out;
    while (size > 0) {
        ssize_t n = pread(f->descriptor, to, size, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return context_fail(c, STATUS_DATA, "%s: cannot be read: %s", f->path, strerror(errno));
        if (n == 0) return context_fail(c, STATUS_DATA, "%s: ends at byte %" PRIu64 "; it is cut off", f->path, offset);
        to += n, offset += (uint64_t)n, size -= (size_t)n;
    }
    return STATUS_OK;
}

/* ---- the header: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } in any order ---- */

static const char *skip_space(const char *p)
{
    while (isspace((unsigned char)*p)) p++;
    return p;
}

/* Nothing else stands in the header of an array of numbers; and messages may quote it. */
static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isspace((unsigned char)text[i]) && (text[i] < ' ' || text[i] > '~')) return false;
    return true;
}

/* 'text' or "text" without escapes; NULL if there is none at p. */
static const char *parse_text(const char *p, char *out, size_t size)
{
    const char quote = *p, *end = quote == '\'' || quote == '"' ? strchr(p + 1, quote) : NULL;
    if (!end || (size_t)(end - p) > size || memchr(p, '\\', (size_t)(end - p))) return NULL;
    snprintf(out, size, "%.*s", (int)(end - p - 1), p + 1);
    return end + 1;
}

static const char *parse_shape(const char *p, npy_file *f)
{
    if (*p != '(') return NULL;
    p = skip_space(p + 1);
    while (*p != ')') {
        char *end = NULL;
        if (!isdigit((unsigned char)*p) || f->rank == H5_RANK) return NULL;
        errno = 0;
        f->shape[f->rank++] = strtoull(p, &end, 10);
        if (errno) return NULL;
        p = skip_space(*end == 'L' ? end + 1 : end); /* Python 2 wrote long integers so */
        if (*p == ',')
            p = skip_space(p + 1);
        else if (*p != ')')
            return NULL;
    }
    return p + 1;
}

/* false: p is no such dictionary. */
static bool parse_header(const char *p, npy_file *f, char descr[16])
{
    unsigned found = 0;
    p = skip_space(p);
    if (*p != '{') return false;
    p = skip_space(p + 1);
    while (*p != '}') {
        char key[24];
        unsigned bit = 0;
        if (!(p = parse_text(p, key, sizeof key))) return false;
        p = skip_space(p);
        if (*p++ != ':') return false;
        p = skip_space(p);
        if (!strcmp(key, "descr")) {
            bit = 1;
            if (*p == '[') { /* a structure */
                snprintf(descr, 16, "[");
                return true;
            }
            p = parse_text(p, descr, 16);
        } else if (!strcmp(key, "fortran_order")) {
            bit = 2;
            f->fortran = !strncmp(p, "True", 4);
            p = f->fortran ? p + 4 : !strncmp(p, "False", 5) ? p + 5 : NULL;
        } else if (!strcmp(key, "shape")) {
            bit = 4;
            p = parse_shape(p, f);
        }
        if (!bit || !p || found & bit) return false;
        found |= bit;
        p = skip_space(p);
        if (*p == ',')
            p = skip_space(p + 1);
        else if (*p != '}')
            return false;
    }
    return found == 7 && !*skip_space(p + 1);
}

static status take_type(context *c, npy_file *f, const char *descr)
{
    const char order = descr[0], type = order ? descr[1] : 0;
    char *end = NULL;
    const long size = type ? strtol(descr + 2, &end, 10) : 0;
    if (descr[0] == '[')
        return context_fail(c, STATUS_DATA, "%s: holds structures; save one field of them: numpy.save(…, a['name'])",
                            f->path);
    if (type == 'O' || order == 'O')
        return context_fail(c, STATUS_DATA,
                            "%s: holds Python objects, which only running code could read; save numbers: "
                            "numpy.save(…, numpy.asarray(a, dtype='float32'))",
                            f->path);
    const bool known = end && !*end && strchr("<>|=", order) &&
                       ((type == 'b' && size == 1) ||
                        ((type == 'i' || type == 'u') && (size == 1 || size == 2 || size == 4 || size == 8)) ||
                        (type == 'f' && (size == 2 || size == 4 || size == 8)));
    if (!known)
        return context_fail(c, STATUS_DATA,
                            "%s: holds numbers of the type \"%s\", which are not read; save real ones: "
                            "numpy.save(…, a.astype('float32'))",
                            f->path, descr);
    f->type = type;
    f->size = (int)size;
    f->swapped = order == '>';
    return STATUS_OK;
}

/* The bytes that the shape declares must be there. */
static status check_size(context *c, npy_file *f, uint64_t file_bytes)
{
    uint64_t bytes = (uint64_t)f->size;
    bool fits = true;
    f->elements = 1;
    for (int i = 0; i < f->rank; i++) {
        fits &= !__builtin_mul_overflow(bytes, f->shape[i], &bytes);
        f->elements *= f->shape[i];
    }
    if (fits && f->elements == 0)
        return context_fail(c, STATUS_DATA, "%s: holds no numbers: an axis is 0 long", f->path);
    if (fits && bytes <= file_bytes - f->start) return STATUS_OK;
    return context_fail(c, STATUS_DATA,
                        "%s: its header declares more numbers than its %" PRIu64
                        " bytes can hold; it is cut off or damaged, save it again",
                        f->path, file_bytes);
}

static status read_header(context *c, npy_file *f)
{
    struct stat st;
    unsigned char head[12] = {0};
    char *text = NULL, descr[16] = "";
    if (fstat(f->descriptor, &st) || !S_ISREG(st.st_mode))
        return context_fail(c, STATUS_DATA, "%s: is no ordinary file", f->path);
    status s = read_bytes(c, f, 0, 10, head);
    if (s) return s;
    if (!npy_is(head, 10) || head[6] < 1 || head[6] > 3)
        return context_fail(c, STATUS_DATA, "%s: is no .npy file of the format 1, 2 or 3", f->path);
    uint64_t size = (uint64_t)head[8] | (uint64_t)head[9] << 8;
    f->start = 10;
    if (head[6] > 1) {
        if ((s = read_bytes(c, f, 10, 2, head + 10))) return s;
        size |= (uint64_t)head[10] << 16 | (uint64_t)head[11] << 24;
        f->start = 12;
    }
    if (size > HEADER_BYTES)
        return context_fail(c, STATUS_DATA, "%s: its header of %" PRIu64 " bytes is no array's; save it again", f->path,
                            size);
    if ((s = memory_new(c, "header of a .npy file", size + 1, 1, &text))) return s;
    s = read_bytes(c, f, f->start, size, text);
    f->start += size;
    if (!s && (!is_plain(text, size) || !parse_header(text, f, descr)))
        s = context_fail(c, STATUS_DATA,
                         "%s: its header is no array's (descr, fortran_order and shape, at most %d "
                         "axes); save it again with numpy.save",
                         f->path, H5_RANK);
    memory_delete(&text);
    if (!s) s = take_type(c, f, descr);
    if (!s) s = check_size(c, f, (uint64_t)st.st_size);
    return s;
}

status npy_open(context *c, const char *path, npy_file **out)
{
    npy_file *f = NULL;
    *out = NULL;
    status s = memory_new(c, ".npy file", 1, sizeof *f, &f);
    if (s) return s;
    f->descriptor = -1;
    if ((s = files_path(c, f->path, "%s", path))) goto out;
    f->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (f->descriptor < 0) {
        s = context_fail(c, STATUS_DATA, "%s: cannot be opened: %s", path, strerror(errno));
        goto out;
    }
    if ((s = read_header(c, f))) goto out;
    if ((s = memory_new(c, "piece of a .npy file", PIECE_BYTES, 1, &f->piece))) goto out;
    *out = f;
    f = NULL;
out:
    npy_delete(&f);
    return s;
}

void npy_delete(npy_file **f)
{
    if (!f || !*f) return;
    if ((*f)->descriptor >= 0) close((*f)->descriptor);
    memory_delete(&(*f)->piece);
    memory_delete(f);
}

void npy_shape(const npy_file *f, int *rank, uint64_t shape[H5_RANK])
{
    *rank = f->rank;
    memcpy(shape, f->shape, sizeof f->shape);
}

/* ---- the numbers ---- */

static double from_half(uint16_t h)
{
    const int exponent = h >> 10 & 31, fraction = h & 1023;
    const double size = exponent == 31  ? fraction ? NAN : INFINITY
                        : exponent == 0 ? ldexp(fraction, -24)
                                        : ldexp(1024 + fraction, exponent - 25);
    return h & 0x8000 ? -size : size;
}

static double number_at(const npy_file *f, const unsigned char *at)
{
    uint64_t bits = 0;
    for (int i = 0; i < f->size; i++) bits |= (uint64_t)at[f->swapped ? f->size - 1 - i : i] << 8 * i;
    if (f->type == 'f') {
        float narrow;
        double wide;
        const uint32_t low = (uint32_t)bits;
        if (f->size == 2) return from_half((uint16_t)bits);
        if (f->size == 4) {
            memcpy(&narrow, &low, sizeof narrow);
            return (double)narrow;
        }
        memcpy(&wide, &bits, sizeof wide);
        return wide;
    }
    if (f->type == 'i') {
        const int unused = 64 - 8 * f->size;
        return (double)((int64_t)(bits << unused) >> unused);
    }
    return f->type == 'b' ? bits != 0 : (double)bits;
}

/* `count` numbers from the file's number `first` on, to out[0], out[step], … */
static status read_run(context *c, npy_file *f, uint64_t first, uint64_t count, double *out, uint64_t step)
{
    const uint64_t most = PIECE_BYTES / (uint64_t)f->size;
    while (count > 0) {
        const uint64_t n = count < most ? count : most, size = (uint64_t)f->size;
        status s = read_bytes(c, f, f->start + first * size, (size_t)(n * size), f->piece);
        if (s) return s;
        for (uint64_t i = 0; i < n; i++) out[i * step] = number_at(f, f->piece + i * size);
        first += n, count -= n, out += n * step;
    }
    return STATUS_OK;
}

status npy_read_rows(context *c, npy_file *f, uint64_t first, uint64_t rows, double *out)
{
    if (f->rank == 0 || first > f->shape[0] || rows > f->shape[0] - first)
        return context_fail(c, STATUS_USAGE, "%s: has no rows %" PRIu64 " to %" PRIu64, f->path, first, first + rows);
    const uint64_t row = f->elements / f->shape[0];
    if (!f->fortran) return read_run(c, f, first * row, rows * row, out, 1);
    /* The first axis varies fastest: the rows of one place inside a row lie side by side. */
    for (uint64_t k = 0; k < row; k++) {
        uint64_t rest = k, place = 0, stride = f->shape[0];
        uint64_t index[H5_RANK];
        for (int a = f->rank - 1; a > 0; a--) {
            index[a] = rest % f->shape[a];
            rest /= f->shape[a];
        }
        for (int a = 1; a < f->rank; a++) {
            place += index[a] * stride;
            stride *= f->shape[a];
        }
        status s = read_run(c, f, first + place, rows, out + k, row);
        if (s) return s;
    }
    return STATUS_OK;
}
