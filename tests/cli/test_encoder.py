"""The command train encoder: what it takes over from the GAN, its files, its losses, the best by validation, every way to
stop and to go on, and what it must refuse."""
import json
import os
import random
import shutil
import signal
import subprocess

import h5py
import numpy as np
import pytest

from training import (TINY, call, datasets, epochs, fields, metrics, run, same_results, sets, start, steps_done, temporaries,
                      wait_until, write_maps)

ENCODER = sets(encoder__batch=6, encoder__micro_batch=3, encoder__save_every=10, encoder__lr=2e-3)
LONG = [*ENCODER, "--loss", "pixel", "--steps", 120]


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5", fields(12, 32))


@pytest.fixture(scope="module")
def gan(maps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gan")
    run("train", "gan", maps, *TINY, "--steps", 30, *sets(gan__save_every=10, network__norm="batch"), "-o", folder)
    return folder


@pytest.fixture(scope="module")
def whole(maps, gan, tmp_path_factory):
    """A run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    done = run("train", "encoder", maps, gan, *LONG, "-o", folder)
    (folder / "log").write_text(done.stderr)
    return folder


def validations(folder):
    return {row["step"]: row["validation_loss"] for row in metrics(folder) if "validation_loss" in row}


def same_runs(a, b):
    same_results(a, b)
    assert datasets(a / "best.h5") == datasets(b / "best.h5")


def test_files_of_a_run(whole):
    assert sorted(os.listdir(whole)) == ["best.h5", "epochs", "log", "metrics.jsonl", "state.h5", "state.previous.h5"]
    assert epochs(whole) == [f"{n:04d}.h5" for n in range(1, 13)]
    rows = [r for r in metrics(whole) if "validation_loss" not in r]
    assert [r["step"] for r in rows] == list(range(1, 121))
    for r in rows:
        assert list(r) == ["step", "epoch", "loss", "lr", "samples_s", "seconds", "hash"]
        assert r["epoch"] == (r["step"] - 1) // 96 and r["loss"] > 0 and r["samples_s"] > 0
    assert list(validations(whole)) == list(range(10, 121, 10))
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_the_best_is_the_epoch_of_the_least_validation_loss(whole):
    losses = validations(whole)
    best = min(losses, key=losses.get)
    assert datasets(whole / "best.h5") == datasets(whole / f"epochs/{best // 10:04d}.h5")
    assert f"best: {whole}/best.h5, of step {best}, validation loss {losses[best]:.6g}" in (whole / "log").read_text()
    with h5py.File(whole / "state.h5") as f:
        assert f["progress"].attrs["best_step"] == best
        np.testing.assert_allclose(f["progress"].attrs["best_loss"], losses[best], rtol=1e-8)


def test_an_epoch_holds_all_that_inference_needs(whole, gan, maps):
    trained = datasets(gan / "epochs/0003.h5")
    made, state = datasets(whole / "epochs/0012.h5"), datasets(whole / "state.h5")
    for name in ("generator/dense.weight", "generator/conv.1.weight", "generator/conv.0.norm.running_mean"):
        assert made[name] == state[name] == trained[name], name  # frozen: never written to
    assert not any(name.startswith(("discriminator", "adam")) for name in made)
    assert not any(name.startswith("adam/generator") for name in state)
    with h5py.File(whole / "epochs/0012.h5") as f:
        assert f["encoder/dense.weight"].shape == (8, 256) and f["encoder/conv.1.norm.weight"].shape == (16,)
        assert (f["progress"].attrs["step"], f["progress"].attrs["epoch"]) == (120, 1)
        made = f["provenance"].attrs
        assert made["inputs"] == 2 and str(maps) in made["input_hashes"] and "epochs/0003.h5" in made["input_hashes"]
        # The split is the GAN's, though nothing was said of it.
        for line in ("validation = 2", "test = 2", "latent = 8", "norm = batch", "filters = 8,16"):
            assert line in made["configuration"].replace("8, 16", "8,16"), line


def test_the_validation_loss_is_that_of_the_inferred_maps(whole, maps, tmp_path):
    """Pixels of the validation maps' four crops, transformed in float64 from what infer writes."""
    run("infer", maps, whole / "epochs/0012.h5", "--split", "validation", "-o", tmp_path / "pairs.h5")
    with h5py.File(tmp_path / "pairs.h5") as f:
        a, b = np.log(.01), np.log(600)
        x, y = ((2 * np.log(f[name][()].astype("f8") / 4) - (b + a)) / (b - a) for name in ("truth", "maps"))
    assert len(x) == 8
    np.testing.assert_allclose(((x - y)**2).sum((1, 2)).mean(), validations(whole)[120], rtol=2e-4)


@pytest.mark.parametrize("loss", ["latent", "z"])
def test_other_losses_train(maps, gan, tmp_path, loss):
    run("train", "encoder", maps, gan, *ENCODER, "--loss", loss, "--steps", 40, "-o", tmp_path)
    losses = validations(tmp_path)
    assert losses[40] < losses[10]
    assert ("discriminator/conv.0.weight" in datasets(tmp_path / "state.h5")) == (loss == "latent")
    if loss == "z":  # E knows nothing at first: the mean of |z|^2 over latents of length 8
        assert 4 < metrics(tmp_path)[0]["loss"] < 14


def test_the_same_seed_gives_the_same_bits(whole, maps, gan, tmp_path):
    run("train", "encoder", maps, gan, *ENCODER, "--loss", "pixel", "--steps", 20, "-o", tmp_path)
    for name in epochs(tmp_path):
        assert datasets(tmp_path / "epochs" / name) == datasets(whole / "epochs" / name)


def test_the_loss_z_needs_no_maps_held_out(maps, tmp_path):
    none = sets(dataset__validation=0)
    run("train", "gan", maps, *TINY, *none, "--steps", 1, "-o", tmp_path / "gan")
    encode = ["train", "encoder", maps, tmp_path / "gan", *ENCODER, "--steps", 1, "-o", tmp_path / "encoder", "--loss"]
    run(*encode, "latent", status=2, says=["dataset.validation = 0"])
    run(*encode, "z")
    assert validations(tmp_path / "encoder")


def test_turning_of_the_maps_is_the_gans(maps, tmp_path):
    run("train", "gan", maps, *TINY, *sets(dataset__rotate="false"), "--steps", 1, "-o", tmp_path / "gan")
    run("train", "encoder", maps, tmp_path / "gan", *ENCODER, "--loss", "z", "--steps", 1, "-o", tmp_path / "encoder")
    with h5py.File(tmp_path / "encoder/best.h5") as f:
        assert "rotate = false" in f["provenance"].attrs["configuration"]


def test_which_epoch_of_the_gan(maps, gan, tmp_path):
    chosen = shutil.copytree(gan, tmp_path / "gan")
    (chosen / "select.json").write_text(json.dumps({"best": {"epoch": 2}}))
    for options, epoch in (([], 2), (["--epoch", 1], 1)):
        done = run("train", "encoder", maps, chosen, *ENCODER, "--loss", "z", "--steps", 1, *options, "-o", tmp_path / "e", "--force")
        assert f"epochs/000{epoch}.h5 (step {epoch}0)" in done.stderr
        name = "generator/conv.0.weight"
        assert datasets(tmp_path / "e/best.h5")[name] == datasets(gan / f"epochs/000{epoch}.h5")[name]


# ---- stopping and going on


def test_an_end_between_saved_epochs_leaves_no_trace(whole, maps, gan, tmp_path):
    """With an end at 27 there is a validation at 27, whose weights are the best so far; going on undoes it."""
    arguments = ["train", "encoder", maps, gan, *ENCODER, "--loss", "pixel", "-o", tmp_path]
    run(*arguments, "--steps", 27)
    assert list(validations(tmp_path)) == [10, 20, 27]
    best = datasets(tmp_path / "best.h5")
    assert best["step, epoch, chain"][0] == 27, "the loss no longer falls: choose another end"
    run(*arguments, "--steps", 27, "--resume")  # nothing left to do
    assert datasets(tmp_path / "best.h5") == best and list(validations(tmp_path)) == [10, 20, 27]
    run(*arguments, "--steps", 120, "--resume")
    same_runs(tmp_path, whole)


def test_an_end_at_a_stop_is_saved(maps, gan, tmp_path):
    """A run stopped at 13 whose end is now 13: as if nobody had stopped it, though the state alone was saved."""
    arguments = ["train", "encoder", maps, gan, *ENCODER, "--loss", "pixel", "--steps", 13]
    run(*arguments, "-o", tmp_path / "good")
    folder = shutil.copytree(tmp_path / "good", tmp_path / "stopped")
    (folder / "epochs/0002.h5").unlink()
    (folder / "best.h5").unlink()
    done = run(*arguments, "-o", folder, "--resume")
    same_runs(folder, tmp_path / "good")
    assert f"best: {folder}/best.h5, of step" in done.stderr
    before = (folder / "state.h5").read_bytes()
    run(*arguments, "-o", folder, "--resume")  # nothing left to do
    assert (folder / "state.h5").read_bytes() == before


def test_a_stopped_run_goes_on(whole, maps, gan, tmp_path):
    process = start("train", "encoder", maps, gan, *map(str, LONG), "-o", tmp_path)
    wait_until(lambda: steps_done(tmp_path) > 3, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75 and " --resume" in errors, errors
    run("train", "encoder", maps, gan, *LONG, "-o", tmp_path, "--resume")
    same_runs(tmp_path, whole)


def test_killed_runs_lose_nothing(whole, maps, gan, tmp_path):
    moments = random.Random(3)
    run("train", "encoder", maps, gan, *ENCODER, "--loss", "pixel", "--steps", 10, "-o", tmp_path)
    for _ in range(3):
        process = start("train", "encoder", maps, gan, *map(str, LONG), "-o", tmp_path, "--resume")
        before = steps_done(tmp_path)
        wait_until(lambda: steps_done(tmp_path) > before, process)
        try:
            process.wait(moments.uniform(0, .1))
        except subprocess.TimeoutExpired:
            pass
        process.kill()
        process.communicate()
    run("train", "encoder", maps, gan, *LONG, "-o", tmp_path, "--resume")
    same_runs(tmp_path, whole)
    assert not temporaries(tmp_path)


def test_a_best_of_work_that_is_done_again_is_put_back(whole, maps, gan, tmp_path):
    """As after a kill between best.h5 and the state: a best that the state knows nothing of."""
    run("train", "encoder", maps, gan, *ENCODER, "--loss", "pixel", "--steps", 20, "-o", tmp_path)
    shutil.copy(whole / "epochs/0012.h5", tmp_path / "best.h5")
    run("train", "encoder", maps, gan, *ENCODER, "--loss", "pixel", "--steps", 20, "-o", tmp_path, "--resume")
    assert datasets(tmp_path / "best.h5")["step, epoch, chain"][0] == 20
    (tmp_path / "state.h5").write_bytes(b"damaged")
    run("train", "encoder", maps, gan, *LONG, "-o", tmp_path, "--resume")
    same_runs(tmp_path, whole)


def test_nothing_else_is_mixed_in(whole, maps, gan, tmp_path):
    folder = shutil.copytree(whole, tmp_path / "run")
    before = (folder / "state.h5").read_bytes()
    arguments = [*LONG[:-1], 130, "-o", folder, "--resume"]
    run("train", "encoder", maps, gan, *arguments, "--epoch", 1, status=2, says=["was made with another GAN", "0001.h5"])
    run("train", "encoder", maps, gan, *arguments, *sets(encoder__loss="z"), status=2, says=["made with encoder.loss"])
    run("train", "encoder", maps, gan, *arguments, *sets(gan__beta1=.9), status=2, says=["made with gan.beta1"])
    other = write_maps(tmp_path / "other.h5", fields(12, 32, seed=6))
    run("train", "encoder", other, gan, *arguments, status=2, says=["was made with other maps", str(other)])
    run("train", "encoder", maps, gan, *LONG, "-o", folder, status=2, says=["holds a training run", "--resume", "--force"])
    assert (folder / "state.h5").read_bytes() == before
    done = run("train", "encoder", maps, gan, *ENCODER, "--loss", "z", "--steps", 3, "-o", folder, "--force")
    assert "removing the run" in done.stderr and epochs(folder) == ["0001.h5"]
    assert datasets(folder / "best.h5")["step, epoch, chain"][0] == 3


def test_a_gradient_that_is_not_finite_stops_the_run(whole, maps, gan, tmp_path):
    arguments = ["train", "encoder", maps, gan, *LONG, "-o", tmp_path]
    run(*arguments, status=1, says=["step 14: the gradient of encoder/conv.0.weight is not finite", "nonfinite.h5",
                                    "smaller encoder.lr", "last good state"], COSMOCL_INJECT_NAN=14)
    with h5py.File(tmp_path / "nonfinite.h5") as f:
        assert set(f["gradient"]) == {"encoder"} and np.isnan(f["gradient/encoder/conv.0.weight"][()]).sum() == 1
        assert f["progress"].attrs["step"] == 14 and "generator" in f and "adam/encoder/conv.0.weight.m" in f
    run(*arguments, "--resume")
    same_runs(tmp_path, whole)


# ---- refusals


@pytest.mark.parametrize("options, says", [
    (sets(dataset__test=3), ["the GAN was made with dataset.test = 2, not 3", "leave the key out"]),
    (sets(network__latent=9), ["network.latent = 8, not 9"]),
    (["--seed", "4"], ["run.seed = 1, not 4"]),
    (sets(encoder__batch=600), ["576 training sub-images", "one batch of 600", "encoder.batch"]),
    (["--loss", "both"], ["encoder.loss", "latent|pixel|z"]),
    (["--epoch", "x"], ["--epoch x"]),
])
def test_refused_options(maps, gan, tmp_path, options, says):
    run("train", "encoder", maps, gan, *ENCODER, "--steps", 2, *options, "-o", tmp_path / "run", status=2, says=says)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("attributes, values, code, says", [
    (dict(transform="log", a=-4., b=6., unit="overdensity"), fields(12, 32), 2, ["its transform", "a = -4", "trained on"]),
    ({}, fields(12, 48), 2, ["24 × 24 pixels", "16 × 16", "dataset.crop=16"]),
    (dict(mean=None), fields(12, 32), 6, ["mean"]),
])
def test_refused_maps(gan, tmp_path, attributes, values, code, says):
    path = write_maps(tmp_path / "bad.h5", values, **attributes)
    run("train", "encoder", path, gan, *ENCODER, "--steps", 2, "-o", tmp_path / "run", status=code, says=says)
    assert not (tmp_path / "run").exists()


def test_maps_of_another_scale_are_said(gan, tmp_path):
    path = write_maps(tmp_path / "wide.h5", fields(12, 32), box_mpc_h=200., mean=5.)
    done = run("train", "encoder", path, gan, *ENCODER, "--loss", "z", "--steps", 1, "-o", tmp_path / "run")
    for words in ("not the file that the GAN was trained on", "is 100 Mpc/h wide", "was trained on 50", "its mean is 5"):
        assert words in done.stderr, done.stderr


def test_refused_gans(maps, gan, whole, tmp_path):
    run("train", "encoder", maps, tmp_path / "none", "-o", tmp_path / "run", status=6, says="none")
    run("train", "encoder", maps, whole, "--loss", "latent", *ENCODER, "--steps", 1, "-o", tmp_path / "run", status=6,
        says=["best.h5", "discriminator"])
    run("train", "encoder", maps, status=2, says="MAPS RUN")
    lonely = tmp_path / "lonely"
    run("train", "gan", maps, *TINY, "--steps", 1, *sets(dataset__validation=0), "-o", lonely)
    run("train", "encoder", maps, lonely, *ENCODER, "--steps", 1, "-o", tmp_path / "run", status=2, says="dataset.validation = 0")
    assert not (tmp_path / "run").exists()


def test_every_failed_write(maps, gan, tmp_path):
    """The n-th step of writing fails; each failed run goes on to the same end."""
    arguments = ["train", "encoder", maps, gan, *ENCODER, *sets(encoder__save_every=1), "--loss", "z", "--steps", 2]
    run(*arguments, "-o", tmp_path / "good")
    failed = 0
    for n in range(1, 40, 9):
        folder = tmp_path / str(n)
        r = call(*arguments, "-o", folder, COSMOCL_FAIL_WRITE=n)
        if r.returncode:
            failed += 1
            assert r.returncode == 1 and "No space left" in r.stderr, r.stderr
            flags = ["--resume"] if any((folder / f"state{x}.h5").exists() for x in ("", ".previous")) else []
            run(*arguments, "-o", folder, *flags)
        same_runs(folder, tmp_path / "good")
    assert failed >= 3
