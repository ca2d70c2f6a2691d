/* cosmocl selftest: every operator of the device against plain C, and whether its results are those of every device. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/command.h"
#include "commands/common.h"
#include "ops/selftest.h"

/* JSON has no infinity: a result that is not a number, or of a kernel that does not run, has error null. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static status print_json(context *c, const device *d, const selftest_result *r, const char *verdict)
{
    char text[512];
    json_t *rows = json_array(), *hashes = json_array();
    bool one = true;
    for (int i = 0; i < r->count; i++) {
        const selftest_row *t = &r->rows[i];
        json_array_append_new(rows, json_pack("{s:s, s:s, s:b, s:o, s:f, s:f}", "operator", t->operator_name, "size",
                                              t->size, "passed", t->passed, "error", number(t->error), "bound",
                                              t->bound, "seconds", t->seconds));
    }
    for (int i = 0; i < r->hash_count; i++) {
        const selftest_hash *h = &r->hashes[i];
        one = one && h->known;
        json_array_append_new(hashes,
                              json_pack("{s:s, s:s, s:b}", "family", h->family, "sha256", h->hash, "known", h->known));
    }
    device_describe(device_info(d), text, sizeof text);
    json_t *all = json_pack("{s:i, s:s, s:s, s:b, s:b, s:o, s:o}", "schema", 1, "device", text, "verdict", verdict,
                            "passed", !selftest_failed(r), "one_result", one, "results", rows, "hashes", hashes);
    return common_print_json(c, all, JSON_INDENT(1));
}

/* One line per operator, its worst size: the ratio of error to bound decides. */
static void print_table(const selftest_result *r)
{
    printf("%-31s %6s %10s %10s %9s  %s\n", "operator", "checks", "error", "bound", "time", "");
    for (int i = 0; i < r->count; i++) {
        const selftest_row *worst = &r->rows[i];
        int checks = 0;
        double seconds = 0;
        bool seen = false;
        for (int k = 0; k < i; k++) seen = seen || !strcmp(r->rows[k].operator_name, worst->operator_name);
        for (int k = i; k < r->count && !seen; k++) {
            const selftest_row *t = &r->rows[k];
            if (strcmp(t->operator_name, r->rows[i].operator_name)) continue;
            checks++;
            seconds += t->seconds;
            if (t->error * worst->bound > worst->error * t->bound || (worst->passed && !t->passed)) worst = t;
        }
        if (!seen)
            printf("%-31s %6d %10.2g %10.2g %7.2f s  %s%s%s\n", worst->operator_name, checks, worst->error,
                   worst->bound, seconds, worst->passed ? "passed" : "FAILED (", worst->passed ? "" : worst->size,
                   worst->passed ? "" : ")");
    }
    int different = 0;
    for (int i = 0; i < r->hash_count; i++) different += !r->hashes[i].known;
    printf("one result: %s", different ? "no, other bits in" : "yes, the same bits as on other devices");
    for (int i = 0; i < r->hash_count; i++)
        if (!r->hashes[i].known) printf(" %s", r->hashes[i].family);
    putchar('\n');
}

status command_selftest(context *c, const command_line *line)
{
    device *d = NULL;
    selftest_result r = {0};
    char verdict[SELFTEST_VERDICT], text[1024];
    status s = common_open_device(c, line, &d);
    if (s) return s;
    s = selftest_run_all(c, d, command_flag_given(line, "quick") ? SELFTEST_QUICK : SELFTEST_ALL, &r);
    if (s) goto out;
    selftest_verdict(&r, verdict);
    if (line->json)
        s = print_json(c, d, &r, verdict);
    else
        print_table(&r);
    const selftest_row *bad = selftest_failed(&r);
    if (bad) selftest_describe(bad, d, text, sizeof text);
    if (!s && bad) s = context_fail(c, STATUS_SELFTEST, "%s", text);
    if (!s && !line->json) printf("%s\n", verdict);
out:
    selftest_result_delete(&r);
    device_delete(&d);
    return s;
}
