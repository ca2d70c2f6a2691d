#include "io/fits.h"

#include <fitsio.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/files.h"
#include "base/memory.h"

/* Tile compression seldom gains more than a hundredfold; this refuses what no image could be. */
enum { COMPRESSION = 4096, MOST_HDUS = 1000, MOST_AXES = 16 };

struct fits_images {
    char path[FILES_PATH], unit[32];
    fitsfile *file;
    uint64_t file_bytes;
    int axes; /* of the HDU chosen, FITS order */
    long length[MOST_AXES];
    int rank;
    uint64_t shape[H5_RANK], row; /* row: numbers in a row of the first axis */
};

bool fits_is(const unsigned char *head, size_t size)
{
    return size >= 9 && !memcmp(head, "SIMPLE  =", 9);
}

static status fail(context *c, const fits_images *f, int error, const char *what)
{
    char reason[FLEN_STATUS] = "", line[FLEN_ERRMSG];
    fits_get_errstatus(error, reason);
    while (fits_read_errmsg(line)) {
    } /* the library's stack of details */
    return context_fail(c, STATUS_DATA, "%s: %s (FITS: %s); it is damaged or cut off, copy or make it again", f->path,
                        what, reason);
}

/* Whether the current HDU is an image of two or more axes; its name, or "". */
static bool is_image(fits_images *f, char name[FLEN_VALUE])
{
    int error = 0, type = 0, bitpix = 0;
    name[0] = 0;
    if (fits_get_hdu_type(f->file, &type, &error) || (type != IMAGE_HDU && !fits_is_compressed_image(f->file, &error)))
        return false;
    fits_get_img_param(f->file, MOST_AXES, &bitpix, &f->axes, f->length, &error);
    if (error || f->axes < 2 || f->axes > MOST_AXES) return false;
    int none = 0;
    if (fits_read_key(f->file, TSTRING, "EXTNAME", name, NULL, &none)) {
        name[0] = 0;
        fits_clear_errmsg();
    }
    return true;
}

static void list_hdu(char *list, size_t size, int number, const char *name, const fits_images *f)
{
    size_t n = strlen(list);
    n += (size_t)snprintf(list + n, size - n, "%s%d%s%s%s [", n ? ", " : "", number, name[0] ? " (" : "", name,
                          name[0] ? ")" : "");
    for (int i = f->axes; i-- > 0 && n < size;)
        n += (size_t)snprintf(list + n, size - n, "%ld%s", f->length[i], i ? ", " : "]");
}

static status choose_hdu(context *c, fits_images *f, const char *hdu)
{
    int error = 0, count = 0, found = 0, chosen = 0;
    char name[FLEN_VALUE], list[600] = "", *end = NULL;
    const long wanted = hdu ? strtol(hdu, &end, 10) : -1;
    const bool by_number = hdu && hdu[0] && !*end;
    if (fits_get_num_hdus(f->file, &count, &error)) return fail(c, f, error, "its HDUs cannot be counted");
    for (int i = 1; i <= count && i <= MOST_HDUS; i++) {
        if (fits_movabs_hdu(f->file, i, NULL, &error)) return fail(c, f, error, "an HDU cannot be read");
        if (!is_image(f, name)) continue;
        list_hdu(list, sizeof list, i - 1, name, f);
        if (hdu && (by_number ? wanted != i - 1 : strcasecmp(hdu, name) != 0)) continue;
        if (!found++) chosen = i;
    }
    if (!list[0]) return context_fail(c, STATUS_DATA, "%s: has no image of two or more axes", f->path);
    if (!found) return context_fail(c, STATUS_USAGE, "%s: no image HDU is called %s; there are %s", f->path, hdu, list);
    if (found > 1)
        return context_fail(c, STATUS_USAGE, "%s: has several image HDUs; name one with --dataset NUMBER: %s", f->path,
                            list);
    if (fits_movabs_hdu(f->file, chosen, NULL, &error)) return fail(c, f, error, "an HDU cannot be read");
    is_image(f, name);
    return STATUS_OK;
}

