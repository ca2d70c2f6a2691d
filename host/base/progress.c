#include "base/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

/* A sink that wants less drops lines; more often than this no sink wants them. */
#define PROGRESS_INTERVAL_S 0.1

void progress_begin(progress *p, context *c, const char *what, const char *unit, int64_t first, int64_t total)
{
    double now = clock_seconds();
    *p = (progress){.c = c, .what = what, .unit = unit, .done = first, .total = total, .first = first, .start_s = now};
    p->last_s = now - PROGRESS_INTERVAL_S;
}

/* "what: 12/100 unit (12 %), 3.4 unit/s, 26 s left" */
static int state_text(const progress *p, double elapsed, char *text, size_t size)
{
    int n = p->total > 0 ? snprintf(text, size, "%s: %" PRId64 "/%" PRId64 " %s (%.0f %%)", p->what, p->done, p->total,
                                    p->unit, 100. * (double)p->done / (double)p->total)
                         : snprintf(text, size, "%s: %" PRId64 " %s", p->what, p->done, p->unit);
    double rate = elapsed > 0 ? (double)(p->done - p->first) / elapsed : 0;
    if (rate <= 0 || n < 0 || (size_t)n >= size) return n;
    n += snprintf(text + n, size - (size_t)n, ", %.3g %s/s", rate, p->unit);
    if (p->total <= p->done || (size_t)n >= size) return n;
    char left[32];
    clock_format((double)(p->total - p->done) / rate, left, sizeof left);
    return n + snprintf(text + n, size - (size_t)n, ", %s left", left);
}

void progress_update(progress *p, int64_t done, const char *format, ...)
{
    double now = clock_seconds();
    p->done = done;
    if (now - p->last_s < PROGRESS_INTERVAL_S) return;
    p->last_s = now;
    char text[512];
    int n = state_text(p, now - p->start_s, text, sizeof text);
    if (format && format[0] && n >= 0 && (size_t)n < sizeof text - 3) {
        text[n++] = ',';
        text[n++] = ' ';
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text + n, sizeof text - (size_t)n, format, arguments);
        va_end(arguments);
    }
    context_progress(p->c, text, false);
}

void progress_end(progress *p)
{
    char text[512], took[32];
    double elapsed = clock_seconds() - p->start_s;
    int64_t made = p->done - p->first;
    clock_format(elapsed, took, sizeof took);
    int n = snprintf(text, sizeof text, "%s: %" PRId64 " %s in %s", p->what, made, p->unit, took);
    if (elapsed > 0 && made > 0 && n >= 0 && (size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, " (%.3g %s/s)", (double)made / elapsed, p->unit);
    context_progress(p->c, text, true);
}
