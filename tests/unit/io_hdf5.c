/* The HDF5 layer: what is written is read back, what is wrong is refused with the file and the object named. */
#include <hdf5.h>
#include <math.h>
#include <stdint.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "io/hdf5.h"
#include "unit/io_test.h"

START_TEST(every_type_round_trips)
{
    const double values[6] = {0, 1, 2, 100, 254, 255};
    const uint64_t shape[2] = {2, 3};
    h5_file *f = NULL;
    assert_ok(h5_create(c, in_folder("a.h5"), 1000, &f));
    for (int t = H5_FLOAT32; t <= H5_UINT8; t++) {
        char name[32];
        unsigned char raw[6 * 8];
        for (int i = 0; i < 6; i++) {
            float f32 = (float)values[i];
            int32_t i32 = (int32_t)values[i];
            int64_t i64 = (int64_t)values[i];
            uint8_t u8 = (uint8_t)values[i];
            const void *from[] = {&f32, &values[i], &i32, &i64, &i32, &i64, &u8};
            memcpy(raw + h5_type_size((h5_type)t) * (size_t)i, from[t], h5_type_size((h5_type)t));
        }
        snprintf(name, sizeof name, "/deep/er/t%d", t);
        assert_ok(h5_write(c, f, name, (h5_type)t, 2, shape, raw));
    }
    assert_ok(h5_finish(c, &f));
    ck_assert_ptr_null(f);
    assert_ok(h5_open(c, in_folder("a.h5"), &f));
    ck_assert_str_eq(h5_path(f), in_folder("a.h5"));
    for (int t = H5_FLOAT32; t <= H5_UINT8; t++) {
        char name[32];
        int rank;
        uint64_t got[H5_RANK];
        h5_type stored;
        double back[6];
        snprintf(name, sizeof name, "/deep/er/t%d", t);
        assert_ok(h5_shape(c, f, name, &rank, got, &stored));
        ck_assert_int_eq(rank, 2);
        ck_assert_uint_eq(got[0], 2);
        ck_assert_uint_eq(got[1], 3);
        ck_assert_int_eq(stored, t);
        assert_ok(h5_read(c, f, name, H5_FLOAT64, 6, back));
        ck_assert_mem_eq(back, values, sizeof values);
        assert_ok(h5_read_rows(c, f, name, 1, 1, H5_FLOAT64, back));
        ck_assert_mem_eq(back, values + 3, 3 * sizeof *values);
    }
    assert_fails(h5_read(c, f, "/deep/er/t0", H5_FLOAT64, 7, NULL), STATUS_DATA, "a.h5", "/deep/er/t0", "6", "7");
    assert_fails(h5_read_rows(c, f, "/deep/er/t0", 1, 2, H5_FLOAT64, NULL), STATUS_DATA, "a.h5", "/deep/er/t0", "rows");
    h5_delete(&f);
    h5_delete(&f);
}
END_TEST

