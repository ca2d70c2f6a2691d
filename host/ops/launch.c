#include "ops/launch.h"

#include <stdio.h>
#include <string.h>

enum { VECTOR_CPU = 16, VECTOR_OTHER = 4, GROUP_OTHER = 64, BLOCK_CPU = 4 };

static int forced_vector;
static size_t forced_group;

void launch_shape_set(int vector, size_t group)
{
    forced_vector = vector;
    forced_group = group;
}

int launch_vector(const device *d)
{
    if (forced_vector) return forced_vector;
    return device_info(d)->is_cpu ? VECTOR_CPU : VECTOR_OTHER;
}

int launch_batch(const device *d, int on_cpu)
{
    return device_info(d)->is_cpu ? on_cpu : 1;
}

size_t launch_items(const device *d, size_t count, int batch)
{
    const size_t each = (size_t)launch_vector(d) * (size_t)batch;
    return (count + each - 1) / each;
}

int launch_block(const device *d, int channels)
{
    const int vectors = channels / launch_vector(d);
    int block = launch_batch(d, BLOCK_CPU);
    while (vectors % block) block--;
    return block;
}

status launch_run(context *c, device *d, const char *file, const char *entry, const char *options, int vector,
                  size_t items, int count, const kernel_argument *arguments)
{
    char all[512];
    kernel *k = NULL;
    const int length =
        snprintf(all, sizeof all, "-DVW=%d%s%s", vector ? vector : launch_vector(d), options[0] ? " " : "", options);
    if (length < 0 || (size_t)length >= sizeof all)
        return context_fail(c, STATUS_FAILURE, "kernel %s/%s: options are too long", file, entry);
    status s = kernel_get(c, d, file, entry, all, &k);
    if (s || !items) return s;
    size_t group = forced_group ? forced_group : device_info(d)->is_cpu ? 1 : GROUP_OTHER;
    if (group > kernel_max_work_group(k)) group = kernel_max_work_group(k);
    const size_t global = (items + group - 1) / group * group;
    return kernel_run(c, k, 1, &global, &group, count, arguments);
}

status launch_check(context *c, const char *what, const char *name, const buffer *b, size_t floats)
{
    if (!b) return context_fail(c, STATUS_USAGE, "%s: no buffer for %s", what, name);
    if (buffer_bytes(b) / sizeof(float) >= floats) return STATUS_OK;
    return context_fail(c, STATUS_USAGE, "%s: %s (%s) holds %zu floats, needs %zu", what, name, buffer_label(b),
                        buffer_bytes(b) / sizeof(float), floats);
}

status launch_check_batching(context *c, const char *what, const batching *b)
{
    if (b->n >= 1 && b->segment >= 1 && b->micro >= 1 && b->n % b->segment == 0) return STATUS_OK;
    return context_fail(c, STATUS_USAGE, "%s: %d samples in segments of %d and micro-batches of %d do not go", what,
                        b->n, b->segment, b->micro);
}
