/* Any text as a configuration file: refused with a reason, or read; what was read is written and read again the same.
 */
#include "fuzz.h"

#include <string.h>
#include "base/config.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    context *c = fuzz_context();
    config *cfg = NULL, *again = NULL;
    char *text = NULL, *first = NULL, *second = NULL;
    status s = memory_new(c, "text", size + 1, 1, &text);
    if (!s && size) memcpy(text, data, size);
    if (!s) s = config_new(c, &cfg);
    if (!s) s = config_read(c, cfg, text, "fuzz.ini");
    fuzz_said(c, s);
    if (!s) {
        if (config_write(c, cfg, &first) || config_new(c, &again) || config_read(c, again, first, "written.ini") ||
            config_write(c, again, &second) || strcmp(first, second))
            abort();
    }
    memory_delete(&text);
    memory_delete(&first);
    memory_delete(&second);
    config_delete(&cfg);
    config_delete(&again);
    context_delete(&c);
    return 0;
}
