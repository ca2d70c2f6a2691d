#include "report/report.h"

#include <stdio.h>
#include <string.h>
#include <cosmocl/version.h>
#include "base/clock.h"
#include "base/files.h"
#include "report/sections.h"

/* Page without script: nothing in it asks for anything outside (the policy makes a browser hold to it). */
static void write_begin(page *h)
{
    page_raw(h, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
                "'unsafe-inline'\">\n"
                "<title>Cosmic webs, simulated and generated</title>\n<style>\n");
    page_raw(h, page_style);
    page_raw(h, "</style>\n</head>\n<body>\n<main>\n");
}

static void write_end(page *h)
{
    char date[32];
    clock_utc(date, sizeof date);
    page_format(
        h,
        "<footer>Made by cosmocl %s on %s. The figures follow Ullmo, Decelle &amp; Aghanim, <em>Encoding large scale "
        "cosmological structure with generative adversarial networks</em> (figures 1 to "
        "3 and 6 to 13).</footer>\n</main>\n</body>\n</html>\n",
        COSMOCL_VERSION, date);
}

static status write_sections(page *h, const report_input *in)
{
    write_begin(h);
    section_head(h, in);
    status s = section_data(h, in);
    if (!s) s = section_images(h, in);
    if (!s) s = section_statistics(h, in);
    if (!s) s = section_training(h, in);
    if (!s) s = section_figures(h, in);
    if (!s) s = section_baselines(h, in);
    if (!s) s = section_autoencoder(h, in);
    if (s) return s;
    section_making(h, in);
    write_end(h);
    return page_finish(h);
}

static void sum_up(const run *r, const plots *p, report_result *result)
{
    memset(result, 0, sizeof *result);
    for (int i = 0; i < PLOT_COUNT; i++) result->figures += p->drawn[i];
    for (int i = 0; i < PICTURE_COUNT; i++) result->pictures += p->pictures[i];
    for (int i = 0; i < RUN_PARTS; i++)
        if (!run_has(r, i) && run_asked_for(r, i)) result->missing_file[result->missing++] = run_file(i);
    memcpy(result->trouble, p->trouble, sizeof result->trouble);
}

status report_write(context *c, const char *folder, const char *path, report_result *result)
{
    run r;
    plots p;
    page h;
    report_input in = {.c = c, .r = &r, .p = &p};
    page_begin(&h, c);
    status s = run_read(c, folder, &r);
    if (s) return s;
    s = files_path(c, in.folder, "%s/figures", r.folder);
    if (!s) s = plots_make(c, &r, &p);
    if (!s) s = write_sections(&h, &in);
    if (!s) s = page_save(&h, path);
    if (!s && result) sum_up(&r, &p, result);
    page_delete(&h);
    run_delete(&r);
    return s;
}
