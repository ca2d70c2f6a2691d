"""`cosmocl report` on the autoencoder, the sanity experiment, the baselines and the score: the numbers it says are those of the
files, the pictures show what the masks of numpy show, and missing or damaged parts are said."""
import json
import os
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import h5py
import numpy
import pytest

from reporting import BASELINES, PERCENT, masks_of, write_run

COSMOCL = os.environ["COSMOCL"]


def report(folder, *more, draw=False):
    """Without the curves unless they are asked for: gnuplot takes nearly all of the time."""
    done = subprocess.run([COSMOCL, "report", str(folder), *more], capture_output=True, text=True, timeout=300,
                          env=os.environ if draw else dict(os.environ, COSMOCL_GNUPLOT="no-such-gnuplot"))
    assert done.returncode == 0, done.stderr
    return done


def text_of(folder):
    """The page without its tags; spaces and breaks as one space."""
    page = (Path(folder) / "report.html").read_text(encoding="utf-8")
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    page = re.sub(r"<[^>]*>", "", page).replace("&nbsp;", " ")
    return re.sub(r"\s+", " ", page)


def blocks_of(path):
    """Blocks of numbers of a data file of gnuplot."""
    rows = [[[float(x) for x in line.split()] for line in block.splitlines() if line.strip() and line[0] != "#"]
            for block in Path(path).read_text().split("\n\n\n")]
    return [numpy.array(block) for block in rows]


def png(path):
    """(palette, indices) of an indexed PNG file of 8 bits."""
    data, at, found = Path(path).read_bytes(), 8, {}
    while at < len(data):
        n, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
        found[kind] = found.get(kind, b"") + data[at + 8:at + 8 + n]
        at += 12 + n
    width, height = (int.from_bytes(found[b"IHDR"][k:k + 4], "big") for k in (0, 4))
    rows = numpy.frombuffer(zlib.decompress(found[b"IDAT"]), numpy.uint8).reshape(height, width + 1)
    out = numpy.zeros((height, width), numpy.uint8)
    for y in range(height):
        line = rows[y, 1:].astype(int)
        above = out[y - 1].astype(int) if y else numpy.zeros(width, int)
        assert rows[y, 0] in (0, 1, 2), "a filter that this reader does not know"
        out[y] = {0: line, 1: numpy.cumsum(line), 2: line + above}[rows[y, 0]] & 255
    return numpy.frombuffer(found[b"PLTE"], numpy.uint8).reshape(-1, 3), out


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs") / "run"
    write_run(folder)
    report(folder, draw=True)
    return folder, text_of(folder)


@pytest.fixture
def copy(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "run")
    return tmp_path / "run"


def test_overlap_in_words_and_curves(made):
    folder, text = made
    with h5py.File(folder / "stats_pairs.h5") as f:
        d = {name: values[:] for name, values in f["dice"].items()}
    assert f"overlap by {100 * d['mean'][PERCENT.index(20)]:.1f} %" in text
    assert f"taken at random by {100 * d['random_mean'][PERCENT.index(20)]:.1f} %" in text
    clear = d["mean"] - d["std"] > d["random_mean"] + d["random_std"]
    reach = PERCENT[clear.argmin() - 1] if not clear.all() else PERCENT[-1]
    assert clear[0] and f"up to the top {reach} % (the paper: 60 %)" in text
    assert f"at the top {PERCENT[d['normalized_mean'].argmax()]} %: {d['normalized_mean'].max():.2f} of" in text
    assert f"by {d['significance_mean'].max():.1f} σ, at the top {PERCENT[d['significance_mean'].argmax()]} %" in text
    block, = blocks_of(folder / "figures/figure10_dice.dat")
    names = ("top_percent", "mean", "std", "sem", "random_mean", "random_std", "normalized_mean", "normalized_std",
             "significance_mean", "significance_std")
    assert numpy.allclose(block, numpy.stack([d[name] for name in names], 1), rtol=1e-8)


def test_scales(made):
    folder, text = made
    with h5py.File(folder / "stats_pairs.h5") as f:
        for name, value, width in (("transfer", "transfer_median", "transfer_mad"), ("correlation", "correlation_mean", "correlation_std")):
            block, = blocks_of(folder / f"figures/pairs_{name}.dat")
            v, w = f["pairs"][value][:], f["pairs"][width][:]
            k = 2 * numpy.pi * f["nu"][:] / 50
            assert numpy.allclose(block, numpy.stack([k, v, v - w, v + w], 1), rtol=1e-6, atol=1e-8)
        below = numpy.flatnonzero(f["pairs/correlation_mean"][:] < .5)[0]
        assert f"smaller than {50 / f['nu'][below]:.2g} Mpc/h" in text


