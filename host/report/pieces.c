#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"

void piece_missing(page *h, const report_input *in, run_part part)
{
    page_format(h, "<p class=\"missing\"><strong>%s</strong> (<code>%s</code>): ", run_meaning(part), run_file(part));
    page_escape(h, in->r->note[part]);
    page_raw(h, "</p>\n");
}

/* src="data:…" of a file of ours in the folder of the figures. */
static status data_uri(page *h, const report_input *in, const char *name, const char *ending, const char *mime)
{
    char path[FILES_PATH], *data = NULL;
    size_t size = 0;
    status s = files_path(in->c, path, "%s/%s.%s", in->folder, name, ending);
    if (!s) s = files_read(in->c, path, &data, &size);
    if (s) return s;
    page_format(h, "src=\"data:%s;base64,", mime);
    page_base64(h, data, size);
    page_raw(h, "\"");
    memory_delete(&data);
    return STATUS_OK;
}

status piece_plot(page *h, const report_input *in, plot p, const char *alt, const char *caption)
{
    if (!in->p->drawn[p]) return STATUS_OK;
    int width, height;
    plot_size(p, &width, &height);
    page_format(h, "<figure><img class=\"plot\" width=\"%d\" height=\"%d\" alt=\"%s\" ", width, height, alt);
    status s = data_uri(h, in, plot_name(p), "svg", "image/svg+xml");
    page_format(h, "><figcaption>%s</figcaption></figure>\n", caption);
    return s;
}

status piece_picture(page *h, const report_input *in, picture_id id, const char *alt)
{
    page_format(h, "<img class=\"maps\" alt=\"%s\" ", alt);
    status s = data_uri(h, in, picture_name(id), "png", "image/png");
    page_raw(h, ">");
    return s;
}

static void tick(page *h, const gallery_scale *g, double value, double at)
{
    const double percent = 100 * (at - g->low) / (g->high - g->low);
    if (percent > -1e-6 && percent < 100 + 1e-6)
        page_format(h, "<span style=\"left:%.2f%%\">%g</span>", percent, value);
}

/* 1, 2, 5 on short scales, decades on long ones. */
static void logarithmic_ticks(page *h, const gallery_scale *g)
{
    static const double mantissa[3] = {1, 2, 5};
    for (int i = 3 * (int)floor(g->low); i <= 3 * (int)ceil(g->high); i++) {
        const int k = (i % 3 + 3) % 3;
        const double value = mantissa[k] * pow(10, (i - k) / 3);
        if (!k || g->high - g->low <= 2.5) tick(h, g, value, log10(value));
    }
}

/* Four to ten multiples of 1, 2 or 5 times a power of ten. */
static void linear_ticks(page *h, const gallery_scale *g)
{
    const double span = (g->high - g->low) / 4, decade = pow(10, floor(log10(span))), share = span / decade;
    const double step = decade * (share >= 5 ? 5 : share >= 2 ? 2 : 1);
    for (double i = ceil(g->low / step); i * step <= g->high; i++) tick(h, g, i * step, i * step);
}

status piece_bar(page *h, const report_input *in, const gallery_scale *g, const sample *m)
{
    page_raw(h, "<div class=\"bar\"><img alt=\"colour scale\" ");
    status s = data_uri(h, in, picture_name(PICTURE_BAR), "png", "image/png");
    page_raw(h, "><div class=\"ticks\">");
    if (g->linear)
        linear_ticks(h, g);
    else
        logarithmic_ticks(h, g);
    page_raw(h, "</div><p>");
    page_escape(h, g->linear     ? m->units
                   : m->mean > 0 ? "density in units of the mean, logarithmic"
                                 : "particles per pixel, logarithmic");
    page_raw(h, "</p></div>\n");
    return s;
}

void piece_number(page *h, double v)
{
    if (isfinite(v))
        page_format(h, "%.*f", fabs(v) < 10 ? 3 : 1, v);
    else
        page_raw(h, "–");
}

void piece_value(page *h, double v, double error)
{
    piece_number(h, v);
    if (isfinite(v) && isfinite(error))
        page_format(h, "&nbsp;±&nbsp;%.*f", error < .001 ? 4 : fabs(v) < 10 ? 3 : 1, error);
}

void piece_list(page *h, const char *const words[], int count)
{
    for (int i = 0; i < count; i++) page_format(h, "%s%s", i ? (i == count - 1 ? " and " : ", ") : "", words[i]);
}

void piece_trouble(page *h, const report_input *in)
{
    if (!in->p->trouble[0]) return;
    page_raw(h, "<p class=\"missing\"><strong>Curves are missing.</strong> ");
    page_escape(h, in->p->trouble);
    page_raw(h, "</p>\n");
}

void piece_count(double n, char text[32])
{
    char digits[24];
    if (!isfinite(n) || fabs(n) > 1e15) {
        snprintf(text, 32, "?");
        return;
    }
    snprintf(digits, sizeof digits, "%.0f", fabs(n));
    size_t length = strlen(digits), k = 0;
    if (n < 0) text[k++] = '-';
    for (size_t i = 0; i < length; i++) {
        if (i && length > 4 && (length - i) % 3 == 0) text[k++] = ',';
        text[k++] = digits[i];
    }
    text[k] = 0;
}

/* Stages are a list of objects with a name, or an object of objects (or of seconds) by name. */
bool piece_stage(const run *r, int i, const char **name, double *seconds, const char **state)
{
    json_t *stages = json_object_get(r->pipeline, "stages");
    const json_t *stage = json_array_get(stages, (size_t)i);
    *name = json_string_value(json_object_get(stage, "name"));
    if (json_is_object(stages)) {
        void *at = json_object_iter(stages);
        for (int k = 0; at && k < i; k++) at = json_object_iter_next(stages, at);
        if (!at) return false;
        stage = json_object_iter_value(at);
        *name = json_object_iter_key(at);
    }
    if (!stage) return false;
    if (!*name) *name = json_string_value(json_object_get(stage, "stage"));
    if (!*name) *name = "?";
    *seconds = json_is_number(stage) ? json_number_value(stage) : run_number(stage, "seconds");
    *state = json_string_value(json_object_get(stage, "state"));
    return true;
}

double piece_total_seconds(const run *r)
{
    const char *name, *state;
    double total = 0, seconds;
    bool any = false;
    for (int i = 0; piece_stage(r, i, &name, &seconds, &state); i++)
        if (isfinite(seconds)) {
            total += seconds;
            any = true;
        }
    return any ? total : NAN;
}
