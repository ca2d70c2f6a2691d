/* Linear matter power spectra at a = 1 and what is made of them in two dimensions (spec section 1). k in h/Mpc. */
#ifndef SIM_SPECTRUM_H
#define SIM_SPECTRUM_H

#include "sim/cosmology.h"

/* Of a 2D box; of a 3D box the first two are the same: P3 itself. */
typedef enum {
    SPECTRUM_EQUAL_VARIANCE, /* k²P2/2π = k³P3/2π²: P2 = k P3/π */
    SPECTRUM_SLICE,          /* the spectrum of a plane cut from the 3D field: P2 = ∫ dkz/2π P3(√(k²+kz²)) */
    SPECTRUM_POWER_LAW       /* P ∝ k^index with σ8 in discs (3D: balls) of 8 Mpc/h */
} spectrum_kind;

typedef struct {
    int dims; /* 2 or 3 */
    spectrum_kind kind;
    double power_index; /* of the power law, between −dims and 1 where σ8 exists */
    const char *table;  /* file in place of Eisenstein & Hu; NULL or "" without; borrowed */
} spectrum_options;

typedef struct spectrum spectrum;

/* P3 is Eisenstein & Hu 1998 without wiggles, or the table: a text file of two columns, k [h/Mpc] and P(k) [(Mpc/h)³]
 * as CAMB and CLASS write it, '#' comments, k ascending, interpolated linearly in log-log and continued by its end
 * slopes. Both are scaled to σ8 (top hat of 8 Mpc/h). STATUS_DATA names file and line, STATUS_USAGE the option. */
status spectrum_new(context *c, const cosmology *k, const spectrum_options *o, spectrum **out);
void spectrum_delete(spectrum **s);

/* P3(k) [(Mpc/h)³], and the spectrum in the dimension of the box [(Mpc/h)^dims]; k > 0. */
double spectrum_three(const spectrum *s, double k);
double spectrum_power(const spectrum *s, double k);
/* σ of P3 in balls of radius r [Mpc/h] (of a power law in 2D: in discs). */
double spectrum_sigma(const spectrum *s, double r);

#endif
