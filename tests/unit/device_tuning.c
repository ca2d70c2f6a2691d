/* Which record a device gets, what in a record is refused, and the user's own: on made-up devices and texts, no OpenCL
 * is called. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/memory.h"
#include "device/internal.h"

static context *c;
static char folder[] = "/tmp/cosmocl-tuning-XXXXXX", path[FILES_PATH];

static status check(context *k, tuning_value *v)
{
    v->field = v->name[0];
    if (!strcmp(v->name, "c"))
        return context_fail(k, STATUS_DATA, "%s:%d: unknown key %s", v->origin, v->line, v->name);
    return STATUS_OK;
}
static const tuning_rules rules = {check, 3};

static void begin(void)
{
    c = context_new(NULL);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/own.ini", folder);
    setenv("COSMOCL_CACHE", folder, 1);
}

static void end(void)
{
    char command[FILES_PATH + 16];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    context_delete(&c);
}

static const device_record wide = {.platform_name = "Portable Computing Language",
                                   .vendor = "GenuineIntel",
                                   .name = "cpu [0] a*b",
                                   .driver = "3.1",
                                   .is_cpu = true,
                                   .native_vector = 16};
static const device_record narrow = {.platform_name = "Other", .vendor = "Arm", .is_cpu = true, .native_vector = 4};
static const device_record card = {
    .platform_name = "CUDA", .vendor = "NVIDIA Corporation", .name = "P100", .is_gpu = true};

static const char *const records = "[default cpu]\ntype = cpu\na = 1\nb = 1\n"
                                   "[default other]\na = 2\nb = 2\n"
                                   "[vendor intel]\nvendor = *Intel*\na = 3\n"
                                   "[vendor nvidia]\nvendor = *NVIDIA*\na = 4\n"
                                   "[architecture cpu-16]\ntype = cpu\nlanes = 16\na = 5\n"
                                   "[architecture cpu-4]\ntype = cpu\nlanes = 4\nplatform = Port*\na = 6\n"
                                   "[device p100]\ndevice = p100\nb = 7\n[forward x]\na = 8\n";

static int value_of(const tuning *t, const char *layer, const char *name)
{
    int value = -1;
    for (int i = 0; i < t->count; i++)
        if (!strcmp(t->values[i].layer, layer) && !strcmp(t->values[i].name, name)) value = t->values[i].value;
    return value;
}

static status match(const device_record *r, const char *text, tuning *t)
{
    const embedded_file files[] = {
        {"data/quirks/x.ini", "not read", 8}, {"data/tuning/x.ini", text, strlen(text)}, {0}};
    *t = (tuning){0};
    return tuning_match(c, r, &rules, files, t);
}

START_TEST(the_best_record_over_the_default)
{
    const struct {
        const device_record *r;
        const char *matched;
        int a, b;
    } expected[] = {{&wide, "architecture cpu-16", 5, 1}, {&narrow, "default cpu", 1, 1}, {&card, "device p100", 2, 7}};
    for (int i = 0; i < 3; i++) {
        tuning t;
        ck_assert_msg(match(expected[i].r, records, &t) == STATUS_OK, "%s", context_message(c));
        ck_assert_str_eq(t.matched, expected[i].matched);
        ck_assert_int_eq(value_of(&t, "", "a"), expected[i].a);
        ck_assert_int_eq(value_of(&t, "", "b"), expected[i].b);
        ck_assert_int_eq(value_of(&t, "forward x", "a"), i == 2 ? 8 : -1);
        memory_delete(&t.values);
    }
    tuning t; /* a vendor's record where no better one fits; of two that fit the first */
    ck_assert_int_eq(match(&card, "[vendor a]\nvendor = NV*\na = 1\n[vendor b]\nvendor = *\na = 2\n", &t), STATUS_OK);
    ck_assert_str_eq(t.matched, "vendor a");
    memory_delete(&t.values);
}
END_TEST

