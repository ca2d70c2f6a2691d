"""The command infer: pairs of truth and inference from a trained encoder, which maps it takes, and what it says of maps that
differ from those trained on."""
import json
import shutil

import h5py
import numpy as np
import pytest

from training import TINY, datasets, fields, run, sets, write_maps


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5", fields(12, 32), redshift=.5)


@pytest.fixture(scope="module")
def gan(maps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gan")
    run("train", "gan", maps, *TINY, "--steps", 20, *sets(gan__save_every=10), "-o", folder)
    return folder


@pytest.fixture(scope="module")
def encoder(maps, gan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    run("train", "encoder", maps, gan, "--loss", "pixel", "--steps", 20,
        *sets(encoder__batch=6, encoder__micro_batch=3, encoder__save_every=10), "-o", folder)
    return folder


def corners(values, side):
    return np.concatenate([[v[:side, :side], v[:side, -side:], v[-side:, :side], v[-side:, -side:]] for v in values])


def test_a_pairs_file(maps, encoder, tmp_path):
    done = run("infer", maps, encoder, "-o", tmp_path / "pairs.h5")
    assert "8 pairs of 16" in done.stdout and "pairs.h5" in done.stdout
    run("dataset", "export", maps, *TINY, "--split", "test", "-o", tmp_path / "test.h5")
    with h5py.File(tmp_path / "pairs.h5") as f, h5py.File(tmp_path / "test.h5") as test:
        assert f["maps"].shape == f["truth"].shape == (8, 16, 16) and f["latent"].shape == (8, 8)
        assert f["maps"].dtype == f["truth"].dtype == f["latent"].dtype == "f4"
        assert np.array_equal(f["truth"][()], test["maps"][()])
        assert np.isfinite(f["maps"][()]).all() and (f["maps"][()] > 0).all() and np.ptp(f["latent"][()], axis=0).all()
        at = f.attrs
        assert (at["box_mpc_h"], at["mean"], at["redshift"], at["estimator"]) == (50, 4, .5, "autoencoder")
        assert at["transform"] == "log" and at["unit"] == "overdensity"
        made = f["provenance"].attrs
        assert made["inputs"] == 2 and "best.h5" in made["input_hashes"] and made["device"] != "none"


def test_the_latents_decode_to_the_inferred_maps(maps, encoder, tmp_path):
    run("infer", maps, encoder, "--split", "all", "-o", tmp_path / "pairs.h5")
    run("generate", encoder / "best.h5", "--latents", tmp_path / "pairs.h5", "-o", tmp_path / "generated.h5")
    with h5py.File(tmp_path / "pairs.h5") as f, h5py.File(tmp_path / "generated.h5") as g, h5py.File(maps) as m:
        assert np.array_equal(f["maps"][()], g["maps"][()])
        assert np.array_equal(f["truth"][()], corners(m["maps"][()], 16))


@pytest.mark.parametrize("split, count", [("train", 32), ("validation", 8), ("test", 8), ("all", 48)])
def test_splits(maps, encoder, tmp_path, split, count):
    done = run("infer", maps, encoder, "--split", split, "--json", "-o", tmp_path / "pairs.h5")
    found = json.loads(done.stdout)
    assert (found["maps"], found["pixels"], found["latent"], found["file"]) == (count, 16, 8, str(tmp_path / "pairs.h5"))


def test_the_batch_changes_nothing(maps, encoder, tmp_path):
    for batch in (1, 5, 50):
        run("infer", maps, encoder, *sets(encoder__batch=batch), "-o", tmp_path / f"{batch}.h5")
    assert datasets(tmp_path / "1.h5") == datasets(tmp_path / "5.h5") == datasets(tmp_path / "50.h5")


def test_images_of_the_networks_size_are_taken_whole(encoder, gan, tmp_path):
    run("generate", gan, "--count", 7, "-o", tmp_path / "generated.h5")
    done = run("infer", tmp_path / "generated.h5", encoder, "--split", "all", "-o", tmp_path / "pairs.h5")
    assert "warning" not in done.stderr
    with h5py.File(tmp_path / "pairs.h5") as f, h5py.File(tmp_path / "generated.h5") as g:
        assert np.array_equal(f["truth"][()], g["maps"][()]) and f["maps"].shape == (7, 16, 16)
    done = run("infer", tmp_path / "generated.h5", encoder, "-o", tmp_path / "pairs.h5")
    assert "not the file that the encoder was trained on" in done.stderr and "2 pairs" in done.stdout


def test_which_epoch(maps, encoder, tmp_path):
    for options, step in (([], None), (["--epoch", 1], 10), (["--epoch", 2], 20)):
        done = run("infer", maps, encoder, *options, "--json", "-o", tmp_path / "pairs.h5")
        with h5py.File(encoder / "best.h5") as f:
            assert json.loads(done.stdout)["step"] == (step or f["progress"].attrs["step"])


@pytest.mark.parametrize("attributes, says", [
    (dict(box_mpc_h=200.), ["a pixel is 6.25 Mpc/h wide", "were 3.125"]),
    (dict(mean=8.), ["its mean is 8, that of the maps trained on 4"]),
    (dict(transform="log", a=-3., b=5., unit="overdensity"), ["names another transform"]),
])
def test_maps_that_differ_are_said(encoder, tmp_path, attributes, says):
    path = write_maps(tmp_path / "other.h5", fields(4, 32), **attributes)
    done = run("infer", path, encoder, "--split", "all", "-o", tmp_path / "pairs.h5")
    assert all(words in done.stderr for words in says), done.stderr


def test_overdensities_are_of_the_maps_own_mean(encoder, tmp_path):
    values = fields(3, 16)
    run("infer", write_maps(tmp_path / "a.h5", values), encoder, "--split", "all", "-o", tmp_path / "1.h5")
    run("infer", write_maps(tmp_path / "b.h5", values * 2, mean=8.), encoder, "--split", "all", "-o", tmp_path / "2.h5")
    with h5py.File(tmp_path / "1.h5") as f, h5py.File(tmp_path / "2.h5") as g:
        assert np.array_equal(f["latent"][()], g["latent"][()])
        np.testing.assert_allclose(g["maps"][()], 2 * f["maps"][()], rtol=1e-6)
        assert g.attrs["mean"] == 8


def test_refusals(maps, gan, encoder, tmp_path):
    out = ["-o", tmp_path / "pairs.h5"]
    run("infer", maps, gan, *out, status=6, says="has no /encoder")
    run("infer", maps, tmp_path / "none.h5", *out, status=6, says="none.h5")
    run("infer", tmp_path / "none.h5", encoder, *out, status=6, says="none.h5")
    run("infer", write_maps(tmp_path / "small.h5", fields(3, 12)), encoder, "--split", "all", *out, status=2, says="12 × 12")
    run("infer", write_maps(tmp_path / "odd.h5", fields(3, 20)), encoder, "--split", "all", *out, status=2, says="overlap")
    run("infer", maps, encoder, "--split", "best", *out, status=2, says="train|validation|test|all")
    run("infer", maps, encoder, *sets(dataset__test=3), *out, status=2, says=["dataset.test = 2, not 3", "leave the key out"])
    run("infer", maps, encoder, "--epoch", 9, *out, status=6, says="no such saved epoch")
    run("infer", maps, status=2, says="CHECKPOINT")
    broken = shutil.copy(encoder / "best.h5", tmp_path / "broken.h5")
    with h5py.File(broken, "a") as f:
        f["encoder/conv.0.weight"][0, 0, 0, 0] = np.nan
    run("infer", maps, broken, *out, status=6, says=["encoder/conv.0.weight", "not finite"])
    run("infer", maps, encoder, *out, status=1, says="No space left", COSMOCL_FAIL_WRITE=2)
    assert not (tmp_path / "pairs.h5").exists()
