#include "base/inject.h"

#include <stdlib.h>
#include <string.h>

/* The first caller reads the environment; others wait for it a moment. */
static void ask(injection *i)
{
    int expected = 0;
    if (atomic_load(&i->asked) == 2) return;
    if (!atomic_compare_exchange_strong(&i->asked, &expected, 1)) {
        while (atomic_load(&i->asked) != 2)
            ;
        return;
    }
    const char *text = getenv(i->variable);
    char *end = NULL;
    const long n = text ? strtol(text, &end, 10) : 0;
    i->stay = n > 0 && *end == '+';
    const char *colon = n > 0 ? strchr(end, ':') : NULL;
    i->error = colon ? colon + 1 : "";
    atomic_store(&i->left, n > 0 ? n : 0);
    atomic_store(&i->asked, 2);
}

bool injection_due(injection *i)
{
    ask(i);
    long left = atomic_load(&i->left);
    while (left > 0)
        if (atomic_compare_exchange_weak(&i->left, &left, left == 1 && i->stay ? -1 : left - 1)) return left == 1;
    return left < 0;
}

void injection_set(injection *i, long n, bool stay, const char *error)
{
    ask(i);
    i->stay = stay;
    i->error = error ? error : "";
    atomic_store(&i->left, n > 0 ? n : 0);
}

long injection_left(injection *i)
{
    ask(i);
    const long left = atomic_load(&i->left);
    return left > 0 ? left : 0;
}
