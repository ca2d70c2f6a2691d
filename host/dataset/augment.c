#include "dataset/augment.h"

#include "base/memory.h"
#include "ops/crop.h"

/* One sub-image of one parent: position and symmetry as ops/crop.h numbers them. */
static void cut(const float *parent, int ny, int nx, int crop, int position, int symmetry, float *out)
{
    const int oy[3] = {0, (ny - crop) / 2, ny - crop}, ox[3] = {0, (nx - crop) / 2, nx - crop};
    const float *corner = parent + (size_t)oy[position / 3] * nx + ox[position % 3];
    for (int y = 0; y < crop; y++) {
        for (int x = 0; x < crop; x++) {
            int fx = symmetry & 1 ? crop - 1 - x : x, fy = symmetry & 2 ? crop - 1 - y : y;
            out[y * crop + x] = symmetry & 4 ? corner[(size_t)fx * nx + fy] : corner[(size_t)fy * nx + fx];
        }
    }
}

status dataset_augmented_images(context *c, const maps *m, const dataset_split *s, float **images, int64_t *count,
                                int *side)
{
    size_t pixels = (size_t)s->crop * s->crop;
    *side = s->crop;
    *count = s->count[DATASET_TRAIN] * dataset_variants_count(&s->variants);
    status e = memory_new(c, "training sub-images", (size_t)*count * pixels, sizeof(float), images);
    for (int64_t i = 0; i < *count && !e; i++) {
        const uint32_t index = dataset_variant_index(&s->variants, (uint32_t)i);
        const float *parent = m->values + (size_t)s->parents[DATASET_TRAIN][index / CROP_PER_PARENT] * m->ny * m->nx;
        int sub = (int)(index % CROP_PER_PARENT);
        cut(parent, m->ny, m->nx, s->crop, sub / CROP_SYMMETRIES, sub % CROP_SYMMETRIES, *images + (size_t)i * pixels);
    }
    return e;
}
