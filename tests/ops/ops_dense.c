/* Dense layers against the float64 oracle and, to the bit, against the order that dense.h states; views into an arena.
 */
#include "ops/conv_test.h"
#include "ops/dense.h"
#include "ops/ref/dense_ref.h"

typedef struct {
    dense_shape s;
    batching b;
} layer;

static const layer layers[] = {{{100, 512}, {10, 10, 10}}, {{300, 1}, {26, 13, 5}}, {{64, 100}, {7, 7, 3}},
                               {{1, 20}, {5, 5, 2}},       {{3, 5}, {1, 1, 1}},     {{1, 1}, {9, 9, 4}},
                               {{1000, 33}, {51, 51, 10}}};
enum { LAYERS = sizeof layers / sizeof layers[0] };

typedef struct {
    tensor x, dy, w, bias, y, y0, dx, dw;
} tensors;

static tensors tensors_new(const layer *l)
{
    const size_t n = (size_t)l->b.n;
    tensors t = {
        .x = tensor_random(n, l->s.in, 1), .dy = tensor_random(n, l->s.out, 2), .bias = tensor_random(1, l->s.out, 4)};
    t.w = tensor_random((size_t)layout_channels(l->s.in), l->s.out, 3);
    float *f = calloc(t.w.count, sizeof *f);
    const size_t out = (size_t)layout_channels(l->s.out);
    for (size_t i = 0; i < t.w.count; i++) f[i] = (float)(t.w.v[i] = i / out < (size_t)l->s.in ? t.w.v[i] : 0);
    OK(buffer_write(c, t.w.b, 0, f, t.w.count * sizeof *f));
    free(f);
    t.y = tensor_empty(t.dy.count), t.y0 = tensor_empty(t.dy.count);
    t.dx = tensor_empty(t.x.count), t.dw = tensor_empty(t.w.count);
    return t;
}

static void tensors_delete(tensors *t)
{
    tensor *all[] = {&t->x, &t->dy, &t->w, &t->bias, &t->y, &t->y0, &t->dx, &t->dw};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) tensor_delete(all[i]);
}

static void run_all(const layer *l, tensors *t)
{
    dense_plan *p = NULL;
    OK(dense_plan_new(c, d, &l->s, l->b.n, batching_count(&l->b), &p));
    ck_assert_uint_eq(dense_weight_count(&l->s), t->w.count);
    OK(dense_forward(c, p, l->b.n, t->x.b, t->w.b, t->bias.b, t->y.b));
    OK(dense_forward(c, p, l->b.n, t->x.b, t->w.b, NULL, t->y0.b));
    OK(dense_backward_data(c, p, l->b.n, t->dy.b, t->w.b, t->dx.b));
    OK(dense_backward_weights(c, p, &l->b, t->x.b, t->dy.b, t->dw.b));
    OK(device_finish(c, d));
    dense_plan_delete(&p);
    ck_assert_ptr_null(p);
    dense_plan_delete(&p);
}

START_TEST(oracle)
{
    const layer *l = &layers[_i];
    const dense_shape *s = &l->s;
    tensors t = tensors_new(l);
    run_all(l, &t);
    double *ax = absolutes(t.x.v, t.x.count), *ay = absolutes(t.dy.v, t.dy.count), *aw = absolutes(t.w.v, t.w.count);
    double *ab = absolutes(t.bias.v, t.bias.count);
    double *my = calloc(t.y.count, sizeof *my), *mx = calloc(t.x.count, sizeof *mx),
           *mw = calloc(t.w.count, sizeof *mw);
    dense_ref_forward(s, l->b.n, t.x.v, t.w.v, t.bias.v, t.y.v);
    dense_ref_forward(s, l->b.n, ax, aw, ab, my);
    tensor_check(&t.y, t.y.v, my, s->in, "forward");
    dense_ref_forward(s, l->b.n, t.x.v, t.w.v, NULL, t.y0.v);
    tensor_check(&t.y0, t.y0.v, my, s->in, "forward without bias");
    dense_ref_backward_data(s, l->b.n, t.dy.v, t.w.v, t.dx.v);
    dense_ref_backward_data(s, l->b.n, ay, aw, mx);
    tensor_check(&t.dx, t.dx.v, mx, s->out, "backward data");
    dense_ref_backward_weights(s, l->b.n, t.x.v, t.dy.v, t.dw.v);
    dense_ref_backward_weights(s, l->b.n, ax, ay, mw);
    tensor_check(&t.dw, t.dw.v, mw, l->b.n, "backward weights");
    free(ax), free(ay), free(aw), free(ab), free(my), free(mx), free(mw);
    tensors_delete(&t);
}
END_TEST

/* Forward to the bit: in order over `in`, or 16 partial sums and the tree of lanes where out is 1. */
START_TEST(order_of_sums)
{
    const layer *l = &layers[_i];
    tensors t = tensors_new(l);
    run_all(l, &t);
    float *y = tensor_values(&t.y);
    const int in = layout_channels(l->s.in), out = layout_channels(l->s.out);
    for (int i = 0; i < l->b.n; i++)
        for (int o = 0; o < out; o++) {
            float lane[16] = {0};
            for (int k = 0; k < in; k++) {
                const int into = out == 1 ? k % 16 : 0;
                lane[into] = fmaf((float)t.x.v[i * in + k], (float)t.w.v[k * out + o], lane[into]);
            }
            for (int half = 8; half > 0; half /= 2)
                for (int j = 0; j < half; j++) lane[j] += lane[j + half];
            const float want = lane[0] + (float)t.bias.v[o];
            ck_assert_msg(y[i * out + o] == want, "%d, %d: %a, should be %a", i, o, y[i * out + o], want);
        }
    free(y);
    tensors_delete(&t);
}
END_TEST

START_TEST(bad_input)
{
    dense_plan *p = NULL;
    ck_assert_int_eq(dense_plan_new(c, d, &(dense_shape){0, 5}, 4, 1, &p), STATUS_USAGE);
    ck_assert_ptr_null(p);
    ck_assert_msg(strstr(context_message(c), "dense layer 0 to 5"), "%s", context_message(c));
    OK(dense_plan_new(c, d, &(dense_shape){16, 32}, 4, 1, &p));
    tensor x = tensor_random(4, 16, 1), w = tensor_random(16, 32, 2), y = tensor_empty(4 * 32);
    ck_assert_int_eq(dense_forward(c, p, 5, x.b, w.b, NULL, y.b), STATUS_USAGE);
    ck_assert_int_eq(dense_forward(c, p, 4, x.b, x.b, NULL, y.b), STATUS_USAGE);
    ck_assert_msg(strstr(context_message(c), "dense_forward"), "%s", context_message(c));
    dense_plan_delete(&p);
    tensor_delete(&x), tensor_delete(&w), tensor_delete(&y);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dense");
    TCase *t = tcase_create("dense");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, device_setup, device_teardown);
    tcase_add_loop_test(t, oracle, 0, LAYERS);
    tcase_add_loop_test(t, order_of_sums, 0, LAYERS);
    tcase_add_test(t, bad_input);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
