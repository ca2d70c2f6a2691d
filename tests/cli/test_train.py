"""The command train gan: its files, the same bits twice, every way to stop and to go on, every option, every input it must
refuse."""
import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from training import (PROGRAM, TINY, call, datasets, epochs, fields, metrics, run, same_results, sets, start, steps_done,
                      temporaries, wait_until, write_maps)

LONG = [*TINY, "--steps", "400", *sets(gan__save_every=10)]


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5", fields(12, 32))


@pytest.fixture(scope="module")
def whole(maps, tmp_path_factory):
    """A run that nobody disturbed, to compare the disturbed ones with."""
    folder = tmp_path_factory.mktemp("whole")
    run("train", "gan", maps, *LONG, "-o", folder)
    return folder


def test_files_of_a_run(whole, maps):
    assert sorted(os.listdir(whole)) == ["epochs", "metrics.jsonl", "state.h5", "state.previous.h5"]
    assert epochs(whole) == [f"{n:04d}.h5" for n in range(1, 41)]
    rows = metrics(whole)
    assert [r["step"] for r in rows] == list(range(1, 401))
    for r in rows:
        assert list(r) == ["step", "epoch", "loss_d", "loss_g", "accuracy_real", "accuracy_generated", "lr_g", "lr_d",
                           "samples_s", "seconds", "hash"]
        assert r["lr_g"] == r["lr_d"] == 2e-4
        assert r["epoch"] == (r["step"] - 1) // 96  # 8 training maps, 72 sub-images each, batches of 6
        assert np.isfinite([r["loss_d"], r["loss_g"]]).all() and r["samples_s"] > 0
        for a in ("accuracy_real", "accuracy_generated"):
            assert 0 <= r[a] <= 1 and abs(r[a] * 6 - round(r[a] * 6)) < 1e-6
    # An untrained discriminator knows nothing: L_D = -1/2 ln 1/2 - 1/2 ln 1/2.
    assert abs(rows[0]["loss_d"] - np.log(2)) < .01 and abs(rows[0]["loss_g"] + np.log(2) / 2) < .01


def test_an_epoch_holds_the_networks_as_pytorch_has_them(whole, maps):
    shapes = {}
    with h5py.File(whole / "epochs/0040.h5") as f:
        f.visititems(lambda name, o: shapes.__setitem__(name, o.shape) if isinstance(o, h5py.Dataset) else None)
        assert (f["progress"].attrs["step"], f["progress"].attrs["epoch"]) == (400, 4)
        assert len(f["progress"].attrs["chain"]) == 64
        made = f["provenance"].attrs
        assert made["program"] == "cosmocl" and made["seed"] == 1 and "batch = 6" in made["configuration"]
        assert made["command_line"].startswith("cosmocl train gan ") and made["inputs"] == 1
        assert made["input_hashes"].endswith(f"  {maps}") and made["device"] != "none"
        assert made["selftest"].startswith("passed")
        assert f["trained_on"].attrs["box_mpc_h"] == 50 and f["trained_on"].attrs["mean"] == 4
        assert all(np.isfinite(f[name][()]).all() for name in shapes)
    assert shapes == {
        "generator/dense.weight": (256, 8), "generator/dense.bias": (256,),
        "generator/conv.0.weight": (16, 8, 5, 5), "generator/conv.0.bias": (8,),
        "generator/conv.1.weight": (8, 1, 5, 5), "generator/conv.1.bias": (1,),
        "discriminator/conv.0.weight": (8, 1, 5, 5), "discriminator/conv.0.bias": (8,),
        "discriminator/conv.1.weight": (16, 8, 5, 5), "discriminator/conv.1.bias": (16,),
        "discriminator/dense.weight": (1, 256), "discriminator/dense.bias": (1,)}
    with h5py.File(whole / "state.h5") as f:
        assert f["adam/generator"].attrs["step"] == 400
        np.testing.assert_allclose(f["adam/generator"].attrs["beta_powers"], [.5**400, .999**400], rtol=1e-9)
        for name, shape in shapes.items():
            assert f[f"adam/{name}.m"].shape == f[f"adam/{name}.v"].shape == shape
            assert (f[f"adam/{name}.v"][()] >= 0).all() and (f[f"adam/{name}.v"][()] > 0).any()


