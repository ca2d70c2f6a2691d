/* The hashes of each family's outputs on the self-test's fixed inputs, as every conforming device gives them. They
 * change only with the kernels or the inputs: `cosmocl selftest --json` shows the new ones (made with PoCL; they do not
 * depend on the vector width, which tests/ops/ops_selftest.c shows). */
#include "ops/selftest_checks.h"

#include <string.h>

static const struct {
    const char *family, *hash;
} known[] = {
    {"explicit", ""},
};

const char *selftest_known(const char *family)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(known[i].family, family)) return known[i].hash;
    return NULL;
}
