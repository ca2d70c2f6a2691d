/* Files are whole or absent: under every injected failure and on a disk that is really full. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/memory.h"

static context *c;
static char folder[64];

static void begin(void)
{
    c = context_new(NULL);
    strcpy(folder, "/tmp/cosmocl-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void end(void)
{
    char command[128];
    files_fail_at(0, false);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    context_delete(&c);
}

static const char *in_folder(const char *name)
{
    static char path[4][FILES_PATH];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], FILES_PATH, "%s/%s", folder, name);
    return path[next];
}

static int entries(void)
{
    DIR *d = opendir(folder);
    int n = 0;
    for (struct dirent *e; (e = readdir(d));) n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static bool holds(const char *path, const void *data, size_t size)
{
    char *text = NULL;
    size_t n = 0;
    ck_assert_int_eq(files_read(c, path, &text, &n), STATUS_OK);
    ck_assert_int_eq(text[n], 0);
    bool same = n == size && memcmp(text, data, size) == 0;
    memory_delete(&text);
    return same;
}

START_TEST(replaces)
{
    const char *path = in_folder("a.h5");
    ck_assert(!files_exists(path));
    ck_assert_int_eq(files_replace(c, path, "old", 3), STATUS_OK);
    ck_assert(holds(path, "old", 3));
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(files_replace(c, path, "a\0b", 3), STATUS_OK);
    ck_assert(holds(path, "a\0b", 3));
    struct stat about;
    stat(path, &about);
    ck_assert_int_eq(about.st_mode & 0777, 0640); /* as it was */
    ck_assert_int_eq(files_replace(c, path, "", 0), STATUS_OK);
    ck_assert(holds(path, "", 0));
    ck_assert_int_eq(entries(), 1);
    ck_assert(files_exists(path));
    /* A name as long as the file system allows. */
    char name[256];
    memset(name, 'n', 255);
    name[255] = 0;
    ck_assert_int_eq(files_replace(c, in_folder(name), "x", 1), STATUS_OK);
    /* In the working folder. */
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(files_replace(c, "bare", "y", 1), STATUS_OK);
    ck_assert(holds(in_folder("bare"), "y", 1));
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(special_targets)
{
    ck_assert_int_eq(files_replace(c, in_folder("target"), "1", 1), STATUS_OK);
    ck_assert_int_eq(symlink("target", in_folder("link")), 0);
    ck_assert_int_eq(files_replace(c, in_folder("link"), "22", 2), STATUS_OK);
    ck_assert(holds(in_folder("target"), "22", 2)); /* the link is followed … */
    struct stat about;
    lstat(in_folder("link"), &about);
    ck_assert(S_ISLNK(about.st_mode)); /* … and stays */
    ck_assert_int_eq(files_replace(c, "/dev/null", "x", 1), STATUS_OK);
    stat("/dev/null", &about);
    ck_assert(S_ISCHR(about.st_mode));
    ck_assert_int_eq(files_replace(c, folder, "x", 1), STATUS_FAILURE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "Is a directory"));
    ck_assert_int_eq(files_replace(c, in_folder("no/such/file"), "x", 1), STATUS_FAILURE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "no/such/file: cannot write: No such file"));
    ck_assert_int_eq(files_replace(c, "/dev/full", "x", 1), STATUS_FAILURE);
    ck_assert_str_eq(context_message(c),
                     "/dev/full: cannot write: No space left on device; free some or choose another "
                     "place with -o");
    ck_assert_int_eq(files_append_line(c, "/dev/full", "x"), STATUS_FAILURE);
    ck_assert_int_eq(entries(), 2);
}
END_TEST

