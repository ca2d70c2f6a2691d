/* Made in OKLab (B. Ottosson, "A perceptual color space for image processing", 2020): lightness is linear in the index,
 * hue and chroma run smoothly through a few knots, and chroma is reduced where sRGB has no such colour. */
#include "report/colours.h"

#include <math.h>
#include <stdbool.h>

enum { KNOTS = 7 };

/* Hue in degrees of OKLab's (a, b) plane and chroma, at equal steps of lightness. */
static const double knot_hue[KNOTS] = {275, 288, 318, 357, 396, 436, 458};
static const double knot_chroma[KNOTS] = {.045, .135, .185, .190, .170, .150, .070};

static double knot_value(const double knots[KNOTS], double t)
{
    double x = t * (KNOTS - 1);
    int i = x >= KNOTS - 1 ? KNOTS - 2 : (int)x;
    double u = x - i;
    /* Catmull–Rom: smooth, through the knots. */
    double p1 = knots[i], p2 = knots[i + 1];
    double p0 = i > 0 ? knots[i - 1] : 2 * p1 - p2, p3 = i < KNOTS - 2 ? knots[i + 2] : 2 * p2 - p1;
    return p1 + .5 * u * (p2 - p0 + u * (2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0)));
}

/* Linear light; false when a component is outside [0, 1]. */
static bool oklab_to_linear(double l, double a, double b, double rgb[3])
{
    double x = l + .3963377774 * a + .2158037573 * b;
    double y = l - .1055613458 * a - .0638541728 * b;
    double z = l - .0894841775 * a - 1.2914855480 * b;
    x = x * x * x;
    y = y * y * y;
    z = z * z * z;
    rgb[0] = 4.0767416621 * x - 3.3077115913 * y + .2309699292 * z;
    rgb[1] = -1.2684380046 * x + 2.6097574011 * y - .3413193965 * z;
    rgb[2] = -.0041960863 * x - .7034186147 * y + 1.7076147010 * z;
    bool inside = true;
    for (int i = 0; i < 3; i++) inside = inside && rgb[i] >= -1e-6 && rgb[i] <= 1 + 1e-6;
    return inside;
}

static uint8_t srgb_byte(double linear)
{
    double v = linear <= 0 ? 0 : linear >= 1 ? 1 : linear;
    v = v <= .0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - .055;
    return (uint8_t)lrint(255 * v);
}

void colours_fill(uint8_t palette[256][3])
{
    for (int i = 0; i < COLOURS; i++) {
        double t = i / (COLOURS - 1.), rgb[3];
        double l = .13 + .84 * t, hue = knot_value(knot_hue, t) * acos(-1) / 180, chroma = knot_value(knot_chroma, t);
        while (!oklab_to_linear(l, chroma * cos(hue), chroma * sin(hue), rgb) && chroma > 1e-3) chroma *= .98;
        for (int k = 0; k < 3; k++) palette[i][k] = srgb_byte(rgb[k]);
    }
    for (int k = 0; k < 3; k++) palette[COLOUR_GAP][k] = 255;
}
