/* libpng reports an error by a callback that must not return: it stores the message and jumps back (longjmp) to
 * encode_guarded, whose caller frees everything. Nothing in between owns memory of its own. */
#include "io/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"

typedef struct {
    context *c;
    png_structp png;
    png_infop info;
    char *data;
    size_t size, room;
    status failed; /* of memory_grow in the write callback, whose message is already in c */
    char message[128];
    jmp_buf back;
} encoder;

static void on_error(png_structp png, png_const_charp message)
{
    encoder *e = png_get_error_ptr(png);
    snprintf(e->message, sizeof e->message, "%s", message);
    longjmp(e->back, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    encoder *e = png_get_error_ptr(png);
    log_debug(e->c, "png: %s", message);
}

static void on_write(png_structp png, png_bytep bytes, size_t count)
{
    encoder *e = png_get_io_ptr(png);
    if (count > e->room - e->size) {
        size_t room = e->room * 2 > e->size + count ? e->room * 2 : e->size + count + 65536;
        e->failed = memory_grow(e->c, "PNG image", e->room, room, 1, &e->data);
        if (e->failed) png_error(png, "no memory");
        e->room = room;
    }
    memcpy(e->data + e->size, bytes, count);
    e->size += count;
}

static void on_flush(png_structp png)
{
    (void)png;
}

status picture_new(context *c, int width, int height, picture *p)
{
    memset(p, 0, sizeof *p);
    if (width < 1 || height < 1 || width > PICTURE_SIDE || height > PICTURE_SIDE)
        return context_fail(c, STATUS_USAGE, "image of %d x %d pixels: a side takes 1 to %d", width, height,
                            PICTURE_SIDE);
    p->width = width;
    p->height = height;
    p->transparent = -1;
    return memory_new(c, "image", (size_t)width * (size_t)height, 1, &p->pixels);
}

void picture_delete(picture *p)
{
    if (!p) return;
    memory_delete(&p->pixels);
    memset(p, 0, sizeof *p);
}

/* Everything libpng does between setjmp and its end. */
static void encode_image(png_structp png, png_infop info, const picture *p)
{
    png_color palette[256];
    png_byte alpha[256];
    for (int i = 0; i < 256; i++) {
        palette[i] = (png_color){p->palette[i][0], p->palette[i][1], p->palette[i][2]};
        alpha[i] = i == p->transparent ? 0 : 255;
    }
    png_set_IHDR(png, info, (png_uint_32)p->width, (png_uint_32)p->height, 8, PNG_COLOR_TYPE_PALETTE,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_PLTE(png, info, palette, 256);
    if (p->transparent >= 0) png_set_tRNS(png, info, alpha, p->transparent + 1, NULL);
    png_set_compression_level(png, 9);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE); /* indices: filters only hurt */
    png_write_info(png, info);
    for (int y = 0; y < p->height; y++) png_write_row(png, p->pixels + (size_t)y * (size_t)p->width);
    png_write_end(png, NULL);
}

/* The caller owns e, so that its members keep their values over the jump (locals of this function would not). */
static bool encode_guarded(encoder *e, const picture *p)
{
    if (setjmp(e->back)) return false;
    e->info = png_create_info_struct(e->png);
    if (!e->info) png_error(e->png, "no memory for its header");
    png_set_write_fn(e->png, e, on_write, on_flush);
    encode_image(e->png, e->info, p);
    return true;
}

status picture_encode(context *c, const picture *p, char **data, size_t *size)
{
    encoder e = {.c = c};
    status s = STATUS_OK;
    e.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &e, on_error, on_warning);
    if (!e.png) return context_fail(c, STATUS_MEMORY, "PNG image: libpng could not start");
    if (encode_guarded(&e, p)) {
        *data = e.data;
        *size = e.size;
        e.data = NULL;
    } else {
        s = e.failed ? e.failed : context_fail(c, STATUS_FAILURE, "PNG image: %s", e.message);
    }
    memory_delete(&e.data);
    png_destroy_write_struct(&e.png, &e.info);
    return s;
}