static status take_shape(context *c, fits_images *f)
{
    int error = 0, bitpix = 0;
    const bool packed = fits_is_compressed_image(f->file, &error);
    LONGLONG data = 0, end = 0;
    error = 0;
    if (fits_get_img_type(f->file, &bitpix, &error) || fits_get_hduaddrll(f->file, NULL, &data, &end, &error))
        return fail(c, f, error, "the image cannot be described");
    uint64_t bytes = (uint64_t)abs(bitpix) / 8, limit = f->file_bytes;
    bool fits = bytes > 0 && (uint64_t)data <= f->file_bytes;
    if (packed && __builtin_mul_overflow(limit, (uint64_t)COMPRESSION, &limit)) limit = UINT64_MAX;
    if (!packed && fits) limit -= (uint64_t)data;
    f->rank = 0;
    f->row = 1;
    for (int i = f->axes; i-- > 0;) {
        const long n = f->length[i];
        if (n == 0) return context_fail(c, STATUS_DATA, "%s: the image holds no numbers: an axis is 0 long", f->path);
        fits = fits && n > 0 && !__builtin_mul_overflow(bytes, (uint64_t)n, &bytes);
        if (n == 1 && i >= 2) continue;
        if (f->rank == H5_RANK) return context_fail(c, STATUS_DATA, "%s: the image has too many axes", f->path);
        if (f->rank > 0 && fits) f->row *= (uint64_t)n;
        f->shape[f->rank++] = (uint64_t)n;
    }
    if (fits && bytes <= limit) return STATUS_OK;
    return context_fail(c, STATUS_DATA,
                        "%s: the image declares more numbers than the file's %" PRIu64
                        " bytes can hold; it is cut off or damaged, copy it again",
                        f->path, f->file_bytes);
}

status fits_images_open(context *c, const char *path, const char *hdu, fits_images **out)
{
    fits_images *f = NULL;
    struct stat st;
    int error = 0;
    *out = NULL;
    status s = memory_new(c, "FITS file", 1, sizeof *f, &f);
    if (s) return s;
    s = files_path(c, f->path, "%s", path);
    if (!s && (stat(path, &st) || !S_ISREG(st.st_mode)))
        s = context_fail(c, STATUS_DATA, "%s: is no ordinary file", path);
    if (!s) f->file_bytes = (uint64_t)st.st_size;
    /* diskfile: the name is a name, no expression of CFITSIO's language. */
    if (!s && fits_open_diskfile(&f->file, path, READONLY, &error)) s = fail(c, f, error, "cannot be opened");
    if (!s) s = choose_hdu(c, f, hdu);
    if (!s) s = take_shape(c, f);
    if (!s) {
        char unit[FLEN_VALUE] = "";
        if (fits_read_key(f->file, TSTRING, "BUNIT", unit, NULL, &error)) fits_clear_errmsg();
        if (!error && strlen(unit) < sizeof f->unit) snprintf(f->unit, sizeof f->unit, "%.31s", unit);
    }
    if (s)
        fits_images_delete(&f);
    else
        *out = f;
    return s;
}

void fits_images_delete(fits_images **f)
{
    int error = 0;
    if (!f || !*f) return;
    if ((*f)->file) fits_close_file((*f)->file, &error);
    fits_clear_errmsg();
    memory_delete(f);
}

void fits_images_shape(const fits_images *f, int *rank, uint64_t shape[H5_RANK])
{
    *rank = f->rank;
    memcpy(shape, f->shape, sizeof f->shape);
}

const char *fits_images_unit(const fits_images *f)
{
    return f->unit;
}

status fits_images_read_rows(context *c, fits_images *f, uint64_t first, uint64_t rows, double *out)
{
    int error = 0, nulls = 0;
    double blank = NAN;
    LONGLONG place[MOST_AXES];
    if (first > f->shape[0] || rows > f->shape[0] - first)
        return context_fail(c, STATUS_USAGE, "%s: has no rows %" PRIu64 " to %" PRIu64, f->path, first, first + rows);
    uint64_t at = first * f->row;
    for (int i = 0; i < f->axes; i++) {
        place[i] = (LONGLONG)(at % (uint64_t)f->length[i]) + 1;
        at /= (uint64_t)f->length[i];
    }
    if (fits_read_pixll(f->file, TDOUBLE, place, (LONGLONG)(rows * f->row), &blank, out, &nulls, &error))
        return fail(c, f, error, "the image cannot be read");
    return STATUS_OK;
}
