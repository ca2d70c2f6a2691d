/* The program: a table of commands and what is common to them. A new command is a row here, a declaration in command.h
 * and a file of its own. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <cosmocl/version.h>

#include "commands/command.h"

#ifndef COSMOCL_COMMIT
#define COSMOCL_COMMIT "unknown"
#endif

#define MACHINE "The machine"
#define PARTICLES "From particles to maps"
#define TRAINING "Training"
#define RESULTS "From networks to results"
#define SETTINGS "Settings"

#define FLAG_LENGTH_UNIT                                                                                               \
    {                                                                                                                  \
        "length-unit", "UNIT", "unit of the positions where the file does not say: Mpc/h, kpc/h or Mpc", NULL, NULL    \
    }
#define FLAG_EPOCH                                                                                                     \
    {                                                                                                                  \
        "epoch", "N", "saved epoch to use where a run is given; the selected one by default", NULL, NULL               \
    }

/* clang-format off */
const command_row command_rows[] = {
    {MACHINE, "devices", "", 0, 0, "list the OpenCL devices and what they can do",
     command_devices, "run", "cosmocl devices --json", {{0}}},
    {MACHINE, "doctor", "", 0, 0, "find what is wrong with this machine's set-up, and how to mend it",
     command_doctor, "run", "cosmocl doctor", {{0}}},
    {MACHINE, "selftest", "", 0, 0, "check every kernel on the device against plain C",
     command_selftest, "run", "cosmocl selftest --device gpu",
     {{"quick", NULL, "the small sizes of our own kernels alone", NULL, NULL}}},
    {MACHINE, "tune", "", 0, 0, "find the fastest kernel shapes of the device that are right",
     command_tune, "run, simulate, maps, dataset, network, gan", "cosmocl tune --preset paper2d --minutes 20",
     {{"minutes", "M", "time to spend; the same command goes on where it ended", "10", NULL},
      {"layers", "TEXT", "only those with this in their name, such as backward_weights or 64x64x32", NULL, NULL}}},
    {MACHINE, "bench", "NAME...", 0, -1, "measure how fast the device is (no NAME: lists the workloads)",
     command_bench, "all", "cosmocl bench gan-step --preset quick2d --repeat 10 --json",
     {{"repeat", "N", "times each workload is run", "5", NULL},
      {"profile", NULL, "time, rates and share of the device's peak of every kernel", NULL, "run.profile"}}},
    {MACHINE, "memory", "", 0, 0, "say how much memory each stage needs, and whether it fits",
     command_memory, "all", "cosmocl memory --preset paper2d", {{0}}},
    {MACHINE, "cache", "", 0, 0, "show or clear the cache of built kernels",
     command_cache, "run", "cosmocl cache --clear", {{"clear", NULL, "remove everything in it", NULL, NULL}}},

    {PARTICLES, "simulate", "", 0, 0, "run N-body boxes and write snapshots",
     command_simulate, "run, cosmology, simulate", "cosmocl simulate --preset quick2d -o boxes",
     {{"initial", "SNAPSHOT", "evolve these particles instead of making initial conditions", NULL, NULL},
      {"mesh", "N", "cells of the force mesh per side", NULL, "simulate.mesh"},
      {"steps", "K", "time steps", NULL, "simulate.steps"},
      {"boxes", "N", "number of boxes", NULL, "simulate.boxes"},
      {"a-end", "A", "scale factor at the end, with --initial", "1", NULL},
      FLAG_LENGTH_UNIT}},
    {PARTICLES, "snapshot info", "SNAPSHOT...", 1, -1, "say what is in particle files of any known kind",
     command_snapshot_info, "", "cosmocl snapshot info snapdir_005/snap_005.0", {FLAG_LENGTH_UNIT}},
    {PARTICLES, "snapshot convert", "SNAPSHOT", 1, 1, "write a particle file of any known kind as one of ours",
     command_snapshot_convert, "", "cosmocl snapshot convert snap_005.hdf5 --precision single -o snap.h5",
     {{"format", "KIND", "kind of file to write: hdf5 (ours)", "hdf5", NULL},
      {"precision", "WHAT", "positions as single, double or the same as in the file", "same", NULL}, FLAG_LENGTH_UNIT}},
    {PARTICLES, "snapshot power", "SNAPSHOT...", 1, -1, "compute the power spectrum of the particles",
     command_snapshot_power, "run, simulate", "cosmocl snapshot power boxes/box_0000_z0.00.h5",
     {{"mesh", "N", "cells of the mesh per side", NULL, NULL}, FLAG_LENGTH_UNIT}},
    {PARTICLES, "maps", "SNAPSHOT...", 1, -1, "make density maps: DTFE of 2D boxes, slices of 3D boxes",
     command_maps, "run, maps", "cosmocl maps boxes/*_z0.00.h5 -o maps.h5",
     {{"pixels", "N", "pixels per side of a 2D map", NULL, "maps.pixels"},
      FLAG_LENGTH_UNIT}},
    {PARTICLES, "maps import", "FILE", 1, 1, "make a maps file of images in .npy, FITS or HDF5",
     command_maps_import, "", "cosmocl maps import images.npy -o maps.h5",
     {{"dataset", "PATH", "dataset of an HDF5 file, or HDU of a FITS file (name or number from 0)", NULL, NULL},
      {"box-mpc-h", "L", "side of an image in Mpc/h", "1", NULL},
      {"unit", "UNIT", "unit of the values, for the labels", NULL, NULL},
      {"transform", "KIND", "log, log-offset or linear; by default what suits the values", NULL, NULL},
      {"minimum", "V", "value that the networks see as -1 (log: above 0); a little below the smallest by default", NULL, NULL},
      {"maximum", "V", "value that they see as 1; a little above the largest by default", NULL, NULL},
      {"channel", "N|mean", "which channel of colour images, from 0, or their mean", NULL, NULL}}},

    {TRAINING, "dataset info", "MAPS", 1, 1, "say what a maps file yields: sub-images, split, pixels out of range",
     command_dataset_info, "run, maps, dataset", "cosmocl dataset info maps.h5 --preset quick2d", {{0}}},
    {TRAINING, "dataset export", "MAPS", 1, 1, "write the sub-images as a file for other tools",
     command_dataset_export, "run, maps, dataset", "cosmocl dataset export maps.h5 --split train -o train.h5",
     {{"split", "NAME", "train, validation or test", "train", NULL}}},
    {TRAINING, "train gan", "MAPS", 1, 1, "train generator and discriminator",
     command_train_gan, "run, maps, dataset, network, gan", "cosmocl train gan maps.h5 --preset quick2d -o run",
     {{"epochs", "N", "passes over the training maps", NULL, "gan.epochs"},
      {"steps", "K", "steps in all", NULL, "gan.steps"}}},
    {TRAINING, "train encoder", "MAPS RUN", 2, 2, "train the encoder of the autoencoder on a trained GAN",
     command_train_encoder, "run, maps, dataset, network, encoder",
     "cosmocl train encoder maps.h5 run --loss latent -o encoder",
     {{"loss", "KIND", "latent, pixel, or z for the sanity experiment", NULL, "encoder.loss"},
      {"epochs", "N", "passes over the training maps", NULL, "encoder.epochs"},
      {"steps", "K", "steps in all", NULL, "encoder.steps"}, FLAG_EPOCH}},
    {TRAINING, "verify", "RUN", 1, 1, "replay a part of a training run here and compare its hash chain",
     command_verify, "run", "cosmocl verify run --from 100 --steps 50",
     {{"from", "STEP", "steps done where to begin, 0 for the first weights; by default the last state but one", NULL, NULL},
      {"steps", "K", "number of steps; by default to the end of the run", NULL, NULL},
      {"maps", "MAPS", "the maps file that the run was trained on, if it has moved", NULL, NULL}}},

    {RESULTS, "select", "RUN", 1, 1, "score every saved epoch on the validation maps and name the best",
     command_select, "run, dataset, stats", "cosmocl select run --maps maps.h5",
     {{"maps", "MAPS", "the maps file that the run was trained on, if it has moved", NULL, NULL},
      {"count", "N", "maps generated per epoch", NULL, NULL}}},
    {RESULTS, "generate", "CHECKPOINT", 1, 1, "make new maps from random latents",
     command_generate, "run, generate", "cosmocl generate run --count 400 -o generated.h5",
     {{"count", "N", "number of maps", NULL, "generate.count"},
      {"latents", "FILE", "take the latents of this file's dataset /latent", NULL, NULL},
      {"baseline", "KIND", "maps of a baseline: untrained, or gaussian (densities and spectrum of the training maps)",
       NULL, NULL},
      {"maps", "MAPS", "for gaussian: the maps file that the run was trained on, if it has moved", NULL, NULL},
      FLAG_EPOCH}},
    {RESULTS, "infer", "MAPS CHECKPOINT", 2, 2, "encode maps and decode them again: pairs of truth and inference",
     command_infer, "run, dataset", "cosmocl infer maps.h5 encoder/best.h5 -o pairs.h5",
     {{"split", "NAME", "train, validation, test or all", "test", NULL}, FLAG_EPOCH}},
    {RESULTS, "stats", "", 0, 0, "compute all statistics of two sets of maps",
     command_stats, "run, stats, dataset", "cosmocl stats --truth maps.h5 --model generated.h5 -o stats.h5",
     {{"truth", "MAPS", "maps to compare with", NULL, NULL},
      {"model", "MAPS", "maps to judge", NULL, NULL},
      {"pairs", "FILE", "inferred maps with their truths (instead of --truth and --model): also how well each pair agrees",
       NULL, NULL},
      {"split", "NAME", "part of the truth's maps: train, validation, test or all", "all", NULL},
      {"crop", "N", "side of the images that are compared", NULL, "dataset.crop"},
      {"density-min", "V", "lower end of the density bins", NULL, "stats.density_min"},
      {"density-max", "V", "upper end of the density bins", NULL, "stats.density_max"},
      {"density-bins", "N", "number of density bins", NULL, "stats.density_bins"},
      {"threshold-scope", "KIND", "with --pairs: the densest pixels of the whole set or of each image", NULL,
       "stats.threshold_scope"}}},
    {RESULTS, "report", "RUN", 1, 1, "draw figures and tables and one HTML page of a run's folder",
     command_report, "", "cosmocl report runs/quick2d -o report.html", {{0}}},
    {RESULTS, "export", "CHECKPOINT", 1, 1, "write a checkpoint as safetensors",
     command_export, "", "cosmocl export run/epochs/0020.h5 -o weights.safetensors", {FLAG_EPOCH}},
    {RESULTS, "import", "SAFETENSORS", 1, 1, "make a checkpoint of safetensors",
     command_import, "network", "cosmocl import weights.safetensors --preset paper2d -o checkpoint.h5", {{0}}},
    {RESULTS, "pipeline", "PRESET", 1, 1, "run all stages in order, skipping those that are up to date",
     command_pipeline, "all", "cosmocl pipeline quick2d -o runs/quick2d",
     {{"dry-run", NULL, "say what would be done", NULL, NULL},
      {"scale", "F", "run this share of the boxes and of the steps", "1", NULL}}},

    {SETTINGS, "config explain", "[KEY|SECTION]", 0, 1, "explain the keys of the configuration",
     command_config_explain, "", "cosmocl config explain gan.loss",
     {{"ini", NULL, "as a configuration file with comments", NULL, NULL}}},
    {SETTINGS, "config show", "[FILE.h5]", 0, 1, "print the effective configuration, or that which made a file",
     command_config_show, "", "cosmocl config show run/epochs/0020.h5", {{0}}},
    {0}};
