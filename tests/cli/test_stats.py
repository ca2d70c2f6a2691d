"""`cosmocl stats` and `cosmocl dataset info` as a user meets them: output, bad input, repeatability."""
import json
import os
import subprocess

import h5py
import numpy as np
import pytest

COSMOCL = os.environ["COSMOCL"]


def cosmocl(*arguments, **keywords):
    return subprocess.run([COSMOCL, *map(str, arguments)], capture_output=True, text=True, timeout=300, **keywords)


def write_maps(path, maps, box=100.0, mean=4.0, origin=None, **attributes):
    with h5py.File(path, "w") as f:
        f["maps"] = np.asarray(maps, np.float32)
        f.attrs["box_mpc_h"] = box
        f.attrs["mean"] = mean
        if origin is not None:
            f["origin"] = np.asarray(origin, np.int32)
        for name, value in attributes.items():
            f.attrs[name] = value
    return path


def densities(n, side, seed=1):
    return 4 * np.exp(np.random.default_rng(seed).standard_normal((n, side, side)))


@pytest.fixture
def pair(tmp_path):
    return (
        write_maps(tmp_path / "truth.h5", densities(4, 32)),
        write_maps(tmp_path / "model.h5", densities(6, 16, 2), box=50),
    )


def stats(truth, model, out, *more):
    return cosmocl("stats", "--truth", truth, "--model", model, "-o", out, *more)


def contents(path):
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, o: found.update({name: o[()].tobytes()}) if isinstance(o, h5py.Dataset) else None)
    return found


def test_table_on_stdout_and_nothing_else(pair, tmp_path):
    done = stats(*pair, tmp_path / "s.h5")
    assert done.returncode == 0, done.stderr
    for word in ("pdf", "mean", "std", "psd", "peaks", "underflow", str(tmp_path / "s.h5")):
        assert word in done.stdout
    with h5py.File(tmp_path / "s.h5") as f:
        assert f["provenance"].attrs["inputs"] == 2
        assert f["truth/pixel_pdf"].attrs["units"] is not None
        assert f["truth"].attrs["images"] == 16 and f["model"].attrs["images"] == 6


def test_the_same_bytes_twice(pair, tmp_path):
    assert stats(*pair, tmp_path / "a.h5").returncode == 0
    assert stats(*pair, tmp_path / "b.h5").returncode == 0
    assert contents(tmp_path / "a.h5") == contents(tmp_path / "b.h5")


def test_a_set_against_itself_is_perfect(pair, tmp_path):
    done = stats(pair[1], pair[1], tmp_path / "s.h5", "--json")
    assert json.loads(done.stdout)["figures"] == {"pdf": 0, "mean": 1, "std": 1, "psd": 0, "peaks": 1}


def test_halves_of_the_truth_are_compared_as_the_model_is(tmp_path):
    maps = densities(41, 16)
    truth = write_maps(tmp_path / "truth.h5", maps)
    first, rest = write_maps(tmp_path / "first.h5", maps[:20]), write_maps(tmp_path / "rest.h5", maps[20:])
    assert stats(truth, first, tmp_path / "s.h5").returncode == 0
    assert stats(rest, first, tmp_path / "halves.h5").returncode == 0
    with h5py.File(tmp_path / "s.h5") as s, h5py.File(tmp_path / "halves.h5") as halves:
        for name in ("pdf", "mean", "std", "psd", "peaks"):
            assert s["score"].attrs["half_" + name] == halves["score"].attrs[name] != s["score"].attrs[name]
            assert s["score"].attrs[f"half_{name}_error"] == halves["score"].attrs[f"{name}_error"] > 0