/* Each step fails in turn: the old file or the new one is there, whole, and nothing beside it. */
static void fail_every_step(bool stay, const char *error, const char *says)
{
    static char old[100000], new[200000];
    memset(old, 'o', sizeof old);
    memset(new, 'n', sizeof new);
    const char *path = in_folder("state.h5");
    int failures = 0;
    for (int n = 1; n < 100; n++) {
        files_fail_at(0, false);
        ck_assert_int_eq(files_replace(c, path, old, sizeof old), STATUS_OK);
        files_fail_as(n, stay, error);
        status s = files_replace(c, path, new, sizeof new);
        ck_assert(s || files_failure_left());
        files_fail_at(0, false);
        ck_assert_int_eq(entries(), 1);
        if (s == STATUS_OK) {
            ck_assert(holds(path, new, sizeof new));
            break;
        }
        failures++;
        ck_assert_int_eq(s, STATUS_FAILURE);
        ck_assert_ptr_nonnull(strstr(context_message(c), "state.h5: cannot write: "));
        ck_assert_ptr_nonnull(strstr(context_message(c), says));
        ck_assert(holds(path, old, sizeof old) || holds(path, new, sizeof new));
    }
    ck_assert_int_ge(failures, 7); /* open, write, close, open, sync, close, rename, sync of the folder */
    ck_assert_int_lt(failures, 90);
}

START_TEST(injected_failures)
{
    fail_every_step(false, NULL, "No space left on device; free some");
    fail_every_step(true, "ENOSPC", "No space left on device; free some");
    fail_every_step(false, "EDQUOT", "quota exceeded; free some");
    fail_every_step(false, "EIO", "Input/output error; choose another place");
    fail_every_step(true, "EIO", "Input/output error; choose another place");
    fail_every_step(true, "EROFS", "Read-only file system; choose another place");
}
END_TEST

/* The system may take less than it is given: all of it arrives all the same. */
START_TEST(short_writes)
{
    static char data[100000];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i * 7);
    for (int n = 1; n < 30; n++) {
        files_fail_as(n, n > 15, "SHORT");
        ck_assert_int_eq(files_replace(c, in_folder("state.h5"), data, sizeof data), STATUS_OK);
        files_fail_as(2, false, "SHORT");
        ck_assert_int_eq(files_append_line(c, in_folder("lines"), "a line"), STATUS_OK);
        files_fail_at(0, false);
        ck_assert(holds(in_folder("state.h5"), data, sizeof data));
    }
    char *text = NULL;
    size_t size = 0;
    ck_assert_int_eq(files_read(c, in_folder("lines"), &text, &size), STATUS_OK);
    ck_assert_uint_eq(size, 29 * 7);
    for (size_t i = 0; i < size; i += 7) ck_assert_int_eq(memcmp(text + i, "a line\n", 7), 0);
    memory_delete(&text);
}
END_TEST

START_TEST(streaming_writers)
{
    char temporary[FILES_PATH], second[FILES_PATH];
    const char *path = in_folder("big.h5");
    for (int n = 0; n < 6; n++) {
        files_temporary(path, temporary);
        files_temporary(path, second);
        ck_assert_str_ne(temporary, second);
        ck_assert_int_eq(strncmp(temporary, folder, strlen(folder)), 0);
        FILE *f = fopen(temporary, "w");
        fputs("streamed", f);
        fclose(f);
        files_fail_at(n, false);
        status s = files_commit(c, temporary, path);
        files_fail_at(0, false);
        if (n == 0) ck_assert_int_eq(s, STATUS_OK);
        if (n == 1) ck_assert_int_ne(s, STATUS_OK);
        ck_assert(!files_exists(temporary));
        ck_assert(holds(path, "streamed", 8));
        ck_assert_int_eq(entries(), 1);
    }
    files_temporary(path, temporary);
    ck_assert_int_eq(files_commit(c, temporary, path), STATUS_FAILURE); /* there is none */
    ck_assert(holds(path, "streamed", 8));
}
END_TEST

