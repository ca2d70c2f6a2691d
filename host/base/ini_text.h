/* INI text section by section and value by value. inih does the syntax; it hands over no line numbers, so the reader
 * that feeds it counts them, and refuses what inih would pass over: lines longer than its buffer, sections that are
 * empty or longer than its names. */
#ifndef BASE_INI_TEXT_H
#define BASE_INI_TEXT_H

#include "base/context.h"

enum { INI_SECTION = 96 }; /* bytes of a section's name */

typedef struct {
    /* A section begins; NULL: nothing to do. */
    status (*section)(void *user, const char *name, int line);
    /* section "" before the first one. */
    status (*value)(void *user, const char *section, const char *name, const char *text, int line);
    void *user;
    status wrong; /* of text that is no INI: STATUS_USAGE or STATUS_DATA */
} ini_handlers;

/* The first failure ends it; its message is the callback's own, or names origin and line. */
status ini_text_read(context *c, const char *text, const char *origin, const ini_handlers *r);

#endif
