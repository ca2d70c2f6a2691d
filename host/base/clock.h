#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include <stddef.h>
/* Monotonic seconds; differences only. */
double clock_seconds(void);
/* Wall time as 2026-01-31T12:00:00Z. */
void clock_utc(char *text, size_t size);
/* "1 h 02 min", "3 min 20 s", "4.2 s". */
void clock_format(double seconds, char *text, size_t size);
#endif
