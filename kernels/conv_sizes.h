/* Sizes of both sides of a convolution, x [n][H][W][CI] and y [n][OH][OW][CO] with padded channels, as arguments: one program then does
 * for all layers. SIZES are the parameters of a kernel and of the functions that it calls, SIZES_ON hands them on.
 * ENDS: the same by input and output of a direction.
 * JOB_SIZES: and of a block of weights, CB x NB channels, and of a chunk, CHUNK tiles, or CHUNK_ROWS rows of y of CHUNK samples. */
#ifndef CONV_SIZES_H
#define CONV_SIZES_H

#define SIZES int H, int W, int CI, int OH, int OW, int CO
#define SIZES_ON H, W, CI, OH, OW, CO

#define ENDS int IH, int IW, int CIN, int OH, int OW, int COUT
#define ENDS_ON IH, IW, CIN, OH, OW, COUT

#define JOB_SIZES SIZES, int CB, int NB, int CHUNK, int CHUNK_ROWS
#define JOB_SIZES_ON SIZES_ON, CB, NB, CHUNK, CHUNK_ROWS

#endif
