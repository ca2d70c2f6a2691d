/* Buffers: contents, ranges, views, the budget and its messages. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "device/internal.h"

static context *c;
static device *d;

static void open_device(void)
{
    c = context_new(NULL);
    ck_assert_ptr_nonnull(c);
    status s = device_open(c, &(device_options){.budget_bytes = 64 << 20}, &d);
    ck_assert_msg(!s, "%s", context_message(c));
}

static void close_device(void)
{
    device_delete(&d);
    context_delete(&c);
}

#define OK(call) ck_assert_msg(!(call), "%s", context_message(c))
#define HAS(text) ck_assert_msg(strstr(context_message(c), text) != NULL, "no \"%s\" in: %s", text, context_message(c))

START_TEST(what_is_written_is_read)
{
    enum { N = 3 << 20 }; /* beyond the staging */
    unsigned char *in = malloc(N), *out = calloc(1, N);
    buffer *b = NULL;
    for (size_t i = 0; i < N; i++) in[i] = (unsigned char)(i * 2654435761u >> 13);
    OK(buffer_new(c, d, "bytes", N, &b));
    ck_assert_str_eq(buffer_label(b), "bytes");
    ck_assert_uint_eq(buffer_bytes(b), N);
    ck_assert_ptr_eq(buffer_device(b), d);
    OK(buffer_write(c, b, 0, in, N));
    /* Keep the queue busy for a while: the small writes below run only after this. */
    enum { BUSY = 4096 };
    buffer *busy = NULL;
    kernel *lcg = NULL;
    const size_t global = BUSY;
    OK(buffer_new(c, d, "busy", BUSY * 4, &busy));
    OK(buffer_zero(c, busy));
    OK(kernel_get(c, d, "selfcheck", "lcg", "-DVW=1", &lcg));
    OK(kernel_run(c, lcg, 1, &global, NULL, KERNEL_ARGUMENTS(ARG_BUFFER(busy), ARG_UINT(5000), ARG_UINT(BUSY))));
    /* Many small writes at odd places, each from memory that is used again at once: more than the staging holds. */
    unsigned char piece[70001];
    for (int k = 0; k < 40; k++) {
        memset(piece, k, sizeof piece);
        memset(in + 12345 + k * 70001, k, sizeof piece);
        OK(buffer_write(c, b, 12345 + (size_t)k * 70001, piece, sizeof piece));
    }
    memset(piece, 255, sizeof piece);
    OK(buffer_read(c, b, 0, out, N));
    ck_assert_int_eq(memcmp(in, out, N), 0);
    OK(buffer_read(c, b, 777, out, 1));
    ck_assert_uint_eq(out[0], in[777]);
    buffer_delete(&busy);
    buffer_delete(&b);
    ck_assert_ptr_null(b);
    buffer_delete(&b);
    buffer_delete(NULL);
    free(in);
    free(out);
}
END_TEST

START_TEST(fills_and_zeroes_odd_sizes)
{
    enum { N = 1003 };
    unsigned char out[N];
    float f[N / 4];
    buffer *b = NULL;
    OK(buffer_new(c, d, "odd", N, &b));
    memset(out, 0xab, N);
    OK(buffer_write(c, b, 0, out, N));
    OK(buffer_zero(c, b));
    OK(buffer_read(c, b, 0, out, N));
    for (int i = 0; i < N; i++) ck_assert_uint_eq(out[i], 0);
    /* Every start and length around the 16 bytes of the pattern. */
    for (size_t first = 0; first < 9; first++)
        for (size_t count = 0; count < 12; count++) {
            OK(buffer_zero(c, b));
            OK(buffer_fill_float(c, b, 4 * first, 4 * count, 1.5f));
            OK(buffer_read(c, b, 0, f, sizeof f));
            for (size_t i = 0; i < N / 4; i++) ck_assert_float_eq(f[i], i >= first && i < first + count ? 1.5f : 0);
        }
    ck_assert_int_eq(buffer_fill_float(c, b, 2, 4, 1), STATUS_FAILURE);
    ck_assert_int_eq(buffer_fill_float(c, b, 0, 6, 1), STATUS_FAILURE);
    buffer_delete(&b);
}
END_TEST

