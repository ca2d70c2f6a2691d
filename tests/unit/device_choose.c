/* The choice of a device and the quirks, on made-up records: no OpenCL is called. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "device/health.h"
#include "device/internal.h"

static context *c;

static void begin(void)
{
    c = context_new(NULL);
    ck_assert_ptr_nonnull(c);
    unsetenv("COSMOCL_DEVICE");
}

static void end(void)
{
    context_delete(&c);
}

enum { GIB = 1 << 30 };
#define HAS(text) ck_assert_msg(strstr(context_message(c), text) != NULL, "no \"%s\" in: %s", text, context_message(c))

/* A mixed machine: PoCL and a vendor's CPU runtime, an integrated GPU, two equal cards and one of another make. */
static const device_record MACHINE[] = {
    {.platform = 0,
     .index = 0,
     .platform_name = "Portable Computing Language",
     .vendor = "AuthenticAMD",
     .name = "cpu-znver3-AMD EPYC 7763",
     .is_cpu = true,
     .global_bytes = 64ull * GIB,
     .unified_memory = true},
    {.platform = 1,
     .index = 0,
     .platform_name = "Intel(R) OpenCL Graphics",
     .vendor = "Intel(R) Corporation",
     .name = "Intel(R) UHD Graphics 770",
     .is_gpu = true,
     .global_bytes = 50ull * GIB,
     .unified_memory = true},
    {.platform = 2,
     .index = 0,
     .platform_name = "AMD Accelerated Parallel Processing",
     .vendor = "Advanced Micro Devices, Inc.",
     .name = "gfx90a:sramecc+:xnack-",
     .is_gpu = true,
     .global_bytes = 64ull * GIB},
    {.platform = 2,
     .index = 1,
     .platform_name = "AMD Accelerated Parallel Processing",
     .vendor = "Advanced Micro Devices, Inc.",
     .name = "gfx90a:sramecc+:xnack-",
     .is_gpu = true,
     .global_bytes = 64ull * GIB},
    {.platform = 3,
     .index = 0,
     .platform_name = "NVIDIA CUDA",
     .vendor = "NVIDIA Corporation",
     .name = "NVIDIA Tesla P100",
     .is_gpu = true,
     .global_bytes = 16ull * GIB},
    {.platform = 4,
     .index = 0,
     .platform_name = "Clover",
     .vendor = "AMD",
     .name = "AMD POLARIS10",
     .is_gpu = true,
     .global_bytes = 8ull * GIB,
     .avoid_device = true,
     .quirk = "clover"},
};
enum { MACHINE_COUNT = sizeof MACHINE / sizeof *MACHINE };

static void expect(const char *spec, int platform, int index)
{
    int at = -1;
    status s = device_choose(c, MACHINE, MACHINE_COUNT, spec, &at);
    ck_assert_msg(!s, "%s: %s", spec ? spec : "NULL", context_message(c));
    ck_assert_msg(MACHINE[at].platform == platform && MACHINE[at].index == index, "%s gives %d:%d",
                  spec ? spec : "NULL", MACHINE[at].platform, MACHINE[at].index);
}

static void refuse(const char *spec, status expected)
{
    int at = -1;
    ck_assert_int_eq(device_choose(c, MACHINE, MACHINE_COUNT, spec, &at), expected);
}

START_TEST(every_way_to_name_one)
{
    expect("0:0", 0, 0);
    expect("2:1", 2, 1);
    expect("cpu", 0, 0);
    expect("CPU", 0, 0);
    expect("amd:cpu", 0, 0);
    expect("nvidia", 3, 0);
    expect("nvidia:gpu", 3, 0);
    expect("gpu:nvidia", 3, 0);
    expect("intel:gpu", 1, 0);
    expect("P100", 3, 0);
    expect("p100", 3, 0);
    expect("UHD Graphics", 1, 0);
    expect("pocl", 0, 0);
    expect("epyc", 0, 0);
}
END_TEST

START_TEST(the_default_is_the_largest_card)
{
    expect(NULL, 2, 0);
    expect("", 2, 0);
    int at = -1; /* own memory goes before the host's, even if that is larger */
    const device_record two[] = {MACHINE[1], MACHINE[4]};
    ck_assert_int_eq(device_choose(c, two, 2, NULL, &at), STATUS_OK);
    ck_assert_int_eq(at, 1);
    ck_assert_int_eq(device_choose(c, two, 1, NULL, &at), STATUS_OK);
    ck_assert_int_eq(at, 0);
    ck_assert_int_eq(device_choose(c, MACHINE, 1, NULL, &at), STATUS_OK); /* only a CPU */
    ck_assert_int_eq(at, 0);
    setenv("COSMOCL_DEVICE", "P100", 1);
    expect(NULL, 3, 0);
    expect("", 3, 0);
    expect("0:0", 0, 0); /* what is said goes before the environment */
    setenv("COSMOCL_DEVICE", "nosuch", 1);
    refuse(NULL, STATUS_DEVICE);
    HAS("COSMOCL_DEVICE nosuch");
    unsetenv("COSMOCL_DEVICE");
}
END_TEST