def test_one_map_has_no_scatter(tmp_path):
    one = write_maps(tmp_path / "one.h5", densities(1, 16))
    done = stats(one, one, tmp_path / "s.h5", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["figures"]["std"] is None


def test_huge_densities(tmp_path, pair):
    huge = write_maps(tmp_path / "huge.h5", densities(2, 16) * 1e36)
    done = stats(pair[1], huge, tmp_path / "s.h5", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["figures"]["pdf"] == pytest.approx(2) and found["model"]["overflow"] == 512
    with h5py.File(tmp_path / "s.h5") as f:
        assert np.isfinite(f["model/power_all"][:]).all() and (f["model/power_all"][:] > 0).all()


@pytest.mark.parametrize("bad, word", [(np.nan, "nan"), (np.inf, "inf"), (-1, "-1")])
def test_bad_pixels_are_named(pair, tmp_path, bad, word):
    maps = densities(3, 16)
    maps[2, 5, 7] = bad
    path = write_maps(tmp_path / "bad.h5", maps)
    done = stats(pair[0], path, tmp_path / "s.h5")
    assert done.returncode == 6
    for part in ("bad.h5", "map 2", "y 5", "x 7", word):
        assert part in done.stderr
    assert not (tmp_path / "s.h5").exists()


def test_sizes_that_do_not_fit(tmp_path, pair):
    large = write_maps(tmp_path / "large.h5", densities(2, 24))
    done = stats(pair[0], large, tmp_path / "s.h5")  # four crops of 24 overlap in 32
    assert done.returncode == 2 and "overlap" in done.stderr and "truth.h5" in done.stderr
    done = stats(*pair, tmp_path / "s.h5", "--crop", "17")
    assert done.returncode == 2 and "--crop" in done.stderr
    single = write_maps(tmp_path / "single.h5", densities(2, 1))
    done = stats(single, single, tmp_path / "s.h5")
    assert done.returncode == 2 and "1 × 1" in done.stderr
    wide = write_maps(tmp_path / "wide.h5", np.ones((1, 16, 40)))
    assert stats(wide, wide, tmp_path / "s.h5").returncode == 2
    assert not (tmp_path / "s.h5").exists()


def test_a_smaller_crop_cuts_both(pair, tmp_path):
    done = stats(*pair, tmp_path / "s.h5", "--json", "--crop", "8")
    found = json.loads(done.stdout)
    assert (found["truth"]["images"], found["model"]["images"], found["model"]["side"]) == (16, 24, 8)


def test_a_part_of_the_truth(tmp_path):
    """--split takes the maps of that part alone, whole boxes of it, and of the model all."""
    maps = np.repeat(np.arange(1.0, 11.0), 2)[:, None, None] * np.ones((20, 8, 8))
    truth = write_maps(tmp_path / "t.h5", maps, origin=[[i // 2, 0, 0] for i in range(20)])
    model = write_maps(tmp_path / "m.h5", densities(3, 4))
    split = ["--set", "dataset.validation=3", "--set", "dataset.test=2", "--seed", "5"]
    parts = {}
    for part, boxes in (("train", 5), ("validation", 3), ("test", 2), ("all", 10)):
        done = stats(truth, model, tmp_path / "s.h5", "--split", part, *split)
        assert done.returncode == 0, done.stderr
        with h5py.File(tmp_path / "s.h5") as f:
            levels, counts = np.unique(f["truth/mean_density"][:], return_counts=True)
            assert f["model"].attrs["images"] == 3
        assert len(levels) == boxes and (counts == 8).all()  # two maps of four crops each
        parts[part] = set(levels)
    assert parts["train"] | parts["validation"] | parts["test"] == parts["all"]
    done = stats(truth, model, tmp_path / "s.h5", "--split", "tests")
    assert done.returncode == 2 and "--split tests" in done.stderr
    done = stats(truth, model, tmp_path / "s.h5", "--split", "test")  # 100 boxes are not there
    assert done.returncode == 2 and "leave none" in done.stderr and "t.h5" in done.stderr


@pytest.mark.parametrize("more", [["--density-bins", "0"], ["--density-min", "10", "--density-max", "1"], ["--density-min", "-1"]])
def test_bad_bins(pair, tmp_path, more):
    done = stats(*pair, tmp_path / "s.h5", *more)
    assert done.returncode == 2 and done.stderr


def test_missing_arguments(pair, tmp_path):
    done = cosmocl("stats", "--truth", pair[0], "-o", tmp_path / "s.h5")
    assert done.returncode == 2 and "--model" in done.stderr
    assert cosmocl("stats", "--truth", pair[0], "--model", pair[1]).returncode == 2
    assert stats(pair[0], tmp_path / "none.h5", tmp_path / "s.h5").returncode == 6


def test_other_pixel_sizes_warn(tmp_path, pair):
    other = write_maps(tmp_path / "other.h5", densities(2, 16), box=70, mean=5)
    done = stats(pair[0], other, tmp_path / "s.h5")
    assert done.returncode == 0 and "Mpc/h wide" in done.stderr and "on average" in done.stderr


@pytest.fixture
def matched(tmp_path):
    path = write_maps(tmp_path / "pairs.h5", densities(5, 16, 3))
    with h5py.File(path, "a") as f:
        f["truth"] = densities(5, 16, 4).astype(np.float32)
    return path


def test_pairs_give_everything(matched, tmp_path):
    done = cosmocl("stats", "--pairs", matched, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for word in ("Dice", "significance", "normalised", "each set", "10 pairs", "transfer", "pdf", "stats_pairs.h5"):
        assert word in done.stdout
    with h5py.File(tmp_path / "stats_pairs.h5") as f:
        assert {"truth", "model", "score", "dice", "pairs", "provenance"} <= set(f)
        assert f["dice/mean"].shape == (20,) and f["pairs/transfer_median"].shape == (8,)
        assert f["dice/mean"].attrs["meaning"] is not None
    text = cosmocl("stats", "--pairs", matched, "-o", tmp_path / "i.h5", "--threshold-scope", "image").stdout
    assert "each image" in text
    # The two sets are those of the file, the truth being the truth.
    with h5py.File(matched) as f:
        truth = write_maps(tmp_path / "t.h5", f["truth"][:])
        model = write_maps(tmp_path / "m.h5", f["maps"][:])
    assert stats(truth, model, tmp_path / "two.h5").returncode == 0
    one, two = contents(tmp_path / "stats_pairs.h5"), contents(tmp_path / "two.h5")
    assert all(one[name] == two[name] for name in two if name.startswith(("truth", "model", "density_edges")))
    assert not any(name.startswith(("dice", "pairs")) for name in two)


def test_pairs_are_cut_alike(matched, tmp_path):
    done = cosmocl("stats", "--pairs", matched, "--crop", "8", "-o", tmp_path / "s.h5", "--json")
    assert done.returncode == 0, done.stderr
    with h5py.File(matched) as f:
        first = f["truth"][:, :8, :8].mean(axis=(1, 2))
    with h5py.File(tmp_path / "s.h5") as f:
        assert f["dice"].attrs["images"] == 20
        np.testing.assert_allclose(f["truth/mean_density"][::4], first, rtol=1e-6)


def test_what_is_no_file_of_pairs(matched, pair, tmp_path):
    out = tmp_path / "s.h5"
    done = cosmocl("stats", "--pairs", pair[0], "-o", out)
    assert done.returncode == 6 and "/truth" in done.stderr and "infer" in done.stderr and "truth.h5" in done.stderr
    for shape in ((4, 16, 16), (5, 16, 8), (16, 16)):
        with h5py.File(matched, "a") as f:
            del f["truth"]
            f["truth"] = np.ones(shape, np.float32)
        done = cosmocl("stats", "--pairs", matched, "-o", out)
        assert done.returncode == 6 and "equal shapes" in done.stderr and "pairs.h5" in done.stderr
    bad = np.ones((5, 16, 16), np.float32)
    bad[4, 3, 2] = np.nan
    with h5py.File(matched, "a") as f:
        del f["truth"]
        f["truth"] = bad
    done = cosmocl("stats", "--pairs", matched, "-o", out)
    assert done.returncode == 6
    for part in ("/truth", "map 4", "y 3", "x 2", "nan"):
        assert part in done.stderr
    with h5py.File(matched, "a") as f:
        del f["maps"]
    done = cosmocl("stats", "--pairs", matched, "-o", out)
    assert done.returncode == 6 and "/maps" in done.stderr
    assert cosmocl("stats", "--pairs", tmp_path / "none.h5", "-o", out).returncode == 6
    assert not out.exists()


@pytest.mark.parametrize("more", [["--truth", "t.h5"], ["--model", "t.h5"], ["--split", "test"]])
def test_what_does_not_go_with_pairs(matched, tmp_path, more):
    done = cosmocl("stats", "--pairs", matched, "-o", tmp_path / "s.h5", *more)
    assert done.returncode == 2 and more[0] in done.stderr and "--pairs" in done.stderr


def test_unknown_threshold_scope(matched, tmp_path):
    done = cosmocl("stats", "--pairs", matched, "-o", tmp_path / "s.h5", "--threshold-scope", "map")
    assert done.returncode == 2 and "set" in done.stderr and "image" in done.stderr


def test_dataset_info(tmp_path):
    maps = densities(20, 16)
    maps[3, 0, 0] = 4 * 0.001
    maps[4, 0, 0] = 4 * 1000
    path = write_maps(tmp_path / "maps.h5", maps, redshift=0.5, origin=[[i // 2, 0, 0] for i in range(20)])
    done = cosmocl("dataset", "info", path, "--set", "dataset.validation=2", "--set", "dataset.test=0.3", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["maps"], found["ny"], found["redshift"], found["dims"]) == (20, 16, 0.5, 2)
    assert (found["densities"]["below"], found["densities"]["above"]) == (1, 1)
    parts = [found["split"][name] for name in ("train", "validation", "test")]
    assert [(part["boxes"], part["maps"]) for part in parts] == [(5, 10), (2, 4), (3, 6)]
    assert [sum(part[side] for part in parts) for side in ("below", "above")] == [1, 1]
    assert (found["split"]["sub_images"], found["split"]["crop"]) == (720, 8)
    text = cosmocl("dataset", "info", path, "--set", "dataset.validation=2", "--set", "dataset.test=3").stdout
    assert "720 to train on" in text and "8 × 8 pixels" in text and "1 pixels below, 1 above" in text


def test_dataset_info_where_the_split_does_not_fit(tmp_path):
    path = write_maps(tmp_path / "maps.h5", densities(5, 16))
    done = cosmocl("dataset", "info", path, "--json")
    assert done.returncode == 0 and "leave none" in json.loads(done.stdout)["split"]["error"]
    assert "leave none" in cosmocl("dataset", "info", path).stdout
    assert cosmocl("dataset", "info", tmp_path / "none.h5").returncode == 6


def test_dataset_info_needs_no_device(tmp_path):
    path = write_maps(tmp_path / "maps.h5", densities(5, 16))
    environment = dict(os.environ, OCL_ICD_VENDORS=str(tmp_path))
    assert cosmocl("dataset", "info", path, env=environment).returncode == 0
