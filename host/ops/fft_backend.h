/* What a Fourier library must do for fft.c; fft_clfft.c and fft_vkfft.c each fill one row. */
#ifndef OPS_FFT_BACKEND_H
#define OPS_FFT_BACKEND_H

#include "device/buffer.h"

typedef struct {
    int dims, n[3], batch; /* row-major, the last axis fastest */
} fft_shape;

typedef struct {
    const char *name;
    int (*version)(void); /* of the library, part of the key of remembered choices */
    /* Makes both directions; *plan is the backend's own. */
    status (*open)(context *c, device *d, const fft_shape *shape, void **plan);
    /* Queues one transform; layouts as in fft.h. */
    status (*run)(context *c, device *d, void *plan, bool forward, buffer *real, buffer *complex);
    /* The queue is idle when this is called. NULL-safe. */
    void (*close)(void **plan);
} fft_backend_row;

extern const fft_backend_row fft_clfft, fft_vkfft;

#endif
