"""The command generate, from a tiny trained run: against the generator computed in numpy, its seeds and latents, the ways to name
a checkpoint, and what it must refuse."""
import json
import shutil

import h5py
import numpy as np
import pytest

from training import TINY, call, fields, run, sets, write_maps


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    write_maps(folder / "maps.h5", fields(12, 32), redshift=.5)
    run("train", "gan", folder / "maps.h5", *TINY, "--steps", 60, *sets(gan__save_every=20, gan__lr_g="2e-3"), "-o", folder / "run")
    return folder / "run"


def read(path):
    with h5py.File(path) as f:
        return f["maps"][:]


def transposed(x, w, bias):
    """PyTorch's ConvTranspose2d with stride 2, padding 2, output padding 1 and a kernel of 5."""
    n, _, side, _ = x.shape
    out = np.zeros((n, w.shape[1], 2 * side + 4, 2 * side + 4))
    for ky in range(5):
        for kx in range(5):
            out[:, :, ky:ky + 2 * side:2, kx:kx + 2 * side:2] += np.einsum("nchw,cd->ndhw", x, w[:, :, ky, kx])
    return out[:, :, 2:2 + 2 * side, 2:2 + 2 * side] + bias[:, None, None]


def test_agrees_with_the_generator_in_numpy(trained, tmp_path):
    z = np.random.default_rng(3).normal(size=(7, 8))
    with h5py.File(tmp_path / "z.h5", "w") as f:
        f["latent"] = z
    run("generate", trained, "--latents", tmp_path / "z.h5", "-o", tmp_path / "g.h5")
    with h5py.File(trained / "epochs/0003.h5") as f:
        p = {name: f["generator/" + name][()].astype("f8") for name in f["generator"]}
    x = np.maximum(z @ p["dense.weight"].T + p["dense.bias"], 0).reshape(7, 16, 4, 4)
    x = np.maximum(transposed(x, p["conv.0.weight"], p["conv.0.bias"]), 0)
    x = np.tanh(transposed(x, p["conv.1.weight"], p["conv.1.bias"]))[:, 0]
    a, b = np.log(.01), np.log(600)
    want = 4 * np.exp((x * (b - a) + b + a) / 2)
    got = read(tmp_path / "g.h5")
    assert got.shape == want.shape and got.std() / got.mean() > .01
    np.testing.assert_allclose(got, want, rtol=1e-4)


def test_the_file_is_a_maps_file(trained, tmp_path):
    out = tmp_path / "g.h5"
    done = run("generate", trained, "--count", 9, "-o", out, "--json")
    assert json.loads(done.stdout) == {"maps": 9, "pixels": 16, "step": 60, "file": str(out)}
    with h5py.File(out) as f:
        assert f["maps"].shape == (9, 16, 16) and f["maps"].dtype == np.float32
        v = f["maps"][:]
        assert np.isfinite(v).all() and (v > 0).all() and len(np.unique(v, axis=0)) == 9
        a = f.attrs
        assert (a["box_mpc_h"], a["mean"], a["redshift"], a["dims"], a["estimator"]) == (50, 4, .5, 2, "generator")
        assert a["transform"] == "log" and a["unit"] == "overdensity"
        made = f["provenance"].attrs
        assert made["inputs"] == 1 and made["input_hashes"].endswith("epochs/0003.h5") and "count = 9" in made["configuration"]
    # What reads maps reads these.
    run("dataset", "info", out, *TINY, *sets(network__filters=8))
    run("train", "gan", out, *TINY, "--steps", 1, *sets(dataset__validation=1), "-o", tmp_path / "again")
    run("stats", "--truth", trained.parent / "maps.h5", "--model", out, *sets(dataset__crop=16), "-o", tmp_path / "stats.h5")


def test_names_in_json_are_quoted(trained, tmp_path):
    out = tmp_path / 'a "name".h5'
    assert json.loads(run("generate", trained, "--count", 1, "-o", out, "--json").stdout)["file"] == str(out)


def test_seeds_and_counts(trained, tmp_path):
    def made(*arguments):
        run("generate", trained, *arguments, "-o", tmp_path / "g.h5")
        return read(tmp_path / "g.h5")

    first = made("--count", 9)
    assert np.array_equal(made("--count", 9), first)
    assert np.array_equal(made("--count", 4), first[:4])  # a map does not depend on how many there are
    assert np.array_equal(made("--count", 9, *sets(gan__batch=4)), first)  # nor on the batch
    assert not np.array_equal(made("--count", 9, "--seed", 2), first)


