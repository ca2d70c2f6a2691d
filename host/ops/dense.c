/* A dense layer is a convolution of kernel 1 on images of one pixel: the sums of dense.h are those of conv.h there.
 * Unlike a convolution's, its weights are packed when they are used. */
#include "ops/dense.h"

#include "base/memory.h"
#include "ops/conv_internal.h"
#include "ops/launch.h"

struct dense_plan {
    conv_plan *conv;
};

static conv_shape shape_of(const dense_shape *s)
{
    return (conv_shape){.h = 1, .w = 1, .ci = s->in, .oh = 1, .ow = 1, .co = s->out, .kernel = 1, .stride = 1};
}

size_t dense_weight_count(const dense_shape *s)
{
    return (size_t)layout_channels(s->in) * (size_t)layout_channels(s->out);
}

status dense_plan_new(context *c, device *d, const dense_shape *s, int max_samples, int max_micro_batches,
                      dense_plan **out)
{
    dense_plan *p = NULL;
    const conv_shape shape = shape_of(s);
    *out = NULL;
    status e = memory_new(c, "dense plan", 1, sizeof *p, &p);
    if (e) return e;
    e = conv_plan_new(c, d, &shape, CONV_FORWARD | CONV_BACKWARD_DATA | CONV_BACKWARD_WEIGHTS | CONV_PACK_EACH,
                      max_samples, max_micro_batches, NULL, &p->conv);
    if (e) {
        dense_plan_delete(&p);
        return context_prefix(c, e, "dense layer %d to %d", s->in, s->out);
    }
    *out = p;
    return STATUS_OK;
}

void dense_plan_delete(dense_plan **p)
{
    if (!*p) return;
    conv_plan_delete(&(*p)->conv);
    memory_delete(p);
}

status dense_forward(context *c, dense_plan *p, int n, buffer *x, buffer *w, buffer *bias, buffer *y)
{
    status e = launch_check(c, "dense_forward", "w", w, conv_weight_count(&p->conv->s));
    if (!e) e = conv_pack_direction(c, p->conv, &p->conv->forward, w);
    return e ? e : conv_forward(c, p->conv, n, x, bias, NULL, y);
}

status dense_backward_data(context *c, dense_plan *p, int n, buffer *dy, buffer *w, buffer *dx)
{
    status e = launch_check(c, "dense_backward_data", "w", w, conv_weight_count(&p->conv->s));
    if (!e) e = conv_pack_direction(c, p->conv, &p->conv->backward, w);
    return e ? e : conv_backward_data(c, p->conv, n, dy, NULL, NULL, dx);
}

status dense_backward_weights(context *c, dense_plan *p, const batching *b, buffer *x, buffer *dy, buffer *dw)
{
    return conv_backward_weights(c, p->conv, b, x, dy, dw);
}
