/* Ten training steps against PyTorch in float64 (vectors.h5, made by make_vectors.py): every parameter tensor and the
 * losses within a relative L2 error of 1e-3, for each case of loss, normalisation, update and odd sizes. */
#include "train/vectors_test.h"
#include "nets/gan.h"

static void read_case(const char *group, gan_options *o, network_shape *s)
{
    char loss[32], update[32];
    text_of(group, "loss", loss, sizeof loss);
    text_of(group, "update", update, sizeof update);
    *o = (gan_options){.loss = strcmp(loss, "minimax") ? LOSS_NON_SATURATING : LOSS_MINIMAX,
                       .update = strcmp(update, "simultaneous") ? UPDATE_SAME_Z : UPDATE_SIMULTANEOUS,
                       .batch = (int)real_of(group, "batch"),
                       .micro_batch = (int)real_of(group, "micro_batch"),
                       .lr_g = real_of(group, "lr"),
                       .lr_d = real_of(group, "lr"),
                       .beta1 = 0.5,
                       .beta2 = 0.999,
                       .epsilon = 1e-8,
                       .seed = 1};
    read_shape(group, s);
}

static void write_batch(gan *g, const float *x, const float *z)
{
    int latent = g->generator->shape.latent, stride = layout_channels(latent), batch = g->o.batch;
    float *padded = NULL;
    must(memory_new(c, "latents", (size_t)batch * stride, sizeof *padded, &padded));
    for (int i = 0; i < batch; i++) memcpy(padded + i * stride, z + i * latent, latent * sizeof *z);
    must(buffer_write(c, g->latents, 0, padded, (size_t)batch * stride * sizeof *padded));
    must(buffer_write(c, g->images, 0, x, buffer_bytes(g->generated)));
    memory_delete(&padded);
}

static void run_case(const char *group)
{
    gan_options o;
    network_shape s;
    gan *g = NULL;
    char object[64];
    read_case(group, &o, &s);
    must(gan_new(c, d, &o, &s, &g));
    load_weights(group, g->generator);
    load_weights(group, g->discriminator);
    size_t images = (size_t)o.batch * s.image * s.image, latents = (size_t)o.batch * s.latent;
    snprintf(object, sizeof object, "%s/x", group);
    float *x = read_tensor(object, STEPS * images);
    snprintf(object, sizeof object, "%s/z", group);
    float *z = read_tensor(object, STEPS * latents);
    snprintf(object, sizeof object, "%s/losses", group);
    float *losses = read_tensor(object, STEPS * 2), rows[STEPS][LOSS_COLUMNS], mine[2 * STEPS];
    for (int i = 0; i < STEPS; i++) {
        write_batch(g, x + i * images, z + i * latents);
        must(gan_step(c, g));
    }
    must(buffer_read(c, g->metrics, 0, rows, sizeof rows));
    for (int i = 0; i < STEPS; i++) mine[2 * i] = rows[i][LOSS_D], mine[2 * i + 1] = rows[i][LOSS_G];
    double e = relative(mine, losses, 2 * STEPS);
    ck_assert_msg(e < bound, "%s: relative error of the losses %.2e", group, e);
    compare_weights(group, g->generator);
    compare_weights(group, g->discriminator);
    memory_delete(&x);
    memory_delete(&z);
    memory_delete(&losses);
    gan_delete(&g);
}

START_TEST(minimax_without_normalisation)
{
    run_case("/minimax");
}
END_TEST
START_TEST(batch_normalisation)
{
    run_case("/batch_norm");
}
END_TEST
START_TEST(group_normalisation)
{
    run_case("/group_norm");
}
END_TEST
START_TEST(simultaneous_updates)
{
    run_case("/simultaneous");
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, minimax_without_normalisation);
    tcase_add_test(t, batch_normalisation);
    tcase_add_test(t, group_normalisation);
    tcase_add_test(t, simultaneous_updates);
}

int main(void)
{
    return vectors_main("vectors.h5", "ten steps against PyTorch", add);
}
