"""The commands dataset info and dataset export: the split by parent maps, the 72 sub-images of each, against numpy."""
import json

import h5py
import numpy as np
import pytest

from training import fields, run, sets, write_maps

SPLIT = sets(dataset__validation=2, dataset__test=3)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5", fields(9, 32), redshift=1.)


@pytest.fixture(scope="module")
def parts(maps):
    out = {}
    for part in ("train", "validation", "test"):
        path = maps.parent / f"{part}.h5"
        run("dataset", "export", maps, *SPLIT, "--split", part, "-o", path)
        with h5py.File(path) as f:
            out[part] = f["maps"][:]
            assert (f.attrs["box_mpc_h"], f.attrs["mean"], f.attrs["redshift"]) == (50, 4, 1)
            assert f["provenance"].attrs["input_hashes"].endswith("maps.h5")
            # Maps without /origin are a box each: images of one map are known as such.
            assert np.array_equal(f["origin"][:, 0], f["labels"][:, 0]) and (f["origin"][:, 1:] == 0).all()
    return out


def parents_of(images, maps):
    """Which parent's upper left crop every image group begins with."""
    with h5py.File(maps) as f:
        values = f["maps"][:]
    corners = {v[:16, :16].tobytes(): i for i, v in enumerate(values)}
    return [corners[image.tobytes()] for image in images], values


def test_held_out_images_are_the_four_crops_in_linear_density(parts, maps):
    seen = []
    for part, count in (("validation", 2), ("test", 3)):
        images = parts[part]
        assert images.shape == (4 * count, 16, 16)
        parents, values = parents_of(images[::4], maps)
        for i, parent in enumerate(parents):
            v = values[parent]
            wanted = [v[:16, :16], v[:16, 16:], v[16:, :16], v[16:, 16:]]
            assert all(np.array_equal(images[4 * i + q], wanted[q]) for q in range(4))
        assert parents == sorted(parents)
        seen += parents
    parents, _ = parents_of(parts["train"][::72], maps)
    assert sorted(seen + parents) == list(range(9)), "no map is in two parts"


def test_labels_say_where_each_image_comes_from(parts, maps):
    with h5py.File(maps) as f:
        values = f["maps"][:]
    for part in ("train", "validation", "test"):
        with h5py.File(maps.parent / f"{part}.h5") as f:
            labels = f["labels"][:]
            assert f["labels"].attrs["columns"] == "map, y, x, orientation" and labels.shape == (len(parts[part]), 4)
        for image, (parent, y, x, orientation) in zip(parts[part], labels):
            wanted = values[parent, y:y + 16, x:x + 16]
            wanted = wanted.T if orientation & 4 else wanted
            wanted = wanted[:, ::-1] if orientation & 1 else wanted
            assert np.array_equal(image, wanted[::-1] if orientation & 2 else wanted)
        assert len(np.unique(labels, axis=0)) == len(labels)


