"""The command verify: runs of the GAN and of the encoder over again, from the first weights and from states, whole and in
pieces; what was changed is named."""
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from training import TINY, call, fields, metrics, run, sets, write_maps


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5", fields(12, 32))


@pytest.fixture(scope="module")
def gan(maps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gan")
    run("train", "gan", maps, *TINY, "--steps", 30, *sets(gan__save_every=10, network__norm="batch", gan__average=.9), "-o", folder)
    return folder


@pytest.fixture(scope="module")
def encoder(maps, gan, tmp_path_factory):
    """Ends between two saved epochs."""
    folder = tmp_path_factory.mktemp("encoder")
    run("train", "encoder", maps, gan, *sets(encoder__batch=6, encoder__micro_batch=3, encoder__save_every=10), "--steps", 27,
        "-o", folder)
    return folder


@pytest.fixture
def copy(gan, tmp_path):
    return Path(shutil.copytree(gan, tmp_path / "run"))


def verify(*arguments, **environment):
    done = call("verify", *arguments, "--json", **environment)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    assert (found["verdict"] == "same") == (done.returncode == 0)
    return found, done.stderr


@pytest.mark.parametrize("options, steps, start, fingerprints, links", [
    # each epoch has weights and the chain of the link before it; states have a chain of their own
    ([], (21, 30), "state.previous.h5", 10, 2),
    (["--from", 0], (1, 30), "first weights", 30, 8),
    (["--from", 20], (21, 30), "state.previous.h5", 10, 2),
    (["--from", 25, "--steps", 2], (21, 27), "state.previous.h5", 7, 0),
    (["--from", 5, "--steps", 6], (1, 11), "first weights", 11, 3),
    (["--from", 0, "--steps", 400], (1, 30), "first weights", 30, 8),
])
def test_the_same(gan, options, steps, start, fingerprints, links):
    found, errors = verify(gan, *options)
    assert found["verdict"] == "same" and found["trained"] == "gan"
    assert (found["first_step"], found["last_step"], found["start"]) == (*steps, start)
    assert (found["fingerprints"], found["links"]) == (fingerprints, links)
    assert found["made"] == found["replayed"] and found["made"]["device"] != "none"
    assert ("no state is kept between" in errors) == (options[1:2] in ([25], [5]))


def test_in_words(gan):
    done = run("verify", gan)
    for words in ("steps         21 to 30, from state.previous.h5", "fingerprints  10", "links         2", "made on",
                  "replayed on", "verdict       same"):
        assert words in done.stdout


def test_nothing_is_written(copy):
    before = {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()}
    verify(copy, "--from", 0)
    assert {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("tile", ["vector=4", "vector=8,rows=3,group=2"])
def test_the_shape_of_kernels_does_not_matter(gan, encoder, tile):
    for folder in (gan, encoder):
        assert verify(folder, "--from", 0, COSMOCL_CONV_TILE=tile)[0]["verdict"] == "same"


def test_encoders(encoder):
    found, _ = verify(encoder, "--from", 0)
    assert (found["trained"], found["verdict"], found["last_step"], found["fingerprints"]) == ("encoder", "same", 27, 27)
    found, _ = verify(encoder)
    assert (found["verdict"], found["first_step"], found["start"]) == ("same", 21, "state.previous.h5")


def test_another_seed_differs_at_once(gan, encoder):
    for folder in (gan, encoder):
        found, errors = verify(folder, "--from", 0, "--seed", 2)
        assert found["first_differing_step"] == 1 and found["differing_file"] == "epochs/0001.h5"
        assert "first step that differs is 1" in errors and found["differing_tensor"].endswith("weight")


def test_a_changed_row_of_the_metrics(copy):
    lines = (copy / "metrics.jsonl").read_text().splitlines(keepends=True)
    hash = json.loads(lines[16])["hash"]
    lines[16] = lines[16].replace(hash, hash[:-1] + ("0" if hash[-1] != "0" else "1"))
    (copy / "metrics.jsonl").write_text("".join(lines))
    found, errors = verify(copy, "--from", 0)
    assert found["first_differing_step"] == 17 and "differing_file" not in found
    assert "metrics.jsonl" in errors and "the recorded hash is not the run's" in errors
    assert verify(copy)[0]["verdict"] == "same"  # behind it


@pytest.mark.parametrize("name", ["generator/conv.0.weight", "discriminator/conv.1.norm.running_var"])
def test_a_changed_epoch(copy, name):
    with h5py.File(copy / "epochs/0002.h5", "a") as f:
        f[name][-1] = np.nextafter(f[name][-1], np.float32(9))
    found, errors = verify(copy, "--from", 0)
    assert found["differing_file"] == "epochs/0002.h5" and found["differing_tensor"] == name
    assert found["last_step"] == 20 and "first_differing_step" not in found
    assert f"epochs/0002.h5: {name} differs at step 20" in errors


def test_a_changed_chain(copy):
    with h5py.File(copy / "epochs/0002.h5", "a") as f:
        f["progress"].attrs["chain"] = "0" * 64
    found, errors = verify(copy, "--from", 0)
    assert found["differing_file"] == "epochs/0002.h5" and "differing_tensor" not in found and "the hash chain" in errors
    assert found["last_step"] == 10  # the link that it is of


def test_a_changed_state(copy):
    with h5py.File(copy / "state.previous.h5", "a") as f:
        f["adam/generator/dense.weight.m"][0, 0] += 1
    run("verify", copy, status=6, says=["state.previous.h5", "do not have the hash", "--from 0"])
    found, errors = verify(copy, "--from", 0)
    assert (found["differing_file"], found["differing_tensor"]) == ("state.previous.h5", "adam/generator/dense.weight.m")


def without(folder, *names):
    """The run as one whose metrics do not have these."""
    rows = metrics(folder)
    (folder / "metrics.jsonl").write_text("".join(json.dumps({k: v for k, v in r.items() if k not in names}) + "\n" for r in rows))


def test_steps_that_were_computed_otherwise(maps, tmp_path):
    """Steps 11 to 13 of another rate than the saved epoch that they are part of says, as if a device had erred there: the
    first of them is named, and a tensor of the next epoch."""
    folder = tmp_path / "run"
    arguments = ["train", "gan", maps, *TINY, *sets(gan__save_every=10, network__norm="batch", gan__average=.9)]
    run(*arguments, "--steps", 13, "-o", folder)
    run(*arguments, *sets(gan__lr_g=1e-4), "--steps", 30, "-o", folder, "--resume")
    assert verify(folder, "--from", 0)[0]["verdict"] == "same"  # the metrics say where the rate changed
    without(folder, "lr_g", "lr_d")
    found, errors = verify(folder, "--from", 0)
    assert found["first_differing_step"] == 11 and found["differing_file"] == "epochs/0002.h5"
    assert found["differing_tensor"].startswith("generator/")
    assert found["last_step"] == 20


def test_rates_changed_at_a_saved_epoch_are_followed(maps, tmp_path):
    arguments = ["train", "gan", maps, *TINY, *sets(gan__save_every=10), "-o", tmp_path]
    run(*arguments, "--steps", 10)
    run(*arguments, *sets(gan__lr_g=1e-3, gan__lr_d=1e-3), "--steps", 20, "--resume")
    assert verify(tmp_path, "--from", 0)[0]["verdict"] == "same"
    without(tmp_path, "lr_g", "lr_d")
    assert verify(tmp_path, "--from", 0)[0]["verdict"] == "same"  # by the epochs
    (tmp_path / "epochs/0002.h5").unlink()
    assert verify(tmp_path, "--from", 0)[0]["verdict"] == "same"  # by the run where no epoch follows


def test_runs_without_states_or_fingerprints(copy):
    without(copy, "hash")
    for name in ("state.h5", "state.previous.h5"):
        (copy / name).unlink()
    found, _ = verify(copy)
    assert (found["verdict"], found["start"], found["fingerprints"], found["links"]) == ("same", "first weights", 0, 6)


def test_maps_that_moved(copy, maps, tmp_path):
    moved = shutil.copy(maps, tmp_path / "moved.h5")
    assert verify(copy, "--maps", moved)[0]["verdict"] == "same"
    other = write_maps(tmp_path / "other.h5", fields(12, 32, seed=8))
    run("verify", copy, "--maps", other, status=2, says=["other.h5", "not the file", "--maps"])
    for name in ("state.h5", "state.previous.h5"):
        with h5py.File(copy / name, "a") as f:
            at = f["provenance"].attrs
            at["input_hashes"] = at["input_hashes"].replace(str(maps), "/nonexistent/maps.h5")
    run("verify", copy, status=2, says=["/nonexistent/maps.h5", "--maps"])


def test_refusals(gan, tmp_path):
    run("verify", tmp_path, status=6, says="no training run")
    run("verify", gan, "--from", 30, status=2, says=["--from 30", "has 30 steps"])
    run("verify", gan, "--from", "x", status=2, says="--from x")
    run("verify", gan, "--steps", 0, status=2, says="--steps 0")
    run("verify", status=2, says="RUN")
