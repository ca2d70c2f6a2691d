/* Files embedded in the program at build time: "kernels/conv.cl", "data/presets/quick2d.ini", "data/quirks/quirks.ini".
 */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

typedef struct {
    const char *name;
    const char *data; /* NUL-terminated */
    size_t size;      /* without the NUL */
} embedded_file;

extern const embedded_file embedded_files[]; /* in name order, ended by a NULL name */
extern const int embedded_count;

/* NULL when there is none. */
const embedded_file *embedded_find(const char *name);

#endif
