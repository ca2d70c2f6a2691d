/* Messages live in a buffer that grows; when memory is out, in the fixed one inside the context, cut short: an error
 * about memory must never need memory. This file and memory.c are the only ones that call the allocator themselves. */
#include "base/context.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_FIXED = 512 };

struct context {
    context_sinks sinks;
    char *grown;               /* NULL while the message is in `fixed` */
    char fixed[MESSAGE_FIXED]; /* the message if it could not be allocated, or "" */
    atomic_bool *stop;         /* own_stop, or that of the oldest ancestor */
    atomic_bool own_stop;
};

context *context_new(const context_sinks *sinks)
{
    context *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    if (sinks) c->sinks = *sinks;
    atomic_init(&c->own_stop, false);
    c->stop = &c->own_stop;
    return c;
}

context *context_child(context *parent)
{
    context *c = context_new(&parent->sinks);
    if (c) c->stop = parent->stop;
    return c;
}

void context_delete(context **c)
{
    if (!c || !*c) return;
    free((*c)->grown);
    free(*c);
    *c = NULL;
}

/* The new message may quote the old one, which therefore lives until the new one is made. `tail` comes behind it. */
static void message_set(context *c, const char *tail, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int head = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (head < 0) head = 0;
    size_t size = (size_t)head + (tail ? 2 + strlen(tail) : 0) + 1;
    char *text = malloc(size);
    if (text) {
        vsnprintf(text, (size_t)head + 1, format, arguments);
        if (tail) {
            memcpy(text + head, ": ", 2);
            strcpy(text + head + 2, tail);
        }
        free(c->grown);
        c->grown = text;
        c->fixed[0] = 0;
        return;
    }
    char cut[MESSAGE_FIXED];
    int n = vsnprintf(cut, sizeof cut, format, arguments);
    if (tail && n >= 0 && n < MESSAGE_FIXED - 1) snprintf(cut + n, sizeof cut - (size_t)n, ": %s", tail);
    memcpy(c->fixed, cut, sizeof cut);
    free(c->grown);
    c->grown = NULL;
}

status context_fail(context *c, status s, const char *format, ...)
{
    if (!c) return s;
    va_list arguments;
    va_start(arguments, format);
    message_set(c, NULL, format, arguments);
    va_end(arguments);
    return s;
}

status context_prefix(context *c, status s, const char *format, ...)
{
    if (!c || s == STATUS_OK) return s;
    va_list arguments;
    va_start(arguments, format);
    message_set(c, context_message(c), format, arguments);
    va_end(arguments);
    return s;
}

const char *context_message(const context *c)
{
    if (!c) return "";
    return c->grown ? c->grown : c->fixed;
}

status context_take(context *c, const context *child, status s)
{
    if (!child || s == STATUS_OK) return s;
    return context_fail(c, s, "%s", context_message(child));
}

void context_log(context *c, log_level level, const char *format, ...)
{
    if (!c || !c->sinks.line || level > c->sinks.level) return;
    char shortened[1024];
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int n = vsnprintf(shortened, sizeof shortened, format, arguments);
    char *text = n >= (int)sizeof shortened ? malloc((size_t)n + 1) : NULL;
    if (text) vsnprintf(text, (size_t)n + 1, format, again);
    c->sinks.line(c->sinks.user, level, text ? text : shortened);
    free(text);
    va_end(again);
    va_end(arguments);
}

void context_progress(context *c, const char *text, bool last)
{
    if (c && c->sinks.progress) c->sinks.progress(c->sinks.user, text, last);
}

void context_request_stop(context *c)
{
    atomic_store(c->stop, true);
}

bool context_stop_requested(const context *c)
{
    return c && atomic_load(c->stop);
}
