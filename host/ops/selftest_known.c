/* The hashes of each family's outputs on the self-test's fixed inputs, as every conforming device gives them. They
 * change only with the kernels or the inputs: `cosmocl selftest --json` shows the new ones (made with PoCL; they do not
 * depend on the vector width, which tests/ops/ops_selftest.c shows). */
#include "ops/selftest_checks.h"

#include <string.h>

static const struct {
    const char *family, *hash;
} known[] = {
    {"explicit", "f24649252e4f4bc3a2355cf5f76203fe69e4639af6ffa8f6a145101f3f345cd0"},
    {"activation", "0d6af4414f5dc55f039fcc8042a50aa0fe2f8f47af1864d83305b262927593af"},
    {"norm", "7147dc47c1ba7b9ac63cfe1b208ee4494104ca06daa1b8ed3e0e0bbd4d7dd2ad"},
    {"loss", "3c2d9feea0e03441d7a0ec6e30f9e3aa634f5608e595927e748db12b8e44256c"},
    {"adam", "729de55a48a440edd127c520adb9a729ce6aa518370a3422e2034a38772e5f31"},
    {"random", "d5dd1c6932a07815522c74a33dfd9a44aa903ca2e607ffbe6a69cd124eae919f"},
    {"crop", "63d673e861e73ff78363e960921209ce31f9e3a7183185f1a36456f27480b67d"},
    {"transform", "c087003d2173c0393abe0300e394c15896582f70470aa76f0e12f1e9b23be501"},
    {"conv", "1f72cdaed56cd5da0d89712bca50fc5d7831ab384ff73d3492aefec3005c21cc"},
    {"dense", "175ea743e6b620db5e13441e8619f7554e4c85501d3cca128656e992f5598a74"},
    {"gemm", "68e85202e6a3513a7aedeea93a2429f09276ab64edc7d91463b51cb5c5615e2d"},
    {"overlap", "31557d0e5f28a2cc915a2edec1cba0d1f430d89c4b237e45f46f2087ac33cfeb"},
    {"distance", "aa2b4792c7776a880cf05c2e3ad3db8e2a113ac28dbeca6136cff04cefdf4260"},
    {"fingerprint", "dbad93066a1555c9dac5076eba8d9f8a8fef06bf2a18ad048f1abfbd176f5dc7"},
};

const char *selftest_known(const char *family)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(known[i].family, family)) return known[i].hash;
    return NULL;
}