START_TEST(ranges_are_checked)
{
    char data[64] = {0};
    buffer *a = NULL, *b = NULL, *view = NULL;
    OK(buffer_new(c, d, "small", 50, &a));
    OK(buffer_new(c, d, "other", 50, &b));
    OK(buffer_write(c, a, 50, data, 0));
    ck_assert_int_eq(buffer_write(c, a, 0, data, 51), STATUS_FAILURE);
    HAS("small: a write of bytes 0 to 51 is outside its 50 bytes");
    ck_assert_int_eq(buffer_write(c, a, SIZE_MAX - 1, data, 4), STATUS_FAILURE);
    ck_assert_int_eq(buffer_read(c, a, 49, data, 2), STATUS_FAILURE);
    ck_assert_int_eq(buffer_fill_float(c, a, 48, 4, 0), STATUS_FAILURE);
    ck_assert_int_eq(buffer_copy(c, a, 0, b, 40, 11), STATUS_FAILURE);
    HAS("other");
    ck_assert_int_eq(buffer_copy(c, a, 40, b, 0, 11), STATUS_FAILURE);
    HAS("small");
    ck_assert_int_eq(buffer_copy(c, a, 0, a, 10, 20), STATUS_FAILURE);
    HAS("overlaps");
    OK(buffer_copy(c, a, 0, a, 20, 20));
    ck_assert_int_eq(buffer_view(c, a, 0, 51, &view), STATUS_FAILURE);
    ck_assert_int_eq(buffer_view(c, a, 0, 0, &view), STATUS_FAILURE);
    ck_assert_int_eq(buffer_view(c, a, 4, 8, &view), STATUS_FAILURE);
    HAS("multiple of");
    ck_assert_ptr_null(view);
    buffer_delete(&a);
    buffer_delete(&b);
}
END_TEST

START_TEST(copies_between_buffers)
{
    uint32_t in[500], out[500];
    buffer *a = NULL, *b = NULL;
    for (uint32_t i = 0; i < 500; i++) in[i] = i * 7919;
    OK(buffer_new(c, d, "a", sizeof in, &a));
    OK(buffer_new(c, d, "b", sizeof in, &b));
    OK(buffer_write(c, a, 0, in, sizeof in));
    OK(buffer_zero(c, b));
    OK(buffer_copy(c, a, 40, b, 800, 1000));
    OK(buffer_read(c, b, 0, out, sizeof out));
    for (uint32_t i = 0; i < 500; i++) ck_assert_uint_eq(out[i], i >= 200 && i < 450 ? in[i - 190] : 0);
    buffer_delete(&a);
    buffer_delete(&b);
}
END_TEST

/* On a CPU it counts nothing of the budget. */
START_TEST(lent_memory_is_read_in_place)
{
    enum { N = 5003 };
    float *in = malloc(N * sizeof *in), out[N];
    buffer *lent = NULL, *copy = NULL;
    for (int i = 0; i < N; i++) in[i] = (float)i / 7;
    const size_t used = d->used;
    OK(buffer_lend(c, d, "lent", in + 3, (N - 3) * sizeof *in, &lent));
    ck_assert_uint_eq(d->used - used, device_info(d)->is_cpu ? 0 : (N - 3) * sizeof *in / 64 * 64 + 64);
    ck_assert_uint_eq(buffer_bytes(lent), (N - 3) * sizeof *in);
    OK(buffer_new(c, d, "copy", N * sizeof *in, &copy));
    OK(buffer_zero(c, copy));
    OK(buffer_copy(c, lent, 0, copy, 3 * sizeof *in, (N - 3) * sizeof *in));
    OK(buffer_read(c, copy, 0, out, sizeof out));
    ck_assert(out[0] == 0 && out[2] == 0);
    ck_assert_int_eq(memcmp(out + 3, in + 3, (N - 3) * sizeof *in), 0);
    buffer_delete(&lent);
    buffer_delete(&copy);
    ck_assert_uint_eq(d->used, used);
    free(in);
}
END_TEST

START_TEST(what_is_mapped_is_what_was_written)
{
    enum { N = 4099 };
    unsigned char in[N];
    const void *seen = NULL, *again = NULL;
    buffer *b = NULL;
    OK(buffer_new(c, d, "mapped", N, &b));
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < N; i++) in[i] = (unsigned char)(i * 31 + turn);
        OK(buffer_write(c, b, 0, in, N));
        OK(buffer_map(c, b, &seen));
        OK(buffer_map(c, b, &again));
        ck_assert_ptr_eq(seen, again);
        ck_assert_int_eq(memcmp(seen, in, N), 0);
        if (turn < 2) buffer_unmap(b); /* the last is left to the deletion */
        if (turn < 2) buffer_unmap(b);
    }
    buffer_delete(&b);
    OK(device_finish(c, d));
}
END_TEST

