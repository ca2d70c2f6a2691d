#include "ops/selftest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cosmocl/version.h>
#include "base/clock.h"
#include "base/embedded.h"
#include "base/files.h"
#include "base/memory.h"
#include "device/workspace.h"
#include "ops/selftest_checks.h"

/* The registry. `fixed`: every sum has a fixed order, so the outputs are the same bits on every device. */
static const struct {
    const char *name;
    void (*run)(selftest *t);
    bool fixed;
} families[] = {
    {"explicit", family_explicit, true}, {"activation", family_activation, true},
    {"norm", family_norm, true},         {"loss", family_loss, true},
    {"adam", family_adam, true},         {"random", family_random, true},
    {"crop", family_crop, true},         {"transform", family_transform, true},
    {"conv", family_conv, true},         {"dense", family_dense, true},
    {"gemm", family_gemm, true},         {"clblast", family_clblast, false},
    {"fft", family_fft, false},          {"mesh", family_mesh, false},
    {"reduce", family_reduce, false},    {"overlap", family_overlap, true},
    {"distance", family_distance, true}, {"fingerprint", family_fingerprint, true},
};
enum { FAMILIES = sizeof families / sizeof families[0] };
#define PASSED "passed, one result: yes"
#define PASSED_OTHER "passed, one result: no"
#define PASSED_CLBLAST "passed, one result: no (CLBlast)"

/* A kernel that does not build or run is a failed row, not the end of the test; out of memory and a device that does
 * not answer any more are the end. */
static void note_failure(selftest *t, const char *family)
{
    char why[sizeof t->rows->why];
    if (t->s != STATUS_DEVICE && t->s != STATUS_SELFTEST) return;
    snprintf(why, sizeof why, "%s", context_message(t->c));
    if (t->s == STATUS_DEVICE && device_finish(t->c, t->d)) {
        context_fail(t->c, t->s, "%s", why);
        return;
    }
    log_warning(t->c, "self-test: %s: %s", family, why);
    t->s = STATUS_OK;
    selftest_size(t, "did not run");
    selftest_add(t, family, INFINITY, 0);
    if (!t->s) memcpy(t->rows[t->count - 1].why, why, sizeof why);
}

static void run_family(selftest *t, int f, selftest_result *result)
{
    unsigned char digest[SHA256_BYTES];
    sha256 h;
    sha256_begin(&h);
    t->hash = families[f].fixed ? &h : NULL;
    const double begun = clock_seconds();
    families[f].run(t);
    selftest_release(t);
    log_debug(t->c, "self-test: %s took %.2f s", families[f].name, clock_seconds() - begun);
    t->hash = NULL;
    note_failure(t, families[f].name);
    selftest_release(t);
    if (t->s || !families[f].fixed) return;
    selftest_hash *k = &result->hashes[result->hash_count++];
    sha256_end(&h, digest);
    sha256_text(digest, k->hash);
    snprintf(k->family, sizeof k->family, "%s", families[f].name);
    const char *known = selftest_known(families[f].name);
    k->known = known && !strcmp(known, k->hash);
}

status selftest_run_all(context *c, device *d, selftest_extent extent, selftest_result *result)
{
    selftest t;
    memset(result, 0, sizeof *result);
    selftest_begin(&t, c, d);
    t.quick = extent == SELFTEST_QUICK;
    t.clblast = extent >= SELFTEST_CLBLAST;
    t.library = extent == SELFTEST_ALL;
    t.s = memory_new(c, "self-test", FAMILIES, sizeof *result->hashes, &result->hashes);
    for (int f = 0; f < FAMILIES && !t.s; f++) {
        char text[64];
        snprintf(text, sizeof text, "self-test: %s (%d of %d)", families[f].name, f + 1, FAMILIES);
        context_progress(c, text, f == FAMILIES - 1);
        run_family(&t, f, result);
        if (!t.s && context_stop_requested(c)) t.s = context_fail(c, STATUS_INTERRUPTED, "self-test: interrupted");
    }
    selftest_end(&t);
    workspace_delete(d); /* what comes next holds as much memory after a self-test as without one */
    result->rows = t.rows;
    result->count = t.count;
    if (t.s) selftest_result_delete(result);
    return t.s;
}

void selftest_result_delete(selftest_result *result)
{
    memory_delete(&result->rows);
    memory_delete(&result->hashes);
    result->count = result->hash_count = 0;
}

const selftest_row *selftest_failed(const selftest_result *result)
{
    for (int i = 0; i < result->count; i++)
        if (!result->rows[i].passed) return &result->rows[i];
    return NULL;
}

void selftest_verdict(const selftest_result *result, char verdict[SELFTEST_VERDICT])
{
    const selftest_row *bad = selftest_failed(result);
    bool one = true;
    for (int i = 0; i < result->hash_count; i++) one = one && result->hashes[i].known;
    if (bad)
        snprintf(verdict, SELFTEST_VERDICT, "FAILED %s", bad->operator_name);
    else
        snprintf(verdict, SELFTEST_VERDICT, "%s", one ? PASSED : PASSED_OTHER);
}

/* ---- what is remembered --------------------------------------------------------------------------------------------
 */

/* cache/selftest/KEY: the key covers the device, its driver, the kernels and the version. A file of its own says so for
 * CLBlast. */
