/* A growing text: the HTML page, and the data and script files of the figures.
 *
 * Appending calls return nothing: the first failure (out of memory) sticks, later calls do nothing, and page_finish
 * returns it. This keeps code that is all text readable. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stddef.h>
#include "base/context.h"

typedef struct {
    context *c; /* borrowed */
    char *text; /* owned, NUL-terminated once something was appended */
    size_t size, room;
    status failed;
} page;

void page_begin(page *p, context *c);
void page_delete(page *p); /* NULL-safe */
/* As it stands: only for text of our own. */
void page_raw(page *p, const char *text);
/* printf of our own text and numbers. Strings from outside go through page_escape. */
void page_format(page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from outside (file names, configuration, attributes) into HTML text or a quoted attribute: & < > " ' become
 * entities, control characters and bytes that are not UTF-8 become U+FFFD. NULL is "". */
void page_escape(page *p, const char *text);
void page_base64(page *p, const void *data, size_t size);
/* The first failure. */
status page_finish(const page *p);
/* Writes the text to path (files_replace) if nothing failed, and empties the page. */
status page_save(page *p, const char *path);

#endif
