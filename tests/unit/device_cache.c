/* The disk cache of kernels: hit, miss on any part of the key, and damaged or refused files that are made anew. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/files.h"
#include "base/memory.h"
#include "device/health.h"
#include "device/internal.h"

static context *c;
static int builds, announced;
static bool slow;
static char folder[] = "/tmp/cosmocl-test-XXXXXX";

#define OK(call) ck_assert_msg(!(call), "%s", context_message(c))

static void count_builds(void *user, log_level level, const char *text)
{
    (void)user;
    builds += strstr(text, "building kernels/") != NULL;
    announced += level == LOG_INFO && strstr(text, "building kernels for ") != NULL;
}

static void begin(void)
{
    const context_sinks sinks = {.line = count_builds, .level = LOG_DEBUG};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("COSMOCL_CACHE", folder, 1);
    c = context_new(&sinks);
    ck_assert_ptr_nonnull(c);
}

/* Path of the one cache file; the number of files. */
static int cached_file(char *path)
{
    char kernels[FILES_PATH];
    int n = 0;
    snprintf(kernels, sizeof kernels, "%s/kernels", folder);
    DIR *dir = opendir(kernels);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.') {
            n++;
            if (path) snprintf(path, FILES_PATH, "%s/kernels/%s", folder, e->d_name);
        }
    if (dir) closedir(dir);
    return n;
}

static void clear_folder(void)
{
    char path[FILES_PATH];
    while (cached_file(path)) ck_assert_int_eq(unlink(path), 0);
}

static void end(void)
{
    char path[FILES_PATH];
    clear_folder();
    snprintf(path, sizeof path, "%s/kernels", folder);
    rmdir(path);
    ck_assert_int_eq(rmdir(folder), 0);
    context_delete(&c);
}

/* Opens the device as if its driver's binaries were good to keep, gets a kernel, checks that it computes, and says
 * whether its program was built from source. */
static int builds_of(const char *options, const char *driver)
{
    device *d = NULL;
    kernel *k = NULL;
    buffer *b = NULL;
    uint32_t out[10];
    const size_t global = 10;
    builds = 0;
    OK(device_open(c, NULL, &d));
    d->record.avoid_binaries = false;
    d->build_s = slow ? 1 : 0; /* as if other builds had taken a second */
    if (driver) snprintf(d->record.driver, sizeof d->record.driver, "%s", driver);
    OK(kernel_get(c, d, "selfcheck", "pattern", options, &k));
    OK(buffer_new(c, d, "out", sizeof out, &b));
    OK(kernel_run(c, k, 1, &global, NULL, KERNEL_ARGUMENTS(ARG_BUFFER(b), ARG_UINT(5), ARG_UINT(7), ARG_UINT(10))));
    OK(buffer_read(c, b, 0, out, sizeof out));
    for (uint32_t i = 0; i < 10; i++) ck_assert_uint_eq(out[i], 5 + 7 * i);
    buffer_delete(&b);
    device_delete(&d);
    return builds;
}

START_TEST(hits_and_misses)
{
    clear_folder();
    announced = 0;
    ck_assert_int_eq(builds_of("-DVW=2", NULL), 1);
    ck_assert_int_eq(announced, 0);
    clear_folder();
    slow = true;
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 1);
    ck_assert_int_eq(announced, 1);
    ck_assert_int_eq(cached_file(NULL), 1);
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 0);
    ck_assert_int_eq(announced, 1);
    ck_assert_int_eq(builds_of("-DVW=1 -DUNUSED", NULL), 1); /* other options */
    ck_assert_int_eq(builds_of("-DVW=1", "another driver"), 1);
    ck_assert_int_eq(cached_file(NULL), 3);
    ck_assert_int_eq(builds_of("-DVW=1", "another driver"), 0);
    ck_assert_int_eq(announced, 3);
    slow = false;
}
END_TEST

START_TEST(survey_finds_stale_and_damaged_kernels)
{
    char path[FILES_PATH];
    device_record *list = NULL;
    int count = 0;
    health_cache u;
    clear_folder();
    OK(device_list(c, &list, &count));
    OK(health_cache_survey(c, folder, list, count, &u));
    ck_assert_int_eq(u.files, 0);
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 1);
    OK(health_cache_survey(c, folder, list, count, &u));
    ck_assert_int_eq(u.files, 1);
    ck_assert_int_eq(u.stale + u.damaged, 0);
    ck_assert_int_eq(builds_of("-DVW=1", "a driver of last year"), 1);
    OK(health_cache_survey(c, folder, list, count, &u));
    ck_assert_int_eq(u.files, 2);
    ck_assert_int_eq(u.stale, 1);
    ck_assert_int_eq(u.damaged, 0);
    ck_assert_double_gt(u.stale_bytes, 256);
    OK(health_cache_survey(c, folder, NULL, 0, &u));
    ck_assert_int_eq(u.stale, 2);
    clear_folder();
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 1);
    cached_file(path);
    ck_assert_int_eq(truncate(path, 300), 0);
    OK(health_cache_survey(c, folder, list, count, &u));
    ck_assert_int_eq(u.stale, 0);
    ck_assert_int_eq(u.damaged, 1);
    memory_delete(&list);
}
END_TEST

