/* Exact integrals of a linear function over the pixels that a triangle covers. */
#ifndef MAPS_CLIP_H
#define MAPS_CLIP_H

/* Pixel [iy, ix] covers [ix, ix + 1) × [iy, iy + 1). The triangle (counter-clockwise, in pixel units) carries the
 * values v at its corners, linear between them; sums[iy * pixels + ix] grows by the integral over the part of the
 * triangle in that pixel (clipped polygon: area times the value at its centroid). What lies outside [0, pixels)² is
 * left out. Coordinates are taken relative to the first corner, so tiny triangles keep their relative precision. */
void clip_add_triangle(const double corner[3][2], const double value[3], int pixels, double *sums);

#endif