def test_whole_maps_as_they_stand(maps, tmp_path):
    run("dataset", "export", maps, *SPLIT, *sets(dataset__crop=32, dataset__rotate="false"), "-o", tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5") as f, h5py.File(maps) as g:
        assert f["maps"].shape == (4, 32, 32) and f.attrs["box_mpc_h"] == 100
        assert np.array_equal(f["maps"][:], g["maps"][:][f["labels"][:, 0]])
        assert (f["labels"][:, 1:] == 0).all()


def test_info_says_what_training_will_see(tmp_path):
    values = fields(9, 32) - 10
    values[3, 0, 0] = 1e4
    path = write_maps(tmp_path / "m.h5", values, transform="linear", a=-10., b=1e3, unit="particles", mean=-6.)
    info = json.loads(run("dataset", "info", path, *SPLIT, "--json").stdout)
    split = info["split"]
    assert info["transform"] == {"kind": "linear", "a": -10, "b": 1000, "c": 0, "unit": "particles"}
    assert split["sub_image_mpc_h"] == 50 and split["device_mib"] == pytest.approx((4 * 32 * 32 + 4 * 72) * 4 / 2**20)
    assert sum(split[p]["above"] for p in ("train", "validation", "test")) == info["densities"]["above"] == 1
    assert info["densities"]["below"] == 0 and info["densities"]["lowest"] < 0
    text = run("dataset", "info", path, *SPLIT).stdout
    assert "linear in particles per pixel, -10 … 1000 to [-1, 1]" in text and "50 Mpc/h wide" in text
    run("dataset", "export", path, *SPLIT, "-o", tmp_path / "t.h5")
    again = json.loads(run("dataset", "info", tmp_path / "t.h5", *SPLIT, "--json").stdout)
    assert again["densities"]["lowest"] < 0 and again["transform"] == info["transform"]


def test_training_images_are_nine_crops_in_eight_symmetries(parts, maps):
    images = parts["train"]
    assert images.shape == (4 * 72, 16, 16)
    parents, values = parents_of(images[::72], maps)
    for i, parent in enumerate(parents):
        crops = [values[parent][y:y + 16, x:x + 16] for y in (0, 8, 16) for x in (0, 8, 16)]
        for c, crop in enumerate(crops):
            got = images[72 * i + 8 * c:72 * i + 8 * (c + 1)]
            for s in range(8):
                wanted = crop.T if s & 4 else crop
                # ops/crop.h: transpose first, then flip x, then flip y; seen from the output it reads the other way round.
                candidates = {(fx, fy): wanted[::-1 if fy else 1, ::-1 if fx else 1] for fx in (0, 1) for fy in (0, 1)}
                assert np.array_equal(got[s], candidates[(s & 1, s >> 1 & 1)]), (c, s)
            assert len({g.tobytes() for g in got}) == 8


def test_the_split_is_of_the_seed(maps, tmp_path):
    def test_part(*arguments):
        run("dataset", "export", maps, *SPLIT, "--split", "test", *arguments, "-o", tmp_path / "t.h5")
        with h5py.File(tmp_path / "t.h5") as f:
            return f["maps"][:]

    assert np.array_equal(test_part(), test_part())
    assert any(not np.array_equal(test_part(), test_part("--seed", seed)) for seed in (2, 3))


def test_maps_of_one_box_stay_together(tmp_path):
    path = write_maps(tmp_path / "m.h5", fields(12, 32))
    with h5py.File(path, "a") as f:
        f["origin"] = np.stack([np.repeat([7, 3, 9, 4], 3), np.full(12, 2), np.arange(12)], 1).astype("i4")
    run("dataset", "export", path, *sets(dataset__validation=1, dataset__test=1), "--split", "test", "-o", tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5") as f:
        parents, _ = parents_of(f["maps"][::4], path)
    assert len(parents) == 3 and len({p // 3 for p in parents}) == 1


def test_json_and_info(maps, tmp_path):
    out = tmp_path / "v.h5"
    done = run("dataset", "export", maps, *SPLIT, "--split", "validation", "-o", out, "--json")
    assert json.loads(done.stdout) == {"maps": 8, "pixels": 16, "file": str(out)}
    info = json.loads(run("dataset", "info", maps, *SPLIT, "--json").stdout)
    assert info["split"]["crop"] == 16 and info["split"]["sub_images"] == 288 and info["maps"] == 9


def test_refusals(maps, tmp_path):
    out = ["-o", tmp_path / "x.h5"]
    run("dataset", "export", maps, *sets(dataset__validation=2, dataset__test=0), "--split", "test", *out, status=2,
        says=["no test maps", "dataset.test"])
    run("dataset", "export", maps, *SPLIT, "--split", "all", *out, status=2, says="train|validation|test")
    run("dataset", "export", maps, *SPLIT, status=2, says="-o")
    run("dataset", "export", maps, *sets(dataset__validation=5, dataset__test=4), *out, status=2, says="leave none to train on")
    run("dataset", "export", maps, *SPLIT, *sets(dataset__crop=20), "--split", "test", *out, status=2, says="overlap")
    run("dataset", "export", tmp_path / "none.h5", *SPLIT, *out, status=6, says="No such file")
    assert not (tmp_path / "x.h5").exists()
