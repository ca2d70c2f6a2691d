"""The statistics of `cosmocl stats` against independent implementations in numpy and scipy."""
import json
import os
import subprocess

import h5py
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label, maximum_filter

COSMOCL = os.environ["COSMOCL"]


def web(n, side, seed, level=4.0, contrast=1.3):
    """Log-normal fields with structure on several scales, float32 [n, side, side]."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n, side, side))
    field = sum(gaussian_filter(noise, (0, s, s), mode="wrap") * s for s in (1, 2, 4))
    field /= field.std()
    field += 0.3 * rng.standard_normal((n, 1, 1))
    return (level * np.exp(contrast * field - contrast**2 / 2)).astype(np.float32)


def write_maps(path, maps, box=100.0, mean=4.0, **attributes):
    with h5py.File(path, "w") as f:
        f["maps"] = maps
        f.attrs["box_mpc_h"] = box
        f.attrs["mean"] = mean
        for name, value in attributes.items():
            f.attrs[name] = value


def corners(maps, crop):
    """The four corner crops of each map, in the order of the maps."""
    side = maps.shape[1]
    if crop == side:
        return maps
    a, b = slice(0, crop), slice(side - crop, side)
    return np.stack([maps[:, y, x] for y in (a, b) for x in (a, b)], axis=1).reshape(-1, crop, crop)


def run(*arguments):
    done = subprocess.run([COSMOCL, "stats", *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def histogram(values, edges):
    """Bins [e_i, e_i+1) with the last closed, in float64: what numpy does, with what it drops counted too."""
    v = values.astype(np.float64).ravel()
    return np.histogram(v, edges)[0], int((v < edges[0]).sum()), int((v > edges[-1]).sum())


def power(images):
    """Mean of |DFT|^2 of the density over rings round(|k|) = 1 … N/2, [n, N/2]."""
    n = images.shape[1]
    k = np.fft.fftfreq(n, 1 / n)
    ring = np.rint(np.hypot(k[:, None], k[None, :])).astype(int)
    square = np.abs(np.fft.fft2(images.astype(np.float64))) ** 2
    return np.stack([square[:, ring == r].mean(axis=1) for r in range(1, n // 2 + 1)], axis=1)


def peak_values(image):
    """Pixels strictly above their eight neighbours, none of the border."""
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    around = maximum_filter(image, footprint=ring, mode="constant", cval=np.inf)
    return image[image > around]


def functionals(inside):
    """Area, perimeter and Euler characteristic (components less holes) of a set of pixels, by labelling."""
    perimeter = (inside[1:] != inside[:-1]).sum() + (inside[:, 1:] != inside[:, :-1]).sum()
    components = label(inside, np.ones((3, 3)))[1]
    holes = label(np.pad(~inside, 1, constant_values=True))[1] - 1  # connected by their sides; one of them is the outside
    return inside.sum(), perimeter, components - holes


def check_minkowski(group, images, edges):
    found = np.stack([group[f"minkowski_{name}"][:] for name in ("area", "perimeter", "euler")], axis=1)
    counts = found * images[0].size
    assert np.abs(counts - np.rint(counts)).max() < 1e-6
    expected = np.array([[functionals(image.astype(np.float64) >= edge) for edge in edges] for image in images])
    assert np.array_equal(np.rint(counts), expected.transpose(0, 2, 1))
    for k, name in enumerate(("area", "perimeter", "euler")):
        np.testing.assert_allclose(group[f"minkowski_{name}_mean"][:], found[:, k].mean(axis=0), rtol=1e-12, atol=1e-15)
        mad = np.median(np.abs(found[:, k] - np.median(found[:, k], axis=0)), axis=0)
        np.testing.assert_allclose(group[f"minkowski_{name}_mad"][:], mad, rtol=1e-12, atol=1e-15)


def nearest(a, b, floor, others):
    """Distance and index of the nearest of b for each image of a."""
    x, y = (np.log(np.maximum(v.astype(np.float64), floor)).reshape(len(v), -1) for v in (a, b))
    d = np.sqrt(((x[:, None] - y[None]) ** 2).mean(axis=2))
    if others:
        np.fill_diagonal(d, np.inf)
    return d.min(axis=1), d.argmin(axis=1)


def check_set(group, images, edges):
    inside, below, above = histogram(images, edges)
    assert np.array_equal(group["pixel_count"][:], inside)
    assert group["underflow"][()] == below and group["overflow"][()] == above
    assert inside.sum() + below + above == images.size
    np.testing.assert_allclose(group["pixel_pdf"][:], inside / images.size / np.diff(np.log10(edges)), rtol=1e-12)

    mean = images.astype(np.float64).mean(axis=(1, 2))
    np.testing.assert_allclose(group["mean_density"][:], mean, rtol=1e-12)

    expected = power(images)
    found = group["power_all"][:]
    # Rounding of the float32 transform: amplitudes, in units of the rms amplitude of all modes of the image.
    rms = np.sqrt(((images - mean[:, None, None]).astype(np.float64) ** 2).sum(axis=(1, 2)))
    bound = 2.0**-24 * (8 * np.log2(images[0].size) + 4 * np.sqrt(images.shape[1]))
    assert (np.abs(np.sqrt(found) - np.sqrt(expected)) <= bound * rms[:, None]).all()
    median = np.median(expected, axis=0)
    np.testing.assert_allclose(group["power_median"][:], median, rtol=1e-4)
    np.testing.assert_allclose(group["power_median"][:], np.median(found, axis=0), rtol=1e-14)
    mad = np.median(np.abs(found - np.median(found, axis=0)), axis=0)
    np.testing.assert_allclose(group["power_mad"][:], mad, rtol=1e-9, atol=1e-12 * median.max())

    peaks = [peak_values(image) for image in images]
    counted = np.array([histogram(p, edges)[0] for p in peaks])
    assert np.array_equal(group["peak_counts"][:], counted)
    assert group["peaks_total"][()] == sum(len(p) for p in peaks)
    outside = [histogram(p, edges)[1:] for p in peaks]
    assert [group["peak_underflow"][()], group["peak_overflow"][()]] == list(np.sum(outside, axis=0))


def figures(model, truth, low, high):
    edges = np.logspace(np.log10(low), np.log10(high), 51)
    edges[0], edges[-1] = low, high
    shares = []
    for images in (model, truth):
        inside, below, above = histogram(images, edges)
        shares.append(np.array([*inside, below, above]) / images.size)
    means = [x.astype(np.float64).mean(axis=(1, 2)) for x in (model, truth)]
    spectra = [np.median(power(x), axis=0) for x in (model, truth)]
    peaks = [sum(len(peak_values(i)) for i in x) / len(x) for x in (model, truth)]
    return {
        "pdf": np.abs(shares[0] - shares[1]).sum(),
        "mean": means[0].mean() / means[1].mean(),
        "std": means[0].std() / means[1].std(),
        "psd": np.abs(np.log(spectra[0] / spectra[1])).mean(),
        "peaks": peaks[0] / peaks[1],
    }


def check_diversity(group, model, truth, floor):
    assert group.attrs["floor"] == floor
    for name, found, (expected, which) in (
        ("truth_truth", group["truth_truth"][:], nearest(truth, truth, floor, True)),
        ("model_truth", group["model_truth"][:], nearest(model, truth, floor, False)),
        ("model_model", group["model_model"][:], nearest(model, model, floor, True)),
    ):
        if len(model) == 1 and name == "model_model":
            assert np.isnan(found).all()
            continue
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        if name == "model_truth":
            assert np.array_equal(group["model_truth_index"][:], which)
            near = np.sort(group["truth_truth"][:])[len(truth) // 100]
            assert group.attrs["copies"] == np.mean(found <= near)
    if len(model) > 1:
        m = min(len(model), len(truth))
        thin = [x[np.arange(m) * len(x) // m] for x in (model, truth)]
        spread = [nearest(x, x, floor, True)[0].mean() / np.log(np.maximum(x.astype(np.float64), floor)).std() for x in thin]
        assert group.attrs["variety"] == pytest.approx(spread[0] / spread[1], rel=1e-4)


@pytest.mark.parametrize(
    "side, crop, truths, models, arguments",
    [
        (64, 32, 9, 21, []),
        (66, 33, 3, 5, ["--density-min", "0.5", "--density-max", "20", "--density-bins", "7"]),  # odd: plain transform
        (28, 14, 20, 1, ["--density-bins", "333"]),  # 14 = 2 · 7, and a model of one map
        (48, 48, 70, 70, []),  # whole maps, more than a batch
    ],
)
def test_all_statistics(tmp_path, side, crop, truths, models, arguments):
    truth, model = web(truths, side, 1), web(models, crop, 2, level=3.5, contrast=1.2)
    write_maps(tmp_path / "truth.h5", truth, box=100.0)
    write_maps(tmp_path / "model.h5", model, box=100.0 * crop / side)
    out = tmp_path / "stats.h5"
    done = run("--truth", tmp_path / "truth.h5", "--model", tmp_path / "model.h5", "-o", out, "--json", *arguments)
    given = dict(zip(arguments[::2], map(float, arguments[1::2])))
    low, high = given.get("--density-min", 1e-3), given.get("--density-max", 1e4)
    bins = int(given.get("--density-bins", 60))
    images = corners(truth, crop)
    with h5py.File(out, "r") as f:
        edges = f["density_edges"][:]
        assert len(edges) == bins + 1 and edges[0] == low and edges[-1] == high
        np.testing.assert_allclose(np.diff(np.log(edges)), np.log(high / low) / bins, rtol=1e-9)
        assert np.array_equal(f["nu"][:], np.arange(1, crop // 2 + 1))
        check_set(f["truth"], images, edges)
        check_set(f["model"], model, edges)
        if bins * len(model) < 2000:
            check_minkowski(f["truth"], images, edges)
            check_minkowski(f["model"], model, edges)
        check_diversity(f["diversity"], model, images, low)
        stored = {name: f["score"].attrs[name] for name in ("pdf", "mean", "std", "psd", "peaks")}
    expected = figures(model, images, low, high)
    printed = json.loads(done.stdout)
    for name, value in expected.items():
        assert stored[name] == pytest.approx(value, rel=1e-5, abs=1e-7), name
        assert printed["figures"][name] == pytest.approx(stored[name], rel=1e-12), name
    assert printed["truth"]["images"] == len(images) and printed["truth"]["side"] == crop
    assert printed["model"]["mean_density"] == pytest.approx(model.astype(float).mean(), rel=1e-12)


def test_pixels_on_bin_edges(tmp_path):
    """Every edge as a float32 and its two neighbours: float64 comparisons decide."""
    out = tmp_path / "stats.h5"
    write_maps(tmp_path / "any.h5", web(2, 16, 1))
    run("--truth", tmp_path / "any.h5", "--model", tmp_path / "any.h5", "-o", out)
    with h5py.File(out, "r") as f:
        edges = f["density_edges"][:]
    near = edges.astype(np.float32)
    values = np.concatenate([near, np.nextafter(near, np.float32(0)), np.nextafter(near, np.float32(np.inf)), np.zeros(73, np.float32)])
    images = np.random.default_rng(1).permutation(values).reshape(1, 16, 16)
    write_maps(tmp_path / "edges.h5", images)
    run("--truth", tmp_path / "any.h5", "--model", tmp_path / "edges.h5", "-o", out)
    with h5py.File(out, "r") as f:
        inside, below, above = histogram(images, edges)
        assert np.array_equal(f["model/pixel_count"][:], inside)
        assert (f["model/underflow"][()], f["model/overflow"][()]) == (below, above)
        assert below >= 74 and above >= 1


def test_the_scale_of_the_recipe_table(tmp_path):
    """A model of one repeated image: PDF and P(k) are fair, the scatter is not."""
    truth = web(40, 32, 1)
    write_maps(tmp_path / "truth.h5", truth)
    nearest = np.argmin(np.abs(truth.mean(axis=(1, 2)) - truth.mean()))
    write_maps(tmp_path / "model.h5", np.repeat(truth[nearest : nearest + 1], 40, axis=0))
    out = run("--truth", tmp_path / "truth.h5", "--model", tmp_path / "model.h5", "-o", tmp_path / "s.h5", "--json").stdout
    found = json.loads(out)["figures"]
    assert found["std"] < 1e-6 and found["mean"] == pytest.approx(1, abs=0.2) and found["psd"] < 1.5


def test_copies_and_repeated_images(tmp_path):
    """A model that copies the truth, and one that repeats three images, are told from one that does neither."""
    truth, other = web(60, 32, 1), web(60, 32, 2)
    write_maps(tmp_path / "truth.h5", truth)

    def diversity(model):
        write_maps(tmp_path / "model.h5", model)
        words = ["--truth", tmp_path / "truth.h5", "--model", tmp_path / "model.h5", "-o", tmp_path / "s.h5"]
        assert "variety" in run(*words, "--set", "dataset.crop=32").stdout
        with h5py.File(tmp_path / "s.h5") as f:
            return f["diversity"].attrs["variety"], f["diversity"].attrs["copies"], f["diversity/model_truth"][:]

    variety, copies, _ = diversity(other)
    assert variety == pytest.approx(1, abs=0.1) and copies < 0.1
    variety, copies, distances = diversity(np.concatenate([other[:45], truth[:15]]))
    assert copies >= 15 / 60 and (distances[45:] == 0).all() and (distances[:45] > 0.1).all()
    # Copies count also where the truth itself has a duplicate.
    write_maps(tmp_path / "truth.h5", np.concatenate([truth, truth[:1]]))
    assert diversity(np.concatenate([other[:45], truth[:15]]))[1] == 15 / 60
    write_maps(tmp_path / "truth.h5", truth)
    variety, copies, _ = diversity(np.tile(other[:3], (20, 1, 1)))
    assert variety == 0
    # Neither another mean nor another contrast of the same images changes how much they vary.
    assert diversity((3 * other).astype("f4"))[0] == pytest.approx(diversity(other)[0], rel=1e-5)
    assert diversity(other**0.7)[0] == pytest.approx(diversity(other)[0], rel=1e-4)


def test_bootstrap_errors(tmp_path):
    """The error of the ratio of means against its analytic value; seeded; and it falls with the number of images."""
    truth, model = web(200, 16, 1), web(200, 16, 2)
    write_maps(tmp_path / "truth.h5", truth)

    def errors(model, *words):
        write_maps(tmp_path / "model.h5", model)
        out = run("--truth", tmp_path / "truth.h5", "--model", tmp_path / "model.h5", "-o", tmp_path / "s.h5", "--json",
                  "--set", "dataset.crop=16", *words).stdout
        found = json.loads(out)["errors"]
        with h5py.File(tmp_path / "s.h5") as f:
            assert all(f["score"].attrs[f"{name}_error"] == pytest.approx(v, rel=1e-12) for name, v in found.items())
        return found

    found = errors(model)
    a, b = (x.astype(np.float64).mean(axis=(1, 2)) for x in (model, truth))
    expected = a.mean() / b.mean() * np.hypot(a.std() / a.mean(), b.std() / b.mean()) / np.sqrt(200)
    assert found["mean"] == pytest.approx(expected, rel=0.2)  # 200 replicas: 5 %
    assert all(0 < found[name] < 0.5 for name in ("pdf", "std", "psd", "peaks"))
    assert errors(model) == found != errors(model, "--seed", 7)
    assert errors(model[:20])["mean"] > 1.5 * found["mean"]


def test_maps_that_conserve_mass_have_exact_means(tmp_path):
    """Four crops of a map of fixed mean are drawn together, and so are sub-images with the /origin of one box; halves are cut
    between boxes. The median spectrum's error then is that of the maps."""
    maps = web(31, 32, 1).astype(np.float64)
    maps = (4 * maps / maps.mean(axis=(1, 2), keepdims=True)).astype("f4")
    images = corners(maps, 16)
    write_maps(tmp_path / "truth.h5", maps)
    write_maps(tmp_path / "model.h5", web(40, 16, 2))

    def errors(truth, model):
        found = json.loads(run("--truth", truth, "--model", model, "-o", tmp_path / "s.h5", "--json", "--crop", 16).stdout)["errors"]
        with h5py.File(tmp_path / "s.h5") as f:
            return found, dict(f["score"].attrs)

    found, score = errors(tmp_path / "truth.h5", tmp_path / "truth.h5")
    assert found["mean"] < 1e-6 and score["half_mean_error"] < 1e-6 and score["half_mean"] == pytest.approx(1, abs=1e-6)
    assert found["psd"] > 0 and found["std"] > 0
    write_maps(tmp_path / "crops.h5", images)
    assert errors(tmp_path / "crops.h5", tmp_path / "crops.h5")[0]["mean"] > 1e-3
    with h5py.File(tmp_path / "crops.h5", "a") as f:
        f["origin"] = np.stack([np.arange(len(images)) // 4, np.zeros(len(images)), np.zeros(len(images))], 1).astype("i4")
    assert errors(tmp_path / "crops.h5", tmp_path / "crops.h5") == (found, score)
    # The model's own images are independent.
    assert errors(tmp_path / "truth.h5", tmp_path / "model.h5")[0]["mean"] > 1e-3