START_TEST(lines)
{
    const char *path = in_folder("metrics.jsonl");
    ck_assert_int_eq(files_append_line(c, path, "{\"step\": 1}"), STATUS_OK);
    ck_assert_int_eq(files_append_line(c, path, ""), STATUS_OK);
    for (int n = 1; n < 3; n++) {
        files_fail_at(n, false);
        ck_assert_int_eq(files_append_line(c, path, "lost"), STATUS_FAILURE);
    }
    files_fail_at(0, false);
    ck_assert_int_eq(files_append_line(c, path, "3"), STATUS_OK);
    ck_assert(holds(path, "{\"step\": 1}\n\n3\n", 15));
}
END_TEST

/* A tiny file system in a mount space of our own, where that is allowed. */
START_TEST(full_disk)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=128k") != 0) {
        fprintf(stderr, "full_disk: cannot mount here; /dev/full alone is tested\n");
        return;
    }
    enum { OLD = 40000, NEW = 120000 };
    static char old[OLD], new[NEW];
    memset(old, 'o', OLD);
    memset(new, 'n', NEW);
    const char *path = in_folder("epoch.h5");
    ck_assert_int_eq(files_replace(c, path, old, OLD), STATUS_OK);
    ck_assert_int_eq(files_replace(c, path, new, NEW), STATUS_FAILURE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "No space left on device; free some"));
    ck_assert(holds(path, old, OLD));
    ck_assert_int_eq(entries(), 1);
    /* Lines until it is full: every one that succeeded is whole, none is half. */
    const char *log = in_folder("metrics.jsonl");
    char line[1000];
    memset(line, 'l', 998);
    line[998] = 0; /* 999 bytes with its newline, so that the last one does not fit by some bytes */
    int written = 0;
    while (written < 1000 && files_append_line(c, log, line) == STATUS_OK) written++;
    ck_assert_int_gt(written, 50);
    ck_assert_int_lt(written, 130);
    struct stat about;
    stat(log, &about);
    ck_assert_int_eq(about.st_size, written * 999);
    ck_assert_int_eq(files_replace(c, path, "small", 5), STATUS_FAILURE);
    ck_assert(holds(path, old, OLD));
    /* Room again: all is well again. */
    unlink(log);
    ck_assert_int_eq(files_replace(c, path, "small", 5), STATUS_OK);
    ck_assert(holds(path, "small", 5));
    umount(folder);
}
END_TEST

START_TEST(reading)
{
    char *text = NULL;
    size_t n = 9;
    ck_assert_int_eq(files_read(c, in_folder("absent"), &text, &n), STATUS_DATA);
    ck_assert_ptr_nonnull(strstr(context_message(c), "absent: cannot open: No such file"));
    ck_assert_ptr_null(text);
    ck_assert_int_eq(files_read(c, folder, &text, &n), STATUS_DATA);
    ck_assert_ptr_nonnull(strstr(context_message(c), "is a folder"));
    ck_assert_int_eq(files_read(c, "/proc/self/status", &text, &n), STATUS_OK); /* of size 0, as it says */
    ck_assert_uint_gt(n, 100);
    memory_delete(&text);
    static char big[100001];
    memset(big, 7, sizeof big);
    ck_assert_int_eq(files_replace(c, in_folder("big"), big, sizeof big), STATUS_OK);
    ck_assert(holds(in_folder("big"), big, sizeof big));
    const long live = memory_live();
    memory_fail_at(1);
    ck_assert(memory_failure_left());
    ck_assert_int_eq(files_read(c, in_folder("big"), &text, NULL), STATUS_MEMORY);
    ck_assert(!memory_failure_left());
    ck_assert_ptr_null(text);
    ck_assert_int_eq(memory_live(), live);
    ck_assert_int_eq(files_read(c, in_folder("big"), &text, NULL), STATUS_OK);
    ck_assert_int_eq(memory_live(), live + 1);
    memory_delete(&text);
    ck_assert_int_eq(memory_live(), live);
}
END_TEST