def test_the_same_seed_gives_the_same_bits_and_another_others(whole, twenty, maps, tmp_path):
    run("train", "gan", maps, *TINY, "--steps", 20, *sets(gan__save_every=10), "-o", tmp_path, "--seed", 2)
    for name in ("0001.h5", "0002.h5"):
        assert datasets(twenty / "epochs" / name) == datasets(whole / "epochs" / name)
        other = datasets(tmp_path / "epochs" / name)
        assert all(value != other[key] for key, value in datasets(whole / "epochs" / name).items()
                   if key.endswith("weight"))


def test_what_a_run_ends_with_is_saved(maps, tmp_path):
    """Fewer steps than a whole epoch leave weights too; the whole epoch replaces them when training goes on."""
    arguments = ["train", "gan", maps, *TINY, *sets(gan__save_every=10), "-o", tmp_path]
    run(*arguments, "--steps", 13)
    assert epochs(tmp_path) == ["0001.h5", "0002.h5"]
    (tmp_path / "select.json").write_text("{}")
    run(*arguments, "--steps", 25, "--resume")
    assert not (tmp_path / "select.json").exists()  # it may name the epoch of step 13
    assert epochs(tmp_path) == ["0001.h5", "0002.h5", "0003.h5"]
    with h5py.File(tmp_path / "epochs/0002.h5") as f:
        assert f["progress"].attrs["step"] == 20
    (tmp_path / "select.json").write_text("{}")
    done = run(*arguments, "--steps", 25, "--resume")  # nothing left to do
    assert "going on from step 25" in done.stderr and len(metrics(tmp_path)) == 25 and (tmp_path / "select.json").exists()


def test_a_best_alone_is_not_removed_unasked(maps, tmp_path):
    (tmp_path / "best.h5").write_text("mine")
    arguments = ["train", "gan", maps, *TINY, "--steps", 1, "-o", tmp_path]
    run(*arguments, status=2, says=["holds a training run", "--force"])
    assert (tmp_path / "best.h5").read_text() == "mine"
    run(*arguments, "--force")
    assert not (tmp_path / "best.h5").exists()


def test_rates_of_many_digits_are_recorded_to_the_bit(maps, tmp_path):
    run("train", "gan", maps, *TINY, *sets(gan__lr_g=1.2345678901234567e-4), "--steps", 1, "-o", tmp_path)
    assert metrics(tmp_path)[0]["lr_g"] == 1.2345678901234567e-4


def test_rates_that_fall(maps, tmp_path):
    run("train", "gan", maps, *TINY, *sets(gan__decay=.5, gan__lr_d=1e-4, gan__save_every=10), "--steps", 20, "-o", tmp_path)
    for row in metrics(tmp_path):
        left = min(1, (20 - (row["step"] - 1)) / 10)
        assert row["lr_g"] == pytest.approx(2e-4 * left, rel=1e-12) and row["lr_d"] == pytest.approx(1e-4 * left, rel=1e-12)
    run("verify", tmp_path, "--from", 0)
    run("train", "gan", maps, *TINY, *sets(gan__lr_d=1e-4, gan__save_every=10), "--steps", 20, "-o", tmp_path / "steady")
    ten, twenty = ([datasets(folder / "epochs" / name) for folder in (tmp_path, tmp_path / "steady")] for name in ("0001.h5", "0002.h5"))
    assert ten[0] == ten[1] and twenty[0] != twenty[1]


