#include "io/image_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/files.h"
#include "base/memory.h"
#include "io/fits.h"
#include "io/hdf5.h"
#include "io/npy.h"

/* Where the axes of an image lie in the file; count and channel may be missing. */
typedef enum { AXES_YX, AXES_NYX, AXES_YXC, AXES_NYXC, AXES_NCYX } axes_kind;

struct image_file {
    char path[FILES_PATH], object[512]; /* object: of HDF5 */
    /* One of them. */
    npy_file *npy;
    fits_images *fits;
    h5_file *hdf5;
    axes_kind axes;
    image_stack stack;
};

/* ---- the axes ---- */

static bool is_channel(uint64_t n)
{
    return n > 0 && n <= IMAGE_CHANNELS;
}

/* Which axes a shape of images has; false where it has none such. */
static bool find_axes(int rank, const uint64_t *n, axes_kind *axes, image_stack *stack)
{
    uint64_t count = 1, y = 0, x = 0, channels = 1;
    if (rank == 2) {
        *axes = AXES_YX;
        y = n[0], x = n[1];
    } else if (rank == 3 && is_channel(n[2]) && !is_channel(n[0]) && !is_channel(n[1])) {
        *axes = AXES_YXC;
        y = n[0], x = n[1], channels = n[2];
    } else if (rank == 3) {
        *axes = AXES_NYX;
        count = n[0], y = n[1], x = n[2];
    } else if (rank == 4 && is_channel(n[3])) {
        *axes = AXES_NYXC;
        count = n[0], y = n[1], x = n[2], channels = n[3];
    } else if (rank == 4 && is_channel(n[1])) {
        *axes = AXES_NCYX;
        count = n[0], channels = n[1], y = n[2], x = n[3];
    }
    if (y < 2 || x < 2 || y > IMAGE_SIDE || x > IMAGE_SIDE || !count || count > INT32_MAX) return false;
    stack->count = (int64_t)count;
    stack->ny = (int)y, stack->nx = (int)x;
    stack->channels = (int)channels;
    return true;
}

static size_t shape_text(char *text, size_t size, int rank, const uint64_t *n)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%" PRIu64 "%s", n[i], i + 1 < rank ? ", " : "]");
    return used;
}

static status take_axes(context *c, image_file *f, int rank, const uint64_t *n)
{
    char text[200];
    if (find_axes(rank, n, &f->axes, &f->stack)) return STATUS_OK;
    shape_text(text, sizeof text, rank, n);
    return context_fail(c, STATUS_DATA,
                        "%s: an array of the shape %s is no stack of images; those are [y, x], [n, y, x] or [n, y, x, "
                        "channel], sides from 2 to %d, up to %d channels: reshape or cut it and save it again",
                        f->path, text, IMAGE_SIDE, IMAGE_CHANNELS);
}

/* ---- which dataset of an HDF5 file ---- */

enum { SMALLEST = 8 }; /* narrower tables beside the images are none */

typedef struct {
    context *c;
    h5_file *f;
    int suitable;
    char first[512], list[600];
} search;

static bool look_at(void *user, const char *object)
{
    search *s = user;
    int rank = 0;
    uint64_t shape[H5_RANK];
    h5_type stored;
    axes_kind axes;
    image_stack stack;
    if (h5_shape(s->c, s->f, object, &rank, shape, &stored) || !find_axes(rank, shape, &axes, &stack)) return true;
    if (stack.ny < SMALLEST || stack.nx < SMALLEST || strlen(object) >= sizeof s->first) return true;
    size_t n = strlen(s->list);
    if (!s->suitable++) snprintf(s->first, sizeof s->first, "%s", object);
    n += (size_t)snprintf(s->list + n, sizeof s->list - n, "%s%s ", n ? ", " : "", object);
    if (n < sizeof s->list) n += shape_text(s->list + n, sizeof s->list - n, rank, shape);
    return n < sizeof s->list;
}

static status choose_dataset(context *c, image_file *f, const char *object)
{
    search found = {.c = c, .f = f->hdf5};
    if (object) {
        snprintf(f->object, sizeof f->object, "%s%.500s", object[0] == '/' ? "" : "/", object);
        if (h5_exists(f->hdf5, f->object)) return STATUS_OK;
    }
    status s = h5_list_datasets(c, f->hdf5, look_at, &found);
    if (s) return s;
    if (!found.suitable)
        return context_fail(c, STATUS_DATA,
                            "%s: has no dataset of images; those are [y, x], [n, y, x] or [n, y, x, channel] "
                            "arrays of numbers, name one with --dataset PATH",
                            f->path);
    if (object)
        return context_fail(c, STATUS_USAGE, "%s: has no dataset %s; there are %s", f->path, f->object, found.list);
    if (found.suitable > 1)
        return context_fail(c, STATUS_USAGE, "%s: has several datasets; name one with --dataset PATH: %s", f->path,
                            found.list);
    snprintf(f->object, sizeof f->object, "%s", found.first);
    return STATUS_OK;
}

