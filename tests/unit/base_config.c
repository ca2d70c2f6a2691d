/* The table of options, its parser, and everything that a user can get wrong in a configuration. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/embedded.h"
#include "base/memory.h"
#include "base/options.h"

static context *c;
static config *cfg;

static void begin(void)
{
    c = context_new(NULL);
    ck_assert_int_eq(config_new(c, &cfg), STATUS_OK);
}

static void end(void)
{
    config_delete(&cfg);
    context_delete(&c);
}

START_TEST(table_is_sound)
{
    const char *section = "";
    int order = -1;
    for (int i = 0; i < options_count; i++) {
        const option *o = &options[i];
        const char *dot = strchr(o->key, '.');
        ck_assert_ptr_nonnull(dot);
        ck_assert_ptr_eq(options_find(o->key), o); /* no key twice */
        ck_assert_msg(strlen(o->meaning) > 20 && o->meaning[strlen(o->meaning) - 1] == '.', "%s", o->key);
        ck_assert_msg(o->minimum <= o->maximum, "%s", o->key);
        if (strncmp(section, o->key, (size_t)(dot - o->key) + 1) != 0) order++;
        section = o->key;
        ck_assert_msg(strncmp(option_sections[order].name, o->key, (size_t)(dot - o->key)) == 0,
                      "%s is not in the order of the sections", o->key);
        ck_assert_uint_lt(strlen(dot + 1), 50); /* inih's longest name */
        if (o->type == OPTION_CHOICE) ck_assert_ptr_nonnull(strstr(o->choices, o->value));
    }
    ck_assert_ptr_null(option_sections[order + 1].name);
    ck_assert_ptr_null(options_find("gan"));
    ck_assert_ptr_null(options_find("nothing.here"));
}
END_TEST

START_TEST(defaults_are_the_papers)
{
    int n = 0;
    ck_assert_int_eq(config_integer(cfg, "gan.batch"), 50);
    ck_assert_double_eq(config_real(cfg, "gan.lr_d"), 2e-4);
    ck_assert_double_eq(config_real(cfg, "cosmology.sigma8"), .8102);
    ck_assert_str_eq(config_text(cfg, "gan.loss"), "minimax");
    ck_assert_int_eq(config_choice(cfg, "gan.loss"), 0);
    ck_assert(!config_flag(cfg, "run.profile"));
    const double *filters = config_list(cfg, "network.filters", &n);
    ck_assert_int_eq(n, 5);
    for (int i = 0; i < 5; i++) ck_assert_double_eq(filters[i], 32 << i);
    ck_assert(!config_is_set(cfg, "gan.batch"));
}
END_TEST

