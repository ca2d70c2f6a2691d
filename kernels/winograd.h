/* Winograd's minimal filtering F(4, 3) along an axis: four outputs of three taps from a window of six inputs by six products
 * (S. Winograd, 1980; A. Lavin and S. Gray, 2016), at the points 0, +-1/sqrt 2, +-sqrt 2 and infinity, whose rounding is the least of
 * those tried. With the polynomial x^5 - 5/2 x^3 + x of the finite points:
 *
 *   data      B' d:  d0 - 5/2 d2 + d4;  (d4 - 2 d2) +- (d3 / sqrt 2 - sqrt 2 d1);  (d4 - d2 / 2) +- (sqrt 2 d3 - d1 / sqrt 2);
 *                    d1 - 5/2 d3 + d5
 *   taps      G w:   w0;  -2/3 (w0 +- w1 / sqrt 2 + w2 / 2);  1/6 (w0 +- sqrt 2 w1 + 2 w2);  w2
 *   results   A' m:  y_r = sum of p^r m(p) over the finite points, infinity added to y_3
 *
 * A gradient with respect to the taps is the adjoint: G' of the sum over tiles of (B' d) times (A y).
 *
 * A convolution of 5 taps and stride 2 is the sum of two such filters, over the even and the odd inputs:
 *   y[o] = (w0, w2, w4) over even[o - 1 ... o + 1] + (w1, w3, 0) over odd[o - 1 ... o + 1],
 * and what it makes of a gradient is even[o] = (w4, w2, w0) over y[o - 1 ... o + 1], odd[o] = (0, w3, w1). The tap that is always
 * zero makes one of the six products vanish: of odd inputs the last (infinity), of odd results the first (0).
 *
 * Both axes: 36 products. They are numbered 6 i + j by slots i along y and j along x, where slot 5 is the point that odd ones
 * lack: infinity for odd inputs, 0 for odd results, whose slots are therefore the points from the second on and then the
 * first. Of the four phases (py, px) slots below 5 have both of an axis, slot 5 only the even one. They lie one after the
 * other, even before odd, y before x.
 *
 * From the host: SIZES (conv_sizes.h); ODD_RESULTS (0: the phases are of the input); WHOLE (1: all tiles lie inside); NR, columns
 * that the products make at a time. Needs common.h. */
#ifndef WINOGRAD_H
#define WINOGRAD_H

/* M(0) ... M(n - 1), and M(0, x) ...: what a loop would say, but arrays so indexed are registers for every compiler. */
#define EACH(n, M) EACH_##n(M)
#define EACH_3(M) M(0) M(1) M(2)
#define EACH_4(M) EACH_3(M) M(3)
#define EACH_6(M) EACH_4(M) M(4) M(5)
#define EACH_OF(n, M, x) EACH_OF_##n(M, x)
#define EACH_OF_3(M, x) M(0, x) M(1, x) M(2, x)
#define EACH_OF_4(M, x) EACH_OF_3(M, x) M(3, x)
#define EACH_OF_6(M, x) EACH_OF_4(M, x) M(4, x) M(5, x)

#include "conv_sizes.h"

/* Tiles of a sample. */
#define TY ((OH + TILE - 1) / TILE)
#define TX ((OW + TILE - 1) / TILE)

#define POINTS 6
#define PRODUCTS (POINTS * POINTS)
#define TILE 4 /* results of a tile along an axis */
#define ROOT 1.41421356237309505f
#define HALF_ROOT .70710678118654752f

/* Data of a window; odd inputs are five, with a 0 behind them, and their last product is none. */
INLINED void window_transform(const FV d[POINTS], FV o[POINTS])
{
    const FV a = fma(FV_ALL(-2.0f), d[2], d[4]), b = fma(FV_ALL(-ROOT), d[1], HALF_ROOT * d[3]);
    const FV c = fma(FV_ALL(-.5f), d[2], d[4]), e = fma(FV_ALL(-HALF_ROOT), d[1], ROOT * d[3]);
    o[0] = fma(FV_ALL(-2.5f), d[2], d[0] + d[4]);
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + e;
    o[4] = c - e;
    o[5] = fma(FV_ALL(-2.5f), d[3], d[1] + d[5]);
}

/* Three taps. */
INLINED void taps_transform(const FV w[3], FV o[POINTS])
{
    const FV a = fma(FV_ALL(.5f), w[2], w[0]) * (-2.0f / 3.0f), b = w[1] * (-2.0f / 3.0f * HALF_ROOT);
    const FV c = fma(FV_ALL(2.0f), w[2], w[0]) * (1.0f / 6.0f), e = w[1] * (1.0f / 6.0f * ROOT);
    o[0] = w[0];
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + e;
    o[4] = c - e;
    o[5] = w[2];
}

/* Results of a tile; of odd ones the first product is 0. */
INLINED void results_transform(const FV m[POINTS], FV y[TILE])
{
    const FV a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], e = m[3] - m[4];
    y[0] = m[0] + a + c;
    y[1] = fma(FV_ALL(ROOT), e, HALF_ROOT * b);
    y[2] = fma(FV_ALL(2.0f), c, .5f * a);
    y[3] = fma(FV_ALL(2.0f * ROOT), e, fma(FV_ALL(.5f * HALF_ROOT), b, m[5]));
}

