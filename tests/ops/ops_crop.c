/* Crops and transforms: all 72 of odd sizes against the oracle, the group of the square, −1 for empty pixels, round
 * trips. */
#include <math.h>
#include "pointwise_test.h"
#include "ops/ref/crop_ref.h"

START_TEST(matches_the_oracle)
{
    const crop_shape shapes[] = {{3, 9, 9, 5}, {1, 8, 8, 8}, {2, 5, 11, 1}, {1, 40, 37, 33}};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    family_crop(&t);
    for (int i = 0; i < 4; i++) check_crop(&t, &shapes[i]);
    family_transform(&t);
    must_pass(&t, 12);
    finish(&t);
}
END_TEST

static void both(selftest *t)
{
    family_crop(t);
    family_transform(t);
}

START_TEST(does_not_depend_on_width_or_group)
{
    must_not_depend_on_shape(both);
}
END_TEST

/* The eight symmetries of a crop of the whole map: all different, closed under composition, each with an inverse. */
START_TEST(symmetries_are_a_group)
{
    enum { SIDE = 5, SIZE = SIDE * SIDE };
    const crop_shape s = {.parents = 1, .ny = SIDE, .nx = SIDE, .crop = SIDE};
    const uint32_t indices[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    float map[SIZE], second[8][SIZE];
    selftest t;
    selftest_begin(&t, test_context, test_device);
    for (int i = 0; i < SIZE; i++) map[i] = (float)i;
    buffer *parent = selftest_upload(&t, "map", map, SIZE), *bi = selftest_upload(&t, "indices", indices, 8);
    buffer *out = selftest_output(&t, "out", 8 * SIZE);
    MUST(t.s);
    MUST(crop_gather(test_context, test_device, &s, parent, bi, 0, 8, out));
    const float *image = selftest_download(&t, out, 8 * SIZE);
    MUST(t.s);
    ck_assert_mem_eq(image, map, sizeof map);
    ck_assert(image[1 * SIZE] == SIDE - 1);          /* x flipped */
    ck_assert(image[2 * SIZE] == SIDE * (SIDE - 1)); /* y flipped */
    ck_assert(image[4 * SIZE + 1] == SIDE);          /* transposed */
    for (int a = 0; a < 8; a++) {
        bool inverse = false;
        MUST(buffer_write(test_context, parent, 0, image + a * SIZE, sizeof map));
        MUST(crop_gather(test_context, test_device, &s, parent, bi, 0, 8, out));
        MUST(buffer_read(test_context, out, 0, second, sizeof second));
        for (int b = 0; b < 8; b++) {
            int found = 0;
            for (int k = 0; k < 8; k++) found += !memcmp(second[b], image + k * SIZE, sizeof map);
            ck_assert_msg(found == 1, "symmetry %d after %d is %d of the eight", b, a, found);
            inverse = inverse || !memcmp(second[b], map, sizeof map);
        }
        ck_assert(inverse);
    }
    finish(&t);
}
END_TEST

/* Offsets 0, ¼ and ½ of the side for crops of half of it. */
START_TEST(positions)
{
    enum { SIDE = 16 };
    const crop_shape s = {.parents = 2, .ny = SIDE, .nx = SIDE, .crop = SIDE / 2};
    float map[2 * SIDE * SIDE];
    uint32_t indices[18];
    selftest t;
    selftest_begin(&t, test_context, test_device);
    for (int i = 0; i < 2 * SIDE * SIDE; i++) map[i] = (float)i;
    for (int i = 0; i < 18; i++) indices[i] = (uint32_t)i * 8;
    buffer *parent = selftest_upload(&t, "maps", map, 2 * SIDE * SIDE),
           *bi = selftest_upload(&t, "indices", indices, 18);
    buffer *out = selftest_output(&t, "out", 18 * 64);
    MUST(t.s);
    MUST(crop_gather(test_context, test_device, &s, parent, bi, 0, 18, out));
    const float *image = selftest_download(&t, out, 18 * 64);
    MUST(t.s);
    for (int i = 0; i < 18; i++)
        ck_assert(image[i * 64] == (float)(i / 9 * SIDE * SIDE + i % 9 / 3 * 4 * SIDE + i % 3 * 4));
    finish(&t);
}
END_TEST

START_TEST(empty_pixels_and_bounds)
{
    const transform_shape cube = {.a = logf(.001f), .b = logf(2632), .offset = .001f, .scale = 1};
    const transform_shape flat = {.a = logf(.01f), .b = logf(600), .offset = 0, .scale = .25f};
    const float v[] = {0, -0.0f, 2632 - .001f, -5, NAN}, w[] = {0, -1, 2400, .04f, NAN};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *b = selftest_upload(&t, "v", v, 5), *out = selftest_output(&t, "out", 5);
    MUST(t.s);
    MUST(transform_forward(test_context, test_device, &cube, 5, b, out));
    const float *y = selftest_download(&t, out, 5);
    MUST(t.s);
    ck_assert(y[0] == -1 && y[1] == -1 && y[3] == -1 && isnan(y[4]));
    ck_assert(fabsf(y[2] - 1) < 1e-6f);
    MUST(transform_inverse(test_context, test_device, &cube, 5, out, out));
    y = selftest_download(&t, out, 5);
    ck_assert(y[0] == 0 && y[1] == 0 && fabsf(y[2] / 2632 - 1) < 1e-5f && isnan(y[4]));
    MUST(buffer_write(test_context, b, 0, w, sizeof w));
    MUST(transform_forward(test_context, test_device, &flat, 5, b, b));
    y = selftest_download(&t, b, 5);
    MUST(t.s);
    ck_assert(y[0] == -1 && y[1] == -1 && fabsf(y[2] - 1) < 1e-6f && fabsf(y[3] + 1) < 1e-6f && isnan(y[4]));
    finish(&t);
}
END_TEST

START_TEST(linear_values_and_bounds)
{
    const transform_shape line = {.kind = TRANSFORM_LINEAR, .a = -3, .b = 255, .scale = 1};
    const float v[] = {-3, 255, 126, -100, NAN};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *b = selftest_upload(&t, "v", v, 5), *out = selftest_output(&t, "out", 5);
    MUST(t.s);
    MUST(transform_forward(test_context, test_device, &line, 5, b, out));
    const float *y = selftest_download(&t, out, 5);
    MUST(t.s);
    ck_assert(y[0] == -1 && y[1] == 1 && y[2] == 0 && fabsf(y[3] + 1 + 97 / 129.f) < 1e-6f && isnan(y[4]));
    MUST(transform_inverse(test_context, test_device, &line, 5, out, out));
    y = selftest_download(&t, out, 5);
    ck_assert(y[0] == -3 && y[1] == 255 && y[2] == 126 && fabsf(y[3] + 100) < 1e-4f && isnan(y[4]));
    finish(&t);
}
END_TEST

START_TEST(wrong_calls_are_refused)
{
    const crop_shape wide = {.parents = 1, .ny = 4, .nx = 4, .crop = 5},
                     many = {.parents = 1 << 30, .ny = 1, .nx = 1, .crop = 1};
    const transform_shape flat = {.a = 1, .b = 1, .scale = 1};
    selftest t;
    selftest_begin(&t, test_context, test_device);
    buffer *b = selftest_output(&t, "b", 8);
    ck_assert_int_eq(crop_gather(test_context, test_device, &wide, b, b, 0, 1, b), STATUS_USAGE);
    ck_assert_int_eq(crop_gather(test_context, test_device, &many, b, b, 0, 1, b), STATUS_USAGE);
    ck_assert_int_eq(transform_forward(test_context, test_device, &flat, 8, b, b), STATUS_USAGE);
    finish(&t);
}
END_TEST

static void add(TCase *all)
{
    tcase_add_test(all, matches_the_oracle);
    tcase_add_test(all, does_not_depend_on_width_or_group);
    tcase_add_test(all, symmetries_are_a_group);
    tcase_add_test(all, positions);
    tcase_add_test(all, empty_pixels_and_bounds);
    tcase_add_test(all, linear_values_and_bounds);
    tcase_add_test(all, wrong_calls_are_refused);
}

int main(void)
{
    return test_main("ops/crop", add);
}