START_TEST(views_of_views_reach_the_root)
{
    const size_t align = buffer_alignment(d), size = 16 * align;
    ck_assert_uint_ge(align, 512);
    ck_assert_uint_eq(align % 512, 0);
    ck_assert_uint_eq(align % device_info(d)->base_align_bytes, 0);
    buffer *root = NULL, *outer = NULL, *inner = NULL;
    const size_t before = device_bytes_used(d);
    OK(buffer_new(c, d, "root", size, &root));
    OK(buffer_view(c, root, 3 * align, 9 * align, &outer));
    OK(buffer_view(c, outer, 2 * align, 100, &inner)); /* bytes 5 align … + 100 of the root */
    ck_assert_uint_eq(device_bytes_used(d), before + size);
    ck_assert_uint_eq(buffer_bytes(inner), 100);
    ck_assert_str_eq(buffer_label(inner), "root");
    unsigned char *all = malloc(size), hundred[100];
    OK(buffer_zero(c, root));
    memset(hundred, 9, sizeof hundred);
    OK(buffer_write(c, inner, 0, hundred, sizeof hundred));
    OK(buffer_fill_float(c, outer, 0, 4, 0.0f));
    OK(buffer_read(c, root, 0, all, size));
    for (size_t i = 0; i < size; i++) ck_assert_uint_eq(all[i], i >= 5 * align && i < 5 * align + 100 ? 9 : 0);
    /* Copies through two views of one root see that they overlap. */
    ck_assert_int_eq(buffer_copy(c, outer, 2 * align, inner, 50, 50), STATUS_OK);
    ck_assert_int_eq(buffer_copy(c, outer, 2 * align, inner, 20, 50), STATUS_FAILURE);
    /* A kernel writes through a view of a view. */
    kernel *k = NULL;
    OK(kernel_get(c, d, "selfcheck", "pattern", "-DVW=1", &k));
    const size_t global = 25;
    OK(kernel_run(c, k, 1, &global, NULL, KERNEL_ARGUMENTS(ARG_BUFFER(inner), ARG_UINT(7), ARG_UINT(3), ARG_UINT(25))));
    OK(buffer_read(c, root, 0, all, size));
    for (size_t i = 0; i < 25; i++) {
        uint32_t v;
        memcpy(&v, all + 5 * align + 4 * i, 4);
        ck_assert_uint_eq(v, 7 + 3 * i);
    }
    ck_assert_uint_eq(all[5 * align + 100], 0);
    ck_assert_uint_eq(all[5 * align - 1], 0);
    buffer_delete(&inner);
    buffer_delete(&outer);
    buffer_delete(&root);
    ck_assert_uint_eq(device_bytes_used(d), before);
    free(all);
}
END_TEST

START_TEST(the_budget_holds_and_its_message_says_who_has_what)
{
    enum { MIB = 1 << 20 };
    buffer *held[8] = {0}, *b = NULL;
    const char *labels[] = {"weights", "moments", "moments", "maps", "crops", "tiny", "activations", "gradients"};
    const size_t sizes[] = {4, 6, 7, 9, 3, 1, 11, 8};
    ck_assert_uint_eq(device_budget(d), 64 * MIB);
    for (int i = 0; i < 8; i++) OK(buffer_new(c, d, labels[i], sizes[i] * MIB, &held[i]));
    ck_assert_uint_eq(device_bytes_used(d), 49 * MIB);
    ck_assert_int_eq(buffer_new(c, d, "activations of conv.2", 20 * MIB, &b), STATUS_MEMORY);
    ck_assert_ptr_null(b);
    HAS("activations of conv.2: needs 20.0 MiB");
    HAS("budget 64.0 MiB");
    HAS("in use: 49.0 MiB: moments 13.0, activations 11.0, maps 9.0, gradients 8.0, weights 4.0");
    HAS(device_info(d)->name);
    ck_assert_ptr_null(strstr(context_message(c), "crops"));
    OK(buffer_new(c, d, "rest", 15 * MIB, &b));
    ck_assert_uint_eq(device_bytes_used(d), 64 * MIB);
    buffer_delete(&b);
    for (int i = 0; i < 8; i++) buffer_delete(&held[i]);
    ck_assert_uint_eq(device_bytes_used(d), 0);
    ck_assert_uint_eq(device_bytes_peak(d), 64 * MIB);
    ck_assert_int_eq(buffer_new(c, d, "huge", device_info(d)->largest_block_bytes + 1, &b), STATUS_MEMORY);
    HAS("more than the largest block");
    ck_assert_int_eq(buffer_new(c, d, "absurd", SIZE_MAX, &b), STATUS_MEMORY);
    OK(buffer_new(c, d, "nothing", 0, &b)); /* valid, and holds nothing */
    OK(buffer_zero(c, b));
    ck_assert_uint_eq(buffer_bytes(b), 0);
    buffer_delete(&b);
}
END_TEST

START_TEST(budget_is_nine_tenths_by_default)
{
    device *other = NULL;
    OK(device_open(c, NULL, &other));
    const size_t all = device_info(other)->global_bytes;
    ck_assert(device_budget(other) > all / 100 * 89 && device_budget(other) <= all / 10 * 9);
    /* A buffer of one device is not copied to another. */
    buffer *a = NULL, *b = NULL;
    OK(buffer_new(c, d, "here", 64, &a));
    OK(buffer_new(c, other, "there", 64, &b));
    ck_assert_int_eq(buffer_copy(c, a, 0, b, 0, 64), STATUS_FAILURE);
    HAS("another device");
    buffer_delete(&a);
    buffer_delete(&b);
    device_delete(&other);
    ck_assert_ptr_null(other);
    device_delete(&other);
}
END_TEST