static status memory_path(context *c, device *d, bool clblast, char *path)
{
    char folder[FILES_PATH], device_text[512], key[HASH_TEXT];
    unsigned char digest[SHA256_BYTES];
    sha256 h;
    sha256_begin(&h);
    for (int i = 0; i < embedded_count; i++)
        if (!strncmp(embedded_files[i].name, "kernels/", 8))
            sha256_add(&h, embedded_files[i].data, embedded_files[i].size + 1);
    device_describe(device_info(d), device_text, sizeof device_text);
    sha256_add(&h, device_text, strlen(device_text) + 1);
    sha256_add(&h, device_info(d)->platform_version, strlen(device_info(d)->platform_version) + 1);
    sha256_add(&h, COSMOCL_VERSION, sizeof COSMOCL_VERSION);
    for (int f = 0; f < FAMILIES; f++) {
        const char *known = selftest_known(families[f].name);
        if (known) sha256_add(&h, known, strlen(known) + 1);
    }
    sha256_end(&h, digest);
    hash_bytes(digest, sizeof digest, key);
    status s = files_cache_folder(c, folder);
    if (!s) s = files_path(c, path, "%s/selftest", folder);
    if (!s) s = files_make_folder(c, path);
    if (!s) s = files_path(c, path, "%s/selftest/%s%s", folder, key, clblast ? "-clblast" : "");
    return s;
}

/* A remembered pass: *verdict stays empty where there is none. Anything else in the file means to run again. */
static status recall(context *c, const char *path, char verdict[SELFTEST_VERDICT])
{
    char *text = NULL;
    verdict[0] = 0;
    if (!path[0] || !files_exists(path)) return STATUS_OK;
    status s = files_read(c, path, &text, NULL);
    if (s) return s == STATUS_MEMORY ? s : STATUS_OK;
    text[strcspn(text, "\n")] = 0;
    if (!strcmp(text, PASSED) || !strcmp(text, PASSED_OTHER)) snprintf(verdict, SELFTEST_VERDICT, "%s", text);
    memory_delete(&text);
    return STATUS_OK;
}

static void remember(context *c, const char *path, const char *verdict)
{
    char line[SELFTEST_VERDICT + 1];
    snprintf(line, sizeof line, "%s\n", verdict);
    if (files_replace(c, path, line, strlen(line)))
        log_debug(c, "the self-test's result is not kept: %s", context_message(c));
}

void selftest_describe(const selftest_row *bad, const device *d, char *text, size_t size)
{
    char device_text[512];
    device_describe(device_info(d), device_text, sizeof device_text);
    if (bad->why[0])
        snprintf(text, size, "%s does not run on %s: %s", bad->operator_name, device_text, bad->why);
    else
        snprintf(text, size, "%s computes wrongly on %s: error %.2g over the bound %.2g (%s)", bad->operator_name,
                 device_text, bad->error, bad->bound, bad->size);
}

/* What a failure means for the work: refused, or with `force` a warning and a stamp. */
static status judge(context *c, device *d, const selftest_result *result, bool force, char verdict[SELFTEST_VERDICT])
{
    const selftest_row *bad = selftest_failed(result);
    char text[1024];
    selftest_verdict(result, verdict);
    if (!bad) return STATUS_OK;
    selftest_describe(bad, d, text, sizeof text);
    if (!force)
        return context_fail(c, STATUS_SELFTEST,
                            "%s; try another device or driver (cosmocl selftest shows all), or --force to go on with "
                            "outputs that say so",
                            text);
    log_warning(c, "%s; going on because of --force", text);
    snprintf(verdict, SELFTEST_VERDICT, "forced: FAILED %s", bad->operator_name);
    return STATUS_OK;
}

/* What a pass means for one result. */
static void say_of_other_result(context *c, const device *d, bool clblast, char verdict[SELFTEST_VERDICT])
{
    if (!strcmp(verdict, PASSED_OTHER))
        log_warning(c,
                    "%s computes rightly, but not bit for bit as other devices do: what is trained on it comes out "
                    "differently elsewhere (cosmocl selftest shows which kernels)",
                    device_info(d)->name);
    if (!clblast || (strcmp(verdict, PASSED) != 0 && strcmp(verdict, PASSED_OTHER) != 0)) return;
    snprintf(verdict, SELFTEST_VERDICT, "%s", PASSED_CLBLAST);
    log_warning(c, "network.algorithm = clblast: CLBlast's sums depend on the device and its version, so that what is "
                   "computed comes out differently elsewhere (outside the guarantee of one result)");
}

status selftest_require(context *c, device *d, bool clblast, bool force, char verdict[SELFTEST_VERDICT])
{
    char path[FILES_PATH] = "";
    const char *broken = getenv("COSMOCL_BREAK_KERNEL"), *wanted = getenv("COSMOCL_SELFTEST");
    selftest_result result;
    /* For checkers that run a thousand times slower. */
    if (wanted && !strcmp(wanted, "off")) {
        log_warning(c, "the kernels are not tested because of COSMOCL_SELFTEST=off");
        snprintf(verdict, SELFTEST_VERDICT, "not run");
        return STATUS_OK;
    }
    /* Without a cache folder, or with a result falsified on purpose, it runs each time. */
    if ((broken && broken[0]) || memory_path(c, d, clblast, path)) path[0] = 0;
    status s = recall(c, path, verdict);
    if (s || verdict[0]) {
        say_of_other_result(c, d, clblast, verdict);
        return s;
    }
    log_info(c, "testing the kernels on %s (once per device and driver) …", device_info(d)->name);
    const double begun = clock_seconds();
    s = selftest_run_all(c, d, clblast ? SELFTEST_CLBLAST : SELFTEST_NEEDED, &result);
    if (s) return context_prefix(c, s, "self-test");
    log_debug(c, "self-test: %d checks in %.1f s", result.count, clock_seconds() - begun);
    if (!selftest_failed(&result) && path[0]) {
        selftest_verdict(&result, verdict);
        remember(c, path, verdict);
    }
    s = judge(c, d, &result, force, verdict);
    say_of_other_result(c, d, clblast, verdict);
    selftest_result_delete(&result);
    return s;
}
