#include "device/workspace.h"

#include "device/internal.h"

static const char *const labels[] = {
    [WORKSPACE_FIRST] = "workspace of the operators",   [WORKSPACE_SECOND] = "workspace of the operators",
    [WORKSPACE_WEIGHTS] = "workspace of the operators", [WORKSPACE_EVEN_GRADIENT] = "gradients in flight",
    [WORKSPACE_ODD_GRADIENT] = "gradients in flight",
};

status workspace_get(context *c, device *d, workspace_part part, size_t bytes, buffer **out)
{
    buffer **b = &d->workspace[part];
    status s = STATUS_OK;
    if (*b && (*b)->bytes < bytes) buffer_delete(b); /* first: the budget may not hold both */
    if (!*b) s = buffer_new(c, d, labels[part], bytes, b);
    *out = *b;
    return s;
}

void workspace_delete(device *d)
{
    for (int i = 0; i < WORKSPACE_PARTS; i++) buffer_delete(&d->workspace[i]);
}

size_t workspace_limit(const device *d)
{
    return d->budget / 32;
}
