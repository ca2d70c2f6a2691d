/* Gradients of convolutions: ⟨W x, y⟩ = ⟨x, Wᵀ y⟩ = ⟨W, dW(x, y)⟩ on the device for every direction and on the oracle,
 * and finite differences of the oracle's forward pass. */
#include "ops/conv_test.h"
#include "ops/conv.h"
#include "ops/dense.h"
#include "ops/ref/conv_ref.h"

static const conv_shape shapes[] = {
    {8, 8, 32, 4, 4, 64, 5, 2, 2, CONV_AUTO}, {16, 12, 1, 8, 6, 32, 5, 2, 2, CONV_AUTO},
    {9, 4, 24, 5, 2, 33, 3, 2, 1, CONV_AUTO}, {12, 10, 16, 12, 10, 1, 7, 1, 3, CONV_AUTO},
    {6, 6, 3, 2, 2, 16, 2, 3, 0, CONV_AUTO},  {8, 8, 1, 3, 3, 1, 4, 3, 2, CONV_AUTO},
    {1, 1, 100, 1, 1, 64, 1, 1, 0, CONV_AUTO}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static double dot(const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += a[i] * b[i];
    return sum;
}

/* Σ of double operand times the device's float result. */
static double dot_device(const double *a, const tensor *b)
{
    float *f = tensor_values(b);
    double sum = 0;
    for (size_t i = 0; i < b->count; i++) sum += a[i] * (double)f[i];
    free(f);
    return sum;
}

typedef struct {
    tensor x, y, w, wx, wty, dw;
    batching b;
} tensors;

static tensors tensors_new(const conv_shape *s)
{
    const size_t n = 7, ci = (size_t)layout_channels(s->ci), taps = (size_t)s->kernel * (size_t)s->kernel;
    tensors t = {.x = tensor_random(n * (size_t)s->h * (size_t)s->w, s->ci, 1),
                 .y = tensor_random(n * (size_t)s->oh * (size_t)s->ow, s->co, 2),
                 .w = tensor_random(taps * ci, s->co, 3),
                 .b = {7, 7, 3}};
    t.wx = tensor_empty(t.y.count), t.wty = tensor_empty(t.x.count), t.dw = tensor_empty(t.w.count);
    return t;
}

static void tensors_delete(tensors *t)
{
    tensor *all[] = {&t->x, &t->y, &t->w, &t->wx, &t->wty, &t->dw};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) tensor_delete(all[i]);
}

/* What rounding may do to Σ a · r, r a float result with Σ |·| |·| = m over k products: each element errs by at most
 * (2 √k + 4) 2⁻²⁴ m (conv_test.h), independently of the others. */
static double form_error(const double *a, const double *m, size_t count, double k)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++) squares += a[i] * a[i] * m[i] * m[i];
    return (2 * sqrt(k) + 4) * ldexp(1, -24) * sqrt(squares);
}

/* Three ways to the same trilinear form. */
START_TEST(adjoint)
{
    conv_shape shape = shapes[_i % SHAPES], *s = &shape;
    if (_i >= SHAPES) {
        if (device_info(d)->avoid_clblast) return;
        shape.algorithm = CONV_CLBLAST;
    }
    tensors t = tensors_new(s);
    conv_plan *p = NULL;
    OK(conv_plan_new(c, d, s, CONV_FORWARD | CONV_BACKWARD_DATA | CONV_BACKWARD_WEIGHTS, t.b.n, batching_count(&t.b),
                     NULL, &p));
    OK(conv_pack(c, p, t.w.b));
    OK(conv_forward(c, p, t.b.n, t.x.b, NULL, NULL, t.wx.b));
    OK(conv_backward_data(c, p, t.b.n, t.y.b, NULL, NULL, t.wty.b));
    OK(conv_backward_weights(c, p, &t.b, t.x.b, t.y.b, t.dw.b));
    const double forward = dot_device(t.y.v, &t.wx), backward = dot_device(t.x.v, &t.wty),
                 weights = dot_device(t.w.v, &t.dw);
    double *ax = absolutes(t.x.v, t.x.count), *ay = absolutes(t.y.v, t.y.count), *aw = absolutes(t.w.v, t.w.count);
    conv_ref_forward(s, t.b.n, ax, aw, NULL, t.wx.v);
    conv_ref_backward_data(s, t.b.n, ay, aw, NULL, t.wty.v);
    conv_ref_backward_weights(s, t.b.n, ax, ay, t.dw.v);
    const double taps = (double)s->kernel * s->kernel, pixels = (double)t.b.n * s->oh * s->ow;
    const double ef = form_error(t.y.v, t.wx.v, t.y.count, taps * s->ci);
    const double eb = form_error(t.x.v, t.wty.v, t.x.count, taps * s->co);
    const double ew = form_error(t.w.v, t.dw.v, t.w.count, pixels);
    ck_assert_msg(fabs(forward - backward) <= ef + eb, "<Wx,y> = %.9g, <x,W'y> = %.9g, bound %.2g", forward, backward,
                  ef + eb);
    ck_assert_msg(fabs(forward - weights) <= ef + ew, "<Wx,y> = %.9g, <W,dW> = %.9g, bound %.2g", forward, weights,
                  ef + ew);
    ck_assert_msg(fabs(forward) > 100 * (ef + eb + ew), "the form %g is too small to tell anything", forward);
    conv_plan_delete(&p);
    free(ax), free(ay), free(aw);
    tensors_delete(&t);
}
END_TEST

/* The oracle's forward pass is linear in x and in w: differences give its gradients up to rounding in double. */
START_TEST(differences_of_the_oracle)
{
    const conv_shape *s = &shapes[_i];
    tensors t = tensors_new(s);
    double *wty = calloc(t.x.count, sizeof *wty), *dw = calloc(t.w.count, sizeof *dw),
           *out = calloc(t.y.count, sizeof *out);
    conv_ref_backward_data(s, t.b.n, t.y.v, t.w.v, NULL, wty);
    conv_ref_backward_weights(s, t.b.n, t.x.v, t.y.v, dw);
    double *const variables[] = {t.x.v, t.w.v}, *const gradients[] = {wty, dw};
    const size_t counts[] = {t.x.count, t.w.count};
    for (int which = 0; which < 2; which++)
        for (size_t i = 3; i < counts[which] && i < 3 + 6 * (counts[which] / 6 + 1); i += counts[which] / 6 + 1) {
            double *v = &variables[which][i], old = *v, sides[2];
            for (int side = 0; side < 2; side++) {
                *v = old + (side ? .5 : -.5);
                conv_ref_forward(s, t.b.n, t.x.v, t.w.v, NULL, out);
                sides[side] = dot(out, t.y.v, t.y.count);
            }
            *v = old;
            ck_assert_msg(
                fabs(sides[1] - sides[0] - gradients[which][i]) <= 1e-12 * (fabs(sides[0]) + fabs(sides[1]) + 1),
                "d/d%s[%zu]: %.12g, gradient %.12g", which ? "w" : "x", i, sides[1] - sides[0], gradients[which][i]);
        }
    free(wty), free(dw), free(out);
    tensors_delete(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conv gradients");
    TCase *t = tcase_create("conv");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, device_setup, device_teardown);
    tcase_add_loop_test(t, adjoint, 0, 2 * SHAPES);
    tcase_add_loop_test(t, differences_of_the_oracle, 0, SHAPES);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