START_TEST(values_of_every_type)
{
    int n = 0;
    const char *good[] = {"gan.batch=25",          "gan.batch = 25 ",         "gan.lr_g=1E-3",
                          "run.profile=yes",       "gan.loss=non-saturating", "simulate.redshifts=0 .5, 1,2 3",
                          "run.device=amd:gpu",    "network.filters= 16,32",  "run.seed=9000000000000000000",
                          "stats.density_min=+.5", "run.device=a = b"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(config_set_pair(c, cfg, good[i], "--set") == STATUS_OK, "%s: %s", good[i], context_message(c));
    ck_assert_int_eq(config_integer(cfg, "gan.batch"), 25);
    ck_assert_double_eq(config_real(cfg, "gan.lr_g"), 1e-3);
    ck_assert(config_flag(cfg, "run.profile"));
    ck_assert_int_eq(config_choice(cfg, "gan.loss"), 1);
    ck_assert_int_eq(config_integer(cfg, "run.seed"), 9000000000000000000);
    ck_assert_str_eq(config_text(cfg, "run.device"), "a = b");
    ck_assert(config_is_set(cfg, "gan.batch"));
    ck_assert(!config_is_set(cfg, "gan.epochs"));
    const double *z = config_list(cfg, "simulate.redshifts", &n), expected[] = {0, .5, 1, 2, 3};
    ck_assert_int_eq(n, 5);
    ck_assert_mem_eq(z, expected, sizeof expected);
}
END_TEST

static const struct {
    const char *pair, *message;
} wrong_pairs[] = {{"gan.batch=3.5", "--set: gan.batch = 3.5: is not an integer"},
                   {"gan.batch=", "--set: gan.batch = : is not an integer"},
                   {"gan.batch=99999999999999999999", "is not an integer"},
                   {"gan.batch=0", "--set: gan.batch = 0: must be between 1 and 65536 images"},
                   {"gan.batch=12x", "is not an integer"},
                   {"gan.lr_g=fast", "--set: gan.lr_g = fast: is not a number"},
                   {"gan.lr_g=nan", "is not a number"},
                   {"gan.lr_g=1e999", "is not a number"},
                   {"gan.lr_g=0x1p-3", "is not a number"},
                   {"gan.lr_g=1,5", "is not a number"},
                   {"gan.lr_g=-1", "must be between 0 and 1"},
                   {"gan.loss=minmax", "must be one of minimax|non-saturating"},
                   {"gan.loss=mini", "must be one of"},
                   {"gan.loss=minimax|non-saturating", "must be one of"},
                   {"run.profile=maybe", "is neither true nor false"},
                   {"simulate.redshifts=", "is an empty list"},
                   {"simulate.redshifts=1,,2", "is not a list of numbers"},
                   {"simulate.redshifts=1,2,", "ends in a comma"},
                   {"simulate.redshifts=1;2", "is not a list of numbers"},
                   {"simulate.redshifts=1,-2", "must be between 0 and 1100"},
                   {"network.filters=32,64.5", "is not a list of integers"},
                   {"network.filters=0", "must be between 1 and 65536"},
                   {"gan.batsh=3", "--set: unknown key gan.batsh; did you mean gan.batch?"},
                   {"batch=3", "--set: unknown key batch; did you mean gan.batch?"},
                   {"simulate.crop=64", "unknown key simulate.crop; did you mean dataset.crop?"},
                   {"complete.nonsense=1", "`cosmocl config explain` lists all keys"},
                   {"gan.batch", "must be section.key=value"},
                   {"=3", "must be section.key=value"},
                   {"", "must be section.key=value"},
                   {"run.device=a\nb", "holds a line break"},
                   {"run.device=a ; b", "begins a comment"}};

START_TEST(wrong_values)
{
    char *before = NULL, *after = NULL;
    ck_assert_int_eq(config_write(c, cfg, &before), STATUS_OK);
    for (size_t i = 0; i < sizeof wrong_pairs / sizeof wrong_pairs[0]; i++) {
        ck_assert_msg(config_set_pair(c, cfg, wrong_pairs[i].pair, "--set") == STATUS_USAGE, "%s", wrong_pairs[i].pair);
        ck_assert_msg(strstr(context_message(c), wrong_pairs[i].message) != NULL, "%s", context_message(c));
    }
    ck_assert_int_eq(config_write(c, cfg, &after), STATUS_OK);
    ck_assert_str_eq(before, after); /* a refused value changes nothing */
    memory_delete(&before);
    memory_delete(&after);
}
END_TEST

static const struct {
    const char *text, *message; /* NULL: is right */
} files[] = {{"", NULL},
             {"\n; nothing\n# here\n", NULL},
             {"[gan]\nbatch = 7\n", NULL},
             {"\xef\xbb\xbf[gan]\r\nbatch = 7 ; as there are few\r\n\r\n", NULL},
             {"  [gan]\n\t batch=7", NULL},
             {"[gan]\nepochs = 3\n[run]\nseed = 2\n[gan]\nbatch = 7\n", NULL},
             {"[gan]\nbatch 7\n", "f.ini:2: is neither 'key = value' nor '[section]' nor a comment"},
             {"[gan\nbatch = 7\n", "f.ini:1: is neither"},
             {"[gan]\n= 7\n", "f.ini:2: unknown key gan."},
             {"\n\nbatch = 7\n", "f.ini:3: batch stands before the first [section]"},
             {"[gann]\nbatch = 7\n", "f.ini:1: unknown section [gann]; did you mean [gan]?"},
             {"[whatever]\n", "f.ini:1: unknown section [whatever]"},
             {"[]\nbatch = 7\n", "f.ini:1: unknown section []"},
             {"[gan]\nbatsh = 7\n", "f.ini:2: unknown key gan.batsh; did you mean gan.batch?"},
             {"[gan]\nbatch = 7\nbatch = 7\n", "f.ini:3: gan.batch was already given in line 2"},
             {"[gan]\nbatch = 7\n\n[run]\n[gan]\nbatch = 8\n", "f.ini:6: gan.batch was already given in line 2"},
             {"[gan]\r\nbatch = many\r\n", "f.ini:2: gan.batch = many: is not an integer"},
             {"[gan]\nbatch = 7\n  epochs: 3\nnonsense\nloss = 1\n", "f.ini:4: is neither"},
             {"[network]\nfilters = 1,\n  2\n", "f.ini:2: network.filters = 1,: ends in a comma"}};

START_TEST(files_right_and_wrong)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        config *fresh = NULL;
        ck_assert_int_eq(config_new(c, &fresh), STATUS_OK);
        status s = config_read(c, fresh, files[i].text, "f.ini");
        if (!files[i].message) {
            ck_assert_msg(s == STATUS_OK, "file %zu: %s", i, context_message(c));
            if (strstr(files[i].text, "batch")) ck_assert_int_eq(config_integer(fresh, "gan.batch"), 7);
        } else {
            ck_assert_msg(s == STATUS_USAGE, "file %zu is wrong", i);
            ck_assert_msg(strstr(context_message(c), files[i].message) != NULL, "file %zu: %s", i, context_message(c));
        }
        config_delete(&fresh);
    }
}
END_TEST