START_TEST(attributes_round_trip)
{
    const double reals[3] = {1.5, -2, 1e300};
    const int64_t integers[2] = {INT64_MAX, -1};
    char *big = malloc(100001), *text = NULL;
    memset(big, 'x', 100000);
    big[100000] = 0;
    h5_file *f = NULL;
    assert_ok(h5_create(c, in_folder("a.h5"), 0, &f));
    assert_ok(h5_group(c, f, "/g/h"));
    assert_ok(h5_group(c, f, "/g/h"));
    assert_ok(h5_attribute_text(c, f, "/", "text", "Mpc/h — µ"));
    assert_ok(h5_attribute_text(c, f, "/", "text", "again"));
    assert_ok(h5_attribute_text(c, f, "/g/h", "empty", ""));
    assert_ok(h5_attribute_text(c, f, "/g/h", "big", big)); /* more than an object header holds */
    assert_ok(h5_attribute_real(c, f, "/g", "real", 0.1));
    assert_ok(h5_attribute_integer(c, f, "/g", "integer", INT64_MIN));
    assert_ok(h5_attribute_reals(c, f, "/g", "reals", 3, reals));
    assert_ok(h5_attribute_integers(c, f, "/g", "integers", 2, integers));
    assert_ok(h5_finish(c, &f));
    assert_ok(h5_open(c, in_folder("a.h5"), &f));
    double real = 0, more[3] = {0};
    int64_t integer = 0;
    int count = 0;
    assert_ok(h5_read_text(c, f, "/", "text", &text));
    ck_assert_str_eq(text, "again");
    memory_delete(&text);
    assert_ok(h5_read_text(c, f, "/g/h", "empty", &text));
    ck_assert_str_eq(text, "");
    memory_delete(&text);
    assert_ok(h5_read_text(c, f, "/g/h", "big", &text));
    ck_assert_str_eq(text, big);
    memory_delete(&text);
    assert_ok(h5_read_real(c, f, "/g", "real", &real));
    ck_assert_double_eq(real, 0.1);
    assert_ok(h5_read_integer(c, f, "/g", "integer", &integer));
    ck_assert_int_eq(integer, INT64_MIN);
    assert_ok(h5_read_reals(c, f, "/g", "reals", 2, more, &count));
    ck_assert_int_eq(count, 3);
    ck_assert_double_eq(more[1], -2);
    ck_assert_double_eq(more[2], 0); /* no room was given */
    ck_assert(h5_has_attribute(f, "/g", "integers"));
    ck_assert(!h5_has_attribute(f, "/g", "nothing") && !h5_has_attribute(f, "/nothing", "real"));
    assert_fails(h5_read_real(c, f, "/g", "reals", &real), STATUS_DATA, "a.h5", "/g", "reals", "3 numbers");
    assert_fails(h5_read_integer(c, f, "/g", "integers", &integer), STATUS_DATA, "integers", "2 numbers");
    assert_fails(h5_read_real(c, f, "/", "text", &real), STATUS_DATA, "a.h5", "text", "not a number");
    assert_fails(h5_read_text(c, f, "/g", "real", &text), STATUS_DATA, "a.h5", "real", "not one text");
    assert_fails(h5_read_real(c, f, "/g", "nothing", &real), STATUS_DATA, "a.h5", "/g", "nothing", "missing");
    assert_fails(h5_read_real(c, f, "/nothing", "x", &real), STATUS_DATA, "a.h5", "/nothing", "missing");
    h5_delete(&f);
    free(big);
}
END_TEST

START_TEST(existence)
{
    h5_file *f = NULL;
    assert_ok(h5_create(c, in_folder("a.h5"), 0, &f));
    assert_ok(h5_group(c, f, "/g"));
    assert_ok(h5_finish(c, &f));
    assert_ok(h5_open(c, in_folder("a.h5"), &f));
    ck_assert(h5_exists(f, "/g") && h5_exists(f, "/") && !h5_exists(f, "/g/x") && !h5_exists(f, "/x/y/z"));
    h5_delete(&f);
}
END_TEST

START_TEST(rows_fill_a_reserved_dataset_in_any_order)
{
    enum { N = 37, M = 1001 };
    const uint64_t shape[3] = {N, 7, M / 7};
    float *rows = malloc(sizeof(float) * N * M), *back = calloc(N * M, sizeof(float));
    for (int i = 0; i < N * M; i++) rows[i] = (float)i / 3;
    h5_file *f = NULL;
    assert_ok(h5_create(c, in_folder("a.h5"), sizeof(float) * N * M, &f));
    assert_ok(h5_reserve(c, f, "/d", H5_FLOAT32, 3, shape));
    assert_ok(h5_write_rows(c, f, "/d", 20, 17, H5_FLOAT32, rows + 20 * M));
    assert_ok(h5_write_rows(c, f, "/d", 0, 20, H5_FLOAT32, rows));
    assert_ok(h5_write_rows(c, f, "/d", 37, 0, H5_FLOAT32, rows));
    assert_fails(h5_write_rows(c, f, "/d", 37, 1, H5_FLOAT32, rows), STATUS_FAILURE, "a.h5", "/d");
    assert_ok(h5_finish(c, &f));
    assert_ok(h5_open(c, in_folder("a.h5"), &f));
    assert_ok(h5_read(c, f, "/d", H5_FLOAT32, N * M, back));
    ck_assert_mem_eq(back, rows, sizeof(float) * N * M);
    assert_ok(h5_read_rows(c, f, "/d", 36, 1, H5_FLOAT32, back));
    ck_assert_mem_eq(back, rows + 36 * M, sizeof(float) * M);
    h5_delete(&f);
    free(rows);
    free(back);
}
END_TEST