/* clang-format on */

static void print_version(bool json)
{
    if (json)
        printf("{\"version\": \"%s\", \"commit\": \"%s\"}\n", COSMOCL_VERSION, COSMOCL_COMMIT);
    else
        printf("cosmocl %s (%s)\n", COSMOCL_VERSION, COSMOCL_COMMIT);
}

static status run_command(context *c, const command_line *line)
{
    if (line->version) {
        print_version(line->json);
        return STATUS_OK;
    }
    if (line->completion) {
        help_completion_bash();
        return STATUS_OK;
    }
    if (line->help) {
        if (line->row)
            help_command(line->row);
        else
            help_overview();
        return STATUS_OK;
    }
    if (!line->row->run) return context_fail(c, STATUS_USAGE, "%s: is not in this build", line->row->name);
    return line->row->run(c, line);
}

/* What was printed may still fail to reach a full disk. A reader that went away (`| head`) is no error to report. */
static status flush_results(context *c, status s)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return s;
    if (s != STATUS_OK || errno == EPIPE) return s == STATUS_OK ? STATUS_FAILURE : s;
    return context_fail(c, STATUS_FAILURE, "standard output: cannot write: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    /* The level is needed before the rest of the line is parsed: parsing may warn. */
    log_level level = LOG_INFO;
    bool quiet = false;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--verbose") == 0 || strcmp(argv[i], "-v") == 0) level = LOG_DEBUG;
        if (strcmp(argv[i], "--quiet") == 0 || strcmp(argv[i], "-q") == 0) quiet = true;
    }
    context_sinks sinks = terminal_sinks(quiet ? LOG_WARNING : level, quiet);
    context *c = context_new(&sinks);
    if (!c) {
        terminal_error(STATUS_MEMORY, "no memory to start");
        return STATUS_MEMORY;
    }
    signal(SIGPIPE, SIG_IGN); /* a closed pipe must not end a training run */
    terminal_catch_signals(c);
    command_line line = {0};
    status s = command_line_parse(c, argc, argv, &line);
    if (s == STATUS_OK) s = run_command(c, &line);
    s = flush_results(c, s);
    if (s != STATUS_OK && (context_message(c)[0] || errno != EPIPE)) terminal_error(s, context_message(c));
    command_line_delete(&line);
    terminal_catch_signals(NULL);
    context_delete(&c);
    return s;
}
