/* The colour map of density images: night blue through violet and coral to pale straw. */
#ifndef REPORT_COLOURS_H
#define REPORT_COLOURS_H

#include <stdint.h>

/* Colours of the map proper; index 255 of a picture is left for see-through gaps. */
enum { COLOURS = 255, COLOUR_GAP = 255 };

/* Fills palette[0 … COLOURS−1] from dark to light, and palette[COLOUR_GAP] with white. Lightness (OKLab L) grows
 * linearly with the index, so equal steps of the data look equally large, also in grey and to colour-blind eyes. */
void colours_fill(uint8_t palette[256][3]);

#endif