START_TEST(folders_and_paths)
{
    struct stat about;
    ck_assert_int_eq(files_make_folder(c, in_folder("a/b//c/")), STATUS_OK);
    ck_assert_int_eq(files_make_folder(c, in_folder("a/b/c")), STATUS_OK);
    ck_assert(stat(in_folder("a/b/c"), &about) == 0 && S_ISDIR(about.st_mode));
    ck_assert_int_eq(files_replace(c, in_folder("a/file"), "x", 1), STATUS_OK);
    ck_assert_int_eq(files_make_folder(c, in_folder("a/file")), STATUS_FAILURE);
    ck_assert_int_eq(files_make_folder(c, in_folder("a/file/d")), STATUS_FAILURE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "a/file"));
    ck_assert_int_eq(files_make_folder(c, "/proc/none"), STATUS_FAILURE);
    char path[FILES_PATH], longer[5000];
    ck_assert_int_eq(files_path(c, path, "%s/box_%04d_z%.2f.h5", "out", 7, .5), STATUS_OK);
    ck_assert_str_eq(path, "out/box_0007_z0.50.h5");
    memset(longer, 'p', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    ck_assert_int_eq(files_path(c, path, "%s", longer), STATUS_USAGE);
    ck_assert_int_eq(files_replace(c, longer, "x", 1), STATUS_FAILURE);
}
END_TEST

START_TEST(cache_folder)
{
    char path[FILES_PATH];
    struct stat about;
    const char *const names[] = {"COSMOCL_CACHE", "XDG_CACHE_HOME", "SLURM_TMPDIR", "SLURM_JOB_ID", "TMPDIR", "HOME"};
    for (int i = 0; i < 6; i++) unsetenv(names[i]);
    setenv("HOME", in_folder("home"), 1);
    ck_assert_int_eq(files_cache_folder(c, path), STATUS_OK);
    ck_assert_str_eq(path, in_folder("home/.cache/cosmocl"));
    ck_assert(stat(path, &about) == 0 && (about.st_mode & 0777) == 0700);
    setenv("TMPDIR", in_folder("tmp"), 1); /* only under Slurm */
    ck_assert_int_eq(files_cache_folder(c, path), STATUS_OK);
    ck_assert_str_eq(path, in_folder("home/.cache/cosmocl"));
    setenv("SLURM_JOB_ID", "1", 1);
    ck_assert_int_eq(files_cache_folder(c, path), STATUS_OK);
    ck_assert_int_eq(strncmp(path, in_folder("tmp/cosmocl-"), strlen(in_folder("tmp/cosmocl-"))), 0);
    ck_assert_int_eq(files_own_folder(c, path), STATUS_OK); /* not the node's */
    ck_assert_str_eq(path, in_folder("home/.cache/cosmocl"));
    setenv("XDG_CACHE_HOME", in_folder("xdg"), 1);
    ck_assert_int_eq(files_cache_folder(c, path), STATUS_OK);
    ck_assert_str_eq(path, in_folder("xdg/cosmocl"));
    setenv("COSMOCL_CACHE", in_folder("own"), 1);
    ck_assert_int_eq(files_cache_folder(c, path), STATUS_OK);
    ck_assert_str_eq(path, in_folder("own"));
    files_replace(c, in_folder("taken"), "x", 1);
    setenv("COSMOCL_CACHE", in_folder("taken"), 1);
    ck_assert_int_eq(files_cache_folder(c, path), STATUS_FAILURE);
    ck_assert_int_eq(strncmp(context_message(c), "cache folder: ", 14), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("files");
    TCase *t = tcase_create("files");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, replaces);
    tcase_add_test(t, special_targets);
    tcase_add_test(t, injected_failures);
    tcase_add_test(t, short_writes);
    tcase_add_test(t, streaming_writers);
    tcase_add_test(t, lines);
    tcase_add_test(t, full_disk);
    tcase_add_test(t, reading);
    tcase_add_test(t, folders_and_paths);
    tcase_add_test(t, cache_folder);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL); /* forks: full_disk changes the mounts of its own process */
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
