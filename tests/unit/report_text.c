/* Text of the page: what comes from outside stays text; base64; lines of metrics. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/files.h"
#include "base/memory.h"
#include "report/metrics.h"
#include "report/page.h"
#include "report/sections.h"

static context *c;
static page p;

static void begin(void)
{
    c = context_new(NULL);
    page_begin(&p, c);
}

static void end(void)
{
    page_delete(&p);
    context_delete(&c);
}

static void escaped(const char *from, const char *to)
{
    page_delete(&p);
    page_begin(&p, c);
    page_raw(&p, "");
    page_escape(&p, from);
    ck_assert_int_eq(page_finish(&p), STATUS_OK);
    ck_assert_str_eq(p.text, to);
}

#define BAD "\xEF\xBF\xBD"

START_TEST(escape)
{
    escaped("a <b> & \"c\" 'd'", "a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
    escaped("ρ ≈ 4 €\n\t𝛿", "ρ ≈ 4 €\n\t𝛿");
    escaped("\x01\x1b[31m\x7f", BAD BAD "[31m" BAD);
    escaped("\xC0\xBC", BAD BAD);                 /* overlong < */
    escaped("\xE0\x80\xBC", BAD BAD BAD);         /* the same in three bytes */
    escaped("\xED\xA0\x80", BAD BAD BAD);         /* half a surrogate pair */
    escaped("\xF4\x90\x80\x80", BAD BAD BAD BAD); /* beyond Unicode */
    escaped("\xE2\x82", BAD BAD);                 /* cut short */
    escaped("\xE2<b", BAD "&lt;b");
    escaped(NULL, "");
}
END_TEST

/* RFC 4648, section 10. */
START_TEST(base64)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        page_delete(&p);
        page_begin(&p, c);
        page_raw(&p, "");
        page_base64(&p, pairs[i][0], strlen(pairs[i][0]));
        ck_assert_str_eq(p.text, pairs[i][1]);
        ck_assert_uint_eq(p.size, strlen(pairs[i][1]));
    }
}
END_TEST

START_TEST(failure_sticks)
{
    page_raw(&p, "before");
    memory_fail_at(1);
    for (int i = 0; i < 3000; i++) page_format(&p, "%d ", i);
    memory_fail_at(0);
    page_raw(&p, "after");
    ck_assert_int_eq(page_finish(&p), STATUS_MEMORY);
    ck_assert_int_eq(page_save(&p, "/nonexistent/never-written"), STATUS_MEMORY);
}
END_TEST

START_TEST(counts)
{
    static const struct {
        double n;
        const char *text;
    } rows[] = {{0, "0"},          {999, "999"},           {2200, "2200"},
                {86400, "86,400"}, {1234567, "1,234,567"}, {-12345, "-12,345"},
                {INFINITY, "?"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32];
        piece_count(rows[i].n, text);
        ck_assert_str_eq(text, rows[i].text);
    }
}
END_TEST

static status read_lines(const char *text, metrics *m)
{
    char path[] = "/tmp/cosmocl-metrics-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    status s = metrics_read(c, path, m);
    unlink(path);
    return s;
}

START_TEST(metrics_lines)
{
    metrics m;
    ck_assert_int_eq(
        read_lines("{\"step\": 1, \"loss_d\": 0.5}\n\r\n{\"step\": 2, \"loss_d\": 1.5}\r\n[3]\n{\"loss_d\": 9}\n"
                   "{\"step\": 3, \"loss_d\": 2.5}\n"
                   "{\"step\": 2, \"loss_d\": 7}\n" /* resumed from step 1 */
                   "{\"step\": 3, \"loss_d\": null}\n{\"step\": 4, \"lo",
                   &m),
        STATUS_OK);
    ck_assert_int_eq(m.count, 3);
    ck_assert_int_eq(m.skipped, 3);
    ck_assert_double_eq(m.rows[1][METRIC_LOSS_D], 7);
    ck_assert_double_nan(m.rows[2][METRIC_LOSS_D]);
    ck_assert_double_nan(m.rows[0][METRIC_SAMPLES_S]);
    metrics_delete(&m);
    ck_assert_int_eq(read_lines("", &m), STATUS_DATA);
    ck_assert_int_eq(read_lines("nothing\n", &m), STATUS_DATA);
    ck_assert_ptr_null(m.rows);
    metrics_delete(&m);
    metrics_delete(NULL);
}
END_TEST

/* Lines of training and of validation at the same step are one row; a resumed run replaces both. */
START_TEST(metrics_of_the_encoder)
{
    metrics m;
    ck_assert_int_eq(read_lines("{\"step\": 0, \"epoch\": 0, \"validation_loss\": 9}\n"
                                "{\"step\": 1, \"epoch\": 0, \"loss\": 5, \"samples_s\": 80}\n"
                                "{\"step\": 2, \"epoch\": 1, \"loss\": 4}\n"
                                "{\"step\": 2, \"epoch\": 1, \"validation_loss\": 3}\n"
                                "{\"step\": 3, \"epoch\": 1, \"loss\": 2}\n"
                                "{\"step\": 2, \"epoch\": 1, \"loss\": 4.5}\n" /* resumed from step 1 */
                                "{\"step\": 2, \"epoch\": 1, \"validation_loss\": 3.5}\n"
                                "{\"step\": 3, \"epoch\": 1, \"validation_loss\": 3.5}\n",
                                &m),
                     STATUS_OK);
    ck_assert_int_eq(m.count, 4);
    ck_assert_double_nan(m.rows[0][METRIC_LOSS]);
    ck_assert_double_eq(m.rows[2][METRIC_LOSS], 4.5);
    ck_assert_double_eq(m.rows[2][METRIC_VALIDATION], 3.5);
    ck_assert_int_eq(metrics_least(&m, METRIC_VALIDATION), 2); /* the first of two that are equal */
    ck_assert_int_eq(metrics_least(&m, METRIC_LOSS), 2);
    ck_assert_int_eq(metrics_least(&m, METRIC_LOSS_D), -1);
    metrics_delete(&m);
}
END_TEST

START_TEST(metrics_bins)
{
    enum { ROWS = 10, BINS = 3 };
    double rows[ROWS][METRIC_COLUMNS], steps[BINS], mean[BINS], least[BINS], greatest[BINS];
    metrics m = {.count = ROWS, .rows = rows};
    for (int i = 0; i < ROWS; i++) {
        rows[i][METRIC_STEP] = i + 1;
        rows[i][METRIC_LOSS_G] = i < 3 ? NAN : i == 4 ? NAN : i * i;
    }
    metrics_bin(&m, METRIC_LOSS_G, BINS, steps, mean, least, greatest); /* rows 0–2, 3–5, 6–9 */
    ck_assert_double_nan(mean[0]);
    ck_assert_double_eq(steps[0], 2);
    ck_assert_double_eq(mean[1], 17);
    ck_assert_double_eq(least[1], 9);
    ck_assert_double_eq(greatest[1], 25);
    ck_assert_double_eq(greatest[2], 81);
    ck_assert_double_eq(steps[2], 8.5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report text");
    TCase *t = tcase_create("text");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, escape);
    tcase_add_test(t, base64);
    tcase_add_test(t, failure_sticks);
    tcase_add_test(t, counts);
    tcase_add_test(t, metrics_lines);
    tcase_add_test(t, metrics_of_the_encoder);
    tcase_add_test(t, metrics_bins);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