def test_ways_to_name_a_checkpoint(trained, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(trained, copy)

    def made(*arguments):
        run("generate", *arguments, "--count", 3, "-o", tmp_path / "g.h5")
        return read(tmp_path / "g.h5")

    by_file = {n: made(copy / f"epochs/000{n}.h5") for n in (1, 2, 3)}
    assert not np.array_equal(by_file[1], by_file[2]) and not np.array_equal(by_file[2], by_file[3])
    assert np.array_equal(made(copy), by_file[3])  # the last where none was selected
    assert np.array_equal(made(copy, "--epoch", 1), by_file[1])
    assert np.array_equal(made(copy / "state.h5"), by_file[3])
    (copy / "select.json").write_text('{"best": {"epoch": 2}}')
    assert np.array_equal(made(copy), by_file[2])
    assert np.array_equal(made(copy, "--epoch", "0003"), by_file[3])
    (copy / "select.json").write_text('{"best": {"epoch": 2, "step": 33}}')  # it was trained over since
    run("generate", copy, "--count", 3, "-o", tmp_path / "g.h5", says="run select again")
    assert np.array_equal(read(tmp_path / "g.h5"), by_file[3])
    (copy / "select.json").write_text("damaged {")
    assert np.array_equal(made(copy), by_file[3])
    (copy / "select.json").write_text('{"best": {"epoch": 9}}')
    run("generate", copy, "-o", tmp_path / "g.h5", status=6, says="0009.h5")


@pytest.mark.parametrize("latent, says", [
    (np.zeros((3, 7)), ["/latent", "[n, 8]"]), (np.zeros(8), ["/latent", "[n, 8]"]), (np.zeros((0, 8)), ["/latent"]),
    (np.array([[0] * 8, [0] * 5 + [np.nan] + [0] * 2]), ["/latent[1, 5]"]), (np.full((1, 8), np.inf), ["/latent[0, 0]"]),
    (None, ["/latent"]),
])
def test_refused_latents(trained, tmp_path, latent, says):
    with h5py.File(tmp_path / "z.h5", "w") as f:
        if latent is not None:
            f["latent"] = latent
    run("generate", trained, "--latents", tmp_path / "z.h5", "-o", tmp_path / "g.h5", status=6, says=["z.h5", *says])
    assert not (tmp_path / "g.h5").exists()


def test_refusals(trained, tmp_path):
    out = ["-o", tmp_path / "g.h5"]
    for epoch in (77, 12345):
        run("generate", trained, "--epoch", epoch, *out, status=6, says=[f"{epoch:04d}.h5", "no such saved epoch"])
    for epoch in ("x", "-1", "3x"):
        run("generate", trained, "--epoch", epoch, *out, status=2, says="--epoch")
    run("generate", trained / "epochs/0001.h5", "--epoch", 1, *out, status=2, says="--epoch chooses within a run's folder")
    run("generate", trained.parent / "maps.h5", *out, status=6, says=["maps.h5", "not a checkpoint"])
    run("generate", tmp_path / "none", *out, status=6, says="No such file")
    (tmp_path / "empty/epochs").mkdir(parents=True)
    run("generate", tmp_path / "empty", *out, status=6, says="no saved epochs")
    for count in (0, -1, "many"):
        run("generate", trained, "--count", count, *out, status=2, says="generate.count")
    run("generate", trained, "--count", 1000000000, *out, status=4, says="no memory")
    run("generate", trained, "--count", 2, "-o", tmp_path / "none/g.h5", status=1, says=["none/g.h5", "make its folder first"])
    run("generate", trained, "--count", 2, "-o", tmp_path, status=1, says="Is a directory")
    assert not (tmp_path / "g.h5").exists()


def test_a_failed_write_leaves_the_old_file(trained, tmp_path):
    out = tmp_path / "g.h5"
    run("generate", trained, "--count", 2, "-o", out)
    before = out.read_bytes()
    for n in (1, 2, 4):
        run("generate", trained, "--count", 3, "-o", out, status=1, says="No space left", COSMOCL_FAIL_WRITE=n)
        assert out.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["g.h5"]



@pytest.mark.parametrize("name, change, says", [
    ("generator/conv.0.weight", lambda f, n: f.__delitem__(n), "conv.0.weight"),
    ("generator/conv.0.weight", lambda f, n: (f.__delitem__(n), f.__setitem__(n, np.zeros((8, 16, 5, 5), "f4"))), "another shape"),
    ("generator/dense.bias", lambda f, n: f[n].__setitem__(7, np.nan), "not finite"),
    ("network", lambda f, n: f[n].attrs.__setitem__("filters", [8, 0]), "/network"),
    ("network", lambda f, n: f[n].attrs.__setitem__("image", 10**9), "/network"),
    ("network", lambda f, n: f[n].attrs.__setitem__("kernel", 0), "/network"),
    ("network", lambda f, n: f[n].attrs.__delitem__("latent"), "latent"),
    ("trained_on", lambda f, n: f[n].attrs.__setitem__("mean", -1.), "/trained_on"),
    ("trained_on", lambda f, n: f[n].attrs.__setitem__("abc", [1., np.nan, 0.]), "/trained_on"),
    ("generator", lambda f, n: f.__delitem__(n), "generator"),
])
def test_damaged_checkpoints(trained, tmp_path, name, change, says):
    path = tmp_path / "c.h5"
    shutil.copy(trained / "epochs/0001.h5", path)
    with h5py.File(path, "a") as f:
        change(f, name)
    run("generate", path, "--count", 2, "-o", tmp_path / "g.h5", status=6, says=["c.h5", says])


def corners(maps, crop):
    return np.concatenate([maps[:, y, x] for y in (slice(crop), slice(-crop, None)) for x in (slice(crop), slice(-crop, None))])


def test_gaussian_baseline(trained, tmp_path):
    """Densities and spectrum of the training images; a maps file; the same with any device, count or place of the maps."""
    out = tmp_path / "g.h5"
    done = run("generate", trained, "--baseline", "gaussian", "--count", 400, "-o", out, "--device", "no such device", "--json")
    assert json.loads(done.stdout) == {"maps": 400, "pixels": 16, "step": 0, "file": str(out)}
    maps = read(out)
    with h5py.File(out) as f:
        assert f.attrs["estimator"] == "gaussian field" and f.attrs["box_mpc_h"] == 50 and f.attrs["mean"] == 4
        assert str(trained.parent / "maps.h5") in f["provenance"].attrs["input_hashes"]
    run("dataset", "export", trained.parent / "maps.h5", *TINY, "-o", tmp_path / "train.h5")
    truth = np.unique(read(tmp_path / "train.h5").reshape(-1, 256), axis=0)
    assert np.percentile(maps, [5, 25, 50, 75, 95]) == pytest.approx(np.percentile(truth, [5, 25, 50, 75, 95]), rel=.1)
    ring = np.rint(np.hypot(*np.meshgrid(*[np.fft.fftfreq(16, 1 / 16)] * 2))).astype(int)
    images = corners(read(trained.parent / "maps.h5"), 16)  # of all parts: a few more than it was fitted to
    a, b = (np.array([(np.abs(np.fft.fft2(x))**2).mean(axis=0)[ring == r].mean() for r in range(1, 9)]) for x in (maps, images))
    assert np.abs(np.log(a / b)).mean() < .25
    run("generate", trained, "--baseline", "gaussian", "--count", 3, "-o", out)
    assert np.array_equal(read(out), maps[:3])
    moved = shutil.copy(trained.parent / "maps.h5", tmp_path / "moved.h5")
    run("generate", trained, "--baseline", "gaussian", "--count", 3, "--maps", moved, "--seed", 5, "-o", out)
    assert not np.array_equal(read(out), maps[:3])
    run("generate", trained, "--baseline", "gaussian", "--maps", tmp_path / "none.h5", "-o", tmp_path / "x.h5", status=6, says="none.h5")


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_untrained_baseline(trained, tmp_path, norm):
    """The weights as they were before the first step: those of a run that has learnt next to nothing."""
    run("train", "gan", trained.parent / "maps.h5", *TINY, "--steps", 2, *sets(gan__lr_g=1e-12, gan__lr_d=1e-12, network__norm=norm),
        "-o", tmp_path / "run")
    run("generate", tmp_path / "run", "--baseline", "untrained", "--count", 9, "-o", tmp_path / "u.h5")
    maps = read(tmp_path / "u.h5")
    with h5py.File(tmp_path / "u.h5") as f:
        assert f.attrs["estimator"] == "untrained generator" and maps.shape == (9, 16, 16)
    run("generate", tmp_path / "run", "--count", 9, "-o", tmp_path / "g.h5")
    if norm == "none":
        np.testing.assert_allclose(maps, read(tmp_path / "g.h5"), rtol=1e-5)
    else:
        assert not np.allclose(maps, read(tmp_path / "g.h5"), rtol=.01)  # its running statistics are hardly begun
    run("generate", tmp_path / "run", "--baseline", "untrained", "--count", 4, "-o", tmp_path / "u.h5")
    assert np.array_equal(read(tmp_path / "u.h5"), maps[:4])


def test_refused_baselines(trained, tmp_path):
    out = ["-o", tmp_path / "g.h5"]
    run("generate", trained, "--baseline", "best", *out, status=2, says=["--baseline", "untrained", "gaussian"])
    run("generate", trained, "--baseline", "gaussian", "--latents", "z.h5", *out, status=2, says="--latents")
    shutil.copytree(trained, tmp_path / "run")
    for path in (tmp_path / "run/epochs").iterdir():
        with h5py.File(path, "a") as f:
            f["provenance"].attrs["input_hashes"] = "0" * 32 + "  /nowhere/maps.h5"
    run("generate", tmp_path / "run", "--baseline", "gaussian", *out, status=2, says=["/nowhere/maps.h5", "--maps"])
    assert not (tmp_path / "g.h5").exists()
