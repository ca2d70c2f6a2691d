/* The moving average of a network: of its parameters and, with batch normalisation, of its running statistics, which
 * would not fit averaged weights as they are. */
#ifndef NETS_AVERAGE_H
#define NETS_AVERAGE_H

#include "nets/network.h"

typedef struct {
    float decay;
    buffer *value;                        /* like the network's arena */
    buffer *running_mean[NETWORK_LAYERS]; /* NULL where the layer has none */
    buffer *running_var[NETWORK_LAYERS];
} network_average;

status network_average_new(context *c, const network *n, float decay, network_average **out);
void network_average_delete(network_average **a);
/* average ← the network as it is. */
status network_average_reset(context *c, const network *n, network_average *a);
/* average ← decay · average + (1 − decay) · network. */
status network_average_update(context *c, const network *n, network_average *a);

#endif
