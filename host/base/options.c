/* The table of all configuration keys. Defaults are the paper's 2D values. A key is added here and nowhere else. */
#include "base/options.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

const option_section option_sections[] = {
    {"run", "How and where to compute; nothing here changes a result, but the seed."},
    {"cosmology", "The cosmological model: of the initial conditions, of gravity, and of the spectrum."},
    {"simulate", "N-body boxes in two or three dimensions (command simulate)."},
    {"maps", "From particles to density maps, and the transform between densities and the networks' [-1, 1]."},
    {"dataset", "From maps to sub-images, and the split into training, validation and test."},
    {"network", "Shape and start of generator, discriminator and encoder."},
    {"gan", "Training of generator and discriminator (command train gan)."},
    {"encoder", "Training of the encoder of the autoencoder (command train encoder)."},
    {"stats", "Statistics that compare maps (commands stats, select and report)."},
    {"generate", "New maps from random latents (command generate)."},
    {NULL, NULL}};

#define INTEGER(key, value, unit, low, high, meaning)                                                                  \
    {                                                                                                                  \
        key, OPTION_INTEGER, value, unit, low, high, "", meaning                                                       \
    }
#define REAL(key, value, unit, low, high, meaning)                                                                     \
    {                                                                                                                  \
        key, OPTION_REAL, value, unit, low, high, "", meaning                                                          \
    }
#define FLAG(key, value, meaning)                                                                                      \
    {                                                                                                                  \
        key, OPTION_FLAG, value, "", 0, 1, "", meaning                                                                 \
    }
#define TEXT(key, value, meaning)                                                                                      \
    {                                                                                                                  \
        key, OPTION_TEXT, value, "", 0, 0, "", meaning                                                                 \
    }
#define CHOICE(key, value, choices, meaning)                                                                           \
    {                                                                                                                  \
        key, OPTION_CHOICE, value, "", 0, 0, choices, meaning                                                          \
    }
#define LIST(key, value, unit, low, high, meaning)                                                                     \
    {                                                                                                                  \
        key, OPTION_LIST, value, unit, low, high, "", meaning                                                          \
    }
#define INTEGERS(key, value, low, high, meaning)                                                                       \
    {                                                                                                                  \
        key, OPTION_INTEGER_LIST, value, "", low, high, "", meaning                                                    \
    }

