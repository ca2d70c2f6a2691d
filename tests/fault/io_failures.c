/* Writes and allocations that fail, one after the other: an error that names the file, no half file, no crash. */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "base/rng.h"
#include "io/maps_file.h"
#include "io/snapshot_file.h"
#include "unit/io_test.h"

enum { COUNT = 4, SIDE = 32, N = 1000 };

static maps some_maps(float first)
{
    maps m = {.count = COUNT, .ny = SIDE, .nx = SIDE, .box_mpc_h = 100, .mean = 4, .dims = 2};
    assert_ok(memory_new(c, "maps", COUNT * SIDE * SIDE, sizeof(float), &m.values));
    assert_ok(memory_new(c, "origin", COUNT * 3, sizeof(int32_t), &m.origin));
    for (int i = 0; i < COUNT * SIDE * SIDE; i++) m.values[i] = first + (float)i;
    return m;
}

static int files_there(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

START_TEST(every_write_fails_once)
{
    maps old = some_maps(0), new = some_maps(1000), back;
    int n = 1;
    for (;; n++) {
        assert_ok(maps_write(c, in_folder("m.h5"), &old, NULL));
        files_fail_at(n, false);
        status s = maps_write(c, in_folder("m.h5"), &new, NULL);
        files_fail_at(0, false);
        ck_assert_int_eq(files_there(), 1); /* no temporary is left */
        assert_ok(maps_read(c, in_folder("m.h5"), &back));
        ck_assert(back.values[0] == 0 || back.values[0] == 1000); /* one or the other, whole */
        if (s == STATUS_OK) ck_assert(back.values[0] == 1000);
        maps_delete(&back);
        if (s == STATUS_OK) break;
        ck_assert_int_eq(s, STATUS_FAILURE);
    }
    ck_assert_int_gt(n, 3); /* open, write, sync, rename at least */
    files_fail_at(2, false);
    assert_fails(maps_write(c, in_folder("m.h5"), &new, NULL), STATUS_FAILURE, "m.h5", "cannot write", "No space left",
                 "-o");
    files_fail_at(0, false);
    maps_delete(&old);
    maps_delete(&new);
}
END_TEST

START_TEST(every_allocation_fails_once)
{
    maps m = some_maps(0), back;
    snapshot p = {.dims = 2, .count = N, .precision = H5_FLOAT32, .box_mpc_h = 1, .box_index = 3}, read;
    char *text = NULL;
    h5_file *f = NULL;
    provenance made = {0};
    assert_ok(memory_new(c, "x", 2 * N, sizeof(double), &p.positions));
    assert_ok(memory_copy_string(c, "text", &made.configuration));
    assert_ok(maps_write(c, in_folder("m.h5"), &m, &made));
    assert_ok(snapshot_write(c, in_folder("s.h5"), &p, &made));
    for (int what = 0; what < 5; what++) {
        int n = 1;
        for (;; n++) {
            memory_fail_at(n);
            status s = what == 0   ? maps_write(c, in_folder("m.h5"), &m, &made)
                       : what == 1 ? snapshot_write(c, in_folder("s.h5"), &p, &made)
                       : what == 2 ? maps_read(c, in_folder("m.h5"), &back)
                       : what == 3 ? snapshot_read(c, in_folder("s.h5"), &read)
                                   : h5_open(c, in_folder("m.h5"), &f);
            if (!s && what == 4) s = provenance_read_configuration(c, f, &text);
            memory_fail_at(0);
            h5_delete(&f);
            memory_delete(&text);
            if (what == 2) maps_delete(&back);
            if (what == 3) snapshot_delete(&read);
            ck_assert_int_eq(files_there(), 2);
            if (s == STATUS_OK) break;
            ck_assert_int_eq(s, STATUS_MEMORY);
            ck_assert_ptr_nonnull(strstr(context_message(c), "no memory"));
        }
        ck_assert_int_gt(n, 1);
    }
    maps_delete(&m);
    snapshot_delete(&p);
    provenance_delete(&made);
}
END_TEST

/* HDF5 1.10 crashes at exit after a failed write of its own: the process must end as usual (Check forks it). */
START_TEST(a_streamed_file_that_does_not_fit)
{
    enum { ROWS = 2048, ROW = 1024 };
    const uint64_t shape[2] = {ROWS, ROW};
    uint32_t *noise = malloc(sizeof *noise * ROWS * ROW); /* does not compress */
    for (uint32_t i = 0; i < ROWS * ROW; i += 4) rng_block(1, RNG_TEST, i, 0, noise + i);
    const struct rlimit limit = {1 << 20, 1 << 20};
    h5_file *f = NULL;
    signal(SIGXFSZ, SIG_IGN);
    assert_ok(h5_create(c, in_folder("big.h5"), UINT64_C(1) << 30, &f));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    status s = h5_write(c, f, "/noise", H5_UINT32, 2, shape, noise);
    if (!s) s = h5_finish(c, &f);
    ck_assert_int_eq(s, STATUS_FAILURE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "big.h5"));
    ck_assert_ptr_nonnull(strstr(context_message(c), "cannot write"));
    h5_delete(&f);
    ck_assert_int_eq(files_there(), 0);
    /* The library goes on working. */
    maps m = some_maps(0), back;
    assert_ok(maps_write(c, in_folder("m.h5"), &m, NULL));
    assert_ok(maps_read(c, in_folder("m.h5"), &back));
    maps_delete(&m);
    maps_delete(&back);
    free(noise);
}
END_TEST

START_TEST(places_that_cannot_be_written)
{
    maps m = some_maps(0);
    assert_fails(maps_write(c, in_folder("none/m.h5"), &m, NULL), STATUS_FAILURE, "none/m.h5", "cannot write");
    assert_fails(maps_write(c, folder, &m, NULL), STATUS_FAILURE, folder, "cannot write");
    assert_fails(maps_write(c, "/dev/full", &m, NULL), STATUS_FAILURE, "/dev/full", "No space left");
    h5_file *f = NULL;
    assert_fails(h5_create(c, in_folder("none/m.h5"), UINT64_C(1) << 30, &f), STATUS_FAILURE, "none/m.h5");
    maps_delete(&m);
}
END_TEST

static TCase *make(void)
{
    TCase *t = tcase_create("failures");
    tcase_add_checked_fixture(t, io_setup, io_teardown);
    tcase_add_test(t, every_write_fails_once);
    tcase_add_test(t, every_allocation_fails_once);
    tcase_add_test(t, a_streamed_file_that_does_not_fit);
    tcase_add_test(t, places_that_cannot_be_written);
    return t;
}

int main(void)
{
    return io_run(make, "io_failures");
}
