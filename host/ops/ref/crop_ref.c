#include "ops/ref/crop_ref.h"

#include <string.h>
#include "base/memory.h"

status crop_ref_symmetry(context *c, int symmetry, int side, const float *in, float *out)
{
    const size_t count = (size_t)side * (size_t)side;
    float *now = NULL;
    status s = memory_new(c, "image", count, sizeof *now, &now);
    if (s) return s;
    memcpy(now, in, count * sizeof *now);
#define TURN(wanted, y_of, x_of)                                                                                       \
    if (symmetry & (wanted)) {                                                                                         \
        for (int y = 0; y < side; y++)                                                                                 \
            for (int x = 0; x < side; x++) out[y * side + x] = now[(y_of)*side + (x_of)];                              \
        memcpy(now, out, count * sizeof *now);                                                                         \
    }
    TURN(4, x, y)
    TURN(1, y, side - 1 - x)
    TURN(2, side - 1 - y, x)
#undef TURN
    memcpy(out, now, count * sizeof *now);
    memory_delete(&now);
    return STATUS_OK;
}

status crop_ref_image(context *c, const crop_shape *s, const float *parents, uint32_t index, float *out)
{
    const int offsets_y[3] = {0, (s->ny - s->crop) / 2, s->ny - s->crop};
    const int offsets_x[3] = {0, (s->nx - s->crop) / 2, s->nx - s->crop};
    if (index >= (uint32_t)s->parents * CROP_PER_PARENT) index %= CROP_PER_PARENT;
    const int symmetry = (int)(index % CROP_SYMMETRIES), position = (int)(index / CROP_SYMMETRIES % CROP_POSITIONS);
    const float *p = parents + (size_t)(index / CROP_PER_PARENT) * (size_t)s->ny * (size_t)s->nx;
    float *cut = NULL;
    status r = memory_new(c, "crop", (size_t)s->crop * (size_t)s->crop, sizeof *cut, &cut);
    if (r) return r;
    for (int y = 0; y < s->crop; y++)
        for (int x = 0; x < s->crop; x++)
            cut[y * s->crop + x] =
                p[(size_t)(y + offsets_y[position / 3]) * (size_t)s->nx + (size_t)(x + offsets_x[position % 3])];
    r = crop_ref_symmetry(c, symmetry, s->crop, cut, out);
    memory_delete(&cut);
    return r;
}