START_TEST(ambiguous_is_an_error_with_the_list)
{
    refuse("gpu", STATUS_DEVICE);
    HAS("4 devices match");
    HAS("2:1 gfx90a");
    HAS("3:0 NVIDIA Tesla P100");
    refuse("amd:gpu", STATUS_DEVICE);
    HAS("2 devices match");
    refuse("gfx90a", STATUS_DEVICE);
    refuse("gfx90a:sramecc+:xnack-", STATUS_DEVICE); /* colons inside a name */
    HAS("2 devices match");
}
END_TEST

START_TEST(nothing_fits)
{
    refuse("7:0", STATUS_DEVICE);
    HAS("7:0: no such device");
    HAS("0:0 cpu-znver3");
    refuse("0:0x", STATUS_DEVICE);
    refuse("-1:0", STATUS_DEVICE);
    refuse("2:99999999999999999999", STATUS_DEVICE);
    refuse("nvidia:cpu", STATUS_DEVICE);
    char longest[400];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    refuse(longest, STATUS_USAGE);
    int at = -1;
    ck_assert_int_eq(device_choose(c, MACHINE, 1, "gpu", &at), STATUS_DEVICE); /* never a CPU instead */
    HAS("never replaced by a CPU");
    ck_assert_int_eq(device_choose(c, MACHINE, 1, "amd:gpu", &at), STATUS_DEVICE);
    ck_assert_int_eq(device_choose(c, MACHINE, 0, NULL, &at), STATUS_DEVICE);
    HAS("no OpenCL device");
    HAS("pocl-opencl-icd");
    ck_assert_int_eq(device_choose(c, MACHINE, 0, "gpu", &at), STATUS_DEVICE);
    HAS("that could be gpu");
    ck_assert_int_eq(at, -1);
}
END_TEST

START_TEST(avoided_devices_are_taken_by_index_alone)
{
    int at = -1;
    refuse("polaris", STATUS_DEVICE);
    HAS("avoided: clover");
    expect("4:0", 4, 0);
    ck_assert_int_eq(device_choose(c, &MACHINE[5], 1, NULL, &at), STATUS_DEVICE);
    HAS("name one with --device P:I");
}
END_TEST

static device_record record(const char *platform, const char *vendor, const char *driver, bool cpu)
{
    device_record r = {.is_cpu = cpu, .is_gpu = !cpu};
    snprintf(r.platform_name, sizeof r.platform_name, "%s", platform);
    snprintf(r.vendor, sizeof r.vendor, "%s", vendor);
    snprintf(r.driver, sizeof r.driver, "%s", driver);
    return r;
}

START_TEST(the_quirks_of_the_program)
{
    device_record r = record("Intel(R) OpenCL", "Intel(R) Corporation", "2026.21.3.0.17_160000", true);
    ck_assert_int_eq(quirks_apply(c, quirks_text(), &r), STATUS_OK);
    ck_assert(r.avoid_clfft && !r.avoid_device && !r.avoid_binaries && !r.avoid_vkfft && !r.avoid_clblast);
    ck_assert(r.has_fma);
    ck_assert_str_eq(r.quirk, "intel-cpu-clfft, intel-cpu-fma");
    r = record("Intel(R) OpenCL", "Intel(R) Corporation", "2025.20.8.0.06_160000", true);
    ck_assert_int_eq(quirks_apply(c, quirks_text(), &r), STATUS_OK);
    ck_assert(!r.avoid_clfft);
    ck_assert_str_eq(r.quirk, "intel-cpu-fma");
    r = record("Intel(R) OpenCL Graphics", "Intel(R) Corporation", "2026.21.3.0.17_160000", false);
    ck_assert_int_eq(quirks_apply(c, quirks_text(), &r), STATUS_OK);
    ck_assert(!r.avoid_clfft);
    r = record("Clover", "AMD", "22.3.6", false);
    ck_assert_int_eq(quirks_apply(c, quirks_text(), &r), STATUS_OK);
    ck_assert(r.avoid_device);
    r = record("Portable Computing Language", "GenuineIntel", "3.1", true);
    ck_assert_int_eq(quirks_apply(c, quirks_text(), &r), STATUS_OK);
    ck_assert(r.avoid_binaries && !r.avoid_clfft);
    char why[256];
    health_quirk_why("clover", why, sizeof why);
    ck_assert_ptr_nonnull(strstr(why, "rusticl"));
    health_quirk_why("nosuch", why, sizeof why);
    ck_assert_str_eq(why, "");
    /* Every section of the file was read: each quirk has its why. */
    int quirks = 0;
    for (const char *p = quirks_text(); (p = strstr(p, "\n[quirk ")); p++, quirks++) {
        char name[64];
        ck_assert_int_eq(sscanf(p, "\n[quirk %63[^]]", name), 1);
        health_quirk_why(name, why, sizeof why);
        ck_assert_msg(why[0], "%s has no why", name);
    }
    ck_assert_int_ge(quirks, 3);
}
END_TEST

