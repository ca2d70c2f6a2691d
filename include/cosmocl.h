/* cosmocl: convolutional generative models for science on any OpenCL device.
 *
 * The public C API comes once the layers below it have settled; what is public today is the status list, whose values
 * are also the exit codes of the command line program. */
#ifndef COSMOCL_H
#define COSMOCL_H

#include <cosmocl/status.h>
#include <cosmocl/version.h>

#endif