/* Operators share what is large enough; a part that has to grow is made anew, and one that cannot is said to be too
 * large. */
START_TEST(workspace)
{
    buffer *small = NULL, *same = NULL, *other = NULL, *large = NULL;
    const size_t before = device_bytes_used(d);
    OK(workspace_get(c, d, WORKSPACE_FIRST, 1000, &small));
    OK(workspace_get(c, d, WORKSPACE_FIRST, 10, &same));
    ck_assert_ptr_eq(small, same);
    OK(workspace_get(c, d, WORKSPACE_SECOND, 10, &other));
    ck_assert_ptr_ne(small, other);
    OK(workspace_get(c, d, WORKSPACE_FIRST, 1 << 20, &large));
    ck_assert_uint_ge(buffer_bytes(large), 1 << 20);
    ck_assert_uint_lt(device_bytes_used(d), before + (1 << 20) + 4096);
    ck_assert_int_eq(workspace_get(c, d, WORKSPACE_FIRST, 1 << 30, &large), STATUS_MEMORY);
    HAS("workspace of the operators");
    OK(workspace_get(c, d, WORKSPACE_FIRST, 100, &small));
    workspace_delete(d);
    ck_assert_uint_eq(device_bytes_used(d), before);
    ck_assert_uint_eq(workspace_limit(d), device_budget(d) / 32);
}
END_TEST

/* A device that only counts makes nothing, does nothing, and may count more than there is. */
START_TEST(sizes_only)
{
    device *counting = NULL;
    OK(device_open(c, &(device_options){.budget_bytes = 1 << 20, .sizes_only = true}, &counting));
    buffer *all[4] = {NULL}, *view = NULL;
    const char *const labels[] = {"gradients of one", "outputs of one", "gradients of two", "lonely"};
    const size_t sizes[] = {(size_t)1 << 40, 6400, 128, 64};
    for (int i = 0; i < 4; i++) OK(buffer_new(c, counting, labels[i], sizes[i], &all[i]));
    unsigned char bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    kernel *k = NULL;
    const size_t global = 16;
    OK(buffer_view(c, all[0], 0, 512, &view));
    OK(buffer_zero(c, all[0]));
    OK(buffer_write(c, all[1], 0, bytes, sizeof bytes));
    OK(buffer_copy(c, all[1], 0, all[2], 0, 64));
    OK(buffer_read(c, all[1], 0, bytes, sizeof bytes));
    ck_assert_uint_eq(bytes[7], 0);
    ck_assert_int_ne(buffer_read(c, all[3], 60, bytes, sizeof bytes), STATUS_OK); /* ranges are checked all the same */
    OK(kernel_get(c, counting, "no such file", "nothing", "", &k));
    OK(kernel_run(c, k, 1, &global, NULL, KERNEL_ARGUMENTS(ARG_BUFFER(all[0]))));
    OK(device_finish(c, counting));
    device_buffer_row *rows = NULL;
    int count = 0;
    OK(device_buffers(c, counting, &rows, &count));
    ck_assert_int_eq(count, 3);
    ck_assert_str_eq(rows[0].what, "gradients");
    ck_assert_uint_eq(rows[0].bytes, sizes[0] + sizes[2]);
    ck_assert_str_eq(rows[1].what, "outputs");
    ck_assert_str_eq(rows[2].what, "lonely");
    ck_assert_uint_eq(device_largest_buffer(counting), sizes[0]);
    memory_delete(&rows);
    buffer_delete(&view);
    for (int i = 0; i < 4; i++) buffer_delete(&all[i]);
    ck_assert_uint_eq(device_bytes_used(counting), 0);
    device_delete(&counting);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("device buffers");
    TCase *t = tcase_create("buffers");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, open_device, close_device);
    tcase_add_test(t, what_is_written_is_read);
    tcase_add_test(t, workspace);
    tcase_add_test(t, sizes_only);
    tcase_add_test(t, fills_and_zeroes_odd_sizes);
    tcase_add_test(t, ranges_are_checked);
    tcase_add_test(t, copies_between_buffers);
    tcase_add_test(t, lent_memory_is_read_in_place);
    tcase_add_test(t, what_is_mapped_is_what_was_written);
    tcase_add_test(t, views_of_views_reach_the_root);
    tcase_add_test(t, the_budget_holds_and_its_message_says_who_has_what);
    tcase_add_test(t, budget_is_nine_tenths_by_default);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
