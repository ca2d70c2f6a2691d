"""Dice overlap, transfer function and cross-correlation of `cosmocl stats --pairs` against numpy."""
import json
import os
import subprocess
from itertools import combinations

import h5py
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

COSMOCL = os.environ["COSMOCL"]
TOP = [1, *range(5, 100, 5)]


def web(n, side, seed, noise=0.0, other=None):
    """Log-normal fields; with `other`, fields that share most of their structure with those."""
    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.standard_normal((n, side, side)), (0, 1.5, 1.5), mode="wrap") * 3
    if other is not None:
        field = np.sqrt(1 - noise) * np.log(other / 4 + 1e-3) + noise * field
    return (4 * np.exp(field)).astype(np.float32)


def write_pairs(path, truth, model, **attributes):
    with h5py.File(path, "w") as f:
        f["maps"], f["truth"] = model, truth
        f.attrs["box_mpc_h"], f.attrs["mean"] = 100.0, 4.0
        for name, value in attributes.items():
            f.attrs[name] = value
    return path


def run(*arguments, status=0):
    done = subprocess.run([COSMOCL, "stats", *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stderr
    return done


def masks(images, percent, scope):
    """Pixels not below the K-th largest of the set or of their image, [n, pixels]."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    values = flat.reshape(1, -1) if scope == "set" else flat
    k = max(1, (values.shape[1] * percent + 50) // 100)
    threshold = np.sort(values, axis=1)[:, -k]
    return flat >= threshold[:, None]


def dice(a, b):
    """Of masks [pairs, pixels]; the shared and all pixels, as integers."""
    return (a & b).sum(axis=1), a.sum(axis=1) + b.sum(axis=1)


def expected_dice(truth, model, percent, scope, pairs):
    a, b = masks(truth, percent, scope), masks(model, percent, scope)
    shared, both = dice(a, b)
    some = both > 0
    d = 2 * shared[some] / both[some]
    i, j = np.array(pairs).reshape(-1, 2).T
    shared_r, both_r = dice(a[i], a[j])
    r = 2 * shared_r[both_r > 0] / both_r[both_r > 0]
    with np.errstate(all="ignore"):
        return {
            "mean": d.mean(), "std": d.std(), "sem": d.std() / np.sqrt(len(d)),
            "random_mean": r.mean(), "random_std": r.std(),
            "normalized_mean": ((d - r.mean()) / (1 - r.mean())).mean(),
            "normalized_std": ((d - r.mean()) / (1 - r.mean())).std(),
            "significance_mean": ((d - r.mean()) / r.std()).mean(),
            "significance_std": ((d - r.mean()) / r.std()).std(),
            "jaccard_mean": (shared[some] / (both[some] - shared[some])).mean(),
            "pairs_counted": len(d), "random_counted": len(r),
        }


def expected_curves(truth, model):
    n, side = truth.shape[:2]
    k = np.fft.fftfreq(side, 1 / side)
    ring = np.rint(np.hypot(k[:, None], k[None, :])).astype(int)
    t, m = (np.fft.fft2(x.astype(np.float64)) for x in (truth, model))
    out = {"transfer": [], "correlation": []}
    for nu in range(1, side // 2 + 1):
        here = ring == nu
        p_t, p_m = ((np.abs(x[:, here]) ** 2).sum(axis=1) for x in (t, m))
        cross = (np.conj(t[:, here]) * m[:, here]).real.sum(axis=1)
        out["transfer"].append(np.sqrt(p_m / p_t))
        out["correlation"].append(cross / np.sqrt(p_t * p_m))
    found = {}
    for name, values in out.items():
        v = np.array(values)
        median = np.median(v, axis=1)
        found[name + "_median"], found[name + "_mean"], found[name + "_std"] = median, v.mean(axis=1), v.std(axis=1)
        found[name + "_mad"] = np.median(np.abs(v - median[:, None]), axis=1)
    return found


@pytest.mark.parametrize("scope", ["set", "image"])
@pytest.mark.parametrize("n, side, seed", [(40, 32, 1), (7, 33, 2), (70, 14, 3), (2, 64, 4)])
def test_all_statistics(tmp_path, n, side, seed, scope):
    truth = web(n, side, seed)
    truth *= np.random.default_rng(seed).uniform(0.2, 5, (n, 1, 1)).astype(np.float32)  # in the set, masks differ in size
    model = web(n, side, seed + 100, 0.4, truth)
    path = write_pairs(tmp_path / "pairs.h5", truth, model)
    out = tmp_path / "stats.h5"
    done = run("--pairs", path, "-o", out, "--json", *(["--threshold-scope", scope] if scope != "set" else []))
    pairs = list(combinations(range(n), 2))
    with h5py.File(out) as f:
        assert f["dice"].attrs["threshold_scope"] in (scope, scope.encode())
        assert (f["dice"].attrs["random_pairs"], f["dice"].attrs["images"]) == (len(pairs), n)
        assert list(f["dice/top_percent"]) == TOP
        stored = {name: f["dice"][name][:] for name in f["dice"]}
        curves = {name: f["pairs"][name][:] for name in f["pairs"]}
        assert f["truth"].attrs["images"] == f["model"].attrs["images"] == n
        np.testing.assert_allclose(f["truth/mean_density"][:], truth.astype(float).mean(axis=(1, 2)), rtol=1e-12)
        np.testing.assert_allclose(f["model/mean_density"][:], model.astype(float).mean(axis=(1, 2)), rtol=1e-12)
        assert f["provenance"].attrs["inputs"] == 1
    for t, percent in enumerate(TOP):
        for name, value in expected_dice(truth, model, percent, scope, pairs).items():
            # A single random pair has no scatter, and nothing is significant against it.
            if not np.isfinite(value):
                assert not np.isfinite(stored[name][t]), (percent, name)
            else:
                assert stored[name][t] == pytest.approx(value, rel=1e-9, abs=1e-12), (percent, name)
    for name, value in expected_curves(truth, model).items():
        np.testing.assert_allclose(curves[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    printed = json.loads(done.stdout)
    assert [row["top_percent"] for row in printed["dice"]["rows"]] == TOP
    assert [row["mean"] for row in printed["dice"]["rows"]] == pytest.approx(stored["mean"])
    assert printed["pairs"]["transfer_median"] == pytest.approx(curves["transfer_median"])


def test_thresholds_of_truth_and_model_are_independent(tmp_path):
    """A model of other units has the same masks: the overlap sees order alone."""
    truth = web(6, 16, 5)
    path = write_pairs(tmp_path / "p.h5", truth, truth * 8)
    run("--pairs", path, "-o", tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5") as f:
        for name, value in {"mean": 1, "std": 0, "sem": 0, "normalized_mean": 1, "jaccard_mean": 1}.items():
            np.testing.assert_allclose(f["dice"][name][:], value, atol=1e-14, err_msg=name)
        np.testing.assert_allclose(f["pairs/transfer_median"][:], 8, rtol=1e-5)
        np.testing.assert_allclose(f["pairs/correlation_median"][:], 1, rtol=1e-5)


def test_random_maps_overlap_by_their_share(tmp_path):
    """Of maps without any structure in common the densest n % overlap by n %; eq. 9 as printed would give half of it."""
    rng = np.random.default_rng(1)
    n, side = 60, 32
    truth, model = rng.random((2, n, side, side)).astype(np.float32)
    path = write_pairs(tmp_path / "p.h5", truth, model)
    for scope in ("set", "image"):
        run("--pairs", path, "-o", tmp_path / "s.h5", "--threshold-scope", scope)
        with h5py.File(tmp_path / "s.h5") as f:
            share = f["dice/top_percent"][:] / 100
            k = share * side**2
            # Hypergeometric: the variance of the shared pixels of two random masks of k in side^2.
            sigma = np.sqrt(k * share * (1 - share) ** 2) / k
            assert (np.abs(f["dice/mean"][:] - share) < 5 * sigma / np.sqrt(n) + 1e-3).all()
            assert (np.abs(f["dice/random_mean"][:] - share) < 5 * sigma / np.sqrt(n) + 1e-3).all()
            if scope == "image":  # in the set, the masks' sizes scatter too
                np.testing.assert_allclose(f["dice/random_std"][:], sigma, rtol=0.15)
            assert (np.abs(f["dice/normalized_mean"][:]) < 0.1).all()
            assert (np.abs(f["dice/significance_mean"][:]) < 5 / np.sqrt(n)).all()


def test_jaccard_and_the_printed_equation(tmp_path):
    """One pair: J = D/(2 - D), and equation 9 as printed, N_ab/(N_a + N_b), is D/2."""
    truth = web(1, 32, 6)
    model = web(1, 32, 7, 0.5, truth)
    run("--pairs", write_pairs(tmp_path / "p.h5", truth, model), "-o", tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5") as f:
        d, j = f["dice/mean"][:], f["dice/jaccard_mean"][:]
        for t, percent in enumerate(TOP):
            shared, both = dice(masks(truth, percent, "set"), masks(model, percent, "set"))
            assert d[t] / 2 == pytest.approx(shared[0] / both[0], rel=1e-14)
        np.testing.assert_allclose(j, d / (2 - d), rtol=1e-14)
        assert 0.05 < d[0] < 1 and (d[1:] > np.array(TOP[1:]) / 100).all()
        # No second map: nothing to compare at random.
        assert f["dice"].attrs["random_pairs"] == 0 and np.isnan(f["dice/random_mean"][:]).all()
        assert np.isnan(f["dice/normalized_mean"][:]).all() and (f["dice/sem"][:] == 0).all()


def test_constant_maps_and_ties(tmp_path):
    n, side = 5, 16
    flat = np.full((n, side, side), 3, np.float32)
    run("--pairs", write_pairs(tmp_path / "p.h5", flat, flat), "-o", tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5") as f:
        # Every pixel is as dense as the K-th: all masks are full.
        assert (f["dice/mean"][:] == 1).all() and (f["dice/random_mean"][:] == 1).all()
        assert (f["dice/random_std"][:] == 0).all() and (f["dice/std"][:] == 0).all()
        assert np.isnan(f["dice/normalized_mean"][:]).all() and np.isnan(f["dice/significance_mean"][:]).all()
        assert np.isnan(f["pairs/transfer_median"][:]).all() and np.isnan(f["pairs/correlation_mean"][:]).all()
    ties = np.random.default_rng(2).integers(0, 4, (2, n, side, side)).astype(np.float32)
    for scope in ("set", "image"):
        run("--pairs", write_pairs(tmp_path / "p.h5", *ties), "-o", tmp_path / "s.h5", "--threshold-scope", scope)
        with h5py.File(tmp_path / "s.h5") as f:
            for t, percent in enumerate(TOP):
                for name, value in expected_dice(*ties, percent, scope, list(combinations(range(n), 2))).items():
                    found = f["dice"][name][t]
                    assert found == pytest.approx(value, rel=1e-12, abs=1e-14, nan_ok=True), (scope, percent, name)


def test_pairs_of_empty_masks_say_nothing(tmp_path):
    """In the whole set's densest pixels, maps may have none at all: 0/0 is left out and counted."""
    n, side = 6, 16
    truth = web(n, side, 8)
    truth[3:] *= 1e-6
    model = web(n, side, 9, 0.3, truth)
    model[3:] *= 1e-6
    run("--pairs", write_pairs(tmp_path / "p.h5", truth, model), "-o", tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5") as f:
        assert f["dice/pairs_counted"][2] == 3 and f["dice/pairs_counted"][-1] == n
        assert f["dice/random_counted"][2] == 15 - 3
        assert np.isfinite(f["dice/mean"][:]).all()
        expected = expected_dice(truth, model, TOP[2], "set", list(combinations(range(n), 2)))
        for name, value in expected.items():
            assert f["dice"][name][2] == pytest.approx(value, rel=1e-12), name


def philox_uniform(seed, stream, index, sub):
    """Philox4x32-10 as base/rng.h defines it, by its paper."""
    index = np.asarray(index, np.uint64)
    low = np.uint64(0xFFFFFFFF)
    x = [index & low, index >> np.uint64(32), np.full_like(index, sub), np.full_like(index, stream)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        a, b = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)
        x = [(b >> np.uint64(32)) ^ x[1] ^ np.uint64(k0), b & low, (a >> np.uint64(32)) ^ x[3] ^ np.uint64(k1), a & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return (((x[1] << np.uint64(32)) | x[0]) >> np.uint64(11)) * 2.0**-53


def test_large_sets_take_seeded_pairs(tmp_path):
    n, side, count = 1003, 8, 100000
    truth = web(n, side, 10)
    model = web(n, side, 11, 0.3, truth)
    path = write_pairs(tmp_path / "p.h5", truth, model)
    run("--pairs", path, "-o", tmp_path / "a.h5", "--seed", 7)
    run("--pairs", path, "-o", tmp_path / "b.h5", "--seed", 8)
    k = np.arange(count)
    i = (philox_uniform(7, 8, k, 0) * n).astype(int)
    j = (philox_uniform(7, 8, k, 1) * (n - 1)).astype(int)
    j += j >= i
    assert (i != j).all() and i.max() < n and j.max() == n - 1
    with h5py.File(tmp_path / "a.h5") as f, h5py.File(tmp_path / "b.h5") as other:
        assert f["dice"].attrs["random_pairs"] == count
        assert np.array_equal(f["dice/mean"][:], other["dice/mean"][:])
        assert not np.array_equal(f["dice/random_mean"][:], other["dice/random_mean"][:])
        for t in (0, 6, 19):
            expected = expected_dice(truth, model, TOP[t], "set", np.stack([i, j], axis=1))
            for name, value in expected.items():
                assert f["dice"][name][t] == pytest.approx(value, rel=1e-9), (TOP[t], name)