START_TEST(what_is_refused)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {{"a = 1\n", "x.ini:1: a stands before the first [section]"},
                 {"[forward x]\na = 1\n", "x.ini:1: [forward x] stands before a record"},
                 {"[default x]\na = 1\nc = 2\n", "x.ini:3: unknown key c"},
                 {"[default x]\na = 1.5\n", "x.ini:2: a = 1.5: is not a whole number"},
                 {"[default x]\na = 99999999999\n", "is not a whole number"},
                 {"[default x]\na = \n", "is not a whole number"},
                 {"[default x]\na\n", "x.ini:2: is neither"},
                 {"[default x\n", "x.ini:1: is neither"},
                 {"[default x]\n[forward]\ntype = cpu\n", "type = cpu: is not a whole number"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        tuning t;
        ck_assert_msg(match(&wide, wrong[i].text, &t) == STATUS_DATA, "%s", wrong[i].text);
        ck_assert_msg(strstr(context_message(c), wrong[i].says), "%s: %s", wrong[i].text, context_message(c));
        memory_delete(&t.values);
    }
}
END_TEST

START_TEST(own_record_is_written_and_found)
{
    tuning *t, *again;
    ck_assert_int_eq(tuning_own_new(c, &wide, &rules, NULL, &t), STATUS_OK);
    ck_assert_int_eq(t->count, 0);
    ck_assert_int_eq(tuning_put(c, t, "forward x", "a", 11), STATUS_OK);
    ck_assert_int_eq(tuning_put(c, t, "forward y", "a", 12), STATUS_OK);
    ck_assert_int_eq(tuning_put(c, t, "forward x", "finished", 1), STATUS_OK);
    ck_assert_int_eq(tuning_put(c, t, "forward x", "a", 13), STATUS_OK);
    ck_assert_int_eq(tuning_save(c, t, &wide, &rules), STATUS_OK);
    ck_assert_ptr_nonnull(strstr(t->path, folder));
    ck_assert_msg(tuning_new(c, &wide, &rules, &again) == STATUS_OK, "%s", context_message(c));
    ck_assert_int_eq(strncmp(again->matched, "user /", 6), 0);
    ck_assert_int_eq(value_of(again, "forward x", "a"), 13);
    ck_assert_int_eq(tuning_own_value(again, "forward x", "finished", 0), 1);
    ck_assert_int_eq(tuning_own_value(again, "forward y", "finished", 7), 7);
    tuning_delete(&again);
    tuning_drop(t, "forward x");
    ck_assert_int_eq(tuning_own_value(t, "forward x", "a", -1), -1);
    ck_assert_int_eq(tuning_own_value(t, "forward y", "a", -1), 12);
    tuning_delete(&t);
    ck_assert_ptr_null(t);
    device_record other = wide; /* another driver: not its record */
    strcpy(other.driver, "3.2");
    ck_assert_int_eq(tuning_own_new(c, &other, &rules, NULL, &t), STATUS_OK);
    ck_assert_int_eq(t->count, 0);
    tuning_delete(&t);
}
END_TEST

static void write_own(const char *text)
{
    ck_assert_int_eq(files_replace(c, path, text, strlen(text)), STATUS_OK);
}

START_TEST(own_record_that_is_damaged_or_of_another_device)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {{"[device x]\nschema = 3\nc = 1\n", "own.ini:3: unknown key c; remove the file"},
                 {"[device x]\nschema = 3\ndriver = 9\na = 1\n", "no record of this device"},
                 {"[device x]\nschema = 3\nhalf a li", "own.ini:3: is neither"},
                 {"", "no record of this device"}};
    tuning *t;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_own(wrong[i].text);
        const status s = tuning_own_new(c, &wide, &rules, path, &t);
        ck_assert_ptr_null(t);
        ck_assert_msg(s == STATUS_DATA, "%s", wrong[i].text);
        ck_assert_msg(strstr(context_message(c), wrong[i].says), "%s: %s", wrong[i].text, context_message(c));
        ck_assert_ptr_nonnull(strstr(context_message(c), "cosmocl tune"));
    }
    write_own("[device x]\nschema = 2\nc = 1\n"); /* an older version's: not used, and no error */
    ck_assert_msg(tuning_own_new(c, &wide, &rules, path, &t) == STATUS_OK, "%s", context_message(c));
    ck_assert_int_eq(t->count, 0);
    tuning_delete(&t);
    ck_assert_int_eq(files_replace(c, path, "[device x]\0a", 12), STATUS_OK);
    ck_assert_int_eq(tuning_own_new(c, &wide, &rules, path, &t), STATUS_DATA);
    ck_assert_ptr_nonnull(strstr(context_message(c), "zero bytes"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tuning records");
    TCase *t = tcase_create("tuning records");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, the_best_record_over_the_default);
    tcase_add_test(t, what_is_refused);
    tcase_add_test(t, own_record_is_written_and_found);
    tcase_add_test(t, own_record_that_is_damaged_or_of_another_device);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
