/* Both ends of the gradient with respect to a convolution's weights by Winograd's products (winograd.h): what the gradient of a
 * tile's results makes of the products, and what the sums over tiles make of the taps. A vector of channels each. Needs common.h and
 * winograd.h, for phases of the input. */
#ifndef WINOGRAD_ADJOINT_H
#define WINOGRAD_ADJOINT_H

/* A unit is a phase of a slot. */
#define UNITS (25 * 4 + 10 * 2 + 1)
#define UNIT(i, j, py, px) (SLOT_START(i, j, 4, 2) + PHASE_PLACE(i, j, py, px))
#define TAPS 25

/* d, its products `slot` floats apart = A y A' of tile (ty, tx) of y [OH][OW][CO], at the channels. */
INLINED void gradient_write(__global const float *y, __global float *d, size_t slot, int ty, int tx, int OH, int OW, int CO)
{
    FV z[TILE][POINTS];
#define PIXEL(b, a)                                                                                                   \
    row[b] = INSIDE(a + 1, TILE * ty + a, OH) && INSIDE(b + 1, TILE * tx + b, OW)                               \
                 ? VLOAD(0, y + ((TILE * ty + a) * OW + TILE * tx + b) * CO)                                          \
                 : FV_ALL(0.0f);
#define ROW(a)                                                                                                        \
    {                                                                                                                 \
        FV row[TILE];                                                                                                 \
        EACH_OF(4, PIXEL, a)                                                                                          \
        results_adjoint(row, z[a]);                                                                                   \
    }
#define PRODUCT(i, j) VSTORE(o[i], 0, d + (i * POINTS + j) * slot);
#define COLUMN(j)                                                                                                     \
    {                                                                                                                 \
        FV column[TILE] = {z[0][j], z[1][j], z[2][j], z[3][j]}, o[POINTS];                                            \
        results_adjoint(column, o);                                                                                   \
        EACH_OF(6, PRODUCT, j)                                                                                        \
    }
    EACH(4, ROW)
    EACH(6, COLUMN)
#undef PIXEL
#undef ROW
#undef COLUMN
#undef PRODUCT
}

/* The taps of one phase, `tap` floats apart = G' u G of its units, `unit` floats apart. */
INLINED void phase_finish(size_t unit, size_t tap, __global float *taps, __global const float *u, const int py, const int px)
{
    FV z[POINTS][3];
#define PRODUCT(j, i) row[j] = (i < 5 || !py) && (j < 5 || !px) ? VLOAD(0, u + UNIT(i, j, py, px) * unit) : FV_ALL(0.0f);
#define ROW(i)                                                                                                        \
    {                                                                                                                 \
        FV row[POINTS];                                                                                               \
        EACH_OF(6, PRODUCT, i)                                                                                        \
        taps_adjoint(row, z[i]);                                                                                      \
    }
#define TAP(ky, kx)                                                                                                   \
    if ((ky < 2 || !py) && (kx < 2 || !px)) VSTORE(w[ky], 0, taps + ((2 * ky + py) * 5 + 2 * kx + px) * tap);
#define COLUMN(kx)                                                                                                    \
    {                                                                                                                 \
        FV column[POINTS] = {z[0][kx], z[1][kx], z[2][kx], z[3][kx], z[4][kx], z[5][kx]}, w[3];                       \
        taps_adjoint(column, w);                                                                                      \
        EACH_OF(3, TAP, kx)                                                                                           \
    }
    EACH(6, ROW)
    EACH(3, COLUMN)
#undef PRODUCT
#undef ROW
#undef TAP
#undef COLUMN
}

#endif