def test_encoder_keeps_the_least_validation_loss(made):
    folder, text = made
    rows = [json.loads(line) for line in (folder / "encoder/metrics.jsonl").read_text().splitlines()]
    validation = [(r["step"], r["validation_loss"]) for r in rows if "validation_loss" in r]
    step, least = min(validation, key=lambda v: v[1])
    assert f"The encoder trained for 1300 steps. The weights of step {step} are used" in text and f"is least: {least:.4g}" in text
    course, checks, kept = blocks_of(folder / "figures/encoder_loss.dat")
    assert numpy.allclose(checks, validation, rtol=1e-8) and numpy.allclose(kept, [[step, least]], rtol=1e-8)
    losses = numpy.array([r["loss"] for r in rows if "loss" in r])
    assert numpy.isclose(course[:, 1].mean(), losses.mean(), rtol=1e-6)  # 1300 steps in 260 equal parts: none was lost


def test_pictures_of_masks(made):
    """Figure 9, pixel by pixel: neither, the original alone, the inferred alone, both."""
    folder, _ = made
    palette, index = png(folder / "figures/figure9.png")
    with h5py.File(folder / "pairs.h5") as f:
        inferred, truth = f["maps"][:], f["truth"][:]
    rows = len(truth) * numpy.arange(4) // 4
    for column, percent in enumerate((20, 40, 60, 80)):
        a, b = masks_of(truth, percent)[rows], masks_of(inferred, percent)[rows]
        for row in range(4):
            tile = index[row * 134:row * 134 + 128:2, column * 134:column * 134 + 128:2]
            assert numpy.array_equal(tile, a[row] + 2 * b[row])
    assert len({tuple(colour) for colour in palette[:4]}) == 4 and palette[3].min() > palette[0].max()
    _, index = png(folder / "figures/figure8.png")
    group = 2 * 128 + 6 + 14
    for row, pair in enumerate(rows):
        tile = index[row * 134:row * 134 + 128:2, 2 * group + 134:2 * group + 134 + 128:2]
        assert numpy.array_equal(tile > 0, masks_of(inferred, 40)[pair])


def test_sanity_table(made):
    folder, text = made
    for name in ("generated", "real"):
        with h5py.File(folder / f"stats_sanity_{name}.h5") as f:
            for percent in (1, 5, 20, 60):
                at = PERCENT.index(percent)
                assert f"{f['dice/mean'][at]:.3f} ± " in text and f"{f['dice/random_mean'][at]:.3f}" in text, (name, percent)
    generated, real = blocks_of(folder / "figures/sanity_dice.dat")
    assert generated[0, 1] > real[0, 1]
    assert "does not carry over to simulations" in text


def test_sanity_that_was_not_asked_for(copy):
    """Files of an older run are not shown, and are not missing."""
    config = copy / "config.ini"
    config.write_text(config.read_text().replace("sanity_steps = 400", "sanity_steps = 0"))
    (copy / "figures/sanity_dice.gp").unlink()
    assert json.loads(report(copy, "--json").stdout)["missing"] == []
    assert text_of(copy).count("not asked for (encoder.sanity_steps = 0)") == 2
    assert not (copy / "figures/sanity_dice.svg").exists() and not (copy / "figures/sanity_dice.gp").exists()


def test_baselines_where_they_win(made):
    _, text = made
    assert "The trained network comes nearest to the simulations in the scatter of the amount of matter, the number of peaks" in text
    assert "of 8 figures)" in text
    assert "The transformed Gaussian field is nearer in the densities of pixels (0.032 against 0.432), because it is given the densities" in text
    assert "(1.011 against 1.012, within the errors)" in text
    for figures in BASELINES.values():
        for name, value in figures.items():
            assert f"{value:.3f} ± {.02 * value:.{4 if .02 * value < .001 else 3}f}" in text, name
    assert text.count("● 0.032 ±") == 1 and text.count("● 0.876 ±") == 1  # the best of a row, whoever it is
    assert "● 1.500" not in text


def test_score_and_its_parts(made):
    folder, text = made
    chosen = json.loads((folder / "gan/select.json").read_text())
    epochs = chosen["epochs"]
    best = next(e for e in epochs if e["epoch"] == chosen["best"]["epoch"])
    assert f"scored {best['score']:.2f} (± {best['score_error']:.2g})" in text
    worst = max(best["parts"], key=best["parts"].get)
    assert f"furthest from its goal is {worst}, at {best['parts'][worst]:.2f}" in text
    blocks = blocks_of(folder / "figures/training_parts.dat")
    assert len(blocks) == 2 * len(best["parts"])
    for i, name in enumerate(best["parts"]):
        assert numpy.allclose(blocks[2 * i][:, :2], [(e["step"], e["parts"][name]) for e in epochs], rtol=1e-8)
        assert numpy.allclose(blocks[2 * i + 1][0, :2], (best["step"], best["parts"][name]), rtol=1e-8)
    assert numpy.allclose(blocks_of(folder / "figures/training_score.dat")[0],
                          [(e["step"], e["score"], e["score_error"]) for e in epochs], rtol=1e-8)


def test_diversity(made):
    assert "0.81 times as far" in made[1] and "3.8 % of them" in made[1]