static status open_hdf5(context *c, image_file *f, const char *object, int *rank, uint64_t shape[H5_RANK])
{
    h5_type stored;
    char *units = NULL;
    status s = h5_open(c, f->path, &f->hdf5);
    if (!s) s = choose_dataset(c, f, object);
    if (!s) s = h5_shape(c, f->hdf5, f->object, rank, shape, &stored);
    if (s || !h5_has_attribute(f->hdf5, f->object, "units")) return s;
    if (h5_read_text(c, f->hdf5, f->object, "units", &units) == STATUS_OK && strlen(units) < sizeof f->stack.units)
        snprintf(f->stack.units, sizeof f->stack.units, "%s", units);
    memory_delete(&units);
    return STATUS_OK;
}

/* ---- */

/* What the file is, where it is none of ours. */
static status unknown(context *c, const char *path, const unsigned char *head)
{
    static const struct {
        const char *magic, *what;
    } kinds[] = {{"PK", "is a .npz or another archive; save the array by itself: "
                        "numpy.save('images.npy', numpy.load(…)['name'])"},
                 {"\x1f\x8b", "is compressed with gzip; unpack it first (gunzip)"},
                 {"\x89PNG", "is a PNG picture; put the pictures into one array: numpy.save('images.npy', "
                             "numpy.stack([…]))"},
                 {"\xff\xd8\xff", "is a JPEG picture; put the pictures into one array: numpy.save('images.npy', "
                                  "numpy.stack([…]))"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!memcmp(head, kinds[i].magic, strlen(kinds[i].magic)))
            return context_fail(c, STATUS_DATA, "%s: %s", path, kinds[i].what);
    return context_fail(c, STATUS_DATA, "%s: is neither a .npy nor a FITS nor an HDF5 file", path);
}

static status open_kind(context *c, image_file *f, const char *object, int *rank, uint64_t shape[H5_RANK])
{
    unsigned char head[16] = {0};
    struct stat st;
    if (stat(f->path, &st)) return context_fail(c, STATUS_DATA, "%s: cannot be opened: %s", f->path, strerror(errno));
    FILE *file = S_ISREG(st.st_mode) ? fopen(f->path, "rb") : NULL;
    if (!file) return context_fail(c, STATUS_DATA, "%s: cannot be read, or is no ordinary file", f->path);
    const size_t size = fread(head, 1, sizeof head, file);
    fclose(file);
    if (npy_is(head, size)) {
        if (object)
            return context_fail(c, STATUS_USAGE, "%s: a .npy file holds one array; leave --dataset out", f->path);
        const status s = npy_open(c, f->path, &f->npy);
        if (!s) npy_shape(f->npy, rank, shape);
        return s;
    }
    if (fits_is(head, size)) {
        const status s = fits_images_open(c, f->path, object, &f->fits);
        if (s) return s;
        fits_images_shape(f->fits, rank, shape);
        snprintf(f->stack.units, sizeof f->stack.units, "%s", fits_images_unit(f->fits));
        return STATUS_OK;
    }
    if (size >= 4 && !memcmp(head, "\x89HDF", 4)) return open_hdf5(c, f, object, rank, shape);
    return unknown(c, f->path, head);
}

status image_file_open(context *c, const char *path, const char *object, image_file **out)
{
    image_file *f = NULL;
    int rank = 0;
    uint64_t shape[H5_RANK] = {0};
    *out = NULL;
    status s = memory_new(c, "file of images", 1, sizeof *f, &f);
    if (s) return s;
    s = files_path(c, f->path, "%s", path);
    if (!s) s = open_kind(c, f, object, &rank, shape);
    if (!s) s = take_axes(c, f, rank, shape);
    if (s)
        image_file_delete(&f);
    else
        *out = f;
    return s;
}

void image_file_delete(image_file **f)
{
    if (!f || !*f) return;
    npy_delete(&(*f)->npy);
    fits_images_delete(&(*f)->fits);
    h5_delete(&(*f)->hdf5);
    memory_delete(f);
}

const image_stack *image_file_stack(const image_file *f)
{
    return &f->stack;
}

status image_file_read(context *c, image_file *f, int64_t first, int64_t count, double *out)
{
    const bool one = f->axes == AXES_YX || f->axes == AXES_YXC;
    const size_t pixels = (size_t)f->stack.ny * (size_t)f->stack.nx, channels = (size_t)f->stack.channels;
    const uint64_t row = one ? 0 : (uint64_t)first, rows = one ? (uint64_t)f->stack.ny : (uint64_t)count;
    status s = f->npy    ? npy_read_rows(c, f->npy, row, rows, out)
               : f->fits ? fits_images_read_rows(c, f->fits, row, rows, out)
                         : h5_read_rows(c, f->hdf5, f->object, row, rows, H5_FLOAT64, out);
    if (s || channels == 1 || f->axes == AXES_NCYX) return s;
    double *mixed = NULL;
    if ((s = memory_new(c, "channels of an image", pixels * channels, sizeof *mixed, &mixed))) return s;
    for (int64_t i = 0; i < count; i++, out += pixels * channels) {
        memcpy(mixed, out, pixels * channels * sizeof *mixed);
        for (size_t p = 0; p < pixels; p++)
            for (size_t k = 0; k < channels; k++) out[k * pixels + p] = mixed[p * channels + k];
    }
    memory_delete(&mixed);
    return STATUS_OK;
}