const option options[] = {
    INTEGER("run.seed", "1", "", 0, 9e18,
            "Seed of every random number. The same seed and configuration give the same results, on any device."),
    TEXT("run.device", "",
         "The OpenCL device: platform:device as in 0:0, vendor:type as in amd:gpu, or a part of its name (see the "
         "command devices). Empty: COSMOCL_DEVICE from the environment, else a GPU, else the CPU."),
    INTEGER("run.budget_mib", "0", "MiB", 0, 1e9, "Most device memory to use. 0: 90 % of what the device has."),
    FLAG("run.profile", "false", "Time every kernel and list the times at the end. Costs some speed."),

    REAL("cosmology.omega_m", "0.31", "", 0.01, 2, "Matter density today, dark and baryonic, in critical densities."),
    REAL("cosmology.omega_lambda", "0.69", "", 0, 2,
         "Density of the cosmological constant in critical densities; what lacks to 1 is curvature."),
    REAL("cosmology.h", "0.68", "100 km/s/Mpc", 0.1, 2, "Hubble constant today. Lengths in Mpc/h scale with it."),
    REAL("cosmology.omega_b", "0.049", "", 0, 1,
         "Baryon density today in critical densities, part of omega_m; it damps the spectrum at small scales."),
    REAL("cosmology.ns", "0.9665", "", 0, 3, "Slope of the primordial spectrum."),
    REAL("cosmology.sigma8", "0.8102", "", 0, 5,
         "Scatter of the linear density in spheres of 8 Mpc/h today: the amplitude of the spectrum."),
    REAL("cosmology.t_cmb", "2.7255", "K", 1, 5, "Temperature of the microwave background."),
    TEXT("cosmology.spectrum_file", "",
         "Text file of two columns, k in h/Mpc and P(k) in (Mpc/h)^3 today, as CAMB and CLASS write it, in place of "
         "the formula of Eisenstein and Hu. Scaled to sigma8."),

    INTEGER("simulate.dims", "2", "", 2, 3, "Dimensions of a box: 2 as in the first half of the paper, or 3."),
    INTEGER("simulate.boxes", "1200", "", 1, 1e9, "Number of independent boxes; each gives one map in 2D."),
    INTEGER("simulate.particles", "512", "per side", 4, 8192, "Particles along a side of the box."),
    INTEGER("simulate.mesh", "0", "cells per side", 0, 16384,
            "Cells of the force mesh along a side, of the form 2^a 3^b 5^c. 0: twice the particles, with which the "
            "growth of small waves is right."),
    REAL("simulate.box_mpc_h", "100", "Mpc/h", 1e-3, 1e6, "Comoving side of the box."),
    REAL("simulate.a_start", "0", "", 0, 0.999, "Scale factor at the start. 0: 0.02 in 2D, 0.01 (redshift 99) in 3D."),
    INTEGER("simulate.steps", "100", "", 1, 1e6,
            "Time steps from start to end. 60 lower the power spectrum by 1 %; 120 are within 0.2 %."),
    CHOICE("simulate.integrator", "kdk", "kdk|fastpm",
           "Time integrator, edges uniform in the square root of the scale factor. kdk: kick, drift, kick with exact "
           "cosmological factors; fastpm: factors that follow the Zel'dovich solution, for some ten steps."),
    CHOICE("simulate.spectrum", "equal-variance", "equal-variance|slice|power-law",
           "How a 2D box gets its spectrum. equal-variance: the variance per ln k of the 3D one; slice: that of a thin "
           "slice through 3D; power-law: k^power_index, scaled to sigma8. Of a 3D box only power-law differs."),
    REAL("simulate.power_index", "-1", "", -5, 4, "Slope of the spectrum where spectrum is power-law."),
    LIST("simulate.redshifts", "0", "", 0, 1100,
         "Redshifts at which snapshots are written, in any order; the run ends at the smallest."),
    INTEGER("simulate.lpt", "1", "", 1, 2,
            "Order of the Lagrangian perturbation theory of the start: 1 is Zel'dovich; 2 in 3D only."),

    CHOICE("maps.estimator", "dtfe", "dtfe",
           "Density estimator of 2D boxes. dtfe: Delaunay tessellation, the exact mean of every pixel. 3D boxes are "
           "always cut into slices, counted and smoothed."),
    INTEGER("maps.pixels", "0", "per side", 0, 16384,
            "Pixels along a side of a 2D map. 0: half the particles along a side, so that a pixel holds 4 on average."),
    INTEGER(
        "maps.members", "1", "", 1, 10000,
        "Members of the ensemble of perturbed particles over which a DTFE map is averaged. 1: the plain estimator."),
    CHOICE("maps.unit", "overdensity", "overdensity|particles",
           "The density v that the 2D transform takes. overdensity: density over its mean, 1 + delta; particles: "
           "particles per pixel."),
    REAL("maps.minimum", "0.01", "unit of maps.unit", 1e-12, 1e12,
         "Density that the transform v' = (2 ln v - (b + a)) / (b - a) takes to -1, a = ln minimum. Pixels outside are "
         "counted, never clipped in silence."),
    REAL("maps.maximum", "600", "unit of maps.unit", 1e-12, 1e12,
         "Density that the transform takes to 1, b = ln maximum."),
    REAL("maps.offset", "0.001", "particles per pixel", 0, 1e6,
         "Added to the density of 3D maps before the logarithm, since most of their pixels are empty; not used in 2D."),

    INTEGER("dataset.crop", "0", "pixels per side", 0, 8192,
            "Side of the sub-images that the networks see. 0: half of the map's. Nine crops times eight rotations and "
            "flips make 72 of each map; a crop of the map's side is the whole map, in eight."),
    FLAG("dataset.rotate", "true",
         "Show the sub-images in all eight rotations and flips. false: only as they stand, for images that have an up "
         "and a down, such as letters."),
    REAL("dataset.validation", "100", "maps", 0, 1e9,
         "Maps kept from training to choose the epoch by. Below 1: a share of all maps."),
    REAL("dataset.test", "100", "maps", 0, 1e9,
         "Maps kept from training and from the choice, for the final statistics. Below 1: a share of all maps."),

    INTEGER("network.latent", "100", "", 1, 65536, "Length of the latent vector."),
    INTEGERS("network.filters", "32, 64, 128, 256, 512", 1, 65536,
             "Filters of the discriminator's convolutions in order; each halves the image. The encoder has the same, "
             "the generator the mirror of it. With crop 128 the five of the paper end at 4 x 4."),
    INTEGER("network.kernel", "5", "pixels", 1, 31, "Side of the convolution kernels; odd or even."),
    REAL("network.leak", "0.2", "", 0, 1, "Slope of the leaky ReLU below 0."),
    CHOICE("network.norm", "none", "none|batch|group",
           "Normalisation of generator and discriminator. none is the paper's; batch (statistics within a micro-batch) "
           "learns in far fewer steps and resists collapse; group is independent of the batch."),
    INTEGER("network.groups", "8", "", 1, 65536, "Groups of channels where norm is group."),
    CHOICE(
        "network.algorithm", "auto", "auto|direct|winograd|clblast",
        "How convolutions are computed, which changes their last bits. winograd: 5 x 5 kernels between several "
        "channels by "
        "a third of the products; direct: all as they are written down; auto: whichever is faster for a layer's size, "
        "the same on every device. clblast: as matrix products of the library CLBlast, whose sums differ between "
        "devices: "
        "outside the guarantee of one result."),
    CHOICE("network.init", "dcgan", "dcgan|he|pytorch",
           "Initial weights. dcgan: normal of scatter 0.02; he: normal of scatter sqrt(2 / inputs) with small last "
           "layers; pytorch: uniform, as PyTorch's layers start."),

    CHOICE("gan.loss", "minimax", "minimax|non-saturating",
           "Loss of the generator. minimax: the negative of the discriminator's, as the paper prints it; "
           "non-saturating: -ln D(G(z)) / 2, which keeps its gradient where the discriminator is ahead."),
    CHOICE("gan.update", "same-z", "same-z|fresh-z|simultaneous",
           "Order of a step. same-z: discriminator, then generator on the same latents; fresh-z: on new latents; "
           "simultaneous: both from the weights before the step."),
    REAL("gan.label_noise", "0.05", "", 0, 0.5, "Probability that a label of the discriminator's update is flipped."),
    INTEGER("gan.batch", "50", "images", 1, 65536, "Real sub-images of a step; as many are generated."),
    INTEGER(
        "gan.micro_batch", "10", "images", 1, 65536,
        "The batch is computed in parts of this many, the last of them smaller where it does not divide the batch. It "
        "bounds the memory and fixes the order of sums (and the statistics of batch normalisation)."),
    INTEGER("gan.epochs", "60", "", 1, 1e6, "Passes over all sub-images of the training maps."),
    INTEGER("gan.steps", "0", "", 0, 1e12, "Steps in all. 0: the epochs decide."),
    INTEGER("gan.save_every", "0", "steps", 0, 1e12, "Steps between saved weights. 0: saved after every epoch."),
    REAL("gan.lr_g", "2e-4", "", 0, 1, "Learning rate of the generator."),
    REAL("gan.lr_d", "2e-4", "", 0, 1, "Learning rate of the discriminator."),
    REAL("gan.decay", "0", "", 0, 1,
         "Share of the steps, at the end, in which both learning rates fall linearly to 0; saved weights then swing "
         "less. "
         "0: they stay."),
    REAL("gan.beta1", "0.5", "", 0, 0.999999, "Decay of Adam's first moment; also of the encoder's."),
    REAL("gan.beta2", "0.999", "", 0, 0.999999999, "Decay of Adam's second moment; also of the encoder's."),
    REAL("gan.epsilon", "1e-8", "", 1e-30, 1, "Added to the root of Adam's second moment; also of the encoder's."),
    REAL("gan.average", "0", "", 0, 0.999999,
         "Decay of the moving average of the generator's weights, which is saved beside them, as in 0.995. 0: none."),

    CHOICE(
        "encoder.loss", "latent", "latent|pixel|z",
        "What the encoder E learns, the generator G being fixed. latent: the features of the discriminator agree "
        "between x and G(E(x)) (the paper's equation 7); pixel: the pixels agree; z: E(G(z)) = z, the paper's sanity "
        "experiment."),
    INTEGER("encoder.epochs", "50", "", 1, 1e6,
            "Passes over all sub-images of the training maps; the weights of the least validation loss are kept."),
    INTEGER("encoder.steps", "0", "", 0, 1e12, "Steps in all. 0: the epochs decide."),
    INTEGER("encoder.save_every", "0", "steps", 0, 1e12,
            "Steps between validations and saved weights. 0: after every epoch."),
    INTEGER("encoder.batch", "50", "images", 1, 65536, "Images of one step of the encoder."),
    INTEGER("encoder.micro_batch", "10", "images", 1, 65536, "As gan.micro_batch, of the encoder."),
    REAL("encoder.lr", "2e-4", "", 0, 1, "Learning rate of the encoder."),
    INTEGER("encoder.sanity_steps", "0", "", 0, 1e12,
            "Steps of a second encoder that the pipeline trains on generated pairs with the loss z, the paper's sanity "
            "experiment. 0: none."),

    REAL("stats.density_min", "1e-3", "particles per pixel", 1e-30, 1e30,
         "Lower end of the density bins; what is below is counted as underflow."),
    REAL("stats.density_max", "1e4", "particles per pixel", 1e-30, 1e30,
         "Upper end of the density bins; what is above is counted as overflow."),
    INTEGER("stats.density_bins", "60", "", 1, 100000, "Number of density bins, equal in the logarithm."),
    CHOICE("stats.threshold_scope", "set", "set|image",
           "Over what the densest n % of the overlap are taken: the whole set of maps, or each image by itself."),

    INTEGER("generate.count", "1000", "maps", 1, 1e9, "Number of maps that generate makes.")};