/* The adjoint of results_transform: what the gradient of a tile's results does to the products. */
INLINED void results_adjoint(const FV y[TILE], FV o[POINTS])
{
    const FV a = fma(FV_ALL(.5f), y[2], y[0]), b = fma(FV_ALL(.5f * HALF_ROOT), y[3], HALF_ROOT * y[1]);
    const FV c = fma(FV_ALL(2.0f), y[2], y[0]), e = fma(FV_ALL(2.0f * ROOT), y[3], ROOT * y[1]);
    o[0] = y[0];
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + e;
    o[4] = c - e;
    o[5] = y[3];
}

/* The adjoint of taps_transform; of odd inputs the last product is 0, and the third tap means nothing. */
INLINED void taps_adjoint(const FV u[POINTS], FV w[3])
{
    const FV a = (u[1] + u[2]) * (-2.0f / 3.0f), b = u[1] - u[2], c = (u[3] + u[4]) * (1.0f / 6.0f), e = u[3] - u[4];
    w[0] = u[0] + (a + c);
    w[1] = fma(FV_ALL(1.0f / 6.0f * ROOT), e, (-2.0f / 3.0f * HALF_ROOT) * b);
    w[2] = fma(FV_ALL(2.0f), c, .5f * a) + u[5];
}

/* Whether pixel `at` of `size` lies inside, a = 0 ... POINTS - 1 of a window that begins one before a tile: of whole tiles only the
 * first and the last can lie outside. */
#define INSIDE(a, at, size) ((WHOLE && (a) >= 1 && (a) <= TILE) || (uint)(at) < (uint)(size))

/* The products' part of a window of x [h][w][channels] whose first pixel is (y, x) = (step (4 ty - 1) + odd_y, ...): every
 * `step`th pixel of both axes, at a vector of channels. */
INLINED void window_products(__global const float *x, int ty, int tx, const int step, const int h, const int w,
                             const int channels, const int odd_y, const int odd_x, FV z[POINTS][POINTS])
{
    const int y0 = step * (TILE * ty - 1) + odd_y, x0 = step * (TILE * tx - 1) + odd_x, origin = (y0 * w + x0) * channels;
#define PIXEL(b, a)                                                                                                   \
    row[b] = (a < 5 || !odd_y) && (b < 5 || !odd_x) && INSIDE(a, y0 + step * a, h) && INSIDE(b, x0 + step * b, w) \
                 ? VLOAD(0, x + origin + step * (a * w + b) * channels)                                               \
                 : FV_ALL(0.0f);
#define ROW(a)                                                                                                        \
    {                                                                                                                 \
        FV row[POINTS];                                                                                               \
        EACH_OF(6, PIXEL, a)                                                                                          \
        window_transform(row, z[a]);                                                                                  \
    }
#define COLUMN(j)                                                                                                     \
    {                                                                                                                 \
        FV column[POINTS] = {z[0][j], z[1][j], z[2][j], z[3][j], z[4][j], z[5][j]}, o[POINTS];                         \
        window_transform(column, o);                                                                                  \
        z[0][j] = o[0], z[1][j] = o[1], z[2][j] = o[2], z[3][j] = o[3], z[4][j] = o[4], z[5][j] = o[5];                \
    }
    EACH(6, ROW)
    EACH(6, COLUMN)
#undef PIXEL
#undef ROW
#undef COLUMN
}

#if ODD_RESULTS
#define SLOT(point) (((point) + POINTS - 1) % POINTS)
#else
#define SLOT(point) (point)
#endif

/* Phases of a slot, and the place of one of them. */
#define SLOT_PHASES(i, j) (((i) < 5 ? 2 : 1) * ((j) < 5 ? 2 : 1))
#define PHASE_PLACE(i, j, py, px) ((py) * ((j) < 5 ? 2 : 1) + (px))
/* What comes before a slot where one of four phases takes `four`, and so on. */
#define SLOT_START(i, j, four, two) ((i) * (5 * (four) + (two)) + (j) * ((i) < 5 ? (four) : (two)))

/* Floats from row to row of the products' operand (of all channels of y, or of the phases of a slot), the columns of the phases'
 * results, and floats from row to row of those. Rows begin PADDING apart beside their length, and the weights of slots
 * TAPS_PADDING, so that those of a power of two do not compete for the same lines of a cache. */
#define PADDING 16
#define TAPS_PADDING 80
#define WHOLE_ROW (CO + PADDING)
#define PHASES_ROW(phases) ((phases) * CI + PADDING)
#define RESULTS(phases) (((phases) * CI + NR - 1) / NR * NR)
#define RESULTS_ROW(phases) (RESULTS(phases) + PADDING)

/* Where the weights of a slot begin: [slot][columns / NR][rows][NR]. */
#if ODD_RESULTS
#define TAPS_START(i, j) ((size_t)SLOT_START(i, j, RESULTS(4), RESULTS(2)) * CO + ((i) * POINTS + (j)) * TAPS_PADDING)
#else
#define TAPS_START(i, j) ((size_t)SLOT_START(i, j, 4 * CI, 2 * CI) * CO + ((i) * POINTS + (j)) * TAPS_PADDING)
#endif

#endif
