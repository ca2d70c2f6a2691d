/* Which transform the maps of a file are trained with: what its attributes transform, a, b, c, unit and mean name, or,
 * where they name none, what the configuration says. The only place that knows those names. */
#ifndef IO_MAPS_TRANSFORM_H
#define IO_MAPS_TRANSFORM_H

#include "base/config.h"
#include "base/transform.h"
#include "io/maps_file.h"

/* Names the configuration's transform in the fields transform, a, b, c and unit of m, by m->dims: in 2D "log" from
 * maps.minimum to maps.maximum in maps.unit; in 3D "log-offset" of maps.offset, to maps.maximum where it is set, else
 * 2632, on particles per pixel. STATUS_USAGE if the bounds are no interval. */
status maps_transform_choose(context *c, const config *cfg, maps *m);
/* The same where m names none, said at LOG_INFO; else nothing. */
status maps_transform_complete(context *c, const config *cfg, maps *m);

/* The same from the maps `of` that networks were trained on. */
void maps_transform_inherit(maps *m, const maps *of);

/* The transform that m names. STATUS_DATA: none or an unknown one, an unknown unit, a not below b, overdensities of a
 * mean that is not positive. */
status maps_transform_of(context *c, const maps *m, transform_shape *out);
/* Whether values below zero have their place in it. */
bool maps_transform_is_linear(const maps *m);
/* Whether both name one transform: as the device takes it, in float32. */
bool maps_transform_same(const maps *a, const maps *b);
/* In words, for people: "the logarithm of 1 + delta, 0.01 … 600 to [-1, 1]". */
void maps_transform_text(const maps *m, char *text, size_t size);

#endif
