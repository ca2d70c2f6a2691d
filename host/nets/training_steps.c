/* A step of a training run, and what the host reads of it. */
#include "base/memory.h"
#include "nets/parameters.h"
#include "nets/training_internal.h"
#include <stdio.h>

status training_prepare(training *t)
{
    const trainer *of = t->of;
    device *d = of->networks.generator->device;
    const uint32_t sub_images = t->data->sub_images;
    const size_t rows = (size_t)of->rows;
    t->per_epoch = sub_images / of->batch;
    if (!t->per_epoch)
        return context_fail(t->c, STATUS_USAGE,
                            "%u training sub-images are fewer than one batch of %d; use more maps or a smaller %s",
                            sub_images, of->batch, of->batch_key);
    t->total = t->run->steps ? t->run->steps : t->run->epochs * t->per_epoch;
    t->save_every = t->run->save_every ? t->run->save_every : t->per_epoch;
    t->in_flight = 1;
    t->state.shape = of->networks.generator->shape;
    t->state.trained_on = *t->run->trained_on;
    status s = memory_new(t->c, "order of the sub-images", sub_images, sizeof *t->order, &t->order);
    if (!s) s = memory_new(t->c, "metrics", rows * of->stride, sizeof *t->rows, &t->rows);
    if (!s) s = memory_new(t->c, "fingerprints", rows, sizeof *t->hashes, &t->hashes);
    if (!s) s = buffer_new(t->c, d, "order of the sub-images", sub_images * sizeof *t->order, &t->indices);
    if (!s) s = buffer_new(t->c, d, "fingerprints", rows * sizeof *t->hashes, &t->prints);
    return s ? s : buffer_zero(t->c, t->prints);
}

void training_release(training *t)
{
    buffer_delete(&t->indices);
    buffer_delete(&t->prints);
    memory_delete(&t->order);
    memory_delete(&t->rows);
    memory_delete(&t->hashes);
}

status training_enter_epoch(training *t)
{
    uint32_t epoch = (uint32_t)(*t->of->step / t->per_epoch);
    if (!t->of->images) return STATUS_OK;
    status s = t->data->order(t->data->user, t->c, epoch, t->order);
    return s ? s : buffer_write(t->c, t->indices, 0, t->order, t->data->sub_images * sizeof *t->order);
}

static status fingerprint(training *t, int row)
{
    const checkpoint_networks *n = &t->of->networks;
    network *all[] = {n->generator, n->discriminator, n->encoder};
    status s = STATUS_OK;
    for (int i = 0; i < 3 && !s; i++)
        if (all[i] && all[i]->m) s = parameters_fingerprint(t->c, all[i], t->prints, row);
    return s;
}

void training_set_rates(const training *t, int64_t step)
{
    const trainer *of = t->of;
    if (!t->decays || of->decay <= 0) return;
    const double left = (double)(t->total - step) / (of->decay * (double)t->total);
    for (int i = 0; i < TRAINING_RATES && of->rates[i].name; i++)
        *of->rates[i].value = of->rates[i].full * (left < 1 ? left : 1);
}

status training_step(training *t)
{
    const trainer *of = t->of;
    const int64_t step = *of->step, within = step % t->per_epoch;
    training_set_rates(t, step);
    status s = within ? STATUS_OK : training_enter_epoch(t);
    if (!s && of->images)
        s = crop_gather(t->c, buffer_device(of->images), &t->data->crop, t->data->parents, t->indices,
                        (int)(within * of->batch), of->batch, of->images);
    if (!s) s = of->update(t->c, of->model);
    return s ? s : fingerprint(t, (int)(step % of->rows));
}

status training_collect(training *t, bool *finite)
{
    const trainer *of = t->of;
    int32_t flag = 0;
    status s = buffer_read(t->c, of->flag, 0, &flag, sizeof flag);
    *finite = !flag;
    if (!s) s = buffer_read(t->c, of->metrics, 0, t->rows, (size_t)of->rows * of->stride * sizeof *t->rows);
    if (!s) s = buffer_read(t->c, t->prints, 0, t->hashes, (size_t)of->rows * sizeof *t->hashes);
    return s ? s : buffer_zero(t->c, t->prints);
}

void training_hash_text(const training *t, int64_t step, char text[TRAINING_HASH])
{
    const uint32_t *hash = t->hashes[(step - 1) % t->of->rows];
    snprintf(text, TRAINING_HASH, "%08x%08x", hash[0], hash[1]);
}