START_TEST(long_lines)
{
    char text[1000], comment[600];
    memset(comment, 'c', sizeof comment - 1);
    comment[sizeof comment - 1] = 0;
    snprintf(text, sizeof text, "# %s\n[gan]\nbatch = 7\n", comment);
    ck_assert_int_eq(config_read(c, cfg, text, "f.ini"), STATUS_OK);
    ck_assert_int_eq(config_integer(cfg, "gan.batch"), 7);
    snprintf(text, sizeof text, "[run]\ndevice = %s\n", comment);
    ck_assert_int_eq(config_read(c, cfg, text, "f.ini"), STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "f.ini:2: the line is longer than "));
}
END_TEST

START_TEST(written_text_reads_back)
{
    char *text = NULL, *again = NULL;
    config *other = NULL;
    ck_assert_int_eq(config_set_pair(c, cfg, "gan.lr_g=1.23456789012345678e-5", "t"), STATUS_OK);
    ck_assert_int_eq(config_set_pair(c, cfg, "simulate.redshifts=0,  0.1", "t"), STATUS_OK);
    ck_assert_int_eq(config_write(c, cfg, &text), STATUS_OK);
    ck_assert_int_eq(config_new(c, &other), STATUS_OK);
    ck_assert_msg(config_read(c, other, text, "t") == STATUS_OK, "%s", context_message(c));
    ck_assert(config_real(other, "gan.lr_g") == config_real(cfg, "gan.lr_g"));
    ck_assert_int_eq(config_write(c, other, &again), STATUS_OK);
    ck_assert_str_eq(text, again);
    memory_delete(&text);
    memory_delete(&again);
    config_delete(&other);
}
END_TEST

