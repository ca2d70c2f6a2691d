/* How it was made: time per stage, provenance, configuration, and how to make it again. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "report/sections.h"

static void write_stages(page *h, const report_input *in)
{
    const char *name, *state;
    double seconds, longest = 0;
    if (!run_has(in->r, RUN_PIPELINE)) {
        piece_missing(h, in, RUN_PIPELINE);
        return;
    }
    for (int i = 0; piece_stage(in->r, i, &name, &seconds, &state); i++)
        longest = fmax(longest, isfinite(seconds) ? seconds : 0);
    page_raw(h, "<div class=\"wide\"><table>\n<thead><tr><th>stage</th><th class=\"n\">time</th><th "
                "style=\"width:55%\"></th></tr></thead>\n<tbody>\n");
    for (int i = 0; piece_stage(in->r, i, &name, &seconds, &state); i++) {
        char text[32];
        if (!strcmp(name, "report")) continue; /* this page: it cannot know its own time */
        if (state && !strcmp(state, "done")) state = NULL;
        page_raw(h, "<tr><td>");
        page_escape(h, name);
        if (state) page_raw(h, "<small>");
        page_escape(h, state);
        if (state) page_raw(h, "</small>");
        clock_format(seconds, text, sizeof text);
        page_format(
            h, "</td><td class=\"n\">%s</td><td><span class=\"time\" style=\"width:%.1f%%\"></span></td></tr>\n",
            isfinite(seconds) ? text : "–", isfinite(seconds) && longest > 0 ? 100 * fmax(seconds, 0) / longest : 0);
    }
    page_raw(h, "</tbody></table></div>\n");
}

static void row(page *h, const char *term, const char *text)
{
    if (!text || !*text) return;
    page_raw(h, "<dt>");
    page_escape(h, term);
    page_raw(h, "</dt><dd>");
    page_escape(h, text);
    page_raw(h, "</dd>\n");
}

/* Texts and numbers of a JSON object as rows, its inner objects one level down; lists are left to the table of stages.
 */
static void json_rows(page *h, const json_t *object, int depth)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        char text[64];
        if (!strcmp(name, "stages") || !strcmp(name, "configuration")) continue;
        if (json_is_string(value)) row(h, name, json_string_value(value));
        if (json_is_object(value) && depth) json_rows(h, value, depth - 1);
        if (!json_is_number(value)) continue;
        snprintf(text, sizeof text, "%.10g", json_number_value(value));
        row(h, name, text);
    }
}

static void write_provenance(page *h, const report_input *in)
{
    static const char *const terms[MADE_COUNT] = {"version", "commit", "date", "device", "self-test", "command"};
    page_raw(h, "<dl>\n<dt>run folder</dt><dd><code>");
    page_escape(h, in->r->folder);
    page_raw(h, "</code></dd>\n");
    json_rows(h, in->r->pipeline, 1);
    for (int i = 0; i < MADE_COUNT; i++) {
        bool known = i != MADE_COMMAND && json_object_get(in->r->pipeline, terms[i]);
        if (!known) row(h, terms[i], in->r->made[i]);
    }
    page_raw(h, "</dl>\n");
}

/* The greatest length of at most `most` bytes that does not cut a UTF-8 sequence. */
static size_t utf8_cut(const char *text, size_t most)
{
    size_t n = most;
    while (n > most - 3 && ((unsigned char)text[n] & 0xC0) == 0x80) n--;
    return n;
}

/* A word for a POSIX shell, in single quotes unless it is harmless: ' itself ends the quotes, stands escaped and opens
 * them again. */
static void shell_word(page *h, const char *text)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:,@%";
    if (*text && !text[strspn(text, harmless)]) {
        page_escape(h, text);
        return;
    }
    page_escape(h, "'");
    while (*text) {
        char piece[256];
        size_t n = strcspn(text, "'");
        if (n > sizeof piece - 1) n = utf8_cut(text, sizeof piece - 1);
        snprintf(piece, sizeof piece, "%.*s", (int)n, text);
        page_escape(h, n ? piece : "'\\''");
        text += n ? n : 1;
    }
    page_escape(h, "'");
}

static void write_commands(page *h, const report_input *in)
{
    const char *preset = json_string_value(json_object_get(in->r->pipeline, "preset"));
    char path[FILES_PATH + 16];
    snprintf(path, sizeof path, "%s/config.ini", in->r->folder);
    page_raw(h, "<h3>Again, from nothing</h3>\n<pre><code>");
    if (preset) {
        page_raw(h, "cosmocl pipeline ");
        shell_word(h, preset);
        page_raw(h, " -o again\n");
    }
    if (preset && run_has(in->r, RUN_CONFIG)) {
        page_raw(h, "\n# the same with every key pinned, whatever the preset becomes\ncosmocl pipeline ");
        shell_word(h, preset);
        page_raw(h, " --config ");
        shell_word(h, path);
        page_raw(h, " -o again\n");
    }
    page_format(h, "%s# this page alone\ncosmocl report ", preset ? "\n" : "");
    shell_word(h, in->r->folder);
    page_raw(h, "\n</code></pre>\n<p>The figures lie in <code>figures/</code> as SVG and PNG beside their data and "
                "scripts: change "
                "<code>style.gp</code> and run <code>gnuplot make.gp</code> there to restyle them.</p>\n");
}

void section_making(page *h, const report_input *in)
{
    page_raw(h, "<section id=\"making\">\n<h2>How it was made</h2>\n");
    write_stages(h, in);
    write_provenance(h, in);
    write_commands(h, in);
    if (run_has(in->r, RUN_CONFIG)) {
        page_raw(h, "<details><summary>The effective configuration</summary>\n<pre><code>");
        page_escape(h, in->r->configuration);
        page_raw(h, "</code></pre></details>\n");
    } else {
        piece_missing(h, in, RUN_CONFIG);
    }
    page_raw(h, "</section>\n");
}
