/* `pipeline --dry-run`: the stages with their sizes, the memory and the time they will take on this device, measured on
 * a few steps of the very configuration. */
#ifndef COMMANDS_PLAN_H
#define COMMANDS_PLAN_H

#include "commands/command.h"
#include "nets/autoencoder.h"
#include "nets/gan.h"
#include "sim/simulation.h"

/* What follows from the configuration alone. */
typedef struct {
    simulation_options boxes;
    gan_options gan;
    encoder_options encoder, sanity;
    network_shape network;
    int64_t particles, training, variants, test, steps, epochs, encoder_steps, sanity_steps;
    int pixels, crop;
} plan_sizes;

status plan_sizes_read(context *c, const config *cfg, plan_sizes *z);
/* Training maps on the device, unless they stay on the host, with the order of their sub-images. */
bool plan_maps_on_host(const plan_sizes *z, const device *d);
size_t plan_training_bytes(const plan_sizes *z, const device *d);

/* STATUS_USAGE for what a later stage would refuse after hours of the first: 3D boxes, several redshifts. */
status plan_check(context *c, const config *cfg);
status plan_print(context *c, const command_line *line);

#endif