START_TEST(damaged_files_are_made_anew)
{
    char path[FILES_PATH], *good = NULL;
    size_t size = 0;
    clear_folder();
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 1);
    ck_assert_int_eq(cached_file(path), 1);
    OK(files_read(c, path, &good, &size));
    ck_assert_uint_gt(size, 200);
    const size_t lengths[] = {0, 10, 40, size / 2, size - 1};
    for (int i = 0; i < 5; i++) { /* cut short */
        OK(files_replace(c, path, good, lengths[i]));
        ck_assert_int_eq(builds_of("-DVW=1", NULL), 1);
        ck_assert_int_eq(builds_of("-DVW=1", NULL), 0);
    }
    const size_t places[] = {0, 17, 30, 100, size / 2, size - 1};
    for (int i = 0; i < 6; i++) { /* one bit turned */
        good[places[i]] ^= 4;
        OK(files_replace(c, path, good, size));
        good[places[i]] ^= 4;
        ck_assert_msg(builds_of("-DVW=1", NULL) == 1, "a bit turned in byte %zu is not seen", places[i]);
    }
    OK(files_replace(c, path, good, size));
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 0);
    memory_delete(&good);
}
END_TEST

/* A whole file whose binary the driver does not take: as after an update that kept the version's name. */
START_TEST(refused_binaries_are_made_anew)
{
    char path[FILES_PATH];
    device *d = NULL;
    kernel *k = NULL;
    clear_folder();
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 1);
    ck_assert_int_eq(cached_file(path), 1);
    OK(device_open(c, NULL, &d));
    d->record.avoid_binaries = false;
    builds = 0;
    opencl_inject(1); /* clCreateProgramWithBinary */
    OK(kernel_get(c, d, "selfcheck", "pattern", "-DVW=1", &k));
    ck_assert_int_eq(builds, 1);
    device_delete(&d);
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 0);
}
END_TEST

/* A folder that cannot be used costs builds, not the run. */
START_TEST(no_cache_folder)
{
    setenv("COSMOCL_CACHE", "/proc/nowhere", 1);
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 1);
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 1);
    setenv("COSMOCL_CACHE", folder, 1);
    files_fail_at(1, true); /* a full disk */
    clear_folder();
    ck_assert_int_eq(builds_of("-DVW=1", NULL), 1);
    files_fail_at(0, false);
    ck_assert_int_eq(cached_file(NULL), 0);
}
END_TEST

/* Includes stand in place, with line marks, and take part in the key. */
START_TEST(source_has_its_includes)
{
    char *source = NULL, one[FILES_PATH], two[FILES_PATH];
    device *d = NULL;
    OK(program_source(c, "selfcheck", &source));
    ck_assert_ptr_nonnull(strstr(source, "#pragma OPENCL FP_CONTRACT OFF"));
    ck_assert_ptr_nonnull(strstr(source, "#line 1 \"kernels/common.h\""));
    ck_assert_ptr_null(strstr(source, "#include"));
    OK(device_open(c, NULL, &d));
    OK(program_cache_path(c, d, source, "-DX", one));
    char *at = strstr(source, "FP_CONTRACT OFF");
    memcpy(at, "FP_CONTRACT ON ", 15);
    OK(program_cache_path(c, d, source, "-DX", two));
    ck_assert_str_ne(one, two);
    memcpy(at, "FP_CONTRACT OFF", 15);
    OK(program_cache_path(c, d, source, "-DX", two));
    ck_assert_str_eq(one, two);
    OK(program_cache_path(c, d, source, "-DY", two));
    ck_assert_str_ne(one, two);
    snprintf(d->record.platform_version, sizeof d->record.platform_version, "next");
    OK(program_cache_path(c, d, source, "-DX", two));
    ck_assert_str_ne(one, two);
    device_delete(&d);
    memory_delete(&source);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("device cache");
    TCase *t = tcase_create("cache");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, begin, end);
    tcase_add_test(t, hits_and_misses);
    tcase_add_test(t, survey_finds_stale_and_damaged_kernels);
    tcase_add_test(t, damaged_files_are_made_anew);
    tcase_add_test(t, refused_binaries_are_made_anew);
    tcase_add_test(t, no_cache_folder);
    tcase_add_test(t, source_has_its_includes);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