START_TEST(presets)
{
    int count = 0;
    for (const embedded_file *f = embedded_files; f->name; f++) {
        ck_assert_ptr_eq(embedded_find(f->name), f);
        ck_assert_uint_eq(strlen(f->data), f->size);
        if (strncmp(f->name, "data/presets/", 13) != 0) continue;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(strlen(f->name) - 13 - 4), f->name + 13);
        config *fresh = NULL;
        ck_assert_int_eq(config_new(c, &fresh), STATUS_OK);
        ck_assert_msg(config_read_preset(c, fresh, name) == STATUS_OK, "%s", context_message(c));
        ck_assert_int_eq(config_integer(fresh, "gan.batch") % config_integer(fresh, "gan.micro_batch"), 0);
        config_delete(&fresh);
        count++;
    }
    ck_assert_int_ge(count, 2);
    ck_assert_ptr_null(embedded_find("data/presets/none.ini"));
    ck_assert_int_eq(config_read_preset(c, cfg, "none"), STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(context_message(c), "there is no preset none; there are: "));
    ck_assert_ptr_nonnull(strstr(context_message(c), "quick2d"));
    /* paper2d says what the defaults say. */
    char *defaults = NULL, *paper = NULL;
    ck_assert_int_eq(config_set_pair(c, cfg, "simulate.mesh=1024", "t"), STATUS_OK);
    ck_assert_int_eq(config_set_pair(c, cfg, "simulate.a_start=0.02", "t"), STATUS_OK);
    ck_assert_int_eq(config_set_pair(c, cfg, "maps.pixels=256", "t"), STATUS_OK);
    ck_assert_int_eq(config_set_pair(c, cfg, "dataset.crop=128", "t"), STATUS_OK);
    ck_assert_int_eq(config_write(c, cfg, &defaults), STATUS_OK);
    ck_assert_int_eq(config_read_preset(c, cfg, "paper2d"), STATUS_OK);
    ck_assert_int_eq(config_write(c, cfg, &paper), STATUS_OK);
    ck_assert_str_eq(defaults, paper);
    memory_delete(&defaults);
    memory_delete(&paper);
}
END_TEST

START_TEST(missing_and_binary_files)
{
    ck_assert_int_eq(config_read_file(c, cfg, "/none.ini"), STATUS_DATA);
    ck_assert_int_eq(config_read_file(c, cfg, "/proc/self/cmdline"), STATUS_DATA);
    ck_assert_ptr_nonnull(strstr(context_message(c), "is not a text file"));
}
END_TEST

START_TEST(suggestions)
{
    ck_assert_int_eq(options_distance("abc", "abc"), 0);
    ck_assert_int_eq(options_distance("abc", "acb"), 1);
    ck_assert_int_eq(options_distance("abc", "xabcd"), 2);
    ck_assert_int_eq(options_distance("", "abc"), 3);
    ck_assert_str_eq(options_suggest("gan.labelnoise"), "gan.label_noise");
    ck_assert_str_eq(options_suggest("cosmology.sigma_8"), "cosmology.sigma8");
    ck_assert_str_eq(options_suggest("lr"), "encoder.lr");
    ck_assert_ptr_null(options_suggest("zzzzzzzzzzzz"));
    ck_assert_ptr_null(options_suggest(""));
    char longer[400];
    memset(longer, 'k', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    ck_assert_ptr_null(options_suggest(longer));
}
END_TEST

/* Every allocation fails in turn: an error each time, nothing lost (the sanitizer build looks) and all well after. */
START_TEST(memory_runs_out)
{
    for (long n = 1;; n++) {
        config *fresh = NULL;
        char *text = NULL;
        memory_fail_at(n);
        status s = config_new(c, &fresh);
        if (s == STATUS_OK) s = config_read_preset(c, fresh, "quick2d");
        if (s == STATUS_OK) s = config_set_pair(c, fresh, "gan.batch=10", "t");
        if (s == STATUS_OK) s = config_write(c, fresh, &text);
        memory_fail_at(0);
        memory_delete(&text);
        config_delete(&fresh);
        if (s == STATUS_OK) {
            ck_assert_int_gt(n, options_count);
            break;
        }
        ck_assert_int_eq(s, STATUS_MEMORY);
        ck_assert_ptr_nonnull(strstr(context_message(c), "no memory for"));
        ck_assert_int_lt(n, 10000);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("config");
    TCase *t = tcase_create("config");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, table_is_sound);
    tcase_add_test(t, defaults_are_the_papers);
    tcase_add_test(t, values_of_every_type);
    tcase_add_test(t, wrong_values);
    tcase_add_test(t, files_right_and_wrong);
    tcase_add_test(t, long_lines);
    tcase_add_test(t, written_text_reads_back);
    tcase_add_test(t, presets);
    tcase_add_test(t, missing_and_binary_files);
    tcase_add_test(t, suggestions);
    tcase_add_test(t, memory_runs_out);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