def test_a_new_run_replaces_an_old_one_when_forced(maps, tmp_path):
    arguments = ["train", "gan", maps, *TINY, *sets(gan__save_every=2), "-o", tmp_path]
    run(*arguments, "--steps", 8)
    (tmp_path / "select.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "epochs/mine.h5").write_text("mine")
    run(*arguments, "--steps", 4, "--seed", 5, status=2, says=[f"{tmp_path} holds a training run", "--resume", "-o", "--force"])
    assert len(metrics(tmp_path)) == 8 and (tmp_path / "state.h5").exists() and (tmp_path / "select.json").exists()
    done = run(*arguments, "--steps", 4, "--seed", 5, "--force")
    assert "removing the run" in done.stderr
    assert epochs(tmp_path) == ["0001.h5", "0002.h5", "mine.h5"] and len(metrics(tmp_path)) == 4
    assert not (tmp_path / "select.json").exists() and (tmp_path / "notes.txt").read_text() == "mine"


# ---- stopping and going on


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_goes_on_by_the_command_it_names(whole, maps, tmp_path, number):
    folder = tmp_path / "a run"  # the command must quote it
    process = start("train", "gan", maps, *LONG, "-o", folder)
    wait_until(lambda: steps_done(folder) > 3, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75, errors
    command = errors[errors.index("go on with: ") + len("go on with: "):].strip().splitlines()[0]
    assert command.startswith("cosmocl train gan ") and command.endswith(" --resume")
    stopped = metrics(folder)[-1]["step"]
    assert f"after step {stopped} of 400" in errors and stopped < 400
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "cosmocl").symlink_to(Path(PROGRAM).resolve())
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=100,
                          env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"})
    assert done.returncode == 0 and f"going on from step {stopped}" in done.stderr, done.stderr
    same_results(folder, whole)
    assert not temporaries(folder)


def test_the_command_to_go_on_with_where_arguments_end(maps, tmp_path):
    process = start("train", "gan", *LONG, "-o", tmp_path, "--", maps,
                    env={name: value for name, value in os.environ.items() if name != "COSMOCL_CALLED_AS"})
    wait_until(lambda: steps_done(tmp_path) > 3, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75 and f"go on with: {PROGRAM} --resume train gan " in errors, errors


@pytest.fixture(scope="module")
def twenty(maps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("twenty")
    run("train", "gan", maps, *TINY, "--steps", 20, *sets(gan__save_every=10), "-o", folder)
    return folder


@pytest.fixture
def half(twenty, tmp_path):
    return Path(shutil.copytree(twenty, tmp_path / "half"))


def test_a_damaged_state_falls_back_to_the_one_before(whole, half, maps):
    state = half / "state.h5"
    data = bytearray(state.read_bytes())
    with h5py.File(state) as f:
        at = f["adam/generator/dense.weight.v"].id.get_offset()
    data[at + 5] ^= 1
    state.write_bytes(data)
    good = datasets(half / "state.previous.h5")
    arguments = ["train", "gan", maps, *TINY, *sets(gan__save_every=10), "-o", half, "--resume"]
    # The save fails as on a full disk: the good state must not have been pushed out by the damaged one.
    r = call(*arguments, "--steps", 30, COSMOCL_FAIL_WRITE="1+")
    assert r.returncode == 1 and "do not have the hash" in r.stderr, r.stderr
    assert datasets(half / "state.previous.h5") == good
    done = run(*arguments, "--steps", 400)
    assert "going on from step" in done.stderr
    same_results(half, whole)


@pytest.mark.parametrize("group, name, value", [("adam/generator", "step", 19), ("adam/discriminator", "beta_powers", [.5, .5]),
                                                ("adam/generator", "beta_powers", [.5]), ("adam/generator", "step", -1),
                                                ("progress", "step", 10)])
def test_damaged_numbers_of_a_state_are_seen(half, maps, group, name, value):
    with h5py.File(half / "state.h5", "a") as f:
        f[group].attrs[name] = value
    done = run("train", "gan", maps, *TINY, *sets(gan__save_every=10), "--steps", 22, "-o", half, "--resume")
    assert "trying the state before it" in done.stderr and "going on from step 10" in done.stderr


def test_nothing_to_resume(maps, half, tmp_path):
    folder = tmp_path / "new"
    run("train", "gan", maps, *TINY, "--steps", 3, "-o", folder, "--resume", status=6, says=["nothing to resume", str(folder)])
    assert not folder.exists()
    for name in ("state.h5", "state.previous.h5"):
        (half / name).write_bytes((half / name).read_bytes()[:5000])
    run("train", "gan", maps, *TINY, "--steps", 30, *sets(gan__save_every=10), "-o", half, "--resume", status=6,
        says=["run without --resume", "state.previous.h5"])


@pytest.mark.parametrize("key, value, before", [("network.filters", "8,24", "8,16"), ("gan.batch", "12", "6"),
                                                ("run.seed", "3", "1"), ("network.norm", "batch", "none")])
def test_another_configuration_is_not_mixed_in(maps, half, key, value, before):
    state = (half / "state.h5").read_bytes()
    run("train", "gan", maps, *TINY, *sets(gan__save_every=10), "--set", f"{key}={value}", "--steps", 30, "-o", half,
        "--resume", status=2, says=[f"{half}/state.h5 was made with {key} = {before}, not {value}", "--resume"])
    assert (half / "state.h5").read_bytes() == state


def test_other_maps_are_not_mixed_in_and_moved_ones_are(maps, half, tmp_path):
    arguments = [*TINY, *sets(gan__save_every=10), "--steps", 22, "-o", half, "--resume"]
    other = write_maps(tmp_path / "other.h5", fields(12, 32, seed=6))
    run("train", "gan", other, *arguments, status=2, says=["was made with other maps", str(other)])
    run("train", "gan", shutil.copy(maps, tmp_path / "moved.h5"), *arguments, *sets(gan__lr_g=1e-4), "--set",
        "network.filters = 8, 16")
    assert len(metrics(half)) == 22


# ---- options

# Every pair of values of every two options occurs (an orthogonal array of strength 2).
OPTIONS = [("none", "minimax", "same-z", "dcgan", "0"), ("none", "non-saturating", "fresh-z", "he", "0.9"),
           ("none", "minimax", "simultaneous", "pytorch", "0.9"), ("batch", "non-saturating", "same-z", "he", "0"),
           ("batch", "minimax", "fresh-z", "pytorch", "0"), ("batch", "minimax", "simultaneous", "dcgan", "0.9"),
           ("group", "minimax", "same-z", "pytorch", "0.9"), ("group", "minimax", "fresh-z", "dcgan", "0"),
           ("group", "non-saturating", "simultaneous", "he", "0"), ("batch", "non-saturating", "fresh-z", "pytorch", "0.9"),
           ("group", "non-saturating", "same-z", "dcgan", "0.9")]


@pytest.mark.parametrize("norm, loss, update, init, average", OPTIONS)
def test_options_train(maps, tmp_path, norm, loss, update, init, average):
    options = sets(network__norm=norm, gan__loss=loss, gan__update=update, network__init=init, gan__average=average,
                   gan__save_every=3, network__groups=4)
    run("train", "gan", maps, *TINY, *options, "--steps", 3, "-o", tmp_path)
    rows = metrics(tmp_path)
    assert len(rows) == 3 and all((r["loss_g"] > 0) == (loss == "non-saturating") for r in rows)
    with h5py.File(tmp_path / "epochs/0001.h5") as f, h5py.File(tmp_path / "state.h5") as s:
        normalised = norm != "none"
        assert ("conv.0.norm.weight" in f["generator"]) == ("conv.1.norm.weight" in f["discriminator"]) == normalised
        assert ("conv.0.norm.running_mean" in f["generator"]) == (norm == "batch")
        assert ("average" in s) == (average != "0")
        w, now = f["generator/conv.0.weight"][()], s["generator/conv.0.weight"][()]
        assert np.isfinite(w).all() and np.isfinite(f["discriminator/dense.weight"][()]).all()
        assert np.array_equal(w, now) == (average == "0")
        if average != "0":
            assert np.array_equal(w, s["average/conv.0.weight"][()])
        if average != "0" and norm == "batch":  # the running statistics are those of the averaged weights
            name = "conv.0.norm.running_var"
            assert np.array_equal(f["generator"][name][()], s["average"][name][()])
            assert not np.array_equal(f["generator"][name][()], s["generator"][name][()])


def test_options_make_a_difference(maps, tmp_path):
    seen = set()
    for i, options in enumerate([{}, {"gan__update": "fresh-z"}, {"gan__update": "simultaneous"}, {"gan__label_noise": ".3"}]):
        run("train", "gan", maps, *TINY, *sets(gan__save_every=3, **options), "--steps", 3, "-o", tmp_path / str(i))
        seen.add(datasets(tmp_path / str(i) / "epochs/0001.h5")["generator/conv.0.weight"])
    assert len(seen) == 4


def test_winograd_changes_the_last_bits_alone_and_goes_with_the_weights(maps, tmp_path):
    """Both sums give the same step but for rounding; what a GAN was trained with is what draws its images, and no run mixes them."""
    weights, images = {}, {}
    for name in ("direct", "winograd", "auto"):
        folder = tmp_path / name
        run("train", "gan", maps, *TINY, *sets(network__algorithm=name), "--steps", 1, "-o", folder)
        with h5py.File(folder / "state.h5") as f:
            weights[name] = f["generator/conv.0.weight"][:]
        run("generate", folder, "--epoch", 1, "--count", 3, "-o", folder / "new.h5")
        with h5py.File(folder / "new.h5") as f:
            images[name] = f["maps"][:]
    for values, tolerance in ((weights, 1e-4), (images, 1e-3)):
        assert not np.array_equal(values["direct"], values["winograd"])
        np.testing.assert_allclose(values["direct"], values["winograd"], rtol=tolerance, atol=1e-6)
        assert np.array_equal(values["winograd"], values["auto"])  # 8 x 8 and 16 x 16 results: whole tiles
    run("train", "gan", maps, *TINY, *sets(network__algorithm="direct"), "--steps", 2, "--resume", "-o", tmp_path / "winograd", status=2,
        says=["network.algorithm = winograd, not direct"])


def test_clblast_says_that_its_bits_are_of_this_device(maps, tmp_path):
    """Rounding alone tells it from our kernels, one device repeats it, and every output says that it is outside the guarantee."""
    weights = {}
    for name, algorithm in (("direct", "direct"), ("one", "clblast"), ("two", "clblast")):
        folder = tmp_path / name
        run("train", "gan", maps, *TINY, *sets(network__algorithm=algorithm, gan__save_every=1), "--steps", 2, "-o", folder,
            says=["outside the guarantee"] if algorithm == "clblast" else ())
        with h5py.File(folder / "epochs/0001.h5") as f:
            weights[name] = f["generator/conv.0.weight"][:]
            assert f["provenance"].attrs["selftest"] == "passed, one result: " + ("no (CLBlast)" if algorithm == "clblast" else "yes")
    np.testing.assert_allclose(weights["direct"], weights["one"], rtol=1e-4, atol=1e-6)
    assert datasets(tmp_path / "one/state.h5") == datasets(tmp_path / "two/state.h5")
    run("verify", tmp_path / "one")
    other = call("verify", tmp_path / "one", *sets(run__seed=7))
    assert other.returncode == 1 and "network.algorithm = clblast" in other.stderr and "elsewhere a difference is no fault" in other.stderr
    run("generate", tmp_path / "one", "--count", 3, "-o", tmp_path / "new.h5", says="outside the guarantee")
    with h5py.File(tmp_path / "new.h5") as f:
        assert f["provenance"].attrs["selftest"] == "passed, one result: no (CLBlast)"


@pytest.mark.parametrize("kernel", [3, 4, 5])
def test_odd_and_even_kernels_train(maps, tmp_path, kernel):
    run("train", "gan", maps, *TINY, *sets(network__kernel=kernel), "--steps", 2, "-o", tmp_path)
    with h5py.File(tmp_path / "epochs/0001.h5") as f:
        assert f["generator/conv.0.weight"].shape == (16, 8, kernel, kernel)
    assert len(metrics(tmp_path)) == 2


def test_sizes_that_are_multiples_of_nothing(tmp_path):
    maps = write_maps(tmp_path / "maps.h5", fields(12, 48))
    run("train", "gan", maps, *TINY, *sets(network__filters="5,11,3", network__latent=7, gan__batch=7, gan__micro_batch=4,
                                         dataset__crop=24, network__norm="batch"), "--steps", 2, "-o", tmp_path)
    with h5py.File(tmp_path / "epochs/0001.h5") as f:
        assert f["generator/dense.weight"].shape == (3 * 3 * 3, 7) and f["discriminator/dense.weight"].shape == (1, 27)
        assert f["generator/conv.2.weight"].shape == (5, 1, 5, 5)


# ---- refusals


@pytest.mark.parametrize("options, says", [
    (sets(dataset__crop=14), ["14", "cannot be halved 2 times", "multiple of 4"]),
    (sets(dataset__crop=40), ["dataset.crop = 40", "32 × 32"]),
    (sets(gan__batch=600), ["576 training sub-images", "one batch of 600"]),
    (sets(network__filters="1,8"), ["network.filters", "at least 2"]),
    (sets(network__filters="8,16,32,64,128"), ["cannot be halved 5 times"]),
    (sets(network__norm="group", network__groups=3), ["network.groups = 3 does not divide the 8 filters"]),
    (sets(dataset__validation=6, dataset__test=6), ["leave none to train on"]),
    (sets(gan__bach=6), ["unknown key gan.bach; did you mean gan.batch?"]),
    (sets(gan__loss="hinge"), ["gan.loss", "minimax|non-saturating"]),
    (sets(gan__batch=0), ["gan.batch"]),
    (["--steps", "-3"], ["--steps", "gan.steps = -3"]),
])
def test_refused_configurations(maps, tmp_path, options, says):
    run("train", "gan", maps, *TINY, *options, "-o", tmp_path / "run", status=2, says=says)
    assert not (tmp_path / "run").exists()


def damaged(values, at, value):
    values = values.copy()
    values[at] = value
    return values


@pytest.mark.parametrize("make, says", [
    (lambda p: write_maps(p, damaged(fields(12, 32), (3, 7, 5), np.nan)), ["/maps", "map 3", "7", "5"]),
    (lambda p: write_maps(p, damaged(fields(12, 32), (0, 0, 0), np.inf)), ["/maps", "map 0"]),
    (lambda p: write_maps(p, damaged(fields(12, 32), (11, 31, 30), -1)), ["/maps", "map 11", "31", "30"]),
    (lambda p: write_maps(p, fields(12, 32)[None]), ["/maps", "[n, ny, nx]"]),
    (lambda p: write_maps(p, fields(12, 32)[:0]), ["/maps"]),
    (lambda p: write_maps(p, fields(12, 32), mean=None), ["mean"]),
    (lambda p: write_maps(p, fields(12, 32), mean=0.), ["mean"]),
    (lambda p: write_maps(p, fields(12, 32), mean=np.nan), ["mean"]),
    (lambda p: write_maps(p, fields(12, 32), box_mpc_h=None), ["box_mpc_h"]),
    (lambda p: write_maps(p, fields(12, 32), transform="cubic"), ["cubic"]),
    (lambda p: h5py.File(p, "w").close(), ["/maps"]),
    (lambda p: p.write_bytes(write_maps(p, fields(12, 32)).read_bytes()[:-100]), []),
    (lambda p: p.write_text("maps"), ["not an HDF5 file"]),
    (lambda p: p.mkdir(), ["folder"]),
    (lambda p: None, ["No such file"]),
])
def test_refused_maps(tmp_path, make, says):
    path = tmp_path / "bad.h5"
    make(path)
    run("train", "gan", path, *TINY, "--steps", 2, "-o", tmp_path / "run", status=6, says=["bad.h5", *says])
    assert not (tmp_path / "run").exists()


def test_refused_devices(maps, tmp_path):
    r = run("train", "gan", maps, *TINY, "-o", tmp_path / "run", "--device", "nonesuch", status=3, says="nonesuch")
    assert "0:0 " in r.stderr  # the list of those there are
    if "GPU" not in call("devices").stdout:
        run("train", "gan", maps, *TINY, "-o", tmp_path / "run", "--device", "gpu", status=3,
            says=["never replaced by a CPU", "0:0 "])
    run("train", "gan", maps, *TINY, "-o", tmp_path / "run", status=3, says=["no OpenCL device", "pocl-opencl-icd"],
        OCL_ICD_VENDORS="/nonexistent")
    assert not (tmp_path / "run").exists()


def test_refused_places(maps, tmp_path):
    (tmp_path / "file").write_text("in the way")
    run("train", "gan", maps, *TINY, "--steps", 2, "-o", tmp_path / "file", status=1, says=["file", "cannot make the folder"])
    assert (tmp_path / "file").read_text() == "in the way"
    # Longer than any path may be: refused, not cut off and written elsewhere.
    run("train", "gan", maps, *TINY, "--steps", 2, "-o", f"{tmp_path}/" + "x/" * 2100, status=2, says="longer than")


LAYERS = {"generator": ("dense", "conv.0", "conv.1"), "discriminator": ("conv.0", "conv.1", "dense")}


def chain(f):
    """SHA-256 of the chain before, step and epoch, and of every parameter and moment with its name, in the order of the
    layers, each network's followed by the step and the two powers of its Adam."""
    at = f["progress"].attrs
    h = hashlib.sha256(f"{at['chain_before']}{at['step']} {at['epoch']} ".encode())
    for network, layers in LAYERS.items():
        for folder, suffix in ((network, ""), (f"adam/{network}", ".m"), (f"adam/{network}", ".v")):
            for name in (f"{layer}.{part}" for layer in layers for part in ("weight", "bias")):
                h.update(name.encode() + f[f"{folder}/{name}{suffix}"][()].tobytes())
        adam = f[f"adam/{network}"].attrs
        h.update(f"{adam['step']} ".encode() + adam["beta_powers"].astype("<f8").tobytes())
    return h.hexdigest()


def test_the_chain_is_that_of_the_parameters(whole):
    with h5py.File(whole / "state.h5") as f, h5py.File(whole / "state.previous.h5") as before:
        assert f["progress"].attrs["chain"] == chain(f)
        assert before["progress"].attrs["chain"] == chain(before) == f["progress"].attrs["chain_before"]


def test_a_run_that_diverges_is_stopped_with_its_last_good_state(half, maps):
    """Weights near the largest float, with a chain to match, so that the next gradient overflows."""
    with h5py.File(half / "state.h5", "a") as f:
        f["discriminator/conv.1.weight"][:] = 2e38
        f["discriminator/dense.weight"][:] = 2e38
        f["progress"].attrs["chain"] = chain(f)
    before = datasets(half / "state.h5")
    r = run("train", "gan", maps, *TINY, *sets(gan__save_every=10), "--steps", 60, "-o", half, "--resume", status=1)
    assert "last good state" in r.stderr and "not " in r.stderr
    assert datasets(half / "state.h5") == before and epochs(half) == ["0001.h5", "0002.h5"] and len(metrics(half)) == 20


def test_a_gradient_that_is_not_finite_is_found_and_kept(whole, maps, tmp_path):
    """Steps are queued ahead; they are repeated from the state before, up to the very step."""
    arguments = ["train", "gan", maps, *TINY, *sets(gan__save_every=10), "--steps", 40, "-o", tmp_path]
    run(*arguments, status=1, says=["step 17: the gradient of generator/dense.weight is not finite", f"{tmp_path}/nonfinite.h5",
                                    f"last good state is {tmp_path}/state.h5", "smaller gan.lr_g"], COSMOCL_INJECT_NAN=17)
    assert epochs(tmp_path) == ["0001.h5"] and len(metrics(tmp_path)) == 10
    with h5py.File(tmp_path / "nonfinite.h5") as f, h5py.File(tmp_path / "state.h5") as state:
        assert state["progress"].attrs["step"] == 10 and f["progress"].attrs["step"] == 17
        assert f["gradient"].attrs["first_step"] == f["gradient"].attrs["last_step"] == 17
        names = []
        f["gradient"].visititems(lambda name, o: names.append(name) if isinstance(o, h5py.Dataset) else None)
        assert sorted(names) == sorted(name for name in datasets(whole / "epochs/0001.h5") if "/" in name)
        bad = {name: np.isnan(f["gradient"][name][()]).sum() for name in names}
        assert bad.pop("generator/dense.weight") == 1 and not any(bad.values())
        # Adam leaves out what is not finite and does the rest.
        assert np.isfinite(f["generator/dense.weight"][()]).all() and f["adam/generator"].attrs["step"] == 17
        assert "configuration" in f["provenance"].attrs
    run(*arguments[:-3], 15, "-o", tmp_path, "--resume")
    assert (tmp_path / "nonfinite.h5").exists()
    run(*arguments[:-3], 400, "-o", tmp_path, "--resume")
    assert not (tmp_path / "nonfinite.h5").exists()  # that step is behind
    same_results(tmp_path, whole)


def test_a_gradient_that_is_finite_when_repeated_is_the_devices_fault(maps, tmp_path):
    arguments = ["train", "gan", maps, *TINY, *sets(gan__save_every=10), "--steps", 20, "-o", tmp_path]
    run(*arguments, status=1, says=["not finite between steps 11 and 20", "computed wrongly once", "cosmocl selftest",
                                    "last good state", "nonfinite.h5"], COSMOCL_INJECT_NAN="20:once")
    with h5py.File(tmp_path / "nonfinite.h5") as f:  # of the moment it was seen
        assert np.isnan(f["gradient/generator/dense.weight"][()]).sum() == 1
        assert (f["gradient"].attrs["first_step"], f["gradient"].attrs["last_step"]) == (11, 20)
    run(*arguments, "--resume")
    assert len(metrics(tmp_path)) == 20