def test_levels_by_the_figures_own_errors(copy):
    """Half against half is printed with its errors, and is no yardstick: only what is perfect within two errors is chance."""
    assert "0.025 ± 0.006" in text_of(copy) and text_of(copy).count("as good as chance allows") == 4  # mean, std, peaks; the note
    with h5py.File(copy / "stats.h5", "a") as f:
        f["score"].attrs.update(mean_error=.001, std_error=.001, peaks_error=.001)
    report(copy)
    assert text_of(copy).count("as good as chance allows") == 1


def test_words_for_either_side(copy):
    with h5py.File(copy / "stats.h5", "a") as f:
        f["diversity"].attrs["variety"] = 3.
    with h5py.File(copy / "stats_pairs.h5", "a") as f:
        f["pairs/transfer_median"][-1] = 3.
        f["dice/significance_mean"][:] = numpy.nan
    report(copy)
    assert "more variety than in the simulations" in text_of(copy) and "small structures are drawn too strong" in text_of(copy)
    with h5py.File(copy / "stats_pairs.h5", "a") as f:
        f["pairs/correlation_mean"][:] = numpy.nan
        f["dice/normalized_mean"][:] = numpy.nan
    report(copy)
    assert "nan" not in re.findall("[a-z]+", text_of(copy)) and "Scale by scale" not in text_of(copy)


def test_minkowski_curves(made):
    folder, text = made
    with h5py.File(folder / "stats.h5") as f:
        edges = f["density_edges"][:]
        for which, scale in (("area", 1), ("perimeter", 1), ("euler", 1000)):
            blocks = blocks_of(folder / f"figures/minkowski_{which}.dat")
            means = []
            for block, group in zip(blocks, ("truth", "model")):
                v = scale * f[f"{group}/minkowski_{which}"][:]
                means.append(v.mean(0) / scale)
                expected = numpy.stack([edges, v.mean(0), v.mean(0) - v.std(0), v.mean(0) + v.std(0)], 1)
                assert numpy.allclose(block, expected, rtol=1e-6, atol=1e-7)
            off = 100 * abs(means[1] - means[0]).max() / abs(means[0]).max()
            assert f"{off:.1f} % " in text


def test_parts_without_the_newer_statistics(copy):
    """Files of a version that knew neither overlap nor functionals nor errors."""
    for name in ("stats.h5", "stats_pairs.h5"):
        with h5py.File(copy / name, "a") as f:
            for group in ("dice", "pairs"):
                f.pop(group, None)
            for group in ("truth", "model"):
                for which in ("area", "perimeter", "euler"):
                    del f[group]["minkowski_" + which]
            for attribute in list(f["score"].attrs):
                if attribute.endswith("_error"):
                    del f["score"].attrs[attribute]
    report(copy, draw=True)
    text = text_of(copy)
    assert "The Minkowski functionals are not in stats.h5" in text and "The overlap is not in stats_pairs.h5" in text
    for name in ("figure10", "minkowski", "pairs_transfer"):
        assert not (copy / f"figures/{name}.svg").exists()
    assert (copy / "figures/figure7.svg").exists()


def test_one_side_of_a_curve_alone(copy):
    """Gnuplot counts no empty block: the curve that is left keeps its number."""
    (copy / "stats_sanity_generated.h5").unlink()
    (copy / "pairs.h5").unlink()
    with h5py.File(copy / "stats.h5", "a") as f:
        del f["truth"]
    for name in ("sanity_dice", "minkowski_area", "figure3_power"):
        (copy / f"figures/{name}.dat").unlink()
    said = json.loads(report(copy, "--json", draw=True).stdout)
    assert said["trouble"] == "" and said["missing"] == ["pairs.h5", "stats_sanity_generated.h5"]
    for name in ("sanity_dice", "minkowski_area", "figure3_power"):
        first, second = blocks_of(copy / f"figures/{name}.dat")
        assert numpy.isnan(first).all() and len(second) > 15 and (copy / f"figures/{name}.svg").exists()


@pytest.mark.parametrize("part", ["pairs.h5", "stats_pairs.h5", "encoder/metrics.jsonl", "stats_gaussian.h5", "baseline_untrained.h5"])
def test_damaged_and_missing_parts(copy, part):
    (copy / part).write_bytes(b"\x00garbage\n")
    done = report(copy, "--json")
    assert json.loads(done.stdout)["missing"] == [part] and part in done.stderr
    assert "could not be read" in text_of(copy)
    (copy / part).unlink()
    assert json.loads(report(copy, "--json").stdout)["missing"] == [part]
    assert "not in this run" in text_of(copy)


def test_hostile_shapes(copy):
    """Datasets whose shapes disagree are refused as a part, not trusted."""
    with h5py.File(copy / "pairs.h5", "a") as f:
        kept = f["truth"][:5]
        del f["truth"]
        f["truth"] = kept
    with h5py.File(copy / "stats_pairs.h5", "a") as f:
        del f["dice/std"]
        f["dice/std"] = numpy.zeros(3)
    with h5py.File(copy / "stats.h5", "a") as f:
        del f["truth/minkowski_area"]
        f["truth/minkowski_area"] = numpy.zeros((3, 7))
    assert json.loads(report(copy, "--json").stdout)["missing"] == ["stats.h5", "pairs.h5", "stats_pairs.h5"]
