#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void clock_utc(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    if (!strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &utc) && size) text[0] = 0;
}

void clock_format(double seconds, char *text, size_t size)
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e9) {
        snprintf(text, size, "?");
    } else if (seconds < 59.95) {
        snprintf(text, size, "%.1f s", seconds);
    } else if (seconds < 3599.5) {
        long s = lround(seconds);
        snprintf(text, size, "%ld min %02ld s", s / 60, s % 60);
    } else {
        long minutes = lround(seconds / 60);
        snprintf(text, size, "%ld h %02ld min", minutes / 60, minutes % 60);
    }
}
