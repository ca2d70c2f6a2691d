/* Any bytes as a checkpoint, and as a state with Adam's moments: refused with a reason, or networks of finite numbers.
 */
#include "fuzz.h"
#include "fuzz_hdf5.h"

#include <string.h>
#include "nets/checkpoint.h"

static device *d;
static network *generator, *discriminator;
/* That of the seeds (seeds.py). */
static const network_shape shape = {
    .image = 8, .latent = 4, .count = 2, .filters = {4, 8}, .kernel = 5, .groups = 8, .leak = 0.2f, .norm = NORM_BATCH};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    context *c = fuzz_context();
    const batching b = {.n = 2, .segment = 2, .micro = 2};
    if (device_open(c, &(device_options){0}, &d) ||
        network_new(c, d, NETWORK_GENERATOR, &shape, &b, true, &generator) ||
        network_new(c, d, NETWORK_DISCRIMINATOR, &shape, &b, true, &discriminator)) {
        fprintf(stderr, "%s\n", context_message(c));
        abort();
    }
    context_delete(&c);
    return 0;
}

static bool same_shape(const network_shape *a)
{
    return a->image == shape.image && a->latent == shape.latent && a->count == shape.count &&
           a->kernel == shape.kernel && a->norm == shape.norm &&
           memcmp(a->filters, shape.filters, sizeof(int) * (size_t)a->count) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    context *c = fuzz_context();
    const int fd = fuzz_file(data, size, path);
    const checkpoint_networks n = {.generator = generator, .discriminator = discriminator};
    checkpoint k;
    status s = checkpoint_describe(c, path, &k);
    fuzz_said(c, s);
    if (!s && same_shape(&k.shape)) {
        for (int moments = 0; moments < 2; moments++) {
            s = checkpoint_read(c, path, &k, &n, moments);
            fuzz_said(c, s);
        }
        if (device_finish(c, d)) abort();
    }
    close(fd);
    fuzz_hdf5_check();
    context_delete(&c);
    return 0;
}
