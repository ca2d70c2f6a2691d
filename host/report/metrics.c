#include "report/metrics.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include "base/files.h"
#include "base/memory.h"

static const char *const names[METRIC_COLUMNS] = {
    "step",      "epoch",   "loss_d", "loss_g",         "accuracy_real", "accuracy_generated",
    "samples_s", "seconds", "loss",   "validation_loss"};

void metrics_delete(metrics *m)
{
    if (!m) return;
    memory_delete(&m->rows);
    memset(m, 0, sizeof *m);
}

/* false: not a JSON object with a number `step`. */
static bool parse_line(const char *line, size_t size, double row[METRIC_COLUMNS])
{
    json_t *object = json_loadb(line, size, 0, NULL);
    for (int i = 0; i < METRIC_COLUMNS; i++) {
        json_t *value = json_object_get(object, names[i]);
        row[i] = json_is_number(value) ? json_number_value(value) : NAN;
    }
    json_decref(object);
    return isfinite(row[METRIC_STEP]);
}

static bool is_blank(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r') return false;
    return true;
}

/* Whether no column but step and epoch is in both. */
static bool says_more(const double old[METRIC_COLUMNS], const double row[METRIC_COLUMNS])
{
    for (int i = METRIC_EPOCH + 1; i < METRIC_COLUMNS; i++)
        if (isfinite(old[i]) && isfinite(row[i])) return false;
    return true;
}

/* Appends a row, or adds it to the last one of the same step. Other rows of steps not below its own were made by a run
 * that was resumed from before them. */
static void add_row(metrics *m, const double row[METRIC_COLUMNS])
{
    double *last = m->count ? m->rows[m->count - 1] : NULL;
    if (last && last[METRIC_STEP] == row[METRIC_STEP] && says_more(last, row)) {
        for (int i = 0; i < METRIC_COLUMNS; i++)
            if (isfinite(row[i])) last[i] = row[i];
        return;
    }
    while (m->count && m->rows[m->count - 1][METRIC_STEP] >= row[METRIC_STEP]) m->count--;
    memcpy(m->rows[m->count++], row, sizeof *m->rows);
}

status metrics_read(context *c, const char *path, metrics *m)
{
    char *text = NULL;
    size_t size = 0, lines = 1;
    memset(m, 0, sizeof *m);
    status s = files_read(c, path, &text, &size);
    if (s) return s;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    s = memory_new(c, "metrics", lines, sizeof *m->rows, &m->rows);
    for (size_t begin = 0, end; !s && begin < size; begin = end + 1) {
        const char *newline = memchr(text + begin, '\n', size - begin);
        end = newline ? (size_t)(newline - text) : size;
        double row[METRIC_COLUMNS];
        if (is_blank(text + begin, end - begin)) continue;
        if (parse_line(text + begin, end - begin, row))
            add_row(m, row);
        else
            m->skipped++;
    }
    if (!s && !m->count) s = context_fail(c, STATUS_DATA, "%s: has no line with a step", path);
    memory_delete(&text);
    if (s) metrics_delete(m);
    return s;
}

int metrics_least(const metrics *m, int column)
{
    int least = -1;
    for (int i = 0; i < m->count; i++) {
        const double v = m->rows[i][column];
        if (isfinite(v) && (least < 0 || v < m->rows[least][column])) least = i;
    }
    return least;
}

void metrics_bin(const metrics *m, int column, int bins, double *steps, double *mean, double *least, double *greatest)
{
    for (int b = 0; b < bins; b++) {
        int first = (int)((long)m->count * b / bins), last = (int)((long)m->count * (b + 1) / bins), n = 0;
        double sum = 0, step = 0;
        least[b] = greatest[b] = NAN;
        for (int i = first; i < last; i++) {
            double v = m->rows[i][column];
            step += m->rows[i][METRIC_STEP];
            if (!isfinite(v)) continue;
            sum += v;
            n++;
            least[b] = fmin(least[b], v);
            greatest[b] = fmax(greatest[b], v);
        }
        mean[b] = n ? sum / n : NAN;
        steps[b] = last > first ? step / (last - first) : NAN;
    }
}