START_TEST(patterns_of_a_quirks_text)
{
    const char *text = "[quirk one]\nvendor = acme*\nset = avoid_vkfft, avoid_clblast\n"
                       "[quirk two]\nvendor = ACME Ltd\ndriver = 1.[0-4]\nset = avoid_device\n"
                       "[quirk three]\ndevice = *\ntype = cpu\nset = avoid_clfft\n[vendor acme]\nnames = A?ME*\n";
    device_record r = record("P", "Acme Ltd", "1.3", false);
    ck_assert_int_eq(quirks_apply(c, text, &r), STATUS_OK);
    ck_assert(r.avoid_vkfft && r.avoid_clblast && r.avoid_device && !r.avoid_clfft);
    ck_assert_str_eq(r.quirk, "one, two");
    ck_assert(quirks_vendor_matches(text, "acme", &r));
    ck_assert(!quirks_vendor_matches(text, "nosuch", &r));
    r = record("P", "Acme Ltd", "1.5", true);
    ck_assert_int_eq(quirks_apply(c, text, &r), STATUS_OK);
    ck_assert_str_eq(r.quirk, "one, three");
    ck_assert_int_eq(quirks_apply(c, "[quirk a]\nvendor = *\nset = avoid_rain\n", &r), STATUS_DATA);
    HAS("avoid_rain");
    ck_assert_int_eq(quirks_apply(c, "[quirk a]\nvender = *\n", &r), STATUS_DATA);
    HAS("quirks.ini:2: unknown key vender");
    ck_assert_int_eq(quirks_apply(c, "[quirks a]\nvendor = *\n", &r), STATUS_DATA);
    char vendor[32], package[256];
    ck_assert(health_card("0x10de", vendor, sizeof vendor, package, sizeof package));
    ck_assert_str_eq(vendor, "nvidia");
    ck_assert_ptr_nonnull(strstr(package, "nvidia-opencl-icd"));
    ck_assert(health_vendor_matches(vendor, &MACHINE[4]) && !health_vendor_matches(vendor, &MACHINE[3]));
    ck_assert(!health_card("0x1234", vendor, sizeof vendor, package, sizeof package));
}
END_TEST

START_TEST(errors_have_names)
{
    ck_assert_str_eq(opencl_error_name(CL_OUT_OF_RESOURCES), "CL_OUT_OF_RESOURCES");
    ck_assert_str_eq(opencl_error_name(CL_INVALID_DEVICE_PARTITION_COUNT), "CL_INVALID_DEVICE_PARTITION_COUNT");
    ck_assert_str_eq(opencl_error_name(-1001), "CL_PLATFORM_NOT_FOUND_KHR");
    ck_assert_str_eq(opencl_error_name(-424242), "unknown OpenCL error");
    ck_assert_int_eq(opencl_fail(c, NULL, "x", CL_MEM_OBJECT_ALLOCATION_FAILURE), STATUS_MEMORY);
    ck_assert_int_eq(opencl_fail(c, NULL, "x", CL_OUT_OF_HOST_MEMORY), STATUS_MEMORY);
    ck_assert_int_eq(opencl_fail(c, NULL, "clThis", CL_OUT_OF_RESOURCES), STATUS_DEVICE);
    HAS("clThis failed: CL_OUT_OF_RESOURCES (-5)");
    char text[64];
    device_describe(&MACHINE[4], text, sizeof text);
    ck_assert_str_eq(text, "NVIDIA CUDA, NVIDIA Tesla P100, ");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("device choice");
    TCase *t = tcase_create("choice");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, every_way_to_name_one);
    tcase_add_test(t, the_default_is_the_largest_card);
    tcase_add_test(t, ambiguous_is_an_error_with_the_list);
    tcase_add_test(t, nothing_fits);
    tcase_add_test(t, avoided_devices_are_taken_by_index_alone);
    tcase_add_test(t, the_quirks_of_the_program);
    tcase_add_test(t, patterns_of_a_quirks_text);
    tcase_add_test(t, errors_have_names);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