START_TEST(empty_and_scalar_datasets)
{
    const uint64_t none[2] = {0, 3};
    double one = 7, back = 0;
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    h5_file *f = NULL;
    assert_ok(h5_create(c, in_folder("a.h5"), 0, &f));
    assert_ok(h5_write(c, f, "/none", H5_FLOAT64, 2, none, NULL));
    assert_ok(h5_write(c, f, "/one", H5_FLOAT64, 0, NULL, &one));
    assert_ok(h5_finish(c, &f));
    assert_ok(h5_open(c, in_folder("a.h5"), &f));
    assert_ok(h5_shape(c, f, "/none", &rank, shape, &stored));
    ck_assert_int_eq(rank, 2);
    ck_assert_uint_eq(shape[0], 0);
    assert_ok(h5_read(c, f, "/none", H5_FLOAT64, 0, NULL));
    assert_ok(h5_shape(c, f, "/one", &rank, shape, &stored));
    ck_assert_int_eq(rank, 0);
    assert_ok(h5_read(c, f, "/one", H5_FLOAT64, 1, &back));
    ck_assert_double_eq(back, 7);
    h5_delete(&f);
}
END_TEST

START_TEST(what_is_no_hdf5_file_is_refused)
{
    h5_file *f = NULL;
    assert_fails(h5_open(c, in_folder("gone.h5"), &f), STATUS_DATA, "gone.h5", "No such file");
    assert_fails(h5_open(c, folder, &f), STATUS_DATA, folder, "folder");
    assert_ok(files_replace(c, in_folder("empty.h5"), "", 0));
    assert_fails(h5_open(c, in_folder("empty.h5"), &f), STATUS_DATA, "empty.h5", "empty");
    assert_ok(files_replace(c, in_folder("text.h5"), "some text", 9));
    assert_fails(h5_open(c, in_folder("text.h5"), &f), STATUS_DATA, "text.h5", "not an HDF5 file");
    assert_ok(files_replace(c, in_folder("head.h5"), "\x89HDF\r\n\x1a\n", 8));
    assert_fails(h5_open(c, in_folder("head.h5"), &f), STATUS_DATA, "head.h5", "damaged or cut off");
    char *longer = malloc(FILES_PATH + 1);
    memset(longer, 'a', FILES_PATH);
    longer[FILES_PATH] = 0;
    assert_fails(h5_open(c, longer, &f), STATUS_USAGE, "longer than");
    free(longer);
    ck_assert_ptr_null(f);
}
END_TEST

/* A file with one float32 dataset of `rows` rows, made by the library itself. `make` may set properties. */
static void with_dataset(const char *path, hsize_t rows, hid_t type, void (*make)(hid_t), bool fill)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &rows, NULL);
    if (make) make(properties);
    hid_t d = H5Dcreate2(file, "/d", type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    ck_assert(d >= 0);
    float *data = calloc(fill ? rows : 1, 8);
    if (fill) ck_assert(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    free(data);
    H5Dclose(d);
    H5Sclose(space);
    H5Pclose(properties);
    H5Fclose(file);
}

static void external_storage(hid_t p)
{
    H5Pset_external(p, "/etc/hostname", 0, 1 << 20);
}
static void one_chunk(hid_t p)
{
    hsize_t n = 100;
    H5Pset_chunk(p, 1, &n);
}
static size_t no_filter(unsigned flags, size_t values, const unsigned value[], size_t bytes, size_t *room, void **data)
{
    (void)flags, (void)values, (void)value, (void)room, (void)data;
    return bytes;
}
static void unknown_filter(hid_t p)
{
    const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 305, 1, 1, "squash", NULL, NULL, no_filter};
    one_chunk(p);
    H5Zregister(&filter);
    H5Pset_filter(p, 305, H5Z_FLAG_OPTIONAL, 0, NULL);
}
static void gzip_three_times(hid_t p)
{
    one_chunk(p);
    for (int i = 0; i < 3; i++) H5Pset_deflate(p, 9);
}