const int options_count = sizeof options / sizeof options[0];

const option *options_find(const char *key)
{
    for (int i = 0; i < options_count; i++)
        if (strcmp(options[i].key, key) == 0) return &options[i];
    return NULL;
}

const char *options_type_text(const option *o)
{
    switch (o->type) {
    case OPTION_INTEGER:
        return "integer";
    case OPTION_REAL:
        return "number";
    case OPTION_FLAG:
        return "true or false";
    case OPTION_TEXT:
        return "text";
    case OPTION_CHOICE:
        return "choice";
    case OPTION_LIST:
        return "list of numbers";
    case OPTION_INTEGER_LIST:
        return "list of integers";
    }
    return "";
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

int options_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 }; /* longer words are no keys */
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST) return INT_MAX;
    int rows[3][LONGEST + 1]; /* of the table of distances between beginnings of a and b: the last two and this one */
    int *older = rows[0], *old = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++) old[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(least(old[j] + 1, row[j - 1] + 1), old[j - 1] + (a[i - 1] != b[j - 1]));
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = least(row[j], older[j - 2] + 1);
        }
        int *oldest = older;
        older = old, old = row, row = oldest;
    }
    return old[m];
}

const char *options_suggest(const char *key)
{
    const char *best = NULL, *dot = strchr(key, '.'), *name = dot ? dot + 1 : key;
    int nearest = 2 + (int)strlen(key) / 4; /* this far is too far */
    for (int i = 0; i < options_count; i++) {
        const char *its_name = strchr(options[i].key, '.') + 1;
        int d = options_distance(key, options[i].key);
        /* The right name in a wrong section or in none is as near as one typing error. */
        if (strlen(name) > 1 && strcmp(name, its_name) == 0) d = least(d, 1);
        if (d < nearest) nearest = d, best = options[i].key;
    }
    return best;
}
