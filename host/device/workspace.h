/* Device memory that all operators of a device share for what they need only while they run: work is queued in order,
 * so that one operator's scratch is done with before the next one's begins. */
#ifndef DEVICE_WORKSPACE_H
#define DEVICE_WORKSPACE_H

#include "device/buffer.h"

/* Each part serves one thing at a time: the first three an operator, the last two the backward pass of a network, whose
 * gradients of neighbouring layers take turns. */
typedef enum {
    WORKSPACE_FIRST,
    WORKSPACE_SECOND,
    WORKSPACE_WEIGHTS,
    WORKSPACE_EVEN_GRADIENT,
    WORKSPACE_ODD_GRADIENT,
    WORKSPACE_PARTS
} workspace_part;

/* At least `bytes` of a part, borrowed until the next call for it; what it holds is anything. Parts only grow: plans
 * ask for their largest need when they are made, so that a run does not fail. */
status workspace_get(context *c, device *d, workspace_part part, size_t bytes, buffer **out);
/* Gives it back; device_delete does. */
void workspace_delete(device *d);
/* What one operator should at most ask for: a 32nd of the device's budget. */
size_t workspace_limit(const device *d);

#endif