START_TEST(hostile_datasets_are_refused)
{
    h5_file *f = NULL;
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    const struct {
        hsize_t rows;
        void (*make)(hid_t);
        bool fill;
        const char *word;
    } cases[] = {
        {100, external_storage, false, "external file"},
        {100, unknown_filter, true, "filter 305 (squash)"},
        {100, gzip_three_times, true, "several times"},
        {UINT64_C(1) << 50, NULL, false, "declares"},
        {UINT64_C(1) << 50, one_chunk, false, "declares"},
        {UINT64_C(1) << 61, one_chunk, false, "declares"},
        {101, one_chunk, false, "declares"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        with_dataset(in_folder("a.h5"), cases[i].rows, H5T_NATIVE_FLOAT, cases[i].make, cases[i].fill);
        assert_ok(h5_open(c, in_folder("a.h5"), &f));
        assert_fails(h5_shape(c, f, "/d", &rank, shape, &stored), STATUS_DATA, "a.h5", "/d", cases[i].word);
        float one[2];
        assert_fails(h5_read_rows(c, f, "/d", 0, 1, H5_FLOAT32, one), STATUS_DATA, "a.h5", "/d", cases[i].word);
        h5_delete(&f);
    }
    with_dataset(in_folder("a.h5"), 10, H5T_STD_REF_OBJ, NULL, true);
    assert_ok(h5_open(c, in_folder("a.h5"), &f));
    assert_fails(h5_shape(c, f, "/d", &rank, shape, &stored), STATUS_DATA, "a.h5", "/d", "numbers");
    assert_fails(h5_shape(c, f, "/", &rank, shape, &stored), STATUS_DATA, "a.h5", "group");
    h5_delete(&f);
}
END_TEST

START_TEST(external_links_are_refused)
{
    int rank;
    uint64_t shape[H5_RANK];
    h5_type stored;
    h5_file *f = NULL;
    with_dataset(in_folder("other.h5"), 10, H5T_NATIVE_FLOAT, NULL, true);
    hid_t file = H5Fcreate(in_folder("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/d", file, "d", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/", file, "g", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/d", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", file, "dangling", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/loop", file, "loop", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    assert_ok(h5_open(c, in_folder("a.h5"), &f));
    const char *objects[] = {"/d", "/soft", "/g/d"};
    for (int i = 0; i < 3; i++) {
        assert_fails(h5_shape(c, f, objects[i], &rank, shape, &stored), STATUS_DATA, "a.h5", objects[i],
                     "external link to other.h5");
        ck_assert(h5_exists(f, objects[i]));
        ck_assert(!h5_has_attribute(f, objects[i], "x"));
    }
    assert_fails(h5_shape(c, f, "/dangling", &rank, shape, &stored), STATUS_DATA, "a.h5", "/dangling", "broken link");
    assert_fails(h5_shape(c, f, "/loop", &rank, shape, &stored), STATUS_DATA, "a.h5", "/loop", "broken link");
    h5_delete(&f);
}
END_TEST

START_TEST(an_unfinished_file_leaves_nothing)
{
    h5_file *f = NULL;
    struct stat st;
    assert_ok(h5_create(c, in_folder("memory.h5"), 0, &f));
    h5_delete(&f);
    assert_ok(h5_create(c, in_folder("disk.h5"), UINT64_C(1) << 30, &f));
    h5_delete(&f);
    ck_assert_int_ne(stat(in_folder("memory.h5"), &st), 0);
    ck_assert_int_ne(stat(in_folder("disk.h5"), &st), 0);
    ck_assert_int_eq(rmdir(folder), 0); /* empty */
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    assert_fails(h5_create(c, in_folder("disk.h5"), UINT64_C(1) << 60, &f), STATUS_FAILURE, "disk.h5", "MiB are free");
    ck_assert_ptr_null(f);
}
END_TEST

START_TEST(a_streamed_file_is_put_in_place)
{
    const uint64_t shape[1] = {3};
    const float data[3] = {1, 2, 3};
    float back[3] = {0};
    h5_file *f = NULL;
    assert_ok(files_replace(c, in_folder("disk.h5"), "old", 3));
    assert_ok(h5_create(c, in_folder("disk.h5"), UINT64_C(1) << 30, &f));
    assert_ok(h5_write(c, f, "/d", H5_FLOAT32, 1, shape, data));
    assert_ok(h5_finish(c, &f));
    assert_ok(h5_open(c, in_folder("disk.h5"), &f));
    assert_ok(h5_read(c, f, "/d", H5_FLOAT32, 3, back));
    ck_assert_mem_eq(back, data, sizeof data);
    h5_delete(&f);
    ck_assert_int_eq(unlink(in_folder("disk.h5")), 0);
    ck_assert_int_eq(rmdir(folder), 0); /* no temporary is left */
    ck_assert_int_eq(mkdir(folder, 0700), 0);
}
END_TEST

static TCase *make(void)
{
    TCase *t = tcase_create("hdf5");
    tcase_add_checked_fixture(t, io_setup, io_teardown);
    tcase_add_test(t, every_type_round_trips);
    tcase_add_test(t, attributes_round_trip);
    tcase_add_test(t, existence);
    tcase_add_test(t, rows_fill_a_reserved_dataset_in_any_order);
    tcase_add_test(t, empty_and_scalar_datasets);
    tcase_add_test(t, what_is_no_hdf5_file_is_refused);
    tcase_add_test(t, hostile_datasets_are_refused);
    tcase_add_test(t, external_links_are_refused);
    tcase_add_test(t, an_unfinished_file_leaves_nothing);
    tcase_add_test(t, a_streamed_file_is_put_in_place);
    return t;
}

int main(void)
{
    return io_run(make, "io_hdf5");
}
