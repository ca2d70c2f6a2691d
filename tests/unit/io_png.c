/* Images come back from libpng's own reader as they went in; sizes are bounded; lost memory is an error and no leak. */
#include <check.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "io/png.h"

static context *c;
static void begin(void)
{
    c = context_new(NULL);
}
static void end(void)
{
    context_delete(&c);
}

static void fill(picture *p, int width, int height)
{
    ck_assert_int_eq(picture_new(c, width, height, p), STATUS_OK);
    ck_assert_int_eq(p->transparent, -1);
    for (int i = 0; i < 256; i++) {
        p->palette[i][0] = (uint8_t)i;
        p->palette[i][1] = (uint8_t)(255 - i);
        p->palette[i][2] = (uint8_t)(i * 7);
    }
    for (int i = 0; i < width * height; i++) p->pixels[i] = (uint8_t)(i * 31 + i / 77);
}

static void check_round(int width, int height, int transparent)
{
    picture p;
    char *data = NULL;
    size_t size = 0;
    fill(&p, width, height);
    p.transparent = transparent;
    ck_assert_int_eq(picture_encode(c, &p, &data, &size), STATUS_OK);
    png_image image = {.version = PNG_IMAGE_VERSION};
    ck_assert(png_image_begin_read_from_memory(&image, data, size));
    ck_assert_uint_eq(image.width, (unsigned)width);
    ck_assert_uint_eq(image.height, (unsigned)height);
    image.format = PNG_FORMAT_RGBA;
    uint8_t *rgba = malloc(PNG_IMAGE_SIZE(image));
    ck_assert(png_image_finish_read(&image, NULL, rgba, 0, NULL));
    for (int i = 0; i < width * height; i++) {
        int k = p.pixels[i];
        ck_assert_int_eq(rgba[4 * i + 3], k == transparent ? 0 : 255);
        if (k != transparent) ck_assert_mem_eq(rgba + 4 * i, p.palette[k], 3);
    }
    free(rgba);
    memory_delete(&data);
    picture_delete(&p);
    ck_assert_ptr_null(p.pixels);
}

START_TEST(comes_back)
{
    check_round(1, 1, -1);
    check_round(13, 7, 0);
    check_round(257, 3, 255);
    check_round(300, 211, 100);
}
END_TEST

START_TEST(bounds)
{
    picture p;
    static const int sides[][2] = {{0, 5}, {5, 0}, {-1, 5}, {PICTURE_SIDE + 1, 1}, {1, PICTURE_SIDE + 1}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        ck_assert_int_eq(picture_new(c, sides[i][0], sides[i][1], &p), STATUS_USAGE);
        ck_assert_ptr_null(p.pixels);
    }
    picture_delete(NULL);
}
END_TEST

/* The n-th allocation fails, until none does; the sanitizer sees what is left behind. */
START_TEST(no_memory)
{
    picture p;
    char *data = NULL;
    size_t size = 0;
    fill(&p, 700, 700);
    int failures = 0;
    for (int n = 1; n < 20; n++) {
        memory_fail_at(n);
        status s = picture_encode(c, &p, &data, &size);
        memory_fail_at(0);
        if (!s) break;
        ck_assert_int_eq(s, STATUS_MEMORY);
        ck_assert_ptr_nonnull(strstr(context_message(c), "PNG image"));
        ck_assert_ptr_null(data);
        failures++;
    }
    ck_assert_int_gt(failures, 0);
    ck_assert_ptr_nonnull(data);
    memory_delete(&data);
    picture_delete(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("png");
    TCase *t = tcase_create("png");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, comes_back);
    tcase_add_test(t, bounds);
    tcase_add_test(t, no_memory);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
